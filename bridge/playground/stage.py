"""The playground's stage: three stand-ins and an ordinary bridge between them, and the command that shows them.

The page is served by `server`; this module says what it shows and does.
"""

import asyncio
import os
import signal
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path

from bridge import logs
from bridge.app import App, build
from bridge.backend_api import Backend
from bridge.clock import Clock, SystemClock
from bridge.errors import BridgeError, SettingsError, StoreInUse
from bridge.feedback import aggregate
from bridge.messages import AppName
from bridge.playground.acting import (
    act_in_discord,
    act_in_slack,
    find_attachment,
    find_slack_file,
    post_to_discord,
    post_to_slack,
    react_in_discord,
    react_in_slack,
)
from bridge.playground.bodies import Act, BadBody, Post, React, Turn
from bridge.playground.dify import DifyServer, everything_on
from bridge.playground.dify.control import MODES
from bridge.playground.discord import DiscordServer
from bridge.playground.discord.permissions import DEFAULT_PERMISSIONS, MANAGE_THREADS
from bridge.playground.discord_acting import use_discord
from bridge.playground.discord_bodies import DiscordAct
from bridge.playground.picture import Camera
from bridge.playground.received import WitnessedPart
from bridge.playground.server import PageServer, ShownFile
from bridge.playground.slack import SlackServer
from bridge.playground.slack_acting import use_slack
from bridge.playground.slack_bodies import SlackAct
from bridge.playground.switches import Switch, make_switches
from bridge.registry import Configuration, Part, backend, configured_backend, platform
from bridge.settings import Settings, isolated
from bridge.storage.settings import Settings as DatabaseSettings
from bridge.storage.store import open_store

_log = logs.get("playground")

DATABASE = Path("data/playground.db")
ECHO = AppName("echo")
GRACE = 10.0
"""Seconds that running answers may take to finish when the bridge is restarted or the playground is stopped."""
BUSY_PATIENCE = 5.0
"""Seconds that a question is tried again while Dify is down. The ordinary minute is long for who wants to see how it ends."""
RETRY_SCHEDULE = (1.0, 3.0, 8.0)
"""Seconds before Slack's stand-in delivers again. The real one takes 0, 60 and 300; nobody watches a page that long."""
RETRY_FEATURES = 5.0
"""Seconds after which the bridge tries again what a workspace did not have, so that a switch turned back is seen to be."""
SOLVED_TAG = "solved"
"""Tag of the forum that a post gets once its answer was judged good."""
APP_MODE = "agent-chat"
"""The kind of app that the stand-in Dify plays unless it is told another: an agent, which shows the tools that it uses."""


class Stage:
    """Starts and stops everything. Is the page's `Scene`."""

    def __init__(
        self,
        *,
        database: Path = DATABASE,
        env_file: Path | None = None,
        keep_database: bool = False,
        grace: float = GRACE,
        clock: Clock | None = None,
        app_mode: str = APP_MODE,
    ) -> None:
        """The database starts empty unless `keep_database`, for the stand-ins start empty too. `app_mode`: kind of app, as Dify
        spells it."""
        self.clock = clock or SystemClock()
        self.slack = SlackServer(clock=self.clock)
        self.slack.retry_schedule = RETRY_SCHEDULE
        _furnish_slack(self.slack)
        self.discord = DiscordServer(clock=self.clock)
        self.dify: DifyServer | None = None
        """None where a real Dify is configured."""
        self.app: App | None = None
        self._database = database
        self._keep_database = keep_database
        self._env_file = env_file
        self._grace = grace
        self._app_mode = app_mode
        self._camera = Camera(self.slack, self.discord, database)
        self._switches: dict[str, Switch] = {}
        self._configuration: Configuration | None = None
        self._running: asyncio.Task[int] | None = None
        self._restarting = False
        self._starts = 0
        self._one_at_a_time = asyncio.Lock()
        self._trouble = ""
        self._watchers: list[Callable[[], None]] = []

    def on_change(self, callback: Callable[[], None]) -> None:
        self._watchers.append(callback)

    def _changed(self) -> None:
        for watcher in self._watchers:
            watcher()

    # Up and down

    async def start(self) -> None:
        """Starts the stand-ins and the bridge, which then connects. Raises `SettingsError` and `StoreError`."""
        configured = configured_backend(self._env_file)
        try:
            await self._start_stand_ins(with_dify=configured is None)
            self._configuration = self._configure(configured)
            if not self._keep_database:
                await _remove(self._database, self._configuration, self.clock)
            async with self._one_at_a_time:
                await self._start_bridge(self._configuration)
        except BaseException:
            await self.stop(kill=True)
            raise

    async def _start_stand_ins(self, *, with_dify: bool) -> None:
        await self.slack.start(host="127.0.0.1", port=0)
        await self.discord.start(host="127.0.0.1", port=0)
        await _furnish_discord(self.discord)
        self.slack.on_change(self._changed)
        self.discord.on_change(self._changed)
        if with_dify:
            self.dify = self._camera.dify = DifyServer(clock=self.clock, mode=self._app_mode)
            self.dify.features = everything_on()
            await self.dify.start(host="127.0.0.1", port=0)
            self.dify.on_change(self._changed)
        self._switches = {one.name: one for one in make_switches(self.slack, self.discord, self.dify)}

    def _configure(self, configured: Part[Backend] | None) -> Configuration:
        """An ordinary configuration, in which only the addresses and tokens are made up."""
        app: Part[Backend]
        if self.dify is not None:
            # What the app is made to want shall be known at once.
            app = backend(
                "dify", dify_api_key=self.dify.api_key, dify_base_url=self.dify.base_url, dify_parameters_age=0
            )
        else:
            assert configured is not None  # noqa: S101  # no stand-in was started because of it; for the type checker
            app = WitnessedPart(configured.name, configured.settings, configured.module, self._camera.received)
        return Configuration.for_one_app(
            core=isolated(
                Settings,
                http_host="127.0.0.1",
                http_port=0,
                shutdown_grace=self._grace,
                busy_patience=BUSY_PATIENCE,
            ),
            database=isolated(DatabaseSettings, database_url=f"sqlite:///{self._database}"),
            platforms=(
                platform(
                    "slack",
                    slack_bot_token=self.slack.bot_token,
                    slack_app_token=self.slack.app_token,
                    slack_api_url=self.slack.api_url,
                    slack_retry_features=RETRY_FEATURES,
                    # So that there is a conversation that the Home tab can begin anew; it has no button otherwise.
                    slack_dm_sessions="single",
                ),
                platform(
                    "discord",
                    discord_token=self.discord.token,
                    discord_api_url=self.discord.api_url,
                    discord_gateway_url=self.discord.gateway_url,
                    discord_solved_tag=SOLVED_TAG,
                ),
            ),
            app=app,
            # So that there is something to choose by `/app`.
            others={ECHO: backend("echo")},
        )

    async def stop(self, *, kill: bool = False) -> None:
        """Ends the bridge (gently unless `kill`), then the stand-ins. May be called in any state."""
        async with self._one_at_a_time:
            await self._stop_bridge(kill=kill)
        for one in (self.slack, self.discord, self.dify):
            if one is not None:
                await one.stop()

    def insist(self) -> None:
        """Stops waiting for answers that are being finished."""
        if self.app is not None:
            self.app.insist.set()

    async def restart_bridge(self, *, kill: bool = False) -> None:
        """Ends the bridge and starts another one on the same database and the same stand-ins.

        `kill`: in the middle of whatever it does, as if the process had died. Returns once the new one is connected, or when
        that takes too long (see `readiness`).
        """
        if self._configuration is None or self._one_at_a_time.locked():
            raise BadBody("The bridge is being started or stopped already.")
        async with self._one_at_a_time:
            self._restarting = True
            self._changed()
            try:
                await self._stop_bridge(kill=kill)
                await self._start_bridge(self._configuration)
            except BridgeError as error:
                self._trouble = str(error)
                raise BadBody(f"The bridge did not start again: {error}") from error
            finally:
                self._restarting = False
                self._changed()
        await self.connected()

    async def connected(self, timeout: float = 15.0) -> bool:
        """Waits until both platforms are heard. False after `timeout` seconds, or when the bridge has ended instead."""
        if self.app is None or self._running is None:
            return False
        heard = asyncio.ensure_future(self.clock.wait(self.app.supervisor.heard, timeout))
        try:
            await asyncio.wait({heard, self._running}, return_when=asyncio.FIRST_COMPLETED)
            return heard.done() and heard.result()
        finally:
            heard.cancel()
            await asyncio.gather(heard, return_exceptions=True)

    async def _start_bridge(self, configuration: Configuration) -> None:
        self._trouble = ""
        self._starts += 1
        self.app = await build(configuration, self.clock)
        self._running = asyncio.create_task(self.app.run(), name="bridge")
        self._running.add_done_callback(self._note_end)

    async def _stop_bridge(self, *, kill: bool) -> None:
        if self.app is None or self._running is None:
            return
        if kill:
            self._running.cancel()
        else:
            self.app.stop.set()
        await asyncio.wait({self._running})
        self.app = self._running = None

    def _note_end(self, task: asyncio.Task[int]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("bridge_broke", kind=type(error).__name__, detail=str(error))
            self._trouble = str(error)
        self._changed()

    # What the page sees

    async def readiness(self) -> tuple[bool, Mapping[str, object]]:
        if self.app is None:
            return False, {"problems": ["the bridge is not running"]}
        return await self.app.supervisor.readiness()

    async def picture(self) -> Mapping[str, object]:
        return {
            "bridge": await self._bridge_view(),
            "faults": [one.as_json() for one in self._switches.values()],
            **await self._camera.take(),
        }

    async def _bridge_view(self) -> dict[str, object]:
        return {"starts": self._starts, **await self._bridge_state()}

    async def _bridge_state(self) -> dict[str, str]:
        if self._restarting:
            return {"state": "restarting", "words": "The bridge is restarting…"}
        if self.app is None or self._running is None or self._running.done():
            state = "stopped" if self._trouble else "starting"
            return {
                "state": state,
                "words": f"The bridge has stopped: {self._trouble}" if self._trouble else "Starting…",
            }
        ready, parts = await self.app.supervisor.readiness()
        if ready:
            return {"state": "ready", "words": "The bridge hears both platforms"}
        problems = parts["problems"]
        told = "; ".join(str(one) for one in problems) if isinstance(problems, list) else "not ready"
        state = "degraded" if self.app.supervisor.heard.is_set() else "starting"
        return {"state": state, "words": told[:1].upper() + told[1:]}

    # What the page does

    async def post(self, platform: str, post: Post) -> str:
        return await (post_to_slack(self.slack, post) if platform == "slack" else post_to_discord(self.discord, post))

    async def react(self, platform: str, react: React) -> None:
        await (react_in_slack(self.slack, react) if platform == "slack" else react_in_discord(self.discord, react))

    async def act(self, platform: str, act: Act) -> None:
        await (act_in_slack(self.slack, act) if platform == "slack" else act_in_discord(self.discord, act))

    async def use_slack(self, act: SlackAct) -> None:
        await use_slack(self.slack, act)

    async def use_discord(self, act: DiscordAct) -> str:
        return await use_discord(self.discord, act)

    def find_file(self, platform: str, file_id: str) -> ShownFile | None:
        return find_slack_file(self.slack, file_id) if platform == "slack" else find_attachment(self.discord, file_id)

    async def turn(self, turn: Turn) -> None:
        switch = self._switches.get(turn.name)
        if switch is None:
            raise BadBody(f"There is no fault named “{turn.name}”.")
        await switch.turn(turn.on)
        self._changed()


def _furnish_slack(slack: SlackServer) -> None:
    """Places that not every workspace has: a group's direct message, and a channel shared with another company."""
    slack.add_channel("Ada, Grace", kind="mpim", members=["U0ADA", "U0GRACE", slack.bot_user_id])
    slack.add_stranger(slack.add_channel("partners").id, "Marie")


async def _furnish_discord(discord: DiscordServer) -> None:
    """A forum, and a conversation of two people without the bot, of whom one has the app for herself."""
    # What the invite link asks for besides, where there is a tag to be given.
    discord.permissions[discord.guild_id] = DEFAULT_PERMISSIONS | MANAGE_THREADS
    await discord.add_forum("help", tags=("billing", "how-to", SOLVED_TAG))
    await discord.add_private("Ada, Grace", discord.ada, discord.grace)
    discord.install_for(discord.ada)


async def _remove(database: Path, configuration: Configuration, clock: Clock) -> None:
    """Raises `StoreInUse` while another playground has it open."""
    # Opening takes the lock on the file, or says who holds it.
    try:
        store = await open_store(configuration.database, clock, aggregate)
    except StoreInUse as error:
        raise StoreInUse(f"Another playground is running on {database}; stop that one first.") from error
    await store.close()
    for suffix in ("", "-wal", "-shm", "-journal"):
        database.with_name(f"{database.name}{suffix}").unlink(missing_ok=True)


async def play(*, host: str, port: int, env_file: Path | None, open_browser: bool, app_mode: str = APP_MODE) -> int:
    """Shows the playground until SIGINT or SIGTERM and returns the exit code.

    Raises `SettingsError` (the address is taken, or a setting is wrong) and `StoreError`.
    """
    if app_mode not in MODES:
        raise SettingsError([f"There is no app of the kind {app_mode!r}; use one of {', '.join(MODES)}."])
    stage = Stage(env_file=env_file, app_mode=app_mode)
    page = PageServer(stage, stage.clock, host=host, port=port)
    stage.on_change(page.changed)
    stopped = asyncio.Event()

    def hear() -> None:
        if stopped.is_set():
            stage.insist()
        stopped.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, hear)
    # First of all: a taken port is the likeliest trouble, and must not cost another playground its database.
    await page.start()
    try:
        await stage.start()
        _say(f"The playground is at {page.url}")
        _say(
            f"It answers with {'a stand-in Dify' if stage.dify is not None else 'your Dify'}. Press Ctrl-C to stop it."
        )
        if open_browser and _has_display():
            # Its own thread, and nobody waits for it: a browser may take as long as it likes to come up.
            threading.Thread(target=webbrowser.open, args=(page.url,), daemon=True).start()
        await stopped.wait()
        _say("Stopping; running answers may finish. Ctrl-C again stops at once.")
    finally:
        await stage.stop()
        await page.stop()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
