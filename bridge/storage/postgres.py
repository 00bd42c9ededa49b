"""Connections to PostgreSQL. Imported only where PostgreSQL is used: its driver costs time and memory at every start.

Nothing here waits for ever. The server ends what takes too long, and both ends notice when the other one is gone.
"""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from bridge.errors import SettingsError
from bridge.storage.settings import Settings

OLDEST = 14
"""The first release with `idle_session_timeout`, which takes a lease from a frozen process."""

NOTICE_WITHIN = {"keepalives": 1, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
"""Our end gives up a connection whose other end has been silent for 5 + 3 * 2 s (libpq, Connection Parameters)."""

SERVER_NOTICES_WITHIN = {"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"}
"""And the server does the same; by default it would keep the locks of a vanished host for two hours."""

CONNECT_WITHIN = 5
"""Seconds; libpq waits that long per address."""

MIGRATE_WITHIN = 300
"""Seconds that a start waits for the migration of another process."""

_ENGINE_URL = "postgresql+psycopg://"
_MIGRATION_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('dify-chat-bridge migration ' || current_schema(), 0))"


def conninfo(settings: Settings, purpose: str = "", options: Mapping[str, str] | None = None) -> str:
    """A connection string for the driver. It holds the password: for connecting only, never to be shown.

    `options` are the server's settings for this connection (names and values as in `SET`).
    """
    url = settings.url
    given = {name: value if isinstance(value, str) else ",".join(value) for name, value in url.query.items()}
    server = SERVER_NOTICES_WITHIN | dict(options or {})
    flags = " ".join(f"-c {name}={value}" for name, value in server.items())
    own: dict[str, str | int | None] = {
        "host": url.host,
        "port": url.port,
        "user": url.username,
        "password": url.password,
        "dbname": url.database,
        "connect_timeout": CONNECT_WITHIN,
        # What was sent and is not acknowledged counts as silence too (milliseconds).
        "tcp_user_timeout": 15_000,
        "application_name": f"dify-chat-bridge {purpose}".strip(),
        **NOTICE_WITHIN,
    }
    flags = f"{flags} {given.pop('options', '')}".strip()
    known = {name: str(value) for name, value in own.items() if value is not None}
    return make_conninfo("", **(known | given | {"options": flags}))


def pass_on_cancellation() -> None:
    """To be called after waiting for the driver outside of a `whole` statement: it loses a cancellation that comes together with
    an answer, as `asyncio.wait_for` does before Python 3.12."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def work_options(settings: Settings) -> dict[str, str]:
    """Bounds for ordinary work: short transactions that touch a few rows."""
    waiting = int(settings.database_busy_timeout * 1000)
    return {
        "lock_timeout": f"{waiting}",
        "statement_timeout": f"{waiting + 5_000}",
        # A process that froze within a transaction must not keep others from the rows that it locked.
        "idle_in_transaction_session_timeout": f"{waiting + 20_000}",
    }


def open_pool(settings: Settings) -> AsyncEngine:
    """Connections for reading and writing at READ COMMITTED."""
    address = conninfo(settings, "work", work_options(settings))
    return create_async_engine(
        _ENGINE_URL,
        async_creator=lambda: AsyncConnection.connect(address),
        isolation_level="READ COMMITTED",
        pool_size=settings.database_connections,
        max_overflow=0,
        pool_timeout=settings.database_busy_timeout,
        # Connections that the server's restart has ended are replaced before they can fail somebody's transaction.
        pool_pre_ping=True,
        hide_parameters=True,
        use_native_hstore=False,
    )


@contextmanager
def migration_connection(settings: Settings) -> Iterator[Connection]:
    """One transaction that holds the migration lock from before its first look until everything is done.

    All of it is one transaction on one connection, as PostgreSQL can undo changes of tables too.
    """
    engine = _single(conninfo(settings, "migration", {"lock_timeout": f"{MIGRATE_WITHIN * 1000}"}))
    try:
        with engine.begin() as connection:
            connection.execute(text(_MIGRATION_LOCK))
            # From here on we wait for tables in use, and everybody else waits behind us.
            connection.execute(text("SELECT set_config('lock_timeout', :wait, true)"), {"wait": _busy(settings)})
            yield connection
    finally:
        engine.dispose()


def read_revision(settings: Settings) -> str | None:
    """The database's revision; None when nothing of ours is in it. Raises SQLAlchemy's errors and `SettingsError`."""
    engine = _single(conninfo(settings, "start", work_options(settings)))
    try:
        with engine.connect() as connection:
            _refuse_old(connection)
            return revision_of(connection)
    finally:
        engine.dispose()


def revision_of(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return None if found is None else str(found)


def _single(address: str) -> Engine:
    return create_engine(
        _ENGINE_URL,
        creator=lambda: psycopg.connect(address),
        isolation_level="READ COMMITTED",
        poolclass=NullPool,
        hide_parameters=True,
        use_native_hstore=False,
    )


def _refuse_old(connection: Connection) -> None:
    number = int(connection.scalar(text("SHOW server_version_num")) or 0)
    if number < OLDEST * 10_000:
        raise SettingsError(
            [f"DATABASE_URL: PostgreSQL {OLDEST} or newer is needed, and this server is {number // 10_000}."]
        )


def _busy(settings: Settings) -> str:
    return f"{int(settings.database_busy_timeout * 1000)}"
