"""Connections that end, resume, repeat, fall silent or are refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import discord
import pytest

from bridge.playground.discord import DiscordServer
from tests.playground.discord.clients import INTENTS, WAIT, Listener
from tests.playground.discord.conftest import Connect


async def test_a_cut_client_resumes_and_gets_what_it_missed(server: DiscordServer, client: Listener) -> None:
    await server.post_as(server.ada, server.general, "before")
    await client.until(lambda: client.texts() == ["before"])
    await server.drop_gateways()
    await server.post_as(server.ada, server.general, "missed")
    await server.post_as(server.grace, server.support, "missed too")
    await client.until(lambda: client.resumed_count == 1)
    await client.until(lambda: len(client.texts()) == 3)
    assert client.texts() == ["before", "missed", "missed too"]
    assert (server.identifies, server.resumes, client.ready_count) == (1, 1, 1)


async def test_idle_waits_for_a_client_and_for_what_it_missed(server: DiscordServer, client: Listener) -> None:
    await server.idle(WAIT)
    await server.drop_gateways()
    await server.post_as(server.ada, server.general, "missed")
    await server.idle(WAIT)
    await client.until(lambda: client.texts() == ["missed"])
    await client.close()
    with pytest.raises(TimeoutError):
        await server.idle(0.05)


async def test_an_invalid_session_means_that_what_was_missed_is_lost(server: DiscordServer, client: Listener) -> None:
    await server.invalidate_sessions()
    await server.post_as(server.ada, server.general, "lost")
    await client.until(lambda: client.ready_count == 2)
    await server.post_as(server.ada, server.general, "heard")
    await client.until(lambda: bool(client.texts()))
    assert client.texts() == ["heard"]
    assert (server.identifies, server.resumes) == (2, 0)


async def test_a_session_may_be_invalid_for_a_moment_only(server: DiscordServer, client: Listener) -> None:
    await server.invalidate_sessions(resumable=True)
    await client.until(lambda: client.resumed_count == 1)
    assert (server.identifies, server.resumes) == (1, 1)


async def test_a_client_that_is_asked_to_reconnect_resumes(server: DiscordServer, client: Listener) -> None:
    await server.ask_reconnect()
    await client.until(lambda: client.resumed_count == 1)
    assert server.identifies == 1


async def test_a_close_code_that_is_no_farewell_leads_to_a_resume(server: DiscordServer, client: Listener) -> None:
    await server.close_gateways(4000)
    await client.until(lambda: client.resumed_count == 1)
    assert server.identifies == 1


async def test_a_close_after_which_nothing_can_be_resumed_leads_to_a_new_session(
    server: DiscordServer, client: Listener
) -> None:
    await server.close_gateways(4009)
    await client.until(lambda: client.ready_count == 2)
    assert (server.identifies, server.resumes) == (2, 0)


async def test_dispatches_can_arrive_twice(server: DiscordServer, client: Listener) -> None:
    server.faults.duplicate_dispatches = True
    await server.post_as(server.ada, server.general, "one")
    await client.until(lambda: len(client.heard) == 2)
    assert client.heard[0].id == client.heard[1].id
    server.faults.duplicate_dispatches = False
    await server.post_as(server.ada, server.general, "two")
    await client.until(lambda: client.texts() == ["one", "one", "two"])
    assert server.replay_last(2) == 2
    await client.until(lambda: client.texts() == ["one", "one", "two", "one", "two"])


async def test_two_clients_both_hear_everything(server: DiscordServer, connect: Connect) -> None:
    first, second = await connect(), await connect()
    await server.post_as(server.ada, server.general, "hello both")
    for client in (first, second):
        await client.until(lambda heard=client.heard: len(heard) == 1)  # type: ignore[misc]
    assert len(server.sessions) == 2


async def test_a_malformed_dispatch_ends_the_client(
    server: DiscordServer, pointed: None, caplog: pytest.LogCaptureFixture
) -> None:
    client = Listener()
    task = asyncio.create_task(client.start(server.token))
    await client.until(lambda: client.ready_count == 1)
    server.faults.bad_dispatch_next = True
    await server.post_as(server.ada, server.general, "never parsed")
    async with asyncio.timeout(WAIT):
        with pytest.raises(KeyError, match="content"):
            await task
    assert not client.is_closed()
    assert not server.faults.bad_dispatch_next
    assert [one.content for one in server.messages(server.general)] == ["never parsed"]  # REST still has it
    await client.close()


async def test_content_must_be_switched_on_before_it_is_asked_for(server: DiscordServer, pointed: None) -> None:
    server.message_content_allowed = False
    client = Listener()
    with pytest.raises(discord.PrivilegedIntentsRequired):
        async with asyncio.timeout(WAIT):
            await client.start(server.token)
    await client.close()
    assert server.identifies == 0


async def test_without_the_content_intent_only_what_is_meant_for_the_bot_is_readable(
    server: DiscordServer, connect: Connect
) -> None:
    server.message_content_allowed = False
    intents = discord.Intents(INTENTS.value)
    intents.message_content = False
    client = await connect(intents)
    await server.post_as(server.ada, server.general, "not for the bot")
    await server.post_as(server.ada, server.general, f"<@{server.bot_id}> for the bot")
    await server.post_as(server.ada, server.general, f"<@&{server.bot_role_id}> for its role")
    await server.post_as(server.ada, server.dm_ada, "direct")
    own = await client.text_channel(server.general).send("own")
    await server.post_as(server.ada, server.general, "quiet reply", reply_to=str(own.id), ping_reply=False)
    await server.post_as(server.ada, server.general, "pinging reply", reply_to=str(own.id))
    await client.until(lambda: len(client.heard) == 7)
    by_id = {one.id: one.content for one in client.heard}
    assert [by_id[key] for key in sorted(by_id)] == [
        "",
        f"<@{server.bot_id}> for the bot",
        "",
        "direct",
        "own",
        "",
        "pinging reply",
    ]
    assert [one.content async for one in client.place(server.general).history(limit=2)] == ["pinging reply", ""]


async def test_only_what_was_asked_for_arrives(server: DiscordServer, connect: Connect) -> None:
    client = await connect(discord.Intents(guilds=True, dm_messages=True, dm_typing=True))
    message_id = await server.post_as(server.ada, server.general, "in the server")
    await server.react(server.ada, server.general, message_id, "👍")
    await server.type_as(server.ada, server.general)
    direct = await server.post_as(server.ada, server.dm_ada, "direct")
    await server.react(server.ada, server.dm_ada, direct, "👍")
    await server.type_as(server.ada, server.dm_ada)
    await client.until(lambda: bool(client.typed))
    assert [str(one.id) for one in client.heard] == [direct]
    assert client.typed == [int(server.dm_ada)]
    assert client.reactions == []


async def test_a_silent_gateway_says_nothing_at_all(server: DiscordServer, client: Listener) -> None:
    server.faults.heartbeat_acks = False
    await server.post_as(server.ada, server.general, "swallowed")
    with pytest.raises(TimeoutError):
        await server.idle(0.05)
    assert client.heard == []
    server.faults.heartbeat_acks = True
    await server.drop_gateways()
    await client.until(lambda: client.texts() == ["swallowed"])


async def test_a_gateway_that_is_down_refuses_connections(server: DiscordServer) -> None:
    server.faults.refuse_gateway = True
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(server.gateway_url)
    assert refused.value.status == 503


class _Speaker:
    """A bare websocket, for what the library would never say."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def say(self, op: int, data: object) -> None:
        await self.socket.send_str(json.dumps({"op": op, "d": data}))

    async def hear(self) -> dict[str, object]:
        frame: dict[str, object] = await self.socket.receive_json(timeout=WAIT)
        return frame

    async def closed(self) -> int | None:
        async with asyncio.timeout(WAIT):
            while (await self.socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
        return self.socket.close_code


@asynccontextmanager
async def _speaker(server: DiscordServer, query: str = "?v=10&encoding=json") -> AsyncIterator[_Speaker]:
    async with aiohttp.ClientSession() as http, http.ws_connect(server.gateway_url + query) as socket:
        speaker = _Speaker(socket)
        if query.startswith("?v=10"):
            hello = await speaker.hear()
            assert hello["op"] == 10
            assert hello["d"] == {"heartbeat_interval": 41250, "_trace": []}
        yield speaker


def _identity(server: DiscordServer, **changes: object) -> dict[str, object]:
    return {"token": server.token, "intents": 513, "properties": {"os": "test"}} | changes


async def test_identifying_starts_numbered_dispatches(server: DiscordServer) -> None:
    async with _speaker(server) as speaker:
        await speaker.say(1, None)
        assert (await speaker.hear())["op"] == 11
        await speaker.say(2, _identity(server))
        ready, guild = await speaker.hear(), await speaker.hear()
        assert (ready["op"], ready["s"], ready["t"]) == (0, 1, "READY")
        assert (guild["s"], guild["t"]) == (2, "GUILD_CREATE")
        assert isinstance(ready["d"], dict)
        assert ready["d"]["guilds"] == [{"id": server.guild_id, "unavailable": True}]
        assert ready["d"]["resume_gateway_url"].startswith(server.gateway_url)
        assert ready["d"]["resume_gateway_url"] != server.gateway_url


async def test_a_second_shard_gets_no_direct_messages_and_no_foreign_server(server: DiscordServer) -> None:
    own = (int(server.guild_id) >> 22) % 2
    async with _speaker(server) as first, _speaker(server) as second:
        await first.say(2, _identity(server, intents=4609, shard=[own, 2]))
        assert [(await first.hear())["t"], (await first.hear())["t"]] == ["READY", "GUILD_CREATE"]
        await second.say(2, _identity(server, intents=4609, shard=[1 - own, 2]))
        ready = await second.hear()
        assert isinstance(ready["d"], dict)
        assert ready["d"]["guilds"] == []
        await server.post_as(server.ada, server.general, "in the server")
        await server.post_as(server.ada, server.dm_ada, "direct")
        by_shard = {own: first, 1 - own: second}
        heard = await by_shard[0].hear()
        assert heard["t"] == "MESSAGE_CREATE"
        other = [one.sent[-1].name for one in server.sessions if one.shard[0] == 1]
        assert other == (["READY"] if own == 0 else ["MESSAGE_CREATE"])


@pytest.mark.parametrize(
    ("op", "data", "code"),
    [
        (2, {"token": "wrong"}, 4004),
        (2, {"intents": 1 << 30}, 4013),
        (2, {"intents": None}, 4013),
        (2, {"intents": 1 << 1}, 4014),
        (2, {"intents": 1 << 8}, 4014),
        (2, {"shard": [2, 2]}, 4010),
        (2, {"properties": None}, 4002),
        (3, {}, 4003),
        (99, {}, 4001),
    ],
)
async def test_what_is_said_wrongly_closes_the_gateway(
    server: DiscordServer, op: int, data: dict[str, object], code: int
) -> None:
    async with _speaker(server) as speaker:
        await speaker.say(op, _identity(server, **data))
        assert await speaker.closed() == code
    assert server.identifies == 0


async def test_who_identifies_in_a_hurry_can_be_turned_away(
    server: DiscordServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.faults.hurried_identifies = False
    moment = [100.0]
    monkeypatch.setattr(server.clock, "monotonic", lambda: moment[0])
    answers = []
    for moment[0] in (100.0, 104.9, 105.0):
        async with _speaker(server) as speaker:
            await speaker.say(2, _identity(server))
            answers.append((await speaker.hear())["op"])
    assert answers == [0, 9, 0]
    assert server.identifies == 2


async def test_broken_json_identifying_twice_and_a_wrong_version_close_it_too(server: DiscordServer) -> None:
    async with _speaker(server) as speaker:
        await speaker.socket.send_str("{")
        assert await speaker.closed() == 4002
    async with _speaker(server) as speaker:
        await speaker.say(2, _identity(server))
        await speaker.say(2, _identity(server))
        assert await speaker.closed() == 4005
    async with _speaker(server, "?v=3") as speaker:
        assert await speaker.closed() == 4012


@pytest.mark.parametrize(("code", "op"), [(1000, 9), (1001, 9), (4000, 0)])
async def test_only_a_goodbye_ends_the_session(server: DiscordServer, code: int, op: int) -> None:
    async with _speaker(server) as speaker:
        await speaker.say(2, _identity(server))
        assert (await speaker.hear())["t"] == "READY"
        (session,) = server.sessions
        await speaker.socket.close(code=code)
    async with _speaker(server) as speaker:
        await speaker.say(6, {"token": server.token, "session_id": session.id, "seq": session.seq})
        assert (await speaker.hear())["op"] == op  # an invalid session, or RESUMED


@pytest.mark.parametrize(("resumable", "op"), [(False, 9), (True, 0)])
async def test_a_session_that_was_called_invalid_for_good_cannot_be_resumed(
    server: DiscordServer, resumable: bool, op: int
) -> None:
    async with _speaker(server) as speaker:
        await speaker.say(2, _identity(server))
        assert [(await speaker.hear())["t"], (await speaker.hear())["t"]] == ["READY", "GUILD_CREATE"]
        (session,) = server.sessions
        await server.invalidate_sessions(resumable=resumable)
        told = await speaker.hear()
        assert (told["op"], told["d"]) == (9, resumable)
        await speaker.socket.close(code=4000)
    async with _speaker(server) as speaker:
        await speaker.say(6, {"token": server.token, "session_id": session.id, "seq": session.seq})
        assert (await speaker.hear())["op"] == op


async def test_a_resume_with_a_number_from_the_future_is_refused(server: DiscordServer) -> None:
    async with _speaker(server) as speaker:
        await speaker.say(2, _identity(server))
        await speaker.hear()
        (session,) = server.sessions
        await server.drop_gateways()
    async with _speaker(server) as speaker:
        await speaker.say(6, {"token": server.token, "session_id": session.id, "seq": 99})
        assert await speaker.closed() == 4007
    assert server.resumes == 0


async def test_a_hundred_and_twenty_payloads_a_minute_are_all_that_is_listened_to(server: DiscordServer) -> None:
    async with _speaker(server) as speaker:
        for _ in range(120):
            await speaker.say(1, None)
        for _ in range(120):
            assert (await speaker.hear())["op"] == 11
        await speaker.say(1, None)
        assert await speaker.closed() == 4008


async def test_a_client_without_a_heartbeat_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.playground.discord.limits.HEARTBEAT_GRACE_SECONDS", 0.05)
    server = DiscordServer(heartbeat_milliseconds=50)
    await server.start()
    async with _speaker(server, "?v=9") as speaker:
        assert (await speaker.hear())["d"] == {"heartbeat_interval": 50, "_trace": []}
        assert await speaker.closed() == 4009
    await server.stop()
