"""A real process that is told to read `bridge.toml` again."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer
from bridge.playground.discord import DiscordServer
from tests.fakes.ports import free_port

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0

ECHO = '[apps.trial]\nbackend = "echo"\npause = 0.0\n\n'
ROUTE = '[[routes]]\napp = "{app}"\n'


class Bridge:
    """`dify-chat-bridge run` in a folder of its own, with what it logs."""

    def __init__(self, folder: Path, discord: DiscordServer, dify: DifyServer) -> None:
        self.folder = folder
        self.discord = discord
        self.port = free_port()
        self.lines: list[str] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DISCORD_TOKEN": discord.token,
            "DISCORD_API_URL": discord.api_url,
            "DISCORD_GATEWAY_URL": discord.gateway_url,
            "DISCORD_IDENTIFY_GAP": "0.05",
            "SUPPORT_KEY": dify.api_key,
            "DIFY_BASE_URL": dify.base_url,
            "HTTP_PORT": str(self.port),
            "LOG_FORMAT": "console",
        }

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bridge.cli", "run"),
            cwd=self.folder,
            env=self._environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reading = asyncio.create_task(self._read())
        await self.logged("hearing ")

    async def stop(self) -> None:
        if self._process is None or self._reading is None:
            return
        if self._process.returncode is None:
            self._process.terminate()
        await asyncio.wait_for(self._process.wait(), PATIENCE)
        await self._reading
        assert self._process.returncode == 0, self.lines

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode())

    def write(self, text: str) -> None:
        (self.folder / "bridge.toml").write_text(text, encoding="utf-8")

    def hang_up(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    async def logged(self, words: str) -> str:
        async with asyncio.timeout(PATIENCE):
            while True:
                for line in self.lines:
                    if words in line:
                        return line
                assert self._process is None or self._process.returncode is None, self.lines
                await asyncio.sleep(0.05)

    async def answered(self, question: str, answer: str) -> None:
        """Asks, and waits for this answer in the thread that begins with the question."""
        thread = await self.discord.post_as(
            self.discord.ada, self.discord.general, f"<@{self.discord.bot_id}> {question}"
        )
        async with asyncio.timeout(PATIENCE):
            while not any(answer in one for one in self._said(thread)):  # noqa: ASYNC110  # another process says it
                await asyncio.sleep(0.05)

    def _said(self, thread: str) -> list[str]:
        if thread not in self.discord.channels:
            return []
        return [one.content for one in self.discord.messages(thread) if one.author_id == self.discord.bot_id]

    async def readiness(self) -> int:
        address = f"http://127.0.0.1:{self.port}/readyz"
        async with aiohttp.ClientSession() as session, session.get(address) as answer:
            return answer.status


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    discord, dify = DiscordServer(heartbeat_milliseconds=200), DifyServer(SystemClock())
    dify.first_token = dify.per_token = 0.0
    await discord.start()
    await dify.start()
    made = Bridge(tmp_path, discord, dify)
    try:
        yield made
        await made.stop()
    finally:
        if made._process is not None and made._process.returncode is None:
            made._process.kill()
            await made._process.wait()
        await discord.stop()
        await dify.stop()


async def test_sighup_has_a_good_file_hold_and_a_bad_one_change_nothing(bridge: Bridge) -> None:
    bridge.write(ECHO + ROUTE.format(app="trial"))
    await bridge.start()
    await bridge.answered("say this back", "say this back")

    bridge.write(ECHO + ROUTE.format(app="trail"))
    bridge.hang_up()
    kept = await bridge.logged("configuration_kept")
    assert "bridge.toml line 6: routes.app must be the name of an app" in kept
    assert "Did you mean trial?" in kept
    assert await bridge.readiness() == 200
    await bridge.answered("still there", "still there")

    bridge.write(ECHO + '[apps.support]\napi_key_env = "SUPPORT_KEY"\n\n' + ROUTE.format(app="support"))
    bridge.hang_up()
    reloaded = await bridge.logged("configuration_reloaded")
    assert "support" in reloaded
    await bridge.answered("anything", "You said")
    assert await bridge.readiness() == 200
