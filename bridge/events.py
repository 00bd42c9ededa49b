"""What a platform tells: the events that come in. Values only, no I/O.

A union that is closed: whoever takes events in says what becomes of each kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bridge.messages import (
    Attachment,
    Author,
    ButtonAction,
    ChannelId,
    EventId,
    InstallationId,
    MessageRef,
    NamedPerson,
    Origin,
    PersonId,
    ReplyTarget,
    Said,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageReceived:
    """Somebody wrote a message that the bot can see."""

    event_id: EventId
    ref: MessageRef
    target: ReplyTarget
    author: Author
    origin: Origin
    text: str
    """Readable text: our own leading mention removed, other mentions spelled as names. May be empty."""
    mentions_bot: bool
    is_direct: bool
    in_thread: bool
    reply_to: MessageRef | None = None
    """The message this one replies to, where the platform has replies."""
    replies_to_bot: bool = False
    attachments: tuple[Attachment, ...] = ()
    named: tuple[NamedPerson, ...] = ()
    """People named in the text, each once; the only ones an answer may mention."""
    category: ChannelId = ChannelId("")
    """What the channel stands in, where the platform has that (Discord: the category). For routes."""
    is_external: bool = False
    """People of another organisation read along (Slack Connect)."""
    unseen: bool = False
    """Nobody can read these words where they will be answered: a form, a command or a button brought them, and `ref` names that
    event. The answer begins with them."""
    about: Said | None = None
    """The message that the question is about: one that the member picked, or somebody's that it replies to (never ours)."""
    private: ReplyTarget | None = None
    """Where only the author reads: a refusal goes there rather than to `target`."""
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEdited:
    """Somebody changed what a message says. Also told for messages that are none of our business."""

    event_id: EventId
    now: MessageReceived
    """The whole message as it reads now, with the `ref` that it always had."""
    revision: int
    """Order of the edits of one message: the larger one is later. Microseconds since the epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageDeleted:
    """A message is gone. Of whom it was need not be known."""

    event_id: EventId
    ref: MessageRef
    installation: InstallationId


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionChanged:
    """Somebody added a reaction to a message of the bot, or took it away."""

    event_id: EventId
    message: MessageRef
    person: PersonId
    origin: Origin
    emoji: str
    """Slack's short name or the Unicode character, without skin tone."""
    added: bool
    revision: int
    """Order of changes by one person on one emoji: the larger one is later. Microseconds since the epoch."""


VALUED = frozenset({ButtonAction.APP, ButtonAction.RESUME, ButtonAction.FORGET, ButtonAction.FORM, ButtonAction.INPUT})
"""Buttons of which several of one action stand below one message, told apart by their value: at most 80 characters of ASCII
without spaces, which come back as they were written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPressed:
    """Somebody pressed one of our buttons. The adapter tells the platform that it was heard; what it leads to is seen in chat."""

    event_id: EventId
    message: MessageRef
    """The message of ours that the button stands under."""
    installation: InstallationId
    person: PersonId
    action: ButtonAction
    revision: int = 0
    """Order of the presses of one person: the larger one is later. Microseconds since the epoch."""
    author: Author | None = None
    """Who pressed, with what the platform tells of a person; for access lists."""
    target: ReplyTarget | None = None
    """The thread that the message stands in."""
    category: ChannelId = ChannelId("")
    """As of `MessageReceived`."""
    private: ReplyTarget | None = None
    """Where only that person reads."""
    value: str = ""
    """Of the button; set for those that are `VALUED`. Whoever pressed may do so is still to be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRequested:
    """Somebody ended what is being answered, by the platform's own means."""

    event_id: EventId
    target: ReplyTarget
    """The thread in which it shall end."""
    author: Author
    is_direct: bool
    category: ChannelId = ChannelId("")
    """As of `MessageReceived`."""
    message: MessageRef | None = None
    """The message that was growing, where one was."""
    private: ReplyTarget | None = None
    """Where it is said what came of it, when the platform's own means do not show that."""


class Command(StrEnum):
    """What can be wanted of the bot itself, apart from an answer."""

    HELP = "help"
    RESET = "reset"
    """The app shall forget what was said in this conversation."""
    MUTE = "mute"
    """In this thread only those messages shall be answered that mention the bot."""
    UNMUTE = "unmute"
    APP = "app"
    """Which app answers here? With `words`: that one shall."""
    HISTORY = "history"
    """An earlier conversation shall go on here: which ones there are is shown to who asks for it alone."""
    FORGET = "forget"
    """What was said in this conversation shall be deleted for good, at the backend too. Asked back first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandInvoked:
    """Somebody used a command that is not a question. What it comes to is said in `private`, or else in `target`."""

    event_id: EventId
    command: Command
    target: ReplyTarget
    """The conversation that it is about."""
    author: Author
    is_direct: bool
    category: ChannelId = ChannelId("")
    """As of `MessageReceived`."""
    is_external: bool = False
    in_thread: bool = False
    private: ReplyTarget | None = None
    words: str = ""
    """What stood behind the command, in one line."""
    value: str = ""
    """Of the button that was pressed instead of a command being typed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentGiven:
    """Somebody told why an answer is good or bad."""

    event_id: EventId
    message: MessageRef
    """The message of ours that it is about."""
    person: PersonId
    text: str
    """Never empty."""
    revision: int
    """As of `ButtonPressed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormSubmitted:
    """Somebody filled in a form (see `forms_api`)."""

    event_id: EventId
    form: str
    """Its id."""
    message: MessageRef
    """The message of ours that the form's button stands under."""
    author: Author
    target: ReplyTarget
    """The thread that the message stands in."""
    values: Mapping[str, str]
    """By name, all fields that were shown; "" where nothing was written. Of a select the option, of a checkbox "yes" or "no"."""
    revision: int
    """As of `ButtonPressed`."""
    category: ChannelId = ChannelId("")
    """As of `MessageReceived`."""
    private: ReplyTarget | None = None
    """Where only that person reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeOpened:
    """Somebody looks at the bot's own page (see `ShowsHome`)."""

    event_id: EventId
    author: Author
    target: ReplyTarget
    """Their direct messages with the bot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOpened:
    """Somebody opened their direct messages with the bot and has not asked anything yet (see `SuggestsPrompts`)."""

    event_id: EventId
    author: Author
    target: ReplyTarget


InboundEvent = (
    MessageReceived
    | MessageEdited
    | MessageDeleted
    | ReactionChanged
    | ButtonPressed
    | StopRequested
    | CommandInvoked
    | CommentGiven
    | FormSubmitted
    | HomeOpened
    | ChatOpened
)
