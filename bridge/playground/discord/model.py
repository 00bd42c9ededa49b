"""What the stand-in keeps: people, channels, messages, and the calls it was given. Values only."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Json = dict[str, object]
"""One JSON object on its way in or out; used inside this folder only."""

ChannelKind = Literal["text", "dm", "thread", "forum", "category"]

MESSAGE_DEFAULT = 0
MESSAGE_THREAD_CREATED = 18
MESSAGE_REPLY = 19
MESSAGE_THREAD_STARTER = 21
"""Message types (docs: resources/message, Message Types)."""

FLAG_SUPPRESS_EMBEDS = 1 << 2
FLAG_HAS_THREAD = 1 << 5
FLAG_EPHEMERAL = 1 << 6
FLAG_SUPPRESS_NOTIFICATIONS = 1 << 12
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
    """None for a person's file: only its description exists, and its address leads nowhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One that can be pressed. Link buttons are not known here."""

    custom_id: str
    label: str
    style: int = 2
    """1 primary, 2 secondary, 3 success, 4 danger (docs: components/reference, Button Styles)."""
    disabled: bool = False


@dataclass(slots=True, kw_only=True)
class Interaction:
    """A button that somebody pressed, and what the bot made of it."""

    id: str
    token: str
    channel_id: str
    message_id: str
    user_id: str
    custom_id: str
    at: float
    """Monotonic seconds."""
    answer: int | None = None
    """Callback type of the bot's first and only answer (docs: interactions/receiving-and-responding)."""
    ephemeral: str = ""
    """What only who pressed can read."""

    @property
    def acknowledged(self) -> bool:
        return self.answer is not None


@dataclass(slots=True, kw_only=True)
class Channel:
    id: str
    name: str
    kind: ChannelKind
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
    rows: tuple[tuple[Button, ...], ...] = ()
    embeds: tuple[Json, ...] = ()
    """What Discord itself added to the links in the text."""
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
    status: int | None = None
    code: int = 0
    """Discord's own error code in the answer; 0 when there was none."""
