"""What the store in memory keeps: one value per row of the real one."""

from dataclasses import dataclass, field
from datetime import datetime

from bridge.messages import (
    AnswerId,
    AnswerState,
    AppName,
    AskedQuestion,
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendUser,
    ChannelId,
    ConversationId,
    ConversationKey,
    EventId,
    MessageRef,
    Outcome,
    PersonId,
    Rating,
    ReplyTarget,
    SentPart,
    StopReason,
    Turn,
)
from bridge.pauses import Pause
from tests.fakes import values

RUNNING = (AnswerState.PLANNED, AnswerState.ASKED, AnswerState.STREAMING, AnswerState.PAUSED)
UNFINISHED = (*RUNNING, AnswerState.FINALISING)


@dataclass(eq=False)
class KeptQuestion:
    ref: MessageRef
    question: AskedQuestion | None
    """None: withdrawn, or its text was removed."""
    person: PersonId
    revision: int = 0
    withdrawn: bool = False
    answer: AnswerId | None = None
    retry_of: AnswerId | None = None
    again_by: PersonId | None = None
    """Who wanted a whole answer once more."""
    channel: ChannelId = ChannelId("")
    asked_at: datetime = values.THEN


@dataclass
class KeptConversation:
    id: ConversationId
    key: ConversationKey
    app: AppName
    backend_user: BackendUser
    backend_conversation: BackendConversationId | None = None
    poisoned: bool = False
    fresh_after: int = 0
    """Number of the last question that belongs to what was forgotten on purpose."""
    muted: bool = False
    bots_in_a_row: int = 0
    home: ReplyTarget | None = None
    titled: bool = False
    head: int = 0
    epoch: int = 0
    active: AnswerId | None = None
    """The one unfinished answer."""
    resting: bool = False
    """That one waits for people."""
    active_at: datetime = values.THEN
    questions: list[KeptQuestion] = field(default_factory=list)


@dataclass(eq=False)
class KeptAnswer:
    turn: Turn
    state: AnswerState = AnswerState.PLANNED
    attempt: int = 0
    asked_revision: int = 0
    ids: BackendIds = field(default_factory=BackendIds)
    last_seen: BackendMessageId | None = None
    error: str = ""
    stop: StopReason | None = None
    outcome: Outcome | None = None
    parts: dict[int, SentPart] = field(default_factory=dict)
    finished_at: datetime | None = None
    retried: bool = False
    pause: "KeptPause | None" = None


@dataclass(eq=False)
class KeptPause:
    pause: Pause
    event: EventId | None = None
    look_at: datetime | None = None
    remind_at: datetime | None = None
    reminded: bool = False


@dataclass
class KeptRating:
    wanted: Rating | None
    likes: int
    dislikes: int
    comments: frozenset[tuple[PersonId, int]] = frozenset()
    """Which comments belong to it: whose, and which of theirs."""
    sent: Rating | None = None
    comments_handed: frozenset[tuple[PersonId, int]] = frozenset()
    comments_sent: frozenset[tuple[PersonId, int]] = frozenset()
    dirty: bool = False
    attempts: int = 0
    retry_at: datetime | None = None


@dataclass(eq=False)
class KeptComment:
    message: MessageRef
    person: PersonId
    text: str
    revision: int
    given_at: datetime
    past: AnswerId | None = None
    """The answer that it is about, where its message has become another's since."""
