"""The stand-ins, which live in the test's process and remember everything, and a bridge that comes and goes beside them."""

import asyncio
import json
import multiprocessing
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import aiohttp

from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer
from bridge.playground.discord import DiscordServer
from bridge.playground.slack import SlackServer
from tests.fakes.ports import free_port
from tests.integration.seats import DiscordSeat, Seat, SlackSeat
from tests.recovery import victim
from tests.recovery.points import Point

ROOT = Path(__file__).parents[2]
PATIENCE = 45.0
"""Seconds for anything that should happen at once, on a machine with other work to do."""


def _processes() -> ForkServerContext:
    """Imports cost a bridge two seconds; here one process pays them and forks every bridge, as real and as mortal as any."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([victim.__name__])
    return context


class Bridge:
    """One bridge process."""

    def __init__(self, folder: Path, settings: dict[str, str], point: Point | None, at_end: Callable[[], None]) -> None:
        """`at_end` is called, on the event loop, when the process is no more."""
        self.port = int(settings["HTTP_PORT"])
        self.process: ForkServerProcess = _processes().Process(
            target=victim.main, args=(str(folder), settings, point.to_json() if point else ""), daemon=True
        )
        self.process.start()
        self._at_end = at_end
        self._over = asyncio.Event()
        asyncio.get_running_loop().add_reader(self.process.sentinel, self._bury)

    def _bury(self) -> None:
        asyncio.get_running_loop().remove_reader(self.process.sentinel)
        self.process.join()
        self._over.set()
        self._at_end()

    @property
    def alive(self) -> bool:
        return not self._over.is_set()

    async def ended(self, patience: float = PATIENCE) -> int:
        """Waits for its end; minus the signal's number when one killed it."""
        try:
            async with asyncio.timeout(patience):
                await self._over.wait()
        except TimeoutError:
            raise AssertionError(f"the bridge did not end within {patience} s") from None
        assert self.process.exitcode is not None
        return self.process.exitcode

    def send(self, number: signal.Signals) -> None:
        if self.alive and self.process.pid is not None:
            os.kill(self.process.pid, number)

    async def kill(self) -> None:
        self.send(signal.SIGKILL)
        await self.ended()


class World:
    """Slack, Discord and Dify, and at most a few bridges."""

    def __init__(self, folder: Path, mode: str = "chat", version: str = "1.12.1") -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.slack = SlackServer(self.clock)
        self.discord = DiscordServer(self.clock)
        self.dify = DifyServer(self.clock, mode=mode, version=version)
        self.slack.retry_schedule = (0.3, 0.7, 1.5, 3.0)
        self._noticed = asyncio.Event()
        self.seats: dict[str, Seat] = {}
        self.bridges: list[Bridge] = []
        self.log = folder / "bridge.log"
        self.database_url = f"sqlite:///{folder}/bridge.db"

    async def open(self) -> None:
        for server in (self.slack, self.discord, self.dify):
            # Of its own: one that is away for a while must find its address free when it comes back.
            await server.start(port=free_port())
            server.on_change(self._noticed.set)
        self.dify.first_token, self.dify.per_token = 0.0, 0.001
        self.seats = {"slack": SlackSeat(self.slack), "discord": DiscordSeat(self.discord)}

    async def close(self) -> None:
        for bridge in self.bridges:
            if bridge.alive:
                bridge.send(signal.SIGCONT)
                await bridge.kill()
            bridge.process.close()
        for server in (self.slack, self.discord, self.dify):
            await server.stop()

    def settings(self, **more: str) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_URL": self.discord.api_url,
            "DISCORD_GATEWAY_URL": self.discord.gateway_url,
            "DIFY_API_KEY": self.dify.api_key,
            "DIFY_BASE_URL": self.dify.base_url,
            "DATABASE_URL": self.database_url,
            "BRIDGE_MIGRATIONS": str(ROOT / "migrations"),
            "HTTP_PORT": str(free_port()),
            "LOG_FORMAT": "json",
            **more,
        }

    # The bridge

    def launch(self, point: Point | None = None, **more: str) -> Bridge:
        """Starts one and does not wait for it."""
        bridge = Bridge(self.folder, self.settings(**more), point, self._noticed.set)
        self.bridges.append(bridge)
        return bridge

    async def start(self, point: Point | None = None, **more: str) -> Bridge:
        """Starts one and waits until it says that it is ready."""
        bridge = self.launch(point, **more)
        await self.ready(bridge)
        return bridge

    async def ready(self, bridge: Bridge) -> None:
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{bridge.port}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    pass
                assert bridge.alive, f"the bridge ended at its start: {self.log.read_text()}"
                await self.clock.sleep(0.02)

    async def figures(self, bridge: Bridge) -> str:
        """What `/metrics` says."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{bridge.port}/metrics") as response,
        ):
            return await response.text()

    async def end_gently(self) -> None:
        """SIGTERM to the last one, which has to end by itself and without a complaint."""
        self.bridges[-1].send(signal.SIGTERM)
        code = await self.bridges[-1].ended()
        assert code == 0, "\n".join([f"ended with {code}", *self.last_words()])

    # Waiting

    async def until(self, condition: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
        """Looks whenever a stand-in or a bridge's end was noticed, and now and then for what nobody notices."""
        try:
            async with asyncio.timeout(patience):
                while not condition():
                    self._noticed.clear()
                    await self.clock.wait(self._noticed, 0.1)
                    # A stand-in notices every word of an answer; to look at each would take the time that the bridge wants.
                    await self.clock.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"did not happen in {patience} s: {what}") from None

    async def until_logged(self, name: str, count: int = 1, patience: float = PATIENCE) -> None:
        try:
            async with asyncio.timeout(patience):
                while len(self.logged(name)) < count:
                    await self.clock.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"{name} was not logged {count} times: {self.log.read_text()}") from None

    def logged(self, name: str) -> list[dict[str, object]]:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        events = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
        return [event for event in events if event.get("event") == name]

    def last_words(self, lines: int = 40) -> list[str]:
        """The end of the bridges' log, for a message."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return ["--- log", *text.splitlines()[-lines:]]

    def unfinished(self) -> list[int]:
        """Conversations in the database with questions that were accepted and not answered. No bridge may run."""
        with closing(sqlite3.connect(self.folder / "bridge.db")) as connection:
            return [int(row[0]) for row in connection.execute("SELECT id FROM conversation WHERE head < tail")]


@asynccontextmanager
async def world(folder: Path, mode: str = "chat", version: str = "1.12.1") -> AsyncIterator[World]:
    made = World(folder, mode, version)
    await made.open()
    try:
        yield made
    finally:
        await made.close()
