"""Buttons: how a press reaches a real bolt app over both transports, and what it is when nobody takes it."""

import asyncio
import re
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from slack_bolt import BoltResponse
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bridge.clock import SystemClock
from bridge.playground.slack import Press, SlackServer
from bridge.playground.slack.model import JsonObject
from tests.playground.slack.peers import SOON, bare_socket, bolt_on_sockets, web_client
from tests.playground.slack.test_callbacks import listening

BUTTON: JsonObject = {
    "type": "button",
    "action_id": "bridge:stop",
    "text": {"type": "plain_text", "text": "Stop", "emoji": True},
    "value": "stop",
}


@pytest.fixture(autouse=True)
def no_retries(server: SlackServer) -> None:
    server.retry_schedule = ()


async def post_with_button(
    server: SlackServer, client: AsyncWebClient, channel: str = "C0GENERAL", thread_ts: str | None = None
) -> str:
    blocks: list[JsonObject] = [{"type": "markdown", "text": "an answer"}, {"type": "actions", "elements": [BUTTON]}]
    posted = await client.chat_postMessage(channel=channel, text="an answer", blocks=blocks, thread_ts=thread_ts)
    await server.idle(SOON)  # what was written is told to nobody, since nobody listens yet
    return str(posted["ts"])


def only_action(payload: JsonObject) -> JsonObject:
    actions = payload["actions"]
    assert isinstance(actions, list)
    [action] = actions
    assert isinstance(action, dict)
    return dict(action)


async def test_a_press_over_a_socket_is_an_interactive_envelope(server: SlackServer, client: AsyncWebClient) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "q")
    ts = await post_with_button(server, client, thread_ts=root)
    async with bolt_on_sockets(server) as heard:
        press = await server.press("U0GRACE", "C0GENERAL", ts, "bridge:stop")
        await server.idle(SOON)
    (body,) = heard.bodies
    assert press.outcome == "acked"
    assert body == press.payload
    action = only_action(body)
    assert re.fullmatch(r"\d+\.\d{6}", str(action.pop("action_ts")))
    assert action == {**BUTTON, "block_id": "b1"}
    assert body["container"] == {
        "type": "message",
        "message_ts": ts,
        "channel_id": "C0GENERAL",
        "is_ephemeral": False,
        "thread_ts": root,
    }
    assert (body["type"], body["user"]["id"], body["team"]["id"]) == ("block_actions", "U0GRACE", server.team_id)  # type: ignore[index]
    assert body["channel"] == {"id": "C0GENERAL", "name": "general"}
    assert body["message"]["ts"] == ts  # type: ignore[index]
    assert {"trigger_id", "response_url", "state", "api_app_id"} <= set(body)
    assert "event_id" not in body


async def test_the_envelope_of_a_press_says_that_it_is_interactive_and_has_no_retries(
    server: SlackServer, client: AsyncWebClient
) -> None:
    ts = await post_with_button(server, client)
    async with bare_socket(server) as socket:
        await server.press("U0ADA", "C0GENERAL", ts, "bridge:stop")
        envelope = await socket.receive()
        assert (envelope["type"], "retry_attempt" in envelope) == ("interactive", False)
        await socket.ack(envelope)
        await server.idle(SOON)


async def test_a_press_that_nobody_acknowledges_has_failed_and_is_not_repeated(
    server: SlackServer, client: AsyncWebClient
) -> None:
    ts = await post_with_button(server, client)
    changes: list[str] = []
    async with bare_socket(server) as socket:
        press = await server.press("U0ADA", "C0GENERAL", ts, "bridge:stop")
        server.on_change(lambda: changes.append(press.outcome))
        await socket.receive()
        await server.idle(SOON)
        assert (press.outcome, changes) == ("failed", ["failed"])
        again = await server.press("U0ADA", "C0GENERAL", ts, "bridge:stop")
        assert (await socket.receive())["payload"] == again.payload
        assert again.payload["actions"] != press.payload["actions"]


async def test_a_press_with_nobody_connected_has_failed(server: SlackServer, client: AsyncWebClient) -> None:
    ts = await post_with_button(server, client)
    press = await server.press("U0ADA", "C0GENERAL", ts, "bridge:stop")
    await server.idle(SOON)
    assert press.outcome == "failed"


@pytest.mark.parametrize("status", [200, 503])
async def test_over_http_a_press_is_a_signed_form_that_bolt_dispatches_to_its_action(
    server: SlackServer, client: AsyncWebClient, status: int
) -> None:
    pressed: list[object] = []
    app = AsyncApp(client=web_client(server), signing_secret=server.signing_secret)

    async def stop(ack: AsyncAck, body: dict[str, object]) -> None:
        pressed.append(body["type"])
        await ack()

    app.action("bridge:stop")(stop)
    kinds: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        kinds.append(request.content_type)
        if status != 200:
            return web.Response(status=status)
        response: BoltResponse = await app.async_dispatch(await to_bolt_request(request))
        return await to_aiohttp_response(response)

    ts = await post_with_button(server, client, "D0ADA")
    async with listening(answer) as url:
        server.events_url = url
        press = await server.press("U0ADA", "D0ADA", ts, "bridge:stop")
        await server.idle(SOON)
    assert kinds == ["application/x-www-form-urlencoded"]
    assert press.outcome == ("acked" if status == 200 else "failed")
    assert pressed == (["block_actions"] if status == 200 else [])
    assert press.payload["channel"] == {"id": "D0ADA", "name": "directmessage"}


async def test_an_app_has_three_seconds_for_a_press(server: SlackServer, client: AsyncWebClient) -> None:
    ts = await post_with_button(server, client)
    held = asyncio.Event()

    async def answer(_: web.Request) -> web.StreamResponse:
        await held.wait()
        return web.Response()

    server.ack_timeout = 0.1
    before = SystemClock().monotonic()
    async with listening(answer) as url:
        server.events_url = url
        press = await server.press("U0ADA", "C0GENERAL", ts, "bridge:stop")
        await server.idle(SOON)
        held.set()
    assert press.outcome == "failed"
    assert press.settled_at is not None
    assert press.settled_at - before >= 0.1


async def test_only_a_button_that_stands_there_can_be_pressed_by_who_sees_it(
    server: SlackServer, client: AsyncWebClient
) -> None:
    ts = await post_with_button(server, client)
    direct = await post_with_button(server, client, "D0ADA")
    attempts: list[Callable[[], Awaitable[Press]]] = [
        lambda: server.press("U0ADA", "C0GENERAL", ts, "bridge:retry"),
        lambda: server.press("U0GRACE", "D0ADA", direct, "bridge:stop"),
        lambda: server.press("U0ADA", "C0GENERAL", "1.000000", "bridge:stop"),
    ]
    for attempt in attempts:
        with pytest.raises(ValueError, match=r"."):
            await attempt()
    await client.chat_update(channel="C0GENERAL", ts=ts, text="b", blocks=[{"type": "markdown", "text": "b"}])
    with pytest.raises(ValueError, match="no button"):
        await server.press("U0ADA", "C0GENERAL", ts, "bridge:stop")
    assert server.presses == []


async def test_an_id_that_the_app_left_out_is_made_up(server: SlackServer, client: AsyncWebClient) -> None:
    nameless = {"type": "button", "text": {"type": "plain_text", "text": "x"}}
    blocks = [{"type": "actions", "block_id": "row", "elements": [nameless]}]
    ts = (await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks))["ts"]
    press = await server.press("U0ADA", "C0GENERAL", ts, "made-up-0-0")
    action = only_action(press.payload)
    assert (action["block_id"], action["action_id"]) == ("row", "made-up-0-0")


async def test_what_is_chosen_in_a_menu_below_a_message_is_told_with_its_option(
    server: SlackServer, client: AsyncWebClient
) -> None:
    options = [{"text": {"type": "plain_text", "text": name.upper()}, "value": name} for name in ("a", "b")]
    menu: JsonObject = {"type": "static_select", "action_id": "which", "options": options}
    blocks: list[JsonObject] = [{"type": "actions", "block_id": "row", "elements": [menu]}]
    posted = await client.chat_postMessage(channel="C0GENERAL", text="which?", blocks=blocks)
    async with bolt_on_sockets(server) as heard:
        await server.press("U0GRACE", "C0GENERAL", str(posted["ts"]), "which", "b")
        await server.idle(SOON)
    action = only_action(heard.bodies[-1])
    action.pop("action_ts")
    assert action == {
        "type": "static_select",
        "action_id": "which",
        "block_id": "row",
        "selected_option": options[1],
    }
    for value in ("c", None):
        with pytest.raises(ValueError, match="no button"):
            await server.press("U0GRACE", "C0GENERAL", str(posted["ts"]), "which", value)
