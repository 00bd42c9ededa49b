"""A bounded wait, by whichever clock."""

import asyncio

import pytest

from bridge.clock import Clock, SystemClock, within
from tests.fakes.clock import FakeClock


class Work:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.cancelled = False

    async def last(self, seconds: float) -> str:
        try:
            await self._clock.sleep(seconds)
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "done"

    async def fail(self) -> str:
        raise ValueError("no")


@pytest.mark.parametrize(("seconds", "result"), [(0.0, "done"), (4.9, "done"), (5.1, "late")])
async def test_work_is_waited_for_as_long_as_was_said(seconds: float, result: str) -> None:
    clock = FakeClock()
    work = Work(clock)
    waiting = asyncio.ensure_future(within(clock, 5, work.last(seconds)))
    await clock.advance(10)

    if result == "late":
        with pytest.raises(TimeoutError):
            await waiting
    else:
        assert await waiting == result
    assert work.cancelled is (result == "late")


async def test_what_work_fails_with_comes_out() -> None:
    with pytest.raises(ValueError, match="no"):
        await within(SystemClock(), 5, Work(SystemClock()).fail())


async def test_who_is_cancelled_while_waiting_cancels_the_work() -> None:
    clock = FakeClock()
    work = Work(clock)
    waiting = asyncio.ensure_future(within(clock, 5, work.last(3)))
    await clock.advance(1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    assert waiting.cancelled()
    assert work.cancelled


async def test_the_real_clock_bounds_as_well() -> None:
    work = Work(SystemClock())
    with pytest.raises(TimeoutError):
        await within(SystemClock(), 0.01, work.last(60))
    assert work.cancelled
