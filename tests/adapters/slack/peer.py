"""What the socket tests share: a platform made for a stand-in, an inbox that remembers, and waiting without sleeping."""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

from adapters.slack.adapter import SlackPlatform, create
from adapters.slack.settings import Settings
from bridge.clock import Clock, SystemClock
from bridge.errors import StoreUnavailable
from bridge.events import InboundEvent, MessageReceived, ReactionChanged
from bridge.messages import (
    Address,
    ChannelId,
    ConversationKey,
    InstallationId,
    Origin,
    OutgoingMessage,
    PaceGroup,
    PlatformName,
    ReplyTarget,
)
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Call, Message

PATIENCE = 5.0
"""Seconds after which a condition that did not come true fails its test."""


def make_platform(server: SlackServer, *, http: bool = False, **changes: object) -> SlackPlatform:
    return make_timed_platform(server, SystemClock(), http=http, **changes)


def make_timed_platform(server: SlackServer, clock: Clock, *, http: bool = False, **changes: object) -> SlackPlatform:
    values: dict[str, object] = {
        "slack_bot_token": server.bot_token,
        "slack_app_token": None if http else server.app_token,
        "slack_signing_secret": server.signing_secret if http else None,
        "slack_api_url": server.api_url,
        "slack_ping_interval": 0.5,
        "slack_reconnect_longest": 0.2,
    }
    return create(Settings.model_validate({**values, **changes}), clock)


async def until(condition: Callable[[], bool], what: str = "the condition") -> None:
    """Looks every few milliseconds. Fails after `PATIENCE`."""
    clock = SystemClock()
    deadline = clock.monotonic() + PATIENCE
    while not condition():
        assert clock.monotonic() < deadline, f"{what} did not come true"
        await clock.sleep(0.005)


def question(text: str = "hi", nonce: str = "n1") -> OutgoingMessage:
    return OutgoingMessage(text=text, nonce=nonce)


def target_under(server: SlackServer, channel: str, thread_ts: str) -> ReplyTarget:
    """A target as the adapter spells it, without anything having been heard."""
    return ReplyTarget(
        platform=PlatformName("slack"),
        conversation=ConversationKey(
            platform=PlatformName("slack"), installation=InstallationId(server.team_id), channel=ChannelId(channel)
        ),
        address=Address(f"{server.team_id}/{channel}/{thread_ts}"),
        post_group=PaceGroup("posts"),
        edit_group=PaceGroup("edits"),
    )


def answers(server: SlackServer, root: str) -> list[Message]:
    """What the bot has posted in the thread."""
    return [message for message in server.messages("C0GENERAL", root) if message.is_bot]


def calls(server: SlackServer, method: str) -> list[Call]:
    return [call for call in server.calls if call.method == method]


def asked(server: SlackServer, method: str) -> int:
    """How often the bot has called it."""
    return len(calls(server, method))


class RecordingInbox:
    """Remembers events. A closed `gate` makes it wait with those that it `holds`, `fail` makes it refuse so many, `bug` makes it
    break its promise."""

    def __init__(self) -> None:
        self.events: list[InboundEvent] = []
        self.entered = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.holds: type[object] = object
        self.fail = 0
        self.bug: Exception | None = None

    async def __call__(self, event: InboundEvent) -> None:
        self.entered += 1
        if isinstance(event, self.holds):
            await self.gate.wait()
        if self.bug is not None:
            raise self.bug
        if self.fail > 0:
            self.fail -= 1
            raise StoreUnavailable("the disk is full")
        self.events.append(event)

    @property
    def messages(self) -> list[MessageReceived]:
        return [event for event in self.events if isinstance(event, MessageReceived)]

    @property
    def questions(self) -> list[MessageReceived]:
        return [message for message in self.messages if message.origin is Origin.PERSON]

    @property
    def reactions(self) -> list[ReactionChanged]:
        return [event for event in self.events if isinstance(event, ReactionChanged)]


class Bridge:
    """A platform whose `run` is under way, with its inbox."""

    def __init__(self, server: SlackServer, platform: SlackPlatform, *, wait: bool = True) -> None:
        """Entering waits until the platform hears, unless told not to."""
        self.server = server
        self.platform = platform
        self.inbox = RecordingInbox()
        self._wait = wait
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.platform.run(self.inbox))
        if self._wait:
            await until(lambda: self.platform.health().hearing or self.ended, "hearing")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cancel()

    @property
    def ended(self) -> bool:
        return self._running is None or self._running.done()

    def begin_cancelling(self) -> None:
        if self._running is not None:
            self._running.cancel()

    async def cancel(self) -> None:
        self.begin_cancelling()
        if self._running is not None:
            await asyncio.wait([self._running])

    async def heard(self, questions: int) -> list[MessageReceived]:
        """Waits for so many questions of people."""
        await until(lambda: len(self.inbox.questions) >= questions, f"{questions} questions")
        return self.inbox.questions
