"""One mailbox per conversation: what waits in it is answered in order, one question at a time.

Questions wait for a free place at the backend here, before they are begun, so that a question that was never sent is not taken
for one that may have been.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

from bridge import logs
from bridge.clock import Clock
from bridge.errors import Fenced, StoreUnavailable
from bridge.messages import ConversationId, PlatformName, ReplyTarget
from bridge.pacing import Pacer
from bridge.platform_api import Platform
from bridge.store import Store
from bridge.turns import Turns

_log = logs.get("conversations")


class Conversations:
    def __init__(
        self,
        *,
        store: Store,
        turns: Turns,
        platforms: Mapping[PlatformName, Platform],
        pacer: Pacer,
        clock: Clock,
        capacity: int,
        store_attempts: int = 5,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._pacer = pacer
        self._expected: dict[ConversationId, ReplyTarget] = {}
        self._turns = turns
        self._clock = clock
        self._store_attempts = store_attempts
        self._places = asyncio.Semaphore(capacity)
        self._closing = False

    def expect(self, conversation: ConversationId, target: ReplyTarget) -> None:
        """Where somebody waits for an answer in this conversation; shown as typing while no place is free."""
        self._expected[conversation] = target

    def close(self) -> None:
        """From now on no further question is begun; what waits is answered at the next start."""
        self._closing = True

    async def drain(self, conversation: ConversationId) -> None:
        """Answers everything that waits, then returns. Raises nothing: what cannot be done now is found again by the sweep."""
        epoch: int | None = None
        failures = 0
        while True:
            try:
                async with AsyncExitStack() as place:
                    await self._take_place(place, conversation)
                    if self._closing:
                        return
                    turn = await self._store.begin_next(conversation, epoch)
                    if turn is None:
                        return
                    epoch = turn.epoch
                    failures = 0
                    # Given back when the backend is done, not when the platform has taken the last word.
                    await self._turns.answer(turn, place.aclose)
            except Fenced:
                _log.warning("fenced", conversation=conversation)
                return
            except StoreUnavailable as error:
                failures += 1
                _log.warning("store_unavailable", doing="begin_next", conversation=conversation, detail=str(error))
                if failures >= self._store_attempts:
                    return
                await self._clock.sleep(min(0.2 * 2**failures, 10.0))

    async def _take_place(self, place: AsyncExitStack, conversation: ConversationId) -> None:
        target = self._expected.pop(conversation, None)
        if target is None or not self._places.locked():
            await place.enter_async_context(self._places)
            return
        async with asyncio.TaskGroup() as tasks:
            showing = tasks.create_task(self._show_waiting(target))
            await place.enter_async_context(self._places)
            showing.cancel()

    async def _show_waiting(self, target: ReplyTarget) -> None:
        platform = self._platforms[target.platform]
        while True:
            if self._pacer.take_extra(target, platform.capabilities):
                await platform.show_activity(target)
            await self._clock.sleep(platform.capabilities.activity_every.total_seconds())
