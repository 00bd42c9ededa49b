"""Installations in memory, with the promises of the seam: one renewal at a time, states that work once."""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta

from bridge.clock import Clock, SystemClock
from bridge.errors import StoreUnavailable
from bridge.installations_api import Installation, Renewal
from bridge.messages import InstallationId


class FakeInstallations:
    """Two of them over the same `Shelf` are two processes with one database. `down` makes every method fail, `full` those that
    write."""

    def __init__(self, clock: Clock | None = None, shelf: "Shelf | None" = None) -> None:
        self.shelf = shelf or Shelf()
        self.down = self.full = False
        self.lookups = 0
        self._clock = clock or SystemClock()

    async def find(self, installation: InstallationId) -> Installation | None:
        self._look()
        self.lookups += 1
        return self.shelf.kept.get(installation)

    async def all(self) -> Sequence[Installation]:
        self._look()
        return list(self.shelf.kept.values())

    async def save(self, installation: Installation) -> None:
        self.write()
        async with self.shelf.locks[installation.id]:
            self.shelf.kept[installation.id] = installation

    async def remove(self, installation: InstallationId) -> bool:
        self.write()
        async with self.shelf.locks[installation]:
            return self.shelf.kept.pop(installation, None) is not None

    def renewing(self, installation: InstallationId) -> AbstractAsyncContextManager[Renewal]:
        return self._renew(installation)

    async def issue_state(self, valid_for: timedelta) -> str:
        self.write()
        state = secrets.token_urlsafe(32)
        self.shelf.states[state] = self._clock.now() + valid_for
        return state

    async def redeem_state(self, state: str) -> bool:
        self._look()
        until = self.shelf.states.pop(state, None)
        return until is not None and until > self._clock.now()

    @asynccontextmanager
    async def _renew(self, installation: InstallationId) -> AsyncIterator[Renewal]:
        self._look()
        async with self.shelf.locks[installation]:
            yield FakeRenewal(self, installation)

    def write(self) -> None:
        self._look()
        if self.full:
            raise StoreUnavailable("the disk is full")

    def _look(self) -> None:
        if self.down:
            raise StoreUnavailable("the database is away")


class Shelf:
    """What all processes share."""

    def __init__(self) -> None:
        self.kept: dict[InstallationId, Installation] = {}
        self.states: dict[str, datetime] = {}
        self.locks: defaultdict[InstallationId, asyncio.Lock] = defaultdict(asyncio.Lock)


class FakeRenewal:
    def __init__(self, installations: FakeInstallations, of: InstallationId) -> None:
        self._installations = installations
        self._of = of

    @property
    def current(self) -> Installation | None:
        return self._installations.shelf.kept.get(self._of)

    async def save(self, installation: Installation) -> None:
        if installation.id != self._of:
            raise ValueError(f"{self._of} is held, and not another one")
        self._installations.write()
        self._installations.shelf.kept[installation.id] = installation
