"""The Web API over HTTP: tokens, scopes, rate limits, faults, and the record of every call."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

from aiohttp import web

from bridge.clock import Clock
from bridge.playground.slack.arguments import Arguments, read_arguments, with_caller
from bridge.playground.slack.downloads import Downloads
from bridge.playground.slack.installs import Installs
from bridge.playground.slack.methods import APP_TOKEN, BOT_TOKEN, Method, methods_of
from bridge.playground.slack.model import Call, Fault, Faults, JsonObject, Refusal
from bridge.playground.slack.quotas import Quotas
from bridge.playground.slack.uploads import Uploads
from bridge.playground.slack.workspace import Workspace
from bridge.playground.slack.writing import WritingMethods

_OF_ONE_TEAM = {"bots.info"}
"""Docs of apps for organisations: what needs `team_id` with such a token, of the methods that are here."""

_HTML = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Something went wrong.</body></html>"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    body: JsonObject
    status: int = 200
    retry_after: int | None = None


class WebApi:
    """Answers `/api/METHOD` in one workspace. `open_connection` returns the address of a new Socket Mode connection."""

    def __init__(
        self,
        workspace: Workspace,
        faults: Faults,
        clock: Clock,
        open_connection: Callable[[], str],
        installs: Installs,
        further: Mapping[str, Method],
        first: "WebApi | None" = None,
    ) -> None:
        """`further`: methods that are not about one workspace. With `first`, the record and the limits are those of `first`."""
        self.calls: list[Call] = [] if first is None else first.calls
        self.quotas: Quotas = Quotas() if first is None else Quotas(per_minute=first.quotas.per_minute)
        self._installs = installs
        self._workspace = workspace
        self._faults = faults
        self._clock = clock
        writing = WritingMethods(workspace)
        self.downloads: Downloads = Downloads(installs.find) if first is None else first.downloads
        self.uploads = Uploads(workspace, writing, clock, self.downloads.put)
        self._methods = {**methods_of(workspace, writing, self.uploads, self.downloads, open_connection), **further}

    async def respond(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        at = self._clock.monotonic()
        method = self._methods.get(name)
        try:
            args = await read_arguments(request, accepts_json=method is None or method.accepts_json)
            args = with_caller(args, request)
            problem = None
        except Refusal as e:
            args, problem = with_caller(Arguments(), request), e
        if self._faults.latency > 0:
            await self._clock.sleep(self._faults.latency)
        fault = self._faults.take(name)
        if fault is None and self._faults.html_error:
            fault = Fault.http(503)
        if fault is not None and not fault.after_effect and fault.kind != "slow":
            return self._fail(request, fault, name, at, args)
        answer = self._carry_out(name, method, args, problem)
        if fault is not None and fault.kind != "slow":
            return self._fail(request, fault, name, at, args)
        ok = answer.body["ok"] is True
        error = str(answer.body.get("error", ""))
        self.calls.append(
            Call(
                method=name,
                at=at,
                args=args.values,
                ok=ok,
                error=error,
                status=answer.status,
                team=self._workspace.team_id,
            )
        )
        if fault is not None:
            await self._clock.sleep(fault.seconds)
        return self._response(answer, method)

    def _carry_out(self, name: str, method: Method | None, args: Arguments, problem: Refusal | None) -> _Answer:
        if method is None:
            return _Answer(body={"ok": False, "error": "unknown_method", "req_method": name})
        try:
            token = self._authorize(name, method, args)
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

    def _authorize(self, name: str, method: Method, args: Arguments) -> str:
        """Returns what its quota is counted under: the kind of token, since a renewed one brings no new quota."""
        if not method.token:
            return ""
        token = args.token
        if not token:
            raise Refusal("not_authed")
        if token != APP_TOKEN:
            self._installs.of_token(token)
        if (APP_TOKEN if token == APP_TOKEN else BOT_TOKEN) != method.token:
            raise Refusal("not_allowed_token_type")
        if self._workspace.team.org_wide and name in _OF_ONE_TEAM and not args.text("team_id"):
            raise Refusal(
                "missing_argument", response_metadata={"messages": ["[ERROR] missing required field: team_id"]}
            )
        scopes = self._workspace.scopes
        if method.scopes and not set(method.scopes) & set(scopes):
            raise Refusal("missing_scope", needed=method.scopes[0], provided=",".join(scopes))
        if method.feature in self._workspace.lacks:
            raise Refusal(self._workspace.lacks[method.feature])
        return method.token

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
        self.calls.append(
            Call(
                method=name, at=at, args=args.values, ok=False, error=error, status=status, team=self._workspace.team_id
            )
        )
        return response

    def _response(self, answer: _Answer, method: Method | None) -> web.Response:
        headers = {}
        if method is None or method.token:
            headers["x-oauth-scopes"] = ",".join(self._workspace.scopes)
        if method is not None and method.scopes:
            headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
        if answer.retry_after is not None:
            headers["Retry-After"] = str(answer.retry_after)
        return web.json_response(answer.body, status=answer.status, headers=headers)
