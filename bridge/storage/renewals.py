"""The secrets of one installation while they are renewed: looked at by one at a time, and never lost once they are given."""

from contextlib import AsyncExitStack

from sqlalchemy.ext.asyncio import AsyncConnection

from bridge import logs
from bridge.clock import Clock
from bridge.errors import StoreUnavailable
from bridge.installations_api import Installation, Renewal
from bridge.messages import InstallationId
from bridge.storage.engine import translated
from bridge.storage.install_rows import InstallRows
from bridge.storage.store import SqlStore
from bridge.storage.whole import whole

_log = logs.get("installations")


class HeldRenewal(Renewal):
    """`begin` once, and `end` in any case, also when `begin` was cut off."""

    def __init__(self, store: SqlStore, rows: InstallRows, of: InstallationId, clock: Clock) -> None:
        self._store = store
        self._rows = rows
        self._of = of
        self._clock = clock
        self._transaction = AsyncExitStack()
        self._connection: AsyncConnection | None = None
        self._current: Installation | None = None

    @property
    def current(self) -> Installation | None:
        return self._current

    async def save(self, installation: Installation) -> None:
        """Committed when it returns, whatever becomes of the block: new secrets may be the end of the old ones. The row is free
        from then on."""
        if installation.id != self._of:
            raise ValueError("another installation is held")
        await self._save(installation)
        self._current = installation

    @whole
    async def begin(self, *, hold: bool) -> None:
        """`hold`: keeps the row locked, in a transaction, until it is saved or `end`ed."""
        if hold:
            self._connection = await self._transaction.enter_async_context(self._store.writing())
            with translated():
                self._current = await self._rows.find(self._connection, self._of, lock=True)
        else:
            async with self._store.reading() as connection:
                self._current = await self._rows.find(connection, self._of)

    @whole
    async def end(self) -> None:
        try:
            await self._transaction.aclose()
        except StoreUnavailable as error:
            # Nothing is lost with it: what was saved was committed then.
            _log.warning("store_unavailable", doing="renewing", detail=str(error))

    @whole
    async def _save(self, installation: Installation) -> None:
        held, self._connection = self._connection, None
        if held is not None:
            try:
                async with self._transaction:
                    await self._rows.put(held, installation, self._clock.now())
            except StoreUnavailable as error:
                # The row was held for too long, or the connection is gone. To keep what was given matters more than order.
                _log.warning("renewal_lost_its_row", installation=self._of, detail=str(error))
            else:
                return
        async with self._store.writing() as connection:
            await self._rows.put(connection, installation, self._clock.now())
