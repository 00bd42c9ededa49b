"""The control API, in this process and in one of its own."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from typing import cast

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject
from tests.playground.slack.peers import SOON, bolt_on_sockets, error_of


class Control:
    def __init__(self, url: str, session: ClientSession) -> None:
        self._url, self._session = url, session

    async def get(self, what: str, **query: str) -> JsonObject:
        async with self._session.get(self._url + what, params=query) as response:
            return cast("JsonObject", await response.json())

    async def post(self, what: str, status: int = 200, **body: object) -> JsonObject:
        async with self._session.post(self._url + what, json=body) as response:
            assert response.status == status
            return cast("JsonObject", await response.json())


@pytest.fixture
async def control(server: SlackServer) -> AsyncIterator[Control]:
    async with ClientSession() as session:
        yield Control(server.api_url.replace("/api/", "/control/"), session)


async def test_people_post_and_react_and_the_snapshot_shows_it(
    server: SlackServer, client: AsyncWebClient, control: Control
) -> None:
    ts = str((await control.post("post", user="U0ADA", channel="C0GENERAL", text="a & b"))["ts"])
    await client.chat_postMessage(channel="C0GENERAL", thread_ts=ts, text="answer")
    await client.assistant_threads_setStatus(channel_id="C0GENERAL", thread_ts=ts, status="is thinking...")
    await control.post("react", user="U0ADA", channel="C0GENERAL", ts=ts, emoji="eyes")
    await control.post("react", user="U0GRACE", channel="C0GENERAL", ts=ts, emoji="+1")
    await control.post("react", user="U0GRACE", channel="C0GENERAL", ts=ts, emoji="+1", added=False)
    shown = await control.get("snapshot")
    assert shown == json.loads(json.dumps(server.snapshot()))
    general = shown["channels"][0]  # type: ignore[index]
    [message] = general["messages"]
    assert (message["name"], message["text"], message["status"]) == ("Ada", "a & b", "is thinking...")
    assert message["reactions"] == [{"emoji": "eyes", "users": ["U0ADA"]}]
    assert [(reply["is_bot"], reply["text"]) for reply in message["replies"]] == [(True, "answer")]


async def test_people_edit_press_and_delete(server: SlackServer, client: AsyncWebClient, control: Control) -> None:
    server.retry_schedule = ()
    ts = str((await control.post("post", user="U0ADA", channel="C0GENERAL", text="a"))["ts"])
    button = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "A"}}
    blocks = [{"type": "actions", "elements": [button]}]
    answer = (await client.chat_postMessage(channel="C0GENERAL", text="b", blocks=blocks))["ts"]
    await control.post("edit", user="U0ADA", channel="C0GENERAL", ts=ts, text="c")
    assert server.message("C0GENERAL", ts).text == "c"
    await control.post("press", user="U0GRACE", channel="C0GENERAL", ts=answer, action_id="a")
    await server.idle(SOON)
    [press] = cast("list[JsonObject]", (await control.get("deliveries"))["presses"])
    assert (press["person"], press["action_id"], press["outcome"]) == ("U0GRACE", "a", "failed")
    await control.post("delete", user="U0ADA", channel="C0GENERAL", ts=ts)
    assert [message.ts for message in server.messages("C0GENERAL")] == [answer]
    assert "no button" in str(
        await control.post("press", 400, user="U0ADA", channel="C0GENERAL", ts=answer, action_id="b")
    )


async def test_a_channel_can_be_added_and_is_open_to_everybody_and_the_bot(
    client: AsyncWebClient, control: Control
) -> None:
    one, other = [str((await control.post("channel", name=name))["id"]) for name in ("one", "other")]
    assert one != other
    await control.post("post", user="U0GRACE", channel=one, text="hello")
    assert (await client.chat_postMessage(channel=one, text="hello too"))["ok"]


async def test_growth_of_a_thread_can_be_read(server: SlackServer, client: AsyncWebClient, control: Control) -> None:
    ts = await server.post_as("U0ADA", "C0GENERAL", "q")
    answer = (await client.chat_postMessage(channel="C0GENERAL", thread_ts=ts, text="a"))["ts"]
    await client.chat_update(channel="C0GENERAL", ts=answer, text="ab")
    grown = await control.get("growth", channel="C0GENERAL", ts=ts)
    [reply] = cast("list[JsonObject]", grown["replies"])
    assert [text for _, text in cast("list[tuple[float, str]]", reply["history"])] == ["a", "ab"]
    calls = await control.get("calls", after="1")
    assert [call["method"] for call in cast("list[JsonObject]", calls["calls"])] == ["chat.update"]
    assert (calls["total"], calls["rejected"], calls["pings"]) == (2, 0, [])


async def test_faults_are_switched_and_unknown_ones_refused(
    server: SlackServer, client: AsyncWebClient, control: Control
) -> None:
    fail = {"auth.test": [{"kind": "refuse", "code": "account_inactive"}]}
    state = await control.post(
        "faults", fail_next=fail, latency=0.01, retry_schedule=[1, 2], rate_limits={"users.info": 0}
    )
    assert (state["latency"], state["retry_schedule"]) == (0.01, [1, 2])
    assert await error_of(client.auth_test()) == "account_inactive"
    assert await error_of(client.users_info(user="U0ADA")) == "ratelimited"
    assert server.faults.duplicate_events is False
    assert "no_such_switch" in str(await control.post("faults", 400, no_such_switch=True))
    assert "U0NOBODY" in str(await control.post("post", 400, user="U0NOBODY", channel="C0GENERAL", text="x"))


async def test_connections_are_cut_and_renewed_on_request(server: SlackServer, control: Control) -> None:
    async with bolt_on_sockets(server) as heard:
        await control.post("faults", disconnect_sockets="refresh_requested")
        await control.post("faults", cut_sockets=True)
        server.retry_schedule = (0.3, 1.0)
        await control.post("post", user="U0ADA", channel="C0GENERAL", text="x")
        await heard.until(lambda: len(heard.bodies) == 1)
        await server.idle(SOON)
    delivered = await control.get("deliveries")
    assert delivered["deliveries"][0]["outcome"] == "acked"  # type: ignore[index]


@pytest.mark.process
async def test_the_stand_in_runs_in_a_process_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bridge.playground.slack", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            hello = json.loads(await process.stdout.readline())
        client = AsyncWebClient(token=hello["bot_token"], base_url=hello["api_url"], retry_handlers=[])
        await client.chat_postMessage(channel="C0GENERAL", text="hi")
        async with ClientSession() as session:
            calls = await Control(hello["control_url"], session).get("calls")
        assert calls["total"] == 1
    finally:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0


async def test_a_workspace_loses_features_and_gets_them_back(
    server: SlackServer, client: AsyncWebClient, control: Control
) -> None:
    root = await server.post_as("U0ADA", "D0ADA", "hi")

    async def stream() -> str:
        return await error_of(client.chat_startStream(channel="D0ADA", thread_ts=root))

    set_to = await control.post("features", lacks={"streaming": "unknown_method"}, stream_seconds=10)
    assert (set_to["lacks"], set_to["stream_seconds"]) == ({"streaming": "unknown_method"}, 10)
    assert await stream() == "unknown_method"
    await control.post("features", lacks={}, streamless={"D0ADA": "channel_type_not_supported"})
    assert await stream() == "channel_type_not_supported"
    assert (await control.post("features", streamless={}))["stream_seconds"] == 10
    assert await stream() == ""
    await control.post("features", status=400, lacks={"teleport": "unknown_method"})
