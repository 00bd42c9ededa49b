"""The store's methods about answers that wait for people, each one transaction. What is done inside is told in `resting`."""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.clock import Clock
from bridge.messages import AnswerId, ConversationId, ConversationKey, EventId, MessageRef, PlatformName, Turn
from bridge.pauses import DuePause, Given, OpenForm, Pause
from bridge.pauses_api import Gave, GiveResult
from bridge.storage import resting
from bridge.storage.whole import whole


class _Transactions(Protocol):
    """What of the store is used here."""

    _clock: Clock

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]: ...

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]: ...

    async def rouse_in(self, connection: AsyncConnection, conversation: ConversationId) -> None: ...


class PauseMethods:
    """A part of `SqlStore`."""

    @whole
    async def pause_of(self: _Transactions, answer: AnswerId) -> Pause | None:
        async with self.reading() as connection:
            return await resting.pause_of(connection, answer)

    @whole
    async def record_paused(self: _Transactions, turn: Turn, pause: Pause) -> Pause:
        async with self.writing() as connection:
            return await resting.record_paused(connection, turn, pause, self._clock.now())

    @whole
    async def rest(
        self: _Transactions, turn: Turn, pause: Pause, *, look_at: datetime, remind_at: datetime | None
    ) -> bool:
        async with self.writing() as connection:
            return await resting.rest(
                connection, turn, pause, look_at=look_at, remind_at=remind_at, now=self._clock.now()
            )

    @whole
    async def open_form(self: _Transactions, message: MessageRef, within: ConversationKey) -> OpenForm | None:
        async with self.reading() as connection:
            return await resting.open_form(connection, message, within)

    @whole
    async def give(self: _Transactions, event_id: EventId, answer: AnswerId, number: int, given: Given) -> Gave:
        async with self.writing() as connection:
            gave = await resting.give(connection, event_id, answer, number, given, self._clock.now())
            if gave.result is GiveResult.TAKEN and gave.conversation is not None:
                await self.rouse_in(connection, gave.conversation)
            return gave

    @whole
    async def rouse(self: _Transactions, answer: AnswerId) -> ConversationId | None:
        async with self.writing() as connection:
            found = await resting.conversation_of_resting(connection, answer)
            if found is not None:
                await self.rouse_in(connection, found)
            return found

    @whole
    async def due_pauses(
        self: _Transactions, platforms: Collection[PlatformName], now: datetime, again_at: datetime, limit: int
    ) -> Sequence[DuePause]:
        async with self.reading() as connection:
            # Asked every few seconds, and nearly always in vain: that must not take the write lock.
            if not await resting.is_any_due(connection, now):
                return []
        async with self.writing() as connection:
            return await resting.due_pauses(connection, platforms, now, again_at, limit)
