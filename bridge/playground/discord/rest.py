"""The REST door: authentication, rate limits, faults and the record of calls. What a route does is in `rest_*`."""

import json
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import format_datetime
from typing import Final, Literal

from aiohttp import web

from bridge.playground.discord.buckets import Verdict
from bridge.playground.discord.faults import Fault
from bridge.playground.discord.forms import Body, read_body
from bridge.playground.discord.model import Attachment, Call, Json
from bridge.playground.discord.reading import is_snowflake
from bridge.playground.discord.refusals import Refusal, invalid_form, no_such_route, unauthorized
from bridge.playground.discord.world import World

PREFIX: Final = "/api/v10"

_VIA: Final = {"Via": "1.1 google"}
"""On everything that Discord itself answers; clients take a 429 without it for a ban by the network in front."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One call, checked as far as every route wants it."""

    ids: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    items: Sequence[object] = ()
    """The body of a route that takes a list."""
    files: Mapping[int, Attachment] = field(default_factory=dict)
    """Uploaded files by the number in their field's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    payload: Json | list[Json] | None = None
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    method: str
    template: str
    act: Callable[[World, Asked], Answer]
    has_body: bool = False
    takes_list: bool = False
    """Its body is a list."""
    takes_files: bool = False
    """Its body may also be a form: the JSON in `payload_json`, and files."""
    needs_token: bool = True
    limited_by: Literal["bot", "token", "nothing"] = "bot"
    """Whose budget a call takes from: the bot's (and the global one), that of the token in the path, or nobody's."""

    @property
    def key(self) -> str:
        return f"{self.method} {self.template}"


class TooMany(Refusal):
    """429 of Discord's own."""

    def __init__(self, retry_after: float, *, is_global: bool, scope: str, code: int = 0) -> None:
        super().__init__(429, code, "You are being rate limited.")
        self.retry_after = retry_after
        self.is_global = is_global
        self.scope = scope

    def body(self) -> Json:
        body: Json = {"message": self.message, "retry_after": self.retry_after, "global": self.is_global}
        return body | ({"code": self.code} if self.code else {})


@dataclass(slots=True)
class _Turn:
    """What is known about the answer to one call while it is being made."""

    call: Call
    headers: dict[str, str] = field(default_factory=lambda: dict(_VIA))


class Rest:
    def __init__(self, world: World, routes: list[Route]) -> None:
        self._world = world
        self._routes = routes

    def add_to(self, app: web.Application) -> None:
        for route in self._routes:
            app.router.add_route(route.method, PREFIX + route.template, self._answer_with(route))
        app.router.add_route("*", "/api/{rest:.*}", self._answer_unknown)

    async def _answer_unknown(self, request: web.Request) -> web.StreamResponse:
        call = Call(method=request.method, route="", path=request.path, at=self._world.clock.monotonic())
        self._world.calls.append(call)
        return self._refuse(_Turn(call), no_such_route())

    def _answer_with(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            world = self._world
            call = Call(method=route.method, route=route.template, path=request.path, at=world.clock.monotonic())
            world.calls.append(call)
            fault = world.faults.take(route.key)
            body = await read_body(request, takes_files=route.takes_files)
            if delay := world.faults.latency + (fault.seconds if fault else 0.0):
                await world.clock.sleep(delay)
            if fault is not None and fault.kind == "drop":
                return _cut(request, call)
            turn = _Turn(call)
            turn.headers["Date"] = format_datetime(world.clock.now(), usegmt=True)
            try:
                answered = self._act(request, route, turn, body, fault)
            except Refusal as refusal:
                return self._refuse(turn, refusal)
            except _Banned as banned:
                return self._ban(turn, banned)
            if fault is not None and fault.kind == "effect_then_drop":
                return _cut(request, call)
            call.status = answered.status
            if answered.payload is None:
                return web.Response(status=answered.status, headers=turn.headers)
            return _json(answered.status, answered.payload, turn.headers)

        return answer

    def _act(self, request: web.Request, route: Route, turn: _Turn, body: Body, fault: Fault | None) -> Answer:
        world = self._world
        if fault is not None and fault.kind == "cloudflare_429":
            raise _Banned(fault.retry_after)
        if route.needs_token and request.headers.get("Authorization") != f"Bot {world.token}":
            raise unauthorized()
        self._take_token(route, request.match_info, turn)
        if fault is not None and fault.kind == "rate_limit":
            raise TooMany(fault.retry_after, is_global=fault.is_global, scope="global" if fault.is_global else "shared")
        if fault is not None and fault.kind == "status":
            raise Refusal(fault.status, fault.code, fault.message or f"{fault.status}: injected")
        for name, value in request.match_info.items():
            if name.endswith("_id") and not is_snowflake(value):
                raise invalid_form(name, "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        parsed: Json = {}
        items: list[object] = []
        if route.takes_list:
            items = body.parse_list()
            turn.call.body = {"list": items}
        elif route.has_body:
            turn.call.body = parsed = body.parse()
        asked = Asked(ids=request.match_info, query=request.query, body=parsed, items=items, files=body.files)
        return route.act(world, asked)

    def _take_token(self, route: Route, ids: Mapping[str, str], turn: _Turn) -> None:
        if route.limited_by == "nothing":
            return
        own = route.limited_by == "token"
        major = ids["token"] if own else ids.get("channel_id") or ids.get("guild_id") or ""
        verdict: Verdict = self._world.buckets.take(route.key, major, is_global=not own)
        turn.headers |= verdict.headers
        if not verdict.allowed:
            scope = "global" if verdict.is_global else "user"
            raise TooMany(verdict.retry_after, is_global=verdict.is_global, scope=scope)

    def _refuse(self, turn: _Turn, refusal: Refusal) -> web.Response:
        turn.call.status, turn.call.code = refusal.status, refusal.code
        body = refusal.body()
        if refusal.status == 429:
            self._world.rejected += 1
            wait = refusal.retry_after if isinstance(refusal, TooMany) else 1.0
            body = {"retry_after": wait, "global": False} | body
            turn.headers["Retry-After"] = str(math.ceil(wait))
            turn.headers.setdefault("X-RateLimit-Scope", "user")
            if isinstance(refusal, TooMany):
                turn.headers["X-RateLimit-Scope"] = refusal.scope
                if refusal.is_global:
                    turn.headers["X-RateLimit-Global"] = "true"
        return _json(refusal.status, body, turn.headers)

    def _ban(self, turn: _Turn, banned: "_Banned") -> web.Response:
        turn.call.status = 429
        self._world.rejected += 1
        return web.Response(
            status=429,
            text="<html><head><title>Access denied</title></head><body>error code: 1015</body></html>",
            content_type="text/html",
            headers={"Retry-After": str(math.ceil(banned.retry_after)), "Server": "cloudflare"},
        )


class _Banned(Exception):
    def __init__(self, retry_after: float) -> None:
        super().__init__("cloudflare")
        self.retry_after = retry_after


def _cut(request: web.Request, call: Call) -> web.Response:
    """Ends the connection without an answer. The response is for aiohttp, which finds nobody to give it to."""
    call.status = 0
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _json(status: int, payload: Json | list[Json], headers: Mapping[str, str]) -> web.Response:
    # As bytes: with text aiohttp would add a charset, and clients compare the whole header with "application/json".
    return web.Response(
        status=status, body=json.dumps(payload).encode(), content_type="application/json", headers=headers
    )
