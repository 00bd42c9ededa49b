"""Answers of workflow apps: outputs and streamed text, endings, and what became of a run that nobody heard to its end."""

import asyncio
import json
from collections.abc import Sequence

import pytest

from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    Fate,
    FileProduced,
    Progress,
    Recovered,
    TextReplaced,
    UsageReported,
)
from bridge.errors import QuestionRefused
from bridge.messages import BackendIds, BackendMessageId, BackendRunId, BackendTaskId, BackendUser, Rating
from tests.backends.dify.asking import Outcome, ask, hear, make_backend
from tests.backends.dify.scripted import PING, Cut, Hang, Pause, ScriptedServer, Step, data
from tests.backends.dify.test_histories import HistoryServer, load

RUN = {"workflow_run_id": "r-1", "task_id": "t-1"}
STARTED = data(event="workflow_started", **RUN, data={"id": "r-1", "inputs": {"text": "SECRET"}})
FORM: dict[str, object] = {"user_input_form": [{"paragraph": {"variable": "text", "required": True, "max_length": 20}}]}
IDS = BackendIds(run=BackendRunId("r-1"), task=BackendTaskId("t-1"))
USER = BackendUser("thread-1")


def chunk(text: str) -> bytes:
    return data(event="text_chunk", **RUN, data={"text": text, "from_variable_selector": ["llm", "text"]})


def node(title: str, name: str = "node_started", **more: object) -> bytes:
    about = {"node_id": title, "node_type": "code", "title": title, "inputs": {"prompt": "SECRET"}, **more}
    return data(event=name, **RUN, data=about)


def finished(outputs: object, status: str = "succeeded", error: str | None = None, **more: object) -> bytes:
    about = {"id": "r-1", "status": status, "outputs": outputs, "error": error, **more}
    return data(event="workflow_finished", **RUN, data=about)


async def play(
    steps: Sequence[Step],
    *,
    text: str = "hello",
    form: dict[str, object] | None = None,
    wanted: str = "",
    **settings: object,
) -> tuple[Outcome, ScriptedServer]:
    async with ScriptedServer(steps) as server:
        server.others["/v1/parameters"] = (200, FORM if form is None else form)
        server.others["/v1/info"] = (200, {"mode": "workflow"})
        backend = make_backend(server.base_url, dify_app_type="workflow", dify_query_input=wanted, **settings)
        try:
            async with asyncio.timeout(5):
                return await hear(backend.answer(ask(text))), server
        finally:
            await backend.close()


@pytest.mark.parametrize(
    ("steps", "ending", "text"),
    [
        pytest.param([chunk("a"), chunk("b"), finished({"result": "ab"})], "completed", "ab", id="not said twice"),
        pytest.param([chunk("ab"), finished({"result": "ab "})], "completed", "ab", id="but for white space"),
        pytest.param([finished({"result": "ab"})], "completed", "ab", id="not streamed"),
        pytest.param([chunk("a"), finished({"result": "abc"})], "completed", "abc", id="the rest"),
        pytest.param([chunk("x"), finished({"result": "ab"})], "completed", "ab", id="the outputs are what holds"),
        pytest.param(
            [chunk("a"), finished({"result": "a", "style": "b"})],
            "completed",
            "**result**: a\n\n**style**: b",
            id="several, one streamed, as before 1.0",
        ),
        pytest.param(
            [chunk("a"), chunk("\n"), chunk("b"), finished({"result": "a", "style": "b"})],
            "completed",
            "**result**: a\n\n**style**: b",
            id="several, all streamed in a row, as in 1.12",
        ),
        pytest.param([chunk("a"), finished({})], "completed", "a", id="streamed, no outputs"),
        pytest.param([finished({})], "completed", "", id="nothing"),
        pytest.param([finished(None)], "completed", "", id="nothing at all"),
        pytest.param([chunk("<think>x"), chunk("</think>a"), finished({"r": "<think>x</think>a"})], "completed", "a",
                     id="thoughts"),
        pytest.param([chunk("a"), finished({"r": "a"}), Hang()], "completed", "a", id="the server keeps the connection"),
        pytest.param([chunk("a"), finished({"r": "a"}), Cut()], "completed", "a", id="cut after its end"),
        pytest.param([chunk("a"), finished(None, "failed", "boom")], "BackendFailed", "a", id="failed, 0.15"),
        pytest.param([chunk("a"), finished({}, "failed", "boom")], "BackendFailed", "a", id="failed, 1.12"),
        pytest.param([finished({"r": "half"}, "failed", "boom")], "BackendFailed", "", id="what failed has no outputs"),
        pytest.param([chunk("a"), finished({}, "stopped", "Stopped by user.")], "stopped", "a", id="stopped"),
        pytest.param([chunk("a")], "BackendCut", "a", id="no ending"),
        pytest.param([chunk("a"), Cut()], "BackendCut", "a", id="cut"),
        pytest.param([chunk("a"), data(event="text_replace", **RUN, data={"text": "b"}), finished({})], "completed", "b",
                     id="replaced"),
    ],
)  # fmt: skip
async def test_a_workflow_ends_when_and_as_it_should(steps: Sequence[Step], ending: str, text: str) -> None:
    outcome, _ = await play([STARTED, *steps])

    assert (outcome.ending, outcome.text) == (ending, text)


@pytest.mark.parametrize(
    ("steps", "ending", "words"),
    [
        pytest.param([PING, STARTED, PING, chunk("a"), finished({"r": "a"})], "completed", "", id="pings first"),
        pytest.param(
            [PING, data(event="error", message="text is required in input form", status=500), PING, Hang()],
            "QuestionRefused",
            "information",
            id="what is wrong with its inputs is told in the stream",
        ),
        pytest.param(
            [PING, data(event="error", message="", status=500), Hang()], "BackendFailed", "failed", id="not even why"
        ),
        pytest.param(
            [PING, Pause(0.3), PING, Hang()], "BackendTimeout", "in time|without saying|fell silent", id="only pings"
        ),
        pytest.param([chunk("a"), finished({"r": "a"})], "completed", "", id="workflow_started was lost"),
    ],
)
async def test_a_relayed_workflow_ends_too(steps: Sequence[Step], ending: str, words: str) -> None:
    outcome, _ = await play(steps, dify_idle_timeout=1, dify_progress_timeout=1)

    assert outcome.ending == ending
    if outcome.error is not None:
        assert any(word in outcome.error.user_message for word in words.split("|"))
        assert outcome.error.accepted


async def test_the_ids_of_a_run_come_first_and_no_message_is_made_up() -> None:
    outcome, _ = await play([STARTED, chunk("a"), finished({"r": "a"})])

    assert outcome.events[0] == AnswerStarted(ids=IDS)


async def test_nodes_are_told_by_title_alone() -> None:
    steps = [
        node("Search"),
        node("Search", "node_finished"),
        node("Write"),
        node("Write", "node_finished", status="failed"),
    ]
    outcome, _ = await play([STARTED, *steps, finished({"r": "a"})])

    told = [(event.step.title, event.step.state.value) for event in outcome.events if isinstance(event, Progress)]
    assert told == [("Search", "running"), ("Search", "done"), ("Write", "running"), ("Write", "failed")]
    assert "SECRET" not in str(outcome.events)


async def test_a_partial_success_is_told_as_such() -> None:
    outcome, _ = await play([STARTED, chunk("a"), finished({"r": "a"}, "partial-succeeded", "a node failed")])

    assert outcome.events[-1] == AnswerCompleted(partial=True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("API request failed with status code 429: SECRET", "The app's model has too much to do right now"),
        ("API request failed with status code 500: SECRET", "A step inside the app failed while answering"),
    ],
)
async def test_a_failed_run_says_what_a_member_may_know(words: str, told: str) -> None:
    outcome, _ = await play([STARTED, finished({}, "failed", words)])

    assert outcome.error is not None
    assert told in outcome.error.user_message
    assert "SECRET" not in outcome.error.user_message
    assert outcome.error.may_retry


async def test_what_a_run_has_counted_is_told_before_its_end() -> None:
    outcome, _ = await play([STARTED, chunk("a"), finished({"r": "a"}, total_tokens=38, elapsed_time=0.73)])

    assert outcome.events[-2:] == [UsageReported(total_tokens=38, latency=0.73), AnswerCompleted()]


async def test_files_among_the_outputs_are_told_once() -> None:
    file = {
        "dify_model_identity": "__dify__file__",
        "transfer_method": "tool_file",
        "type": "image",
        "filename": "a.png",
        "url": "/files/tools/1.png?timestamp=1&nonce=2&sign=3",
    }
    outcome, _ = await play([STARTED, chunk("a"), finished({"r": "a", "made": [file]}, files=[file])])

    assert [event.file.name for event in outcome.events if isinstance(event, FileProduced)] == ["a.png"]
    assert outcome.text == "a"
    assert not any(isinstance(event, TextReplaced) for event in outcome.events)


async def test_the_question_goes_into_its_input_and_the_others_beside_it() -> None:
    outcome, server = await play([STARTED, finished({"r": "a"})])

    assert outcome.ending == "completed"
    assert server.called == ["GET /v1/parameters", "POST /v1/workflows/run"]
    assert server.asked == [{"inputs": {"text": "hello"}, "response_mode": "streaming", "user": "thread-1"}]


async def test_a_question_that_is_too_long_for_its_input_is_not_sent() -> None:
    outcome, server = await play([STARTED, finished({"r": "a"})], text="x" * 21)

    assert isinstance(outcome.error, QuestionRefused)
    assert "at most 20 characters" in outcome.error.user_message
    assert server.asked == []


@pytest.mark.parametrize(
    ("form", "settings", "name"),
    [
        pytest.param([("a", "text-input", True), ("b", "select", True)], {}, "a", id="the only text"),
        pytest.param([("a", "paragraph", True), ("b", "text-input", False)], {}, "a", id="the only required text"),
        pytest.param([("a", "text-input", False)], {}, "a", id="the only text, required or not"),
        pytest.param([("a", "text-input", True), ("b", "text-input", True)], {"dify_query_input": "b"}, "b", id="set"),
        pytest.param([("a", "text-input", True), ("b", "text-input", True)], {}, None, id="two"),
        pytest.param([("a", "text-input", False), ("b", "text-input", False)], {}, None, id="two that may be left out"),
        pytest.param([("a", "number", True)], {}, None, id="no text"),
        pytest.param([("a", "number", True)], {"dify_query_input": "a"}, None, id="set, and no text"),
        pytest.param([], {}, None, id="an empty form"),
    ],
)
async def test_the_input_for_the_question_is_found_or_the_operator_told(
    form: list[tuple[str, str, bool]], settings: dict[str, str], name: str | None
) -> None:
    fields = [{kind: {"variable": variable, "required": required}} for variable, kind, required in form]
    told: dict[str, object] = {"user_input_form": fields}
    outcome, server = await play(
        [STARTED, finished({"r": "a"})], form=told, wanted=settings.get("dify_query_input", "")
    )

    if name is not None:
        assert [asked["inputs"] for asked in server.asked] == [{name: "hello"}]
        return
    assert server.asked == []
    assert outcome.error is not None
    assert (outcome.ending, outcome.error.code) == ("BackendMisconfigured", "no_query_input")
    assert outcome.error.fix


async def test_the_input_for_the_question_is_nothing_that_members_are_asked_for() -> None:
    fields = [
        {"paragraph": {"variable": "text", "required": True}},
        {"select": {"variable": "style", "options": ["a"]}},
    ]
    async with ScriptedServer() as server:
        server.others["/v1/parameters"] = (200, {"user_input_form": fields})
        backend = make_backend(server.base_url, dify_app_type="workflow")
        wanted = [one.name for one in await backend.input_form()]
        await backend.close()

    assert wanted == ["style"]


async def test_an_answer_in_one_piece_is_understood() -> None:
    whole = {"task_id": "t-1", "workflow_run_id": "r-1", "data": {"status": "succeeded", "outputs": {"r": "a"}}}
    async with ScriptedServer([json.dumps(whole).encode()]) as server:
        server.headers = {"Content-Type": "application/json"}
        server.others["/v1/parameters"] = (200, FORM)
        backend = make_backend(server.base_url, dify_app_type="workflow")
        outcome = await hear(backend.answer(ask()))
        await backend.close()

    assert (outcome.ending, outcome.text) == ("completed", "a")
    assert outcome.events[0] == AnswerStarted(ids=IDS)


async def test_a_run_takes_no_rating_and_says_so_before_anybody_asks() -> None:
    backend = make_backend("http://127.0.0.1:9/v1", dify_app_type="workflow")
    assert not backend.rates(IDS)
    assert backend.rates(BackendIds(message=BackendMessageId("m-1")))
    with pytest.raises(QuestionRefused) as caught:
        await backend.rate(IDS, USER, Rating.LIKE, "")
    await backend.close()

    assert not caught.value.may_retry


async def recover(status: str, version: str = "1.12.1", **fields: object) -> Recovered:
    body = json.dumps({"id": "r-1", "status": status, "outputs": "{}", "created_at": 0, **fields})
    headers = {"Content-Type": "application/json", "X-Version": version}
    reply: dict[str, object] = {"path": "/v1/workflows/run/r-1", "status": 200, "headers": headers, "body": body}
    async with HistoryServer([reply]) as server:
        backend = make_backend(server.base_url, dify_app_type="workflow")
        found = await backend.recover(ask(), IDS, None)
        await backend.close()
    return found


async def test_a_run_that_nobody_heard_is_fetched_as_it_would_have_been_streamed() -> None:
    outputs = json.dumps({"a": "<think>x</think>one", "b": 2})

    found = await recover("succeeded", outputs=outputs)

    assert (found.fate, found.text, found.ids) == (Fate.ANSWERED, "**a**: one\n\n**b**: 2", IDS)
    assert not found.partial
    assert (await recover("partial-succeeded", outputs=outputs)).partial


@pytest.mark.parametrize(
    ("status", "version", "fields", "fate"),
    [
        ("running", "1.12.1", {}, Fate.RUNNING),
        ("running", "0.15.3", {"created_at": "Sat, 21 Nov 2026 02:13:39 -0000"}, Fate.UNSURE),
        ("running", "1.12.1", {"created_at": 1}, Fate.UNSURE),
        ("failed", "1.12.1", {"error": "boom"}, Fate.FAILED),
        ("stopped", "1.12.1", {}, Fate.STOPPED),
        ("succeeded", "1.12.1", {}, Fate.ANSWERED),
        ("succeeded", "1.12.1", {"outputs": "{"}, Fate.UNSURE),
        ("", "1.12.1", {"id": None}, Fate.UNSURE),
    ],
)
async def test_what_became_of_a_run_is_told_as_far_as_it_is_known(
    status: str, version: str, fields: dict[str, object], fate: Fate
) -> None:
    found = await recover(status, version, **fields)

    assert (found.fate, found.text) == (fate, "")


@pytest.mark.parametrize("kind", ["workflow", "completion"])
async def test_nothing_is_looked_for_where_nothing_is_told(kind: str) -> None:
    backend = make_backend("http://127.0.0.1:9/v1", dify_app_type=kind)
    ids = BackendIds(task=BackendTaskId("t-1"), message=BackendMessageId("m-1") if kind == "completion" else None)
    found = [await backend.recover(ask(), one, None) for one in (ids, BackendIds())]
    await backend.close()

    assert [one.fate for one in found] == [Fate.UNKNOWN, Fate.UNKNOWN]
    assert found[0].ids == ids


@pytest.mark.parametrize(
    ("version", "scenario", "fates"),
    [
        ("0.15.3", "workflow_whole", [Fate.ANSWERED]),
        ("1.12.1", "workflow_whole", [Fate.ANSWERED]),
        # One second after the client had left, and seven.
        ("0.15.3", "workflow_dropped", [Fate.UNSURE, Fate.UNSURE]),
        ("1.12.1", "workflow_dropped", [Fate.RUNNING, Fate.ANSWERED]),
    ],
)
async def test_what_real_servers_told_about_runs_is_understood(version: str, scenario: str, fates: list[Fate]) -> None:
    replies = load(version, scenario)
    found: list[Recovered] = []
    for reply in replies:
        run = str(reply["path"]).rsplit("/", 1)[-1]
        body = json.loads(str(reply["body"]))
        # The recorded run was asked about when it was young.
        late = {**reply, "body": json.dumps(body | {"created_at": 0} if body["status"] == "running" else body)}
        async with HistoryServer([late]) as server:
            backend = make_backend(server.base_url)
            found.append(await backend.recover(ask(), BackendIds(run=BackendRunId(run)), None))
            await backend.close()

    assert [one.fate for one in found] == fates
    texts = [one.text for one in found if one.fate is Fate.ANSWERED]
    assert all("Echo[1]: " in text for text in texts)
