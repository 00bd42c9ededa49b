"""Has running turns look at their new orders: one look at a time per conversation, and another when asked for meanwhile."""

import asyncio

from bridge.dispatcher import Look
from bridge.messages import ConversationId


class Looks:
    def __init__(self, look: Look) -> None:
        self._look = look
        self._asked: asyncio.Queue[ConversationId] = asyncio.Queue()
        self._active: set[ConversationId] = set()
        self._again: set[ConversationId] = set()

    def ask(self, conversation: ConversationId) -> None:
        """Never blocks; may be called before `run`."""
        self._asked.put_nowait(conversation)

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                conversation = await self._asked.get()
                if conversation in self._active:
                    # It may have read its orders already.
                    self._again.add(conversation)
                    continue
                self._active.add(conversation)
                tasks.create_task(self._look_at(conversation))

    async def _look_at(self, conversation: ConversationId) -> None:
        try:
            await self._look(conversation)
        finally:
            self._active.discard(conversation)
            if conversation in self._again:
                self._again.discard(conversation)
                self.ask(conversation)
