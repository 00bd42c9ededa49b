"""Every store keeps what members fill in."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bridge.feedback import aggregate
from bridge.settings import isolated
from bridge.storage.inputs import SqlInputs
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings
from bridge.storage.store import open_store
from bridge.storage.tables import metadata
from tests.contracts.inputs_suite import Archive, InputsContract, SqlInputsContract
from tests.fakes.clock import FakeClock
from tests.fakes.inputs import FakeInputs
from tests.fakes.store import FakeStore
from tests.storage.postgres_server import migrated, server


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "bridge.db"
    asyncio.run(migrate(isolated(Settings, database_url=f"sqlite:///{file}")))
    return file


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    made = server().create(migrated())
    yield made
    server().drop(made)


class TestSqliteInputs(SqlInputsContract):
    @pytest.fixture
    async def archive(self, template: Path, tmp_path: Path) -> AsyncIterator[Archive]:
        file, clock = shutil.copy(template, tmp_path / "bridge.db"), FakeClock()
        store = await open_store(isolated(Settings, database_url=f"sqlite:///{file}"), clock, aggregate)
        yield Archive(store, SqlInputs(store, clock), clock)
        await store.close()


class TestPostgresInputs(SqlInputsContract):
    @pytest.fixture
    async def archive(self, url: str) -> AsyncIterator[Archive]:
        clock = FakeClock()
        store = await open_store(isolated(Settings, database_url=url), clock, aggregate)
        async with store.writing() as connection:
            await connection.exec_driver_sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE")
        yield Archive(store, SqlInputs(store, clock), clock)
        await store.close()


class TestFakeInputs(InputsContract):
    @pytest.fixture
    def archive(self) -> Archive:
        clock = FakeClock()
        store = FakeStore(aggregate, clock)
        return Archive(store, FakeInputs(store), clock)
