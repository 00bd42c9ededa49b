"""What can be made to go wrong from the page: a chosen few of the stand-ins' faults, under names that a person understands."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal, TypeVar

from bridge.playground.dify import DifyServer, cut, error_event, html_503, rate_limited, slow_headers
from bridge.playground.dify.faults import Fault as DifyFault
from bridge.playground.dify.inputs import form_field
from bridge.playground.discord import DiscordServer
from bridge.playground.discord import Fault as DiscordFault
from bridge.playground.slack import Fault as SlackFault
from bridge.playground.slack import SlackServer
from bridge.playground.slack.limits import STREAM_SECONDS
from bridge.playground.slack.surfaces import Feature

_CREATE = "POST /channels/{channel_id}/messages"
_EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"

_WANTED = [
    form_field("text-input", "customer", label="Customer", most=40),
    form_field("select", "plan", label="Plan", options=("Basic", "Gold")),
    form_field("paragraph", "note", label="Anything else?", required=False),
]
"""What the app may want to know before it answers."""

_SLOW_SECONDS = 1.0
_SHORT_STREAM = 6.0

_HALF_WAY = 20
"""Tokens after which an answer goes wrong: enough that something of it is on the screen."""

FaultT = TypeVar("FaultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    name: str
    group: str
    label: str
    meaning: str
    """What will happen, for the tooltip."""
    kind: Literal["switch", "act"]
    """A switch stays on until it is turned off or used up; an act happens once, at once."""
    is_on: Callable[[], bool]
    turn: Callable[[bool], Awaitable[None]]

    def as_json(self) -> dict[str, object]:
        return {
            "name": self.name,
            "group": self.group,
            "label": self.label,
            "meaning": self.meaning,
            "kind": self.kind,
            "on": self.is_on(),
        }


def make_switches(slack: SlackServer, discord: DiscordServer, dify: DifyServer | None) -> list[Switch]:
    """Without a stand-in Dify there is nothing to break on that side."""
    return [*(_dify_switches(dify) if dify is not None else ()), *_slack_switches(slack), *_discord_switches(discord)]


def _dify_switches(server: DifyServer) -> list[Switch]:
    faults = server.faults

    def always(fault: DifyFault) -> tuple[Callable[[], bool], Callable[[bool], None]]:
        def switch(on: bool) -> None:  # noqa: FBT001  # a switch is turned on or off
            if on:
                faults.always = fault
            elif faults.always == fault:
                faults.always = None

        return (lambda: faults.always == fault), switch

    def ask_for_inputs(on: bool) -> None:  # noqa: FBT001  # a switch is turned on or off
        server.form[:] = _WANTED if on else []

    def once(name: str, label: str, meaning: str, fault: DifyFault) -> Switch:
        return _once(name, "Dify", label, meaning, faults.fail_next, fault)

    return [
        _lasting("dify_down", "Dify", "Down", "Every question meets an error page, until this is off.", *always(html_503())),
        _lasting("dify_busy", "Dify", "Busy", "Every question meets “too many requests”, until this is off.",
                 *always(rate_limited())),
        _lasting("dify_inputs", "Dify", "Wants to know",
                 "The app requires a customer and a plan: who asks in a new thread gets a form.",
                 lambda: bool(server.form), ask_for_inputs),
        once("dify_error", "Next: fails half-way", "The next answer ends with an error.", error_event(_HALF_WAY)),
        once("dify_cut", "Next: breaks off", "The connection of the next answer breaks.", cut(_HALF_WAY)),
        once("dify_slow", "Next: slow start", "The next answer takes eight seconds to begin.", slow_headers(8.0)),
    ]  # fmt: skip


def _slack_switches(server: SlackServer) -> list[Switch]:
    def duplicate(on: bool) -> None:  # noqa: FBT001  # a switch is turned on or off
        server.faults.duplicate_events = on

    def slow(on: bool) -> None:  # noqa: FBT001  # a switch is turned on or off
        server.faults.latency = _SLOW_SECONDS if on else 0.0

    def expire(on: bool) -> None:  # noqa: FBT001  # a switch is turned on or off
        server.workspace.stream_seconds = _SHORT_STREAM if on else STREAM_SECONDS

    def lacking(feature: Feature, error: str) -> tuple[Callable[[], bool], Callable[[bool], None]]:
        def switch(on: bool) -> None:  # noqa: FBT001  # a switch is turned on or off
            if on:
                server.lacks[feature] = error
            else:
                server.lacks.pop(feature, None)

        return (lambda: feature in server.lacks), switch

    async def drop() -> None:
        server.drop_sockets()

    def fails(call: str) -> list[SlackFault]:
        return server.faults.fail_next.setdefault(call, [])

    return [
        _once("slack_busy", "Slack", "Next edit: 429", "Slack refuses the next edit for three seconds.",
              fails("chat.update"), SlackFault.rate_limit(3)),
        _once("slack_broken", "Slack", "Next post: 500", "Slack answers the next new message with an error page.",
              fails("chat.postMessage"), SlackFault.http(500)),
        _lasting("slack_twice", "Slack", "Events twice", "Slack delivers every event twice. Still answered once.",
                 lambda: server.faults.duplicate_events, duplicate),
        _lasting("slack_slow", "Slack", "Slow", "Every call of Slack's Web API takes a second.",
                 lambda: server.faults.latency > 0, slow),
        _lasting("slack_streamless", "Slack", "No streams",
                 "The workspace cannot stream. Answers then grow by edits, which Slack allows far fewer of.",
                 *lacking("streaming", "unknown_method")),
        _lasting("slack_taskless", "Slack", "No task lists", "The workspace shows no steps in streamed answers.",
                 *lacking("tasks", "feature_not_enabled")),
        _lasting("slack_plain", "Slack", "Not an agent", "The app is not declared as an agent: no state, no Stop of Slack's.",
                 *lacking("agent", "feature_disabled")),
        _lasting("slack_short", "Slack", "Short streams", "Slack ends new streams after six seconds; really after about 300.",
                 lambda: server.workspace.stream_seconds == _SHORT_STREAM, expire),
        _act("slack_drop", "Slack", "Cut the socket", "Cuts the Socket Mode connection; the client connects again.", drop),
    ]  # fmt: skip


def _discord_switches(server: DiscordServer) -> list[Switch]:
    def duplicate(on: bool) -> None:  # noqa: FBT001  # a switch is turned on or off
        server.faults.duplicate_dispatches = on

    def fails(call: str) -> list[DiscordFault]:
        return server.faults.fail_next.setdefault(call, [])

    return [
        _once("discord_busy", "Discord", "Next edit: 429", "Discord refuses the next edit for three seconds.",
              fails(_EDIT), DiscordFault(kind="rate_limit", retry_after=3.0)),
        _once("discord_broken", "Discord", "Next post: 500", "Discord answers the next new message with an error.",
              fails(_CREATE), DiscordFault(kind="status", status=500)),
        _lasting("discord_twice", "Discord", "Events twice", "Discord dispatches every event twice. Still answered once.",
                 lambda: server.faults.duplicate_dispatches, duplicate),
        _act("discord_drop", "Discord", "Cut the gateway", "Cuts the gateway connection; the client resumes.",
             server.drop_gateways),
    ]  # fmt: skip


def _lasting(
    name: str, group: str, label: str, meaning: str, is_on: Callable[[], bool], switch: Callable[[bool], None]
) -> Switch:
    async def turn(on: bool) -> None:  # noqa: FBT001  # a switch is turned on or off
        switch(on)

    return Switch(name=name, group=group, label=label, meaning=meaning, kind="switch", is_on=is_on, turn=turn)


def _once(name: str, group: str, label: str, meaning: str, armed: list[FaultT], fault: FaultT) -> Switch:
    """Armed for the next such call; off again once that has met it."""

    async def turn(on: bool) -> None:  # noqa: FBT001  # a switch is turned on or off
        if fault in armed:
            armed.remove(fault)
        if on:
            armed.append(fault)

    return Switch(
        name=name,
        group=group,
        label=label,
        meaning=meaning,
        kind="switch",
        is_on=lambda: fault in armed,
        turn=turn,
    )


def _act(name: str, group: str, label: str, meaning: str, act: Callable[[], Awaitable[None]]) -> Switch:
    async def turn(on: bool) -> None:  # noqa: FBT001  # a switch is turned on or off
        if on:
            await act()

    return Switch(name=name, group=group, label=label, meaning=meaning, kind="act", is_on=lambda: False, turn=turn)
