"""Plays recorded exchanges of real Dify servers again, over a real socket, and keeps the recordings' format to itself."""

import asyncio
import gzip
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

RECORDINGS = Path(__file__).parent / "recordings"

_INSIDE_CHARACTER = re.compile(rb"(?<=[\x80-\xff])[\x80-\xbf]")

_KINDS = {"/v1/chat-messages": "chat", "/v1/completion-messages": "completion", "/v1/workflows/run": "workflow"}

SPEED = 20
"""Times and time limits are divided by this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    at: float
    """Seconds after the request, as recorded."""
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One recorded question."""

    version: str
    kind: str
    """Of the call that it was: "chat" (of every app with conversations), "completion" or "workflow"."""
    scenario: str
    label: str
    number: int
    query: str
    user: str
    conversation: str
    status: int
    headers: dict[str, str]
    headers_at: float
    chunks: tuple[Chunk, ...]
    broken: bool
    """The recording ends without the end of the chunked body (a dead server, or a client that left)."""

    @property
    def name(self) -> str:
        return f"{self.version}/{self.scenario}[{self.number}] {self.label}".strip()

    @property
    def body(self) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks)

    @property
    def is_stream(self) -> bool:
        return self.status == 200 and "event-stream" in self.headers["Content-Type"]


def load(version: str) -> list[Exchange]:
    found: list[Exchange] = []
    for path in sorted((RECORDINGS / version).iterdir()):
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        scenario = path.name.split(".", 1)[0]
        for number, line in enumerate(raw.splitlines()):
            found.append(_read(json.loads(line), version, scenario, number))
    return found


def _read(line: dict[str, object], version: str, scenario: str, number: int) -> Exchange:
    request, headers, chunks = line["request"], line["headers"], line["chunks"]
    assert isinstance(request, dict)
    assert isinstance(headers, dict)
    assert isinstance(chunks, list)
    status = line["status"]
    assert isinstance(status, int)
    return Exchange(
        version=version,
        kind=_KINDS[str(line.get("path", "/v1/chat-messages"))],
        scenario=scenario,
        label=str(line["label"]),
        number=number,
        query=str(request["query"] or "?"),
        user=str(request["user"] or "somebody"),
        conversation=str(request["conversation_id"] or ""),
        status=status,
        headers=headers,
        headers_at=float(str(line["headers_ms"] or 0)) / 1000,
        chunks=tuple(Chunk(at=at / 1000, data=text.encode()) for at, text in chunks),
        broken=line["end"] != "eof",
    )


Cutter = Callable[[Exchange], Sequence[Chunk]]


def as_recorded(exchange: Exchange) -> Sequence[Chunk]:
    return exchange.chunks


def cut_at_random(exchange: Exchange) -> Sequence[Chunk]:
    """The same bytes in other pieces: events joined, halved, and cut inside characters. A piece comes when its last byte did."""
    dice = random.Random(exchange.name)
    pieces: list[Chunk] = []
    rest, at = b"", 0.0
    for chunk in exchange.chunks:
        rest, at = rest + chunk.data, chunk.at
        while rest and dice.random() < 0.8:
            size = dice.randint(1, min(len(rest), dice.choice((3, 40, 400, 4000))))
            inside = _INSIDE_CHARACTER.search(rest)
            if inside is not None and dice.random() < 0.5:
                size = inside.start()
            pieces.append(Chunk(at=at, data=rest[:size]))
            rest = rest[size:]
    if rest:
        pieces.append(Chunk(at=at, data=rest))
    return pieces


FORMS: dict[str, dict[str, object]] = {
    "workflow": {"variable": "text", "label": "Text", "required": True, "type": "paragraph"},
    "completion": {"variable": "query", "label": "Query", "required": True, "default": ""},
}


class ReplayServer:
    """Answers the question whose text is an exchange's name with that exchange. The key of a kind of app is `app-<kind>`."""

    def __init__(self, exchanges: Sequence[Exchange], cutter: Cutter) -> None:
        self._exchanges = {exchange.name: exchange for exchange in exchanges}
        self._cutter = cutter
        self._runner: web.AppRunner | None = None
        self.base_url = ""

    async def __aenter__(self) -> "ReplayServer":
        app = web.Application()
        for path in _KINDS:
            app.router.add_post(path, self._play)
        app.router.add_get("/v1/info", self._refuse)
        app.router.add_get("/v1/parameters", self._tell_form)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _refuse(self, request: web.Request) -> web.Response:
        return web.Response(status=404, text="<html>no</html>", content_type="text/html")

    async def _tell_form(self, request: web.Request) -> web.Response:
        """As recorded, but for the length: an exchange's name stands for the question."""
        kind = request.headers["Authorization"].removeprefix("Bearer app-")
        return web.json_response({"user_input_form": [{"paragraph": FORMS[kind]}]})

    async def _play(self, request: web.Request) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def wait_until(seconds: float) -> None:
            wait = began + seconds / SPEED - loop.time()
            if wait > 0:
                await asyncio.sleep(wait)

        asked = await request.json()
        exchange = self._exchanges[asked.get("query") or next(iter(asked["inputs"].values()))]
        response = web.StreamResponse(status=exchange.status, headers=exchange.headers)
        await wait_until(exchange.headers_at)
        await response.prepare(request)
        for chunk in self._cutter(exchange):
            await wait_until(chunk.at)
            await response.write(chunk.data)
        if exchange.broken:
            # What was written must leave first; a closing transport would drop nothing, but an aborted one would.
            await asyncio.sleep(0.01)
            assert request.transport is not None
            request.transport.close()
        return response
