"""Where the bot is installed, for platforms that let several: names and facts to be read, secrets under lock and key."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from sqlalchemy import delete, select, update

from bridge import logs
from bridge.clock import Clock
from bridge.errors import StoreUnavailable
from bridge.installations_api import Installation, Installations, Renewal
from bridge.messages import InstallationId, PlatformName
from bridge.storage.install_rows import InstallRows
from bridge.storage.portable import insert_into, storable
from bridge.storage.renewals import HeldRenewal
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore
from bridge.storage.tables import install_state, installation
from bridge.storage.whole import whole

if TYPE_CHECKING:
    from bridge.storage.vault import Vault

RENEWALS_AT_ONCE = 2
"""PostgreSQL: so many connections of the pool may be held while a platform is asked for new secrets."""

_log = logs.get("installations")


def open_installations(settings: Settings, store: SqlStore, clock: Clock) -> "KeptInstallations | None":
    """None without `ENCRYPTION_KEY`: then there is nowhere to keep an installation. Takes a moment for each key that is not a
    Fernet key."""
    if not settings.encryption_keys:
        return None
    from bridge.storage.vault import Vault

    return KeptInstallations(store, Vault(settings.encryption_keys), clock, shared=settings.shared)


class KeptInstallations:
    """Those of all platforms."""

    def __init__(self, store: SqlStore, vault: "Vault", clock: Clock, *, shared: bool) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock
        self._shared = shared
        self._opened: dict[PlatformName, SqlInstallations] = {}

    def of(self, platform: PlatformName) -> "SqlInstallations":
        """The same for every call: what is locked within this process is locked there."""
        if platform not in self._opened:
            opened = SqlInstallations(self._store, platform, self._vault, self._clock, shared=self._shared)
            self._opened[platform] = opened
        return self._opened[platform]

    async def keep_house(self) -> None:
        """To be called now and then. Raises `StoreUnavailable`."""
        await self.prune_states()
        renewed = await self.reencrypt()
        if renewed:
            _log.info("reencrypted", installations=renewed)

    @whole
    async def prune_states(self) -> int:
        """Forgets words that nobody brought back in time, and returns how many."""
        async with self._store.writing() as connection:
            gone = await connection.execute(
                delete(install_state).where(install_state.c.expires_at <= self._clock.now())
            )
            return gone.rowcount

    @whole
    async def reencrypt(self) -> int:
        """Brings what an older key encrypted under the newest one, and returns how many installations that were."""
        row = (installation.c.platform, installation.c.id, installation.c.secrets)
        async with self._store.reading() as connection:
            rows = (await connection.execute(select(*row))).all()
        older = [(found, sealed) for found in rows if (sealed := self._vault.reseal(found.secrets)) is not None]
        count = 0
        for found, sealed in older:
            async with self._store.writing() as connection:
                changed = await connection.execute(
                    update(installation)
                    # Unless somebody has written to it meanwhile.
                    .where(*(column == getattr(found, column.name) for column in row))
                    .values(secrets=sealed)
                )
                count += changed.rowcount
        return count


class SqlInstallations(Installations):
    """Those of one platform."""

    def __init__(
        self,
        store: SqlStore,
        platform: PlatformName,
        vault: "Vault",
        clock: Clock,
        *,
        shared: bool,
        at_once: int = RENEWALS_AT_ONCE,
        patience: float = 60.0,
    ) -> None:
        """`shared`: other processes work with the same database. `patience`: seconds to wait while this process renews the same
        installation, or `at_once` others."""
        self._store = store
        self._platform = platform
        self._clock = clock
        self._rows = InstallRows(platform, vault)
        self._shared = shared
        self._patience = patience
        self._locks: WeakValueDictionary[InstallationId, asyncio.Lock] = WeakValueDictionary()
        self._renewals = asyncio.Semaphore(at_once)

    @whole
    async def find(self, installation: InstallationId) -> Installation | None:
        async with self._store.reading() as connection:
            return await self._rows.find(connection, installation)

    @whole
    async def all(self) -> Sequence[Installation]:
        async with self._store.reading() as connection:
            return await self._rows.list_all(connection)

    async def save(self, installation: Installation) -> None:
        async with self._alone_with(installation.id):
            await self._save(installation)

    async def remove(self, installation: InstallationId) -> bool:
        async with self._alone_with(installation):
            return await self._remove(installation)

    def renewing(self, installation: InstallationId) -> AbstractAsyncContextManager[Renewal]:
        """In its block, `Renewal.save` is the way to save this installation; everybody else waits for the block to end.

        With PostgreSQL the row is locked in a transaction, so the block must be done within seconds: the server gives the row to
        the next one after `idle_in_transaction_session_timeout` (`postgres.work_options`). With SQLite, which has one process
        and one writer, nothing of the database is held.
        """
        return self._renew(installation)

    @whole
    async def issue_state(self, valid_for: timedelta) -> str:
        state = secrets.token_urlsafe(32)
        now = self._clock.now()
        async with self._store.writing() as connection:
            await connection.execute(
                delete(install_state).where(
                    install_state.c.platform == self._platform, install_state.c.expires_at <= now
                )
            )
            await connection.execute(
                insert_into(connection, install_state).values(
                    platform=self._platform, digest=_digest(state), expires_at=now + valid_for
                )
            )
        return state

    @whole
    async def redeem_state(self, state: str) -> bool:
        async with self._store.writing() as connection:
            redeemed = await connection.execute(
                delete(install_state)
                .where(install_state.c.platform == self._platform, install_state.c.digest == _digest(state))
                .returning(install_state.c.expires_at)
            )
            row = redeemed.one_or_none()
            return row is not None and bool(row.expires_at > self._clock.now())

    @asynccontextmanager
    async def _renew(self, of: InstallationId) -> AsyncIterator[Renewal]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._alone_with(of))
            if self._shared:
                await stack.enter_async_context(self._taken(self._renewals))
            held = HeldRenewal(self._store, self._rows, of, self._clock)
            # Before it begins: cancelled in the middle, it may have begun.
            stack.push_async_callback(held.end)
            await held.begin(hold=self._shared)
            yield held

    def _alone_with(self, of: InstallationId) -> AbstractAsyncContextManager[None]:
        """Within this process one at a time changes an installation."""
        return self._taken(self._locks.setdefault(of, asyncio.Lock()))

    @asynccontextmanager
    async def _taken(self, lock: asyncio.Lock | asyncio.Semaphore) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                await lock.acquire()
        except TimeoutError as error:
            raise StoreUnavailable("installations are being renewed for too long") from error
        try:
            yield
        finally:
            lock.release()

    @whole
    async def _save(self, given: Installation) -> None:
        async with self._store.writing() as connection:
            await self._rows.put(connection, given, self._clock.now())

    @whole
    async def _remove(self, of: InstallationId) -> bool:
        async with self._store.writing() as connection:
            return await self._rows.remove(connection, of)


def _digest(state: str) -> str:
    return sha256(storable(state).encode()).hexdigest()
