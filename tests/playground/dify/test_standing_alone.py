"""The stand-in Dify's completion and workflow apps, and chatflows of versions that relay: as strict as the real ones."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer, Reply, error_event
from tests.fakes.ports import free_port

Json = dict[str, object]

MODES = ("chat", "agent-chat", "advanced-chat", "completion", "workflow")
WAYS = {
    "/chat-messages": (("chat", "agent-chat", "advanced-chat"), "not_chat_app"),
    "/completion-messages": (("completion",), "app_unavailable"),
    "/workflows/run": (("workflow",), "not_workflow_app"),
}
STOPS = {
    "/chat-messages/t/stop": "/chat-messages",
    "/completion-messages/t/stop": "/completion-messages",
    "/workflows/tasks/t/stop": "/workflows/run",
}


class Caller:
    def __init__(self, server: DifyServer, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._session = session

    async def call(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json]:
        headers = {"Authorization": f"Bearer {self._server.api_key}"}
        async with self._session.request(method, self._server.base_url + path, json=body, headers=headers) as response:
            told = json.loads(await response.text())
            assert isinstance(told, dict)
            return response.status, told

    async def stream(self, path: str, until: str = "", **body: object) -> list[Json]:
        """The events of a streamed answer, up to one of that name if told."""
        headers = {"Authorization": f"Bearer {self._server.api_key}"}
        asked: Json = {"inputs": {}, "user": "u-1", "response_mode": "streaming", **body}
        events: list[Json] = []
        async with self._session.post(self._server.base_url + path, json=asked, headers=headers) as response:
            assert response.status == 200, await response.text()
            async for line in response.content:
                if line.startswith(b"data: "):
                    events.append(json.loads(line.removeprefix(b"data: ")))
                    if events[-1]["event"] == until:
                        break
        return events


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[DifyServer]:
    mode, version = request.param
    server = DifyServer(SystemClock(), mode=mode, version=version)
    server.first_token = server.per_token = 0
    server.script = lambda query: Reply(tokens=["re: ", query])
    await server.start(port=free_port())
    yield server
    await server.stop()


@pytest.fixture
async def caller(server: DifyServer) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(server, session)


def on(*kinds: tuple[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("server", kinds, indirect=True)


def names(events: list[Json]) -> list[str]:
    return [str(event["event"]) for event in events]


@on(*((mode, version) for mode in MODES for version in ("0.15.3", "1.12.1")))
async def test_each_kind_of_app_is_asked_and_stopped_in_its_own_way(server: DifyServer, caller: Caller) -> None:
    whole: Json = {"inputs": {"text": "x", "query": "x"}, "query": "x", "user": "u", "response_mode": "streaming"}
    for path, (modes, code) in WAYS.items():
        if server.mode not in modes:
            assert (await caller.call("POST", path, whole))[1]["code"] == code
    for path, way in STOPS.items():
        modes, code = WAYS[way]
        status, told = await caller.call("POST", path, {"user": "u"})
        assert (status, told.get("code")) == ((200, None) if server.mode in modes else (400, code))


@on(("completion", "1.12.1"), ("workflow", "1.12.1"))
async def test_nothing_of_theirs_is_in_the_history(server: DifyServer, caller: Caller) -> None:
    for path in ("/messages?user=u-1&conversation_id=x", "/conversations?user=u-1"):
        status, told = await caller.call("GET", path)
        assert (status, told["code"]) == (400, "not_chat_app")


@on(("completion", "0.15.3"), ("completion", "1.12.1"), ("workflow", "0.15.3"), ("workflow", "1.12.1"))
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"inputs": None}, "Missing|inputs"),
        ({"inputs": {}}, "is required in input form"),
        ({"inputs": {"text": 7, "query": 7}}, "must be a string"),
        ({"inputs": {"text": "x" * 4001, "query": "x" * 4001}}, "must be less than 4000 characters"),
        ({"user": ""}, "user"),
        ({"response_mode": "sse"}, "not a valid choice"),
    ],
)
async def test_what_is_wrong_with_a_question_is_told_before_it_runs(
    server: DifyServer, caller: Caller, body: Json, words: str
) -> None:
    path = {"completion": "/completion-messages", "workflow": "/workflows/run"}[server.mode]
    good: Json = {"inputs": {"text": "x", "query": "x"}, "user": "u-1", "response_mode": "streaming"}
    status, told = await caller.call("POST", path, good | body)
    assert (status, told["code"]) == (400, "invalid_param")
    assert any(word in str(told["message"]) for word in words.split("|"))
    assert server.questions() == {} or all(one.accepted == 0 for one in server.questions().values())


@on(("completion", "0.15.3"), ("completion", "1.12.1"))
async def test_a_completion_has_a_message_and_no_conversation(server: DifyServer, caller: Caller) -> None:
    events = await caller.stream("/completion-messages", inputs={"query": "hello"})
    assert names(events) == ["message", "message", "message_end"]
    assert not any("conversation_id" in event for event in events)
    assert "".join(str(event["answer"]) for event in events[:2]) == "re: hello"
    message = events[0]["message_id"]
    status, _ = await caller.call("POST", f"/messages/{message}/feedbacks", {"rating": "like", "user": "u-1"})
    assert (status, server.ratings[str(message)].rating) == (200, "like")


@on(("workflow", "0.15.3"), ("workflow", "1.12.1"))
async def test_a_workflow_has_a_run_and_neither_message_nor_conversation(server: DifyServer, caller: Caller) -> None:
    events = await caller.stream("/workflows/run", inputs={"text": "hello"})
    assert names(events) == [
        *("workflow_started", "node_started", "node_finished", "node_started", "text_chunk", "text_chunk"),
        *("node_finished", "node_started", "node_finished", "workflow_finished"),
    ]
    assert all(set(event) == {"event", "workflow_run_id", "task_id", "data"} for event in events)
    data = events[-1]["data"]
    assert isinstance(data, dict)
    assert (data["status"], data["outputs"], data["files"]) == ("succeeded", {"result": "re: hello"}, [])
    _, run = await caller.call("GET", f"/workflows/run/{events[0]['workflow_run_id']}")
    assert json.loads(str(run["outputs"])) == {"result": "re: hello"}
    assert isinstance(run["created_at"], str if server.snapshot()["version"] == "0.15.3" else int)


@on(("workflow", "0.15.3"), ("workflow", "1.12.1"))
async def test_a_workflow_that_fails_sends_no_error_event(server: DifyServer, caller: Caller) -> None:
    server.script = lambda query: Reply(tokens=["a", "b"], fault=error_event(at=1))
    events = await caller.stream("/workflows/run", inputs={"text": "hello"})
    data = events[-1]["data"]
    assert isinstance(data, dict)
    assert (names(events)[-1], data["status"]) == ("workflow_finished", "failed")
    assert "error" not in names(events)


@on(("workflow", "0.15.3"), ("workflow", "1.12.1"))
async def test_a_run_that_nobody_hears_ends_by_itself_but_on_old_versions(server: DifyServer, caller: Caller) -> None:
    server.script = lambda query: Reply(tokens=["a", "b", "c"], per_token=0.05, outputs={"x": "abc", "y": 1})
    events = await caller.stream("/workflows/run", until="text_chunk", inputs={"text": "hello"})
    run = events[0]["workflow_run_id"]
    await server.until(lambda: server.requests[-1].ended == "client_closed")
    await asyncio.sleep(0.3)
    _, told = await caller.call("GET", f"/workflows/run/{run}")
    if server.snapshot()["version"] == "0.15.3":
        assert (told["status"], told["outputs"]) == ("running", "{}")
    else:
        assert (told["status"], json.loads(str(told["outputs"]))) == ("succeeded", {"x": "abc", "y": 1})


@on(("workflow", "1.13.0"), ("advanced-chat", "1.13.0"))
async def test_relays_tell_what_is_wrong_with_the_inputs_in_the_stream(server: DifyServer, caller: Caller) -> None:
    server.required_inputs.append("team")
    path = "/workflows/run" if server.mode == "workflow" else "/chat-messages"
    (event,) = await caller.stream(path, until="error", inputs={"text": "x"}, query="x")
    assert event == {"event": "error", "message": "team is required in input form", "status": 500}


@on(("advanced-chat", "1.13.0"), ("advanced-chat", "1.14.0"))
async def test_relays_say_nothing_of_a_conversation_that_is_missing(server: DifyServer, caller: Caller) -> None:
    missing = "00000000-0000-0000-0000-000000000007"
    (event,) = await caller.stream("/chat-messages", until="error", query="x", conversation_id=missing)
    assert event == {"event": "error", "message": "", "status": 500}
    status, told = await caller.call("GET", f"/messages?user=u-1&conversation_id={missing}")
    assert (status, told["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("server", "ending"),
    [
        (("advanced-chat", "1.12.1"), ["workflow_finished", "message_end"]),
        (("advanced-chat", "1.13.0"), ["node_finished", "workflow_finished"]),
        (("advanced-chat", "1.14.0"), ["message_end", "workflow_finished"]),
    ],
    indirect=["server"],
)
async def test_a_chatflow_ends_in_the_order_of_its_version(caller: Caller, ending: list[str]) -> None:
    assert names(await caller.stream("/chat-messages", query="x"))[-2:] == ending


@on(("advanced-chat", "1.13.0"))
async def test_a_relay_drops_what_follows_a_failed_run_and_keeps_an_answer_that_nobody_heard(
    server: DifyServer, caller: Caller
) -> None:
    server.script = lambda query: Reply(tokens=["a", "b"], fault=error_event(at=1))
    assert names(await caller.stream("/chat-messages", query="fails"))[-1] == "workflow_finished"
    server.script = lambda query: Reply(tokens=["a", "b", "c"], per_token=0.05)
    events = await caller.stream("/chat-messages", until="message", query="unheard")
    await server.until(lambda: server.requests[-1].ended == "client_closed")
    await asyncio.sleep(0.3)
    _, told = await caller.call("GET", f"/messages?user=u-1&conversation_id={events[0]['conversation_id']}")
    rows = told["data"]
    assert isinstance(rows, list)
    assert [row["answer"] for row in rows] == ["abc"]


@on(("completion", "1.12.1"), ("workflow", "1.12.1"))
async def test_an_answer_may_be_had_in_one_piece(server: DifyServer, caller: Caller) -> None:
    path = {"completion": "/completion-messages", "workflow": "/workflows/run"}[server.mode]
    body: Json = {"inputs": {"text": "hi", "query": "hi"}, "user": "u-1", "response_mode": "blocking"}
    status, told = await caller.call("POST", path, body)
    assert status == 200
    if server.mode == "completion":
        assert (told["answer"], told["mode"], "conversation_id" in told) == ("re: hi", "completion", False)
    else:
        data = told["data"]
        assert isinstance(data, dict)
        assert (data["status"], data["outputs"]) == ("succeeded", {"result": "re: hi"})


@on(("workflow", "1.12.1"))
async def test_the_input_for_the_question_has_the_name_that_it_is_given(server: DifyServer, caller: Caller) -> None:
    server.question_input = "topic"
    _, told = await caller.call("GET", "/parameters")
    assert [next(iter(field.values()))["variable"] for field in told["user_input_form"]] == ["topic"]  # type: ignore[attr-defined]  # JSON as it came
    await caller.stream("/workflows/run", inputs={"topic": "hello"})
    assert [one.query for one in server.requests] == ["hello"]
