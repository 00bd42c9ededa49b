"""Who waits for something to happen at a stand-in."""

import asyncio
from collections.abc import Callable


class Watched:
    def __init__(self) -> None:
        self._callbacks: list[Callable[[], None]] = []
        self._watchers: set[asyncio.Event] = set()

    def on_change(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def changed(self) -> None:
        for callback in self._callbacks:
            callback()
        for event in self._watchers:
            event.set()

    async def until(self, condition: Callable[[], bool], timeout: float) -> None:
        """Returns once `condition` holds, looked at after every change. Raises `TimeoutError`."""
        event = asyncio.Event()
        self._watchers.add(event)
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await event.wait()
                    event.clear()
        finally:
            self._watchers.discard(event)
