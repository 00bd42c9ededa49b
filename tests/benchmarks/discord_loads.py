"""Loads on a Discord: answers side by side, commands while much is going on, many servers, and much that was missed."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.benchmarks.discord_scene import Answered, Posted, Scene, by_route, enter, rejected
from tests.benchmarks.loads import FIRST_TOKEN, PATIENCE, TOKENS, Stage, requests, stage
from tests.benchmarks.processes import bridge

_REPLIES = '[[routes]]\napp = "default"\nanswers = "reply"\n'

_MISSED_THREADS = 50

Ask = Callable[[Scene, str, int], Awaitable[Posted]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    answers: Sequence[Answered]
    calls: Mapping[str, int]
    rejected: Mapping[str, int]


async def answer(count: int, *, per_token: float, by: Ask, together: bool = False) -> Load:
    """Asks all at once and waits until every answer is whole. Each has a channel of its own, and a thread in it; or `together`
    they are replies in one channel, since a thread is one conversation, which gives one answer after the other."""
    async with stage(per_token=per_token) as on:
        scene = await enter(on)
        channels = await scene.open_channels(1 if together else count)
        places = _settings(on, DIFY_MAX_CONCURRENT=str(count)) | (_replies(on.folder) if together else {})
        async with bridge(on.folder, places):
            await scene.until_commands_stand()
            await asyncio.sleep(1.0)
            before = await scene.count_calls()
            asked = await asyncio.gather(
                *(by(scene, channels[number % len(channels)], number) for number in range(count))
            )
            await asyncio.sleep(FIRST_TOKEN + TOKENS * per_token)
            answers = await scene.answered(asked, per_token)
            calls = await scene.calls(after=before)
    return Load(answers=answers, calls=by_route(calls), rejected=rejected(calls))


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    seconds: Sequence[float]
    failed: int
    streams: int
    """That were running all the while."""
    rejected: Mapping[str, int]


async def acknowledge(streams: int, commands: int, *, every: float) -> Acknowledged:
    """Asks by command, one `every` so many seconds, while as many answers grow."""
    per_token = (commands * every + 60) / TOKENS
    async with stage(per_token=per_token) as on:
        scene = await enter(on)
        threads, channels = await scene.open_threads(streams), await scene.open_channels(commands)
        async with bridge(on.folder, _settings(on, DIFY_MAX_CONCURRENT=str(streams))):
            await scene.until_commands_stand()
            await asyncio.gather(*(scene.mention(thread, number) for number, thread in enumerate(threads)))
            await _until(lambda: _has_posted(scene, streams), "all answers grow")
            before, began = await scene.count_calls(), time.monotonic()
            numbers = []
            for number, channel in enumerate(channels):
                await asyncio.sleep(max(0.0, began + number * every - time.monotonic()))
                numbers.append((await scene.command(channel, streams + number)).message)
            await asyncio.sleep(4.0)  # who has no answer by then was told so after three
            told = [await scene.look("interaction", id=number) for number in numbers]
            running = sum(one["ended"] == "running" for one in await requests(on))
            calls = await scene.calls(after=before)
    return Acknowledged(
        seconds=[float(str(one["seconds"])) for one in told if one["seconds"] is not None],
        failed=sum(bool(one["failed"]) for one in told),
        streams=running,
        rejected=rejected(calls),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowded:
    resident: float
    """Megabytes, when all was read."""
    ready_after: float
    read_after: float
    """Seconds from the start until all was read, and a question that came after it was asked."""


async def gather_servers(count: int) -> Crowded:
    """Starts where the bot is in so many servers more, of 20 channels and 10 roles each, and lets it read of them."""
    async with stage(first_token=0.0, per_token=0.0) as on:
        scene = await enter(on)
        if count:
            await scene.do("guilds", {"count": count, "channels": 20, "roles": 10})
        (channel,) = await scene.open_channels(1)
        began = time.monotonic()
        async with bridge(on.folder, _settings(on)) as running:
            # Told after all of them, so they are read when it is asked.
            await scene.mention(channel, 1)
            await _until(lambda: _has_asked(on, 1), "it answers")
            read_after, resident = time.monotonic() - began, running.resident_megabytes()
        return Crowded(resident=resident, read_after=read_after, ready_after=running.ready_after)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaughtUp:
    accepted: int
    within: float
    """Seconds from the start of the process until the last of them was durable."""
    ready_after: float
    answered_after: float
    """Seconds from the start until the app was asked all of them."""
    reads: int
    """Calls that read what was missed."""
    rejected: Mapping[str, int]


async def catch_up(messages: int) -> CaughtUp:
    """Questions that were written in fifty threads while the bridge was away."""
    async with stage(first_token=0.0, per_token=0.0) as on:
        scene = await enter(on)
        channels = await scene.open_channels(_MISSED_THREADS)
        async with bridge(on.folder, _settings(on)):
            threads = [(await scene.mention(channel, n)).message for n, channel in enumerate(channels)]
            await _until(lambda: _has_asked(on, _MISSED_THREADS), "every thread has an answer")
            await asyncio.sleep(5.0)  # how far was heard is kept every few seconds
        for number in range(messages):
            text = f"Please write a lot, number {_MISSED_THREADS + number}."
            await scene.do("post", {"user": "Ada", "channel": threads[number % _MISSED_THREADS], "text": text})
        before, began, wall = await scene.count_calls(), time.monotonic(), time.time()
        async with bridge(on.folder, _settings(on)) as running:
            await _until(lambda: _has_asked(on, _MISSED_THREADS + messages), "all are asked")
            answered_after = time.monotonic() - began
            calls = await scene.calls(after=before)
            accepted = [at for at in _accepted(on.folder / "bench.db") if at > wall]
    return CaughtUp(
        accepted=len(accepted),
        within=max(accepted) - wall,
        ready_after=running.ready_after,
        answered_after=answered_after,
        reads=by_route(calls).get("GET /channels/{channel_id}/messages", 0),
        rejected=rejected(calls),
    )


def _accepted(database: Path) -> list[float]:
    """When each question was made durable, in seconds of the epoch."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT received_at FROM inbound_event WHERE seq IS NOT NULL").fetchall()
    return [datetime.fromisoformat(f"{at}+00:00").timestamp() for (at,) in rows]


async def _has_asked(on: Stage, count: int) -> bool:
    return len(await requests(on)) >= count


async def _has_posted(scene: Scene, count: int) -> bool:
    posted = by_route([one for one in await scene.calls() if one["status"] == 200])
    return posted.get("POST /channels/{channel_id}/messages", 0) >= count


async def _until(condition: Callable[[], Awaitable[bool]], what: str) -> None:
    began = time.monotonic()
    while not await condition():
        if time.monotonic() - began > PATIENCE:
            raise RuntimeError(f"did not happen: {what}")
        await asyncio.sleep(0.25)


def _settings(on: Stage, **more: str) -> dict[str, str]:
    """Discord alone."""
    kept = {name: value for name, value in on.settings.items() if not name.startswith("SLACK_")}
    return kept | more


def _replies(folder: Path) -> dict[str, str]:
    file = folder / "replies.toml"
    file.write_text(_REPLIES)
    return {"BRIDGE_CONFIG": str(file)}
