"""So many answers at a time and no more. Stop, ratings and checks need no place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.errors import BackendBusy
from bridge.remote.sentences import NO_PLACE

QUEUE_SECONDS = 600.0
"""A last bound: questions wait for one of a backend's `capacity` places before they come to it."""


class Gate:
    def __init__(self, capacity: int, *, variable: str, patience: float = QUEUE_SECONDS) -> None:
        """`variable` is the setting that the capacity comes from, `patience` in seconds."""
        self._variable = variable
        self._patience = patience
        self._places = asyncio.Semaphore(capacity)

    @asynccontextmanager
    async def enter(self) -> AsyncIterator[None]:
        """Waits for a place, and has it for as long as the block lasts. Raises `BackendBusy`."""
        try:
            async with asyncio.timeout(self._patience):
                await self._places.acquire()
        except TimeoutError as problem:
            raise BackendBusy(
                f"no place among {self._variable} for {self._patience:g} s", code="no_place", user_message=NO_PLACE
            ) from problem
        try:
            yield
        finally:
            self._places.release()
