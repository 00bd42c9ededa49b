"""Places at the backends' servers: how many answers may be generated at once, and who waits in line for one."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager


class Places:
    """First come, first served, for each server on its own."""

    def __init__(self, capacities: Mapping[str, int]) -> None:
        """`capacities`: server -> answers that it may be asked for at once."""
        self._free = dict(capacities)
        self._lines: dict[str, deque[tuple[asyncio.Future[None], Callable[[int], None]]]] = {
            server: deque() for server in capacities
        }

    def waiting(self, server: str) -> int:
        return len(self._lines[server])

    @asynccontextmanager
    async def take(self, server: str, told: Callable[[int], None]) -> AsyncIterator[None]:
        """Waits for a place and has it for the length of the block. `told` hears its number in line (from 1) as that changes."""
        await self._come_first(server, told)
        try:
            yield
        finally:
            self._give_back(server)

    async def _come_first(self, server: str, told: Callable[[int], None]) -> None:
        line = self._lines[server]
        if self._free[server] > 0 and not line:
            self._free[server] -= 1
            return
        entry = (asyncio.get_running_loop().create_future(), told)
        line.append(entry)
        told(len(line))
        try:
            await entry[0]
        except asyncio.CancelledError:
            if entry in line:
                line.remove(entry)
                self._tell(line)
            elif entry[0].done() and not entry[0].cancelled():
                # The place was given just as the wait was given up.
                self._give_back(server)
            raise

    def _give_back(self, server: str) -> None:
        line = self._lines[server]
        while line:
            first, _ = line.popleft()
            # One that was given up this very moment may still stand in line.
            if not first.done():
                # The place goes from hand to hand; nobody who comes now can be quicker.
                first.set_result(None)
                self._tell(line)
                return
        self._free[server] += 1

    @staticmethod
    def _tell(line: deque[tuple[asyncio.Future[None], Callable[[int], None]]]) -> None:
        for number, (_, told) in enumerate(line, start=1):
            told(number)
