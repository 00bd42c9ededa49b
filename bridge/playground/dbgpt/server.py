"""The stand-in DB-GPT as a server on a real port: routes, keys, and what tests hold of it."""

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from bridge.clock import Clock
from bridge.playground.dbgpt import chat, keeping, lists
from bridge.playground.dbgpt.records import Asked, DbgptState, Feedback, Listings, Round, Script
from bridge.playground.dbgpt.spelling import PAGE, Refused, refuse_with_detail

Endpoint = Callable[[DbgptState, web.Request], Awaitable[web.StreamResponse]]

_ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("POST", "/api/v2/chat/completions", chat.ask),
    ("GET", "/api/v2/serve/datasources", lists.datasources),
    ("GET", "/api/v2/serve/knowledge/spaces", lists.spaces),
    ("GET", "/api/v2/serve/apps", lists.apps),
    ("GET", "/api/v2/serve/awel/flows", lists.flows),
    ("GET", "/api/v2/serve/model/models", lists.models),
    ("GET", "/api/v1/chat/dialogue/messages/history", keeping.history),
    ("GET", "/api/v1/chat/dialogue/list", keeping.list_conversations),
    ("POST", "/api/v1/chat/dialogue/delete", keeping.delete),
    ("GET", "/api/v1/conv/feedback/list", keeping.list_feedback),
    ("POST", "/api/v1/conv/feedback/update", keeping.update_feedback),
    ("POST", "/api/v1/conv/feedback/add", keeping.update_feedback),
    ("POST", "/api/v1/conv/feedback/cancel", keeping.cancel_feedback),
)
_LOOK_AT_KEYS = ("/api/v2/chat/completions", "/api/v2/serve/datasources", "/api/v2/serve/awel/flows")
"""The other calls of the real one take any key, or none."""


class DbgptServer:
    """Start it, read `base_url`, and ask. Everything it was asked can be looked at; nothing is kept on disk."""

    def __init__(self, clock: Clock, api_keys: Sequence[str] = ("dbgpt-key",)) -> None:
        """Without any, whoever comes is let in."""
        self._state = DbgptState(clock, api_keys)
        self._runner: web.AppRunner | None = None
        self._port = 0

    async def start(self, port: int = 0) -> None:
        """Port 0 takes a free one. After `stop` it may be started again, with everything it remembers."""
        app = web.Application(middlewares=[self._guard], client_max_size=100 * 1024 * 1024)
        for method, path, endpoint in _ENDPOINTS:
            app.router.add_route(method, path, self._bind(endpoint))
        runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner, self._port = runner, runner.addresses[0][1]

    async def stop(self) -> None:
        """Cuts what is running, as a killed server does."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def come_back(self) -> None:
        """After `stop`, at the same address and with everything it remembers."""
        await self.start(self._port)

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_key(self) -> str:
        """One that it takes."""
        return self._state.api_keys[0] if self._state.api_keys else ""

    @property
    def script(self) -> Script:
        """Chat mode and text in, what to say out."""
        return self._state.script

    @script.setter
    def script(self, script: Script) -> None:
        self._state.script = script

    @property
    def requests(self) -> list[Asked]:
        return self._state.requests

    @property
    def calls(self) -> list[str]:
        """Everything but questions, as "GET /api/v2/serve/apps"."""
        return self._state.calls

    @property
    def conversations(self) -> dict[str, list[Round]]:
        return self._state.conversations

    @property
    def feedback(self) -> list[Feedback]:
        return self._state.feedback

    @property
    def listings(self) -> Listings:
        return self._state.listings

    def complete(self, asked: Asked, answer: str) -> None:
        """Writes the round of this question down, although its stream was cut off before its end."""
        one = self._state.begin_round(asked.conversation, asked.text)
        one.ai = one.view = answer
        self._state.keep(asked.conversation, one)

    def let_everybody_in(self) -> None:
        """As a DB-GPT without `api_keys` does."""
        self._state.api_keys = ()

    def on_change(self, callback: Callable[[], None]) -> None:
        """Called, on the event loop, whenever a question or feedback has come or ended."""
        self._state.on_change(callback)

    async def until(self, condition: Callable[[], bool], timeout: float = 5.0) -> None:
        """Returns once `condition` holds. Raises `TimeoutError`."""
        await self._state.until(condition, timeout)

    def _bind(self, endpoint: Endpoint) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await endpoint(self._state, request)

        return serve

    @web.middleware
    async def _guard(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        problem = request.match_info.http_exception
        if problem is not None:
            if problem.status == 405:
                return web.json_response({"detail": "Method Not Allowed"}, status=405)
            return web.Response(status=404, text=PAGE, content_type="text/html")
        try:
            if request.path in _LOOK_AT_KEYS and not self._knows(request):
                raise refuse_with_detail(401, "invalid_api_key", "")
            if request.path != _ENDPOINTS[0][1]:
                self._state.calls.append(f"{request.method} {request.path}")
            return await handler(request)
        except Refused as refused:
            return refused.response

    def _knows(self, request: web.Request) -> bool:
        keys = self._state.api_keys
        return not keys or request.headers.get("Authorization", "").removeprefix("Bearer ") in keys
