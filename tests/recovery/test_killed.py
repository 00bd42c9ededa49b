"""The bridge as a real process, killed with SIGKILL and stopped with SIGTERM, between stand-ins that keep count."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer
from bridge.playground.dify.script import Reply
from bridge.playground.discord import DiscordServer
from bridge.playground.slack import SlackServer
from tests.integration.seats import Changes, DiscordSeat, Seat, SlackSeat

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]
TOKENS = [f"word{number} " for number in range(100)]


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class World:
    """The stand-ins, and a bridge that comes and goes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = SystemClock()
        self.slack, self.discord, self.dify = SlackServer(self.clock), DiscordServer(self.clock), DifyServer(self.clock)
        self.slack.retry_schedule = (0.2, 0.5, 1.0)
        self.changes = Changes()
        self.seats: dict[str, Seat] = {}
        self.process: asyncio.subprocess.Process | None = None
        self.log = folder / "bridge.log"
        self.port = free_port()

    async def start(self) -> None:
        for server in (self.slack, self.discord, self.dify):
            await server.start()
            server.on_change(self.changes.notice)
        self.dify.first_token, self.dify.per_token = 0.0, 0.001
        self.seats = {"slack": SlackSeat(self.slack), "discord": DiscordSeat(self.discord)}

    async def start_bridge(self, **more: str) -> None:
        environment = {
            "PATH": os.environ["PATH"],
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_APP_TOKEN": self.slack.app_token,
            "SLACK_API_URL": self.slack.api_url,
            "DISCORD_TOKEN": self.discord.token,
            "DISCORD_API_URL": self.discord.api_url,
            "DISCORD_GATEWAY_URL": self.discord.gateway_url,
            "DIFY_API_KEY": self.dify.api_key,
            "DIFY_BASE_URL": self.dify.base_url,
            "DATABASE_URL": f"sqlite:///{self.folder}/bridge.db",
            "HTTP_PORT": str(self.port),
            "LOG_FORMAT": "json",
            "PYTHONPATH": str(ROOT),
            **more,
        }
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bridge.cli", "run", cwd=self.folder, env=environment, stderr=log
            )
        await self._until_ready()

    async def _until_ready(self) -> None:
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"http://127.0.0.1:{self.port}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    pass
                assert self.process is not None
                assert self.process.returncode is None, self.log.read_text()
                await self.clock.sleep(0.05)

    async def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return await asyncio.wait_for(self.process.wait(), 20)

    async def stop(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        for server in (self.slack, self.discord, self.dify):
            await server.stop()

    async def until_text(self, seat: Seat, thread: str, text: str, count: int = 1) -> list[str]:
        def done() -> bool:
            texts = seat.answers(thread)
            return len(texts) >= count and text in texts[-1]

        await self.changes.until(done, f"{text!r} on {seat.name}")
        return seat.answers(thread)

    async def until_logged(self, name: str, count: int) -> None:
        async with asyncio.timeout(20):
            while sum(event.get("event") == name for event in self.events()) < count:
                await self.clock.sleep(0.02)

    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture(params=["slack", "discord"])
def seat(request: pytest.FixtureRequest, world: World) -> Seat:
    return world.seats[request.param]


async def test_killed_between_acceptance_and_answer_the_question_is_answered_after_the_restart(
    world: World, seat: Seat
) -> None:
    # One place at Dify, taken by a first question that never ends: the second is accepted and waits.
    world.dify.script = lambda query: Reply(tokens=["x"], first_token=600.0 if "first" in query else 0.0)
    await world.start_bridge(DIFY_MAX_CONCURRENT="1")
    await seat.ask("first")
    await world.changes.until(lambda: len(world.dify.requests) == 1, "the first is asked")
    waiting = await seat.ask("second", channel=1)
    await world.until_logged("accepted", 2)
    assert await world.end(signal.SIGKILL) == -signal.SIGKILL
    assert seat.answers(waiting) == []
    world.dify.script = None
    await world.start_bridge()
    texts = await world.until_text(seat, waiting, "second")
    assert len(texts) == 1
    assert [request.query for request in world.dify.requests] == ["first", "second"], "and nothing was asked twice"


async def test_killed_in_mid_answer_the_text_stays_and_ends_with_a_line(world: World, seat: Seat) -> None:
    world.dify.script = lambda _: Reply(tokens=TOKENS, per_token=0.1)
    await world.start_bridge()
    thread = await seat.ask("slowly")
    await world.changes.until(lambda: bool(seat.answers(thread)) and len(seat.growth(thread)) >= 2, "it grows")
    await world.end(signal.SIGKILL)
    shown = seat.answers(thread)[0]
    await world.start_bridge()
    texts = await world.until_text(seat, thread, "restarted while answering")
    assert len(texts) == 1
    assert texts[0].startswith(shown.rstrip())
    reference = texts[0].split("(Reference ")[1].rstrip(")")
    assert any(event.get("reference") == reference for event in world.events()), "the log has the same reference"
    assert len(world.dify.requests) == 1


async def test_what_slack_sent_while_nobody_listened_is_answered_once(world: World) -> None:
    seat = world.seats["slack"]
    await world.start_bridge()
    await world.end(signal.SIGKILL)
    world.slack.retry_schedule = (0.2, 3.0, 6.0)
    thread = await seat.ask("anybody there?")
    await world.start_bridge()
    await world.until_text(seat, thread, "anybody there?")
    await world.slack.idle(15)
    assert len(world.dify.requests) == 1


async def test_sigterm_lets_answers_finish_and_ends_with_zero(world: World, seat: Seat) -> None:
    world.dify.script = lambda _: Reply(tokens=TOKENS[:40], per_token=0.03)
    await world.start_bridge()
    thread = await seat.ask("finish this")
    await world.changes.until(lambda: bool(seat.answers(thread)), "it began")
    assert await world.end(signal.SIGTERM) == 0
    assert seat.answers(thread)[0].endswith("word39")


async def test_sigterm_with_a_short_grace_ends_the_answer_with_a_line_and_dify_keeps_it(
    world: World, seat: Seat
) -> None:
    world.dify.script = lambda _: Reply(tokens=TOKENS, per_token=0.2)
    await world.start_bridge(SHUTDOWN_GRACE="0.5")
    thread = await seat.ask("too slow")
    await world.changes.until(lambda: bool(seat.answers(thread)), "it began")
    assert await world.end(signal.SIGTERM) == 0
    assert "restarted while answering" in seat.answers(thread)[0]
    assert world.dify.stops == [world.dify.requests[0].task_id]
    [conversation] = world.dify.conversations.values()
    assert conversation.messages[0].answer.startswith("word0"), (
        "a stopped stream is kept by Dify, a dropped one is lost"
    )


async def test_the_log_has_neither_message_text_nor_secrets(world: World) -> None:
    await world.start_bridge(LOG_LEVEL="DEBUG")
    for seat in world.seats.values():
        thread = await seat.ask("xyzzy-the-question")
        await world.until_text(seat, thread, "xyzzy")
    await world.end(signal.SIGTERM)
    log = world.log.read_text()
    assert "accepted" in log
    for secret in ("xyzzy", world.slack.bot_token, world.slack.app_token, world.discord.token, world.dify.api_key):
        assert secret not in log


async def test_a_second_bridge_on_the_same_database_is_refused_in_one_line(world: World) -> None:
    await world.start_bridge()
    first, world.process = world.process, None
    try:
        world.port = free_port()
        with pytest.raises(AssertionError, match="in use by another bridge process"):
            await world.start_bridge()
        assert "Traceback" not in world.log.read_text()
    finally:
        assert first is not None
        first.kill()
        await first.wait()
