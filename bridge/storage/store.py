"""The one store: every method of the seam as one transaction. What is done inside each is told in the modules beside this one."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bridge.backend_api import UsageReported
from bridge.clock import Clock
from bridge.errors import StoreUnavailable
from bridge.history_api import PastTurn
from bridge.messages import (
    AnswerId,
    AnswerState,
    AppName,
    AskedQuestion,
    BackendIds,
    ConversationId,
    ConversationKey,
    EventId,
    InstallationId,
    MessageRef,
    Outcome,
    PartRole,
    PersonId,
    PlatformName,
    Rating,
    ReplyTarget,
    Turn,
)
from bridge.storage import changes, claims, keeping, progress, ratings, resting, retries, spending, turns, wishes
from bridge.storage.engine import translated
from bridge.storage.opening import Database, open_database
from bridge.storage.pauses import PauseMethods
from bridge.storage.settings import Settings
from bridge.storage.tables import conversation
from bridge.storage.whole import whole
from bridge.store import (
    Accepted,
    Again,
    Aggregate,
    Change,
    Endorsed,
    Full,
    Limited,
    NewQuestion,
    Orders,
    Retried,
    RetryResult,
    StopResult,
    Store,
    Touched,
    Usage,
)
from bridge.votes import PendingRating, Vote

OnWork = Callable[[AsyncConnection, ConversationId], Awaitable[None]]
"""Told of new work at the end of the transaction that makes it, so that what it writes is committed with it or not at all."""

ENDINGS = frozenset({AnswerState.DONE, AnswerState.STOPPED, AnswerState.FAILED})


async def open_store(
    settings: Settings, clock: Clock, aggregate: Aggregate, on_work: OnWork | None = None
) -> "SqlStore":
    """Opens the database; it is not migrated here.

    Raises `StoreInUse` when it is an SQLite file that another process has, `StoreUnavailable` when it cannot be opened and
    `SettingsError` when its folder cannot be used.
    """
    return SqlStore(await open_database(settings, clock), clock, aggregate, on_work)


class SqlStore(PauseMethods, Store):
    """`aggregate` is the rule for votes that are counted for another reason than a vote."""

    def __init__(self, database: Database, clock: Clock, aggregate: Aggregate, on_work: OnWork | None = None) -> None:
        self._database = database
        self._clock = clock
        self._aggregate = aggregate
        self._on_work = on_work
        self._closed = False

    @property
    def readers(self) -> AsyncEngine:
        """Connections outside of transactions."""
        return self._database.readers

    @whole
    async def ping(self) -> None:
        async with self.reading() as connection:
            await connection.execute(select(conversation.c.id).limit(1))

    async def close(self) -> None:
        """Called when no other method is running. May be called again."""
        if self._closed:
            return
        self._closed = True
        await self._database.close()

    # Intake

    @whole
    async def find_conversation(self, key: ConversationKey, app: AppName) -> ConversationId | None:
        async with self.reading() as connection:
            return await claims.find_conversation(connection, key, app)

    @whole
    async def conversation_of(self, message: MessageRef) -> ConversationId | None:
        async with self.reading() as connection:
            return await claims.conversation_of(connection, message)

    @whole
    async def asked_in(self, message: MessageRef) -> ConversationId | None:
        async with self.reading() as connection:
            return await claims.asked_in(connection, message)

    @whole
    async def is_muted(self, conversation: ConversationId) -> bool:
        async with self.reading() as connection:
            return await wishes.is_muted(connection, conversation)

    @whole
    async def set_muted(self, event_id: EventId, conversation: ConversationId, *, muted: bool) -> bool:
        async with self.writing() as connection:
            return await wishes.set_muted(connection, event_id, conversation, muted=muted, now=self._clock.now())

    @whole
    async def start_afresh(self, event_id: EventId, conversation: ConversationId) -> bool:
        async with self.writing() as connection:
            return await wishes.start_afresh(connection, event_id, conversation, self._clock.now())

    @whole
    async def accept(self, new: NewQuestion) -> Accepted | Full | Limited | None:
        async with self.writing() as connection:
            accepted = await claims.accept(connection, new, self._clock.now())
            if accepted is None:
                await connection.rollback()
            elif isinstance(accepted, Accepted):
                await self._tell(connection, accepted.conversation_id)
            return accepted

    @whole
    async def revise(self, event_id: EventId, question: AskedQuestion, revision: int, *, running: bool) -> Change:
        async with self.writing() as connection:
            change = await changes.revise(
                connection, event_id, question, revision, running=running, now=self._clock.now()
            )
            return await self._rouse_for(connection, change)

    @whole
    async def withdraw(self, event_id: EventId, ref: MessageRef) -> Change:
        async with self.writing() as connection:
            change = await changes.withdraw(connection, event_id, ref, self._clock.now())
            return await self._rouse_for(connection, change)

    @whole
    async def request_stop(
        self,
        event_id: EventId,
        conversation: ConversationId,
        *,
        by: MessageRef | None = None,
        answer: MessageRef | None = None,
    ) -> StopResult:
        async with self.writing() as connection:
            result = await changes.request_stop(
                connection, event_id, conversation, by=by, message=answer, now=self._clock.now()
            )
            if result is StopResult.STOPPING:
                await self.rouse_in(connection, conversation)
            return result

    @whole
    async def retry(self, event_id: EventId, answer: MessageRef, again: Again | None = None) -> Retried:
        async with self.writing() as connection:
            retried = await retries.retry(connection, event_id, answer, again, self._clock.now())
            if retried.result is RetryResult.ACCEPTED and retried.conversation_id is not None:
                await self._tell(connection, retried.conversation_id)
            return retried

    # Turns

    @whole
    async def waiting_conversations(self, platforms: Collection[PlatformName]) -> Sequence[ConversationId]:
        async with self.reading() as connection:
            return await keeping.waiting_conversations(connection, platforms)

    @whole
    async def begin_next(self, conversation: ConversationId, epoch: int | None) -> Turn | None:
        async with self.writing() as connection:
            return await turns.begin_next(connection, conversation, epoch, self._aggregate, self._clock.now())

    @whole
    async def orders(self, turn: Turn) -> Orders:
        async with self.reading() as connection:
            return await turns.find_orders(connection, turn)

    @whole
    async def move_to(self, turn: Turn, target: ReplyTarget) -> None:
        async with self.writing() as connection:
            await progress.move_to(connection, turn, target, self._clock.now())

    @whole
    async def record_asked(self, turn: Turn, attempt: int) -> AskedQuestion:
        async with self.writing() as connection:
            return await progress.record_asked(connection, turn, attempt, self._clock.now())

    @whole
    async def record_spoken(self, turn: Turn, words: str) -> None:
        async with self.writing() as connection:
            await progress.record_in_question(connection, turn, self._clock.now(), spoken=words)

    @whole
    async def record_told(self, turn: Turn, text: str) -> None:
        async with self.writing() as connection:
            await progress.record_in_question(connection, turn, self._clock.now(), told=text)

    @whole
    async def record_started(self, turn: Turn, ids: BackendIds) -> None:
        async with self.writing() as connection:
            await progress.record_started(connection, turn, ids, self._clock.now())

    @whole
    async def record_lost(self, turn: Turn) -> None:
        async with self.writing() as connection:
            await progress.record_lost(connection, turn, self._clock.now())

    @whole
    async def forget_backend_conversation(self, turn: Turn) -> None:
        async with self.writing() as connection:
            await progress.forget_backend_conversation(connection, turn, self._clock.now())

    @whole
    async def recent_turns(self, turn: Turn, limit: int) -> Sequence[PastTurn]:
        async with self.reading() as connection:
            return await turns.recent_turns(connection, turn, limit)

    @whole
    async def record_intended(self, turn: Turn, part: int, nonce: str, role: PartRole, text: str) -> None:
        async with self.writing() as connection:
            await progress.record_part(connection, turn, part, nonce, role, None, text, self._clock.now())

    @whole
    async def record_posted(
        self, turn: Turn, part: int, nonce: str, role: PartRole, ref: MessageRef, text: str
    ) -> None:
        async with self.writing() as connection:
            now = self._clock.now()
            await ratings.lock_message(connection, ref)
            await progress.record_part(connection, turn, part, nonce, role, ref, text, now)
            await ratings.recount(connection, turn.answer_id, self._aggregate, now)

    @whole
    async def record_shown(self, turn: Turn, part: int, text: str) -> None:
        async with self.writing() as connection:
            await progress.record_shown(connection, turn, part, text, self._clock.now())

    @whole
    async def record_spent(self, turn: Turn, attempt: int, usage: UsageReported) -> None:
        async with self.writing() as connection:
            await spending.record_spent(connection, turn, attempt, usage, self._clock.now())

    @whole
    async def record_outcome(self, turn: Turn, outcome: Outcome) -> None:
        if outcome.state not in ENDINGS:
            raise ValueError(f"an answer cannot end as {outcome.state}")
        async with self.writing() as connection:
            await progress.record_outcome(connection, turn, outcome, self._clock.now())

    @whole
    async def finish(self, turn: Turn, state: AnswerState, error: str = "") -> None:
        if state not in ENDINGS:
            raise ValueError(f"an answer cannot end as {state}")
        async with self.writing() as connection:
            await progress.finish(connection, turn, state, error, self._clock.now())

    @whole
    async def claim_title(self, conversation: ConversationId) -> bool:
        async with self.reading() as connection:
            # Asked after every answer, and nearly always in vain.
            if not await wishes.lacks_title(connection, conversation):
                return False
        async with self.writing() as connection:
            return await wishes.claim_title(connection, conversation)

    # Housekeeping

    @whole
    async def blank_payloads(self, before: datetime, longer: Mapping[AppName, datetime] | None = None) -> int:
        async with self.writing() as connection:
            return await keeping.blank_payloads(connection, before, longer or {})

    @whole
    async def bookmark(self, platform: PlatformName, name: str) -> str | None:
        async with self.reading() as connection:
            return await keeping.find_bookmark(connection, platform, name)

    @whole
    async def set_bookmark(self, platform: PlatformName, name: str, value: str) -> None:
        async with self.writing() as connection:
            await keeping.set_bookmark(connection, platform, name, value, self._clock.now())

    @whole
    async def recent_targets(self, platform: PlatformName, since: datetime, limit: int) -> Sequence[ReplyTarget]:
        async with self.reading() as connection:
            return await keeping.recent_targets(connection, platform, since, limit)

    @whole
    async def usage(self, platform: PlatformName, installation: InstallationId, person: PersonId) -> Usage:
        async with self.reading() as connection:
            return await keeping.usage(connection, platform, installation, person)

    # Feedback

    @whole
    async def record_comment(
        self, event_id: EventId, message: MessageRef, person: PersonId, text: str, revision: int
    ) -> bool:
        """Told twice, it has the same revision: so the event need not be claimed."""
        async with self.writing() as connection:
            return await ratings.record_comment(
                connection, message, person, text, revision, self._aggregate, self._clock.now()
            )

    @whole
    async def record_vote(self, vote: Vote, aggregate: Aggregate) -> bool:
        async with self.writing() as connection:
            return await ratings.record_vote(connection, vote, aggregate, self._clock.now())

    @whole
    async def endorsed(self, message: MessageRef) -> Endorsed | None:
        async with self.reading() as connection:
            return await ratings.endorsed(connection, message)

    @whole
    async def due_ratings(self, now: datetime, limit: int) -> Sequence[PendingRating]:
        async with self.reading() as connection:
            # Asked every few seconds, and nearly always in vain: that must not take the write lock.
            if not await ratings.is_any_due(connection, now):
                return []
        async with self.writing() as connection:
            return await ratings.hand_out(connection, now, limit)

    @whole
    async def rating_sent(self, answer: AnswerId, rating: Rating | None) -> None:
        async with self.writing() as connection:
            await ratings.rating_sent(connection, answer, rating)

    @whole
    async def rating_failed(self, answer: AnswerId, retry_at: datetime | None) -> None:
        async with self.writing() as connection:
            await ratings.rating_failed(connection, answer, retry_at)

    async def _tell(self, connection: AsyncConnection, conversation: ConversationId) -> None:
        if self._on_work is not None:
            await self._on_work(connection, conversation)

    async def _rouse_for(self, connection: AsyncConnection, change: Change) -> Change:
        if change.touched is Touched.RUNNING and change.conversation_id is not None:
            await self.rouse_in(connection, change.conversation_id)
        return change

    async def rouse_in(self, connection: AsyncConnection, conversation: ConversationId) -> None:
        """Part of a transaction: a conversation that rests has work to do."""
        if await resting.end_rest(connection, conversation):
            await self._tell(connection, conversation)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        self._refuse_when_closed()
        with translated():
            async with self._database.writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Single statements, each of which sees the last commit."""
        self._refuse_when_closed()
        with translated():
            async with self._database.readers.connect() as connection:
                yield connection

    def _refuse_when_closed(self) -> None:
        # A closed engine would quietly open new connections, without the lock.
        if self._closed:
            raise StoreUnavailable("the store is closed")
