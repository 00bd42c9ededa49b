"""A thousand questions at once: in order, none lost, nobody left without a word, nobody slowed by a channel that is stuck."""

import random
from collections import defaultdict

from bridge.events import MessageReceived
from bridge.routing import AppPolicy
from tests.core.hall import Hall, StallingPlatform, hall
from tests.fakes import values
from tests.fakes.clock import FakeClock

THREADS, EACH = 50, 20
CHANNELS = 10
MOST_WAITING = 10


def channel_of(thread: int) -> str:
    return f"channel {thread % CHANNELS}"


def flood(events: random.Random) -> list[MessageReceived]:
    """Everybody talks at once: each thread in its own order, and every fifth message is delivered twice."""
    turns = [thread for thread in range(THREADS) for _ in range(EACH)]
    events.shuffle(turns)
    written: dict[int, int] = defaultdict(int)
    made = []
    for number, thread in enumerate(turns):
        written[thread] += 1
        where = values.target(f"thread {thread}", channel=channel_of(thread))
        made.append(values.message(f"{thread}:{written[thread]}", number=number, event=f"first {number}", where=where))
        if events.random() < 0.2:
            made.append(values.message(made[-1].text, number=number, event=f"second {number}", where=where))
    return made


def answered(at: Hall) -> dict[int, list[int]]:
    """For each thread the numbers of its questions, in the order in which they were answered."""
    found: dict[int, list[int]] = defaultdict(list)
    for turn in at.turns.answered:
        thread, number = turn.question.text.split(":")
        found[int(thread)].append(int(number))
    return found


def notices(at: Hall) -> dict[str, list[float]]:
    """For each thread's address when it was told that too much waits."""
    found: dict[str, list[float]] = defaultdict(list)
    for message in at.platform.messages.values():
        if message.nonce.startswith("n"):
            assert "cannot take more" in message.text
            found[message.target.address].append(message.history[0][0])
    return found


async def test_a_flood_is_answered_in_order_nothing_is_lost_and_who_is_refused_is_told() -> None:
    async with hall(AppPolicy(name=values.APP, most_waiting=MOST_WAITING)) as at:
        at.turns.seconds = 5.0
        refused: dict[str, list[float]] = defaultdict(list)
        taken: dict[int, list[int]] = defaultdict(list)
        seen = set()
        for event in flood(random.Random(1)):
            before = at.metrics.read("bridge_questions_total", platform="fake", result="refused")
            await at.inbox(event)
            thread, number = map(int, event.text.split(":"))
            if at.metrics.read("bridge_questions_total", platform="fake", result="refused") > before:
                refused[event.target.address].append(at.clock.monotonic())
            elif event.ref not in seen:
                taken[thread].append(number)
            seen.add(event.ref)
            await at.clock.advance(0.02)
        assert len(at.dispatcher._drains._due) <= THREADS
        await at.clock.advance(600)
        assert sum(map(len, taken.values())) + sum(map(len, refused.values())) == THREADS * EACH
        assert sum(map(len, refused.values())) > 100, "else this tests nothing"
        assert answered(at) == taken
        assert all(numbers == sorted(numbers) for numbers in taken.values())
        told = notices(at)
        assert told.keys() == refused.keys()
        for where, moments in refused.items():
            assert all(any(when <= said <= when + 61 for said in told[where]) for when in moments)
            assert all(later - earlier > 59.9 for earlier, later in zip(told[where], told[where][1:], strict=False))


async def finished_when(stalled: set[str]) -> dict[int, float]:
    """When the last answer of each thread was whole."""
    async with hall(platform=StallingPlatform(FakeClock(), stalled=stalled)) as at:
        at.turns.seconds = 1.0
        for event in flood(random.Random(2)):
            await at.inbox(event)
        await at.clock.advance(60)
        found: dict[int, float] = {}
        for message in at.platform.messages.values():
            when, text = message.history[-1]
            found[int(text.split(":")[0])] = when
        return found


async def test_a_channel_that_is_stuck_slows_nobody_in_the_others() -> None:
    free = await finished_when(set())
    stuck = await finished_when({"channel 3"})
    assert len(free) == THREADS
    assert stuck == {thread: when for thread, when in free.items() if channel_of(thread) != "channel 3"}


async def test_nothing_is_left_in_memory_when_a_flood_is_over() -> None:
    async with hall(AppPolicy(name=values.APP, most_waiting=MOST_WAITING)) as at:
        for event in flood(random.Random(3)):
            await at.inbox(event)
        await at.clock.advance(300)
        assert not at.dispatcher._drains._due
        assert not at.dispatcher._drains._active
        assert not at.notices._lanes
        assert not at.turns.running
