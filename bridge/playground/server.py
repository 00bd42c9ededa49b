"""The page's own HTTP server: its files, its picture of everything, and what may be done from it.

It answers to its own host name only, so that no other web page can reach it through a name of its own (DNS rebinding), and it
stays up while the bridge restarts. What the actions do is the stage's affair.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Protocol

from aiohttp import WSMsgType, web

from bridge.clock import Clock
from bridge.errors import SettingsError
from bridge.playground.bodies import (
    LARGEST_BODY,
    Act,
    BadBody,
    Post,
    React,
    Turn,
    read_delete,
    read_edit,
    read_post,
    read_press,
    read_react,
    read_restart,
    read_turn,
)
from bridge.playground.discord_bodies import DISCORD_ACTS, DiscordAct
from bridge.playground.slack_bodies import SLACK_ACTS, SlackAct
from bridge.playground.view import IMAGES

_SHORTEST_PAUSE = 1 / 15
"""Seconds between two pictures pushed to one page: fluent to the eye, and far fewer than the changes of a fast answer."""
_LONGEST_PAUSE = 1.0
"""Seconds after which the picture is looked at again without a change: the bridge's readiness tells nobody."""
_CLOSE_PATIENCE = 1.0

_ACTS: Mapping[str, Callable[[bytes], Act]] = {"edit": read_edit, "delete": read_delete, "press": read_press}

_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    media_type: str
    content: bytes = field(repr=False)


class Scene(Protocol):
    """What the page looks at and acts on. Actions raise `BadBody` with a sentence when they cannot be done."""

    async def picture(self) -> Mapping[str, object]:
        """Everything the page shows, as JSON values."""
        ...

    async def readiness(self) -> tuple[bool, Mapping[str, object]]: ...

    async def post(self, platform: str, post: Post) -> str:
        """Posts as a person and returns the message's id."""
        ...

    async def react(self, platform: str, react: React) -> None: ...

    async def act(self, platform: str, act: Act) -> None:
        """Changes a message as its author, takes it away, or presses a button under it."""
        ...

    async def use_slack(self, act: SlackAct) -> None:
        """Does what only Slack has."""
        ...

    async def use_discord(self, act: DiscordAct) -> str:
        """Does what only Discord has. Returns the id of what came to be, "" where that is nothing."""
        ...

    def find_file(self, platform: str, file_id: str) -> ShownFile | None:
        """A file on a message, if its bytes are there."""
        ...

    async def turn(self, turn: Turn) -> None:
        """Switches a fault."""
        ...

    async def restart_bridge(self, *, kill: bool = False) -> None: ...


class PageServer:
    def __init__(self, scene: Scene, clock: Clock, *, host: str = "127.0.0.1", port: int = 8080) -> None:
        self._scene = scene
        self._clock = clock
        self._host = host
        self._port = port
        self._hosts: frozenset[str] = frozenset()
        self._files = _read_files()
        self._pages: dict[web.WebSocketResponse, asyncio.Event] = {}
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port that is served, also when 0 was asked for."""
        return self._port

    @property
    def url(self) -> str:
        # Listening everywhere is no address that a browser can open.
        host = "127.0.0.1" if self._host in ("0.0.0.0", "::") else self._host  # noqa: S104  # compared, not bound
        return f"http://{_bracketed(host)}:{self._port}/"

    async def start(self) -> None:
        """Raises `SettingsError` when the address cannot be had."""
        app = web.Application(middlewares=[self._guard], client_max_size=LARGEST_BODY)
        app.router.add_get("/", self._file)
        app.router.add_get("/page/{name}", self._file)
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/playground/state", self._state)
        app.router.add_get("/playground/events", self._events)
        app.router.add_post("/playground/{platform:slack|discord}/post", self._post)
        app.router.add_post("/playground/{platform:slack|discord}/react", self._react)
        app.router.add_post("/playground/{platform:slack|discord}/{act:edit|delete|press}", self._act)
        app.router.add_post(f"/playground/slack/{{use:{'|'.join(SLACK_ACTS)}}}", self._use_slack)
        app.router.add_post(f"/playground/discord/{{use:{'|'.join(DISCORD_ACTS)}}}", self._use_discord)
        app.router.add_get("/playground/{platform:slack|discord}/files/{file_id}/{name}", self._shown_file)
        app.router.add_post("/playground/faults", self._turn)
        app.router.add_post("/playground/restart", self._restart)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise SettingsError([_explain(self._host, self._port, error)]) from error
        self._runner = runner
        self._port = int(runner.addresses[0][1])
        names = {_bracketed(self._host), "127.0.0.1", "localhost", "[::1]"}
        # Browsers leave the port out of the header where it is the scheme's own.
        self._hosts = frozenset({f"{name}:{self._port}" for name in names} | (names if self._port == 80 else set()))

    async def stop(self) -> None:
        """Says goodbye to open pages and frees the port."""
        for page in tuple(self._pages):
            await page.close(code=1001)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def changed(self) -> None:
        """Says that the picture is another one now. Cheap; may be called for every letter of an answer."""
        for changed in self._pages.values():
            changed.set()

    # Who may ask

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        response = self._refuse(request)
        if response is None:
            try:
                response = await handler(request)
            except BadBody as error:
                response = _problem(400, str(error))
            except web.HTTPRequestEntityTooLarge:
                response = _problem(413, f"The body is larger than {LARGEST_BODY // 1024:,} KiB.")
        if not response.prepared:
            response.headers.update(_HEADERS)
        return response

    def _refuse(self, request: web.Request) -> web.StreamResponse | None:
        host = request.headers.get("Host", "").lower()
        if host not in self._hosts:
            return _problem(403, f"The playground answers at {self.url} only.")
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() != f"http://{host}":
            return _problem(403, "Another web page may not use the playground.")
        if request.method == "POST" and request.content_type != "application/json":
            return _problem(415, "Send application/json.")
        return None

    # Looking

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info.get("name", "index.html")
        found = self._files.get(name)
        if found is None:
            return _problem(404, f"There is no file {name!r} here.")
        suffix = name[name.rfind(".") :]
        return web.Response(body=found, content_type=_TYPES[suffix], charset="utf-8")

    async def _livez(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"alive": True})

    async def _readyz(self, _request: web.Request) -> web.StreamResponse:
        ready, parts = await self._scene.readiness()
        return web.json_response({"ready": ready, **parts}, status=200 if ready else 503)

    async def _state(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._scene.picture())

    async def _shown_file(self, request: web.Request) -> web.StreamResponse:
        """Pictures as such, anything else only to be kept: what people send must not run as a page of ours."""
        found = self._scene.find_file(request.match_info["platform"], request.match_info["file_id"])
        if found is None:
            return _problem(404, "There is no such file.")
        kind = found.media_type if found.media_type in IMAGES else "application/octet-stream"
        response = web.Response(body=found.content, content_type=kind)
        if kind not in IMAGES:
            response.headers["Content-Disposition"] = "attachment"
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        page = web.WebSocketResponse(heartbeat=20, max_msg_size=1024, timeout=_CLOSE_PATIENCE)
        if not page.can_prepare(request):
            return _problem(426, "This is a WebSocket.")
        await page.prepare(request)
        changed = self._pages[page] = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as tasks:
                pushing = tasks.create_task(self._push(page, changed))
                async for message in page:
                    # The page has nothing to say here; it asks by POST.
                    if message.type is WSMsgType.ERROR:
                        break
                pushing.cancel()
        finally:
            del self._pages[page]
        return page

    async def _push(self, page: web.WebSocketResponse, changed: asyncio.Event) -> None:
        last = ""
        while True:
            changed.clear()
            picture = json.dumps(await self._scene.picture(), ensure_ascii=False)
            if picture != last:
                try:
                    await page.send_str(picture)
                except ConnectionError:
                    return
                last = picture
            await self._clock.sleep(_SHORTEST_PAUSE)
            await self._clock.wait(changed, _LONGEST_PAUSE)

    # Doing

    async def _post(self, request: web.Request) -> web.StreamResponse:
        posted = await self._scene.post(request.match_info["platform"], read_post(await request.read()))
        return web.json_response({"id": posted})

    async def _react(self, request: web.Request) -> web.StreamResponse:
        await self._scene.react(request.match_info["platform"], read_react(await request.read()))
        return web.json_response({})

    async def _act(self, request: web.Request) -> web.StreamResponse:
        read = _ACTS[request.match_info["act"]]
        await self._scene.act(request.match_info["platform"], read(await request.read()))
        return web.json_response({})

    async def _use_slack(self, request: web.Request) -> web.StreamResponse:
        read = SLACK_ACTS[request.match_info["use"]]
        await self._scene.use_slack(read(await request.read()))
        return web.json_response({})

    async def _use_discord(self, request: web.Request) -> web.StreamResponse:
        read = DISCORD_ACTS[request.match_info["use"]]
        return web.json_response({"id": await self._scene.use_discord(read(await request.read()))})

    async def _turn(self, request: web.Request) -> web.StreamResponse:
        await self._scene.turn(read_turn(await request.read()))
        return web.json_response({})

    async def _restart(self, request: web.Request) -> web.StreamResponse:
        await self._scene.restart_bridge(kill=read_restart(await request.read()))
        return web.json_response({})


def _read_files() -> dict[str, bytes]:
    """The page's files by name. Nothing else of the disk is ever served."""
    folder = resources.files("bridge.playground") / "page"
    return {
        one.name: one.read_bytes()
        for one in folder.iterdir()
        if one.is_file() and one.name[one.name.rfind(".") :] in _TYPES
    }


def _problem(status: int, sentence: str) -> web.Response:
    return web.json_response({"problem": sentence}, status=status)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host.lower()


def _explain(host: str, port: int, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return f"--port: port {port} needs more rights than this user has; choose one above 1023."
    if "in use" in str(error):
        return (
            f"--port: port {port} on {host} is taken by another program; stop that one or choose another with --port."
        )
    return f"--host: cannot listen on {host}:{port} ({error.strerror or error})."
