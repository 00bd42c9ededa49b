"""One process hears Discord; when it dies another one does, and reads up what was said meanwhile."""

import signal
from pathlib import Path

import pytest

from tests.many.fleet import Crowd, Fleet, Member, fleet
from tests.recovery import looking
from tests.storage.postgres_server import migrated_template, migrated_url

__all__ = ["migrated_template", "migrated_url"]

pytestmark = pytest.mark.process

WITHIN = 10.0
"""Seconds, with the settings that everybody has who sets none."""

ORDINARY = {"DATABASE_HEARTBEAT": "2", "DATABASE_STALLED": "10"}


def hearing(on: Fleet) -> Member:
    """The process that hears Discord."""
    [holder] = [member for member in on.alive if member.logged("shard_taken")]
    return holder


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=lambda number: number.name)
async def test_the_standby_takes_over_and_answers_what_was_asked_meanwhile(
    number: signal.Signals, migrated_url: str, tmp_path: Path
) -> None:
    async with fleet(tmp_path, migrated_url) as on:
        crowd, seat = Crowd(on), on.seats["discord"]
        await on.start_many(2, **ORDINARY)
        thread = await crowd.ask(seat)
        await on.until(lambda: crowd.is_whole("discord", thread), "a first answer")
        holder = hearing(on)
        holder.send(number)
        await holder.ended()
        died = on.clock.monotonic()
        # In a thread that is there, and in a new one.
        await crowd.follow(seat, thread)
        other = await crowd.ask(seat, channel=1)
        await on.until(lambda: crowd.is_whole("discord", thread) and looking.is_open(seat, other), "it is read up")
        await on.until(lambda: crowd.is_whole("discord", other), "both are answered")
        assert on.clock.monotonic() - died < WITHIN
        heir = hearing(on)
        assert heir is not holder
        if number is signal.SIGKILL:
            assert heir.logged("caught_up"), "nobody heard it when it was written"
        await crowd.settle()
        await crowd.pass_all(most_asks=1)


async def test_an_answer_whose_process_was_killed_is_gone_on_with_within_ten_seconds(
    migrated_url: str, tmp_path: Path
) -> None:
    async with fleet(tmp_path, migrated_url) as on:
        crowd = Crowd(on)
        await on.start_many(2, **ORDINARY)
        for name, seat in on.seats.items():
            crowd.slow[f"q{name}"], crowd.lengths[f"q{name}"] = 0.2, 40
            await crowd.ask(seat, name=f"q{name}")
        await on.until(lambda: all(crowd.times_asked(f"q{name}") == 1 for name in on.seats), "both are being answered")
        victim, heir = on.alive
        victim.send(signal.SIGKILL)
        await victim.ended()
        died = on.clock.monotonic()
        await on.until(lambda: on.workers() == [heir.worker] * 2, "the other one has both")
        assert on.clock.monotonic() - died < WITHIN
        await crowd.settle()
        await crowd.pass_all(most_asks=2)
