"""Logins to the gateway: how many are left today, and when the next one may be made. No network.

Discord lets a bot log in 1,000 times a day over all its shards and processes, and resets the token of one that goes on. So the
last ones are never used by ourselves, and those before them are spread over the rest of the day.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from bridge import logs
from bridge.clock import Clock

log = logs.get("discord")

KEPT_SHARE = 20
"""One in so many logins is left to the operator: 50 of a small bot's 1,000."""
TELL_FROM = 60.0
"""Seconds from which a wait for the budget is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What `GET /gateway/bot` says of logins (Discord documentation, Session Start Limit Object)."""

    total: int
    """A day."""
    left: int
    resets_in: timedelta
    at_once: int = 1
    """Shards that may log in side by side: those whose numbers differ by less than this."""


def is_short(allowance: Allowance) -> bool:
    """Whether an operator should find out who logs in so often."""
    return allowance.left <= allowance.total // KEPT_SHARE


class Logins:
    """Counts those of this process between two answers of Discord, which counts all."""

    def __init__(self, clock: Clock, *, gap: float) -> None:
        """`gap`: seconds between two logins of shards that may not log in side by side."""
        self._clock = clock
        self._gap = gap
        self._allowance: Allowance | None = None
        self._left = 0
        self._resets_at = 0.0
        self._asked_at = float("-inf")
        self._last = float("-inf")
        self._last_of: dict[int, float] = {}
        self._turns: dict[int, asyncio.Lock] = {}
        self._told = False
        self.detail = ""
        """Why nobody logs in just now, for an operator."""

    @property
    def age(self) -> float:
        """Seconds since Discord was asked."""
        return self._clock.monotonic() - self._asked_at

    def learn(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._left = allowance.left
        self._asked_at = self._clock.monotonic()
        self._resets_at = self._asked_at + allowance.resets_in.total_seconds()

    def count(self) -> None:
        """A login is being made."""
        self._left -= 1
        self._last = self._clock.monotonic()

    @property
    def pause(self) -> float:
        """Seconds until the budget allows another login; 0 while there is plenty."""
        if self._allowance is None:
            return 0.0
        now = self._clock.monotonic()
        if now >= self._resets_at:
            return 0.0
        total = self._allowance.total
        spare = self._left - total // KEPT_SHARE
        if spare <= 0:
            return self._resets_at - now
        if self._left * 2 > total:
            return 0.0
        return max(0.0, self._last + (self._resets_at - now) / spare - now)

    async def turn(self, shard: int) -> None:
        """Waits until this shard may log in."""
        key = shard % (self._allowance.at_once if self._allowance else 1)
        async with self._turns.setdefault(key, asyncio.Lock()):
            while True:
                now = self._clock.monotonic()
                by_budget, by_gap = self.pause, self._last_of.get(key, float("-inf")) + self._gap - now
                if max(by_budget, by_gap) <= 0:
                    break
                self._tell(by_budget)
                await self._clock.sleep(max(by_budget, by_gap))
            self._last_of[key] = self._clock.monotonic()
            self._told, self.detail = False, ""

    def _tell(self, wait: float) -> None:
        if wait < TELL_FROM:
            return
        self.detail = (
            f"only {self._left} of today's logins to the gateway are left (at none Discord resets the token), so the next one is "
            f"made in {wait / 60:.0f} minutes"
        )
        if not self._told:
            self._told = True
            log.error("gateway_logins_spared", left=self._left, seconds=round(wait))
