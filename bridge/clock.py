"""Time as an argument: everything that waits takes a `Clock`, so that tests never sleep."""

import asyncio
import time
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


class Clock(Protocol):
    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go backwards, from an arbitrary start."""
        ...

    async def sleep(self, seconds: float) -> None: ...

    async def wait(self, event: asyncio.Event, timeout: float | None) -> bool:
        """Waits until `event` is set (True) or `timeout` seconds have passed (False). None waits for ever."""
        ...


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, event: asyncio.Event, timeout: float | None) -> bool:
        if event.is_set():
            return True
        if timeout is not None and timeout <= 0:
            # A loop of zero-length waits must still let other tasks run.
            await asyncio.sleep(0)
            return event.is_set()
        try:
            async with asyncio.timeout(timeout):
                await event.wait()
        except TimeoutError:
            return event.is_set()
        return True


async def within(clock: Clock, seconds: float, work: Coroutine[None, None, T]) -> T:
    """What `work` comes to. Raises `TimeoutError` once it has taken so long; it is cancelled then, and has ended."""
    over = asyncio.Event()
    working = asyncio.ensure_future(work)
    working.add_done_callback(lambda _: over.set())
    try:
        if not await clock.wait(over, seconds):
            raise TimeoutError
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    return working.result()
