"""The stand-in Dify waits for people as the real one does since 1.13, and refuses what that refuses."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from bridge.playground.dify import DifyServer, Reply
from bridge.playground.dify.people import PeopleForm
from bridge.playground.received import WAITING, read_stand_in
from bridge.playground.view import dify_view
from tests.fakes.ports import free_port
from tests.playground.dify.test_afterwards import MovedClock
from tests.playground.dify.test_server import Caller, Json

FORM = PeopleForm(
    title="Review",
    content="Right? {{#$output.why#}}",
    inputs=({"type": "text_input", "output_variable_name": "why", "default": None},),
    then=lambda action, values: Reply(tokens=[f" {action}"]),
    late=Reply(tokens=[" late"]),
)


class Stage:
    def __init__(self, server: DifyServer, caller: Caller, clock: MovedClock) -> None:
        self.server = server
        self.caller = caller
        self.clock = clock

    async def pause(self) -> list[Json]:
        return await self.caller.ask("hello")

    @property
    def token(self) -> str:
        return self.server.paused[0].form.token

    @property
    def run(self) -> str:
        return self.server.paused[0].run.id

    async def submit(self, **changed: object) -> tuple[int, Json]:
        body: Json = {"inputs": {"why": "so"}, "action": "approve", "user": "u-1", **changed}
        status, text = await self.caller.call("POST", f"/form/human_input/{self.token}", body)
        return status, json.loads(text)

    async def get(self, path: str) -> tuple[int, str]:
        return await self.caller.call("GET", path)

    async def events(self, query: str = "user=u-1") -> list[str]:
        _, text = await self.get(f"/workflow/{self.run}/events?{query}")
        return [json.loads(line[6:])["event"] for line in text.splitlines() if line.startswith("data: ")]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = MovedClock()
    server = DifyServer(clock, mode="advanced-chat")
    server.first_token = server.per_token = 0.0
    server.features.asks_people = True
    server.script = lambda query: Reply(tokens=["Well."], form=FORM)
    await server.start(port=free_port())
    async with aiohttp.ClientSession() as session:
        yield Stage(server, Caller(server, session), clock)
    await server.stop()


async def test_a_pause_is_told_last_with_its_form(stage: Stage) -> None:
    events = await stage.pause()

    assert [one["event"] for one in events][-2:] == ["human_input_required", "workflow_paused"]
    data = events[-2]["data"]
    assert isinstance(data, dict)
    assert (data["form_token"], data["node_title"]) == (stage.token, "Review")


async def test_a_form_can_be_looked_at_for_as_long_as_it_is_open(stage: Stage) -> None:
    await stage.pause()
    status, text = await stage.get(f"/form/human_input/{stage.token}")
    assert (status, json.loads(text)["form_content"]) == (200, FORM.content)
    await stage.submit()
    status, text = await stage.get(f"/form/human_input/{stage.token}")
    assert (status, json.loads(text)["code"]) == (412, "human_input_form_submitted")


async def test_the_first_answer_counts_whoever_gives_it(stage: Stage) -> None:
    await stage.pause()
    assert await stage.submit(user="somebody") == (200, {})
    status, body = await stage.submit()
    assert (status, body["code"]) == (412, "human_input_form_submitted")


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"action": "maybe"}, 400, "invalid_form_data"),
        ({"inputs": {}}, 400, "invalid_form_data"),
        ({"inputs": None}, 400, "invalid_param"),
        ({"user": ""}, 400, "invalid_param"),
    ],
)
async def test_what_is_no_answer_is_refused(stage: Stage, changed: Json, status: int, code: str) -> None:
    await stage.pause()
    refused, body = await stage.submit(**changed)

    assert (refused, body["code"]) == (status, code)
    assert stage.server.paused[0].run.status == "paused"


async def test_nothing_is_taken_once_the_time_is_over(stage: Stage) -> None:
    await stage.pause()
    stage.clock.ahead = FORM.seconds + 1
    status, body = await stage.submit()

    assert (status, body["code"]) == (412, "human_input_form_expired")


async def test_an_unknown_form_is_not_found(stage: Stage) -> None:
    assert (await stage.get("/form/human_input/nothing"))[0] == 404


async def test_only_who_began_a_run_hears_it(stage: Stage) -> None:
    await stage.pause()
    assert (await stage.get(f"/workflow/{stage.run}/events?user=somebody"))[0] == 404
    assert (await stage.get("/workflow/nothing/events?user=u-1"))[0] == 404


async def test_the_picture_of_a_paused_run_ends_the_stream_unless_it_is_to_go_on(stage: Stage) -> None:
    await stage.pause()
    events = await stage.events("user=u-1&include_state_snapshot=true")
    assert events == ["workflow_started", "message_replace", "workflow_paused"]


async def test_whoever_listens_hears_how_it_goes_on(stage: Stage) -> None:
    await stage.pause()
    listening = asyncio.create_task(stage.events("user=u-1&continue_on_pause=true"))
    await stage.server.until(lambda: stage.server.paused[0].listeners > 0)
    await stage.submit()
    events = await listening
    assert events[:2] == ["workflow_started", "human_input_form_filled"]
    assert events[-2:] == ["message_end", "workflow_finished"]


async def test_a_run_that_has_ended_is_told_in_one_event(stage: Stage) -> None:
    await stage.pause()
    await stage.submit()
    await stage.server.until(lambda: stage.server.paused[0].run.status == "succeeded")
    assert await stage.events() == ["workflow_finished"]


async def test_a_stop_of_a_paused_run_succeeds_and_does_nothing(stage: Stage) -> None:
    events = await stage.pause()
    status, _ = await stage.caller.call("POST", f"/chat-messages/{events[0]['task_id']}/stop", {"user": "u-1"})
    assert (status, stage.server.stop_log[0].worked) == (200, False)
    assert stage.server.paused[0].run.status == "paused"


async def test_a_form_without_another_way_fails_its_run_in_the_end(stage: Stage) -> None:
    stage.server.script = lambda query: Reply(tokens=["Well."], form=replace(FORM, late=None))
    await stage.pause()
    stage.server.paused[0].expire()
    await stage.server.until(lambda: stage.server.paused[0].run.status == "failed")


async def test_a_form_that_goes_by_mail_has_no_token(stage: Stage) -> None:
    stage.server.script = lambda query: Reply(form=replace(FORM, by_mail=True))
    data = (await stage.pause())[-2]["data"]
    assert isinstance(data, dict)
    assert data["form_token"] is None
    assert (await stage.submit())[0] == 404


async def test_an_older_dify_knows_nothing_of_all_this(stage: Stage) -> None:
    stage.server.features.asks_people = False
    events = await stage.pause()
    assert events[-1]["event"] == "message_end"
    for path in ("/form/human_input/x", "/workflow/x/events?user=u-1"):
        status, text = await stage.get(path)
        assert (status, text.startswith("<!doctype")) == (404, True)


async def test_the_page_says_that_a_run_waits_for_people_and_when_it_is_over(stage: Stage) -> None:
    def words() -> object:
        shown = dify_view(read_stand_in(stage.server), stand_in=True)["requests"]
        assert isinstance(shown, list)
        return shown[0]["words"]

    await stage.pause()
    assert words() == WAITING
    await stage.submit()
    await stage.server.until(lambda: stage.server.paused[0].run.status == "succeeded")
    assert words() == "answered"


@pytest.mark.parametrize("word", ["approve", "form"])
async def test_a_word_has_the_built_in_app_wait_for_people(stage: Stage, word: str) -> None:
    stage.server.script = None
    events = await stage.caller.ask(word)
    assert events[-1]["event"] == "workflow_paused"
    stage.server.mode = "chat"
    events = await stage.caller.ask(word)
    assert events[-1]["event"] == "message_end"
