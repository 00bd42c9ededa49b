"""A process that stands still past its lease and wakes up again: it finds out, ends, and doubles nothing.

It asks the record before each write. What cannot be helped: frozen between that look and the write itself, it makes this one
write when it wakes up, and a finished answer may then be amended once more by the half that it was.
"""

import signal
from pathlib import Path

import psutil
import pytest

from bridge.dispatch.procrastinate import FENCED_EXIT
from tests.many.fleet import HEARTBEAT, STALLED, Crowd, Fleet, Member, fleet
from tests.recovery.points import Point
from tests.recovery.rows import NAME
from tests.recovery.test_orders import growing
from tests.storage.postgres_server import migrated_template, migrated_url

__all__ = ["migrated_template", "migrated_url"]

pytestmark = pytest.mark.process


def stands_still(member: Member) -> bool:
    assert member.process.pid is not None
    return psutil.Process(member.process.pid).status() == psutil.STATUS_STOPPED


async def wakes_up_and_ends(on: Fleet, member: Member) -> None:
    member.send(signal.SIGCONT)
    assert await member.ended() == FENCED_EXIT, "\n".join(on.last_words())


async def test_frozen_in_mid_answer_it_is_followed_and_ends_when_it_wakes_up(migrated_url: str, tmp_path: Path) -> None:
    async with fleet(tmp_path, migrated_url) as on:
        exam, seat = Crowd(on), on.seats["slack"]
        await on.start_many(2)
        thread = await growing(exam, seat)
        await exam.follow(seat, thread)
        await on.until_logged("accepted", 2)
        owner = on.owner()
        assert owner is not None
        owner.send(signal.SIGSTOP)
        began = on.clock.monotonic()
        await on.until(lambda: on.owner() not in (owner, None), "another one takes over")
        assert on.clock.monotonic() - began > STALLED - HEARTBEAT, "it had its time"
        await exam.settle()
        await wakes_up_and_ends(on, owner)
        await exam.pass_all(most_asks=2)


async def test_woken_up_while_another_one_answers_it_disturbs_nothing(migrated_url: str, tmp_path: Path) -> None:
    async with fleet(tmp_path, migrated_url) as on:
        exam, seat = Crowd(on), on.seats["discord"]
        await on.start_many(2)
        thread = await growing(exam, seat, per_token=0.15)
        owner = on.owner()
        assert owner is not None
        owner.send(signal.SIGSTOP)
        await on.until(lambda: on.owner() not in (owner, None), "another one takes over")
        await wakes_up_and_ends(on, owner)
        assert not exam.is_whole("discord", thread), "the app is still at it"
        await exam.settle()
        await exam.pass_all(most_asks=2)


POINTS = (
    ("slack", Point(where="platform.edit", when="after", needle=NAME, nth=2, how="pause")),
    ("discord", Point(where="backend.event", when="before", needle=NAME, nth=20, how="pause")),
    ("discord", Point(where="store.record_outcome", when="before", needle=NAME, how="pause")),
    ("slack", Point(where="store.finish", when="before", needle=NAME, how="pause")),
)


@pytest.mark.parametrize(("platform", "point"), POINTS, ids=str)
async def test_frozen_at_any_step_it_leaves_the_answer_of_the_other_one_alone(
    platform: str, point: Point, migrated_url: str, tmp_path: Path
) -> None:
    async with fleet(tmp_path, migrated_url) as on:
        exam, seat = Crowd(on), on.seats[platform]
        frozen = await on.start(point)
        exam.slow[NAME] = 0.05
        await exam.ask(seat, name=NAME)
        await on.until(lambda: stands_still(frozen), "it stands still")
        await on.start()
        await exam.settle()
        await wakes_up_and_ends(on, frozen)
        await exam.pass_all(most_asks=2)
