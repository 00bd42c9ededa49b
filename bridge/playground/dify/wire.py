"""How the stand-in Dify spells things: JSON dialects per version, error bodies, headers, and one event per chunk."""

import asyncio
import json
import re
from collections.abc import Mapping

from aiohttp import web

from bridge.clock import Clock

Json = dict[str, object]

NOT_FOUND_PAGE = (
    "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>The requested URL was not found on "
    "the server. If you entered the URL manually please check your spelling and try again.</p>\n"
)


class Refused(Exception):
    """Ends a request with an error body."""

    def __init__(self, response: web.Response, words: str = "") -> None:
        super().__init__(response.status)
        self.response = response
        self.words = words
        self.relayed = False
        """It is told in the stream instead."""

    def in_stream(self, *, relayed: bool, words: str | None = None) -> "Refused":
        self.relayed = relayed
        self.words = self.words if words is None else words
        return self


class Dialect:
    """1.x writes compact JSON with raw UTF-8 in streams and escapes slashes elsewhere; 0.x writes spaces and `\\uXXXX`."""

    def __init__(self, version: str) -> None:
        self.version = version
        self.is_old = version.startswith("0.")
        numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
        self.relays = numbers >= (1, 13)
        """Chatflows and workflows run elsewhere, and what they say is passed on: what is wrong with a question is told in the
        stream, and a run goes on to its end whoever listens (from the source)."""
        self.ends_with_run = numbers >= (1, 14)
        """A chatflow's `workflow_finished` comes after its `message_end`; with the first relays the latter was lost."""
        self.names_version = True
        """Every Dify does, on everything that it says; servers that only speak like it do not."""

    def event(self, event: Json) -> bytes:
        text = json.dumps(event) if self.is_old else json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        return b"data: " + text.encode() + b"\n\n"

    def reply(self, body: Mapping[str, object], status: int = 200) -> web.Response:
        text = json.dumps(body) if self.is_old else json.dumps(body, separators=(",", ":")).replace("/", "\\/")
        return web.Response(text=text + "\n", status=status, content_type="application/json")

    def refuse(self, status: int, code: str, message: str) -> Refused:
        return Refused(self.reply({"code": code, "message": message, "status": status}, status), message)

    def refuse_param(self, message: str) -> Refused:
        return self.refuse(400, "invalid_param", message)

    def headers(self) -> dict[str, str]:
        if not self.names_version:
            return {}
        return {"X-Version": self.version, "X-Env": "PRODUCTION", "Access-Control-Allow-Origin": "*"}


def not_found_page() -> web.Response:
    return web.Response(text=NOT_FOUND_PAGE, status=404, content_type="text/html")


def lacking(status: int) -> web.Response:
    """As a server in another framework says that it has no such call."""
    words = {404: "Not Found", 405: "Method Not Allowed"}[status]
    return web.json_response({"detail": words}, status=status)


class EventStream:
    """One streamed response. Headers go out with the first event or ping, as gunicorn does it, never earlier."""

    def __init__(self, request: web.Request, dialect: Dialect, clock: Clock, ping_every: float) -> None:
        self._request = request
        self._dialect = dialect
        self._clock = clock
        self._ping_every = ping_every
        self._next_ping = clock.monotonic() + ping_every
        self.response = web.StreamResponse(
            headers=dialect.headers() | {"Content-Type": "text/event-stream; charset=utf-8"}
        )

    async def send(self, event: Json) -> None:
        await self._write(self._dialect.event(event))

    async def send_ping(self) -> None:
        await self._write(b"event: ping\n\n")

    async def send_headers(self) -> None:
        if not self.response.prepared:
            await self.response.prepare(self._request)

    async def pause_until(self, moment: float, stop: asyncio.Event) -> bool:
        """Waits until `moment` (monotonic), pinging meanwhile. True when `stop` was set."""
        # A stream without pauses would otherwise never let the stop call in.
        await asyncio.sleep(0)
        while not stop.is_set():
            now = self._clock.monotonic()
            if now >= self._next_ping:
                self._next_ping += self._ping_every
                await self._write(b"event: ping\n\n")
                continue
            if now >= moment:
                return False
            await self._clock.wait(stop, min(moment, self._next_ping) - now)
        return True

    async def stay_silent_until(self, moment: float) -> None:
        """Waits until `moment` (monotonic) without headers and pings."""
        await self._clock.sleep(max(0.0, moment - self._clock.monotonic()))

    def cut(self) -> None:
        """Breaks the connection without the end of the chunked body."""
        transport = self._request.transport
        if transport is not None:
            transport.close()

    async def _write(self, raw: bytes) -> None:
        await self.send_headers()
        await self.response.write(raw)
