"""A chat platform in memory: it keeps what was shown, and refuses what it is told to refuse."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import lru_cache

from adapters.discord.dialect import DiscordDialect
from bridge.clock import Clock
from bridge.errors import MessageGone, MessageRefused, PlatformError, PlatformUnavailable
from bridge.messages import Address, Button, MessageRef, OutgoingMessage, PlatformName, ReplyTarget, Step
from bridge.outgoing_files import OutgoingFile
from bridge.platform_api import Finding, Inbox, PlatformCapabilities, PlatformHealth, WriteBudget

FAKE = PlatformName("fake")


@dataclass
class ShownMessage:
    """One message as people see it, with every text it ever had."""

    target: ReplyTarget
    nonce: str
    people: list[Mapping[str, str]] = field(default_factory=list)
    """Who might be mentioned, for every text."""
    buttons: tuple[Button, ...] = ()
    sources: tuple[str, ...] = ()
    history: list[tuple[float, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return self.history[-1][1]


@dataclass
class FakePlatform:
    """Writes Discord's dialect, since it has to write one.

    `failures` holds errors for the next writes, in order (None: this one succeeds).
    """

    clock: Clock
    name: PlatformName = FAKE
    max_text: int = 2000
    post_limit: int = 1000
    edit_limit: int = 1000
    latency: float = 0.0
    failures: list[PlatformError | None] = field(default_factory=list)
    lost_answers: int = 0
    """So many of the next new messages will stand without anybody being told."""
    messages: dict[str, ShownMessage] = field(default_factory=dict)
    activity: list[float] = field(default_factory=list)
    heard_by: list[Inbox] = field(default_factory=list)
    run_errors: list[PlatformError] = field(default_factory=list)
    closed: bool = False
    hearing: bool = False
    buttons: bool = False
    rating_buttons: bool = False
    question_buttons: int = 0
    again_button: bool = False
    sources: bool = False

    @property
    def capabilities(self) -> PlatformCapabilities:
        return PlatformCapabilities(
            post_budget=WriteBudget(limit=self.post_limit, window=timedelta(seconds=5)),
            edit_budget=WriteBudget(limit=self.edit_limit, window=timedelta(seconds=5)),
            min_edit_interval=timedelta(seconds=1),
            activity_every=timedelta(seconds=8),
            buttons=self.buttons,
            rating_buttons=self.rating_buttons,
            question_buttons=self.question_buttons,
            again_button=self.again_button,
            sources=self.sources,
        )

    @property
    def dialect(self) -> DiscordDialect:
        return dialect_of(self.max_text)

    @property
    def texts(self) -> list[str]:
        """The last text of every message, in the order of posting."""
        return [message.text for message in self.messages.values()]

    async def run(self, inbox: Inbox) -> None:
        if self.run_errors:
            raise self.run_errors.pop(0)
        self.heard_by.append(inbox)
        self.hearing = True
        try:
            await asyncio.Event().wait()
        finally:
            self.hearing = False

    async def close(self) -> None:
        self.closed = True

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        text = await self._answer_like_a_platform(message)
        for address, known in self.messages.items():
            if known.nonce == message.nonce:
                known.history.append((self.clock.monotonic(), text))
                known.buttons, known.sources = message.buttons, message.sources
                return MessageRef(platform=self.name, address=Address(address))
        address = f"{target.address}/m{len(self.messages)}"
        shown = ShownMessage(
            target,
            message.nonce,
            [message.people],
            message.buttons,
            message.sources,
            [(self.clock.monotonic(), text)],
        )
        self.messages[address] = shown
        if self.lost_answers:
            self.lost_answers -= 1
            raise PlatformUnavailable("the connection broke")
        return MessageRef(platform=self.name, address=Address(address))

    async def edit(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        text = await self._answer_like_a_platform(message)
        if ref.address not in self.messages:
            raise MessageGone("no such message")
        self.messages[ref.address].history.append((self.clock.monotonic(), text))
        self.messages[ref.address].people.append(message.people)
        self.messages[ref.address].buttons = message.buttons
        self.messages[ref.address].sources = message.sources

    async def show_activity(self, target: ReplyTarget, question: MessageRef) -> None:
        self.activity.append(self.clock.monotonic())

    def health(self) -> PlatformHealth:
        return PlatformHealth(
            connected=self.hearing, hearing=self.hearing, detail="" if self.hearing else "not running"
        )

    async def check(self) -> Sequence[Finding]:
        return ()

    async def _answer_like_a_platform(self, message: OutgoingMessage) -> str:
        """What people will read of it."""
        if self.latency:
            await self.clock.sleep(self.latency)
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        assert self.buttons or not message.buttons, "told not to have buttons"
        assert self.sources or not message.sources, "told not to show sources apart"
        text = str(self.dialect.payload(message.text, message.people)["content"])
        if not text:
            raise MessageRefused("empty message")
        if len(text) > self.max_text:
            raise MessageRefused("too long")
        assert len(message.nonce) <= 25
        return text


@dataclass
class FindingPlatform(FakePlatform):
    """Can be searched for what was posted; `find_errors` meet the next searches."""

    find_errors: list[PlatformError] = field(default_factory=list)
    searched: list[str] = field(default_factory=list)

    async def find_sent(self, target: ReplyTarget, message: OutgoingMessage, since: datetime) -> MessageRef | None:
        self.searched.append(message.nonce)
        if self.find_errors:
            raise self.find_errors.pop(0)
        for address, known in self.messages.items():
            if known.nonce == message.nonce:
                return MessageRef(platform=self.name, address=Address(address))
        return None


@lru_cache(maxsize=32)
def dialect_of(limit: int) -> DiscordDialect:
    """One for each limit, as a real platform has one: it remembers what it has written."""
    return DiscordDialect(limit)


@dataclass
class FilePlatform(FakePlatform):
    """Takes files with a message. `file_failures` meet the next files, in order (None: this one succeeds)."""

    file_failures: list[PlatformError | None] = field(default_factory=list)
    files: dict[str, OutgoingFile] = field(default_factory=dict)
    """By the address of their message."""

    async def send_file(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile) -> MessageRef:
        failure = self.file_failures.pop(0) if self.file_failures else None
        if failure is not None:
            raise failure
        assert file.content
        ref = await self.send(target, message)
        self.files.setdefault(ref.address, file)
        return ref


@dataclass
class ThreadingPlatform(FakePlatform):
    """Opens threads, and can be asked for a message's text."""

    thread_error: PlatformError | None = None
    opened: list[str] = field(default_factory=list)

    async def open_thread(self, target: ReplyTarget, title: str) -> ReplyTarget:
        if self.thread_error is not None:
            raise self.thread_error
        self.opened.append(title)
        return ReplyTarget(
            platform=target.platform,
            conversation=target.conversation,
            address=Address(f"{target.address}/thread"),
            post_group=target.post_group,
            edit_group=target.edit_group,
        )

    async def read_back(self, target: ReplyTarget, ref: MessageRef) -> str:
        if ref.address not in self.messages:
            raise MessageGone("no such message")
        return self.messages[ref.address].text


@dataclass
class GrowingPlatform(FilePlatform):
    """Lets messages grow natively: what was shown of one never changes, it only gets longer. `lasts` seconds after its beginning
    nothing can be added to it any more; it is spent some time before that."""

    lasts: float = 300.0
    spent_after: float = 240.0
    live_limit: int = 1000
    can_grow: bool = True
    growing: dict[str, float] = field(default_factory=dict)
    """When each of them began, by address."""
    begun: int = 0
    added: list[tuple[str, str]] = field(default_factory=list)
    """Address and what was added, in order."""
    repaired: int = 0
    steps: dict[str, tuple[Step, ...]] = field(default_factory=dict)
    activity_ended: list[tuple[ReplyTarget, MessageRef]] = field(default_factory=list)

    @property
    def capabilities(self) -> PlatformCapabilities:
        return replace(
            super().capabilities,
            steps=True,
            live_budget=WriteBudget(limit=self.live_limit, window=timedelta(seconds=60)),
            first_hold=timedelta(milliseconds=800),
        )

    def may_grow(self, target: ReplyTarget) -> bool:
        return self.can_grow

    def is_growing(self, ref: MessageRef) -> bool:
        return ref.address in self.growing

    def is_spent(self, ref: MessageRef) -> bool:
        began = self.growing.get(ref.address)
        return began is not None and self.clock.monotonic() - began >= self.spent_after

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        if not message.live or not self.can_grow:
            return await super().send(target, message)
        address = f"{target.address}/m{len(self.messages)}"
        text = await self._answer_like_a_platform(message) if message.text else ""
        self.messages[address] = ShownMessage(
            target, message.nonce, [message.people], (), (), [(self.clock.monotonic(), text)]
        )
        self.growing[address] = self.clock.monotonic()
        self.begun += 1
        self.steps[address] = message.steps
        return MessageRef(platform=self.name, address=Address(address))

    async def edit(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        if ref.address not in self.growing:
            await super().edit(target, ref, message)
            return
        if self.clock.monotonic() - self.growing[ref.address] > self.lasts:
            del self.growing[ref.address]
            self.repaired += 1
            await super().edit(target, ref, message)
            return
        self.steps[ref.address] = message.steps
        stands = self.messages[ref.address].text
        text = await self._answer_like_a_platform(message) if message.text or not message.live else ""
        if not message.live:
            del self.growing[ref.address]
            self.repaired += not text.startswith(stands)
            self.messages[ref.address].buttons = message.buttons
            self.messages[ref.address].sources = message.sources
        elif not text.startswith(stands):
            return
        if text != stands:
            self.added.append((ref.address, text[len(stands) :]))
            self.messages[ref.address].history.append((self.clock.monotonic(), text))

    async def end_activity(self, target: ReplyTarget, question: MessageRef) -> None:
        self.activity_ended.append((target, question))
