"""Everything in this one process: a task per active conversation, started when it is woken."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from bridge.clock import Clock
from bridge.dispatcher import Drain, Look
from bridge.messages import ConversationId


class _OneAtATime:
    """Calls something for each conversation that is asked for: never twice at once, and once more when asked meanwhile.

    Remembers a conversation once, however often it is asked for, so memory grows with conversations and not with events.
    """

    def __init__(self, call: Callable[[ConversationId], Awaitable[None]]) -> None:
        self._call = call
        self._due: dict[ConversationId, None] = {}
        self._active: set[ConversationId] = set()
        self._news = asyncio.Event()
        self._paused = False
        self.idle = asyncio.Event()
        """Set while nothing is being called."""
        self.idle.set()

    def ask(self, conversation: ConversationId) -> None:
        self._due[conversation] = None
        if conversation not in self._active:
            self._news.set()

    def pause(self) -> None:
        """Starts nothing any more. What is due stays due in the store as well, so it is not lost."""
        self._paused = True

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._news.wait()
                self._news.clear()
                due = [] if self._paused else [one for one in self._due if one not in self._active]
                for conversation in due:
                    del self._due[conversation]
                    self._active.add(conversation)
                    self.idle.clear()
                    tasks.create_task(self._work(conversation))

    async def _work(self, conversation: ConversationId) -> None:
        try:
            await self._call(conversation)
        finally:
            self._active.discard(conversation)
            if conversation in self._due:
                # It may have been past its last look when it was asked for.
                self._news.set()
            if not self._active:
                self.idle.set()


class LocalDispatcher:
    def __init__(self, drain: Drain, look: Look, clock: Clock) -> None:
        self._drains = _OneAtATime(drain)
        self._looks = _OneAtATime(look)
        self._clock = clock

    def wake(self, conversation: ConversationId) -> None:
        self._drains.ask(conversation)

    def nudge(self, conversation: ConversationId) -> None:
        self._looks.ask(conversation)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._drains.run())
            tasks.create_task(self._looks.run())

    async def drain(self, grace: timedelta) -> bool:
        """What is running may still be told to stop meanwhile."""
        self._drains.pause()
        return await self._clock.wait(self._drains.idle, grace.total_seconds())
