"""What PostgreSQL must do for the promise: one migration for all, bounded waits, honest errors, and no password anywhere."""

import asyncio
import os
import socket
import subprocess
import sys
import traceback
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from importlib import resources

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.check import _check_database
from bridge.clock import SystemClock
from bridge.errors import SettingsError, StoreUnavailable
from bridge.platform_api import Severity
from bridge.settings import isolated, read
from bridge.storage import postgres
from bridge.storage.engine import migration_connection, translated
from bridge.storage.migrate import current_revision, head_revision, migrate, migrations_folder
from bridge.storage.opening import Database, open_database
from bridge.storage.settings import Settings
from bridge.storage.tables import metadata
from tests.storage.postgres_server import migrated_template, migrated_url, postgres_url, server

__all__ = ["migrated_template", "migrated_url", "postgres_url"]


def settings_for(url: str, **more: object) -> Settings:
    return isolated(Settings, database_url=url, **more)


def told(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


# The address


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_every_usual_spelling_is_taken(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://me:secret@db.example:5433/bridge?sslmode=require")
    settings = read(Settings, None)
    assert settings.shared
    parts = psycopg.conninfo.conninfo_to_dict(postgres.conninfo(settings))
    wanted = {"host": "db.example", "port": "5433", "user": "me", "password": "secret", "dbname": "bridge"}
    assert {name: parts[name] for name in wanted} == wanted
    assert parts["sslmode"] == "require"


def test_without_an_address_it_is_a_file() -> None:
    assert not isolated(Settings).shared


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("postgresql://me:hidden@db", "the name of the database is missing"),
        ("postgresql://me:hid@den@db/bridge", "percent-encoded"),
        ("postgresql://me@db:hidden/bridge", "percent-encoded"),
        ("mysql://me:hidden@db/bridge", "not supported"),
    ],
)
def test_a_wrong_address_is_refused_with_the_fix_and_without_the_password(
    url: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SettingsError, match=hint) as caught:
        read(Settings, None)
    assert "DATABASE_URL" in str(caught.value)
    for piece in ("hidden", "hid@", "den@"):
        assert piece not in told(caught.value)


async def test_the_password_is_in_no_error_and_no_picture_of_the_settings(postgres_url: str) -> None:
    wrong = settings_for(server().url("postgres", password="quite hidden"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        nowhere = settings_for(f"postgresql://bridge:quite%20hidden@127.0.0.1:{taken.getsockname()[1]}/bridge")
        for settings in (wrong, nowhere):
            database = await open_database(settings, SystemClock())
            with pytest.raises(StoreUnavailable) as migrating:
                await migrate(settings)
            with pytest.raises(StoreUnavailable) as working, translated():
                async with database.writer.begin():
                    pass
            shown = [told(migrating.value), told(working.value), repr(settings), str(settings.url), repr(database)]
            assert "hidden" not in "".join(shown)
            assert "127.0.0.1" in str(migrating.value)
            await database.close()


# Migrating


def run_at_once(code: str, url: str, count: int) -> list[str]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "DATABASE_URL": url},
        )
        for _ in range(count)
    ]  # fmt: skip
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * count, results
    return [out.strip() for out, _ in results]


MIGRATE = """
import asyncio, sys
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings
revision = asyncio.run(migrate(Settings()))
print(revision, "alembic" in sys.modules)
"""


def test_five_processes_that_migrate_at_once_all_succeed_and_one_works(postgres_url: str) -> None:
    results = run_at_once(MIGRATE, postgres_url, 5)
    assert {result.splitlines()[-1].split()[0] for result in results} == {head_revision()}
    with closing(psycopg.connect(postgres_url)) as connection:
        [[rows]] = connection.execute("SELECT count(*) FROM alembic_version").fetchall()
    assert rows == 1
    assert run_at_once(MIGRATE, postgres_url, 1) == [f"{head_revision()} False"], "a later start finds it done"


async def test_a_newer_database_is_used_as_it_is(migrated_url: str) -> None:
    with closing(psycopg.connect(migrated_url)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'r9999'")
        connection.commit()
    assert await migrate(settings_for(migrated_url)) == "r9999"


async def test_the_tables_are_those_of_the_tables_module(migrated_url: str) -> None:
    with migration_connection(settings_for(migrated_url)) as connection:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "target_metadata": metadata,
            "include_name": lambda name, kind, _: not (kind == "table" and name.startswith("procrastinate_")),
        }
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


CATALOGUE = (
    """SELECT table_name, column_name, data_type, column_default, is_nullable FROM information_schema.columns
        WHERE table_name LIKE 'procrastinate%'""",
    "SELECT indexdef FROM pg_indexes WHERE indexname LIKE '%procrastinate%'",
    "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid::regclass::text LIKE 'procrastinate%'",
    "SELECT proname, pg_get_function_identity_arguments(oid), prosrc FROM pg_proc WHERE proname LIKE 'procrastinate%'",
    "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname LIKE 'procrastinate%'",
    "SELECT enumlabel FROM pg_enum",
    "SELECT typname FROM pg_type WHERE typname LIKE '%procrastinate%'",
)


async def test_the_queue_is_the_one_that_its_library_expects(migrated_url: str, postgres_url: str) -> None:
    with closing(psycopg.connect(postgres_url)) as fresh, closing(psycopg.connect(migrated_url)) as migrated:
        fresh.execute((resources.files("procrastinate.sql") / "schema.sql").read_bytes())
        for query in CATALOGUE:
            expected = set(fresh.execute(query.encode()).fetchall())
            assert expected
            assert set(migrated.execute(query.encode()).fetchall()) == expected


async def test_the_queue_can_be_taken_away_and_brought_back(migrated_url: str) -> None:
    settings = settings_for(migrated_url)
    with migration_connection(settings) as connection:
        config = Config()
        config.set_main_option("script_location", str(migrations_folder()))
        config.attributes["connection"] = connection
        command.downgrade(config, "r0002")
        left = "SELECT proname FROM pg_proc WHERE proname ~ '^(procrastinate|bridge)_'"
        assert connection.execute(text(left)).all() == []
    assert await migrate(settings) == head_revision()


async def test_an_old_server_is_refused_by_its_number(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "OLDEST", 99)
    with pytest.raises(SettingsError, match="PostgreSQL 99 or newer is needed"):
        await migrate(settings_for(postgres_url))


async def test_check_says_how_the_database_is(postgres_url: str) -> None:
    settings = settings_for(postgres_url)
    assert (await _check_database(settings)).problem == "not created yet"
    await migrate(settings)
    assert (await _check_database(settings)).severity is Severity.OK
    refused = await _check_database(settings_for(server().url("postgres", password="wrong")))
    assert refused.severity is Severity.ERROR
    assert "password authentication failed" in refused.problem


# Working


@contextmanager
def blocking(url: str, statement: str) -> Iterator[None]:
    """Somebody else in the middle of a transaction."""
    with closing(psycopg.connect(url)) as other:
        other.execute(statement.encode())
        yield


async def add_slots(
    database: Database, *keys: str, between: Callable[[AsyncConnection], Awaitable[None]] | None = None
) -> None:
    """Writes rows in one transaction."""
    with translated():
        async with database.writer.begin() as connection:
            for key in keys:
                await connection.execute(
                    text("INSERT INTO rate_slot (key, next_at) VALUES (:key, now())"), {"key": key}
                )
                if between is not None:
                    await between(connection)


async def test_waiting_for_a_lock_has_an_end(migrated_url: str) -> None:
    database = await open_database(settings_for(migrated_url, database_busy_timeout=0.1), SystemClock())
    with blocking(migrated_url, "LOCK TABLE rate_slot"), pytest.raises(StoreUnavailable, match="lock timeout"):
        await add_slots(database, "a")
    await database.close()


async def test_a_deadlock_is_a_failure_that_can_be_tried_again(migrated_url: str) -> None:
    database = await open_database(settings_for(migrated_url), SystemClock())
    both = asyncio.Barrier(2)

    async def lock(first: str, second: str) -> None:
        with translated():
            async with database.writer.begin() as connection:
                take = text("SELECT pg_advisory_xact_lock(hashtext(:name))")
                await connection.execute(take, {"name": first})
                await both.wait()
                await connection.execute(take, {"name": second})

    ends = await asyncio.gather(lock("a", "b"), lock("b", "a"), return_exceptions=True)
    [failed] = [end for end in ends if end is not None]
    assert isinstance(failed, StoreUnavailable)
    assert "deadlock" in str(failed)
    await database.close()


async def test_rows_that_the_server_quotes_are_in_no_error(migrated_url: str) -> None:
    wish = " ".join(("my", "secret", "wish"))  # not as one literal: a traceback quotes this file too
    database = await open_database(settings_for(migrated_url), SystemClock())
    with pytest.raises(StoreUnavailable) as caught:
        await add_slots(database, wish, wish)
    assert "duplicate key" in str(caught.value)
    assert wish not in told(caught.value)
    await database.close()


async def test_reading_takes_no_transaction_and_writing_does(migrated_url: str) -> None:
    database = await open_database(settings_for(migrated_url), SystemClock())
    running = text("SELECT now() = statement_timestamp()")
    async with database.readers.connect() as connection:
        await connection.execute(text("SELECT 1"))
        assert await connection.scalar(running)
    async with database.writer.begin() as connection:
        await connection.execute(text("SELECT pg_sleep(0.01)"))
        assert not await connection.scalar(running)
        await connection.rollback()
    await database.close()


async def test_a_transaction_that_loses_its_connection_fails_and_the_next_one_works(migrated_url: str) -> None:
    database = await open_database(settings_for(migrated_url), SystemClock())

    async def end_own_connection(connection: AsyncConnection) -> None:
        own = await connection.scalar(text("SELECT pg_backend_pid()"))
        with closing(psycopg.connect(migrated_url)) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [own])

    with pytest.raises(StoreUnavailable):
        await add_slots(database, "lost", "never", between=end_own_connection)
    with translated():
        async with database.readers.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM rate_slot")) == 0
    await database.close()


async def test_a_restart_of_the_server_is_not_felt_afterwards(migrated_url: str) -> None:
    database = await open_database(settings_for(migrated_url), SystemClock())

    async def count() -> int:
        with translated():
            async with database.readers.connect() as connection:
                return int(await connection.scalar(text("SELECT count(*) FROM rate_slot")) or 0)

    assert await asyncio.gather(*(count() for _ in range(5))) == [0] * 5
    server().stop()
    with pytest.raises(StoreUnavailable):
        await count()
    server().start()
    assert await asyncio.gather(*(count() for _ in range(5))) == [0] * 5
    await database.close()


async def test_current_revision_of_nothing_is_none(postgres_url: str) -> None:
    assert await current_revision(settings_for(postgres_url)) is None
