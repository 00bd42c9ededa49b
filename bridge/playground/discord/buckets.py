"""Rate limits: one fixed window per route template and channel, and one over everything."""

import hashlib
import math
from dataclasses import dataclass, field

from bridge.clock import Clock
from bridge.playground.discord import limits
from bridge.playground.discord.limits import Window


@dataclass(slots=True)
class _Count:
    window: Window
    opened: float = -math.inf
    used: int = 0

    def left(self, now: float) -> float:
        """Seconds until the window ends; 0 when none is open."""
        return max(0.0, self.opened + self.window.seconds - now)

    def take(self, now: float) -> bool:
        if self.left(now) <= 0:
            self.opened, self.used = now, 0
        if self.used >= self.window.limit:
            return False
        self.used += 1
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a call may go on, and the headers that its answer must carry either way."""

    allowed: bool
    retry_after: float = 0.0
    is_global: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class Buckets:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._global = _Count(limits.GLOBAL)
        self._routes: dict[tuple[str, str], _Count] = {}
        self._renames: dict[str, _Count] = {}

    def take(self, route: str, major: str, *, is_global: bool = True) -> Verdict:
        """Counts one call. `route` has its method; `major` is the channel (or server, or token) in the path; `is_global`:
        whether it counts against the limit over everything."""
        now = self._clock.monotonic()
        count = self._routes.setdefault((route, major), _Count(limits.BUCKETS.get(route, limits.DEFAULT_BUCKET)))
        if is_global and not self._global.take(now):
            wait = self._global.left(now)
            headers = {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}
            return Verdict(allowed=False, retry_after=wait, is_global=True, headers=headers)
        allowed = count.take(now)
        left = count.left(now)
        headers = {
            "X-RateLimit-Limit": str(count.window.limit),
            "X-RateLimit-Remaining": str(max(0, count.window.limit - count.used)),
            "X-RateLimit-Reset": f"{self._clock.now().timestamp() + left:.3f}",
            # Rounded up: a client that trusts the header to the millisecond must not be punished for it.
            "X-RateLimit-Reset-After": f"{math.ceil(left * 1000) / 1000:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(route.encode()).hexdigest()[:32],
        }
        if not allowed:
            headers["X-RateLimit-Scope"] = "user"
        return Verdict(allowed=allowed, retry_after=left, headers=headers)

    def take_rename(self, channel_id: str) -> float:
        """Counts a change of name. Returns 0, or the seconds to wait when there were too many."""
        now = self._clock.monotonic()
        count = self._renames.setdefault(channel_id, _Count(limits.RENAMES))
        return 0.0 if count.take(now) else count.left(now)
