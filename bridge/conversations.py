"""One mailbox per conversation: what waits in it is answered in order, one question at a time.

A question is begun as soon as the one before it has ended, and waits for a place at its backend as part of its turn.
"""

from collections.abc import Callable
from typing import Protocol

from bridge import logs
from bridge.clock import Clock
from bridge.errors import Fenced, StoreUnavailable
from bridge.messages import ConversationId, Turn
from bridge.metrics import Metrics
from bridge.store import Store

_log = logs.get("conversations")


class AnswersTurns(Protocol):
    async def answer(self, turn: Turn) -> bool:
        """Runs one turn. False: it was handed over unfinished, to whoever begins the conversation's next turn.

        Raises `Fenced` when another owner took over, and `StoreUnavailable` when the turn was left as it was.
        """
        ...


class Conversations:
    """`fenced` is called when a conversation turns out to have another owner: where several processes run, this one was
    taken for dead and must exit at once."""

    def __init__(
        self,
        *,
        store: Store,
        turns: AnswersTurns,
        clock: Clock,
        fenced: Callable[[], None],
        store_attempts: int = 5,
        metrics: Metrics | None = None,
    ) -> None:
        self._store = store
        self._turns = turns
        self._clock = clock
        self._fenced = fenced
        self._store_attempts = store_attempts
        self._metrics = metrics or Metrics()
        self._closing = False

    def close(self) -> None:
        """From now on no further question is begun; what waits is answered at the next start."""
        self._closing = True

    async def drain(self, conversation: ConversationId) -> None:
        """Answers everything that waits, then returns. Raises nothing: what cannot be done now is found again by the sweep."""
        epoch: int | None = None
        failures = 0
        while not self._closing:
            try:
                turn = await self._store.begin_next(conversation, epoch)
                if turn is None and failures and epoch is not None:
                    # What could not be begun may have been begun all the same, just as the store went away.
                    turn = await self._store.begin_next(conversation, None)
                if turn is None:
                    return
                epoch = turn.epoch
                if not await self._turns.answer(turn):
                    return
                failures = 0
            except Fenced:
                _log.warning("fenced", conversation=conversation)
                self._fenced()
                return
            except StoreUnavailable as error:
                failures += 1
                self._metrics.store_unavailable()
                _log.warning("store_unavailable", doing="begin_next", conversation=conversation, detail=str(error))
                if failures >= self._store_attempts:
                    return
                await self._clock.sleep(min(0.2 * 2**failures, 10.0))
