"""Logins to the gateway are few, and running out of them costs the token: they are counted, spread and never used up."""

import asyncio
from datetime import timedelta

from structlog.testing import capture_logs

from adapters.discord.gateway.logins import Allowance, Logins, is_short
from tests.fakes.clock import FakeClock

HOUR = 3600.0


def allowance(left: int, *, hours: float = 10, at_once: int = 1) -> Allowance:
    return Allowance(total=1000, left=left, resets_in=timedelta(hours=hours), at_once=at_once)


def logins(clock: FakeClock, told: Allowance | None = None) -> Logins:
    one = Logins(clock, gap=5.0)
    if told is not None:
        one.learn(told)
    return one


def test_plenty_of_logins_need_no_wait() -> None:
    one = logins(FakeClock(), allowance(900))
    one.count()
    assert one.pause == 0
    assert logins(FakeClock()).pause == 0


async def test_from_the_half_on_they_are_spread_over_what_is_left_of_the_day() -> None:
    clock = FakeClock()
    one = logins(clock, allowance(350))
    # Whoever has not logged in yet does so at once.
    assert one.pause == 0
    one.count()
    # 299 of them may still be used in ten hours.
    assert 115 < one.pause < 125
    await clock.advance(one.pause)
    assert one.pause == 0


async def test_the_last_ones_are_kept_until_there_are_new_ones() -> None:
    clock = FakeClock()
    one = logins(clock, allowance(50))
    assert one.pause == 10 * HOUR
    await clock.advance(10 * HOUR)
    assert one.pause == 0


def test_own_logins_count_before_discord_is_asked_again() -> None:
    one = logins(FakeClock(), allowance(51))
    one.count()
    assert one.pause == 10 * HOUR


async def test_a_long_wait_is_told_once_and_then_over() -> None:
    clock = FakeClock()
    one = logins(clock, allowance(20, hours=1))
    with capture_logs() as logged:
        waiting = asyncio.create_task(one.turn(0))
        await clock.advance(60)
        assert "only 20" in one.detail
        assert "60 minutes" in one.detail
        assert not waiting.done()
        await clock.advance(HOUR)
        await asyncio.wait_for(waiting, 5)
    assert one.detail == ""
    assert [each["event"] for each in logged] == ["gateway_logins_spared"]


async def test_shards_log_in_one_after_the_other() -> None:
    clock = FakeClock()
    one = logins(clock, allowance(1000))
    turns = [asyncio.create_task(one.turn(shard)) for shard in range(3)]
    await clock.advance(0.1)
    assert [turn.done() for turn in turns] == [True, False, False]
    await clock.advance(5)
    assert [turn.done() for turn in turns] == [True, True, False]
    await clock.advance(5)
    assert all(turn.done() for turn in turns)


async def test_as_many_side_by_side_as_discord_allows() -> None:
    clock = FakeClock()
    one = logins(clock, allowance(1000, at_once=2))
    turns = [asyncio.create_task(one.turn(shard)) for shard in range(4)]
    await clock.advance(0.1)
    assert [turn.done() for turn in turns] == [True, True, False, False]
    await clock.advance(5)
    assert all(turn.done() for turn in turns)


def test_few_left_are_worth_a_warning() -> None:
    assert is_short(allowance(50))
    assert not is_short(allowance(51))
