"""The one store: every method of the seam as one transaction. What is done inside each is told in the modules beside this one."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bridge.clock import Clock
from bridge.errors import StoreUnavailable
from bridge.messages import (
    AnswerId,
    AnswerState,
    AppName,
    BackendIds,
    ConversationId,
    ConversationKey,
    MessageRef,
    PlatformName,
    Rating,
    ReplyTarget,
    Turn,
    Vote,
)
from bridge.storage import claims, ratings, recovering, turns
from bridge.storage.engine import open_readers, open_writer, switch_to_wal, translated
from bridge.storage.filelock import FileLock
from bridge.storage.folder import prepare_folder
from bridge.storage.settings import Settings
from bridge.storage.tables import conversation
from bridge.store import Accepted, Aggregate, InterruptedAnswer, NewQuestion, PendingRating, Store

P = ParamSpec("P")
T = TypeVar("T")


def whole(method: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """A transaction that was begun is ended before a cancelled caller goes on.

    Cut off inside the driver, a connection would be thrown away with its transaction open, and with it the write lock: no
    write would get through again before the process ends.
    """

    @wraps(method)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        work = asyncio.ensure_future(method(*args, **kwargs))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            while not work.done():
                with suppress(asyncio.CancelledError):
                    await asyncio.wait({work})
            if not work.cancelled():
                work.exception()
            raise

    return run


ENDINGS = frozenset({AnswerState.DONE, AnswerState.STOPPED, AnswerState.FAILED})


async def open_store(settings: Settings, clock: Clock, aggregate: Aggregate) -> "SqlStore":
    """Opens the database for this process alone. It is not migrated here.

    Raises `StoreInUse` when another process has it, `StoreUnavailable` when it cannot be opened and `SettingsError` when its
    folder cannot be used.
    """
    prepare_folder(settings)
    lock = FileLock(settings.path.with_name(settings.path.name + ".lock"))
    lock.take()
    try:
        await switch_to_wal(settings, clock)
    except BaseException:
        lock.release()
        raise
    return SqlStore(open_writer(settings), open_readers(settings), lock, clock, aggregate)


class SqlStore(Store):
    """`aggregate` is the rule for votes that were cast before their message was known as ours."""

    def __init__(
        self, writer: AsyncEngine, readers: AsyncEngine, lock: FileLock, clock: Clock, aggregate: Aggregate
    ) -> None:
        self._writer = writer
        self._readers = readers
        self._lock = lock
        self._clock = clock
        self._aggregate = aggregate
        self._closed = False

    @whole
    async def ping(self) -> None:
        async with self._reading() as connection:
            await connection.execute(select(conversation.c.id).limit(1))

    async def close(self) -> None:
        """Called when no other method is running. May be called again."""
        if self._closed:
            return
        self._closed = True
        await self._readers.dispose()
        await self._writer.dispose()
        self._lock.release()

    # Intake

    @whole
    async def find_conversation(self, key: ConversationKey, app: AppName) -> ConversationId | None:
        async with self._reading() as connection:
            return await claims.find_conversation(connection, key, app)

    @whole
    async def conversation_of(self, message: MessageRef) -> ConversationId | None:
        async with self._reading() as connection:
            return await claims.conversation_of(connection, message)

    @whole
    async def accept(self, new: NewQuestion) -> Accepted | None:
        async with self._writing() as connection:
            accepted = await claims.accept(connection, new, self._clock.now())
            if accepted is None:
                await connection.rollback()
            return accepted

    # Turns

    @whole
    async def waiting_conversations(self, platforms: Collection[PlatformName]) -> Sequence[ConversationId]:
        async with self._reading() as connection:
            return await recovering.waiting_conversations(connection, platforms)

    @whole
    async def begin_next(self, conversation: ConversationId, epoch: int | None) -> Turn | None:
        async with self._writing() as connection:
            return await turns.begin_next(connection, conversation, epoch, self._clock.now())

    @whole
    async def move_to(self, turn: Turn, target: ReplyTarget) -> None:
        async with self._writing() as connection:
            await turns.move_to(connection, turn, target, self._clock.now())

    @whole
    async def record_started(self, turn: Turn, ids: BackendIds) -> None:
        async with self._writing() as connection:
            await turns.record_started(connection, turn, ids, self._clock.now())

    @whole
    async def forget_backend_conversation(self, turn: Turn) -> None:
        async with self._writing() as connection:
            await turns.forget_backend_conversation(connection, turn, self._clock.now())

    @whole
    async def record_posted(self, turn: Turn, part: int, nonce: str, ref: MessageRef, text: str) -> None:
        async with self._writing() as connection:
            now = self._clock.now()
            await turns.record_posted(connection, turn, part, nonce, ref, text, now)
            await ratings.recount(connection, turn.answer_id, self._aggregate, now)

    @whole
    async def record_shown(self, turn: Turn, part: int, text: str) -> None:
        async with self._writing() as connection:
            await turns.record_shown(connection, turn, part, text, self._clock.now())

    @whole
    async def finish(self, turn: Turn, state: AnswerState, error: str = "") -> None:
        if state not in ENDINGS:
            raise ValueError(f"an answer cannot end as {state}")
        async with self._writing() as connection:
            await turns.finish(connection, turn, state, error, self._clock.now())

    # Recovery

    @whole
    async def interrupted_answers(self) -> Sequence[InterruptedAnswer]:
        async with self._writing() as connection:
            return await recovering.interrupted_answers(connection, self._clock.now())

    @whole
    async def blank_payloads(self, before: datetime) -> int:
        async with self._writing() as connection:
            return await recovering.blank_payloads(connection, before)

    # Feedback

    @whole
    async def record_vote(self, vote: Vote, aggregate: Aggregate) -> bool:
        async with self._writing() as connection:
            return await ratings.record_vote(connection, vote, aggregate, self._clock.now())

    @whole
    async def due_ratings(self, now: datetime, limit: int) -> Sequence[PendingRating]:
        async with self._reading() as connection:
            # Asked every few seconds, and nearly always in vain: that must not take the write lock.
            if not await ratings.find_due(connection, now, 1):
                return []
        async with self._writing() as connection:
            due = await ratings.find_due(connection, now, limit)
            await ratings.mark_handed_out(connection, due)
            return due

    @whole
    async def rating_sent(self, answer: AnswerId, rating: Rating | None) -> None:
        async with self._writing() as connection:
            await ratings.rating_sent(connection, answer, rating)

    @whole
    async def rating_failed(self, answer: AnswerId, retry_at: datetime | None) -> None:
        async with self._writing() as connection:
            await ratings.rating_failed(connection, answer, retry_at)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        self._refuse_when_closed()
        with translated():
            async with self._writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        self._refuse_when_closed()
        with translated():
            async with self._readers.connect() as connection:
                yield connection

    def _refuse_when_closed(self) -> None:
        # A closed engine would quietly open new connections, without the lock.
        if self._closed:
            raise StoreUnavailable("the store is closed")
