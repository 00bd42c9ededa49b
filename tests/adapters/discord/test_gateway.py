"""The gateway breaks in every known way, and the bot hears again, or says why it does not."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from discord.http import Route
from structlog.testing import capture_logs
from yarl import URL

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.gateway.ears import intents
from adapters.discord.outbound import GatewayPlan
from adapters.discord.transport import Pauses, point_at
from bridge.errors import NotAllowed, RateLimited, StoreUnavailable
from bridge.events import InboundEvent
from bridge.playground.discord import DiscordServer, Fault, limits
from tests.adapters.discord.conftest import Inbox, Make, ask, hearing, out, plan_of, until
from tests.adapters.discord.test_catching_up import Kept


def test_the_places_where_discord_py_keeps_its_addresses_still_exist() -> None:
    assert Route.BASE.startswith("https://discord.com/api/v10")
    assert str(DiscordWebSocket.DEFAULT_GATEWAY).startswith("wss://")
    point_at(api_url="http://127.0.0.1:9/api/v10", gateway_url="ws://127.0.0.1:9/")
    assert Route("GET", "/users/@me").url == "http://127.0.0.1:9/api/v10/users/@me"
    assert URL("ws://127.0.0.1:9/") == DiscordWebSocket.DEFAULT_GATEWAY
    point_at(api_url="http://127.0.0.1:8/api/v10", gateway_url=None)
    assert URL("ws://127.0.0.1:9/") == DiscordWebSocket.DEFAULT_GATEWAY


def test_no_intent_is_asked_for_that_is_not_used() -> None:
    assert {name for name, wanted in intents(content=True) if wanted} == {
        "guilds",
        "guild_messages",
        "dm_messages",
        "messages",
        "guild_reactions",
        "dm_reactions",
        "reactions",
        "message_content",
    } - {"messages", "reactions"}
    assert not intents(content=False).message_content


def test_pauses_grow_up_to_their_limit_and_start_again() -> None:
    pauses = Pauses(1.0, 5.0)
    taken = [pauses.take() for _ in range(6)]
    for pause, limit in zip(taken, [1, 2, 4, 5, 5, 5], strict=True):
        assert 0.75 * limit <= pause <= limit
    pauses.reset()
    assert pauses.take() <= 1


async def test_a_cut_connection_is_resumed_and_what_was_missed_is_heard(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await server.drop_gateways()
        await server.post_as(server.ada, server.general, "while away")
        await inbox.message("while away")
        assert server.resumes == 1
        assert server.identifies == 1


async def test_a_request_to_reconnect_is_followed(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await server.ask_reconnect()
        await until(lambda: server.resumes == 1, "for a resume")
        await server.post_as(server.ada, server.general, "after")
        await inbox.message("after")


async def test_an_invalid_session_is_replaced_by_a_new_one(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        await server.invalidate_sessions()
        await until(lambda: server.identifies == 2 and platform.health().hearing, "for a new session")
        await server.post_as(server.ada, server.general, "after")
        await inbox.message("after")


async def test_after_too_many_invalid_sessions_the_connection_is_made_from_scratch(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    with capture_logs() as logged:
        async with hearing(platform, inbox):
            for count in range(2, 8):
                await server.invalidate_sessions()
                await until(lambda n=count: server.identifies == n and platform.health().hearing, "for a new session")  # type: ignore[misc]
            await server.post_as(server.ada, server.general, "after")
            await inbox.message("after")
    assert [each["error"] for each in logged if each["event"] == "gateway_life_ended"] == ["LoginsExhausted"]


async def test_an_event_that_cannot_be_parsed_is_the_only_one_lost(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    with capture_logs() as logged:
        async with hearing(platform, inbox) as run:
            server.faults.bad_dispatch_next = True
            await server.post_as(server.ada, server.general, "unreadable")
            await server.post_as(server.ada, server.general, "after")
            await inbox.message("after")
            assert not run.done()
            assert server.identifies == 1
    (told,) = [each for each in logged if each["event"] == "event_unreadable"]
    assert (told["kind"], told["error"]) == ("MESSAGE_CREATE", "KeyError")
    assert "unreadable" not in str([value for value in told.values() if value != "event_unreadable"])


async def test_a_message_that_cannot_be_parsed_is_read_over_rest(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    kept = Kept()
    platform.catch_up_from(kept)
    async with hearing(platform, inbox):
        server.faults.bad_dispatch_next = True
        number = int(await server.post_as(server.ada, server.general, "unreadable"))
        await inbox.message("unreadable")
        assert server.identifies == 1
        await until(lambda: kept.mark >= number, "for the gap to be closed")


async def test_a_session_that_begins_with_something_unreadable_is_made_anew(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = server._gateway._ready
    broken: list[object] = []

    def once(session: Any, **options: Any) -> Any:
        data = ready(session, **options)
        if not broken:
            broken.append(data.pop("user"))
        return data

    monkeypatch.setattr(server._gateway, "_ready", once)
    async with hearing(platform, inbox):
        assert server.identifies == 2
        await ask(server, inbox)


async def test_a_gateway_that_is_out_of_reach_at_first_is_found_later(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    server.faults.refuse_gateway = True
    run = asyncio.create_task(platform.run(inbox))
    await until(lambda: "connection ended" in platform.health().detail, "for a failed connect")
    assert not platform.health().connected
    server.faults.refuse_gateway = False
    await until(lambda: platform.health().hearing, "to hear")
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run


async def test_an_api_that_is_out_of_reach_at_first_is_found_later(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    server.faults.fail_next["GET /users/@me"] = [Fault(status=503), Fault(kind="drop")]
    server.faults.fail_next["GET /gateway/bot"] = [Fault(status=503)]
    async with hearing(platform, inbox):
        await server.post_as(server.ada, server.general, "hello")
        await inbox.message("hello")


async def test_a_gateway_that_fell_silent_is_left_for_a_new_connection(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    platform = make(discord_deaf_timeout=0.5, discord_close_timeout=0.2)
    with capture_logs() as logged:
        async with hearing(platform, inbox):
            server.faults.heartbeat_acks = False
            await until(lambda: not platform.health().hearing, "for the silence to show")
            assert platform.health().detail
            age = platform.health().heartbeat_age
            assert age is not None
            await until(lambda: (platform.health().heartbeat_age or age) > age, "for the last heartbeat to grow old")
            await until(lambda: any(each["event"] == "gateway_deaf" for each in logged), "for it to be given up")
            server.faults.heartbeat_acks = True
            await until(lambda: platform.health().hearing, "to hear again")
            await server.post_as(server.ada, server.general, "after")
            await inbox.message("after")


async def test_a_heartbeat_that_is_about_to_be_sent_is_waited_for_at_the_end(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload, join = KeepAliveHandler.get_payload, KeepAliveHandler.join
    about_to, may_go = threading.Event(), threading.Event()

    def held(self: KeepAliveHandler) -> dict[str, Any]:
        if threading.current_thread() is self:
            about_to.set()
            may_go.wait(10)
        return payload(self)

    def awaited(self: KeepAliveHandler, timeout: float | None = None) -> None:
        may_go.set()
        join(self, timeout)

    monkeypatch.setattr(KeepAliveHandler, "get_payload", held)
    monkeypatch.setattr(KeepAliveHandler, "join", awaited)
    async with hearing(platform, inbox) as run:
        await until(about_to.is_set, "for a heartbeat")
        run.cancel()
        await asyncio.wait({run})
        beating = [each for each in threading.enumerate() if isinstance(each, KeepAliveHandler)]
        may_go.set()
        assert beating == []


async def test_without_the_portal_switch_it_hears_mentions_and_says_what_is_missing(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    server.message_content_allowed = False
    async with hearing(platform, inbox):
        await ask(server, inbox, "still here?")
        health = platform.health()
        assert health.connected
        assert health.hearing
        assert "Message Content intent" in health.detail
        assert f"https://discord.com/developers/applications/{server.application_id}/bot" in health.detail
        await server.drop_gateways()
        await ask(server, inbox, "and now?")


async def test_the_missing_switch_is_explained_once_however_many_shards_there_are(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def plan_two() -> GatewayPlan:
        return plan_of(server, shards=2)

    monkeypatch.setattr(platform._rest, "gateway_plan", plan_two)
    server.message_content_allowed = False
    with capture_logs() as logged:
        async with hearing(platform, inbox):
            assert sorted(session.shard for session in server.sessions) == [(0, 2), (1, 2)]
    told = [each for each in logged if each["event"] == "message_content_intent_refused"]
    assert len(told) == 1
    assert f"https://discord.com/developers/applications/{server.application_id}/bot" in told[0]["fix"]


async def test_a_switch_that_is_turned_on_later_is_noticed(server: DiscordServer, make: Make, inbox: Inbox) -> None:
    server.message_content_allowed = False
    platform = make(discord_intent_recheck=0.05)
    async with hearing(platform, inbox):
        assert "Message Content" in platform.health().detail
        server.message_content_allowed = True
        await until(lambda: platform.health().hearing and not platform.health().detail, "for the switch to be noticed")
        await server.post_as(server.ada, server.general, "no mention")
        await inbox.message("no mention")


async def test_whoever_does_not_want_the_intent_is_not_told_of_it(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    platform = make(discord_message_content=False, discord_intent_recheck=0.05)
    async with hearing(platform, inbox):
        await ask(server, inbox, "still here?")
        assert platform.health().detail == ""
        asked = sum(call.route.endswith("applications/@me") for call in server.calls)
        await server.drop_gateways()
        await ask(server, inbox, "and now?")
        assert sum(call.route.endswith("applications/@me") for call in server.calls) == asked


@pytest.mark.parametrize("code", [4004])
async def test_a_token_that_the_gateway_refuses_ends_the_run(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, code: int
) -> None:
    async with hearing(platform, inbox) as run:
        await server.close_gateways(code)
        with pytest.raises(NotAllowed, match="DISCORD_TOKEN"):
            await asyncio.wait_for(asyncio.shield(run), 5)
    assert not platform.health().connected


async def test_a_token_that_the_api_refuses_ends_the_run(server: DiscordServer, make: Make, inbox: Inbox) -> None:
    platform = make(discord_token=server.token[:-3] + "zzz")
    with pytest.raises(NotAllowed, match="Reset Token"):
        await asyncio.wait_for(platform.run(inbox), 5)


async def test_a_demand_for_shards_makes_it_ask_for_their_number_again(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        before = sum(call.route == "/gateway/bot" for call in server.calls)
        await server.close_gateways(4011)
        await until(lambda: server.identifies == 2 and platform.health().hearing, "to hear again")
        assert sum(call.route == "/gateway/bot" for call in server.calls) == before + 1


async def test_every_shard_has_a_connection_of_its_own(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def plan_two() -> GatewayPlan:
        return plan_of(server, shards=2)

    monkeypatch.setattr(platform._rest, "gateway_plan", plan_two)
    async with hearing(platform, inbox):
        assert sorted(session.shard for session in server.sessions) == [(0, 2), (1, 2)]
        await server.drop_gateways()
        await server.post_as(server.ada, server.general, "in the server")
        await server.post_as(server.ada, server.dm_ada, "in private")
        await inbox.message("in the server")
        await inbox.message("in private")
        assert len(inbox.asked) == 2
    assert not server.sessions


async def test_a_gateway_behind_a_ban_is_left_alone_for_minutes_and_so_is_the_api(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    knocks = []

    async def refuse(request: web.Request) -> web.Response:
        knocks.append(request)
        return web.Response(status=429, headers={"Retry-After": "900", "Server": "cloudflare"})

    app = web.Application()
    app.router.add_get("/", refuse)
    async with TestServer(app) as wall:
        platform = make(discord_gateway_url=str(wall.make_url("/")).replace("http", "ws"))
        run = asyncio.create_task(platform.run(inbox))
        await until(lambda: "Cloudflare" in platform.health().detail, "for the ban to show")
        assert not platform.health().connected
        calls = len(server.calls)
        with pytest.raises(RateLimited, match="Cloudflare") as caught:
            await platform._rest.gateway_plan()
        assert caught.value.retry_after > timedelta(minutes=14)
        assert (len(knocks), len(server.calls)) == (1, calls)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)


async def test_a_ban_that_the_api_tells_of_keeps_the_gateway_from_being_knocked_at(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        server.faults.fail_next["GET /gateway/bot"] = [Fault(kind="cloudflare_429")]
        with pytest.raises(RateLimited):
            await platform._rest.gateway_plan()
        calls = len(server.calls)
        await server.close_gateways(4000 + 12)  # an ending that discord.py does not mend
        await until(lambda: "Cloudflare" in platform.health().detail, "for the wait to show")
        assert (server.identifies, len(server.calls)) == (1, calls)


async def test_the_last_logins_of_the_day_are_left_to_the_operator(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    server.identifies = limits.IDENTIFIES_PER_DAY - 40
    run = asyncio.create_task(platform.run(inbox))
    await until(lambda: "logins" in platform.health().detail, "for the wait to show")
    assert "only 40" in platform.health().detail
    assert not platform.health().connected
    assert server.identifies == limits.IDENTIFIES_PER_DAY - 40
    run.cancel()
    await asyncio.gather(run, return_exceptions=True)


async def test_every_login_is_counted_also_those_after_an_invalid_session(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        left = platform._gateway._logins._left
        await server.invalidate_sessions()
        await until(lambda: server.identifies == 2 and platform.health().hearing, "for a new session")
        assert platform._gateway._logins._left == left - 1
        await server.drop_gateways()
        await until(lambda: server.resumes == 1, "for a resume, which is no login")
        assert platform._gateway._logins._left == left - 1


def test_what_health_reads_inside_discord_py_still_exists() -> None:
    class Socket:
        thread_id = 1
        _max_heartbeat_timeout = 60.0

    keeper = KeepAliveHandler(ws=Socket(), interval=1.0)  # type: ignore[arg-type]
    assert keeper.interval == 1.0
    assert isinstance(keeper._last_ack, float)
    assert "_keep_alive" in DiscordWebSocket.__init__.__code__.co_names


# Handing in


async def test_events_of_a_channel_are_handed_in_in_order_even_when_storing_is_slow(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    gate = asyncio.Event()

    class SlowFirst(Inbox):
        async def __call__(self, event: InboundEvent) -> None:
            if not self.events and "first" in getattr(event, "text", ""):
                await gate.wait()
            await super().__call__(event)

    inbox = SlowFirst()
    async with hearing(platform, inbox):
        for text in ["first", "second", "third"]:
            await server.post_as(server.ada, server.general, text)
        await server.post_as(server.ada, server.support, "elsewhere")
        await inbox.message("elsewhere")
        assert inbox.texts == ["elsewhere"]
        gate.set()
        await inbox.message("third")
        assert inbox.texts == ["elsewhere", "first", "second", "third"]


class Unwilling(Inbox):
    """A store that is down for the first so many calls."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals = refusals

    async def __call__(self, event: InboundEvent) -> None:
        if self.refusals:
            self.refusals -= 1
            raise StoreUnavailable("down")
        await super().__call__(event)


async def test_an_event_is_offered_again_until_the_store_takes_it(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    inbox = Unwilling(refusals=2)
    async with hearing(platform, inbox):
        for text in ["one", "two"]:
            await server.post_as(server.ada, server.general, text)
        await inbox.message("two")
        assert inbox.texts == ["one", "two"]


async def test_an_event_that_the_store_never_takes_is_given_up_and_the_next_one_heard(
    server: DiscordServer, make: Make
) -> None:
    inbox = Unwilling(refusals=1)
    async with hearing(make(discord_store_patience=0.01), inbox):
        await server.post_as(server.ada, server.general, "lost")
        await server.post_as(server.ada, server.general, "kept")
        await inbox.message("kept")
        assert inbox.texts == ["kept"]


async def test_no_more_than_allowed_waits_to_be_stored(server: DiscordServer, make: Make) -> None:
    gate = asyncio.Event()

    class Blocked(Inbox):
        async def __call__(self, event: InboundEvent) -> None:
            await gate.wait()
            await super().__call__(event)

    inbox = Blocked()
    with capture_logs() as logged:
        async with hearing(make(discord_inbox_limit=3), inbox):
            for text in "abcde":
                await server.post_as(server.ada, server.general, text)
            await server.post_as(server.ada, server.support, "f")
            await until(lambda: sum(each["event"] == "event_lost" for each in logged) == 3, "for three losses")
            gate.set()
            await inbox.message("c")
            await server.post_as(server.ada, server.general, "g")
            await inbox.message("g")
    assert inbox.texts == ["a", "b", "c", "g"]


async def test_what_was_heard_is_stored_before_the_run_ends(server: DiscordServer, platform: DiscordPlatform) -> None:
    started = asyncio.Event()
    gate = asyncio.Event()

    class Slow(Inbox):
        async def __call__(self, event: InboundEvent) -> None:
            started.set()
            await gate.wait()
            await super().__call__(event)

    inbox = Slow()
    async with hearing(platform, inbox) as run:
        await server.post_as(server.ada, server.general, "just in time")
        await started.wait()
        run.cancel()
        await until(lambda: not server.sessions, "for the gateway to be closed")
        gate.set()
        with pytest.raises(asyncio.CancelledError):
            await run
    assert inbox.texts == ["just in time"]


async def test_duplicates_have_the_same_identity(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    server.faults.duplicate_dispatches = True
    async with hearing(platform, inbox):
        await server.post_as(server.ada, server.general, "twice")
        await until(lambda: len(inbox.asked) == 2, "for both")
        one, two = inbox.asked
        assert one == two


async def test_an_event_that_nobody_foresaw_does_not_silence_its_channel(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    class Broken(Inbox):
        async def __call__(self, event: InboundEvent) -> None:
            if getattr(event, "text", "") == "bad":
                raise LookupError("a defect")
            await super().__call__(event)

    inbox = Broken()
    async with hearing(platform, inbox):
        for text in ["bad", "good"]:
            await server.post_as(server.ada, server.general, text)
        await inbox.message("good")


async def test_an_answer_can_be_sent_while_the_gateway_is_away(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        target = await ask(server, inbox)
        server.faults.refuse_gateway = True
        await server.drop_gateways()
        await platform.send(target, out("all the same"))
        assert server.messages(server.general)[-1].content == "all the same"
