"""A server that says exactly what a test wrote down: raw bytes, pauses, cuts. For what no friendly server would ever do."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


class Cut:
    """The connection breaks."""


class Hang:
    """Nothing more comes, and the connection stays."""


Step = bytes | Pause | Cut | Hang


def data(**event: object) -> bytes:
    """One event as 1.x writes it."""
    return b"data: " + json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


ASKING = ("/v1/chat-messages", "/v1/completion-messages", "/v1/workflows/run")

IDS = {"conversation_id": "c-1", "message_id": "m-1", "task_id": "t-1"}


def said(text: str, name: str = "message") -> bytes:
    return data(event=name, **IDS, answer=text)


def run_finished(status: str = "succeeded", error: str | None = None) -> bytes:
    return data(event="workflow_finished", **IDS, workflow_run_id="r-1", data={"status": status, "error": error})


RUN_STARTED = data(
    event="workflow_started", **IDS, workflow_run_id="r-1", data={"id": "r-1", "inputs": {"sys.query": "x"}}
)
MESSAGE_END = data(event="message_end", **IDS, metadata={}, files=None)
PING = b"event: ping\n\n"


@dataclass(slots=True)
class ScriptedServer:
    """Every call of `streams` gets `steps`; other calls get what `others` says for their path, else a 404 page."""

    steps: Sequence[Step] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "text/event-stream; charset=utf-8"})
    others: dict[str, tuple[int, dict[str, object]]] = field(default_factory=dict)
    asked: list[dict[str, object]] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    peers: list[object] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a client went away before everything was said."""
    base_url: str = ""
    streams: Sequence[str] = ASKING
    _runner: web.AppRunner | None = None

    async def __aenter__(self) -> "ScriptedServer":
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def asked_times(self, count: int) -> None:
        """Returns once so many questions have arrived."""
        while len(self.asked) < count:
            self.arrived.clear()
            await self.arrived.wait()

    async def called_times(self, path: str, count: int) -> None:
        """Returns once this was called so often."""
        while sum(call.partition(" ")[2].partition("?")[0] == path for call in self.called) < count:
            self.arrived.clear()
            await self.arrived.wait()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.called.append(f"{request.method} {request.path_qs}")
        self.arrived.set()
        self.peers.append(request.transport and request.transport.get_extra_info("peername"))
        if request.path not in self.streams:
            status, body = self.others.get(request.path, (404, {}))
            if not body:
                return web.Response(status=404, text="<html>Not Found</html>", content_type="text/html")
            return web.json_response(body, status=status)
        self.asked.append(await request.json() if request.can_read_body else {})
        self.arrived.set()
        try:
            return await self._say(request)
        except (asyncio.CancelledError, ConnectionError):
            self.closed.set()
            raise

    async def _say(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=self.status, headers=self.headers)
        for step in self.steps:
            match step:
                case Pause(seconds=seconds):
                    await asyncio.sleep(seconds)
                case Cut():
                    assert request.transport is not None
                    request.transport.close()
                    return response
                case Hang():
                    await asyncio.Event().wait()
                case bytes():
                    if not response.prepared:
                        await response.prepare(request)
                    await response.write(step)
        if not response.prepared:
            await response.prepare(request)
        return response
