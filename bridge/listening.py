"""Hears one answer as the backend gives it, to its end or until something else is wanted. What that leads to is settled in
`asking`.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import timedelta

from bridge import logs
from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    Backend,
    BackendEvent,
    FileProduced,
    InputRequired,
)
from bridge.clock import Clock
from bridge.errors import BackendCut, BackendError, StoreUnavailable
from bridge.messages import AppName, BackendIds
from bridge.metrics import Metrics
from bridge.running import Running
from bridge.store import Store

_log = logs.get("asking")


class Listener:
    def __init__(
        self,
        *,
        store: Store,
        backends: Mapping[AppName, Backend],
        clock: Clock,
        metrics: Metrics,
        patience: timedelta,
    ) -> None:
        """`patience`: how long a stopped answer may take to end before its connection is cut."""
        self._store = store
        self._backends = backends
        self._clock = clock
        self._metrics = metrics
        self._patience = patience

    async def hear(
        self, running: Running, events: AsyncGenerator[BackendEvent, None]
    ) -> AnswerCompleted | InputRequired | None:
        """Folds what is said into the draft. None: it was cut off, since something else is wanted (`woken`). Raises
        `BackendError` and `Fenced`."""
        ended = asyncio.Event()
        pump = asyncio.ensure_future(self._pump(running, events))
        pump.add_done_callback(lambda _: ended.set())
        woken = asyncio.ensure_future(running.woken.wait())
        try:
            await asyncio.wait({pump, woken}, return_when=asyncio.FIRST_COMPLETED)
            if not pump.done() and not running.handed_over:
                await self._end_stream(running, ended)
        finally:
            woken.cancel()
            pump.cancel()
            await asyncio.gather(pump, woken, return_exceptions=True)
        return None if pump.cancelled() else pump.result()

    async def _end_stream(self, running: Running, ended: asyncio.Event) -> None:
        """Has the backend end it, which keeps there what was said; the stream then ends by itself, a little later."""
        deadline = self._clock.monotonic() + self._patience.total_seconds()
        if not running.ids.task:
            await self._clock.wait(running.started, self._patience.total_seconds())
        if not ended.is_set() and await self.stop(running, running.ids):
            await self._clock.wait(ended, deadline - self._clock.monotonic())

    async def stop(self, running: Running, ids: BackendIds) -> bool:
        """False: the backend did not hear of it."""
        try:
            await self._backends[running.turn.app].stop(ids, running.turn.backend_user)
        except BackendError as error:
            _log.warning("stop_failed", code=error.code, detail=str(error))
            return False
        return True

    async def _pump(
        self, running: Running, events: AsyncGenerator[BackendEvent, None]
    ) -> AnswerCompleted | InputRequired:
        completed: AnswerCompleted | InputRequired | None = None
        running.started.clear()
        accepted = True
        try:
            async with aclosing(events) as heard:
                async for event in heard:
                    if isinstance(event, AnswerStarted):
                        await self.record_started(running, event.ids)
                        running.started.set()
                    elif isinstance(event, AnswerCompleted | InputRequired):
                        completed = event
                    elif isinstance(event, FileProduced) and running.collector is not None:
                        running.collector.begin(event.file)
                    running.draft.fold(running.place(event))
        except BackendError as error:
            accepted = error.accepted or running.started.is_set()
            raise
        finally:
            running.attempt += accepted
            await self._record_spent(running)
        if completed is None:
            raise BackendCut("the backend's stream ended without AnswerCompleted")
        return completed

    async def _record_spent(self, running: Running) -> None:
        """Kept as well as it can be: no answer waits for a store that is away, and none ends otherwise because of it."""
        usage, turn = running.draft.usage, running.turn
        if usage is None:
            return
        running.draft.usage = None
        price = None if usage.price is None else float(usage.price)
        self._metrics.spent(
            turn.app,
            prompt=usage.prompt_tokens,
            completion=usage.completion_tokens,
            total=usage.total_tokens,
            price=price,
            currency=usage.currency,
        )
        try:
            await self._store.record_spent(turn, running.attempt, usage)
        except StoreUnavailable as error:
            self._metrics.store_unavailable()
            _log.warning("store_unavailable", doing="record_spent", detail=str(error))

    async def record_started(self, running: Running, ids: BackendIds) -> None:
        """Raises `Fenced`."""
        running.ids, running.ids_recorded = ids, False
        try:
            await self._store.record_started(running.turn, ids)
        except StoreUnavailable as error:
            # The answer goes on from memory; the ids are written again when it ends.
            self._metrics.store_unavailable()
            _log.warning("store_unavailable", doing="record_started", detail=str(error))
        else:
            running.ids_recorded = True
