"""What the stand-in keeps: people, channels, messages, and the calls it was given. Values only."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Json = dict[str, object]
"""One JSON object on its way in or out; used inside this folder only."""

ChannelKind = Literal["text", "dm", "thread", "forum", "category", "private"]
"""`private`: a group of people without the bot."""

InteractionKind = Literal["command", "message_command", "component", "modal"]

MESSAGE_DEFAULT = 0
MESSAGE_THREAD_CREATED = 18
MESSAGE_REPLY = 19
MESSAGE_COMMAND = 20
MESSAGE_THREAD_STARTER = 21
MESSAGE_CONTEXT_COMMAND = 23
"""Message types (docs: resources/message, Message Types)."""

EDITABLE = frozenset({MESSAGE_DEFAULT, MESSAGE_REPLY, MESSAGE_COMMAND, MESSAGE_CONTEXT_COMMAND})
"""Types of messages that somebody wrote; the others are Discord's own."""

FLAG_SUPPRESS_EMBEDS = 1 << 2
FLAG_HAS_THREAD = 1 << 5
FLAG_EPHEMERAL = 1 << 6
FLAG_LOADING = 1 << 7
FLAG_SUPPRESS_NOTIFICATIONS = 1 << 12
FLAG_VOICE = 1 << 13
FLAG_SNAPSHOT = 1 << 14
"""Message flags (docs: resources/message, Message Flags)."""


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file on a message."""

    filename: str
    content_type: str = "application/octet-stream"
    size: int = 1
    content: bytes | None = field(default=None, repr=False)
    """None: only its description exists, and its address leads nowhere."""
    typed: bool = True
    """False: Discord does not say what kind of file it is."""
    seconds: float | None = None
    waveform: str | None = None
    """Both for voice messages only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One that can be pressed, or (with a `url` and without a `custom_id`) a link."""

    custom_id: str
    label: str
    style: int = 2
    """1 primary, 2 secondary, 3 success, 4 danger, 5 link (docs: components/reference, Button Styles)."""
    disabled: bool = False
    emoji: str = ""
    url: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """Value and label of what can be chosen: then it is a menu, and `label` what stands in it before that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One thing to fill in: a text, or (with `choices`) a choice among some."""

    custom_id: str
    label: str
    description: str = ""
    required: bool = True
    long: bool = False
    """A text of several lines."""
    least: int
    most: int
    """Characters of a text; number of choices of a choice."""
    value: str = ""
    """What stands there at first."""
    placeholder: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    """(value, label) of what can be chosen."""
    in_label: bool = True
    """Whether it stands in a label component, or in an action row as before 2025."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Modal:
    """A form that is open before one person."""

    custom_id: str
    title: str
    user_id: str
    fields: tuple[Field | str, ...]
    """In order; a text between the fields is a str."""


@dataclass(slots=True, kw_only=True)
class Interaction:
    """What somebody asked of the bot through Discord's own surfaces, and what the bot made of it."""

    id: str
    token: str
    kind: InteractionKind
    channel_id: str
    user_id: str
    owners: Json
    """`authorizing_integration_owners`: "0" for an installation in a server, "1" for a person's own."""
    message_id: str = ""
    """The message with the button, the one that a context menu was opened on, or the one under which a modal was opened."""
    custom_id: str = ""
    """Of the button or the modal."""
    name: str = ""
    """Of the command."""
    at: float
    """Monotonic seconds."""
    opened_by: str = ""
    """For a modal's submission: the interaction that was answered with the modal."""
    answer: int | None = None
    """Callback type of the bot's first and only answer (docs: interactions/receiving-and-responding)."""
    answered_at: float | None = None
    """Monotonic seconds."""
    modal: Modal | None = None
    """The form that the bot answered with."""
    original: "Message | None" = None
    """What `@original` means: the answer, or the message with the button after an update of it."""
    follow_ups: "list[Message]" = field(default_factory=list)
    """Everything that was written with the token beside the original, deleted ones included."""

    @property
    def acknowledged(self) -> bool:
        return self.answer is not None

    @property
    def ephemeral(self) -> str:
        """What only who asked can read of the answer, newest last."""
        own = [one for one in (self.original, *self.follow_ups) if one is not None]
        seen = [one for one in own if one.seen_by and one.interaction_id == self.id and not one.deleted]
        return "\n".join(one.content for one in seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForumTag:
    id: str
    name: str
    moderated: bool = False
    """Only who manages threads may give it."""


@dataclass(slots=True, kw_only=True)
class Guild:
    """A server, which is what people call it."""

    id: str
    name: str
    bot_role_id: str
    """Of the role that Discord made for the bot."""
    bot_in: bool = True
    premium_tier: int = 0
    roles: dict[str, str] = field(default_factory=dict)
    """Id -> name, without everybody's and the bot's own."""
    channel_ids: list[str] = field(default_factory=list)
    """Threads too."""
    created: datetime


@dataclass(slots=True, kw_only=True)
class Channel:
    id: str
    name: str
    kind: ChannelKind
    guild_id: str = ""
    """Empty for direct messages."""
    parent_id: str | None = None
    """The channel that a thread hangs in; the category that another one stands in."""
    owner_id: str = ""
    """Who started the thread."""
    person_id: str = ""
    """The other side of a direct message."""
    created: datetime
    archived: bool = False
    locked: bool = False
    auto_archive_minutes: int = 1440
    archive_changed: datetime
    bot_joined: bool = False
    tags: tuple[ForumTag, ...] = ()
    """Those that a forum knows."""
    tag_required: bool = False
    applied_tags: tuple[str, ...] = ()
    """Ids of the tags of a forum's post."""
    member_ids: tuple[str, ...] = ()
    """Who is in a private channel."""

    @property
    def in_guild(self) -> bool:
        return bool(self.guild_id)


@dataclass(slots=True, kw_only=True)
class Message:
    id: str
    channel_id: str
    author_id: str
    author_name: str
    content: str
    kind: int = MESSAGE_DEFAULT
    """Discord's message type."""
    is_bot: bool = False
    webhook_id: str | None = None
    created: datetime
    edited: datetime | None = None
    reference: str | None = None
    """Id of the message that this one replies to (or, for the first message of a thread, hangs under)."""
    reference_channel: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    """Emoji -> ids of those who reacted, in order."""
    flags: int = 0
    allowed_mentions: Json | None = None
    """The field as it was sent on create; None when it was missing."""
    nonce: str | int | None = None
    attachments: tuple[tuple[str, Attachment], ...] = ()
    mentions: tuple[str, ...] = ()
    mention_roles: tuple[str, ...] = ()
    mention_everyone: bool = False
    pinged: set[str] = field(default_factory=set)
    """Whom it has called so far, edits included."""
    rows: tuple[tuple[Button, ...], ...] = ()
    embeds: tuple[Json, ...] = ()
    """What Discord itself added to the links in the text, or what another bot sent."""
    forwarded: "Message | None" = None
    """A copy of the message that this one passes on, as it was then."""
    resolved: bool = True
    """False: Discord did not look up what this one replies to, so that the payload says nothing of it."""
    seen_by: str = ""
    """The only person who sees it; empty: everybody."""
    interaction_id: str = ""
    """The interaction that the bot wrote it for."""
    deleted: bool = False
    history: list[tuple[float, str]] = field(default_factory=list)
    """(monotonic seconds, content) at creation and at every edit."""

    @property
    def buttons(self) -> tuple[Button, ...]:
        return tuple(one for row in self.rows for one in row)


@dataclass(slots=True, kw_only=True)
class Call:
    """One REST call. Recorded on arrival; `status` is None while it is under way and 0 when the connection was cut."""

    method: str
    route: str
    """Template without the method: "/channels/{channel_id}/messages"."""
    path: str
    at: float
    """Monotonic seconds."""
    body: Json | None = None
    """A body that is a list stands here under "list"."""
    status: int | None = None
    code: int = 0
    """Discord's own error code in the answer; 0 when there was none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """What a slash command can be given."""

    name: str
    kind: int
    """Docs: interactions/application-commands, Option Type."""
    required: bool = False
    choices: tuple[str | int | float, ...] = ()
    least: float | None = None
    most: float | None = None
    """Of a number; of a text its characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    id: str
    version: str
    name: str
    kind: int
    """1 slash command, 2 user menu, 3 message menu."""
    description: str = ""
    options: tuple[Option, ...] = ()
    contexts: tuple[int, ...] | None = None
    """0 servers, 1 direct messages with the bot, 2 other private places; None: everywhere."""
    integration_types: tuple[int, ...] = (0,)
    """0 installed in servers, 1 installed for oneself."""
    member_permissions: int | None = None
    """What a member needs; None: nothing. 0: to be an administrator."""
    raw: Json = field(default_factory=dict)
    """As it was registered."""
