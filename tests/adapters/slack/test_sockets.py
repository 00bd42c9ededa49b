"""Several Socket Mode connections: what they do for each other while Slack renews, cuts, refuses or switches them off."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TypeVar, cast

import pytest
from structlog.testing import capture_logs

from adapters.slack.transport import MOST_SOCKETS, Link, SocketEntrance
from bridge.errors import NotAllowed, PlatformUnavailable, RateLimited
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import DisconnectReason
from tests.adapters.slack.peer import Bridge, make_platform, until
from tests.fakes.clock import FakeClock
from tests.playground.slack.peers import bare_socket

T = TypeVar("T")


class Counted(list[T]):
    """The stand-in's connections; remembers the fewest that there were at any moment, and how many came."""

    def __init__(self, links: list[T]) -> None:
        super().__init__(links)
        self.fewest = len(links)
        self.opened = 0

    def append(self, link: T) -> None:
        super().append(link)
        self.opened += 1

    def remove(self, link: T) -> None:
        super().remove(link)
        self.fewest = min(self.fewest, len(self))


async def both_stand(bridge: Bridge) -> None:
    await until(lambda: bridge.server.open_sockets == 2 and bridge.platform.health().detail == "", "two connections")


async def test_two_connections_are_kept(bridge: Bridge) -> None:
    await both_stand(bridge)
    server = bridge.server
    for number in range(10):
        await server.post_as("U0ADA", "C0GENERAL", f"number {number}")
    await bridge.heard(10)
    await server.idle(5)
    assert [one.attempts for one in server.deliveries] == [1] * 10


@pytest.mark.parametrize("reason", ["refresh_requested", "warning"])
async def test_a_renewal_leaves_no_moment_without_a_connection(bridge: Bridge, reason: DisconnectReason) -> None:
    await both_stand(bridge)
    server = bridge.server
    server.sockets.disconnect_grace = 3
    counted = server.sockets._links = Counted(server.sockets._links)
    await server.sockets._disconnect(counted[0], reason)
    await until(lambda: counted.opened == 1 and len(counted) == 2)
    assert counted.fewest >= 2, "the next one is opened before the former one is closed"
    assert bridge.platform.health().hearing


async def test_renewals_of_both_in_a_row_leave_no_moment_without_a_connection(bridge: Bridge) -> None:
    await both_stand(bridge)
    server = bridge.server
    server.sockets.disconnect_grace = 3
    counted = server.sockets._links = Counted(server.sockets._links)
    for _ in range(2):
        async with asyncio.TaskGroup() as tasks:
            for link in list(counted):
                tasks.create_task(server.sockets._disconnect(link, "refresh_requested"))
        await until(lambda: len(counted) == 2)
        await both_stand(bridge)
    assert counted.opened == 4
    assert counted.fewest >= 2
    await server.post_as("U0ADA", "C0GENERAL", "still there?")
    await bridge.heard(1)
    await server.idle(5)
    assert server.deliveries[0].attempts == 1


async def test_the_loss_of_one_connection_is_a_remark_and_no_alarm(bridge: Bridge) -> None:
    await both_stand(bridge)
    server = bridge.server
    server.refuse_sockets = True
    lost = server.sockets._links[0]
    assert lost.transport is not None
    lost.transport.abort()
    await until(lambda: bridge.platform.health().detail.startswith("1 of 2 connections: "))
    health = bridge.platform.health()
    assert (health.connected, health.hearing) == (True, True)
    await server.post_as("U0ADA", "C0GENERAL", "anybody?")
    await bridge.heard(1)
    await server.idle(5)
    assert server.deliveries[0].attempts == 1
    server.refuse_sockets = False
    await both_stand(bridge)


async def test_when_all_break_off_one_comes_back_at_once_and_the_other_follows(bridge: Bridge) -> None:
    await both_stand(bridge)
    server = bridge.server
    counted = server.sockets._links = Counted(server.sockets._links)
    server.drop_sockets()
    await until(lambda: counted.opened == 1)
    await until(lambda: bridge.platform.health().hearing)
    assert bridge.platform.health().detail == "", "the other one waits for its turn"
    await until(lambda: counted.opened == 2)
    await both_stand(bridge)


async def test_where_slack_allows_only_one_more_connection_one_is_kept(server: SlackServer) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(MOST_SOCKETS - 1):
            await stack.enter_async_context(bare_socket(server))
        platform = make_platform(server)
        stack.push_async_callback(platform.close)
        async with Bridge(server, platform):
            counted = server.sockets._links = Counted(server.sockets._links)
            await until(lambda: platform.health().detail.startswith("1 of 2 connections: All 10"))
            health = platform.health()
            assert (health.connected, health.hearing) == (True, True)
            assert counted.fewest == len(counted) == MOST_SOCKETS


async def test_a_second_connection_is_given_back_where_few_are_left(server: SlackServer) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(MOST_SOCKETS - 3):
            await stack.enter_async_context(bare_socket(server))
        platform = make_platform(server)
        stack.push_async_callback(platform.close)
        counted = server.sockets._links = Counted(server.sockets._links)
        async with Bridge(server, platform):
            await until(lambda: "nearly all" in platform.health().detail)
            assert platform.health().hearing
            assert (counted.opened, len(counted)) == (2, MOST_SOCKETS - 2)


async def test_the_same_event_on_both_connections_is_told_twice_with_one_id(bridge: Bridge) -> None:
    """Telling the two apart from two events is the core's affair, by this id."""
    await both_stand(bridge)
    bridge.server.faults.duplicate_events = True
    bridge.server.shuffle.seed(3)
    await bridge.server.post_as("U0ADA", "C0GENERAL", "once")
    first, second = await bridge.heard(2)
    assert (first.event_id, first.ref) == (second.event_id, second.ref)


async def test_cancelling_closes_all_connections(bridge: Bridge) -> None:
    await both_stand(bridge)
    await bridge.cancel()
    assert bridge.server.open_sockets == 0


async def test_an_app_token_that_is_refused_later_ends_the_run(server: SlackServer) -> None:
    platform = make_platform(server, slack_app_token="xapp-wrong", slack_sockets=3)
    with pytest.raises(NotAllowed, match="SLACK_APP_TOKEN"):
        await platform.run(Bridge(server, platform).inbox)
    await platform.close()


async def test_socket_mode_that_was_switched_off_and_on_again_is_heard_again(bridge: Bridge) -> None:
    await both_stand(bridge)
    server = bridge.server
    with capture_logs() as logged:
        server.refuse_sockets = True
        await server.disconnect_sockets("link_disabled")
        await until(lambda: not bridge.platform.health().connected)
        assert "switch it on" in bridge.platform.health().detail
        server.refuse_sockets = False
        await both_stand(bridge)
    assert alarms_in(logged) == ["error"]
    assert "Settings > Socket Mode" in next(one["fix"] for one in logged if one["event"] == "socket_mode_switched_off")


# The same with a clock of our own, for what takes minutes.


class Line:
    """A connection as far as `SocketEntrance` looks at it."""

    def __init__(self, clock: FakeClock, connections: int = 1) -> None:
        self._clock = clock
        self.connections = connections
        self.leaving = asyncio.Event()
        self.reason = ""
        self.alive = True
        self.finished = False

    @property
    def heard_at(self) -> float:
        return self._clock.monotonic()

    def leave(self, reason: str = "") -> None:
        self.alive, self.reason = bool(reason) and reason != "link_disabled", reason
        self.leaving.set()

    async def finish(self, grace: float) -> None:
        self.alive, self.finished = False, True


class Exchange:
    """Gives out lines; or what is in `refusal` instead."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.lines: list[Line] = []
        self.asked: list[float] = []
        self.refusal: Exception | None = None
        self.others = 0
        self.entrance = SocketEntrance(self.open, sockets=2, ping_interval=10, longest_pause=60, clock=self.clock)

    async def open(self) -> Link:
        self.asked.append(self.clock.monotonic())
        if self.refusal is not None:
            raise self.refusal
        self.lines.append(Line(self.clock))
        self.lines[-1].connections = self.others + sum(line.alive for line in self.lines)
        return cast("Link", self.lines[-1])

    @property
    def standing(self) -> int:
        return sum(line.alive for line in self.lines)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        running = asyncio.create_task(self.entrance.run())
        try:
            await self.clock.settle()
            yield
        finally:
            running.cancel()
            await asyncio.wait([running])


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


async def test_connections_are_opened_a_heartbeat_apart(exchange: Exchange) -> None:
    async with exchange.running():
        assert (exchange.standing, exchange.entrance.trouble) == (1, ""), "waiting for its turn is no trouble"
        await exchange.clock.advance(9.9)
        assert exchange.standing == 1
        await exchange.clock.advance(0.2)
        assert exchange.standing == 2
        for line in list(exchange.lines):
            line.leave()
        await exchange.clock.settle()
        assert exchange.standing == 1, "one at once, and not together"
        await exchange.clock.advance(10.1)
        assert exchange.standing == 2


async def test_a_renewal_does_not_wait_for_its_turn(exchange: Exchange) -> None:
    async with exchange.running():
        await exchange.clock.advance(11)
        first, second = exchange.lines
        first.leave("refresh_requested")
        second.leave("refresh_requested")
        await exchange.clock.settle()
        assert exchange.standing == 2
        assert (first.finished, second.finished) == (True, True)


async def test_a_second_connection_that_finds_no_room_is_tried_again_after_minutes(exchange: Exchange) -> None:
    async with exchange.running():
        exchange.refusal = PlatformUnavailable("no room", code="too_many_websockets")
        await exchange.clock.advance(11)
        asked = len(exchange.asked)
        assert exchange.entrance.trouble.startswith("1 of 2 connections: All 10")
        await exchange.clock.advance(590)
        assert len(exchange.asked) == asked
        exchange.refusal = None
        await exchange.clock.advance(20)
        assert (exchange.standing, exchange.entrance.trouble) == (2, "")


async def test_the_only_connection_takes_the_last_place_and_the_second_one_does_not(exchange: Exchange) -> None:
    exchange.others = 8
    async with exchange.running():
        await exchange.clock.advance(30)
        assert (exchange.standing, len(exchange.lines)) == (1, 2)
        assert "nearly all" in exchange.entrance.trouble
        exchange.others = 0
        await exchange.clock.advance(600)
        assert exchange.standing == 2


async def test_a_connection_that_is_lost_is_replaced_while_another_waits_for_room(exchange: Exchange) -> None:
    async with exchange.running():
        exchange.refusal = PlatformUnavailable("no room", code="too_many_websockets")
        await exchange.clock.advance(11)
        exchange.refusal = None
        exchange.lines[0].leave()
        await exchange.clock.settle()
        assert exchange.standing == 1


async def test_what_slack_asks_to_wait_is_waited(exchange: Exchange) -> None:
    exchange.refusal = RateLimited("slowly", retry_after=timedelta(seconds=40))
    async with exchange.running():
        await exchange.clock.advance(39)
        assert len(exchange.asked) == 2, "once for each"
        exchange.refusal = None
        await exchange.clock.advance(2)
        assert exchange.standing == 1


async def test_switched_off_is_one_alarm_and_a_few_patient_attempts(exchange: Exchange) -> None:
    with capture_logs() as logged:
        async with exchange.running():
            await exchange.clock.advance(11)
            exchange.refusal = PlatformUnavailable("socket: link_disabled", code="link_disabled")
            for line in list(exchange.lines):
                line.leave("link_disabled")
            before = len(exchange.asked)
            await exchange.clock.advance(600)
            assert "switched off" in exchange.entrance.trouble
            assert 10 <= len(exchange.asked) - before <= 50
            exchange.refusal = NotAllowed("no", code="not_allowed_token_type")
            await exchange.clock.advance(70)
            exchange.refusal = None
            await exchange.clock.advance(71)
            assert (exchange.standing, exchange.entrance.trouble) == (2, "")
    assert alarms_in(logged) == ["error"]


async def test_an_app_that_is_switched_off_from_the_start_is_told_so(exchange: Exchange) -> None:
    exchange.refusal = PlatformUnavailable("socket: link_disabled", code="link_disabled")
    with capture_logs() as logged:
        async with exchange.running():
            await exchange.clock.advance(300)
            assert "switched off" in exchange.entrance.trouble
            exchange.refusal = None
            await exchange.clock.advance(71)
            assert exchange.entrance.trouble == ""
    assert alarms_in(logged) == ["error"]


async def test_an_app_that_is_switched_off_as_often_as_it_connects_is_one_alarm_and_a_new_one_after_it_worked(
    exchange: Exchange,
) -> None:
    with capture_logs() as logged:
        async with exchange.running():
            for _ in range(5):
                for line in list(exchange.lines):
                    line.leave("link_disabled")
                await exchange.clock.advance(9)
            assert alarms_in(logged) == ["error"]
            await exchange.clock.advance(120)
            assert exchange.standing == 2
            for line in list(exchange.lines):
                line.leave("link_disabled")
            await exchange.clock.settle()
            assert alarms_in(logged) == ["error", "error"]


def alarms_in(logged: Sequence[Mapping[str, object]]) -> list[object]:
    return [one["log_level"] for one in logged if one["event"] == "socket_mode_switched_off"]
