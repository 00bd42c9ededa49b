"""Bad days on demand: each fault reaches the client as the real one would."""

import aiohttp
import discord
import pytest

from bridge.playground.discord import DiscordServer, Fault
from tests.playground.discord.clients import Listener, Raw

CREATE = "POST /channels/{channel_id}/messages"


async def test_an_injected_status_happens_once_and_has_no_effect(server: DiscordServer, client: Listener) -> None:
    server.faults.fail_next[CREATE] = [Fault(status=403, code=50013), Fault(status=404, code=10003), Fault(status=503)]
    channel = client.text_channel(server.general)
    for kind in (discord.Forbidden, discord.NotFound, discord.DiscordServerError):
        with pytest.raises(kind):
            await channel.send("x")
    assert server.messages(server.general) == []
    await channel.send("y")
    assert [one.content for one in server.messages(server.general)] == ["y"]
    assert [(one.status, one.code) for one in server.calls if one.route.endswith("/messages")] == [
        (403, 50013),
        (404, 10003),
        (503, 0),
        (200, 0),
    ]


async def test_a_dropped_connection_may_or_may_not_have_had_its_effect(server: DiscordServer, raw: Raw) -> None:
    server.faults.fail_next[CREATE] = [Fault(kind="drop"), Fault(kind="effect_then_drop")]
    for count in (0, 1):
        with pytest.raises(aiohttp.ClientConnectionError):
            await raw.send(server.general, {"content": "x", "nonce": "n", "enforce_nonce": True})
        assert len(server.messages(server.general)) == count
    assert [one.status for one in server.calls] == [0, 0]
    again = await raw.send(server.general, {"content": "x", "nonce": "n", "enforce_nonce": True})
    assert again.body["id"] == server.messages(server.general)[0].id
    assert len(server.messages(server.general)) == 1


async def test_an_injected_rate_limit_is_waited_out_by_the_client(server: DiscordServer, client: Listener) -> None:
    server.faults.fail_next[CREATE] = [
        Fault(kind="rate_limit", retry_after=0.05),
        Fault(kind="rate_limit", retry_after=0.05, is_global=True),
    ]
    await client.text_channel(server.general).send("at last")
    assert server.rejected == 2
    sent = [one for one in server.calls if one.route.endswith("/messages")]
    assert [one.status for one in sent] == [429, 429, 200]
    assert sent[2].at - sent[0].at >= 0.1


async def test_a_long_rate_limit_is_an_error_for_a_client_that_says_so(server: DiscordServer, pointed: None) -> None:
    async with discord.Client(intents=discord.Intents.none(), max_ratelimit_timeout=30) as client:
        await client.login(server.token)
        server.faults.fail_next[CREATE] = [Fault(kind="rate_limit", retry_after=136.0)]
        with pytest.raises(discord.RateLimited) as limited:
            await client.get_partial_messageable(int(server.general)).send("x")
    assert limited.value.retry_after == 136.0


async def test_a_cloudflare_ban_is_raised_at_once(server: DiscordServer, client: Listener, raw: Raw) -> None:
    server.faults.fail_next[CREATE] = [Fault(kind="cloudflare_429", retry_after=900), Fault(kind="cloudflare_429")]
    reply = await raw.send(server.general, {"content": "x"})
    assert reply.status == 429
    assert "Via" not in reply.headers
    assert reply.headers["Content-Type"].startswith("text/html")
    assert reply.headers["Retry-After"] == "900"
    with pytest.raises(discord.HTTPException) as banned:
        await client.text_channel(server.general).send("x")
    assert banned.value.status == 429
    assert len([one for one in server.calls if one.route.endswith("/messages")]) == 2
    assert server.messages(server.general) == []


async def test_slowness_comes_before_the_effect(server: DiscordServer, raw: Raw) -> None:
    server.faults.latency = 0.05
    server.faults.fail_next[CREATE] = [Fault(kind="slow", seconds=0.1)]
    for least in (0.15, 0.05):
        await raw.say(server.general, "x")
        waited = server.messages(server.general)[-1].history[0][0] - server.calls[-1].at
        assert least <= waited < least + 1


async def test_people_meet_no_faults(server: DiscordServer) -> None:
    server.faults.fail_next[CREATE] = [Fault()]
    for n in range(7):
        await server.post_as(server.ada, server.general, f"line {n}")
    assert len(server.messages(server.general)) == 7
    assert len(server.faults.fail_next[CREATE]) == 1
