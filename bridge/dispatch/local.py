"""Everything in this one process: a task per active conversation, started when it is woken."""

import asyncio
from datetime import timedelta

from bridge.clock import Clock
from bridge.dispatcher import Drain
from bridge.messages import ConversationId


class LocalDispatcher:
    def __init__(self, drain: Drain, clock: Clock) -> None:
        self._drain = drain
        self._clock = clock
        self._woken: asyncio.Queue[ConversationId] = asyncio.Queue()
        self._active: dict[ConversationId, asyncio.Task[None]] = {}
        self._again: set[ConversationId] = set()
        self._draining = False
        self._idle = asyncio.Event()
        self._idle.set()

    def wake(self, conversation: ConversationId) -> None:
        self._woken.put_nowait(conversation)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                conversation = await self._woken.get()
                if self._draining:
                    continue
                if conversation in self._active:
                    # It may be past its last look at the store: look once more when it is done.
                    self._again.add(conversation)
                    continue
                self._idle.clear()
                self._active[conversation] = tasks.create_task(self._work(conversation))

    async def _work(self, conversation: ConversationId) -> None:
        try:
            await self._drain(conversation)
        finally:
            del self._active[conversation]
            if conversation in self._again:
                self._again.discard(conversation)
                self.wake(conversation)
            if not self._active:
                self._idle.set()

    async def drain(self, grace: timedelta) -> bool:
        self._draining = True
        return await self._clock.wait(self._idle, grace.total_seconds())
