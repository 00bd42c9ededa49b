"""The seam to durable memory. Our own tables are the record; nothing is true until it is committed here.

Every method is one transaction. All may raise `StoreUnavailable` (nothing was written). Methods that take an `epoch` raise
`Fenced` when the conversation has another owner by now.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from bridge.messages import (
    AnswerId,
    AnswerState,
    AppName,
    AskedQuestion,
    BackendIds,
    BackendUser,
    ConversationId,
    ConversationKey,
    EventId,
    MessageRef,
    PlatformName,
    Rating,
    ReplyTarget,
    Turn,
    Vote,
)

Aggregate = Callable[[Sequence[Vote]], Rating | None]
"""Pure: every vote on one answer in, the one rating for the backend out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewQuestion:
    event_id: EventId
    key: ConversationKey
    """Conversation to join. It is made when it does not exist yet, with `backend_user`."""
    app: AppName
    backend_user: BackendUser
    question: AskedQuestion
    join: ConversationId | None = None
    """Join this existing conversation instead of `key` (a reply to one of its answers)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    conversation_id: ConversationId
    seq: int
    waiting: int
    """Questions before this one that are not answered yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedPart:
    """One message of an answer that is known to have been posted."""

    part: int
    ref: MessageRef
    text: str
    """Text shown last, as recorded with `record_shown`; empty where the platform can be asked instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InterruptedAnswer:
    """An answer whose process died: asked, maybe half shown, never finished."""

    turn: Turn
    state: AnswerState
    parts: tuple[PostedPart, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRating:
    """An aggregate that the backend does not have yet."""

    answer_id: AnswerId
    app: AppName
    backend_user: BackendUser
    ids: BackendIds
    rating: Rating | None
    attempts: int
    likes: int
    dislikes: int


class Store(Protocol):
    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless the store can be read."""
        ...

    async def close(self) -> None: ...

    # Intake

    async def find_conversation(self, key: ConversationKey, app: AppName) -> ConversationId | None: ...

    async def conversation_of(self, message: MessageRef) -> ConversationId | None:
        """The conversation that one of *our* messages belongs to."""
        ...

    async def accept(self, new: NewQuestion) -> Accepted | None:
        """Claims a question by event id and by message identity. None: somebody has claimed it already."""
        ...

    # Turns

    async def waiting_conversations(self, platforms: Collection[PlatformName]) -> Sequence[ConversationId]:
        """Conversations on these platforms with accepted questions that are not answered, oldest first."""
        ...

    async def begin_next(self, conversation: ConversationId, epoch: int | None) -> Turn | None:
        """Takes the next question in order and records its answer as `asked`. None: nothing waits.

        `epoch=None` makes the caller the new owner (the epoch grows); later calls pass `Turn.epoch`.
        """
        ...

    async def move_to(self, turn: Turn, target: ReplyTarget) -> None:
        """Remembers the opened thread as the place where this conversation is answered from now on."""
        ...

    async def record_started(self, turn: Turn, ids: BackendIds) -> None:
        """Records the backend's ids on answer and conversation; the answer is `streaming`."""
        ...

    async def forget_backend_conversation(self, turn: Turn) -> None:
        """The backend no longer knows it: the next question starts a new one."""
        ...

    async def record_posted(self, turn: Turn, part: int, nonce: str, ref: MessageRef, text: str) -> None:
        """Records message `part` (from 0) of the answer. Reactions on it count from now on, earlier ones included."""
        ...

    async def record_shown(self, turn: Turn, part: int, text: str) -> None:
        """Replaces the text recorded for a posted part, just before it is shown."""
        ...

    async def finish(self, turn: Turn, state: AnswerState, error: str = "") -> None:
        """The turn is over (`done`, `stopped` or `failed`): answer ended, question answered, the next one may start."""
        ...

    # Recovery

    async def interrupted_answers(self) -> Sequence[InterruptedAnswer]:
        """Answers in `asked` or `streaming`, oldest first. Takes ownership: each turn has a fresh epoch."""
        ...

    async def blank_payloads(self, before: datetime) -> int:
        """Removes the text of questions answered before then and returns how many."""
        ...

    # Feedback

    async def record_vote(self, vote: Vote, aggregate: Aggregate) -> bool:
        """Keeps the vote if its revision is newer than the one known, and queues the answer's new aggregate.

        False: nothing changed. Votes on messages that are not (yet) known as ours are kept and count once they are.
        """
        ...

    async def due_ratings(self, now: datetime, limit: int) -> Sequence[PendingRating]:
        """Aggregates to be sent: changed since they were last sent, and not waiting for a later retry."""
        ...

    async def rating_sent(self, answer: AnswerId, rating: Rating | None) -> None:
        """The backend has `rating` now. An aggregate that changed meanwhile stays due."""
        ...

    async def rating_failed(self, answer: AnswerId, retry_at: datetime | None) -> None:
        """Not delivered. Due again at `retry_at`; None gives it up until the next vote."""
        ...
