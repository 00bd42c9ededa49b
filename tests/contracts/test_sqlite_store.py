"""The SQLite store keeps the promises."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.clock import SystemClock
from bridge.feedback import aggregate
from bridge.settings import isolated
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from tests.contracts.store_suite import StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[SqlStore]:
        settings = isolated(Settings, database_url=f"sqlite:///{tmp_path}/bridge.db")
        await migrate(settings)
        opened = await open_store(settings, SystemClock(), aggregate)
        yield opened
        await opened.close()
