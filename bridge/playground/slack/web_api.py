"""The Web API over HTTP: tokens, scopes, rate limits, faults, and the record of every call."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from aiohttp import web

from bridge.clock import Clock
from bridge.playground.slack.arguments import Arguments, read_arguments
from bridge.playground.slack.downloads import Downloads
from bridge.playground.slack.methods import APP_TOKEN, BOT_TOKEN, Method, methods_of
from bridge.playground.slack.model import Call, Fault, Faults, JsonObject, Refusal
from bridge.playground.slack.quotas import Quotas
from bridge.playground.slack.uploads import Uploads
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.writing import WritingMethods

_HTML = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Something went wrong.</body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    body: JsonObject
    status: int = 200
    retry_after: int | None = None


class WebApi:
    """Answers `/api/METHOD`. `open_connection` returns the address of a new Socket Mode connection."""

    def __init__(self, workspace: Workspace, faults: Faults, clock: Clock, open_connection: Callable[[], str]) -> None:
        self.calls: list[Call] = []
        self.quotas = Quotas()
        self._workspace = workspace
        self._faults = faults
        self._clock = clock
        writing = WritingMethods(workspace)
        self.uploads = Uploads(workspace, writing, clock)
        self.downloads = Downloads(self.workspace_of)
        self._methods = methods_of(workspace, writing, self.uploads, self.downloads, open_connection)

    def workspace_of(self, token: str) -> Workspace | None:
        """Whose bot a token is."""
        return self._workspace if token == BOT_TOKEN else None

    async def respond(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        at = self._clock.monotonic()
        method = self._methods.get(name)
        try:
            args = await read_arguments(request, accepts_json=method is None or method.accepts_json)
            problem = None
        except Refusal as e:
            args, problem = Arguments(), e
        if self._faults.latency > 0:
            await self._clock.sleep(self._faults.latency)
        fault = self._faults.take(name)
        if fault is None and self._faults.html_error:
            fault = Fault.http(503)
        if fault is not None and not fault.after_effect and fault.kind != "slow":
            return self._fail(request, fault, name, at, args)
        answer = self._carry_out(request, name, method, args, problem)
        if fault is not None and fault.kind != "slow":
            return self._fail(request, fault, name, at, args)
        ok = answer.body["ok"] is True
        error = str(answer.body.get("error", ""))
        self.calls.append(Call(method=name, at=at, args=args.values, ok=ok, error=error, status=answer.status))
        if fault is not None:
            await self._clock.sleep(fault.seconds)
        return self._response(answer, method)

    def _carry_out(
        self, request: web.Request, name: str, method: Method | None, args: Arguments, problem: Refusal | None
    ) -> _Answer:
        if method is None:
            return _Answer(body={"ok": False, "error": "unknown_method", "req_method": name})
        try:
            token = self._authorize(request, method, args)
            channel = args.values.get("channel")
            channel = channel if isinstance(channel, str) else ""
            wait = self.quotas.take(token, name, channel, self._clock.monotonic())
            if wait is not None:
                return _Answer(body={"ok": False, "error": "ratelimited"}, status=429, retry_after=wait)
            if problem is not None:
                raise problem
            return _Answer(body={"ok": True, **method.run(args)})
        except Refusal as e:
            return _Answer(body={"ok": False, "error": e.code, **e.extra})

    def _authorize(self, request: web.Request, method: Method, args: Arguments) -> str:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        token = value.strip() if scheme.lower() == "bearer" else args.body_token
        if not token:
            raise Refusal("not_authed")
        if token not in (BOT_TOKEN, APP_TOKEN):
            raise Refusal("invalid_auth")
        if token != method.token:
            raise Refusal("not_allowed_token_type")
        scopes = self._workspace.scopes
        if method.scopes and not set(method.scopes) & set(scopes):
            raise Refusal("missing_scope", needed=method.scopes[0], provided=",".join(scopes))
        if method.feature in self._workspace.lacks:
            raise Refusal(self._workspace.lacks[method.feature])
        return token

    def _fail(self, request: web.Request, fault: Fault, name: str, at: float, args: Arguments) -> web.StreamResponse:
        error, status = "", 200
        response: web.StreamResponse
        match fault.kind:
            case "http":
                error, status = "http_error", fault.status
                response = web.Response(status=status, text=_HTML, content_type="text/html")
            case "drop":
                error, status = "dropped", 0
                if request.transport is not None:
                    request.transport.abort()
                response = web.Response()
            case "rate_limit":
                error, status = "ratelimited", 429
                body: JsonObject = {"ok": False, "error": error}
                response = self._response(_Answer(body=body, status=429, retry_after=int(fault.seconds)), None)
            case "refuse":
                error = fault.code
                response = self._response(_Answer(body={"ok": False, "error": error}), None)
            case "slow":
                raise AssertionError("slow calls are answered")
            case _:
                assert_never(fault.kind)
        self.calls.append(Call(method=name, at=at, args=args.values, ok=False, error=error, status=status))
        return response

    def _response(self, answer: _Answer, method: Method | None) -> web.Response:
        headers = {"x-oauth-scopes": ",".join(self._workspace.scopes)}
        if method is not None and method.scopes:
            headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
        if answer.retry_after is not None:
            headers["Retry-After"] = str(answer.retry_after)
        return web.json_response(answer.body, status=answer.status, headers=headers)
