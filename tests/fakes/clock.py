"""A clock that stands still until it is told to move."""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from itertools import count

START = datetime(2026, 1, 1, tzinfo=UTC)

_in_thread = asyncio.to_thread
_at_work = [0]


async def _counted(work: Callable[..., object], /, *args: object, **kwargs: object) -> object:
    _at_work[0] += 1
    try:
        return await _in_thread(work, *args, **kwargs)
    finally:
        _at_work[0] -= 1


# Threads take real time. Whoever moves the clock must wait for them, or time would pass them by on a busy machine.
asyncio.to_thread = _counted  # type: ignore[assignment]  # the same, counted


class FakeClock:
    """Time moves only in `advance`. Waiting tasks wake in the order of their times, and get to run before time moves on."""

    def __init__(self) -> None:
        self._elapsed = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return START + timedelta(seconds=self._elapsed)

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), future))
        await future

    async def wait(self, event: asyncio.Event, timeout: float | None) -> bool:
        if event.is_set():
            return True
        if timeout is None:
            return await event.wait()
        if timeout <= 0:
            await asyncio.sleep(0)
            return event.is_set()
        waiting = asyncio.ensure_future(event.wait())
        sleeping = asyncio.ensure_future(self.sleep(timeout))
        try:
            await asyncio.wait({waiting, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            sleeping.cancel()
            await asyncio.gather(waiting, sleeping, return_exceptions=True)
        return event.is_set()

    async def settle(self) -> None:
        """Lets every task run until it waits for something."""
        while True:
            for _ in range(60):
                await asyncio.sleep(0)
            if not _at_work[0]:
                return
            await asyncio.sleep(0.001)

    async def live_through(self, work: Coroutine[None, None, None]) -> None:
        """Does it, and lets as much time pass as it takes."""
        working = asyncio.ensure_future(work)
        await self.settle()
        while not working.done():
            await self.advance(0.1)
        await working

    async def advance(self, seconds: float) -> None:
        """Moves time forward, stopping at every wake-up on the way."""
        until = self._elapsed + seconds
        await self.settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            when, _, future = heapq.heappop(self._sleepers)
            self._elapsed = max(self._elapsed, when)
            if not future.done():
                future.set_result(None)
            await self.settle()
        self._elapsed = until
        await self.settle()
