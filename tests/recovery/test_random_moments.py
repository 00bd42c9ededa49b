"""Killed at any moment, again and again: whatever was accepted is answered, once, in order and whole.

Six runs are part of every test; SOAK_RUNS asks for more, SOAK_SEED for others. A run that fails is repeated with its number.
"""

import asyncio
import os
import random
import signal
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.recovery import looking
from tests.recovery.rows import HUGE, MANY
from tests.recovery.verdict import Exam
from tests.recovery.world import World, world

pytestmark = pytest.mark.process

FIRST = int(os.environ.get("SOAK_SEED", "1"))
RUNS = int(os.environ.get("SOAK_RUNS", "6"))

APPS = (("chat", "1.12.1"), ("agent-chat", "1.12.1"), ("advanced-chat", "1.12.1"), ("advanced-chat", "0.15.3"))

PATIENCE = "3"
"""RECOVER_PATIENCE: an answer that was lost twice looks as if it were being worked on; nobody has time to wait for it here."""


@dataclass(frozen=True, slots=True)
class Deed:
    """Somebody asks: `at` seconds after the start, in a new thread or in one that is there."""

    at: float
    platform: str
    channel: int
    thread: int
    first: bool
    kind: str


def plan(chance: random.Random) -> list[Deed]:
    """Three threads on each platform with one to three questions each, all within two seconds."""
    deeds = []
    for thread in range(6):
        at = chance.uniform(0.0, 1.0)
        for number in range(chance.randint(1, 3)):
            kind = chance.choices(("short", "slow", "late", "many", "huge"), (50, 25, 10, 10, 5))[0]
            deeds.append(Deed(at, ("slack", "discord")[thread % 2], chance.randint(0, 1), thread, number == 0, kind))
            at += chance.uniform(0.05, 0.6)
    return sorted(deeds, key=lambda deed: deed.at)


class Crowd:
    """People who go on asking, whether somebody listens or not."""

    def __init__(self, on: World, exam: Exam, chance: random.Random) -> None:
        self.on = on
        self.exam = exam
        self.deeds = plan(chance)
        self.threads: dict[int, str] = {}

    async def ask_all(self) -> None:
        began = self.on.clock.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for deed in self.deeds:
                await self.on.clock.sleep(max(deed.at - (self.on.clock.monotonic() - began), 0.0))
                await self._do(deed, tasks.create_task)

    async def _do(self, deed: Deed, later: Callable[[Coroutine[None, None, None]], object]) -> None:
        seat = self.on.seats[deed.platform]
        name = self.exam.new_name()
        if deed.kind == "slow":
            self.exam.slow[name] = 0.02
        elif deed.kind == "late":
            self.exam.late[name] = 0.5
        elif deed.kind in {"many", "huge"}:
            self.exam.lengths[name] = (MANY if deed.kind == "many" else HUGE)[deed.platform]
            self.exam.slow[name] = 0.0005
        if deed.first:
            self.threads[deed.thread] = await self.exam.ask(seat, name=name, channel=deed.channel)
            return
        thread = self.threads[deed.thread]
        if looking.is_open(seat, thread):
            await self.exam.follow(seat, thread, name=name)
        # Discord's thread is not there yet: whoever would have asked in it goes away.


@pytest.mark.parametrize("seed", range(FIRST, FIRST + RUNS))
async def test_killed_at_random_moments_nothing_is_lost_and_nothing_doubled(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    mode, version = chance.choice(APPS)
    async with world(tmp_path, mode, version) as on:
        exam = Exam(on, per_token=0.001)
        crowd = Crowd(on, exam, chance)
        kills = chance.choices((1, 2, 3), (60, 30, 10))[0]
        bridge = await on.start(RECOVER_PATIENCE=PATIENCE)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(crowd.ask_all())
            for number in range(kills):
                if number:
                    bridge = on.launch(RECOVER_PATIENCE=PATIENCE)
                await on.clock.sleep(chance.uniform(0.05, 1.6 if number == 0 else 0.9))
                bridge.send(signal.SIGKILL)
                assert await bridge.ended() == -signal.SIGKILL
                await on.clock.sleep(chance.choice((0.0, 0.3)))
        await on.start(RECOVER_PATIENCE=PATIENCE)
        pressed = await retry_what_was_given_up(exam, allowed=kills > 1)
        notes = any(exam.lengths.get(name, 0) > 1000 for names in exam.asked.values() for name in names)
        await exam.pass_all(most_asks=1 + kills + pressed, notes=notes)


async def retry_what_was_given_up(exam: Exam, *, allowed: bool) -> int:
    """An answer that was lost twice is not asked a third time by itself: its message says so and offers Retry.

    Presses those until everything is answered, and returns how many there were.
    """
    on = exam.world
    pressed: set[tuple[str, str, str]] = set()

    def offered() -> set[tuple[str, str, str]]:
        found = {
            (platform, thread, message)
            for platform, thread in exam.asked
            for message in looking.offering(on.seats[platform], thread, "retry")
        }
        return found - pressed

    while True:
        try:
            await on.until(lambda: exam.settled() or bool(offered()), "every question has an end")
        except AssertionError:
            pytest.fail("\n".join(["not all ended:", *exam.problems(notes=True), *on.last_words()]))
        if exam.settled():
            return len(pressed)
        assert allowed, "\n".join(["given up after one loss:", *exam.problems(), *on.last_words()])
        for platform, thread, message in offered():
            pressed.add((platform, thread, message))
            exam.retried.add((platform, thread))
            await looking.press(on.seats[platform], thread, "retry")
