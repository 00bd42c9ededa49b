"""The archive on the one store: every method of the seam as one transaction."""

from collections.abc import Sequence
from datetime import datetime

from bridge.archive import Archive, Deletion, Forgotten, PastConversation, ResumeResult, Seeker, Utterance
from bridge.clock import Clock
from bridge.messages import AnswerId, ConversationId, EventId, MessageRef, PersonId
from bridge.storage import forgetting, past, speaking
from bridge.storage.store import SqlStore
from bridge.storage.whole import whole


class SqlArchive(Archive):
    def __init__(self, store: SqlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @whole
    async def past(self, seeker: Seeker, limit: int) -> Sequence[PastConversation]:
        async with self._store.reading() as connection:
            return await past.find_past(connection, seeker, limit)

    @whole
    async def resume(self, event_id: EventId, seeker: Seeker, answer: AnswerId) -> ResumeResult:
        async with self._store.writing() as connection:
            result = await past.resume(connection, event_id, seeker, answer, self._clock.now())
            if result is not ResumeResult.RESUMED:
                # A conversation that nothing goes on in is not made.
                await connection.rollback()
            return result

    @whole
    async def may_forget(self, conversation: ConversationId, person: PersonId) -> bool:
        async with self._store.reading() as connection:
            return await forgetting.may_forget(connection, conversation, person)

    @whole
    async def forget(self, event_id: EventId, conversation: ConversationId, person: PersonId) -> Forgotten:
        async with self._store.writing() as connection:
            return await forgetting.forget(connection, event_id, conversation, person, self._clock.now())

    @whole
    async def begin_speaking(self, event_id: EventId, message: MessageRef) -> Utterance | None:
        async with self._store.writing() as connection:
            return await speaking.begin_speaking(connection, event_id, message, self._clock.now())

    @whole
    async def spoken(self, utterance: Utterance) -> None:
        async with self._store.writing() as connection:
            await speaking.spoken(connection, utterance)

    @whole
    async def not_spoken(self, utterance: Utterance) -> None:
        async with self._store.writing() as connection:
            await speaking.not_spoken(connection, utterance)

    @whole
    async def due_deletions(self, now: datetime, limit: int) -> Sequence[Deletion]:
        async with self._store.reading() as connection:
            return await forgetting.due(connection, now, limit)

    @whole
    async def deleted(self, deletion: int) -> None:
        async with self._store.writing() as connection:
            await forgetting.deleted(connection, deletion)

    @whole
    async def not_deleted(self, deletion: int, retry_at: datetime) -> None:
        async with self._store.writing() as connection:
            await forgetting.not_deleted(connection, deletion, retry_at)
