"""Many threads over two and three processes that are killed at random: nothing is lost, doubled, or answered out of order.

A few threads are part of every test. With SOAK_RUNS set it is fifty threads with twenty questions each; SOAK_SEED asks for other
moments.
"""

import asyncio
import os
import random
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.many.fleet import Crowd, Fleet, fleet
from tests.storage.postgres_server import migrated_template, migrated_url

__all__ = ["migrated_template", "migrated_url"]

pytestmark = pytest.mark.process

FIRST = int(os.environ.get("SOAK_SEED", "1"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    on_slack: int
    """Threads."""
    on_discord: int
    questions: int
    """In each thread."""
    kills: int
    between: tuple[float, float]
    """Seconds between two kills."""
    apart: float
    """Seconds between the beginnings of two threads. Discord lets few be opened at once; else an answer stands in the channel."""
    patience: float


SMALL = Load(on_slack=3, on_discord=3, questions=4, kills=2, between=(0.3, 1.5), apart=0.0, patience=40)

FULL = Load(on_slack=15, on_discord=35, questions=20, kills=25, between=(2.0, 10.0), apart=1.0, patience=900)
"""Fewer on Slack, where fifty edits a minute are all that the whole workspace may make."""

LOAD = FULL if "SOAK_RUNS" in os.environ else SMALL


async def kill_some(on: Fleet, load: Load, size: int, chance: random.Random) -> None:
    """One at a time, whoever it hits; after a moment another one takes the place."""
    for _ in range(load.kills):
        await on.clock.sleep(chance.uniform(*load.between))
        victim = chance.choice(on.alive)
        victim.send(signal.SIGKILL)
        assert await victim.ended() == -signal.SIGKILL
        await on.clock.sleep(chance.choice((0.0, 0.4)))
        on.launch()
    assert len(on.alive) == size, "\n".join(["killing one costs no other", *on.last_words()])


@pytest.mark.parametrize(("size", "over_http"), [(2, False), (3, True)], ids=["2 with sockets", "3 behind a balancer"])
async def test_killed_at_random_nothing_is_lost_doubled_or_reordered(
    size: int, over_http: bool, migrated_url: str, tmp_path: Path
) -> None:
    chance = random.Random(FIRST)
    async with fleet(tmp_path, migrated_url, over_http=over_http) as on:
        on.dify.max_connections = 100
        on.slack.retry_schedule = (0.3, 0.7, 1.5, 3.0, 3.0, 3.0, 3.0)
        crowd = Crowd(on)
        await on.start_many(size)
        async with asyncio.TaskGroup() as tasks:
            for name, threads in (("slack", LOAD.on_slack), ("discord", LOAD.on_discord)):
                for number in range(threads):
                    talk = crowd.talk(
                        on.seats[name],
                        LOAD.questions,
                        channel=number % 2,
                        after=number * LOAD.apart,
                        chance=random.Random(f"{FIRST} {name} {number}"),
                    )
                    tasks.create_task(talk)
            tasks.create_task(kill_some(on, LOAD, size, chance))
        pressed = await crowd.settle(LOAD.patience)
        assert pressed <= LOAD.kills, "given up only what was lost twice"
        await crowd.pass_all(most_asks=2 + pressed)
