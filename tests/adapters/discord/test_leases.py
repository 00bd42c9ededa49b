"""One gateway per shard among all processes: it runs only while its lease is held."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.outbound import GatewayPlan
from adapters.discord.transport import STANDBY
from bridge.events import InboundEvent
from bridge.playground.discord import DiscordServer
from tests.adapters.discord.conftest import Inbox, Make, ask, hearing, out, plan_of, until
from tests.adapters.discord.test_catching_up import Kept


class Held:
    def __init__(self) -> None:
        self.gone = asyncio.Event()

    async def lost(self) -> None:
        await self.gone.wait()


class Leases:
    """Shared by all platforms of a test; whoever asks first has it first."""

    def __init__(self) -> None:
        self.holders: dict[str, Held] = {}
        self.names: list[str] = []
        self._waiting: dict[str, deque[asyncio.Event]] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[Held]:
        self.names.append(name)
        line = self._waiting.setdefault(name, deque())
        if name in self.holders or line:
            turn = asyncio.Event()
            line.append(turn)
            try:
                await turn.wait()
            finally:
                line.remove(turn)
        held = self.holders[name] = Held()
        try:
            yield held
        finally:
            if self.holders.get(name) is held:
                self.free(name)

    def free(self, name: str) -> None:
        del self.holders[name]
        if self._waiting[name]:
            self._waiting[name][0].set()


@pytest.fixture
def leases() -> Leases:
    return Leases()


def sharing(make: Make, leases: Leases) -> DiscordPlatform:
    platform = make()
    platform.use_leases(leases)
    return platform


async def test_one_listens_and_the_other_stands_by_until_it_ends(
    server: DiscordServer, make: Make, leases: Leases, inbox: Inbox
) -> None:
    other = Inbox()
    one, two = sharing(make, leases), sharing(make, leases)
    async with hearing(two, other):
        async with hearing(one, inbox):
            assert len(server.sessions) == 1
            assert two.health().detail == ""
            assert one.health().detail == STANDBY
            assert one.health().connected
            assert one.health().hearing
            target = await ask(server, other, "to the first")
            await one.send(target, out("anybody may write"))
            async with asyncio.timeout(10):
                leases.holders["discord shard 0 of 1"].gone.set()
                await until(lambda: one.health().detail == "", "for the other to listen")
            await until(lambda: two.health().detail == STANDBY, "for the first to stand by")
            assert len(server.sessions) == 1
            await ask(server, inbox, "to the second")
            assert "to the second" not in other.texts
        await until(lambda: two.health().detail == "", "for the first to listen again")
        await ask(server, other, "to the first again")
    assert set(leases.names) == {"discord shard 0 of 1"}


async def test_a_lost_lease_closes_the_gateway_before_it_is_given_back(
    server: DiscordServer, make: Make, leases: Leases, inbox: Inbox
) -> None:
    sessions_at_the_end: list[int] = []
    free = leases.free

    def look(name: str) -> None:
        sessions_at_the_end.append(len(server.sessions))
        free(name)

    leases.free = look  # type: ignore[method-assign]
    platform = sharing(make, leases)
    async with hearing(platform, inbox):
        leases.holders["discord shard 0 of 1"].gone.set()
        await until(lambda: len(leases.names) == 2, "for it to be wanted again")
        assert sessions_at_the_end == [0]
        await until(lambda: server.identifies == 2 and platform.health().hearing, "to listen again")
        await ask(server, inbox, "again")
    assert sessions_at_the_end == [0, 0]


async def test_what_was_said_during_a_takeover_is_caught_up_by_the_new_holder(
    server: DiscordServer, make: Make, leases: Leases, inbox: Inbox
) -> None:
    kept = Kept()
    one, two = sharing(make, leases), sharing(make, leases)
    for each in (one, two):
        each.catch_up_from(kept)
    other = Inbox()
    async with hearing(one, inbox):
        await ask(server, inbox, "heard by the first")
    standby = asyncio.create_task(_nobody(leases))
    await until(lambda: bool(leases.holders), "for nobody to listen")
    run = asyncio.create_task(two.run(other))
    await until(lambda: two.health().detail == STANDBY, "to stand by")
    await server.post_as(server.ada, server.general, "heard by nobody")
    standby.cancel()
    await other.message("heard by nobody")
    run.cancel()
    await asyncio.gather(run, standby, return_exceptions=True)


async def test_a_process_that_lost_its_lease_leaves_the_mark_to_the_new_holder(
    server: DiscordServer, make: Make, leases: Leases, inbox: Inbox
) -> None:
    kept = Kept()
    one, two = sharing(make, leases), sharing(make, leases)
    for each in (one, two):
        each.catch_up_from(kept)
    other = Inbox()
    async with hearing(two, other):
        async with hearing(one, inbox):
            await ask(server, other, "early")
            leases.holders["discord shard 0 of 1"].gone.set()
            await until(lambda: one.health().detail == "", "for the other to listen")
            await ask(server, inbox, "late")
        late = kept.mark
    assert kept.mark >= late


async def test_each_shard_has_a_lease_of_its_own(
    server: DiscordServer, make: Make, leases: Leases, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def plan_two() -> GatewayPlan:
        return plan_of(server, shards=2)

    one, two = sharing(make, leases), sharing(make, leases)
    for each in (one, two):
        monkeypatch.setattr(each._rest, "gateway_plan", plan_two)
    other = Inbox()
    async with hearing(one, inbox), hearing(two, other):
        assert sorted(session.shard for session in server.sessions) == [(0, 2), (1, 2)]
        assert one.health().detail == ""
        leases.holders["discord shard 1 of 2"].gone.set()
        await until(lambda: two._gateway._ears.keys() == {1}, "for the second shard to move")
        await until(lambda: one.health().hearing and two.health().hearing, "for both to hear")
        await server.post_as(server.ada, server.general, "in the server")
        await server.post_as(server.ada, server.dm_ada, "in private")
        await until(lambda: len(inbox.asked) + len(other.asked) == 2, "for both messages")
        assert other.texts in ([], ["in the server"])
        assert "in private" in inbox.texts
    assert leases.holders == {}


async def _nobody(leases: Leases) -> None:
    async with leases.hold("discord shard 0 of 1") as lease:
        await lease.lost()


async def test_events_heard_before_the_lease_was_lost_are_still_handed_in(
    server: DiscordServer, make: Make, leases: Leases
) -> None:
    gate = asyncio.Event()

    class Slow(Inbox):
        async def __call__(self, event: InboundEvent) -> None:
            await gate.wait()
            await super().__call__(event)

    inbox = Slow()
    platform = sharing(make, leases)
    async with hearing(platform, inbox):
        await server.post_as(server.ada, server.general, "just in time")
        await server.idle()
        leases.holders["discord shard 0 of 1"].gone.set()
        await until(lambda: len(leases.names) == 2, "for it to be wanted again")
        gate.set()
        await until(lambda: inbox.texts == ["just in time"], "for the event")
