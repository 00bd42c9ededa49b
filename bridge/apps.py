"""The apps as they are now: which there are, which answers where, and their backends. One whole is put in the place of another.

Rooms hold the views that this hands out, and look names up each time. Whoever works on a turn goes on with the apps as they were
when the turn began: a backend that is not wanted any more finishes its answers before it is closed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from bridge import logs
from bridge.backend_api import Backend
from bridge.clock import Clock
from bridge.conversations import AnswersTurns
from bridge.messages import AppName, Turn
from bridge.places import Places
from bridge.routing import AppPolicy, Place, Resolution, Resolver, Route

_log = logs.get("apps")

ValueT = TypeVar("ValueT")

LINGER = timedelta(seconds=60)
"""How long a backend is kept after its last answer: a rating or a title may still be on its way."""


@dataclass(eq=False, slots=True, kw_only=True)
class Edition:
    """The apps at one time."""

    routing: Resolver
    backends: Mapping[AppName, Backend]
    held: int = field(default=0, init=False)
    """Turns that began with it and have not ended."""


_begun_with: ContextVar[Edition | None] = ContextVar("begun_with", default=None)
"""Of the turn that is worked on, and of every task that it starts."""


class View(Mapping[AppName, ValueT]):
    """Something by name, as it is now or was when the turn began."""

    def __init__(self, read: Callable[[], Mapping[AppName, ValueT]]) -> None:
        self._read = read

    def __getitem__(self, name: AppName) -> ValueT:
        return self._read()[name]

    def __iter__(self) -> Iterator[AppName]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())


class Apps:
    """Is a `Resolver` too."""

    def __init__(self, routing: Resolver, backends: Mapping[AppName, Backend], clock: Clock) -> None:
        self._now = Edition(routing=routing, backends=backends)
        self._earlier: list[Edition] = []
        self._leaving: list[Backend] = []
        """Closed once nobody needs them."""
        self._clock = clock
        self.backends: Mapping[AppName, Backend] = View(lambda: self._edition.backends)
        self.policies: Mapping[AppName, AppPolicy] = View(lambda: self._edition.routing.apps)
        self.places = Places(capacities(backends))

    @property
    def _edition(self) -> Edition:
        return _begun_with.get() or self._now

    @property
    def apps(self) -> Mapping[AppName, AppPolicy]:
        return self.policies

    @property
    def routes(self) -> Sequence[Route]:
        return self._now.routing.routes

    def resolve(self, place: Place) -> Resolution:
        return self._now.routing.resolve(place)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Within it the apps stay as they are now."""
        edition = self._now
        edition.held += 1
        token = _begun_with.set(edition)
        try:
            yield
        finally:
            _begun_with.reset(token)
            edition.held -= 1

    def put(self, routing: Resolver, backends: Mapping[AppName, Backend]) -> None:
        """Replaces everything at once. Backends that are in both stay as they are."""
        stays = {id(one) for one in backends.values()}
        self._earlier.append(self._now)
        self._leaving += [one for one in self._now.backends.values() if id(one) not in stays]
        self._now = Edition(routing=routing, backends=backends)
        self.places.resize(capacities(backends))

    async def see_off(self) -> None:
        """Closes backends that are not wanted any more, once their last answer has ended, then returns."""
        while self._leaving:
            await self._clock.sleep(LINGER.total_seconds())
            self._earlier = [one for one in self._earlier if one.held]
            needed = {id(one) for edition in self._earlier for one in edition.backends.values()}
            gone = [one for one in self._leaving if id(one) not in needed]
            self._leaving = [one for one in self._leaving if id(one) in needed]
            for backend in gone:
                await backend.close()
                _log.info("backend_closed", backend=backend.name)

    async def close(self) -> None:
        """Called once, when nothing is answered any more."""
        leaving, self._leaving = self._leaving, []
        for backend in (*leaving, *self._now.backends.values()):
            await backend.close()


class HeldTurns:
    """Turns, each with the apps as they are when it begins. Implements `AnswersTurns`."""

    def __init__(self, turns: AnswersTurns, apps: Apps) -> None:
        self._turns = turns
        self._apps = apps

    async def answer(self, turn: Turn) -> bool:
        with self._apps.holding():
            return await self._turns.answer(turn)


def capacities(backends: Mapping[AppName, Backend]) -> dict[str, int]:
    """Apps on one server share its places, and the most careful setting counts."""
    found: dict[str, int] = {}
    for backend in backends.values():
        found[backend.server] = min(found.get(backend.server, backend.capacity), backend.capacity)
    return found
