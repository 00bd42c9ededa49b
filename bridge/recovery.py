"""Finds work that nobody was woken for: after a start everything that waits or was left unfinished, later what slipped through.

How an answer that was left unfinished goes on is decided in `resuming`, by the turn itself.
"""

from collections.abc import Mapping

from bridge import logs
from bridge.clock import Clock
from bridge.dispatcher import Dispatcher
from bridge.errors import StoreUnavailable
from bridge.messages import PlatformName
from bridge.metrics import Metrics
from bridge.platform_api import Platform
from bridge.store import Store

_log = logs.get("recovery")


class Recovery:
    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[PlatformName, Platform],
        dispatcher: Dispatcher,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._dispatcher = dispatcher
        self._clock = clock
        self._metrics = metrics

    async def start(self) -> None:
        """The first sweep, tried until the store can be read."""
        pause = 0.5
        while True:
            try:
                await self.sweep()
            except StoreUnavailable as error:
                _log.warning("store_unavailable", doing="waiting_conversations", detail=str(error))
                await self._clock.sleep(pause)
                pause = min(pause * 2, 30.0)
            else:
                return

    async def sweep(self) -> None:
        """Wakes every conversation in which something waits. Harmless at any time. Raises `StoreUnavailable`.

        What belongs to a platform that is switched off stays as it is until that platform is back.
        """
        waiting = await self._store.waiting_conversations(self._platforms)
        self._metrics.unfinished(len(waiting))
        for conversation in waiting:
            self._dispatcher.wake(conversation)
