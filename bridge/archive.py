"""The seam to what was said earlier: conversations that can be gone on with, and those that shall be forgotten.

Who may is decided here, by what our own tables say, and never by what a backend would let through. Every method is one
transaction; all may raise `StoreUnavailable` (nothing was written).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bridge.messages import (
    AnswerId,
    AppName,
    BackendConversationId,
    BackendIds,
    BackendUser,
    ConversationId,
    ConversationKey,
    EventId,
    MessageRef,
    PersonId,
    ReplyTarget,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeker:
    """Who looks for earlier conversations, and where."""

    person: PersonId
    key: ConversationKey
    """The conversation that one of them shall go on in."""
    app: AppName
    backend_user: BackendUser
    """Of that conversation, should it not exist yet."""
    open_threads: bool
    """Whoever sees the channel sees all of its threads. Else only of those that the bot opened that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastConversation:
    answer: AnswerId
    """One of its answers, which names it in a button."""
    id: BackendConversationId
    user: BackendUser
    """As whom it was asked, exactly."""
    question: str
    """How it began, as far as that is still kept."""
    last_asked: datetime


class ResumeResult(StrEnum):
    RESUMED = "resumed"
    NOT_YOURS = "not yours"
    """It may not be gone on with here by this person, or it is not known (any more)."""
    BUSY = "busy"
    """Something is being answered, here or where it goes on now."""
    HERE_ALREADY = "here already"
    DUPLICATE = "duplicate"


class ForgetResult(StrEnum):
    FORGOTTEN = "forgotten"
    NOT_YOURS = "not yours"
    BUSY = "busy"
    NOTHING = "nothing"
    """It is forgotten already, or nothing was ever asked."""
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    result: ForgetResult
    deletions: Sequence[int] = ()
    """Which conversations its backend is still to delete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A conversation that is forgotten here and that its backend is still to delete."""

    id: int
    app: AppName
    conversation: BackendConversationId
    user: BackendUser
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A whole answer that shall be read aloud now, by whoever was given this."""

    answer: AnswerId
    installation: str
    app: AppName
    user: BackendUser
    ids: BackendIds
    text: str
    """"" once it is not kept any more."""
    target: ReplyTarget
    """Where it is answered."""


class Archive(Protocol):
    async def past(self, seeker: Seeker, limit: int) -> Sequence[PastConversation]:
        """What this person may go on with there, the latest first; without what goes on there now.

        In direct messages: what was said in their own direct messages. In a thread of a channel: what was said in that thread, if
        they asked in it; and what nobody but them asked in a thread of the same channel that everybody in the channel can read.
        Nothing ever leaves direct messages for a channel, one channel for another, or a thread with a smaller circle of readers.
        """
        ...

    async def resume(self, event_id: EventId, seeker: Seeker, answer: AnswerId) -> ResumeResult:
        """The conversation of that answer goes on there, as the `user` that it belongs to, and nowhere else: where it went on
        before, the next question begins a new one. Looked at once more whether it may."""
        ...

    async def may_forget(self, conversation: ConversationId, person: PersonId) -> bool:
        """Whether they asked in it."""
        ...

    async def forget(self, event_id: EventId, conversation: ConversationId, person: PersonId) -> Forgotten:
        """All that was said in it is gone from our tables: texts, and what leads to the backend's conversations, which become
        `Deletion`s. Who asked when and what it cost is kept, without a word."""
        ...

    async def begin_speaking(self, event_id: EventId, message: MessageRef) -> Utterance | None:
        """None: that is no message of a whole answer, it is not known any more where it stands, or it is being read or was read
        aloud. Whoever begins and dies is given up after some minutes."""
        ...

    async def spoken(self, utterance: Utterance) -> None:
        """It was read aloud, and is not again."""
        ...

    async def not_spoken(self, utterance: Utterance) -> None:
        """It was not, and may be."""
        ...

    async def due_deletions(self, now: datetime, limit: int) -> Sequence[Deletion]: ...

    async def deleted(self, deletion: int) -> None:
        """The backend has it no more."""
        ...

    async def not_deleted(self, deletion: int, retry_at: datetime) -> None: ...
