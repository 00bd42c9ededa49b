"""Who is woken is worked on, one at a time in each conversation, and a flood of events is no flood of memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bridge.dispatch.local import LocalDispatcher
from bridge.messages import ConversationId
from tests.fakes.clock import FakeClock

FIRST, SECOND = ConversationId(1), ConversationId(2)


class Works:
    """Each call takes ten seconds, and is written down when it starts."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.started: list[tuple[float, int]] = []
        self.running: set[int] = set()

    async def __call__(self, conversation: ConversationId) -> None:
        assert conversation not in self.running
        self.running.add(conversation)
        self.started.append((self.clock.monotonic(), conversation))
        try:
            await self.clock.sleep(10)
        finally:
            self.running.remove(conversation)


class Desk:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.drain = Works(self.clock)
        self.look = Works(self.clock)
        self.dispatcher = LocalDispatcher(self.drain, self.look, self.clock)


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    made = Desk()
    running = asyncio.ensure_future(made.dispatcher.run())
    try:
        yield made
        assert not running.done(), "it works until it is cancelled"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_conversations_are_worked_on_side_by_side_also_when_woken_early() -> None:
    async with desk() as at:
        at.dispatcher.wake(FIRST)
        at.dispatcher.wake(SECOND)
        await at.clock.advance(1)
        assert at.drain.started == [(0, 1), (0, 2)]


async def test_one_that_is_woken_while_it_is_worked_on_is_looked_at_once_more() -> None:
    async with desk() as at:
        at.dispatcher.wake(FIRST)
        await at.clock.advance(1)
        for _ in range(1000):
            at.dispatcher.wake(FIRST)
        await at.clock.advance(100)
        assert at.drain.started == [(0, 1), (10, 1)]


async def test_it_is_never_worked_on_twice_at_once_whoever_else_is_woken() -> None:
    async with desk() as at:
        at.dispatcher.wake(FIRST)
        await at.clock.advance(1)
        at.dispatcher.wake(FIRST)
        at.dispatcher.wake(SECOND)
        await at.clock.advance(100)
        assert at.drain.started == [(0, 1), (1, 2), (10, 1)]


async def test_waking_many_times_takes_no_more_room_than_once() -> None:
    async with desk() as at:
        for _ in range(1000):
            at.dispatcher.wake(FIRST)
            at.dispatcher.nudge(FIRST)
        await at.clock.advance(100)
        assert at.drain.started == at.look.started == [(0, 1)]
        assert not at.dispatcher._drains._due


async def test_a_nudge_is_looked_at_while_the_conversation_is_worked_on() -> None:
    async with desk() as at:
        at.dispatcher.wake(FIRST)
        await at.clock.advance(5)
        at.dispatcher.nudge(FIRST)
        await at.clock.advance(1)
        assert at.look.started == [(5, 1)]
        assert at.drain.started == [(0, 1)]


async def test_draining_starts_nothing_new_waits_for_what_runs_and_still_hears_nudges() -> None:
    async with desk() as at:
        at.dispatcher.wake(FIRST)
        await at.clock.advance(1)
        draining = asyncio.ensure_future(at.dispatcher.drain(timedelta(seconds=60)))
        await at.clock.advance(1)
        at.dispatcher.wake(FIRST)
        at.dispatcher.wake(SECOND)
        at.dispatcher.nudge(FIRST)
        await at.clock.advance(30)
        assert await draining
        assert at.drain.started == [(0, 1)]
        assert at.look.started == [(2, 1)]


async def test_draining_gives_up_at_the_end_of_the_grace() -> None:
    async with desk() as at:
        at.dispatcher.wake(FIRST)
        await at.clock.advance(1)
        draining = asyncio.ensure_future(at.dispatcher.drain(timedelta(seconds=5)))
        await at.clock.advance(6)
        assert not await draining
        assert at.drain.running == {1}


async def test_ending_it_ends_what_it_started() -> None:
    async with desk() as at:
        at.dispatcher.wake(FIRST)
        at.dispatcher.nudge(FIRST)
        await at.clock.advance(1)
    assert at.drain.running == at.look.running == set()
