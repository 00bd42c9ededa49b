"""Lets the calls of this process out one after the other, so that Discord's limit over all of them is never met.

What people see written is paced long before (`bridge.pacing`); threads, typing and look-ups are not, and a single call too many
makes discord.py hold back all others for as long as Discord says.
"""

import asyncio
import re
from collections import deque

from bridge.clock import Clock
from bridge.platform_api import WriteBudget

_EXEMPT = re.compile(r"/(?:interactions|webhooks)/[0-9]+/", re.ASCII)
"""Answers to interactions do not count (Discord documentation, Global Rate Limit)."""


class Turnstile:
    def __init__(self, budget: WriteBudget, clock: Clock) -> None:
        self._limit = budget.limit
        self._window = budget.window.total_seconds()
        self._clock = clock
        self._passed: deque[float] = deque(maxlen=budget.limit)
        self._queue = asyncio.Lock()

    @property
    def crowded(self) -> bool:
        """Somebody has to wait just now."""
        return self._queue.locked()

    async def let_through(self, path: str) -> None:
        """Returns when a call to this path may leave: at once, unless so many have left within the window already."""
        if _EXEMPT.search(path):
            return
        async with self._queue:  # who came first is let through first
            if len(self._passed) == self._limit:
                wait = self._passed[0] + self._window - self._clock.monotonic()
                if wait > 0:
                    await self._clock.sleep(wait)
            self._passed.append(self._clock.monotonic())
