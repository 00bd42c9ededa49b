"""The HTTP route that Slack posts to. Anybody can: what is not Slack's is turned away by status alone, and cheaply."""

import asyncio
from collections.abc import Mapping
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.signature import SignatureVerifier

from adapters.slack.hearing.doorstep import MALFORMED, Doorstep
from bridge import logs

log = logs.get("slack")

BODY_LIMIT = 1_000_000
"""Bytes of one HTTP delivery. Slack names no limit; its events stay far below this (a message has at most 40,000 characters)."""

BODY_WITHIN = 3.0
"""Seconds for a body to arrive. Slack itself waits no longer than that for the whole answer."""

MOST_FIELDS = 100
"""Of a form. Slack's slash commands have about fifteen, its interactions one."""

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
"""Events are JSON; interactions and commands are forms (Slack's pages on the Events API, interactivity and slash commands)."""


class HttpEntrance:
    """One route for events, interactions and commands. An exact replay within Slack's five minutes is let in: the claims in the
    store recognise it."""

    def __init__(self, doorstep: Doorstep, signing_secret: str, *, body_within: float = BODY_WITHIN) -> None:
        self._app = doorstep.app
        self._verifier = SignatureVerifier(signing_secret)
        self._body_within = body_within

    async def receive(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) > BODY_LIMIT:
            return web.Response(status=413)
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            # Slack compresses nothing, and a few bytes may unpack to more than there is memory.
            return await _hang_up(request, 415)
        try:
            async with asyncio.timeout(self._body_within):
                body = await request.read()
        except TimeoutError:
            return await _hang_up(request, 408)
        except (web.RequestPayloadError, aiohttp.ClientError, ConnectionError):
            return web.Response(status=400)
        if len(body) > BODY_LIMIT:
            return web.Response(status=413)
        if not self._signed(body, request.headers):
            log.warning("bad_signature", peer=request.remote)
            return web.Response(status=401)
        if request.content_type not in {JSON, FORM}:
            return web.Response(status=415)
        if not body.strip():
            return web.Response(status=400)
        try:
            delivery = _read(body.decode(), request)
        except MALFORMED:
            return web.Response(status=400)
        return await to_aiohttp_response(await self._app.async_dispatch(delivery))

    def _signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Slack's signature, at most five minutes old (slack_sdk's verifier), without its exceptions on odd headers."""
        timestamp = headers.get("X-Slack-Request-Timestamp", "")
        signature = headers.get("X-Slack-Signature", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and signature.isascii()):
            return False
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except UnicodeDecodeError:
            return False


def _read(body: str, request: web.Request) -> AsyncBoltRequest:
    """Raises one of `MALFORMED`."""
    form: dict[str, object] = {}
    if request.content_type == FORM:
        form.update(parse_qsl(body, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    delivery = AsyncBoltRequest(body=body, query=request.query_string, headers=dict(request.headers.items()))
    if form and "payload" not in form:
        # Bolt looks for the word "payload" anywhere in a form, and loses a command whose text has it.
        delivery.body = form
    return delivery


async def _hang_up(request: web.Request, status: int) -> web.Response:
    """Answers and closes at once: what is still to come is not even read (aiohttp would read on for ten seconds)."""
    response = web.Response(status=status)
    response.force_close()
    await response.prepare(request)
    await response.write_eof()
    request.protocol.force_close()
    return response
