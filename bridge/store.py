"""The seam to durable memory. Our own tables are the record; nothing is true until it is committed here.

Every method is one transaction. All may raise `StoreUnavailable` (nothing was written). Methods that take an `epoch` raise
`Fenced` when the conversation has another owner by now.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bridge.backend_api import UsageReported
from bridge.history_api import PastTurn
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
    InstallationId,
    MessageRef,
    Outcome,
    PartRole,
    PersonId,
    PlatformName,
    Rating,
    ReplyTarget,
    StopReason,
    Turn,
)
from bridge.pauses_api import KeepsPauses
from bridge.quotas import Quota, Quotas
from bridge.votes import PendingRating, Vote

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
    most_waiting: int | None = None
    """Questions that may wait in the conversation, the one being answered not counted. None: any number."""
    most_by_bots: int | None = None
    """Questions by bots that may follow one another there without one by a person; of interest to bots. None: any number."""
    quotas: Quotas = field(default_factory=Quotas)
    """How many questions to this app are taken, of its author on this platform and in its channel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    conversation_id: ConversationId
    seq: int
    waiting: int
    """Questions before this one that are not answered yet."""
    behind_form: bool = False
    """What is being answered waits for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Full:
    """Not accepted, and claimed all the same, so that this is told once: too much waits already."""

    waiting: int
    by_bots: bool = False
    """Nothing is full: too many bots have asked in a row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """Not accepted, and claimed all the same: a quota is used up."""

    quota: Quota
    until: datetime
    """When the next question will be taken."""
    of_channel: bool = False
    """It is that of the channel; else the person's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A whole answer is wanted once more, which counts as a question of whoever wants it."""

    by: PersonId
    quotas: Quotas = field(default_factory=Quotas)


class StopResult(StrEnum):
    STOPPING = "stopping"
    """Recorded; whoever works on the answer must be nudged."""
    NOTHING_RUNS = "nothing runs"
    """There is no unfinished answer (or it is showing its end); nothing was recorded, nothing claimed."""
    DUPLICATE = "duplicate"
    """This event, or the message that says so, was claimed before."""


class Touched(StrEnum):
    """What became of an edit or a deletion."""

    WAITING = "waiting"
    """The question was not begun: it is replaced, or will be passed over."""
    RUNNING = "running"
    """It is being answered: recorded; whoever works on it must be nudged."""
    NOTHING = "nothing"
    """Not one of our questions, answered already, not newer than what is known, or not wanted. Nothing was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What became of an edit or a deletion, and where."""

    touched: Touched
    conversation_id: ConversationId | None = None
    """Set unless nothing was touched."""


class RetryResult(StrEnum):
    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """Somebody has had it asked again already."""
    FORGOTTEN = "forgotten"
    """The question's text is gone (see `blank_payloads`)."""
    NOTHING = "nothing"
    """Not a message of an answer that ended as `failed` or `stopped` (or as `done`, where it is wanted again)."""
    OUTDATED = "outdated"
    """Something else was asked in its conversation since, so the whole answer stays as it is."""
    LIMITED = "limited"
    """It would count as a question, and a quota is used up: see `Retried.limited`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    result: RetryResult
    conversation_id: ConversationId | None = None
    """Set unless `result` is `nothing`."""
    target: ReplyTarget | None = None
    """Where the conversation is answered, as far as that is still known."""
    limited: Limited | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsed:
    """Whoever asked likes the answer."""

    target: ReplyTarget | None = None
    """Where it is answered, as far as that is still known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What others want of a running turn."""

    stop: StopReason | None = None
    question: AskedQuestion | None = None
    """Set when the question was edited since it was asked: ask this instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one person did in one installation."""

    questions: int = 0
    answered: int = 0
    """Those of them that were answered to the end."""
    votes: int = 0


class Store(KeepsPauses, Protocol):
    async def ping(self) -> None:
        """Raises `StoreUnavailable` unless the store can be read."""
        ...

    async def close(self) -> None: ...

    # Intake

    async def find_conversation(self, key: ConversationKey, app: AppName) -> ConversationId | None: ...

    async def conversation_of(self, message: MessageRef) -> ConversationId | None:
        """The conversation that one of *our* messages belongs to."""
        ...

    async def asked_in(self, message: MessageRef) -> ConversationId | None:
        """The conversation in which this message of *somebody* was accepted as a question."""
        ...

    async def is_muted(self, conversation: ConversationId) -> bool: ...

    async def set_muted(self, event_id: EventId, conversation: ConversationId, *, muted: bool) -> bool:
        """False: it was so already."""
        ...

    async def start_afresh(self, event_id: EventId, conversation: ConversationId) -> bool:
        """The next question that is begun starts a new conversation at the backend. What runs or waits before that is not
        touched, but what a running answer reveals of the backend's conversation is not kept. False: nothing to forget."""
        ...

    async def accept(self, new: NewQuestion) -> Accepted | Full | Limited | None:
        """Claims a question by event id and by message identity. None: somebody has claimed it already."""
        ...

    async def revise(self, event_id: EventId, question: AskedQuestion, revision: int, *, running: bool) -> Change:
        """The author changed a question (found by `question.ref`). The newest revision counts, whatever comes last.

        One that waits is replaced. One that is being answered (`planned`, `asked` or `streaming`) is replaced too, if `running`,
        and its answer is marked: see `Orders.question`.
        """
        ...

    async def withdraw(self, event_id: EventId, ref: MessageRef) -> Change:
        """The question was deleted: passed over when it waits, stopped (`StopReason.WITHDRAWN`) when it is being answered."""
        ...

    async def request_stop(
        self,
        event_id: EventId,
        conversation: ConversationId,
        *,
        by: MessageRef | None = None,
        answer: MessageRef | None = None,
    ) -> StopResult:
        """Records that the running answer of a conversation shall end. `by`: the message that says so, which is claimed as a
        question would be. `answer`: one of our messages; then only the answer that it is part of is meant."""
        ...

    async def retry(self, event_id: EventId, answer: MessageRef, again: Again | None = None) -> Retried:
        """Accepts the question of an ended answer once more, at the end of its conversation, whatever waits there already. With
        `again` that of a whole answer too, as long as it is the last of its conversation.

        Its new answer takes over the messages of the old one, so that it appears in the same place, and the votes on them; votes
        and comments on a whole answer stay with that one. An answer is retried at most once; what comes out of that may be
        retried again.
        """
        ...

    # Turns

    async def waiting_conversations(self, platforms: Collection[PlatformName]) -> Sequence[ConversationId]:
        """Conversations on these platforms with accepted questions whose answers have not ended, oldest first."""
        ...

    async def begin_next(self, conversation: ConversationId, epoch: int | None) -> Turn | None:
        """Takes the next question in order and records its answer as `planned`. None: nothing waits (or its answer rests).

        `epoch=None` makes the caller the new owner (the epoch grows), also of an answer that another owner left unfinished,
        which then comes first, just as it was left. Later calls pass `Turn.epoch`, and are given a `paused` answer again that
        does not rest. Withdrawn questions are passed over.
        """
        ...

    async def orders(self, turn: Turn) -> Orders:
        """What others want of this turn by now."""
        ...

    async def move_to(self, turn: Turn, target: ReplyTarget) -> None:
        """Remembers the opened thread as the place where this conversation is answered from now on, and that what is said there
        belongs to it (`target.conversation` is its key from now on, unless another conversation has it)."""
        ...

    async def record_asked(self, turn: Turn, attempt: int) -> AskedQuestion:
        """Just before the backend is asked for the `attempt`th time: the answer is `asked` and forgets the backend's ids of
        earlier attempts. Returns the question as it reads now; edits up to here count as asked."""
        ...

    async def record_spoken(self, turn: Turn, words: str) -> None:
        """Keeps what was made out of the question's voice messages (`AskedQuestion.spoken`)."""
        ...

    async def record_told(self, turn: Turn, text: str) -> None:
        """Keeps what the app is told with the question (`AskedQuestion.told`)."""
        ...

    async def record_started(self, turn: Turn, ids: BackendIds) -> None:
        """Records the backend's ids on answer and conversation; the answer is `streaming`."""
        ...

    async def record_lost(self, turn: Turn) -> None:
        """What the backend was asked came to nothing there: its conversation is `poisoned` until it is forgotten."""
        ...

    async def forget_backend_conversation(self, turn: Turn) -> None:
        """The backend no longer knows it, or it is of no use: the next question starts a new one."""
        ...

    async def recent_turns(self, turn: Turn, limit: int) -> Sequence[PastTurn]:
        """The last answered questions of this conversation whose text is still kept, as the app was told them, oldest first."""
        ...

    async def record_intended(self, turn: Turn, part: int, nonce: str, role: PartRole, text: str) -> None:
        """Message `part` (from 0) of the answer is about to be posted."""
        ...

    async def record_posted(
        self, turn: Turn, part: int, nonce: str, role: PartRole, ref: MessageRef, text: str
    ) -> None:
        """It stands. Reactions on it count from now on, earlier ones included. Need not have been intended before."""
        ...

    async def record_shown(self, turn: Turn, part: int, text: str) -> None:
        """Replaces the text recorded for a posted part, just before it is shown."""
        ...

    async def record_spent(self, turn: Turn, attempt: int, usage: UsageReported) -> None:
        """What the `attempt`th asking for this answer has cost; what is told last counts. Kept longer than any text."""
        ...

    async def record_outcome(self, turn: Turn, outcome: Outcome) -> None:
        """What the answer will say is settled: it is `finalising`."""
        ...

    async def finish(self, turn: Turn, state: AnswerState, error: str = "") -> None:
        """The turn is over (`done`, `stopped` or `failed`): answer ended, question answered, the next one may start."""
        ...

    async def claim_title(self, conversation: ConversationId) -> bool:
        """True once: it is answered in a thread that was opened for it, which from now on counts as titled."""
        ...

    # Housekeeping

    async def blank_payloads(self, before: datetime, longer: Mapping[AppName, datetime] | None = None) -> int:
        """Removes the text of questions answered before then (of apps in `longer`: before that) and of their answers.
        Returns how many."""
        ...

    async def bookmark(self, platform: PlatformName, name: str) -> str | None:
        """What was last kept with `set_bookmark`."""
        ...

    async def set_bookmark(self, platform: PlatformName, name: str, value: str) -> None: ...

    async def recent_targets(self, platform: PlatformName, since: datetime, limit: int) -> Sequence[ReplyTarget]:
        """Where conversations of this platform that were active since then are answered, the latest first."""
        ...

    async def usage(self, platform: PlatformName, installation: InstallationId, person: PersonId) -> Usage:
        """As far back as is known."""
        ...

    # Feedback

    async def record_comment(
        self, event_id: EventId, message: MessageRef, person: PersonId, text: str, revision: int
    ) -> bool:
        """Keeps why a person thinks so of the answer that `message` is part of; the newest counts, and the answer's aggregate is
        due again. False: nothing changed."""
        ...

    async def record_vote(self, vote: Vote, aggregate: Aggregate) -> bool:
        """Keeps the vote if its revision is newer than the one known, and queues the answer's new aggregate.

        False: nothing changed. Votes on messages that are not (yet) known as ours are kept and count once they are.
        """
        ...

    async def endorsed(self, message: MessageRef) -> Endorsed | None:
        """Whether whoever asked likes the answer that this message of ours is part of, by what they voted last."""
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
