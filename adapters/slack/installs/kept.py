"""Where installations are kept, for who needs it before the store is there: routes are made before it is opened."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta

from bridge.errors import StoreUnavailable
from bridge.installations_api import Installation, Installations, Renewal
from bridge.messages import InstallationId


class Kept(Installations):
    """Until `inside` is set, every method raises `StoreUnavailable`."""

    def __init__(self) -> None:
        self.inside: Installations | None = None

    async def find(self, installation: InstallationId) -> Installation | None:
        return await self._open().find(installation)

    async def all(self) -> Sequence[Installation]:
        return await self._open().all()

    async def save(self, installation: Installation) -> None:
        await self._open().save(installation)

    async def remove(self, installation: InstallationId) -> bool:
        return await self._open().remove(installation)

    def renewing(self, installation: InstallationId) -> AbstractAsyncContextManager[Renewal]:
        return self._renewing(installation)

    async def issue_state(self, valid_for: timedelta) -> str:
        return await self._open().issue_state(valid_for)

    async def redeem_state(self, state: str) -> bool:
        return await self._open().redeem_state(state)

    @asynccontextmanager
    async def _renewing(self, installation: InstallationId) -> AsyncIterator[Renewal]:
        async with self._open().renewing(installation) as renewal:
            yield renewal

    def _open(self) -> Installations:
        if self.inside is None:
            raise StoreUnavailable("installations are not at hand yet")
        return self.inside
