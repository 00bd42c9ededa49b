"""Opens the database that the settings name, whichever it is."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.clock import Clock
from bridge.storage.engine import open_readers, open_writer, switch_to_wal
from bridge.storage.filelock import FileLock
from bridge.storage.folder import prepare_folder
from bridge.storage.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """What a store works with."""

    writer: AsyncEngine
    """Each transaction is begun explicitly. SQLite has one writer, whose transactions lock out all others from the start;
    PostgreSQL works at READ COMMITTED, so rows that two may change must be locked."""
    readers: AsyncEngine
    """Single statements outside of any transaction: each sees the last commit."""
    lock: FileLock | None = None
    """SQLite belongs to one process."""

    async def close(self) -> None:
        """Called when nobody works with it. May be called again."""
        await self.readers.dispose()
        await self.writer.dispose()
        if self.lock is not None:
            self.lock.release()


async def open_database(settings: Settings, clock: Clock) -> Database:
    """An SQLite file is opened for this process alone. Nothing is migrated here, and PostgreSQL is not connected to yet.

    Raises `StoreInUse` when another process has it, `StoreUnavailable` when it cannot be opened and `SettingsError` when its
    folder cannot be used.
    """
    if settings.shared:
        from bridge.storage.postgres import open_pool

        pool = open_pool(settings)
        return Database(writer=pool, readers=pool.execution_options(isolation_level="AUTOCOMMIT"))
    prepare_folder(settings)
    lock = FileLock(settings.path.with_name(settings.path.name + ".lock"))
    lock.take()
    try:
        await switch_to_wal(settings, clock)
    except BaseException:
        lock.release()
        raise
    return Database(writer=open_writer(settings), readers=open_readers(settings), lock=lock)


def open_to_look(settings: Settings) -> Database:
    """To be read beside the process that works with it, and not to be written (SQLite refuses it). A file must exist."""
    if settings.shared:
        from bridge.storage.postgres import open_pool

        readers = open_pool(settings).execution_options(isolation_level="AUTOCOMMIT")
        return Database(writer=readers, readers=readers)
    readers = open_readers(settings)
    return Database(writer=readers, readers=readers)
