"""A new process comes and the old one is told to stop, while people go on asking."""

import asyncio
import signal
from pathlib import Path

import pytest

from tests.many.fleet import Crowd, Fleet, fleet
from tests.recovery.rows import NAME
from tests.recovery.test_orders import growing
from tests.storage.postgres_server import migrated_template, migrated_url

__all__ = ["migrated_template", "migrated_url"]

pytestmark = pytest.mark.process

LONGEST_GAP = 6.0
"""Seconds from a question to the app's being asked, at worst, on a machine with other work to do."""


async def keep_asking(crowd: Crowd, over: asyncio.Event) -> None:
    """New threads on both platforms, two or three a second."""
    seats = list(crowd.world.seats.values())
    number = 0
    while not await crowd.world.clock.wait(over, 0.4):
        await crowd.ask(seats[number % 2], channel=number // 2 % 2)
        number += 1


@pytest.mark.parametrize("over_http", [False, True], ids=["sockets", "balancer"])
async def test_a_rolling_deploy_under_load_loses_nothing_and_asks_nothing_twice(
    over_http: bool, migrated_url: str, tmp_path: Path
) -> None:
    async with fleet(tmp_path, migrated_url, over_http=over_http) as on:
        on.slack.retry_schedule = (0.3, 0.7, 1.5, 3.0)
        on.dify.max_connections = 100
        crowd, over = Crowd(on, words=20), asyncio.Event()
        old = await on.start()
        asking = asyncio.create_task(keep_asking(crowd, over))
        await on.until(lambda: crowd.count >= 6, "some have asked")
        new = await on.start()
        old.send(signal.SIGTERM)
        assert await old.ended() == 0, "\n".join(on.last_words())
        told = crowd.count
        await on.until(lambda: crowd.count >= told + 6, "some more have asked")
        over.set()
        await asking
        await crowd.settle()
        assert new.alive
        assert max(gaps(on, crowd)) < LONGEST_GAP
        await crowd.pass_all(most_asks=1)


def gaps(on: Fleet, crowd: Crowd) -> list[float]:
    """Seconds from each question to the app's being asked it."""
    asked = {request.query.split()[-1]: request.at for request in on.dify.requests}
    return [asked[name] - at for name, at in crowd.asked_at.items()]


@pytest.mark.parametrize(("platform", "mode", "asks"), [("slack", "chat", 2), ("discord", "advanced-chat", 1)])
async def test_what_outlasts_a_short_grace_is_gone_on_with_by_another_process_at_once(
    platform: str, mode: str, asks: int, migrated_url: str, tmp_path: Path
) -> None:
    async with fleet(tmp_path, migrated_url, mode) as on:
        exam, seat = Crowd(on), on.seats[platform]
        await on.start_many(2, SHUTDOWN_GRACE="0.3")
        thread = await growing(exam, seat, per_token=0.15)
        await exam.follow(seat, thread)
        await on.until_logged("accepted", 2)
        owner = on.owner()
        assert owner is not None
        owner.send(signal.SIGTERM)
        await on.until_logged("handing_over_answers")
        began = on.clock.monotonic()
        await on.until(lambda: on.owner() not in (owner, None), "another one goes on")
        assert on.clock.monotonic() - began < 4
        assert await owner.ended() == 0
        await exam.settle()
        await exam.pass_all(most_asks=asks)


async def test_an_answer_that_ends_within_the_grace_stays_where_it_is_and_others_take_what_comes(
    migrated_url: str, tmp_path: Path
) -> None:
    async with fleet(tmp_path, migrated_url) as on:
        exam, seat = Crowd(on), on.seats["discord"]
        await on.start_many(2)
        # Longer than a silent process is given: it must go on giving signs of life.
        thread = await growing(exam, seat, per_token=0.1)
        owner = on.owner()
        assert owner is not None
        owner.send(signal.SIGTERM)
        await on.until_logged("stopping")
        other = await exam.ask(seat, channel=1)
        await on.until(lambda: exam.is_whole("discord", other), "the other one answers meanwhile")
        assert exam.times_asked(NAME) == 1
        assert not exam.is_whole("discord", thread)
        await exam.settle()
        assert await owner.ended() == 0
        assert "handing_over_answers" not in owner.log.read_text()
        await exam.pass_all(most_asks=1)
