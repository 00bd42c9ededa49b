"""What Discord refuses is refused, and what it just accepts is accepted."""

import discord
import pytest

from bridge.playground.discord import DiscordServer, limits
from bridge.playground.discord.buckets import Buckets
from bridge.playground.discord.permissions import (
    ADD_REACTIONS,
    CREATE_PUBLIC_THREADS,
    DEFAULT_PERMISSIONS,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    VIEW_CHANNEL,
)
from tests.playground.discord.clients import Listener, Raw
from tests.playground.discord.conftest import Connect

SOMEBODY = "1300000000000009999"


async def test_a_wrong_token_is_refused_everywhere(server: DiscordServer, pointed: None, raw: Raw) -> None:
    reply = await raw.call("GET", "/users/@me", token="wrong")
    assert (reply.status, reply.body) == (401, {"message": "401: Unauthorized", "code": 0})
    async with discord.Client(intents=discord.Intents.none()) as client:
        with pytest.raises(discord.LoginFailure):
            await client.login("wrong")


async def test_unknown_things_have_their_own_codes(server: DiscordServer, raw: Raw) -> None:
    assert (await raw.call("GET", "/nothing")).body == {"message": "404: Not Found", "code": 0}
    assert (await raw.call("GET", f"/channels/{SOMEBODY}")).code == 10003
    assert (await raw.call("GET", f"/guilds/{SOMEBODY}")).code == 10004
    assert (await raw.edit(server.general, SOMEBODY, {"content": "x"})).code == 10008
    assert (await raw.call("GET", f"/users/{SOMEBODY}")).code == 10013
    assert (await raw.call("GET", "/channels/general")).code == 50035


async def test_the_gateway_is_where_it_says(server: DiscordServer, raw: Raw) -> None:
    assert (await raw.call("GET", "/gateway")).body == {"url": server.gateway_url}
    found = (await raw.call("GET", "/gateway/bot")).body
    assert (found["url"], found["shards"]) == (server.gateway_url, 1)
    assert isinstance(found["session_start_limit"], dict)
    assert found["session_start_limit"]["remaining"] == 1000
    for path in ("/applications/@me", "/oauth2/applications/@me"):
        assert (await raw.call("GET", path)).body["id"] == server.application_id


async def test_two_thousand_characters_pass_and_one_more_does_not(server: DiscordServer, raw: Raw) -> None:
    kept = await raw.say(server.general, "🎈" * 2000)  # code points, not UTF-16 units
    refused = await raw.send(server.general, {"content": "🎈" * 2001})
    assert (refused.status, refused.code) == (400, 50035)
    assert refused.body["errors"] == {
        "content": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]}
    }
    assert (await raw.edit(server.general, kept, {"content": "x" * 2000})).status == 200
    assert (await raw.edit(server.general, kept, {"content": "x" * 2001})).code == 50035


@pytest.mark.parametrize("content", [None, "", " \n\t "])
async def test_an_empty_message_is_refused(server: DiscordServer, raw: Raw, content: str | None) -> None:
    assert (await raw.send(server.general, {"content": content})).code == 50006
    kept = await raw.say(server.support, "something")
    assert (await raw.edit(server.support, kept, {"content": content})).code == 50006


@pytest.mark.parametrize(
    "body",
    [
        {"content": 7},
        {"content": "x", "nonce": "n" * 26},
        {"content": "x", "nonce": True},
        {"content": "x", "enforce_nonce": "yes"},
        {"content": "x", "flags": 1 << 15},
        {"content": "x", "embeds": [{"title": "not shown here"}]},
        {"content": "x", "allowed_mentions": {"parse": ["users"], "users": [SOMEBODY]}},
        {"content": "x", "allowed_mentions": {"parse": ["roles"], "roles": [SOMEBODY]}},
        {"content": "x", "allowed_mentions": {"parse": ["all"]}},
        {"content": "x", "allowed_mentions": {"parse": [], "users": ["ada"]}},
        {"content": "x", "allowed_mentions": {"users": [SOMEBODY] * 101}},
        {"content": "x", "allowed_mentions": {"parse": [], "replied_user": "no"}},
        {"content": "x", "message_reference": {"message_id": SOMEBODY}},
        {"content": "x", "message_reference": {"channel_id": SOMEBODY}},
    ],
)
async def test_a_malformed_message_is_refused(server: DiscordServer, raw: Raw, body: object) -> None:
    reply = await raw.send(server.general, body)
    assert (reply.status, reply.code) == (400, 50035)
    assert "errors" in reply.body
    assert server.messages(server.general) == []


async def test_what_is_not_an_object_is_no_json_for_discord(server: DiscordServer, raw: Raw) -> None:
    assert (await raw.send(server.general, ["x"])).code == 50109


async def test_a_reply_to_a_vanished_message_may_be_asked_for(server: DiscordServer, raw: Raw) -> None:
    gone = {"message_id": SOMEBODY, "fail_if_not_exists": False}
    assert (await raw.send(server.general, {"content": "x", "message_reference": gone})).status == 200
    elsewhere = {"message_id": await raw.say(server.support, "there"), "channel_id": server.support}
    assert (await raw.send(server.general, {"content": "x", "message_reference": elsewhere})).code == 50035


async def test_the_same_nonce_returns_the_first_message(server: DiscordServer, raw: Raw) -> None:
    body = {"content": "once", "nonce": "n" * 25, "enforce_nonce": True}
    first = await raw.send(server.general, body)
    second = await raw.send(server.general, body | {"content": "twice"})
    assert second.body["id"] == first.body["id"]
    assert second.body["content"] == "once"
    elsewhere = await raw.send(server.support, body)
    assert elsewhere.body["id"] != first.body["id"]
    unenforced = await raw.send(server.general, {"content": "again", "nonce": "n" * 25})
    assert unenforced.body["id"] != first.body["id"]
    server.nonce_window = 0.0
    assert (await raw.send(server.general, body)).body["id"] not in (first.body["id"], unenforced.body["id"])


async def test_messages_of_others_cannot_be_changed(server: DiscordServer, raw: Raw) -> None:
    message_id = await server.post_as(server.ada, server.general, "mine")
    assert (await raw.edit(server.general, message_id, {"content": "x"})).code == 50005
    assert (await raw.call("DELETE", f"/channels/{server.general}/messages/{message_id}")).code == 50013
    own = await raw.say(server.general, "ours")
    assert (await raw.call("DELETE", f"/channels/{server.general}/messages/{own}")).status == 204
    assert [one.content for one in server.messages(server.general)] == ["mine"]


async def test_a_person_may_block_direct_messages(server: DiscordServer, raw: Raw) -> None:
    server.dm_blocked.add(server.ada)
    reply = await raw.send(server.dm_ada, {"content": "hello"})
    assert (reply.status, reply.code) == (403, 50007)


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        (SEND_MESSAGES, 50013),
        (VIEW_CHANNEL, 50001),
    ],
)
async def test_sending_needs_permission(server: DiscordServer, raw: Raw, missing: int, code: int) -> None:
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~missing
    reply = await raw.send(server.general, {"content": "x"})
    assert (reply.status, reply.code) == (403, code)
    assert (await raw.send(server.support, {"content": "x"})).status == 200


async def test_threads_reactions_history_and_replies_need_permission(server: DiscordServer, raw: Raw) -> None:
    question = await server.post_as(server.ada, server.general, "hm")
    path = f"/channels/{server.general}/messages/{question}"
    thread_id = await server.open_thread_as(server.ada, server.general, "Plans")
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~(
        CREATE_PUBLIC_THREADS | ADD_REACTIONS | READ_MESSAGE_HISTORY | SEND_MESSAGES_IN_THREADS
    )
    assert (await raw.call("POST", path + "/threads", {"name": "x"})).code == 50013
    assert (await raw.call("PUT", path + "/reactions/👍/@me")).code == 50013
    assert (await raw.call("GET", path)).code == 50013
    assert (await raw.call("GET", f"/channels/{server.general}/messages")).text == "[]"
    reply = {"content": "x", "message_reference": {"message_id": question}}
    assert (await raw.send(server.general, reply)).code == 160002
    assert (await raw.send(thread_id, {"content": "x"})).code == 50013


async def test_the_client_knows_what_it_may_not_do(server: DiscordServer, connect: Connect) -> None:
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~SEND_MESSAGES
    client = await connect()
    channel = client.text_channel(server.general)
    assert not channel.permissions_for(channel.guild.me).send_messages
    assert channel.permissions_for(channel.guild.me).view_channel


async def test_a_channel_that_the_bot_cannot_see_is_silent(server: DiscordServer, client: Listener) -> None:
    server.permissions[server.general] = 0
    await server.post_as(server.ada, server.general, "secret")
    await server.post_as(server.ada, server.support, "public")
    await client.until(lambda: bool(client.heard))
    assert client.texts() == ["public"]


async def test_thread_names_have_a_length_and_threads_a_number(server: DiscordServer, raw: Raw) -> None:
    ids = [await server.post_as(server.ada, server.general, f"question {n}") for n in range(3)]

    async def start(message_id: str, name: str, **more: object) -> int | object:
        path = f"/channels/{server.general}/messages/{message_id}/threads"
        reply = await raw.call("POST", path, {"name": name} | more)
        return reply.code or reply.status

    assert await start(ids[0], "x" * 101) == 50035
    server.buckets = Buckets(server.clock)  # the bucket is not what is tried here
    assert await start(ids[0], "  ") == 50035
    assert await start(ids[0], "x", auto_archive_duration=90) == 50035
    assert await start(ids[0], "x" * 100) == 201
    assert await start(ids[0], "again") == 160004
    server.max_active_threads = 1
    assert await start(ids[1], "one too many") == 160006
    server.buckets = Buckets(server.clock)
    await server.archive_as(server.ada, ids[0])
    assert await start(ids[1], "room again") == 201
    assert await start(SOMEBODY, "x") == 10008
    starter = server.messages(ids[1])[0].id
    inside = await raw.call("POST", f"/channels/{ids[1]}/messages/{starter}/threads", {"name": "x"})
    assert inside.code == 50024


async def test_edits_of_old_messages_may_be_used_up(server: DiscordServer, raw: Raw) -> None:
    message_id = await raw.say(server.general, "old")
    server.old_edits_refused = True
    assert (await raw.edit(server.general, message_id, {"content": "new"})).status == 200
    kept = server.messages(server.general)[0]
    kept.created = kept.created.replace(year=kept.created.year - 1)
    reply = await raw.edit(server.general, message_id, {"content": "newer"})
    assert (reply.status, reply.code) == (429, 30046)


async def test_the_sixth_message_in_five_seconds_is_rejected(server: DiscordServer, raw: Raw) -> None:
    for left in (4, 3, 2, 1, 0):
        reply = await raw.send(server.general, {"content": "x"})
        assert reply.headers["X-RateLimit-Limit"] == "5"
        assert reply.headers["X-RateLimit-Remaining"] == str(left)
        assert 0 < float(reply.headers["X-RateLimit-Reset-After"]) <= 5
        assert float(reply.headers["X-RateLimit-Reset"]) > server.clock.now().timestamp()
        assert reply.headers["Content-Type"] == "application/json"
    rejected = await raw.send(server.general, {"content": "x"})
    assert rejected.status == 429
    assert rejected.headers["Via"] == "1.1 google"
    assert rejected.headers["X-RateLimit-Scope"] == "user"
    assert int(rejected.headers["Retry-After"]) == 5
    assert rejected.body["global"] is False
    assert isinstance(rejected.body["retry_after"], float)
    assert 4 < rejected.body["retry_after"] <= 5
    assert server.rejected == 1
    assert len(server.messages(server.general)) == 5
    # Edits have a budget of their own, and so has the next channel.
    edited = await raw.edit(server.general, server.messages(server.general)[0].id, {"content": "y"})
    assert edited.status == 200
    assert edited.headers["X-RateLimit-Bucket"] != rejected.headers["X-RateLimit-Bucket"]
    assert (await raw.send(server.support, {"content": "x"})).status == 200


async def test_edits_of_all_messages_in_a_channel_share_a_bucket(server: DiscordServer, raw: Raw) -> None:
    ids = [await raw.say(server.general, f"m{n}") for n in range(2)]
    statuses = [(await raw.edit(server.general, ids[n % 2], {"content": f"e{n}"})).status for n in range(6)]
    assert statuses == [200] * 5 + [429]


async def test_refused_calls_cost_as_much_as_others(server: DiscordServer, raw: Raw) -> None:
    statuses = [(await raw.send(server.general, {"content": ""})).status for _ in range(6)]
    assert statuses == [400] * 5 + [429]


async def test_the_window_is_fixed_and_reopens(
    server: DiscordServer, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [100.0]
    monkeypatch.setattr(server.clock, "monotonic", lambda: moment[0])
    for at, status in (
        (100.0, 200),
        (104.0, 200),
        (104.0, 200),
        (104.9, 200),
        (104.9, 200),
        (104.9, 429),
        (105.0, 200),
    ):
        moment[0] = at
        assert (await raw.send(server.general, {"content": "x"})).status == status, at


async def test_the_real_client_keeps_within_the_bucket(
    server: DiscordServer, client: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(limits.BUCKETS, "POST /channels/{channel_id}/messages", limits.Window(limit=2, seconds=0.3))
    for n in range(5):
        await client.text_channel(server.general).send(f"line {n}")
    assert server.rejected == 0
    times = [one.history[0][0] for one in server.messages(server.general)]
    assert times[4] - times[0] >= 0.6


async def test_fifty_calls_a_second_are_all_that_a_bot_has(
    server: DiscordServer, raw: Raw, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.clock, "monotonic", lambda: 7.0)
    replies = [await raw.call("GET", f"/channels/{int(SOMEBODY) + n}") for n in range(51)]
    assert [one.status for one in replies] == [404] * 50 + [429]
    assert replies[-1].body["global"] is True
    assert replies[-1].headers["X-RateLimit-Global"] == "true"
    assert replies[-1].headers["X-RateLimit-Scope"] == "global"


async def test_names_change_twice_in_ten_minutes(server: DiscordServer, client: Listener, raw: Raw) -> None:
    await server.post_as(server.ada, server.general, "hm")
    await client.until(lambda: len(client.heard) == 1)
    thread = await client.heard[0].create_thread(name="zero")
    replies = [await raw.call("PATCH", f"/channels/{thread.id}", {"name": name}) for name in ("one", "two", "three")]
    assert [one.status for one in replies] == [200, 200, 429]
    assert replies[2].headers["X-RateLimit-Remaining"] == "2"  # a limit that the headers do not show
    assert isinstance(replies[2].body["retry_after"], float)
    assert replies[2].body["retry_after"] > 590


async def test_mentions_ping_only_whom_the_request_allows(server: DiscordServer, raw: Raw) -> None:
    text = f"@everyone @here <@{server.ada}> <@!{server.grace}> <@&{server.bot_role_id}> <@{SOMEBODY}>"
    everything = [
        "@everyone",
        "@here",
        f"<@{server.ada}>",
        f"<@{server.grace}>",
        f"<@&{server.bot_role_id}>",
    ]

    async def pinged(allowed: object) -> list[str]:
        server.pings.clear()
        body = {"content": text} | ({} if allowed is ... else {"allowed_mentions": allowed})
        place = await server.add_channel("a fresh bucket")
        assert (await raw.send(place, body)).status == 200
        return [what for _, what in server.pings]

    assert await pinged(...) == everything
    assert await pinged({"parse": []}) == []
    assert await pinged({}) == []
    assert await pinged({"parse": ["everyone"]}) == ["@everyone", "@here"]
    assert await pinged({"parse": ["roles"], "users": [server.ada]}) == [
        f"<@{server.ada}>",
        f"<@&{server.bot_role_id}>",
    ]


@pytest.mark.parametrize(
    ("text", "pings"),
    [
        ("`@everyone` and ``` @here ```", []),
        ("\\`@everyone\\`", ["@everyone"]),
        ("\\@everyone", ["@everyone"]),
        ("@\u200beveryone", []),
    ],
)
async def test_only_code_keeps_a_mention_from_pinging(
    server: DiscordServer, raw: Raw, text: str, pings: list[str]
) -> None:
    await raw.say(server.general, text)
    assert [what for _, what in server.pings] == pings


async def test_an_edit_without_the_field_mentions_and_one_with_an_empty_field_does_not(
    server: DiscordServer, raw: Raw
) -> None:
    kept = await raw.say(server.general, "quiet")
    text = {"content": f"<@{server.ada}> @everyone"}
    await raw.edit(server.general, kept, text | {"allowed_mentions": {"parse": []}})
    message = server.messages(server.general)[0]
    assert (message.mentions, message.mention_everyone, server.pings) == ((), False, [])
    await raw.edit(server.general, kept, text)
    assert (message.mentions, message.mention_everyone) == ((server.ada,), True)
    assert server.pings == [(kept, "@everyone"), (kept, f"<@{server.ada}>")]
    await raw.edit(server.general, kept, text)
    assert len(server.pings) == 2  # nobody is called twice by one message


async def test_edits_and_replies_can_ping_too(server: DiscordServer, raw: Raw) -> None:
    question = await server.post_as(server.ada, server.general, "hm")
    reply = {"content": "so", "message_reference": {"message_id": question}, "allowed_mentions": {"parse": []}}
    quiet = await raw.send(server.general, reply)
    message_id = str(quiet.body["id"])
    quiet_edit = {"content": "@everyone so", "allowed_mentions": {"parse": []}}
    assert (await raw.edit(server.general, message_id, quiet_edit)).status == 200
    assert server.pings == []
    loud = await raw.send(server.general, reply | {"allowed_mentions": {"parse": [], "replied_user": True}})
    assert server.pings == [(loud.body["id"], f"reply <@{server.ada}>")]
    server.pings.clear()
    await raw.edit(server.general, message_id, {"content": "@everyone so"})
    assert (message_id, "@everyone") in server.pings
    assert server.messages(server.general)[1].allowed_mentions == {"parse": []}


async def test_people_cannot_send_what_their_client_would_not(server: DiscordServer) -> None:
    with pytest.raises(ValueError, match="2000"):
        await server.post_as(server.ada, server.general, "x" * 2001)
    with pytest.raises(ValueError, match="needs text"):
        await server.post_as(server.ada, server.general, " ")
    with pytest.raises(KeyError):
        await server.post_as(SOMEBODY, server.general, "who?")
    with pytest.raises(ValueError, match="direct message"):
        await server.post_as(server.grace, server.dm_ada, "hello")
    assert await server.open_dm(server.ada) == server.dm_ada
    assert await server.post_as(server.grace, await server.open_dm(server.grace), "hello")
