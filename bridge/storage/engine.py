"""Connections to SQLite, and what the failures of any database mean. No table is known here.

SQLite allows one writer at a time, and several that wait for each other wait by polling. So there is one connection that
writes, and callers queue for it in memory; readers have connections of their own and, thanks to WAL, wait for nobody.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bridge.clock import Clock
from bridge.errors import StoreUnavailable
from bridge.storage.settings import Settings

READERS = 2
"""Reads are short and few; more connections are only more threads."""

WRITER_PRAGMAS = ("synchronous=FULL", "foreign_keys=ON")
"""FULL: an event is acknowledged after its commit, so the commit must survive a power cut."""


def open_writer(settings: Settings) -> AsyncEngine:
    """One connection whose every transaction takes the write lock at its beginning."""
    engine = _open_async(settings, size=1, pragmas=WRITER_PRAGMAS)
    _begin_immediately(engine.sync_engine)
    return engine


def open_readers(settings: Settings) -> AsyncEngine:
    """A few connections that never write and never hold a transaction: each statement sees the last commit."""
    return _open_async(settings, size=READERS, pragmas=("query_only=ON",))


async def switch_to_wal(settings: Settings, clock: Clock) -> None:
    """Makes the file a WAL database, for good. Raises `StoreUnavailable` when somebody else keeps it busy for too long.

    SQLite does not wait by itself here: the switch fails at once while another process is migrating.
    """
    deadline = clock.monotonic() + settings.database_busy_timeout
    while True:
        try:
            with closing(sqlite3.connect(settings.path, timeout=settings.database_busy_timeout)) as connection:
                connection.execute("PRAGMA journal_mode=WAL")
                return
        except sqlite3.Error as error:
            busy = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
            if not busy or clock.monotonic() >= deadline:
                raise StoreUnavailable(f"the database {settings.path} cannot be used: {error}") from error
        await clock.sleep(0.05)


@contextmanager
def migration_connection(settings: Settings) -> Iterator[Connection]:
    """A connection that holds the write lock from before its first look until everything is done.

    The only way in for a second process is afterwards, and then it finds the work done. Foreign keys are off, as rebuilding a
    table needs; they cannot be switched inside a transaction.
    """
    if settings.shared:
        from bridge.storage import postgres

        with translated(), postgres.migration_connection(settings) as connection:
            yield connection
        return
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(settings.path)),
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": settings.database_busy_timeout, "isolation_level": None},
    )
    _begin_immediately(engine)
    try:
        with translated(), engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def translated() -> Iterator[None]:
    """Turns the library's errors into ours. Only the driver's own words are quoted, as far as they hold no data."""
    try:
        yield
    except DBAPIError as error:
        # Locked, full, disk trouble, tables missing, not a database, a connection lost, a deadlock: later it may work.
        told = getattr(error.orig, "diag", None)
        if told is not None and told.message_detail is not None:
            # PostgreSQL quotes whole rows there, and the chain of errors would show it.
            raise StoreUnavailable(f"the database cannot be used: {told.message_primary}") from None
        raise StoreUnavailable(f"the database cannot be used: {first_line(error.orig)}") from error
    except PoolTimeout as error:
        raise StoreUnavailable("the database is too slow: too many are waiting for it") from error


def first_line(error: BaseException | None) -> str:
    """PostgreSQL's errors go on with the statement, and a failed connection with one line per address."""
    return str(error).strip().partition("\n")[0]


def _open_async(settings: Settings, *, size: int, pragmas: tuple[str, ...]) -> AsyncEngine:
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=str(settings.path)),
        pool_size=size,
        max_overflow=0,
        pool_timeout=settings.database_busy_timeout,
        # Transactions are always ended by whoever began them; a further rollback is one more trip to the driver's thread.
        pool_reset_on_return=None,
        # An error's text reaches the log, and parameters are what people wrote.
        hide_parameters=True,
        # isolation_level=None stops the driver from beginning transactions by rules of its own.
        connect_args={"timeout": settings.database_busy_timeout, "isolation_level": None},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _begin_immediately(engine: Engine) -> None:
    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that begins by reading and then wants to write fails at once when somebody wrote in between.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
