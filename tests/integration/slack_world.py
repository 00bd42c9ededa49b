"""A whole bridge between a stand-in Slack and a stand-in Dify, and what a person sees and does there.

The bridge is put together as in production, on an SQLite file, and may be dropped and built anew at any moment.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

from bridge.app import App, build
from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer
from bridge.playground.dify.features import everything_on
from bridge.playground.dify.records import ChatRequest
from bridge.playground.dify.script import Reply
from bridge.playground.slack import SlackServer
from bridge.playground.slack.interactions import ShownButton, buttons_in
from bridge.playground.slack.model import Act, Call, Message
from bridge.playground.slack.surfaces import Ephemeral
from bridge.playground.slack.views import View
from bridge.playground.slack.workspace import Workspace
from bridge.registry import Configuration, backend, platform
from bridge.routing import DEFAULT_APP, AppPolicy, Everywhere, Guests
from bridge.settings import Settings, isolated
from bridge.storage.settings import Settings as DatabaseSettings
from tests.fakes.ports import free_port

ADA, GRACE, LINUS = "U0ADA", "U0GRACE", "U0LINUS"
GENERAL, SUPPORT, PRIVATE, DIRECT = "C0GENERAL", "C0SUPPORT", "G0PRIVATE", "D0ADA"

PATIENCE = 30.0
"""Seconds after which a condition that did not come true fails its test."""

LOOK_AGAIN = 0.2
"""Seconds after which a condition is looked at again although nothing was heard of."""

KEY = "a key of the tests with more than 32 characters"

WORDS = [f"word{number} " for number in range(1, 101)]


def say(*tokens: str, per_token: float = 0.0, nodes: Sequence[str] = (), suggestions: Sequence[str] = ()) -> Reply:
    return Reply(
        tokens=list(tokens), per_token=per_token, first_token=0.0, nodes=tuple(nodes), suggestions=tuple(suggestions)
    )


class World:
    def __init__(
        self,
        folder: Path,
        *,
        http: bool = False,
        guests: Guests | None = None,
        many: bool = False,
        mode: str = "advanced-chat",
        recover_patience: float = 120,
        app: AppPolicy | None = None,
        form_patience: float = 600,
        **slack: object,
    ) -> None:
        """`many`: the app is installed by OAuth. `mode`: kind of app. `slack`: settings of the platform beside its tokens."""
        self.clock = SystemClock()
        self.slack = SlackServer(self.clock)
        self.slack.retry_schedule = (0.2, 0.5, 1.0)
        self.dify = DifyServer(self.clock, mode=mode)
        self.dify.features = everything_on()
        self.dify.features.suggest_seconds = 0.0
        self.dify.first_token = self.dify.per_token = 0.0
        self.http = http
        self.app: App | None = None
        self.settings: dict[str, object] = {"slack_ping_interval": 0.5, "slack_reconnect_longest": 0.2, **slack}
        """Of the platform; what lets it in is added where it is not among them."""
        self.database: dict[str, object] = {}
        """Settings of the database beside its address."""
        self._guests = guests or Guests()
        self._app = app or AppPolicy(name=DEFAULT_APP)
        self._form_patience = form_patience
        self._folder = folder
        self._recover_patience = recover_patience
        self._port = free_port()
        self._running: asyncio.Task[int] | None = None
        self._news = asyncio.Event()
        if many:
            self.database["encryption_key"] = KEY
            self.settings |= {
                "slack_bot_token": None,
                "slack_client_id": self.slack.client_id,
                "slack_client_secret": self.slack.client_secret,
                "slack_public_url": self.url,
            }

    @property
    def url(self) -> str:
        """Where the bridge is reached."""
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        await self.slack.start()
        await self.dify.start()
        self.slack.on_change(self._news.set)
        self.dify.on_change(self._news.set)
        if self.http:
            self.slack.events_url = f"{self.url}/slack/events"
        await self.start_bridge()

    async def stop(self) -> None:
        try:
            await self.stop_bridge()
        finally:
            await self.slack.stop()
            await self.dify.stop()

    async def start_bridge(self) -> None:
        """Returns when it hears Slack."""
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
        slack: dict[str, object] = {"slack_api_url": self.slack.api_url, "slack_bot_token": self.slack.bot_token}
        if self.http:
            slack["slack_signing_secret"] = self.slack.signing_secret
        else:
            slack["slack_app_token"] = self.slack.app_token
        database = f"sqlite:///{self._folder}/bridge.db"
        one = Configuration.for_one_app(
            core=isolated(
                Settings,
                http_port=self._port,
                shutdown_grace=5,
                busy_patience=5,
                recover_patience=self._recover_patience,
                form_patience=self._form_patience,
            ),
            database=isolated(DatabaseSettings, database_url=database, **self.database),
            platforms=(platform("slack", **{**slack, **self.settings}),),
            app=backend(
                "dify",
                dify_api_key=self.dify.api_key,
                dify_base_url=self.dify.base_url,
                # What a test changes at the app is seen with the next question.
                dify_parameters_age=0,
            ),
        )
        return replace(one, routes=Everywhere(app=self._app, guests=self._guests))

    # Waiting

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition():
                    self._news.clear()
                    await self.clock.wait(self._news, LOOK_AGAIN)
        except TimeoutError:
            raise AssertionError(f"did not happen in {PATIENCE} s: {what}") from None

    async def answered(self, channel: str, root: str, ending: str, count: int = 1) -> list[Message]:
        """Waits until the bot has exactly `count` messages in the thread, the last of them with `ending` and complete."""

        def done() -> bool:
            found = self.answers(channel, root)
            return len(found) == count and ending in found[-1].visible_text and self.is_complete(found[-1])

        await self.until(done, f"{count} answer(s), the last with {ending!r}; has {self.texts(channel, root)!r}")
        return self.answers(channel, root)

    async def settled(self) -> None:
        """Waits until all that was told has arrived, no stream grows, and nothing shows that anything is being worked on."""
        await self.slack.idle(PATIENCE)
        await self.until(lambda: not self.working(), f"all at rest; there is {self.working()!r}")

    # What a person sees

    def answers(self, channel: str, root: str) -> list[Message]:
        """The bot's messages below `root`."""
        return [one for one in self.slack.messages(channel, root) if one.is_bot and one.ts != root]

    def texts(self, channel: str, root: str) -> list[str]:
        return [one.visible_text for one in self.answers(channel, root)]

    def is_complete(self, message: Message) -> bool:
        """It can be rated or asked again, as the last message of an answer can."""
        return (message.channel, message.ts) not in self._growing() and not any(
            one.action_id == "bridge:stop" for one in buttons_in(message.blocks)
        )

    def was_streamed(self, message: Message) -> bool:
        return any((message.channel, message.ts) in one.streams for one in self.slack.workspaces.values())

    def buttons(self, message: Message) -> list[ShownButton]:
        return list(buttons_in(message.blocks))

    def button(self, message: Message, label: str) -> ShownButton:
        found = [one for one in self.buttons(message) if one.label == label or one.value == label]
        assert found, f"no button {label!r}; there are {[(one.label, one.value) for one in self.buttons(message)]}"
        return found[0]

    def private_lines(self, person: str) -> list[Ephemeral]:
        return [one for one in self.slack.ephemerals if one.person == person]

    def forms(self, person: str) -> list[View]:
        """Modals that stand open."""
        opened = [view for one in self.slack.workspaces.values() for view in one.views.opened.values()]
        return [view for view in opened if view.person == person]

    def working(self) -> list[str]:
        """Everything that still shows that something is being done."""
        found = [f"stream {key}" for key in self._growing()]
        now = self.clock.monotonic()
        for workspace in self._installed():
            sessions = workspace.sessions.items()
            found += [f"session {key}" for key, one in sessions if one.status_at(now) == "processing"]
            found += [f"status {key}" for key in workspace.statuses()]
            found += [
                f"reaction {one.ts}"
                for channel in workspace.channels
                for one in workspace.messages(channel)
                if workspace.bot_user_id in one.reactions.get("eyes", [])
            ]
        return found

    def _growing(self) -> list[tuple[str, str]]:
        now = self.clock.monotonic()
        streams = [found for one in self._installed() for found in one.streams.items()]
        return [key for key, stream in streams if stream.state(now) == "live"]

    def _installed(self) -> list[Workspace]:
        """Where the app was removed it cannot take away what it showed."""
        return [one for one in self.slack.workspaces.values() if one.installed]

    # What a person does

    async def ask(self, text: str, channel: str = GENERAL, person: str = ADA, thread: str | None = None) -> str:
        """Mentions the bot; returns the root of the thread in which it will answer."""
        (bot,) = [one.bot_user_id for one in self.slack.workspaces.values() if channel in one.channels]
        words = text if channel == DIRECT else f"<@{bot}> {text}"
        ts = await self.slack.post_as(person, channel, words, thread)
        return thread or ts

    async def press(self, message: Message, label: str, person: str = ADA) -> Act:
        """Presses the button with this label or value, and waits until it is acknowledged."""
        button = self.button(message, label)
        act = await self.slack.press(person, message.channel, message.ts, button.action_id, button.value or None)
        return await self.acknowledged(act)

    async def acknowledged(self, act: Act) -> Act:
        await self.until(lambda: act.outcome != "pending", f"{act.kind} is settled")
        assert act.outcome == "acked", f"{act.kind} {act.action_id}: {act.error}"
        return act

    # What was asked of Dify

    @property
    def requests(self) -> list[ChatRequest]:
        return self.dify.requests

    def calls(self, method: str) -> list[Call]:
        return [call for call in self.slack.calls if call.method == method]

    def failed_calls(self) -> list[tuple[str, str]]:
        return [(call.method, call.error) for call in self.slack.calls if not call.ok]


@asynccontextmanager
async def living(world: World) -> AsyncIterator[World]:
    try:
        await world.start()
        yield world
    finally:
        await world.stop()
