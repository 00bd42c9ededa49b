"""Things of which there may be one among all processes (`bridge.platform_api.Leases`): here for the one process of SQLite."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from bridge.clock import Clock
from bridge.platform_api import Lease, Leases
from bridge.storage.settings import Settings


def open_leases(settings: Settings, clock: Clock) -> Leases:
    """Leases among all processes that work with this database."""
    if not settings.shared:
        return LocalLeases()
    from bridge.storage.postgres_leases import PostgresLeases

    return PostgresLeases(settings, clock)


class HeldLease(Lease):
    """`lose` it once, whatever the reason."""

    def __init__(self) -> None:
        self._lost = asyncio.Event()

    def lose(self) -> None:
        self._lost.set()

    async def lost(self) -> None:
        await self._lost.wait()


class LocalLeases(Leases):
    """Everything is held at once, as often as somebody wants it, and never lost."""

    def hold(self, name: str) -> AbstractAsyncContextManager[Lease]:
        return _hold()


@asynccontextmanager
async def _hold() -> AsyncIterator[Lease]:
    yield HeldLease()
