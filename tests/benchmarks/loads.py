"""The loads: many threads at once, one question after the other, and nothing at all."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import cast

import aiohttp

from tests.benchmarks.processes import RunningBridge, bridge, stand_in
from tests.benchmarks.rooms import Asked, DiscordRooms, Json, Platform, Seen, SlackRooms

FIRST_TOKEN = 0.2
PER_TOKEN = 0.025
TOKENS = 120
PATIENCE = 240.0
"""Seconds until what is not shown counts as lost; Slack's edits a minute make a late end possible, but not this late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Everything that runs for one load."""

    session: aiohttp.ClientSession
    discord: DiscordRooms
    slack: SlackRooms
    dify_control: str
    settings: dict[str, str]
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    threads: int
    places: int
    """DIFY_MAX_CONCURRENT."""
    firsts: Sequence[float]
    lasts: Sequence[float]
    whole: int
    rejected: int
    writes_per_answer: float
    cpu_ms_per_token: float
    cpu_share: float
    """Of one core, over the run."""


@asynccontextmanager
async def stage(first_token: float = FIRST_TOKEN, per_token: float = PER_TOKEN) -> AsyncIterator[Stage]:
    dify_options = ["--tokens", str(TOKENS), "--first-token", str(first_token), "--per-token", str(per_token)]
    with TemporaryDirectory(prefix="bench-") as folder:
        async with (
            stand_in("slack") as slack,
            stand_in("discord") as discord,
            # More connections than any load needs: the bridge's own cap is what is measured.
            stand_in("dify", *dify_options, "--max-connections", "1000") as dify,
            aiohttp.ClientSession() as session,
        ):
            yield Stage(
                session=session,
                discord=DiscordRooms(session, discord),
                slack=SlackRooms(session, slack),
                dify_control=dify["base_url"].removesuffix("/v1") + "/control",
                settings={
                    "SLACK_BOT_TOKEN": slack["bot_token"],
                    "SLACK_APP_TOKEN": slack["app_token"],
                    "SLACK_API_URL": slack["api_url"],
                    "DISCORD_TOKEN": discord["token"],
                    "DISCORD_API_URL": discord["api_url"],
                    "DISCORD_GATEWAY_URL": discord["gateway_url"],
                    "DIFY_BASE_URL": dify["base_url"],
                    "DIFY_API_KEY": dify["api_key"],
                },
                folder=Path(folder),
            )


async def requests(on: Stage) -> list[Json]:
    """Every chat request that the stand-in Dify got, oldest first."""
    async with on.session.get(f"{on.dify_control}/requests") as answer:
        answer.raise_for_status()
        return cast("list[Json]", await answer.json())


def is_whole(seen: Seen) -> bool:
    return re.findall(r"word(\d+)", seen.text) == [str(number) for number in range(1, TOKENS + 1)]


async def at_once(pick: Callable[[Stage], Platform], threads: int, places: int) -> LoadResult:
    """Asks in that many threads at the same moment and waits until every answer is whole."""
    async with stage() as on:
        platform = pick(on)
        rooms = await platform.make_rooms(threads)
        async with bridge(on.folder, on.settings | {"DIFY_MAX_CONCURRENT": str(places)}) as running:
            await asyncio.sleep(1.0)
            cpu, began = running.cpu_seconds(), time.monotonic()
            asked = await asyncio.gather(*(platform.ask(room, "Please write a lot.") for room in rooms))
            await asyncio.sleep(FIRST_TOKEN + TOKENS * PER_TOKEN)
            seen = await _until_whole(platform, asked, threads)
            spent, wall = running.cpu_seconds() - cpu, time.monotonic() - began
            writes, rejected = await platform.count_writes()
    return LoadResult(
        threads=threads,
        places=places,
        firsts=[one.first for one in seen if one.first is not None],
        lasts=[one.last for one in seen if one.last is not None],
        whole=sum(is_whole(one) for one in seen),
        rejected=rejected,
        writes_per_answer=writes / threads,
        cpu_ms_per_token=spent * 1000 / (threads * TOKENS),
        cpu_share=spent / wall,
    )


async def _until_whole(platform: Platform, asked: list[Asked], threads: int) -> list[Seen]:
    began = time.monotonic()
    # Looking costs the stand-in time that the load wants, so a large one is looked at less often.
    pause = 0.25 if threads <= 20 else 1.0
    while True:
        seen = await platform.look(asked)
        if all(is_whole(one) for one in seen) or time.monotonic() - began > PATIENCE:
            return seen
        await asyncio.sleep(pause)


async def one_by_one(
    pick: Callable[[Stage], Platform], questions: int, *, processes: int = 1, database_url: str = ""
) -> list[float]:
    """Milliseconds between a question's arrival at the platform and the request's at Dify, asking when all is quiet."""
    added = []
    async with stage(first_token=0.0, per_token=0.0) as on:
        platform = pick(on)
        rooms = await platform.make_rooms(min(questions, 10))
        settings = on.settings | ({"DATABASE_URL": database_url} if database_url else {})
        async with AsyncExitStack() as bridges:
            for _ in range(processes):
                await bridges.enter_async_context(bridge(on.folder, settings))
            for number in range(questions):
                asked = await platform.ask(rooms[number % len(rooms)], f"Question {number}")
                seen = await _until_whole(platform, [asked], 1)
                arrived = cast("float", (await requests(on))[number]["at"])
                added.append((arrived - seen[0].asked_at) * 1000)
    return added


@dataclass(frozen=True, slots=True, kw_only=True)
class IdleResult:
    cold: float
    """Seconds to ready with no database yet."""
    ready: Sequence[float]
    resident: float
    cpu_share: float


async def idle(starts: int, quiet: float = 5.0) -> IdleResult:
    """Starts the bridge again and again on one database, and looks at the last one doing nothing."""
    async with stage() as on:
        async with bridge(on.folder, on.settings) as running:
            cold = running.ready_after
        ready = []
        for _ in range(starts - 1):
            async with bridge(on.folder, on.settings) as running:
                ready.append(running.ready_after)
        async with bridge(on.folder, on.settings) as running:
            ready.append(running.ready_after)
            resident, share = await rest(running, quiet)
    return IdleResult(cold=cold, ready=ready, resident=resident, cpu_share=share)


async def rest(running: RunningBridge, seconds: float) -> tuple[float, float]:
    await asyncio.sleep(1.0)
    cpu = running.cpu_seconds()
    await asyncio.sleep(seconds)
    return running.resident_megabytes(), (running.cpu_seconds() - cpu) / seconds


def middle(values: Sequence[float]) -> float:
    return median(values) if values else float("nan")


def worst(values: Sequence[float]) -> float:
    return max(values) if values else float("nan")
