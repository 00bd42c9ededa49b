"""Dify or the database away for a while: what can wait waits, what cannot ends honestly, and no platform is told a lie."""

import resource
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bridge.playground.dify import cut, rate_limited, too_many_requests_400
from bridge.playground.dify.faults import Fault
from tests.recovery import looking
from tests.recovery.rows import NAME
from tests.recovery.test_orders import PLATFORMS, until_offered
from tests.recovery.verdict import Exam
from tests.recovery.world import World, world

pytestmark = pytest.mark.process


async def away(on: World) -> int:
    """Dify goes; returns the port on which it has to come back."""
    port = int(on.dify.base_url.split(":")[2].split("/")[0])
    await on.dify.stop()
    return port


@PLATFORMS
async def test_a_dify_that_comes_back_in_time_answers_without_anybody_doing_anything(
    platform: str, tmp_path: Path
) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        await on.start()
        port = await away(on)
        await exam.ask(seat)
        await on.until_logged("accepted")
        await on.clock.sleep(1.0)
        await on.dify.start(port=port)
        await exam.pass_all(most_asks=1)


@PLATFORMS
async def test_a_dify_that_stays_away_is_told_and_retry_helps_once_it_is_back(platform: str, tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        await on.start(BUSY_PATIENCE="1")
        port = await away(on)
        thread = await exam.ask(seat)
        await until_offered(on, seat, thread, "retry")
        [told] = seat.answers(thread)
        assert "cannot be reached" in told
        assert "127.0.0.1" not in told
        await on.dify.start(port=port)
        await looking.press(seat, thread, "retry")
        await exam.pass_all(most_asks=1)
        assert len(seat.answers(thread)) == 1


@PLATFORMS
async def test_an_answer_that_was_cut_keeps_what_came_and_says_that_it_is_incomplete(
    platform: str, tmp_path: Path
) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        on.dify.faults.fail_next = [cut(20)]
        await on.start()
        thread = await exam.ask(seat, name=NAME)
        await until_offered(on, seat, thread, "retry")
        assert exam.shown(seat, thread) == exam.answer(NAME)[:20]
        assert "incomplete" in seat.answers(thread)[-1]
        assert exam.times_asked(NAME) == 1, "an app that has begun is not asked again by itself"
        await looking.press(seat, thread, "retry")
        await exam.pass_all(most_asks=2)


@PLATFORMS
@pytest.mark.parametrize(
    "fault",
    [rate_limited(1), rate_limited(), too_many_requests_400()],
    ids=["429 with Retry-After", "429 without", "400 that means 429"],
)
async def test_a_busy_dify_is_asked_again_until_it_takes_the_question(
    fault: Fault, platform: str, tmp_path: Path
) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        on.dify.faults.fail_next = [fault, fault]
        await on.start()
        await exam.ask(seat)
        await exam.pass_all(most_asks=1)


async def everybody_asks(exam: Exam) -> dict[str, str]:
    return {name: await exam.ask(seat) for name, seat in exam.world.seats.items()}


def attempts(on: World) -> int:
    return max((delivery.attempts for delivery in on.slack.deliveries), default=0)


async def test_while_the_database_is_locked_slack_is_not_acknowledged_and_delivers_again(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        exam = Exam(on)
        on.slack.ack_timeout = 0.5
        on.slack.retry_schedule = (0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
        await on.start()
        with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            await everybody_asks(exam)
            await on.until(lambda: attempts(on) >= 2, "Slack delivers again")
            assert not any(delivery.outcome == "acked" for delivery in on.slack.deliveries)
            assert on.dify.requests == []
            other.execute("ROLLBACK")
        await exam.pass_all(most_asks=1)


async def test_while_the_disk_is_full_slack_is_not_acknowledged_and_delivers_again(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        exam = Exam(on)
        on.slack.retry_schedule = (0.5, 1.0, 2.0, 4.0, 8.0)
        bridge = await on.start()
        assert bridge.process.pid is not None
        # As on a full disk, files can be read and written, and no longer grow. The log is smaller than that.
        _, hard = resource.prlimit(bridge.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(bridge.process.pid, resource.RLIMIT_FSIZE, (24 * 1024, hard))
        # The first may still find room.
        for number in range(4):
            await exam.ask(on.seats["slack"], channel=number % 2)
        await on.until(lambda: attempts(on) >= 2, "Slack delivers again")
        resource.prlimit(bridge.process.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await exam.pass_all(most_asks=1)
