"""A stand-in Discord on a loopback port, and the adapter running against it with short pauses."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.adapter import DiscordPlatform, create
from adapters.discord.settings import Settings
from bridge.clock import SystemClock
from bridge.events import InboundEvent, MessageReceived, ReactionChanged
from bridge.messages import Origin, OutgoingMessage, ReplyTarget
from bridge.playground.discord import DiscordServer

PATIENCE = 10.0
"""Seconds that a test waits for something before it fails."""


async def until(condition: Callable[[], bool], what: str = "") -> None:
    """Waits until the condition holds. Fails after `PATIENCE`."""
    never = asyncio.Event()
    clock = SystemClock()
    deadline = clock.monotonic() + PATIENCE
    while not condition():
        assert clock.monotonic() < deadline, f"waited in vain {what}"
        await clock.wait(never, 0.01)


class Inbox:
    """Takes every event and remembers it, in order."""

    def __init__(self) -> None:
        self.events: list[InboundEvent] = []
        self.before: Callable[[], Awaitable[None]] | None = None
        """Happens while the next event is taken."""

    async def __call__(self, event: InboundEvent) -> None:
        if (before := self.before) is not None:
            self.before = None
            await before()
        self.events.append(event)

    @property
    def asked(self) -> list[MessageReceived]:
        """Messages of people."""
        return [each for each in self.events if isinstance(each, MessageReceived) and each.origin is Origin.PERSON]

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.asked]

    @property
    def reactions(self) -> list[ReactionChanged]:
        return [each for each in self.events if isinstance(each, ReactionChanged)]

    async def message(self, text: str) -> MessageReceived:
        """The first message of a person with that text, as soon as it is there."""
        await until(lambda: text in self.texts, f"for {text!r}; heard {self.texts}")
        return next(each for each in self.asked if each.text == text)


async def offered(server: DiscordServer) -> None:
    """Waits until people can use the commands."""
    await until(lambda: bool(server.commands), "for the commands")


def out(text: str, nonce: str = "n1") -> OutgoingMessage:
    return OutgoingMessage(text=text, nonce=nonce)


@asynccontextmanager
async def hearing(platform: DiscordPlatform, inbox: Inbox) -> AsyncIterator["asyncio.Task[None]"]:
    """The platform listens inside; yields the task of `run`. Outside `send` still works until `close`."""
    run = asyncio.create_task(platform.run(inbox))
    try:
        await until(lambda: platform.health().hearing or run.done(), "to hear")
        yield run
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


Make = Callable[..., DiscordPlatform]


@pytest.fixture(autouse=True)
def addresses_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """`create` points discord.py somewhere for the whole process."""
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    standin = DiscordServer(heartbeat_milliseconds=200)
    await standin.start()
    yield standin
    await standin.stop()


@pytest.fixture
async def make(server: DiscordServer) -> AsyncIterator[Make]:
    """Makes platforms for the stand-in; keyword arguments are settings."""
    made: list[DiscordPlatform] = []

    def make_one(**settings: object) -> DiscordPlatform:
        values: dict[str, object] = {
            "discord_token": server.token,
            "discord_api_url": server.api_url,
            "discord_gateway_url": server.gateway_url,
            "discord_identify_gap": 0.05,
            "discord_reconnect_first": 0.02,
            "discord_reconnect_max": 0.2,
            "discord_close_timeout": 1.0,
        }
        platform = create(Settings.model_validate(values | settings), SystemClock())
        made.append(platform)
        return platform

    yield make_one
    for platform in made:
        await platform.close()


@pytest.fixture
def platform(make: Make) -> DiscordPlatform:
    return make()


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


async def ask(server: DiscordServer, inbox: Inbox, text: str = "What is up?") -> ReplyTarget:
    """Ada mentions the bot in #general; where to answer her."""
    await server.post_as(server.ada, server.general, f"<@{server.bot_id}> {text}")
    return (await inbox.message(text)).target
