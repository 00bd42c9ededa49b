"""SIGTERM, once and twice, and a second bridge on the same file."""

import signal
from pathlib import Path

import pytest

from tests.recovery.rows import NAME
from tests.recovery.test_orders import PLATFORMS, growing
from tests.recovery.verdict import Exam
from tests.recovery.world import world

pytestmark = pytest.mark.process


@PLATFORMS
async def test_sigterm_lets_answers_finish_and_ends_with_zero(platform: str, tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        exam = Exam(on)
        await on.start()
        await growing(exam, on.seats[platform], per_token=0.02)
        await on.end_gently()
        assert exam.problems(most_asks=1) == []
        assert on.unfinished() == []


@PLATFORMS
@pytest.mark.parametrize(("mode", "asks"), [("chat", 2), ("advanced-chat", 1)])
async def test_what_outlasts_the_grace_is_handed_over_and_answered_by_the_next_one(
    mode: str, asks: int, platform: str, tmp_path: Path
) -> None:
    async with world(tmp_path, mode) as on:
        exam, seat = Exam(on), on.seats[platform]
        await on.start(SHUTDOWN_GRACE="0.3")
        thread = await growing(exam, seat)
        await exam.follow(seat, thread)
        await on.until_logged("accepted", 2)
        began = on.clock.monotonic()
        await on.end_gently()
        assert on.clock.monotonic() - began < 8, "the grace was short"
        assert len(exam.shown(seat, thread)) < len(exam.answer(NAME))
        await on.start()
        await exam.pass_all(most_asks=asks)


@PLATFORMS
async def test_a_second_sigterm_ends_it_at_once_and_loses_nothing(platform: str, tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        bridge = await on.start(SHUTDOWN_GRACE="60")
        thread = await growing(exam, seat, per_token=0.2)
        await exam.follow(seat, thread)
        await on.until_logged("accepted", 2)
        bridge.send(signal.SIGTERM)
        await on.until_logged("stopping")
        began = on.clock.monotonic()
        bridge.send(signal.SIGTERM)
        assert await bridge.ended() == 0
        assert on.clock.monotonic() - began < 8
        await on.start()
        await exam.pass_all(most_asks=2)


@PLATFORMS
async def test_killed_during_the_grace_nothing_is_lost(platform: str, tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        bridge = await on.start()
        thread = await growing(exam, seat)
        await exam.follow(seat, thread)
        await on.until_logged("accepted", 2)
        bridge.send(signal.SIGTERM)
        await on.until_logged("stopping")
        await bridge.kill()
        await on.start()
        await exam.pass_all(most_asks=2)


@PLATFORMS
async def test_what_is_asked_while_it_shuts_down_is_answered_by_the_next_one(platform: str, tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        bridge = await on.start()
        await growing(exam, seat)
        bridge.send(signal.SIGTERM)
        await on.until_logged("stopping")
        await exam.ask(seat, channel=1)
        assert await bridge.ended() == 0
        await on.start()
        await exam.pass_all(most_asks=1)


async def test_a_second_bridge_on_the_same_file_is_refused_in_one_line_and_the_first_goes_on(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        exam = Exam(on)
        first = await on.start()
        for seat in on.seats.values():
            await exam.ask(seat)
        second = on.launch()
        assert await second.ended() == 1
        text = on.log.read_text()
        assert "in use by another bridge process" in text
        assert "Traceback" not in text
        on.bridges.remove(second)
        second.process.close()
        assert first.alive
        await exam.pass_all(most_asks=1)


async def test_the_log_has_neither_message_text_nor_secrets(tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        exam = Exam(on)
        await on.start(LOG_LEVEL="DEBUG")
        for seat in on.seats.values():
            await exam.ask(seat, name=f"qxyzzy{seat.name}")
        await exam.pass_all(most_asks=1)
        log = on.log.read_text()
        assert "accepted" in log
        secrets = (on.slack.bot_token, on.slack.app_token, on.discord.token, on.dify.api_key)
        for secret in ("qxyzzy", *secrets):
            assert secret not in log
