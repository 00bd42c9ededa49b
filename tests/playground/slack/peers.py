"""Clients of the stand-in: the real SDK, a bolt app on Socket Mode, and a bare socket that acknowledges what it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType
from slack_bolt import BoltResponse
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject

SOON = 3.0
MENTION = "<@U0BRIDGE>"


def web_client(server: SlackServer, token: str | None = None) -> AsyncWebClient:
    return AsyncWebClient(token=token or server.bot_token, base_url=server.api_url, retry_handlers=[], timeout=5)


async def error_of(call: object) -> str:
    """Slack's word for why the call was refused; empty when it was not."""
    try:
        await call  # type: ignore[misc]
    except SlackApiError as e:
        return str(e.response["error"])
    return ""


class Heard:
    """What a peer received, and a way to wait for it."""

    def __init__(self) -> None:
        self.bodies: list[JsonObject] = []
        self.retries: list[str] = []
        self._news = asyncio.Event()

    def add(self, body: JsonObject, retry: str) -> None:
        self.bodies.append(body)
        self.retries.append(retry)
        self._news.set()

    @property
    def events(self) -> list[JsonObject]:
        return [cast("JsonObject", body["event"]) for body in self.bodies]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            while not condition():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def bolt_on_sockets(server: SlackServer, *, answer: int = 200) -> AsyncIterator[Heard]:
    """A real bolt app. `answer` other than 200 makes bolt leave its envelopes unacknowledged."""
    heard = Heard()

    async def take(req: AsyncBoltRequest) -> BoltResponse:
        heard.add(dict(req.body), req.headers.get("x-slack-retry-num", [""])[0])
        return BoltResponse(status=answer)

    app = AsyncApp(client=web_client(server), before_authorize=take)
    handler = AsyncSocketModeHandler(app, app_token=server.app_token, ping_interval=0.2)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        yield heard
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]
        client = handler.client
        tasks = [
            task for task in (client.message_processor, client.current_session_monitor, client.message_receiver) if task
        ]
        await asyncio.gather(*tasks, return_exceptions=True)


class BareSocket:
    """One Socket Mode connection that acknowledges only when told to."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket

    async def receive(self) -> JsonObject:
        async with asyncio.timeout(SOON):
            return cast("JsonObject", json.loads((await self.socket.receive()).data))

    async def ack(self, envelope: JsonObject) -> None:
        await self.socket.send_str(json.dumps({"envelope_id": envelope["envelope_id"]}))

    async def closed(self) -> bool:
        async with asyncio.timeout(SOON):
            return (await self.socket.receive()).type in (WSMsgType.CLOSE, WSMsgType.CLOSED, WSMsgType.CLOSING)


@asynccontextmanager
async def bare_socket(server: SlackServer, *, hello: bool = True) -> AsyncIterator[BareSocket]:
    opened = await web_client(server).apps_connections_open(app_token=server.app_token)
    async with ClientSession() as session, session.ws_connect(opened["url"]) as socket:
        peer = BareSocket(socket)
        if hello:
            assert (await peer.receive())["type"] == "hello"
        yield peer
