"""What the stand-in's workspace consists of and what it writes down. Values only."""

from dataclasses import dataclass, field
from typing import Literal, Self

from bridge.playground.slack.content import visible_text

JsonObject = dict[str, object]

ChannelKind = Literal["channel", "group", "im", "mpim"]
"""As `channel_type` spells it: public channel, private channel, direct message, group direct message."""

DisconnectReason = Literal["refresh_requested", "warning", "link_disabled"]


FileMode = Literal["hosted", "tombstone", "hidden_by_limit", "external"]
"""Deleted, older than a free plan shows, or kept by another service. Only what is hosted can be had."""

FileAccess = Literal["visible", "check_file_info"]
"""The second one: a file from another company (Slack Connect), of which an event shows the id only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    id: str
    name: str
    team_id: str = ""
    """Home workspace of somebody from another one (Slack Connect); empty for one's own people."""
    locale: str = "en-US"


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A workspace as the outside knows it, and the ids under which the app stands in it."""

    id: str
    name: str
    domain: str
    bot_user_id: str
    bot_id: str
    enterprise_id: str | None = None
    """The organisation (Enterprise Grid) that it belongs to."""
    enterprise_name: str = ""
    org_wide: bool = False
    """The app is installed for the whole organisation, and this workspace takes part."""

    @property
    def enterprise(self) -> "JsonObject | None":
        return None if self.enterprise_id is None else {"id": self.enterprise_id, "name": self.enterprise_name}


@dataclass(slots=True, kw_only=True)
class Channel:
    id: str
    name: str
    kind: ChannelKind = "channel"
    members: set[str] = field(default_factory=set)
    """User ids. The bot hears and writes only where its own id is among them."""
    is_ext_shared: bool = False
    """Shared with another company (Slack Connect)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file on a message, as far as an event shows it."""

    id: str
    name: str
    title: str = ""
    """Empty: the name stands for it."""
    mimetype: str = "application/octet-stream"
    size: int = 0
    """Told apart from the content, so that a file may be larger than anybody wants in memory."""
    content: bytes = field(default=b"", repr=False)
    mode: FileMode = "hosted"
    file_access: FileAccess = "visible"
    url_private: str = ""
    """Where it is downloaded from; filled in when it is put on a message. An external file has its own."""


@dataclass(slots=True, kw_only=True)
class Message:
    channel: str
    ts: str
    user: str
    text: str
    """Entity-escaped, as on the wire."""
    blocks: list[JsonObject] = field(default_factory=list)
    """As they were sent. The wire shows Markdown blocks differently, see `expansion`."""
    thread_ts: str | None = None
    """Root of the thread; None for a message at the top of its channel, also when it has replies."""
    is_bot: bool = False
    bot_id: str | None = None
    subtype: str | None = None
    files: tuple[File, ...] = ()
    metadata: JsonObject | None = None
    edited: bool = False
    edited_ts: str = ""
    previews: list[str] = field(default_factory=list)
    """Links that Slack has put a preview of below it."""
    reactions: dict[str, list[str]] = field(default_factory=dict)
    """Emoji name to user ids, oldest first."""
    history: list[tuple[float, str]] = field(default_factory=list)
    """Every visible text it has had, with the monotonic time at which it appeared."""
    team: str = ""
    """Home workspace of the author. Empty: the stand-in's first one."""
    is_foreign: bool = False
    """The author's home is not the workspace that the channel is in."""
    app_id: str = ""
    """Another app that wrote it."""
    context: list[JsonObject] = field(default_factory=list)
    """What the author was looking at, in the direct message of an agent."""

    @property
    def visible_text(self) -> str:
        """What a person reads."""
        return visible_text(self.text, self.blocks)

    @property
    def root(self) -> str:
        return self.thread_ts or self.ts


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What assistant.threads.setStatus shows under a thread."""

    text: str
    loading_messages: tuple[str, ...]
    at: float
    """Monotonic time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One Web API call. `status` is 0 where the connection was dropped instead of answered."""

    method: str
    at: float
    """Monotonic time of arrival."""
    args: JsonObject
    ok: bool
    error: str = ""
    status: int = 200
    team: str = ""
    """The workspace that the token is good for; the first one where there was no such token."""


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One event on its way to the app, with all its attempts."""

    event_id: str
    type: str
    payload: JsonObject
    attempts: int = 0
    acked_at: float | None = None
    """Monotonic time of the first acknowledgement."""
    outcome: Literal["pending", "acked", "gave_up"] = "pending"


ActKind = Literal["block_actions", "slash_command", "message_action", "view_submission", "view_closed"]


@dataclass(slots=True, kw_only=True)
class Act:
    """Something that somebody did with the app's own controls, on its way to the app."""

    kind: ActKind = "block_actions"
    person: str
    payload: JsonObject
    """What is sent: a command as the fields of a form, anything else as JSON."""
    channel: str = ""
    message: str = ""
    """Timestamp of the message that it was done to."""
    view: str = ""
    """Id of the modal or Home tab that it was done in."""
    action_id: str = ""
    outcome: Literal["pending", "acked", "failed"] = "pending"
    """Failed: not acknowledged in time, of which Slack warns who did it."""
    error: Literal["", "operation_timeout", "dispatch_failed", "invalid_response"] = ""
    """Why it failed. The first two are what a Slack client shows."""
    answer: JsonObject | str | None = None
    """What the acknowledgement said: JSON, or plain text."""
    settled_at: float | None = None
    """Monotonic time."""


Press = Act
"""Most acts are presses of buttons."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How the next call of a method goes wrong. Made with one of the class methods."""

    kind: Literal["http", "drop", "rate_limit", "refuse", "slow"]
    status: int = 500
    code: str = "fatal_error"
    seconds: float = 1.0
    after_effect: bool = False
    """The call is carried out before it goes wrong."""

    @classmethod
    def http(cls, status: int = 500, *, after_effect: bool = False) -> Self:
        """A bare HTTP error with an HTML body."""
        return cls(kind="http", status=status, after_effect=after_effect)

    @classmethod
    def drop(cls, *, after_effect: bool = False) -> Self:
        """The connection is cut without an answer."""
        return cls(kind="drop", after_effect=after_effect)

    @classmethod
    def effect_then_drop(cls) -> Self:
        return cls.drop(after_effect=True)

    @classmethod
    def rate_limit(cls, retry_after: int = 1) -> Self:
        """429 with `Retry-After`; not carried out."""
        return cls(kind="rate_limit", seconds=retry_after)

    @classmethod
    def refuse(cls, code: str) -> Self:
        """`{"ok": false, "error": code}`; not carried out."""
        return cls(kind="refuse", code=code)

    @classmethod
    def slow(cls, seconds: float) -> Self:
        """Carried out at once, answered so much later."""
        return cls(kind="slow", seconds=seconds)


@dataclass(slots=True, kw_only=True)
class Faults:
    """Switches for what can go wrong. All are off at first and may be turned at any time."""

    fail_next: dict[str, list[Fault]] = field(default_factory=dict)
    """Method to the faults of its next calls, used up from the front."""
    duplicate_events: bool = False
    """Every event is delivered twice, under one event id."""
    out_of_order: bool = False
    """Events swap places with the one that follows."""
    latency: float = 0.0
    """Seconds that each Web API call takes before it is carried out."""
    html_error: bool = False
    """Every Web API call is answered with a 503 page."""
    clock_skew: float = 0.0
    """Seconds added to the timestamp of signed deliveries."""
    bad_signature: bool = False
    """Deliveries are signed with another secret."""

    def take(self, method: str) -> Fault | None:
        waiting = self.fail_next.get(method)
        return waiting.pop(0) if waiting else None


class Refusal(Exception):
    """The answer `{"ok": false, "error": code}`."""

    def __init__(self, code: str, **extra: object) -> None:
        super().__init__(code)
        self.code = code
        self.extra = extra
