"""The control API under `/control/`: what another process (a benchmark, a kill test) may do to the stand-in. Not Slack's.

What people do with the app's own controls, workspaces and installations are in `control_acts`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.playground.slack.control_acts import act_routes
from bridge.playground.slack.model import DisconnectReason, Fault, JsonObject, Message
from bridge.playground.slack.surfaces import Feature

if TYPE_CHECKING:
    from bridge.playground.slack.server import SlackServer


class _Wanted(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Post(_Wanted):
    user: str
    channel: str
    text: str
    thread_ts: str | None = None


class _NewChannel(_Wanted):
    name: str


class _Edit(_Wanted):
    user: str
    channel: str
    ts: str
    text: str


class _Delete(_Wanted):
    user: str
    channel: str
    ts: str


class _PressWanted(_Wanted):
    user: str
    channel: str
    ts: str
    action_id: str
    value: str | None = None


class _Reaction(_Wanted):
    user: str
    channel: str
    ts: str
    emoji: str
    added: bool = True


class _Faults(_Wanted):
    """Only what is named is changed."""

    fail_next: dict[str, list[Fault]] | None = None
    duplicate_events: bool | None = None
    out_of_order: bool | None = None
    latency: float | None = None
    html_error: bool | None = None
    clock_skew: float | None = None
    bad_signature: bool | None = None
    refuse_sockets: bool | None = None
    ack_timeout: float | None = None
    retry_schedule: tuple[float, ...] | None = None
    rate_limits: dict[str, int] | None = None
    """Calls a minute for the named methods."""
    cut_sockets: bool = False
    """Once, now: every connection is cut abruptly."""
    disconnect_sockets: DisconnectReason | None = None
    """Once, now: goodbye with this reason on every connection."""


class _Features(_Wanted):
    """What the workspace lacks. Only what is named is changed."""

    lacks: dict[Feature, str] | None = None
    """Feature ("streaming", "tasks", "agent", "assistant", "home") to the error that it is refused with. The rest works."""
    streamless: dict[str, str] | None = None
    """Channel to the error with which it refuses streams."""
    stream_seconds: float | None = None
    """How long streams last that begin from now on."""


def control_routes(server: "SlackServer") -> list[web.RouteDef]:
    control = _Control(server)
    return [
        web.post("/control/post", _reporting(control.post)),
        web.post("/control/edit", _reporting(control.edit)),
        web.post("/control/delete", _reporting(control.delete)),
        web.post("/control/press", _reporting(control.press)),
        web.post("/control/react", _reporting(control.react)),
        web.post("/control/channel", _reporting(control.add_channel)),
        web.post("/control/faults", _reporting(control.set_faults)),
        web.post("/control/features", _reporting(control.set_features)),
        *act_routes(server, _reporting),
        web.get("/control/snapshot", _reporting(control.snapshot)),
        web.get("/control/calls", _reporting(control.calls)),
        web.get("/control/deliveries", _reporting(control.deliveries)),
        web.get("/control/growth", _reporting(control.growth)),
    ]


_Route = Callable[[web.Request], Awaitable[JsonObject]]


def _reporting(route: _Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Answers with JSON; what cannot be done is a 400 that says why."""

    async def respond(request: web.Request) -> web.StreamResponse:
        try:
            return web.json_response(await route(request))
        except (ValidationError, ValueError, KeyError) as e:
            return web.json_response({"error": str(e)}, status=400)

    return respond


class _Control:
    def __init__(self, server: "SlackServer") -> None:
        self._server = server

    async def post(self, request: web.Request) -> JsonObject:
        wanted = _Post.model_validate_json(await request.read())
        ts = await self._server.post_as(wanted.user, wanted.channel, wanted.text, wanted.thread_ts)
        return {"ts": ts, "at": self._server.clock.monotonic()}

    async def edit(self, request: web.Request) -> JsonObject:
        wanted = _Edit.model_validate_json(await request.read())
        await self._server.edit_as(wanted.user, wanted.channel, wanted.ts, wanted.text)
        return {}

    async def delete(self, request: web.Request) -> JsonObject:
        wanted = _Delete.model_validate_json(await request.read())
        await self._server.delete_as(wanted.user, wanted.channel, wanted.ts)
        return {}

    async def press(self, request: web.Request) -> JsonObject:
        wanted = _PressWanted.model_validate_json(await request.read())
        await self._server.press(wanted.user, wanted.channel, wanted.ts, wanted.action_id, wanted.value)
        return {}

    async def react(self, request: web.Request) -> JsonObject:
        wanted = _Reaction.model_validate_json(await request.read())
        change = self._server.react if wanted.added else self._server.unreact
        await change(wanted.user, wanted.channel, wanted.ts, wanted.emoji)
        return {}

    async def add_channel(self, request: web.Request) -> JsonObject:
        """A public channel that everybody, the bot included, is a member of."""
        wanted = _NewChannel.model_validate_json(await request.read())
        return {"id": self._server.add_channel(wanted.name).id}

    async def set_faults(self, request: web.Request) -> JsonObject:
        wanted = _Faults.model_validate_json(await request.read())
        server, faults = self._server, self._server.faults
        for name in sorted(wanted.model_fields_set - {"rate_limits", "cut_sockets", "disconnect_sockets"}):
            value = getattr(wanted, name)
            if value is None:
                raise ValueError(f"{name} may be left out but not null")
            setattr(faults if hasattr(faults, name) else server, name, value)
        server.rate_limits.update(wanted.rate_limits or {})
        if wanted.cut_sockets:
            server.drop_sockets()
        if wanted.disconnect_sockets is not None:
            await server.disconnect_sockets(wanted.disconnect_sockets)
        return {
            **asdict(faults),
            "refuse_sockets": server.refuse_sockets,
            "ack_timeout": server.ack_timeout,
            "retry_schedule": list(server.retry_schedule),
            "rate_limits": server.rate_limits,
        }

    async def set_features(self, request: web.Request) -> JsonObject:
        wanted = _Features.model_validate_json(await request.read())
        workspace = self._server.workspace
        workspace.lacks = workspace.lacks if wanted.lacks is None else wanted.lacks
        workspace.streamless = workspace.streamless if wanted.streamless is None else wanted.streamless
        if wanted.stream_seconds is not None:
            workspace.stream_seconds = wanted.stream_seconds
        return {
            "lacks": workspace.lacks,
            "streamless": workspace.streamless,
            "stream_seconds": workspace.stream_seconds,
        }

    async def snapshot(self, request: web.Request) -> JsonObject:
        """`?team=T...` for another workspace than the first."""
        return self._server.snapshot(request.query.get("team"))

    async def calls(self, request: web.Request) -> JsonObject:
        """`?after=N` leaves out the first N calls."""
        after = int(request.query.get("after", "0"))
        return {
            "calls": [asdict(call) for call in self._server.calls[after:]],
            "total": len(self._server.calls),
            "rejected": self._server.rejected,
            "pings": self._server.pings,
        }

    async def deliveries(self, request: web.Request) -> JsonObject:
        return {
            "deliveries": [asdict(one) for one in self._server.deliveries],
            "presses": [asdict(one) for one in self._server.presses],
            "acts": [asdict(one) for one in self._server.acts],
            "open_sockets": self._server.open_sockets,
        }

    async def growth(self, request: web.Request) -> JsonObject:
        """How a message grew and, if it is a root, how each reply did. Times are this machine's monotonic clock."""
        channel, ts = request.query["channel"], request.query["ts"]
        grown = _grown(self._server.message(channel, ts))
        grown["replies"] = [_grown(reply) for reply in self._server.messages(channel, ts) if reply.ts != ts]
        grown["now"] = self._server.clock.monotonic()
        return grown


def _grown(message: Message) -> JsonObject:
    return {"ts": message.ts, "user": message.user, "is_bot": message.is_bot, "history": list(message.history)}
