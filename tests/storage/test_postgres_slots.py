"""One write budget for all processes: never more than the platform allows in any window, and no queue of its own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise

import pytest

from bridge.clock import SystemClock
from bridge.platform_api import WriteBudget
from bridge.settings import isolated
from bridge.storage.opening import Database, open_database
from bridge.storage.settings import Settings
from bridge.storage.slots import SharedSlots
from tests.storage.postgres_server import migrated_template, migrated_url, server

__all__ = ["migrated_template", "migrated_url"]


async def opened(url: str) -> Database:
    return await open_database(isolated(Settings, database_url=url), SystemClock())


@pytest.fixture
async def processes(migrated_url: str) -> AsyncIterator[list[SharedSlots]]:
    databases = [await opened(migrated_url) for _ in range(2)]
    yield [SharedSlots(database.readers) for database in databases]
    for database in databases:
        await database.close()


async def book(processes: list[SharedSlots], key: str, budget: WriteBudget, count: int) -> list[float]:
    """Seconds to wait, of so many writes that two processes want at once."""
    return sorted(await asyncio.gather(*(processes[one % 2].book(key, budget) for one in range(count))))


async def test_posts_of_two_processes_are_spread_over_the_window(processes: list[SharedSlots]) -> None:
    waits = await book(processes, "slack/C1", WriteBudget(limit=4, window=timedelta(seconds=400)), 6)
    assert waits[0] == 0
    assert all(after - before > 99 for before, after in pairwise(waits))
    assert await processes[0].book("slack/C2", WriteBudget(limit=4, window=timedelta(seconds=400))) == 0


async def test_a_large_budget_allows_a_burst_and_is_kept_in_every_window(processes: list[SharedSlots]) -> None:
    budget = WriteBudget(limit=40, window=timedelta(seconds=400))
    waits = await book(processes, "discord", budget, 100)
    assert waits[9] < 1 < waits[10]
    for begin in waits:
        assert sum(begin <= wait < begin + 399 for wait in waits) <= 40


async def test_the_word_of_the_platform_holds_for_everybody(processes: list[SharedSlots]) -> None:
    budget = WriteBudget(limit=40, window=timedelta(seconds=4))
    await processes[0].block("discord", 100)
    assert await processes[1].book("discord", budget) > 90
    await processes[0].block("discord", 1)
    assert await processes[1].book("discord", budget) > 90, "a later word never shortens it"


async def test_without_the_database_nobody_is_held_up(processes: list[SharedSlots]) -> None:
    server().stop()
    try:
        assert await processes[0].book("discord", WriteBudget(limit=1, window=timedelta(seconds=9))) == 0
        await processes[0].block("discord", 100)
    finally:
        server().start()
