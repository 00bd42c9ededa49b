"""The vocabulary: what is said between platforms, rooms and backends. Values only, no I/O.

Ids are `NewType`s over `str` that only their adapter or backend makes and reads. They are stored for ever: no shape may change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

PlatformName = NewType("PlatformName", str)
"""Name of a folder in `adapters`: "slack", "discord"."""

InstallationId = NewType("InstallationId", str)
"""Where the bot is installed (Slack: workspace id; Discord: server id, or "@me" for direct messages)."""

ChannelId = NewType("ChannelId", str)
ThreadId = NewType("ThreadId", str)
PersonId = NewType("PersonId", str)
EventId = NewType("EventId", str)
"""The platform's own id of one delivery. Two deliveries of one message may carry different ones."""

Address = NewType("Address", str)
"""The adapter's private spelling of a place or a message. Nobody else may take it apart."""

PaceGroup = NewType("PaceGroup", str)
"""The adapter's name for a write quota: everything with the same name draws on the same budget."""

AppName = NewType("AppName", str)
"""Name of a configured app; part of the conversation's identity, since backend ids are valid per app only."""

BackendUser = NewType("BackendUser", str)
"""The exact `user` string sent to the backend. Stored with every id, never derived again."""

BackendConversationId = NewType("BackendConversationId", str)
BackendMessageId = NewType("BackendMessageId", str)
BackendTaskId = NewType("BackendTaskId", str)
BackendRunId = NewType("BackendRunId", str)

ConversationId = NewType("ConversationId", int)
"""Row id of a conversation in our own store."""

AnswerId = NewType("AnswerId", int)


class Origin(StrEnum):
    """Who wrote a message."""

    PERSON = "person"
    SELF = "self"
    BOT = "bot"
    SYSTEM = "system"


class Rating(StrEnum):
    LIKE = "like"
    DISLIKE = "dislike"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationKey:
    """What makes two messages part of one conversation. The app is added by the core."""

    platform: PlatformName
    installation: InstallationId
    channel: ChannelId
    thread: ThreadId = ThreadId("")
    """Root of the thread; empty where the whole channel is one rolling conversation (a Discord DM)."""
    person: PersonId = PersonId("")
    """Set only in direct messages, where the backend's `user` is the person; empty in shared threads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageRef:
    """Identity of one message on its platform. Equal refs are the same message."""

    platform: PlatformName
    address: Address


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTarget:
    """Where an answer goes. `address` is private to the adapter."""

    platform: PlatformName
    conversation: ConversationKey
    address: Address
    post_group: PaceGroup
    """Quota that new messages draw on."""
    edit_group: PaceGroup
    """Quota that edits draw on."""
    opens_thread: bool = False
    """The adapter would rather open a thread here before the first message (see `OpensThreads`)."""
    may_reply: bool = False
    """Of interest with `opens_thread`: an answer may also stand here without a thread, below or beside its question."""
    private: bool = False
    """Only one person reads what is sent here, and it is gone soon: no answer is ever written here, only a line of our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    platform: PlatformName
    id: PersonId
    display_name: str
    is_bot: bool = False
    roles: tuple[str, ...] = ()
    """Ids of the roles or groups that the event itself names (Discord: roles in the server). For access lists."""
    home: InstallationId = InstallationId("")
    """Where the person belongs, when that is not where the bot is installed (Slack Connect). Empty: here."""
    locale: str = ""
    """Such as "en-US", where the event tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedPerson:
    """Somebody whom a question names with a live mention of the platform: neither the bot, nor a role, a channel or everyone."""

    id: PersonId
    name: str
    """As the question's text spells it, without the "@"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message."""

    name: str
    media_type: str = ""
    size: int | None = None
    """Bytes, as the platform says; None where it does not."""
    address: Address = Address("")
    """Where its platform finds it again (see `FetchesFiles`); stored with the question. Empty: it cannot be had."""
    is_voice: bool = False
    """Spoken into the platform's own recorder, in place of written words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Something that somebody (`who`: a name for people) wrote, as it is told to an app that was not there."""

    who: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuestion:
    """A message that was accepted as a question; what the store keeps until it is answered."""

    ref: MessageRef
    author: Author
    text: str
    target: ReplyTarget
    attachments: tuple[Attachment, ...] = ()
    named: tuple[NamedPerson, ...] = ()
    """People named in the question; the only ones an answer may mention."""
    in_thread: bool = False
    """It stands below other messages, which the app may never have seen."""
    unseen: bool = False
    about: Said | None = None
    """Both as of `MessageReceived` in `events`."""
    spoken: str = ""
    """What was said in its voice messages, once that was made out."""
    choice: str = ""
    """What within the app shall answer, as it was chosen there when this was asked (`Choice.id`); empty: nothing was."""
    told: str = ""
    """What the app was told instead of its words alone, where the bridge keeps its history."""
    sent_at: datetime

    @property
    def words(self) -> str:
        """Everything that was asked, written and spoken. May be empty."""
        return "\n\n".join(part for part in (self.text, self.spoken) if part.strip())

    @property
    def people(self) -> Mapping[str, str]:
        """The same as `OutgoingMessage.people` wants it."""
        return {person.id: person.name for person in self.named}


class ButtonAction(StrEnum):
    """What a button asks for. The values are written into messages and stay there, so they may never change."""

    STOP = "stop"
    RETRY = "retry"
    LIKE = "like"
    DISLIKE = "dislike"
    ASK = "ask"
    """Asks the question that stands in the button's `value`. Told as a `MessageReceived` that is `unseen`."""
    RESET = "reset"
    """On the bot's own page. Told as a `CommandInvoked`."""
    AGAIN = "again"
    """Asks the question of a whole answer once more; the new answer takes its place."""
    APP = "app"
    """Has the app that its `value` names answer, see `bridge.picks`."""
    INPUT = "input"
    """Answers a form that an answer waits for; the `value` says which, and how (see `pauses`). Told as a `FormSubmitted`."""
    FORM = "form"
    """Opens the form whose id is the button's `value` (see `forms_api`)."""
    RESUME = "resume"
    FORGET = "forget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    action: ButtonAction
    label: str
    """A word or two of plain text; of `ASK`, the beginning of the question."""
    value: str = ""
    """Comes back with the press. At most 2,000 characters."""


class StepState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that the app does on its way to the answer, as a person may know it."""

    id: str
    """The same for all news of one step, unique within its answer."""
    title: str
    """Chosen by the app's author: never a prompt, an input or a result. Plain text of one line."""
    state: StepState = StepState.RUNNING


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducedFile:
    """A file that an app made, and where its backend finds it. Kept with the outcome of an answer."""

    name: str
    kind: str
    """"image", "document", "audio", "video" or "file"."""
    address: str
    """The backend's own. It may be signed: never shown, never logged."""
    media_type: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMessage:
    """One message as the core wants it seen. The adapter turns it into the platform's dialect."""

    text: str
    """Markdown that measures at most `limit` in the platform's `dialect`."""
    nonce: str
    """At most 25 characters, the same for every attempt to post this message."""
    people: Mapping[str, str] = field(default_factory=dict)
    """Whom the text may mention: the platform's id of a person -> name. Everybody else stays unmentioned, whatever it says."""
    buttons: tuple[Button, ...] = ()
    """Shown below the text where the platform has buttons. An edit shows exactly these: none takes earlier ones away."""
    live: bool = False
    """More text will come. The first writing of a message that is not `live` ends it."""
    steps: tuple[Step, ...] = ()
    """What the app does, the oldest first, where `capabilities.steps`. All news since the last writing is in here, and stays."""
    sources: tuple[str, ...] = ()
    """Names of the documents that the answer rests on, each once. Shown below the text where `capabilities.sources`."""
    asker: Author | None = None
    """Whose question it answers. Some platforms want to know for whom something is written."""
    follows: bool = False
    """Another message of the same answer stands above it, of which people were told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendIds:
    """Ids that the backend gave a turn. Complete enough, from the first event on, to continue, stop and rate it."""

    conversation: BackendConversationId | None = None
    message: BackendMessageId | None = None
    task: BackendTaskId | None = None
    run: BackendRunId | None = None


class AnswerState(StrEnum):
    """Life of an answer: planned > asked > streaming (> paused: see `pauses`) > finalising > done | stopped | failed."""

    PLANNED = "planned"
    """The question's turn has come. The backend has not been asked (again) yet, so asking it now is not asking twice."""
    ASKED = "asked"
    """The request may have left; nothing came back yet."""
    STREAMING = "streaming"
    """The backend has named its ids."""
    PAUSED = "paused"
    FINALISING = "finalising"
    """The `Outcome` is recorded; what is left is to show it."""
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class StopReason(StrEnum):
    """Why an answer that was under way shall end."""

    MEMBER = "member"
    WITHDRAWN = "withdrawn"
    """The question was deleted."""


class PartRole(StrEnum):
    """What a message of an answer is for."""

    TEXT = "text"
    ANNOUNCEMENT = "announcement"
    """Says that the rest comes in a file."""
    FILE = "file"
    """Carries the rest of the text."""
    PRODUCED = "produced"
    """Carries a file that the app made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentPart:
    """One message of an answer, as recorded: intended before it was posted, and known to stand once `ref` is set."""

    part: int
    nonce: str
    role: PartRole = PartRole.TEXT
    ref: MessageRef | None = None
    """None: it was about to be posted. Whether it stands is not known."""
    text: str = ""
    """Shown last (Markdown); of an intended one, what was to be shown. May be empty where the platform can be asked instead."""
    intended_at: datetime
    """When it was recorded as intended, which was before it was posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an answer ended: enough to show its end without the backend. Kept until payloads are blanked."""

    state: AnswerState
    """`done`, `stopped` or `failed`."""
    text: str
    """What the app said, as far as it came (Markdown)."""
    notes: tuple[str, ...] = ()
    """Lines of our own below it."""
    complete: bool = True
    error: str = ""
    """Code for the log and the record; empty when nothing went wrong."""
    may_retry: bool = False
    """Whether asking once more makes sense, and so whether Retry is offered."""
    standing: bool = False
    """The text is not `text` but what stands in the answer's messages already; the notes go below that."""
    sources: tuple[str, ...] = ()
    """Names of the documents that it rests on."""
    suggestions: tuple[str, ...] = ()
    """Questions that could be asked next."""
    files: tuple[ProducedFile, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Everything needed to ask, continue, stop, rate or recover one question."""

    answer_id: AnswerId
    conversation_id: ConversationId
    epoch: int
    seq: int
    app: AppName
    backend_user: BackendUser
    """The exact string sent; never derived again."""
    question: AskedQuestion
    target: ReplyTarget
    """Where this conversation is answered: the opened thread once there is one, else the question's own target."""
    ids: BackendIds = field(default_factory=BackendIds)
    """`ids.conversation` is set when the conversation already exists at the backend."""
    state: AnswerState = AnswerState.PLANNED
    """As found when the turn was taken. Anything but `planned` was left behind by an owner that is gone."""
    attempt: int = 0
    """How often the backend was asked for this answer, this owner's and earlier ones' attempts counted."""
    last_seen: BackendMessageId | None = None
    """The backend's last message in this conversation before this question, as far as we know."""
    parts: tuple[SentPart, ...] = ()
    """Messages of this answer that stand, or that may stand, in order."""
    outcome: Outcome | None = None
    """Set when `state` is `finalising`."""
    stop: StopReason | None = None
    """It was asked to stop, which its owner may not have done yet."""
    superseded: bool = False
    """The question was edited after the backend was asked: what was asked is not `question` any more."""
    poisoned: bool = False
    """A turn of this backend conversation was lost, so that later ones may fail because of it."""
    fresh: bool = False
    """The conversation was begun afresh before this question: what was said earlier was to be forgotten."""


Inputs = Mapping[str, str | int | float | bool]
