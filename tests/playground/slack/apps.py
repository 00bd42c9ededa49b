"""A real bolt app of which a test says what it does, reached by Socket Mode or by signed HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Literal

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp

from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject
from tests.playground.slack.peers import web_client
from tests.playground.slack.test_callbacks import listening

Way = Literal["socket", "http"]
WAYS: tuple[Way, ...] = ("socket", "http")


@asynccontextmanager
async def reached(server: SlackServer, way: Way, equip: Callable[[AsyncApp], None]) -> AsyncIterator[AsyncApp]:
    """`equip` gives the app its listeners. Events and acts reach it until the end of the block."""
    app = AsyncApp(client=web_client(server), signing_secret=server.signing_secret)
    equip(app)
    async with _on_sockets(server, app) if way == "socket" else _on_http(server, app):
        yield app


@asynccontextmanager
async def _on_sockets(server: SlackServer, app: AsyncApp) -> AsyncIterator[None]:
    handler = AsyncSocketModeHandler(app, app_token=server.app_token, ping_interval=0.2)
    await handler.connect_async()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]
        client = handler.client
        tasks = [
            task for task in (client.message_processor, client.current_session_monitor, client.message_receiver) if task
        ]
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _on_http(server: SlackServer, app: AsyncApp) -> AsyncIterator[None]:
    async def answer(request: web.Request) -> web.StreamResponse:
        return await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))

    async with listening(answer) as url:
        server.events_url = url
        yield
        server.events_url = None


def modal(*blocks: JsonObject, **changes: object) -> JsonObject:
    """A modal with one field "why" in block "reason", or with these blocks."""
    field: JsonObject = {
        "type": "input",
        "block_id": "reason",
        "label": {"type": "plain_text", "text": "Why?"},
        "element": {"type": "plain_text_input", "action_id": "why", "multiline": True, "max_length": 20},
    }
    return {
        "type": "modal",
        "callback_id": "explain",
        "private_metadata": "C0GENERAL/1.2",
        "title": {"type": "plain_text", "text": "Feedback"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": [*blocks] or [field],
        **changes,
    }
