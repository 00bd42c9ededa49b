"""One mailbox per conversation: what waits in it is answered in order, one question at a time.

Questions wait for a free place at the backend here, before they are begun, so that a question that was never sent is not taken
for one that may have been.
"""

import asyncio

from bridge import logs
from bridge.clock import Clock
from bridge.errors import Fenced, StoreUnavailable
from bridge.messages import ConversationId
from bridge.store import Store
from bridge.turns import Turns

_log = logs.get("conversations")


class Conversations:
    def __init__(self, *, store: Store, turns: Turns, clock: Clock, capacity: int, store_attempts: int = 5) -> None:
        self._store = store
        self._turns = turns
        self._clock = clock
        self._store_attempts = store_attempts
        self._places = asyncio.Semaphore(capacity)
        self._closing = False

    def close(self) -> None:
        """From now on no further question is begun; what waits is answered at the next start."""
        self._closing = True

    async def drain(self, conversation: ConversationId) -> None:
        """Answers everything that waits, then returns. Raises nothing: what cannot be done now is found again by the sweep."""
        epoch: int | None = None
        failures = 0
        while True:
            try:
                async with self._places:
                    if self._closing:
                        return
                    turn = await self._store.begin_next(conversation, epoch)
                    if turn is None:
                        return
                    epoch = turn.epoch
                    await self._turns.answer(turn)
            except Fenced:
                _log.warning("fenced", conversation=conversation)
                return
            except StoreUnavailable as error:
                failures += 1
                _log.warning("store_unavailable", doing="begin_next", conversation=conversation, detail=str(error))
                if failures >= self._store_attempts:
                    return
                await self._clock.sleep(min(0.2 * 2**failures, 10.0))
