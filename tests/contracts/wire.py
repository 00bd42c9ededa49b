"""A server that says exactly what a test wrote down, whichever backend asks it: raw bytes, pauses, breaks, floods. For what no
friendly server would ever do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


@dataclass(frozen=True, slots=True)
class Flood:
    """These bytes again and again, for as long as somebody reads them, with a pause in between."""

    piece: bytes
    pause: float = 0.0


class Break:
    """The connection breaks, in the middle of whatever was being said."""


class Hang:
    """Nothing more comes, and the connection stays."""


Step = bytes | Pause | Flood | Break | Hang

EVENTS = {"Content-Type": "text/event-stream; charset=utf-8"}
JSON = {"Content-Type": "application/json"}
PAGE = {"Content-Type": "text/html; charset=utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One response. Each step of bytes is a chunk of its own."""

    steps: Sequence[Step] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: EVENTS)


class WireServer:
    """Says `answer` to every question (a POST to `path`), and `others` to the rest, which is refused with a page otherwise."""

    def __init__(self, path: str, others: Mapping[str, Said] | None = None) -> None:
        self.path = path
        self.others = dict(others or {})
        self.answer = Said()
        self.asked = 0
        """Questions that have arrived."""
        self.bodies: list[bytes] = []
        """What they said."""
        self.called: list[str] = []
        """Every request, as "POST /v1/chat-messages"."""
        self.open = 0
        """Connections that stand now."""
        self.most_open = 0
        self.left = 0
        """Clients that went away before everything was said to them."""
        self.sent = 0
        """Bytes of answers."""
        self.origin = ""
        self._changed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.origin = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def until(self, condition: Callable[[], bool], timeout: float = 8.0) -> None:
        """Returns once `condition` holds. Raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._converse(reader, writer)
        finally:
            self.open -= 1
            self._serving.discard(task)
            self._changed.set()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and its response: every connection is used once, so that connections can be counted."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split(" ", 2)
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        path = target.partition("?")[0]
        self.called.append(f"{method} {path}")
        said = self.others.get(path, Said(status=404, headers=PAGE, steps=[b"<html>nothing here</html>"]))
        if method == "POST" and path == self.path:
            self.asked += 1
            self.bodies.append(body)
            said = self.answer
        self._changed.set()
        speaking = asyncio.ensure_future(self._speak(said, writer))
        leaving = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({speaking, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not speaking.done():
                self.left += 1
                self._changed.set()
        finally:
            speaking.cancel()
            leaving.cancel()
            await asyncio.gather(speaking, leaving, return_exceptions=True)

    async def _speak(self, said: Said, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {said.status} {HTTPStatus(said.status).phrase}", "Transfer-Encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in said.headers.items()]
        head = ("\r\n".join([*lines, "Connection: close"]) + "\r\n\r\n").encode()
        for step in said.steps:
            match step:
                case Pause(seconds=seconds):
                    await asyncio.sleep(seconds)
                case Break():
                    # Without the chunk that ends a body, and before anything was said without a head as well.
                    writer.close()
                    return
                case Hang():
                    await asyncio.Event().wait()
                case Flood(piece=piece, pause=pause):
                    while True:
                        await self._write(writer, head + _chunk(piece))
                        head = b""
                        await asyncio.sleep(pause)
                case bytes():
                    await self._write(writer, head + _chunk(step))
                    head = b""
        await self._write(writer, head + b"0\r\n\r\n")

    async def _write(self, writer: asyncio.StreamWriter, raw: bytes) -> None:
        self.sent += len(raw)
        writer.write(raw)
        await writer.drain()


def _chunk(raw: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(raw), raw) if raw else b""


@asynccontextmanager
async def listening(server: WireServer) -> AsyncIterator[WireServer]:
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
