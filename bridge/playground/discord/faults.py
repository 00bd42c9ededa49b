"""Switches that make the stand-in misbehave as the real platform does on bad days."""

from dataclasses import dataclass, field
from typing import Literal

FaultKind = Literal["status", "drop", "effect_then_drop", "rate_limit", "cloudflare_429", "slow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What happens to one REST call.

    - `status`: answered with `status`, `code` and `message`, without effect.
    - `drop`: the connection is cut before anything happened; `effect_then_drop`: after it happened.
    - `rate_limit`: 429 with `retry_after` (seconds) for the route, or for everything with `is_global`.
    - `cloudflare_429`: 429 as the network in front of Discord gives it: HTML, and no `Via` header.
    - `slow`: answered normally, `seconds` later. Every other kind also waits `seconds` first.
    """

    kind: FaultKind = "status"
    status: int = 500
    code: int = 0
    message: str = ""
    retry_after: float = 1.0
    is_global: bool = False
    seconds: float = 0.0


@dataclass(slots=True, kw_only=True)
class Faults:
    fail_next: dict[str, list[Fault]] = field(default_factory=dict)
    """Route template with its method ("POST /channels/{channel_id}/messages") -> what its next calls meet, in order."""
    latency: float = 0.0
    """Seconds that every REST call takes before it has its effect."""
    duplicate_dispatches: bool = False
    """Every dispatch but READY, RESUMED and GUILD_CREATE is sent twice."""
    bad_dispatch_next: bool = False
    """The next MESSAGE_CREATE lacks its `content`, which no client expects. Switches itself off."""
    heartbeat_acks: bool = True
    """False: the gateway falls silent after HELLO. Nothing is written, not even acknowledgements; RESUME still gets what
    was missed once it is True again."""
    partial_updates: bool = False
    """MESSAGE_UPDATE carries only what changed, and where."""
    hurried_identifies: bool = True
    """False: who identifies within five seconds of the last one is turned away with an invalid session, as on Discord. Off at
    first, so that tests with several clients need not wait."""
    refuse_gateway: bool = False
    """New gateway connections are answered with 503."""

    def take(self, route: str) -> Fault | None:
        waiting = self.fail_next.get(route)
        if not waiting:
            return None
        return waiting.pop(0)
