"""Places at the backends' servers: how many answers may be generated at once, and who waits in line for one."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager


class Places:
    """First come, first served, for each server on its own."""

    def __init__(self, capacities: Mapping[str, int]) -> None:
        """`capacities`: server -> answers that it may be asked for at once."""
        self._capacities: dict[str, int] = {}
        self._free: dict[str, int] = {}
        self._lines: dict[str, deque[tuple[asyncio.Future[None], Callable[[int], None]]]] = {}
        self.resize(capacities)

    def resize(self, capacities: Mapping[str, int]) -> None:
        """From now on servers may be asked for so many. One that is not named any more keeps what it had: those who stand in
        line for it are still to be answered. Places that are taken are not taken away."""
        for server, capacity in capacities.items():
            line = self._lines.setdefault(server, deque())
            more = capacity - self._capacities.get(server, 0)
            self._capacities[server] = capacity
            self._free[server] = self._free.get(server, 0) + more
            while line and self._free[server] > 0:
                self._free[server] -= 1
                self._give_back(server)

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
        # Where there are fewer places than before, one that comes back may be one too many.
        while line and self._free[server] >= 0:
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
