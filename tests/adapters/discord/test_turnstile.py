"""Calls wait for Discord's limit over all of them, in the order in which they came."""

import asyncio
from datetime import timedelta

from adapters.discord.capabilities import ALL_CALLS
from adapters.discord.rest.client import Rest
from adapters.discord.rest.turnstile import Turnstile
from adapters.discord.settings import Settings
from adapters.discord.transport import point_at
from bridge.platform_api import WriteBudget
from bridge.playground.discord import DiscordServer
from tests.fakes.clock import FakeClock

CALL = "/api/v10/channels/12"


async def go(turnstile: Turnstile, name: str, path: str, gone: list[str]) -> None:
    await turnstile.let_through(path)
    gone.append(name)


async def test_calls_beyond_the_limit_leave_later_and_in_their_order() -> None:
    clock, gone = FakeClock(), list[str]()
    turnstile = Turnstile(WriteBudget(limit=2, window=timedelta(seconds=1)), clock)
    async with asyncio.TaskGroup() as group:
        for name in "abcde":
            group.create_task(go(turnstile, name, CALL, gone))
        await clock.advance(0.9)
        assert gone == ["a", "b"]
        assert turnstile.crowded
        await clock.advance(0.2)
        assert gone == ["a", "b", "c", "d"]
        await clock.advance(1)
    assert gone == ["a", "b", "c", "d", "e"]
    assert not turnstile.crowded


async def test_answers_to_interactions_wait_for_nobody() -> None:
    turnstile = Turnstile(WriteBudget(limit=1, window=timedelta(seconds=1)), FakeClock())
    await turnstile.let_through(CALL)
    async with asyncio.timeout(5):
        await turnstile.let_through("/api/v10/interactions/12/token/callback")
        await turnstile.let_through("/api/v10/webhooks/12/token/messages/@original")


async def test_who_gives_up_waiting_lets_the_next_one_through() -> None:
    clock, gone = FakeClock(), list[str]()
    turnstile = Turnstile(WriteBudget(limit=1, window=timedelta(seconds=1)), clock)
    await turnstile.let_through(CALL)
    first = asyncio.create_task(go(turnstile, "gave up", CALL, gone))
    second = asyncio.create_task(go(turnstile, "waited", CALL, gone))
    await clock.settle()
    first.cancel()
    await clock.advance(1.1)
    await second
    assert gone == ["waited"]


async def test_every_call_of_the_sdk_passes_it(server: DiscordServer) -> None:
    point_at(api_url=server.api_url, gateway_url=server.gateway_url)
    clock = FakeClock()
    rest = Rest(Settings.model_validate({"discord_token": server.token}), clock)
    try:
        await rest.log_in()
        before = len(server.calls)
        looking = [asyncio.create_task(rest.gateway_plan()) for _ in range(ALL_CALLS.limit)]
        while not all(task.done() for task in looking[: ALL_CALLS.limit - before]):
            await asyncio.wait(looking[: ALL_CALLS.limit - before])
        assert len(server.calls) == ALL_CALLS.limit
        assert not looking[-1].done()
        while not all(task.done() for task in looking):
            await clock.advance(ALL_CALLS.window.total_seconds())
            await asyncio.wait(looking, timeout=0.05)
    finally:
        await rest.close()
    assert len(server.calls) == ALL_CALLS.limit + before
