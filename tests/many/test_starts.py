"""Processes that start at the same moment, as an orchestrator starts them."""

from pathlib import Path

import pytest

from tests.many.fleet import Crowd, fleet
from tests.storage.postgres_server import postgres_url

__all__ = ["postgres_url"]

pytestmark = pytest.mark.process


async def test_five_that_start_at_once_on_an_empty_database_are_one_bridge(postgres_url: str, tmp_path: Path) -> None:
    async with fleet(tmp_path, postgres_url) as on:
        crowd = Crowd(on)
        members = await on.start_many(5)
        assert len(on.discord.sessions) == 1, "one hears Discord, the others stand by"
        assert on.slack.open_sockets >= 5, "each is connected; a second connection may already stand"
        for _ in range(3):
            for seat in on.seats.values():
                await crowd.ask(seat)
        await crowd.settle()
        migrations = [line for member in members for line in member.log.read_text().splitlines() if "migrated" in line]
        assert len(migrations) == 1, "one makes the tables, the others wait for it"
        assert not any(event.get("level") == "error" for member in members for event in member.events())
        await crowd.pass_all(most_asks=1)
