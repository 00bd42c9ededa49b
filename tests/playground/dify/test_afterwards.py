"""The stand-in Dify keeps and loses what the real ones were seen to keep and lose, and counts what was asked of it."""

import asyncio
import json
import math
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer, Reply, cut, error_event, ping_only
from bridge.playground.dify.faults import NAMED
from tests.fakes.ports import free_port
from tests.playground.dify.test_server import Caller, Json, question, said

WORDS = ["word "] * 20


class MovedClock(SystemClock):
    """The real time, and so many seconds more."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


class Stage:
    def __init__(self, server: DifyServer, caller: Caller, clock: MovedClock) -> None:
        self.server = server
        self.caller = caller
        self.clock = clock

    async def ask_and_leave(self, query: str = "hello") -> tuple[str, str, str, str]:
        """Asks, goes away after the first events. Ids of conversation, message, task and run."""
        before = len(self.server.requests)
        asking = asyncio.create_task(self.caller.ask(query))
        await self.server.until(lambda: any(one.task_id for one in self.server.requests[before:]))
        record = self.server.requests[-1]
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        await self.server.until(lambda: record.ended == "client_closed")
        run = next((one.id for one in self.server.runs.values() if one.query == query), "")
        return record.home, record.message_id, record.task_id, run

    async def get(self, path: str) -> tuple[int, Json]:
        status, text = await self.caller.call("GET", path)
        return status, json.loads(text)

    async def rows(self, conversation: str) -> list[Json]:
        _, body = await self.get(f"/messages?conversation_id={conversation}&user=u-1")
        data = body["data"]
        assert isinstance(data, list)
        return data

    async def stop(self, task: str, user: str = "u-1") -> None:
        assert (await self.caller.call("POST", f"/chat-messages/{task}/stop", {"user": user}))[0] == 200


@pytest.fixture
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    mode, version = getattr(request, "param", ("chat", "1.12.1"))
    clock = MovedClock()
    server = DifyServer(clock, mode=mode, version=version)
    server.script = lambda query: Reply(tokens=WORDS, first_token=0.5, per_token=0.5)
    await server.start(port=free_port())
    async with aiohttp.ClientSession() as session:
        yield Stage(server, Caller(server, session), clock)
    await server.stop()


def thoughts_of(row: Json) -> list[Json]:
    thoughts = row["agent_thoughts"]
    assert isinstance(thoughts, list)
    return thoughts


def on(*stages: tuple[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("stage", stages, indirect=True, ids=lambda stage: f"{stage[0]}-{stage[1]}")


@on(("chat", "0.15.3"), ("chat", "1.12.1"), ("advanced-chat", "0.15.3"), ("advanced-chat", "1.12.1"))
async def test_the_row_of_a_dropped_answer_stays_empty_for_good(stage: Stage) -> None:
    conversation, message, _, _ = await stage.ask_and_leave()
    stage.clock.ahead += 3600

    (row,) = await stage.rows(conversation)
    assert (row["id"], row["answer"], row["status"], row["error"]) == (message, "", "normal", None)


@on(("agent-chat", "0.15.3"), ("agent-chat", "1.12.1"))
async def test_a_dropped_agent_writes_its_last_step_down_when_it_is_done(stage: Stage) -> None:
    conversation, _, _, _ = await stage.ask_and_leave()

    (early,) = await stage.rows(conversation)
    stage.clock.ahead += 60
    (late,) = await stage.rows(conversation)

    assert [thought["thought"] for thought in thoughts_of(early)] == [""]
    assert [thought["thought"] for thought in thoughts_of(late)] == ["".join(WORDS)]
    assert late["answer"] == ""


@on(("advanced-chat", "1.12.1"))
async def test_a_dropped_chatflow_goes_on_and_its_run_tells_the_text(stage: Stage) -> None:
    _, _, _, run = await stage.ask_and_leave()

    status, running = await stage.get(f"/workflows/run/{run}")
    stage.clock.ahead += 60
    _, done = await stage.get(f"/workflows/run/{run}")
    _, unknown = await stage.get("/workflows/run/nope")

    assert (status, running["status"], running["outputs"]) == (200, "running", "{}")
    assert done["status"] == "succeeded"
    assert json.loads(str(done["outputs"]))["answer"] == "".join(WORDS)
    assert unknown["id"] is None


@on(("advanced-chat", "0.15.3"), ("chat", "1.12.1"), ("agent-chat", "1.12.1"))
async def test_the_run_is_not_told_by_old_versions_nor_for_other_apps(stage: Stage) -> None:
    _, _, _, run = await stage.ask_and_leave()

    status, body = await stage.get(f"/workflows/run/{run or 'r'}")
    assert (status, body["code"]) == (400, "not_workflow_app")


@on(("advanced-chat", "1.12.1"))
async def test_a_run_that_was_heard_to_its_end_tells_it_too(stage: Stage) -> None:
    stage.server.script = lambda query: Reply(tokens=WORDS, first_token=0, per_token=0)
    stage.server.faults.fail_next = [error_event(at=1)]
    await stage.caller.ask("fails")
    await stage.caller.ask("works")
    runs = {one.query: one.id for one in stage.server.runs.values()}

    assert (await stage.get(f"/workflows/run/{runs['fails']}"))[1]["status"] == "failed"
    assert (await stage.get(f"/workflows/run/{runs['works']}"))[1]["status"] == "succeeded"


@on(("advanced-chat", "1.12.1"))
async def test_a_killed_server_leaves_a_run_that_runs_for_ever(stage: Stage) -> None:
    asking = asyncio.create_task(stage.caller.ask("hello"))
    await stage.server.until(lambda: bool(stage.server.runs))
    await stage.server.stop()
    await asyncio.gather(asking, return_exceptions=True)
    await stage.server.come_back()
    stage.clock.ahead += 86400

    (run,) = stage.server.runs.values()
    assert run.unheard is not None
    assert run.unheard.due == math.inf
    assert (await stage.get(f"/workflows/run/{run.id}"))[1]["status"] == "running"


@on(("chat", "1.12.1"), ("advanced-chat", "1.12.1"), ("agent-chat", "1.12.1"))
async def test_stopping_after_the_client_left_ends_the_run_and_loses_the_text(stage: Stage) -> None:
    conversation, _, task, run = await stage.ask_and_leave()
    await stage.stop(task)
    await stage.stop(task)
    stage.clock.ahead += 60

    (row,) = await stage.rows(conversation)
    assert row["answer"] == ""
    assert all(thought["thought"] == "" for thought in thoughts_of(row))
    if run:
        _, detail = await stage.get(f"/workflows/run/{run}")
        assert (detail["status"], detail["outputs"]) == ("stopped", "{}")
    assert [call.worked for call in stage.server.stop_log] == [True, False]


@on(("chat", "1.12.1"), ("agent-chat", "1.12.1"))
async def test_stopping_while_connected_keeps_what_was_said(stage: Stage) -> None:
    stage.server.script = lambda query: Reply(tokens=WORDS, first_token=0, per_token=0.05)
    asking = asyncio.create_task(stage.caller.ask("hello"))
    await stage.server.until(lambda: bool(stage.server.requests and stage.server.requests[0].task_id))
    await stage.stop(stage.server.requests[0].task_id)
    events = await asyncio.wait_for(asking, 5)

    (row,) = await stage.rows(stage.server.requests[0].home)
    assert row["answer"] == said(events)
    # An agent's step is written down at its end, which a stopped one does not reach (measured).
    assert all(thought["thought"] == "" for thought in thoughts_of(row))
    assert stage.server.questions()["hello"].stopped == 1


@on(("chat", "1.12.1"), ("advanced-chat", "1.12.1"))
async def test_a_cut_in_mid_answer_is_a_client_that_left(stage: Stage) -> None:
    stage.server.script = lambda query: Reply(tokens=WORDS, first_token=0, per_token=0)
    stage.server.faults.fail_next = [cut(at=3)]
    with pytest.raises(aiohttp.ClientPayloadError):
        await stage.caller.ask("hello")

    (row,) = await stage.rows(stage.server.requests[0].home)
    assert (row["answer"], row["status"]) == ("", "normal")
    for run in stage.server.runs:
        assert (await stage.get(f"/workflows/run/{run}"))[1]["status"] == "succeeded"


async def test_a_strict_model_fails_every_later_question_of_a_conversation_with_a_lost_answer(stage: Stage) -> None:
    stage.server.set_faults({"strict_history": True})
    conversation, _, _, _ = await stage.ask_and_leave("lost")
    stage.server.script = lambda query: Reply(tokens=WORDS, first_token=0, per_token=0)

    for _ in range(2):
        events = await stage.caller.ask("later", conversation_id=conversation)
        assert [event.get("code", event["event"]) for event in events] == ["completion_request_error"]
    assert said(await stage.caller.ask("later")) == "".join(WORDS)

    stage.server.set_faults({"clear": True})
    assert said(await stage.caller.ask("later", conversation_id=conversation)) == "".join(WORDS)


async def test_deleted_conversations_can_be_neither_continued_nor_read(stage: Stage) -> None:
    conversation, _, _, _ = await stage.ask_and_leave()
    stage.server.set_faults({"forget_conversations": True})

    assert (await stage.caller.call("POST", "/chat-messages", question(conversation_id=conversation)))[0] == 404
    assert (await stage.get(f"/messages?conversation_id={conversation}&user=u-1"))[0] == 404
    assert stage.server.questions()["hello"].accepted == 1


async def test_a_dropped_connection_made_nothing_of_the_question(stage: Stage) -> None:
    stage.server.set_faults({"next": ["dropped"]})
    with pytest.raises(aiohttp.ClientError):
        await stage.caller.ask("hello")

    asked = stage.server.questions()["hello"]
    assert (asked.posts, asked.accepted, asked.answers) == (1, 0, ())
    assert (await stage.get("/conversations?user=u-1"))[1]["data"] == []


async def test_conversations_are_listed_by_user_newest_first(stage: Stage) -> None:
    stage.server.script = lambda query: Reply(tokens=WORDS, first_token=0, per_token=0)
    for query in ("first", "second", "third"):
        await stage.caller.ask(query)
        stage.clock.ahead += 1
    await stage.caller.ask("somebody else's", user="u-2")

    _, listed = await stage.get("/conversations?user=u-1&sort_by=-created_at&limit=2")
    data = listed["data"]
    assert isinstance(data, list)
    assert [one["name"] for one in data] == ["About: third", "About: second"]
    assert listed["has_more"] is True
    assert (await stage.get("/conversations?user=u-1&sort_by=name"))[0] == 400
    assert (await stage.get("/conversations?user=u-1&limit=500"))[0] == 400


async def test_messages_are_paged_backwards(stage: Stage) -> None:
    stage.server.script = lambda query: Reply(tokens=WORDS, first_token=0, per_token=0)
    conversation = str((await stage.caller.ask("q0"))[0]["conversation_id"])
    for number in (1, 2):
        stage.clock.ahead += 1
        await stage.caller.ask(f"q{number}", conversation_id=conversation)

    path = f"/messages?conversation_id={conversation}&user=u-1"
    _, newest = await stage.get(f"{path}&limit=2")
    data = newest["data"]
    assert isinstance(data, list)
    assert ([row["query"] for row in data], newest["has_more"]) == (["q1", "q2"], True)
    _, older = await stage.get(f"{path}&limit=2&first_id={data[0]['id']}")
    data = older["data"]
    assert isinstance(data, list)
    assert [row["query"] for row in data] == ["q0"]


async def test_every_question_is_counted_with_who_asked_and_how_it_ended(stage: Stage) -> None:
    stage.server.script = lambda query: Reply(tokens=WORDS, first_token=0, per_token=0)
    stage.server.faults.fail_next = [NAMED["429"]()]
    await stage.caller.call("POST", "/chat-messages", question("twice"))
    await stage.caller.ask("twice")
    await stage.caller.ask("twice", user="u-2")
    stage.server.faults.fail_next = [ping_only()]
    _, _, task, _ = await stage.ask_and_leave("hangs")
    await stage.stop(task, "u-2")

    asked = stage.server.questions()
    assert (asked["twice"].posts, asked["twice"].accepted) == (3, 2)
    assert asked["twice"].users == ("u-1", "u-2")
    assert asked["twice"].endings == ("refused", "finished", "finished")
    assert asked["twice"].answers == ("".join(WORDS),) * 2
    assert len(asked["twice"].conversations) == 2
    assert (asked["hangs"].endings, asked["hangs"].stopped, asked["hangs"].answers) == (("client_closed",), 0, ("",))
    assert stage.server.requests[-1].stop_calls == 1
    async with (
        aiohttp.ClientSession() as session,
        session.get(stage.server.base_url.removesuffix("/v1") + "/control/questions") as response,
    ):
        assert (await response.json())["twice"]["accepted"] == 2


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("wrong_key", 401, "unauthorized"),
        ("api_disabled", 403, "forbidden"),
        ("plan_quota", 429, "rate_limit_error"),
        ("internal_error", 500, "internal_server_error"),
        ("html_502", 502, ""),
        ("html_504", 504, ""),
    ],
)
async def test_refusals_on_demand(stage: Stage, name: str, status: int, code: str) -> None:
    stage.server.set_faults({"next": [name]})

    got, text = await stage.caller.call("POST", "/chat-messages", question())

    assert got == status
    assert code in text
    assert stage.server.questions()["hello"].accepted == 0


@pytest.mark.parametrize(
    ("name", "code"), [("provider_quota", "provider_quota_exceeded"), ("internal_error_event", "internal_server_error")]
)
async def test_errors_in_the_stream_on_demand(stage: Stage, name: str, code: str) -> None:
    stage.server.set_faults({"next": [name]})

    events = await stage.caller.ask("hello")

    assert events[-1]["code"] == code
    assert stage.server.questions()["hello"].accepted == 1
