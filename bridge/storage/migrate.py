"""Brings the database to the newest revision. The revisions themselves are in `migrations/`, beside the package.

Alembic is imported only when there is something to do: at an ordinary start it would be most of the time and memory spent here.
"""

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, text

import bridge
from bridge import logs
from bridge.errors import SettingsError, StoreError, StoreUnavailable
from bridge.storage.engine import migration_connection, translated
from bridge.storage.folder import prepare_folder
from bridge.storage.settings import Settings

_log = logs.get("migrate")


async def migrate(settings: Settings) -> str:
    """Upgrades to the newest revision and returns the one the database is at now.

    Any number of processes may do this at once: one works, the others wait for it. A database of a later release is left as it
    is: no revision takes away what an earlier release uses. Raises `StoreUnavailable`; `SettingsError` when the revisions or the
    folder cannot be used.
    """
    current = await current_revision(settings)
    if current is not None and _is_enough(current):
        return current
    return await asyncio.to_thread(_upgrade, settings)


async def current_revision(settings: Settings) -> str | None:
    """None: there is no database yet, or nothing in it. Raises `StoreUnavailable`."""
    return await asyncio.to_thread(_read_revision, settings)


def head_revision() -> str:
    """The newest revision of this release."""
    return _revisions()[-1]


def migrations_folder() -> Path:
    """Beside the package in a checkout; elsewhere when BRIDGE_MIGRATIONS says so (an installed package has none beside it)."""
    named = os.environ.get("BRIDGE_MIGRATIONS")
    return Path(named) if named else Path(bridge.__file__).resolve().parent.parent / "migrations"


def _revisions() -> list[str]:
    """Oldest first. Revision files are named `r0001_what_it_does.py`, and the part before the underscore is the revision."""
    folder = migrations_folder()
    names = sorted(path.stem for path in (folder / "versions").glob("r[0-9]*_*.py"))
    if not names:
        raise SettingsError(
            [f"BRIDGE_MIGRATIONS: no migrations in {folder}; set it to the folder `migrations` of this release."]
        )
    return [name.partition("_")[0] for name in names]


def _is_enough(current: str) -> bool:
    known = _revisions()
    if current not in known:
        _log.warning("database_is_newer", revision=current, newest_known=known[-1])
        return True
    return current == known[-1]


def _read_revision(settings: Settings) -> str | None:
    if settings.shared:
        from bridge.storage import postgres

        with translated():
            return postgres.read_revision(settings)
    if not settings.path.exists():
        return None
    try:
        with closing(sqlite3.connect(settings.path, timeout=settings.database_busy_timeout)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise StoreUnavailable(f"the database {settings.path} cannot be used: {error}") from error
    return str(row[0]) if row else None


def _upgrade(settings: Settings) -> str:
    prepare_folder(settings)
    with migration_connection(settings) as connection:
        # Looked at again under the lock: somebody else may have done it meanwhile.
        before = _revision_of(connection)
        if before is not None and _is_enough(before):
            return before
        _run_alembic(connection)
        if not settings.shared:
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken is not None:
                raise StoreError(f"migrating would break a reference in table {broken[0]}; nothing was changed")
        _log.info("migrated", before=before, now=head_revision())
    return head_revision()


def _revision_of(connection: Connection) -> str | None:
    if connection.dialect.name == "postgresql":
        from bridge.storage import postgres

        return postgres.revision_of(connection)
    if connection.execute(text("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'")).first() is None:
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return None if row is None else str(row[0])


def _run_alembic(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    # Alembic treats % as the beginning of a placeholder.
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(f"the migrations of this release do not fit together: {error}") from error
