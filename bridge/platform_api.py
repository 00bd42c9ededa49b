"""The seam to chat platforms: what a platform must do, may do, and says about itself.

A platform is a folder in `adapters` whose `adapter` module offers `Settings` (a pydantic-settings class with an
`enabled` property) and `create(settings, clock) -> Platform`. It sees this module, `bridge.installations_api`,
`bridge.places_api`, the vocabulary, `bridge.markdown` and `bridge.web.routes`, and nothing else of the bridge.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from bridge.events import InboundEvent
from bridge.markdown.dialect import Dialect
from bridge.messages import (
    Attachment,
    Author,
    MessageRef,
    OutgoingMessage,
    PlatformName,
    ReplyTarget,
    Said,
)
from bridge.outgoing_files import OutgoingFile

Inbox = Callable[[InboundEvent], Awaitable[None]]
"""Hands an event to the core. Returns once it is durable (or was ignored for a reason, or is a duplicate); only then may the
platform be acknowledged. Raises `StoreUnavailable` when it was not taken: do not acknowledge. Nothing else is raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteBudget:
    """At most `limit` writes in any `window`, per pace group."""

    limit: int
    window: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformCapabilities:
    """Numbers and yes/no that the core branches on. One literal per platform, each number with its source."""

    post_budget: WriteBudget
    """New messages, per `ReplyTarget.post_group`."""
    edit_budget: WriteBudget
    """Edits, per `ReplyTarget.edit_group`."""
    min_edit_interval: timedelta
    """Shortest pause between two edits of one answer that a person can follow."""
    activity_every: timedelta
    """How often `show_activity` must be called again to stay visible."""
    total_budget: WriteBudget | None = None
    """All calls of the bot together, where the platform limits those too."""
    buttons: bool = False
    """`OutgoingMessage.buttons` are shown, and pressing one is told as `ButtonPressed`."""
    rating_buttons: bool = False
    """So are `LIKE` and `DISLIKE`, and somebody who dislikes may be asked why."""
    question_buttons: int = 0
    """So many of `ASK` may stand below one message."""
    again_button: bool = False
    """`AGAIN` stands below whole answers."""
    app_buttons: int = 0
    """So many of `APP` may stand below one line of ours."""
    steps: bool = False
    """`OutgoingMessage.steps` are shown beside the text of a message that grows natively (see `StreamsNatively`)."""
    open_threads: bool = False
    """Whoever sees a channel sees all of its threads."""
    sources: bool = False
    """`OutgoingMessage.sources` are shown apart from the text."""
    live_budget: WriteBudget | None = None
    """Writings of messages that are growing natively, per `ReplyTarget.edit_group`; they count apart from other edits. None: the
    platform has no such thing."""
    min_live_interval: timedelta | None = None
    """Between two of them for one message; None: as `min_edit_interval`."""
    end_budget: WriteBudget | None = None
    """Writings that end such a message, likewise; None: they are edits."""
    first_hold: timedelta | None = None
    """How long the first text may wait for company, so that a short answer takes one call; None: hardly at all."""
    first_hold_text: int = 200
    """Characters at which the wait is over."""


class Severity(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of `dify-chat-bridge check`: what was looked at, what is wrong, what that disables, how to mend it."""

    severity: Severity
    subject: str
    problem: str
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformHealth:
    connected: bool
    """A connection to the platform stands (or the platform calls us)."""
    hearing: bool
    """Events would arrive now: a heartbeat was acknowledged lately, not merely a socket held open."""
    detail: str = ""
    """What is wrong, for an operator. Empty when all is well."""
    heartbeat_age: timedelta | None = None
    """Since the platform last answered a heartbeat; None where there are none, or not yet one."""


class Platform(Protocol):
    """One chat platform. All methods run on the bridge's event loop; none may block it."""

    name: PlatformName

    @property
    def capabilities(self) -> PlatformCapabilities: ...

    @property
    def dialect(self) -> Dialect:
        """How this platform writes Markdown, and how much of it one message holds, to be posted *and* edited. Always the same
        one; pure, may be used from any thread. What `send` and `edit` show of a text is what this makes of it."""
        ...

    async def run(self, inbox: Inbox) -> None:
        """Hears the platform until cancelled, reconnecting by itself with growing pauses.

        Cancelling stops intake only: `send` and `edit` go on working until `close`. Raises `NotAllowed` when the
        credentials are refused for good.
        """
        ...

    async def close(self) -> None:
        """Ends every connection. Called once, after `run` has ended."""
        ...

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        """Posts a new message and returns its identity. Not repeated by the adapter where it could post twice. Where an
        earlier attempt with the same nonce stands after all, that message is found, and shows this text afterwards.

        Raises a `PlatformError`. May take as long as a platform's rate limit says, so nothing may be held meanwhile.
        """
        ...

    async def edit(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        """Replaces the text of a message that `send` returned. Raises a `PlatformError`."""
        ...

    async def show_activity(self, target: ReplyTarget, question: MessageRef) -> None:
        """Shows that an answer is being worked on (typing). Cosmetic: never raises a `PlatformError`."""
        ...

    def health(self) -> PlatformHealth: ...

    async def check(self) -> Sequence[Finding]:
        """Tries the credentials, scopes and intents for real. Never raises; a failure is a finding."""
        ...


@runtime_checkable
class OpensThreads(Protocol):
    """The platform can open a thread under a question (targets with `opens_thread`)."""

    async def open_thread(self, target: ReplyTarget, title: str) -> ReplyTarget:
        """Opens it and returns where to write now. Returns a target for a plain reply,
        with `opens_thread` still set, when threads are not possible here: the next question may have better luck.

        Idempotent: the thread that already hangs under the question is found again. Where the question is `unseen`, the message
        that opens the thread says `title`, which then is the whole question with who asked it. Raises a `PlatformError` only
        when not even a reply is possible.
        """
        ...


@runtime_checkable
class EndsActivity(Protocol):
    """What `show_activity` shows does not end by itself in every case."""

    async def end_activity(self, target: ReplyTarget, question: MessageRef) -> None:
        """Takes it away: called once an answer has ended, however it did, also when it was an earlier process that showed it.
        Never raises a `PlatformError`, and is harmless where nothing is shown."""
        ...


@runtime_checkable
class StreamsNatively(Protocol):
    """Messages that are `live` grow by the platform's own means where that is possible, without anybody having to know: `send`
    begins such a message, `edit` adds to it, and the first writing that is not `live` ends it. Where the platform does not let
    them, they are posted and edited instead, and nothing is posted twice.

    A live message may have steps and no text yet. Where such a one cannot begin to grow, `send` raises `MessageRefused`; nothing
    was posted then."""

    def may_grow(self, target: ReplyTarget) -> bool:
        """Whether a live message that is sent there now would grow natively, as far as is known."""
        ...

    def is_growing(self, ref: MessageRef) -> bool:
        """Whether the next edit of it draws on `capabilities.live_budget` rather than `edit_budget`."""
        ...

    def is_spent(self, ref: MessageRef) -> bool:
        """It has grown for as long as the platform lets it: the answer should go on in another message."""
        ...


@runtime_checkable
class ReadsThreads(Protocol):
    """The platform can tell what was said in a thread before."""

    async def read_thread(self, target: ReplyTarget, before: MessageRef | None, limit: int) -> Sequence[Said]:
        """The last `limit` messages above `before` (None: of all), the oldest first, the bot's own left out. Raises a
        `PlatformError`."""
        ...


@runtime_checkable
class FetchesFiles(Protocol):
    """Files that members attach can be had."""

    async def fetch_file(self, target: ReplyTarget, file: Attachment, into: Path, most: int) -> str:
        """Writes its content there, at most `most` bytes, and returns its media type ("" when unknown). Raises a `PlatformError`:
        `NotAllowed` when it cannot be had, with what a member may know of it as the error's text; `FileTooLarge`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """What the bot's own page says to one person."""

    greeting: str
    """Markdown, as all texts here."""
    apps: Sequence[str]
    """A line for each app that answers somewhere here: its name and where."""
    usage: str
    help: str
    may_reset: bool
    """Their direct messages are one conversation, which can be begun anew."""


@runtime_checkable
class ShowsHome(Protocol):
    async def show_home(self, target: ReplyTarget, author: Author, home: Home) -> None:
        """Raises a `PlatformError`."""
        ...


@runtime_checkable
class SuggestsPrompts(Protocol):
    async def suggest_prompts(self, target: ReplyTarget, title: str, prompts: Sequence[str]) -> None:
        """Offers questions to somebody who opened their direct messages. More than the platform shows are left out. Raises a
        `PlatformError`."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """The platform can be asked for the text of one of our messages exactly as it would be edited."""

    async def read_back(self, target: ReplyTarget, ref: MessageRef) -> str:
        """The current text. Raises a `PlatformError`."""
        ...


@runtime_checkable
class SendsFiles(Protocol):
    """The platform can put a file into a conversation, with a message beside it."""

    async def send_file(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile) -> MessageRef:
        """Posts the file under its `plain_name`, and the message as its comment: with the file, or right after it where the
        platform keeps the two apart. Returns the message's identity; it is edited like any other, and the file stays.

        Call it again with the same nonce after a failure: what stands already is not posted twice, by the platform's own
        means or as far as the adapter remembers. The text may be another one then.

        Raises a `PlatformError`. `NotAllowed`: no file can be posted here, for want of a scope or permission, by a rule of
        the workspace, because it is too large, or because the platform took it and never showed it; the message was not
        posted, and sending the text as messages may still work. `MessageRefused` is about the message alone. It may take as
        long as several calls and a short wait for the file to appear.
        """
        ...


@runtime_checkable
class FindsSent(Protocol):
    """The platform can be searched for a message that was about to be posted when its writer died."""

    async def find_sent(self, target: ReplyTarget, message: OutgoingMessage, since: datetime) -> MessageRef | None:
        """The message of ours that stands there, if it was posted: found by its nonce where the platform keeps that, else by
        what it says. None: it was not, as far as can be seen; posting it with the same nonce is then right. `since` is when it
        was intended, by our clock. Raises a `PlatformError`.
        """
        ...


class Memory(Protocol):
    """What a platform may keep in our store: small texts, by names of its own."""

    async def recall(self, name: str) -> str | None:
        """What was kept last; None at first. Raises `StoreUnavailable`."""
        ...

    async def remember(self, name: str, value: str) -> None:
        """Raises `StoreUnavailable`."""
        ...

    async def recent_places(self, since: datetime, limit: int) -> Sequence[ReplyTarget]:
        """Where conversations that were active since then are answered, the latest first. Raises `StoreUnavailable`."""
        ...


@runtime_checkable
class CatchesUp(Protocol):
    """The platform reads up what was said while nobody listened, and hands it to its inbox like any other event.

    What was handed in before is recognised by the core. How far it has heard without a gap it keeps in `memory`; that mark never
    passes a message that was not handed in.
    """

    def catch_up_from(self, memory: Memory) -> None:
        """Called once, before `run`."""
        ...


class Leases(Protocol):
    """Things of which there may be one among all processes."""

    def hold(self, name: str) -> AbstractAsyncContextManager["Lease"]:
        """Waits until this process holds `name`, however long that takes, and gives it back at the end of the block. With one
        process that is at once. Nothing is raised but cancellation."""
        ...


class Lease(Protocol):
    async def lost(self) -> None:
        """Returns when the lease is no longer certain: stop at once what only one may do, then leave the block."""
        ...


@runtime_checkable
class UsesLeases(Protocol):
    """The platform has parts that only one process may run at a time, and holds a lease while it does."""

    def use_leases(self, leases: Leases) -> None:
        """Called once, before `run`. Names of leases begin with the platform's name."""
        ...


@runtime_checkable
class RenamesThreads(Protocol):
    """Threads that the bot opened can be given another name."""

    async def rename_thread(self, target: ReplyTarget, title: str) -> None:
        """`title` is plain text and is cut as needed. A thread that somebody else opened or named is left as it is. Raises
        `PlatformError`."""
        ...


@runtime_checkable
class MarksSolved(Protocol):
    """A thread can be marked as one whose question was answered well."""

    async def mark_solved(self, target: ReplyTarget) -> None:
        """Harmless when it is marked already, and where threads have no such mark. Raises `PlatformError`."""
        ...


@runtime_checkable
class NamesWays(Protocol):
    """The platform has ways to ask that are its own (commands, forms), and tells of them."""

    def name_ways(self) -> Sequence[str]:
        """A sentence of Markdown for each that is switched on, such as "Type `/ask` and your question anywhere." """
        ...
