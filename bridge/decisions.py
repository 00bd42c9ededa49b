"""What can become of an event, closed: `router` decides, `intake` carries it out. Values only."""

from dataclasses import dataclass, field

from bridge.events import (
    ButtonPressed,
    ChatOpened,
    CommandInvoked,
    CommentGiven,
    FormSubmitted,
    HomeOpened,
    MessageReceived,
)
from bridge.messages import (
    AppName,
    Author,
    ConversationId,
    ConversationKey,
    EventId,
    MessageRef,
    PersonId,
    ReplyTarget,
)
from bridge.pauses import FORMS
from bridge.quotas import Quotas
from bridge.routing import AppPolicy, Resolution
from bridge.store import Again
from bridge.votes import Vote


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    message: MessageReceived
    app: AppPolicy
    join: ConversationId | None = None
    """Continue this conversation although the message stands elsewhere (a reply to one of its answers)."""
    may_stop: bool = False
    """It says nothing but "stop": it ends what is being answered in its conversation, and is a question only where nothing is."""
    about_question_in: ConversationId | None = None
    """Where the message that it replies to was asked itself."""
    quotas: Quotas = field(default_factory=Quotas)
    choices: tuple[AppName, ...] = ()
    """As of `Resolution`."""
    choice: str = ""
    """Likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    vote: Vote
    target: ReplyTarget | None = None
    """Where it was cast, as far as the event tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    given: CommentGiven


@dataclass(frozen=True, slots=True, kw_only=True)
class FillIn:
    """Something that was asked for in a form is known now."""

    submitted: FormSubmitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The answer that this message of ours is part of shall end, or whatever is being answered in a conversation."""

    event_id: EventId
    answer: MessageRef | None = None
    key: ConversationKey | None = None
    """Of interest where `answer` is not given or not known."""
    app: AppName | None = None
    """Set with `key`."""
    tell: ReplyTarget | None = None
    """Where it is said what came of it."""
    choices: tuple[AppName, ...] = ()
    """Apps that may be answering there besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The question that this message of ours failed to answer shall be asked again."""

    event_id: EventId
    answer: MessageRef
    again: Again | None = None
    """It did not fail: another answer is wanted."""
    private: ReplyTarget | None = None
    ours: bool = False
    """The message is ours for certain, since one of our buttons stands below it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speak:
    """The answer that this message of ours is part of shall be read aloud."""

    event_id: EventId
    answer: MessageRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Revise:
    """If this was taken as a question, it reads like this now. If it was not, `message` may be one now (see `is_addressed`)."""

    message: MessageReceived
    """As it reads now, under the id of the event that says so."""
    revision: int
    running: bool
    """Also when it is being answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """If this was a question, it is none any more."""

    event_id: EventId
    message: MessageRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Obey:
    """Something is wanted of the bot itself."""

    order: CommandInvoked
    app: AppPolicy
    resolution: Resolution
    said: MessageReceived | None = None
    """The message that says so, if it was said."""
    conversation: ConversationId | None = None
    """Which one is meant, as far as that is known already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """One of several was chosen by a button that is `VALUED`. Whether this person may is still to be asked."""

    event: ButtonPressed
    app: AppName


@dataclass(frozen=True, slots=True, kw_only=True)
class Greet:
    """Somebody looks at what is the bot's own."""

    event: HomeOpened | ChatOpened


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    """Somebody expects something here and gets nothing; `notice` tells them so."""

    event_id: EventId
    key: ConversationKey
    person: PersonId
    reason: str
    notice: str
    tell: ReplyTarget | None
    """None: nobody is told, since only people would read it whom it is none of their business."""
    message: MessageRef | None = None
    """What it was about, if that was a message of ours."""
    awaited: bool = False
    """It was asked for by something that waits for an answer, so it is told each time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    reason: str


Decision = (
    Ask | Rate | Comment | FillIn | Stop | Retry | Speak | Revise | Withdraw | Obey | Pick | Greet | Refuse | Ignore
)


def answer_form(press: ButtonPressed) -> FillIn | Ignore:
    """A form without fields is filled in by the press of one of its buttons."""
    if press.target is None:
        return Ignore(reason="nobody can tell where it was pressed")
    submitted = FormSubmitted(
        event_id=press.event_id,
        form=f"{FORMS}:{press.value}",
        message=press.message,
        author=press.author or Author(platform=press.message.platform, id=press.person, display_name=""),
        target=press.target,
        values={},
        revision=press.revision,
        category=press.category,
        private=press.private,
    )
    return FillIn(submitted=submitted)
