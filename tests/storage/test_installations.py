"""Installations on both databases: what everybody promises, and what a reader of the tables, an old key and a crash can do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from bridge.clock import SystemClock
from bridge.errors import StoreUnavailable
from bridge.feedback import aggregate
from bridge.messages import InstallationId, PlatformName
from bridge.settings import isolated
from bridge.storage.installations import KeptInstallations, SqlInstallations, open_installations
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from bridge.storage.tables import metadata
from bridge.storage.vault import Vault
from tests.contracts.store_installations_suite import T1, InstallationsContract, installed, token_of
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE
from tests.storage.postgres_server import migrated, server

# Of Fernet's shape, so that nothing is derived and the tests are quick.
NEW, OLD, NEITHER = (SecretStr(letter * 43 + "=") for letter in "AIQ")


@pytest.fixture(scope="module")
def shared_url() -> Iterator[str]:
    made = server().create(migrated())
    yield made
    server().drop(made)


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    file = f"sqlite:///{tmp_path}/bridge.db"
    url = file if request.param == "sqlite" else request.getfixturevalue("shared_url")
    return isolated(Settings, database_url=url, encryption_key=f"{NEW.get_secret_value()},{OLD.get_secret_value()}")


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[SqlStore]:
    await migrate(settings)
    opened = await open_store(settings, SystemClock(), aggregate)
    if settings.shared:
        async with opened.writing() as connection:
            await connection.exec_driver_sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE")
    yield opened
    await opened.close()


@pytest.fixture
def kept(settings: Settings, store: SqlStore) -> KeptInstallations:
    opened = open_installations(settings, store, SystemClock())
    assert opened is not None
    return opened


@pytest.fixture
def installations(kept: KeptInstallations) -> SqlInstallations:
    return kept.of(FAKE)


def with_keys(store: SqlStore, settings: Settings, *keys: SecretStr) -> KeptInstallations:
    return KeptInstallations(store, Vault(keys), SystemClock(), shared=settings.shared)


async def dump(store: SqlStore) -> str:
    """Everything in every table, as somebody sees it who has a copy of the database."""
    async with store.reading() as connection:
        tables = [(await connection.execute(table.select())).all() for table in metadata.sorted_tables]
    return repr(tables)


class TestSqlInstallations(InstallationsContract):
    pass


async def test_a_copy_of_the_database_opens_no_door(store: SqlStore, installations: SqlInstallations) -> None:
    await installations.save(installed())
    async with installations.renewing(T1) as renewal:
        await renewal.save(installed(secret="xoxb-2"))
    state = await installations.issue_state(timedelta(minutes=1))
    seen = await dump(store)
    assert "Acme" in seen
    assert "xoxb" not in seen
    assert "refresh" not in seen
    assert state not in seen


async def test_platforms_have_their_own(kept: KeptInstallations) -> None:
    ours, theirs = kept.of(FAKE), kept.of(PlatformName("another"))
    await ours.save(installed())
    assert await theirs.find(T1) is None
    assert list(await theirs.all()) == []
    assert not await theirs.remove(T1)
    assert not await theirs.redeem_state(await ours.issue_state(timedelta(minutes=1)))
    assert kept.of(FAKE) is ours


async def test_there_are_none_without_a_key(store: SqlStore) -> None:
    assert open_installations(isolated(Settings), store, SystemClock()) is None


async def test_what_an_old_key_sealed_is_found_and_comes_under_the_new_one(store: SqlStore, settings: Settings) -> None:
    await with_keys(store, settings, OLD).of(FAKE).save(installed())
    both = with_keys(store, settings, NEW, OLD)
    assert await both.of(FAKE).find(T1) == installed()
    await both.keep_house()
    assert await both.reencrypt() == 0, "once is enough"
    assert await with_keys(store, settings, NEW).of(FAKE).find(T1) == installed()


async def test_what_is_saved_again_comes_under_the_new_key(store: SqlStore, settings: Settings) -> None:
    await with_keys(store, settings, OLD).of(FAKE).save(installed())
    async with with_keys(store, settings, NEW, OLD).of(FAKE).renewing(T1) as renewal:
        assert renewal.current is not None
        await renewal.save(renewal.current)
    assert await with_keys(store, settings, NEW).of(FAKE).find(T1) == installed()


async def test_what_no_key_opens_is_not_there_and_the_log_says_how_to_mend_it(
    store: SqlStore, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await with_keys(store, settings, OLD).of(FAKE).save(installed())
    capsys.readouterr()
    other = with_keys(store, settings, NEITHER).of(FAKE)
    for _ in range(3):
        assert await other.find(T1) is None
    assert list(await other.all()) == []
    async with other.renewing(T1) as renewal:
        assert renewal.current is None
    said = capsys.readouterr().out
    assert said.count("installation_unreadable") == 1, "it is looked for with every event"
    assert "ENCRYPTION_KEY" in said
    assert await with_keys(store, settings, NEITHER).reencrypt() == 0
    assert await with_keys(store, settings, OLD).of(FAKE).find(T1) == installed(), "and it is not touched"
    await other.save(installed(secret="again"))
    assert token_of(await other.find(T1)) == "again"


async def test_secrets_that_were_copied_to_another_installation_do_not_open_there(
    store: SqlStore, installations: SqlInstallations
) -> None:
    await installations.save(installed())
    async with store.writing() as connection:
        await connection.execute(text("UPDATE installation SET id = 'T2'"))
    assert list(await installations.all()) == []


async def test_states_that_nobody_brought_back_are_forgotten(store: SqlStore, settings: Settings) -> None:
    clock = FakeClock()
    kept = KeptInstallations(store, Vault([NEW]), clock, shared=settings.shared)
    ours, theirs = kept.of(FAKE), kept.of(PlatformName("another"))
    old = await ours.issue_state(timedelta(minutes=1))
    await theirs.issue_state(timedelta(minutes=1))
    await clock.advance(61)
    young = await ours.issue_state(timedelta(minutes=1))
    assert (await dump(store)).count(FAKE) == 1, "looked after also where people only begin"
    assert await kept.prune_states() == 1
    assert await kept.prune_states() == 0
    assert not await ours.redeem_state(old)
    assert await ours.redeem_state(young)


async def test_secrets_are_in_no_log(
    store: SqlStore, installations: SqlInstallations, capsys: pytest.CaptureFixture[str]
) -> None:
    await installations.save(installed())
    async with store.writing() as connection:
        await connection.execute(text("UPDATE installation SET facts = 'xoxb'"))
    with pytest.raises(StoreUnavailable) as caught:
        await installations.find(T1)
    assert "xoxb" not in str(caught.value)
    assert "xoxb" not in capsys.readouterr().out


async def test_waiting_for_a_renewal_in_the_same_process_has_an_end(store: SqlStore, settings: Settings) -> None:
    impatient = SqlInstallations(
        store, FAKE, Vault([NEW]), SystemClock(), shared=settings.shared, at_once=1, patience=0.05
    )
    await impatient.save(installed())
    async with impatient.renewing(T1):
        with pytest.raises(StoreUnavailable, match="too long"):
            await impatient.save(installed())


async def test_only_so_many_connections_are_held(store: SqlStore, settings: Settings) -> None:
    few = SqlInstallations(store, FAKE, Vault([NEW]), SystemClock(), shared=settings.shared, at_once=2)
    most = now = 0

    async def renew(number: int) -> None:
        nonlocal most, now
        one = installed(InstallationId(f"T{number}"))
        async with few.renewing(one.id) as renewal:
            now += 1
            most = max(most, now)
            for _ in range(5):
                await few.find(one.id)
            now -= 1
            await renewal.save(one)

    await asyncio.gather(*(renew(number) for number in range(8)))
    assert most == (2 if settings.shared else 8)
    assert len(await few.all()) == 8


# Several processes


@pytest.fixture
async def two(shared_url: str) -> AsyncIterator[tuple[SqlInstallations, SqlInstallations]]:
    settings = isolated(Settings, database_url=shared_url, database_busy_timeout=0.5)
    stores = [await open_store(settings, SystemClock(), aggregate) for _ in range(2)]
    async with stores[0].writing() as connection:
        await connection.exec_driver_sql("TRUNCATE installation, install_state")
    one, other = (KeptInstallations(store, Vault([NEW]), SystemClock(), shared=True).of(FAKE) for store in stores)
    await one.save(installed())
    yield one, other
    for store in stores:
        await store.close()


def end_idle_transactions(url: str) -> None:
    """As the server does when they are idle for too long."""
    with closing(psycopg.connect(url, autocommit=True)) as other:
        ended = other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE state = 'idle in transaction' AND datname = current_database()"
        )
        assert ended.fetchall() == [(True,)]


async def test_of_two_processes_one_renews(two: tuple[SqlInstallations, SqlInstallations]) -> None:
    asked = 0

    async def renew(installations: SqlInstallations) -> str | None:
        nonlocal asked
        async with installations.renewing(T1) as renewal:
            if token_of(renewal.current) == "xoxb-1":
                asked += 1
                await installations.find(T1)  # the platform is asked
                await renewal.save(installed(secret="xoxb-2"))
            return token_of(renewal.current)

    assert await asyncio.gather(*(renew(two[number % 2]) for number in range(6))) == ["xoxb-2"] * 6
    assert asked == 1


async def test_while_one_process_renews_the_other_reads_and_its_writing_waits_with_an_end(
    two: tuple[SqlInstallations, SqlInstallations],
) -> None:
    one, other = two
    async with one.renewing(T1):
        assert token_of(await other.find(T1)) == "xoxb-1"
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            await other.save(installed(secret="xoxb-2"))
        with pytest.raises(StoreUnavailable, match="lock timeout"):
            async with other.renewing(T1):
                pass
    assert await other.remove(T1)


async def test_one_state_is_redeemed_by_one_process(two: tuple[SqlInstallations, SqlInstallations]) -> None:
    for _ in range(5):
        state = await two[0].issue_state(timedelta(minutes=1))
        results = await asyncio.gather(*(installations.redeem_state(state) for installations in two))
        assert sorted(results) == [False, True]


async def test_what_was_given_is_kept_even_when_the_row_was_lost_meanwhile(
    two: tuple[SqlInstallations, SqlInstallations], shared_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    one, other = two
    async with one.renewing(T1) as renewal:
        end_idle_transactions(shared_url)
        await renewal.save(installed(secret="xoxb-2"))
    assert token_of(await other.find(T1)) == "xoxb-2"
    assert "renewal_lost_its_row" in capsys.readouterr().out


async def test_a_hold_that_the_server_ended_unsaved_hides_nothing(
    two: tuple[SqlInstallations, SqlInstallations], shared_url: str
) -> None:
    one, other = two

    async def fail() -> None:
        async with one.renewing(T1):
            end_idle_transactions(shared_url)
            raise RuntimeError("what went wrong")

    with pytest.raises(RuntimeError, match="what went wrong"):
        await fail()
    async with other.renewing(T1) as renewal:
        assert renewal.current == installed()
