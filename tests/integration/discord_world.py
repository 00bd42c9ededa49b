"""A whole bridge between a stand-in Discord and a stand-in Dify, and what a person sees and does there.

The bridge is put together as in production, on an SQLite file, and may be dropped and built anew at any moment.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import aiohttp
from discord.gateway import DiscordWebSocket
from discord.http import Route as Address

from bridge.app import App, build
from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer
from bridge.playground.dify.features import everything_on
from bridge.playground.dify.records import ChatRequest
from bridge.playground.dify.script import Reply
from bridge.playground.discord import Attachment, DiscordServer, Message
from bridge.playground.discord.model import Button, Channel
from bridge.registry import Configuration, backend, platform
from bridge.routing import DEFAULT_APP, AppPolicy, Everywhere, Resolver, Route, Routes
from bridge.settings import Settings, isolated
from bridge.storage.settings import Settings as DatabaseSettings
from tests.fakes.ports import free_port

POLICY = AppPolicy(name=DEFAULT_APP)

WORDS = [f"word{number} " for number in range(1, 101)]

PATIENCE = 30.0
"""Seconds after which a condition that did not come true fails its test."""

LOOK_AGAIN = 0.2
"""Seconds after which a condition is looked at again although nothing was heard of."""


def say(*tokens: str, per_token: float = 0.0, nodes: Sequence[str] = (), suggestions: Sequence[str] = ()) -> Reply:
    return Reply(
        tokens=list(tokens), per_token=per_token, first_token=0.0, nodes=tuple(nodes), suggestions=tuple(suggestions)
    )


def routed(*routes: Route) -> Routes:
    """To the one app that there is."""
    return Routes(apps={DEFAULT_APP: POLICY}, routes=routes)


class World:
    def __init__(
        self,
        folder: Path,
        *,
        routes: Resolver | None = None,
        mode: str = "advanced-chat",
        recover_patience: float = 120,
        form_patience: float = 600,
        **discord: object,
    ) -> None:
        """`mode`: kind of app. `discord`: settings of the platform beside its token."""
        self.clock = SystemClock()
        self.discord = DiscordServer(heartbeat_milliseconds=200)
        self.dify = DifyServer(self.clock, mode=mode)
        self.dify.features = everything_on()
        self.dify.features.suggest_seconds = 0.0
        self.dify.first_token = self.dify.per_token = 0.0
        self.dify.script = lambda query: say(f"re: {query}")
        self.app: App | None = None
        self.settings: dict[str, object] = {
            "discord_identify_gap": 0.05,
            "discord_reconnect_first": 0.02,
            "discord_reconnect_max": 0.2,
            "discord_close_timeout": 1.0,
            **discord,
        }
        self.routes: Resolver = routes or Everywhere(app=POLICY)
        self._folder = folder
        self._recover_patience = recover_patience
        self._form_patience = form_patience
        self._port = free_port()
        self._running: asyncio.Task[int] | None = None
        self._news = asyncio.Event()

    async def start(self) -> None:
        await self.discord.start()
        await self.dify.start()
        self.discord.on_change(self._news.set)
        self.dify.on_change(self._news.set)
        await self.start_bridge()
        if self.settings.get("discord_commands", True):
            await self.until(lambda: bool(self.discord.commands), "the commands are offered")

    async def stop(self) -> None:
        try:
            await self.stop_bridge()
        finally:
            await self.discord.stop()
            await self.dify.stop()

    async def start_bridge(self) -> None:
        """Returns when it hears Discord."""
        self.app = await build(self._configuration(), self.clock)
        self._running = asyncio.create_task(self.app.run())
        heard = asyncio.ensure_future(self.clock.wait(self.app.supervisor.heard, PATIENCE))
        try:
            await asyncio.wait({heard, self._running}, return_when=asyncio.FIRST_COMPLETED)
            assert heard.done(), "the bridge ended"
            assert heard.result(), "the bridge did not come up"
        finally:
            heard.cancel()

    async def stop_bridge(self, *, kill: bool = False) -> None:
        """`kill`: wherever it is, as when its process dies."""
        app, running = self.app, self._running
        self.app = self._running = None
        if app is None or running is None:
            return
        if kill:
            running.cancel()
        else:
            app.stop.set()
        await asyncio.wait({running}, timeout=PATIENCE)
        assert running.done(), "the bridge did not end"
        assert kill or running.result() == 0

    def move_back_forms(self, seconds: float) -> None:
        """As if everything had been asked for so much earlier. Only while no bridge runs."""
        with closing(sqlite3.connect(self._folder / "bridge.db")) as file, file:
            file.execute("UPDATE input_request SET expires_at = datetime(expires_at, ?)", (f"-{seconds:g} seconds",))

    async def restart(self, *, kill: bool = False) -> None:
        await self.stop_bridge(kill=kill)
        await self.start_bridge()

    def _configuration(self) -> Configuration:
        addresses = {
            "discord_token": self.discord.token,
            "discord_api_url": self.discord.api_url,
            "discord_gateway_url": self.discord.gateway_url,
        }
        one = Configuration.for_one_app(
            core=isolated(
                Settings,
                http_port=self._port,
                shutdown_grace=5,
                busy_patience=5,
                recover_patience=self._recover_patience,
                form_patience=self._form_patience,
            ),
            database=isolated(DatabaseSettings, database_url=f"sqlite:///{self._folder}/bridge.db"),
            platforms=(platform("discord", **{**addresses, **self.settings}),),
            app=backend(
                "dify",
                dify_api_key=self.dify.api_key,
                dify_base_url=self.dify.base_url,
                # What a test changes at the app is seen with the next question.
                dify_parameters_age=0,
            ),
        )
        return replace(one, routes=self.routes)

    # Waiting

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    self._news.clear()
                    await self.clock.wait(self._news, LOOK_AGAIN)
        except TimeoutError:
            raise AssertionError(f"did not happen in {PATIENCE} s: {what}") from None

    async def answered(self, place: str, ending: str) -> Message:
        """Waits until the bot's last message there is complete and has this; returns it."""

        def done() -> bool:
            found = self.own(place)
            return bool(found) and ending in found[-1].content and not self.is_growing(found[-1])

        await self.until(done, f"an answer with {ending!r}; there is {self.texts(place)!r}")
        return self.own(place)[-1]

    async def settled(self) -> None:
        """Waits until all that was told has arrived, nothing grows, and nobody sees the bot thinking."""
        await self.discord.idle(PATIENCE)
        await self.until(lambda: not self.working(), f"all at rest; there is {self.working()!r}")

    async def acknowledged(self, interaction: str) -> str:
        one = self.discord.interactions[interaction]
        await self.until(lambda: one.acknowledged, f"{one.kind} {one.name}{one.custom_id} is answered")
        return interaction

    # What a person sees

    def own(self, place: str) -> list[Message]:
        """What the bot wrote there for all to see."""
        if place not in self.discord.channels:
            return []
        own = [one for one in self.discord.messages(place) if one.author_id == self.discord.bot_id]
        return [one for one in own if one.content or one.attachments]

    def texts(self, place: str) -> list[str]:
        return [one.content for one in self.own(place)]

    def is_growing(self, message: Message) -> bool:
        return not message.buttons or any(one.custom_id == "bridge:stop" for one in message.buttons)

    def threads(self, channel: str) -> list[str]:
        return [one.id for one in self.discord.channels.values() if one.parent_id == channel and one.kind == "thread"]

    def place(self, number: str) -> Channel:
        return self.discord.channels[number]

    def labels(self, message: Message) -> set[str]:
        """What its buttons are for, and what they ask."""
        return {one.label if one.custom_id.startswith("bridge:ask:") else one.custom_id for one in message.buttons}

    def working(self) -> list[str]:
        """Everything that still shows that something is being done."""
        growing = [
            f"message {one.id} in {place}"
            for place in tuple(self.discord.channels)
            for one in self.own(place)
            if any(button.custom_id == "bridge:stop" for button in one.buttons)
        ]
        return growing + [f"thinking {one}" for one in self.thinking()]

    def private_lines(self, person: str) -> list[str]:
        return [one.content for one in self.discord.ephemerals(person) if one.content]

    def thinking(self) -> list[str]:
        """Commands after which the bot still seems to think."""
        own = [one.original for one in self.discord.interactions.values() if one.original is not None]
        return [one.interaction_id for one in own if not one.content and not one.deleted and one.interaction_id]

    def button(self, message: Message, custom_id: str) -> Button:
        found = [one for one in message.buttons if one.custom_id.startswith(custom_id)]
        assert found, f"no button {custom_id!r}; there are {message.buttons}"
        return found[0]

    # What a person does

    async def mention(self, text: str, place: str | None = None, person: str | None = None) -> str:
        """Mentions the bot; returns the thread in which it will answer, where it opens one."""
        words = f"<@{self.discord.bot_id}> {text}"
        return await self.discord.post_as(person or self.discord.ada, place or self.discord.general, words)

    async def ask(self, question: str, place: str, person: str | None = None, file: Attachment | None = None) -> str:
        """By the command; returns its number."""
        who = person or self.discord.ada
        files = {} if file is None else {"file": file}
        number = await self.discord.command(who, place, "ask", {"question": question}, files)
        return await self.acknowledged(number)

    async def press(self, message: Message, custom_id: str, person: str | None = None) -> str:
        """Presses the button that begins so, and waits until it is acknowledged."""
        button = self.button(message, custom_id)
        who = person or self.discord.ada
        return await self.acknowledged(await self.discord.press(who, message.channel_id, message.id, button.custom_id))

    async def rate_down(self, message: Message, why: str, person: str | None = None) -> None:
        """Presses the thumb that points down, and says why."""
        pressed = await self.press(message, "bridge:dislike", person)
        await self.acknowledged(await self.discord.submit_modal(person or self.discord.ada, pressed, {"words": why}))

    async def readiness(self) -> dict[str, object]:
        """What `/readyz` says."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self._port}/readyz") as answer,
        ):
            return dict(await answer.json())

    # What was asked of Dify

    @property
    def requests(self) -> list[ChatRequest]:
        return self.dify.requests

    def failed_calls(self) -> list[tuple[str, int]]:
        return [
            (call.route, call.code) for call in self.discord.calls if call.status is not None and call.status >= 400
        ]


@asynccontextmanager
async def living(world: World) -> AsyncIterator[World]:
    # The bridge tells discord.py where Discord is, for the whole process.
    base, gateway = Address.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    try:
        await world.start()
        yield world
    finally:
        await world.stop()
        Address.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway
