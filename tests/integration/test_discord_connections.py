"""What happens to the gateway's connections, as who chats would notice it: nothing that was asked is lost or said twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.discord_world import World, living


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path)) as started:
        yield started


async def test_what_was_asked_in_a_session_that_is_lost_is_answered_in_the_next(world: World) -> None:
    server = world.discord
    server.faults.refuse_gateway = True
    await server.drop_gateways(forget=True)
    thread = await world.mention("Do you hear me?")
    server.faults.refuse_gateway = False
    await world.answered(thread, "re: Do you hear me?")
    await server.invalidate_sessions()
    other = await world.mention("And now?")
    await world.answered(other, "re: And now?")
    await world.settled()
    assert len(world.requests) == 2


async def test_an_event_that_cannot_be_read_ends_nothing_and_is_answered(world: World) -> None:
    server = world.discord
    logins = server.identifies
    server.faults.bad_dispatch_next = True
    thread = await world.mention("Can this be read?")
    await world.answered(thread, "re: Can this be read?")
    other = await world.mention("And this?")
    await world.answered(other, "re: And this?")
    assert server.identifies == logins
    assert (await world.readiness())["ready"] is True


async def test_every_shard_hears_its_servers(tmp_path: Path) -> None:
    world = World(tmp_path)
    server = world.discord
    server.shards = 2
    other = await server.add_guild("Other")
    place = other.channel_ids[0]
    async with living(world):
        here, there = await world.mention("Here?"), await world.mention("There?", place)
        await server.post_as(server.ada, server.dm_ada, "And directly?")
        await world.answered(here, "re: Here?")
        await world.answered(there, "re: There?")
        await world.answered(server.dm_ada, "re: And directly?")
        await world.ask("By command?", place)
        await world.until(lambda: len(world.threads(place)) == 2, "a thread begins")
        await world.answered(world.threads(place)[1], "re: By command?")
        await server.drop_gateways()
        await server.post_as(server.ada, there, "Still?")
        await world.answered(there, "re: Still?")
        assert len(world.requests) == 5
        assert server.command_puts == 1
