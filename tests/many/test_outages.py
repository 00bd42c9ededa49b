"""PostgreSQL goes away in the middle of answers and comes back: nobody is told a lie, and nothing is lost."""

import signal
from pathlib import Path

import pytest

from tests.many.fleet import STALLED, Crowd, fleet
from tests.recovery.rows import NAME
from tests.recovery.test_orders import growing
from tests.storage.postgres_server import migrated_template, migrated_url, server

__all__ = ["migrated_template", "migrated_url"]

pytestmark = pytest.mark.process


@pytest.mark.parametrize(
    ("seconds", "number"),
    [(0.0, signal.SIGQUIT), (STALLED + 1.0, signal.SIGINT)],
    ids=["crashed", "away for longer than a frozen process may be"],
)
async def test_the_database_is_away_in_mid_turn(
    seconds: float, number: signal.Signals, migrated_url: str, tmp_path: Path
) -> None:
    async with fleet(tmp_path, migrated_url) as on:
        crowd = Crowd(on)
        on.slack.ack_timeout = 0.5
        on.slack.retry_schedule = (0.5, 1.0, 2.0, 4.0, 8.0)
        members = await on.start_many(2)
        thread = await growing(crowd, on.seats["slack"])
        other = await crowd.ask(on.seats["discord"], name="qother")
        await on.until(lambda: crowd.times_asked("qother") == 1, "both platforms are being answered")
        server().stop(number)
        try:
            before = len(on.slack.deliveries)
            await crowd.ask(on.seats["slack"], channel=1)
            late = on.slack.deliveries[before:]
            await crowd.ask(on.seats["discord"], channel=1)
            await on.until(lambda: all(one.attempts >= 2 for one in late), "Slack delivers again")
            await on.clock.sleep(seconds)
            assert not any(one.acked_at for one in late), "nothing is acknowledged that is not kept"
        finally:
            server().start()
        await crowd.settle()
        assert [member.alive for member in members] == [True, True], "it costs no process"
        assert crowd.times_asked(NAME) == 1
        assert (crowd.is_whole("slack", thread), crowd.is_whole("discord", other)) == (True, True)
        await crowd.pass_all(most_asks=1)
