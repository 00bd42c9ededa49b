"""The stand-in Dify is as strict as the real one: keys, paths, bodies, owners, stop, ratings, connections, framing."""

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer, Reply, cut, error_event
from bridge.playground.dify.faults import NAMED
from tests.fakes.ports import free_port

Json = dict[str, object]


class Caller:
    """A client without any cleverness: what comes back is looked at raw."""

    def __init__(self, server: DifyServer, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._session = session

    async def call(
        self, method: str, path: str, body: Json | None = None, *, key: str | None = None, **options: object
    ) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {self._server.api_key if key is None else key}"}
        async with self._session.request(method, self._server.base_url + path, json=body, headers=headers) as response:
            assert response.headers["X-Version"] == self._server.snapshot()["version"]
            return response.status, await response.text()

    async def ask(self, query: str = "hello", **fields: object) -> list[Json]:
        """The events of a streamed answer."""
        status, text = await self.call("POST", "/chat-messages", question(query, **fields))
        assert status == 200, text
        return [json.loads(block.removeprefix("data: ")) for block in text.split("\n\n") if block.startswith("data: ")]


def question(query: str = "hello", **fields: object) -> Json:
    return {"inputs": {}, "query": query, "user": "u-1", "response_mode": "streaming", **fields}


def said(events: list[Json]) -> str:
    return "".join(str(event["answer"]) for event in events if event["event"] in ("message", "agent_message"))


@pytest.fixture
async def server() -> AsyncIterator[DifyServer]:
    server = DifyServer(SystemClock())
    server.first_token = server.per_token = 0
    await server.start(port=free_port())
    yield server
    await server.stop()


@pytest.fixture
async def caller(server: DifyServer) -> AsyncIterator[Caller]:
    async with aiohttp.ClientSession() as session:
        yield Caller(server, session)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("POST", "/chat-messages", {"query": "x", "user": "u"}, 400, "invalid_param"),
        ("POST", "/chat-messages", {"inputs": {}, "user": "u"}, 400, "invalid_param"),
        ("POST", "/chat-messages", {"inputs": {}, "query": "x"}, 400, "invalid_param"),
        ("POST", "/chat-messages", question(""), 400, "invalid_param"),
        ("POST", "/chat-messages", question(response_mode="sse"), 400, "invalid_param"),
        ("POST", "/chat-messages", question(conversation_id="nope"), 400, "invalid_param"),
        ("POST", "/chat-messages", question(conversation_id=str(uuid.UUID(int=7))), 404, "not_found"),
        ("POST", "/chat-messages", question(user="u" * 256), 500, "internal_server_error"),
        ("POST", "/chat-messages/t/stop", {}, 400, "invalid_param"),
        ("POST", "/chat-messages", None, 415, "unsupported_media_type"),
        ("GET", "/chat-messages", None, 405, "method_not_allowed"),
        ("GET", f"/messages?conversation_id={uuid.UUID(int=7)}&user=u-1", None, 404, "not_found"),
        ("POST", f"/messages/{uuid.UUID(int=7)}/feedbacks", {"rating": "like", "user": "u-1"}, 404, "not_found"),
    ],
)
async def test_wrong_calls_are_refused_as_the_real_one_does(
    caller: Caller, method: str, path: str, body: Json | None, status: int, code: str
) -> None:
    got, text = await caller.call(method, path, body)

    assert got == status
    assert json.loads(text)["code"] == code


async def test_a_wrong_key_is_401_and_an_unknown_path_a_web_page(caller: Caller) -> None:
    assert (await caller.call("GET", "/info", key="app-wrong"))[0] == 401
    assert (await caller.call("POST", "/chat-messages", question(), key=""))[0] == 401
    status, text = await caller.call("GET", "/nope", key="app-wrong")
    assert (status, text[:9]) == (404, "<!doctype")
    assert (await caller.call("POST", "/messages/not-a-uuid/feedbacks", {"rating": "like", "user": "u"}))[1].startswith(
        "<!doc"
    )


@pytest.mark.parametrize(("version", "raw"), [("0.15.3", b'"answer": "\\u4e16"'), ("1.12.1", '"answer":"世"'.encode())])
async def test_each_version_spells_json_its_own_way_one_event_per_chunk(version: str, raw: bytes) -> None:
    server = DifyServer(SystemClock(), version=version)
    server.script = lambda query: Reply(tokens=["世", "界"], first_token=0, per_token=0.01)
    await server.start()
    headers = {"Authorization": f"Bearer {server.api_key}"}
    chunks: list[bytes] = []
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.base_url}/chat-messages", json=question(), headers=headers) as response,
    ):
        assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        async for chunk, _ in response.content.iter_chunks():
            chunks.append(chunk)
    await server.stop()

    assert raw in chunks[0]
    assert all(chunk.endswith(b"\n\n") for chunk in chunks if chunk)


@pytest.mark.parametrize(
    ("mode", "order"),
    [
        ("chat", ["message", "message_end"]),
        ("agent-chat", ["agent_thought", "agent_message", "agent_thought", "message_end"]),
        (
            "advanced-chat",
            [
                *("workflow_started", "node_started", "node_finished", "node_started", "message"),
                *("node_finished", "node_started", "node_finished", "workflow_finished", "message_end"),
            ],
        ),
    ],
)
async def test_each_kind_of_app_tells_its_events_in_the_measured_order(mode: str, order: list[str]) -> None:
    server = DifyServer(SystemClock(), mode=mode)
    server.script = lambda query: Reply(tokens=["one"], first_token=0, per_token=0)
    await server.start()
    async with aiohttp.ClientSession() as session:
        events = await Caller(server, session).ask()
    await server.stop()

    assert [event["event"] for event in events] == order
    assert all(event["task_id"] and event["message_id"] and event["conversation_id"] for event in events)


async def test_a_conversation_belongs_to_one_user_and_remembers(server: DifyServer, caller: Caller) -> None:
    first = await caller.ask("my first question")
    conversation = str(first[0]["conversation_id"])

    assert (await caller.call("POST", "/chat-messages", question(conversation_id=conversation, user="u-2")))[0] == 404
    assert "my first question" in said(await caller.ask("and now?", conversation_id=conversation))
    _, text = await caller.call("GET", f"/messages?conversation_id={conversation}&user=u-1")
    assert {item["query"] for item in json.loads(text)["data"]} == {"my first question", "and now?"}
    assert (await caller.call("GET", f"/messages?conversation_id={conversation}&user=u-2"))[0] == 404
    assert len(server.conversations) == 1


async def test_one_rating_per_message_by_its_own_user(server: DifyServer, caller: Caller) -> None:
    message = str((await caller.ask())[0]["message_id"])
    path = f"/messages/{message}/feedbacks"

    assert (await caller.call("POST", path, {"rating": None, "user": "u-1"}))[0] == 400
    assert (await caller.call("POST", path, {"rating": "love", "user": "u-1"}))[0] == 400
    assert (await caller.call("POST", path, {"rating": "like", "user": "u-2"}))[0] == 404
    assert (await caller.call("POST", path, {"rating": "like", "user": "u-1", "content": "Ada"}))[0] == 200
    assert (server.ratings[message].rating, server.ratings[message].content) == ("like", "Ada")
    assert (await caller.call("POST", path, {"rating": "dislike", "user": "u-1"}))[0] == 200
    assert (server.ratings[message].rating, server.ratings[message].content) == ("dislike", "")
    assert (await caller.call("POST", path, {"rating": None, "user": "u-1"}))[0] == 200
    assert server.ratings == {}
    assert [call.status for call in server.rating_log] == [400, 400, 404, 200, 200, 200]


async def test_stop_works_for_the_asker_only_and_keeps_what_was_said(server: DifyServer, caller: Caller) -> None:
    server.script = lambda query: Reply(tokens=["word "] * 500, first_token=0, per_token=0.02)
    asking = asyncio.create_task(caller.ask())
    await server.until(lambda: bool(server.requests and server.requests[0].task_id))
    task = server.requests[0].task_id

    assert (await caller.call("POST", f"/chat-messages/{task}/stop", {"user": "u-2"}))[0] == 200
    done, _ = await asyncio.wait({asking}, timeout=0.2)
    assert not done
    assert (await caller.call("POST", f"/chat-messages/{task}/stop", {"user": "u-1"}))[0] == 200
    events = await asyncio.wait_for(asking, 5)

    assert events[-1]["event"] == "message_end"
    (conversation,) = server.conversations.values()
    assert conversation.messages[0].answer == said(events)
    assert server.requests[0].ended == "stopped"
    assert server.stops == [task, task]


async def test_a_client_that_leaves_loses_the_answer(server: DifyServer, caller: Caller) -> None:
    server.script = lambda query: Reply(tokens=["word "] * 500, first_token=0, per_token=0.02)
    asking = asyncio.create_task(caller.ask())
    await server.request_count(1)
    await server.until(lambda: bool(server.requests[0].task_id))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await server.until(lambda: server.requests[0].ended == "client_closed")

    (conversation,) = server.conversations.values()
    assert (conversation.messages[0].answer, conversation.messages[0].status) == ("", "normal")


async def test_pings_come_while_nothing_else_does(server: DifyServer, caller: Caller) -> None:
    server.ping_every = 0.05
    server.script = lambda query: Reply(tokens=["late"], first_token=0.4)

    _, text = await caller.call("POST", "/chat-messages", question())

    assert text.count("event: ping\n\n") >= 3
    assert '"answer":"late"' in text


async def test_later_requests_wait_until_a_connection_is_free(server: DifyServer, caller: Caller) -> None:
    server.max_connections = 1
    server.script = lambda query: Reply(tokens=["word "] * 500, first_token=0, per_token=0.02)
    first = asyncio.create_task(caller.ask())
    await server.until(lambda: bool(server.requests and server.requests[0].task_id))
    second = asyncio.create_task(caller.call("GET", "/info"))
    done, _ = await asyncio.wait({second}, timeout=0.3)
    assert not done

    server.max_connections = 2
    assert (await asyncio.wait_for(second, 5))[0] == 200
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)


@pytest.mark.parametrize("word", ["help", "markdown", "code", "table", "long", "huge", "think", "mention", "empty"])
async def test_every_word_of_the_help_has_its_answer(server: DifyServer, caller: Caller, word: str) -> None:
    server.first_token = server.per_token = 0
    text = said(await caller.ask(f"please show me {word}!"))

    expected = {
        "code": "```python",
        "table": "|---",
        "markdown": "# A heading",
        "think": "<think>",
        "mention": "@everyone",
    }
    assert expected.get(word, "") in text
    assert len(text) > {"long": 6000, "huge": 30000}.get(word, -1)


async def test_the_failures_of_the_help_fail(server: DifyServer, caller: Caller) -> None:
    assert (await caller.call("POST", "/chat-messages", question("busy")))[0] == 400
    assert (await caller.call("POST", "/chat-messages", question("down")))[0] == 503
    server.per_token = 0
    assert (await caller.ask("error"))[-1]["event"] == "error"
    with pytest.raises(aiohttp.ClientPayloadError):
        await caller.ask("cut")
    assert [request.ended for request in server.requests] == ["refused", "refused", "error", "cut"]
    assert len(server.conversations) == 2


async def test_faults_come_in_order_and_then_all_is_well(server: DifyServer, caller: Caller) -> None:
    server.faults.fail_next += [
        NAMED["429_retry_after"](),
        NAMED["conversation_missing"](),
        error_event(at=1),
        cut(at=0),
    ]

    assert (await caller.call("POST", "/chat-messages", question()))[0] == 429
    assert (await caller.call("POST", "/chat-messages", question()))[0] == 404
    assert [event["event"] for event in await caller.ask()][-1] == "error"
    with pytest.raises(aiohttp.ClientError):
        await caller.ask()
    assert (await caller.ask())[-1]["event"] == "message_end"


async def test_feedback_and_stop_can_be_refused_for_a_while(server: DifyServer, caller: Caller) -> None:
    message = str((await caller.ask())[0]["message_id"])
    server.faults.refuse_feedback = server.faults.refuse_stop = 1

    statuses = [
        (await caller.call("POST", f"/messages/{message}/feedbacks", {"rating": "like", "user": "u-1"}))[0]
        for _ in range(2)
    ]
    assert statuses == [503, 200]
    assert [(await caller.call("POST", "/chat-messages/t/stop", {"user": "u"}))[0] for _ in range(2)] == [503, 200]


async def test_a_missing_end_a_bare_error_and_slow_headers(server: DifyServer, caller: Caller) -> None:
    server.set_faults({"next": ["no_message_end"]})
    assert all(event["event"] == "message" for event in await caller.ask())
    server.set_faults({"next": ["bare_error"]})
    async with asyncio.timeout(5):
        asking = asyncio.create_task(caller.ask())
        await server.until(lambda: server.requests[-1].ended == "error")
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)


async def test_a_blocking_answer_comes_in_one_piece(caller: Caller) -> None:
    status, text = await caller.call("POST", "/chat-messages", question("hello", response_mode="blocking"))

    reply = json.loads(text)
    assert (status, reply["event"]) == (200, "message")
    assert "hello" in reply["answer"]


async def test_whoever_watches_is_told_and_sees_requests_and_ratings(server: DifyServer, caller: Caller) -> None:
    changes: list[int] = []
    server.on_change(lambda: changes.append(1))
    message = str((await caller.ask("watch me"))[0]["message_id"])
    await caller.call("POST", f"/messages/{message}/feedbacks", {"rating": "like", "user": "u-1"})

    shown = json.loads(json.dumps(server.snapshot()))
    assert changes
    assert shown["ratings"][message]["rating"] == "like"
    assert shown["requests"][0]["query"] == "watch me"


async def test_it_starts_again_with_everything_it_remembers(server: DifyServer, caller: Caller) -> None:
    conversation = str((await caller.ask())[0]["conversation_id"])
    port = int(server.base_url.removesuffix("/v1").rsplit(":", 1)[1])
    await server.stop()
    await server.start(port=port)

    assert said(await caller.ask("again", conversation_id=conversation))


async def test_as_a_process_it_names_itself_and_is_controlled_from_outside() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bridge.playground.dify", "--first-token", "0", "--per-token", "0", "--tokens", "7"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        own = json.loads(await asyncio.wait_for(process.stdout.readline(), 20))
        control = own["base_url"].removesuffix("/v1") + "/control"
        headers = {"Authorization": f"Bearer {own['api_key']}"}
        async with aiohttp.ClientSession() as session:
            async with session.post(f"{own['base_url']}/chat-messages", json=question(), headers=headers) as response:
                assert (await response.text()).count('"event":"message",') == 7
            async with session.get(f"{control}/requests") as response:
                assert [request["query"] for request in await response.json()] == ["hello"]
            async with session.post(f"{control}/faults", json={"next": ["html_503"]}) as response:
                assert (await response.json())["waiting"] == 1
            async with session.post(f"{control}/faults", json={"next": ["nonsense"]}) as response:
                assert response.status == 400
            async with session.post(f"{own['base_url']}/chat-messages", json=question(), headers=headers) as response:
                assert response.status == 503
            async with session.get(f"{control}/ratings") as response:
                assert await response.json() == {"ratings": {}, "log": []}
    finally:
        process.terminate()
        code = await asyncio.wait_for(process.wait(), 10)
    assert code == 0
