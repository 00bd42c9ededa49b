"""The SQLite store keeps the promises."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.clock import SystemClock
from bridge.feedback import aggregate
from bridge.settings import isolated
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from tests.contracts.archive_suite import ArchiveContract
from tests.contracts.opinions_suite import OpinionsContract
from tests.contracts.picks_suite import PicksContract
from tests.contracts.store_suite import StoreContract


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file without content: copying it is much quicker than migrating another."""
    file = tmp_path_factory.mktemp("template") / "bridge.db"
    asyncio.run(migrate(isolated(Settings, database_url=f"sqlite:///{file}")))
    return file


class TestSqliteStore(StoreContract, ArchiveContract, PicksContract, OpinionsContract):
    @pytest.fixture
    async def store(self, template: Path, tmp_path: Path) -> AsyncIterator[SqlStore]:
        file = shutil.copy(template, tmp_path / "bridge.db")
        opened = await open_store(isolated(Settings, database_url=f"sqlite:///{file}"), SystemClock(), aggregate)
        yield opened
        await opened.close()
