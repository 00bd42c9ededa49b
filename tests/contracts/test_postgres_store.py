"""The store on a real PostgreSQL keeps the promises."""

from collections.abc import AsyncIterator, Iterator

import pytest

from bridge.clock import SystemClock
from bridge.feedback import aggregate
from bridge.settings import isolated
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from bridge.storage.tables import metadata
from tests.contracts.archive_suite import ArchiveContract
from tests.contracts.opinions_suite import OpinionsContract
from tests.contracts.picks_suite import PicksContract
from tests.contracts.store_suite import StoreContract
from tests.storage.postgres_server import migrated, server


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """One database for all: emptying it is ten times quicker than making another."""
    made = server().create(migrated())
    yield made
    server().drop(made)


class TestPostgresStore(StoreContract, ArchiveContract, PicksContract, OpinionsContract):
    @pytest.fixture
    async def store(self, url: str) -> AsyncIterator[SqlStore]:
        opened = await open_store(isolated(Settings, database_url=url), SystemClock(), aggregate)
        async with opened._database.writer.begin() as connection:
            await connection.exec_driver_sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE")
        yield opened
        await opened.close()
