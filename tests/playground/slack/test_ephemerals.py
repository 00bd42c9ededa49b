"""Messages that only one person sees, and the ways by which a bot comes into a conversation."""

from typing import cast

from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import Channel, SlackServer
from bridge.playground.slack.model import JsonObject
from tests.playground.slack.peers import error_of


async def test_an_ephemeral_message_is_seen_by_one_person_and_read_back_by_nobody(
    server: SlackServer, client: AsyncWebClient
) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "hi")
    reply = await server.post_as("U0ADA", "C0GENERAL", "there", thread_ts=root)
    sent = await client.chat_postEphemeral(channel="C0GENERAL", user="U0ADA", text="a < b", thread_ts=root)
    (ephemeral,) = server.workspace.ephemerals
    assert (ephemeral.person, ephemeral.ts, ephemeral.visible_text) == ("U0ADA", sent["message_ts"], "a < b")
    assert [message.ts for message in server.messages("C0GENERAL")] == [root, reply]
    read = await client.conversations_replies(channel="C0GENERAL", ts=root)
    assert [message["ts"] for message in read["messages"]] == [root, reply]
    assert await error_of(client.chat_update(channel="C0GENERAL", ts=ephemeral.ts, text="b")) == "message_not_found"
    channels = cast("list[JsonObject]", server.snapshot()["channels"])
    assert channels[0]["ephemerals"] == [
        {"person": "U0ADA", "ts": ephemeral.ts, "thread_ts": root, "text": "a < b", "blocks": []}
    ]
    assert channels[1]["ephemerals"] == []


async def test_an_ephemeral_message_in_a_thread_that_nobody_has_begun_is_seen_by_nobody(
    server: SlackServer, client: AsyncWebClient
) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "hi")
    sent = await client.chat_postEphemeral(channel="C0GENERAL", user="U0ADA", text="a", thread_ts=root)
    assert sent["ok"] is True
    assert server.workspace.ephemerals == []


async def test_an_ephemeral_message_is_held_to_what_others_are_and_to_who_is_there(
    server: SlackServer, client: AsyncWebClient
) -> None:
    server.channels["C0GENERAL"].members.discard("U0LINUS")
    server.channels["C0OTHER"] = Channel(id="C0OTHER", name="other", members={"U0ADA"})
    server.scopes = [*server.scopes, "chat:write.public"]
    right: JsonObject = {"channel": "C0GENERAL", "user": "U0ADA", "text": "a"}
    wrong: list[tuple[JsonObject, str]] = [
        ({"channel": "C0NOWHERE"}, "channel_not_found"),
        ({"channel": "C0OTHER"}, "not_in_channel"),
        ({"user": "U0LINUS"}, "user_not_in_channel"),
        ({"user": server.bot_user_id}, "user_not_in_channel"),
        ({"user": ""}, "user_not_found"),
        ({"text": ""}, "no_text"),
        ({"text": "a" * 4_001}, "msg_too_long"),
        ({"blocks": [{"type": "carousel"}]}, "invalid_blocks"),
        ({"thread_ts": "1.000000"}, "thread_not_found"),
        ({"thread_ts": ""}, "invalid_thread_ts"),
        ({}, ""),
    ]
    for change, error in wrong:
        assert await error_of(client.api_call("chat.postEphemeral", json=right | change)) == error, change
    assert len(server.workspace.ephemerals) == 1


async def test_the_bot_joins_public_channels_only(server: SlackServer, client: AsyncWebClient) -> None:
    server.channels["C0OTHER"] = Channel(id="C0OTHER", name="other", members={"U0ADA"})
    server.channels["G0SECRET"] = Channel(id="G0SECRET", name="secret", kind="group", members={"U0ADA"})
    assert await error_of(client.conversations_join(channel="C0OTHER")) == "missing_scope"
    server.scopes = [*server.scopes, "channels:join"]
    for channel, error in (
        ("C0NOWHERE", "channel_not_found"),
        ("G0SECRET", "channel_not_found"),
        ("G0PRIVATE", "method_not_supported_for_channel_type"),
        ("C0OTHER", ""),
    ):
        assert await error_of(client.conversations_join(channel=channel)) == error
    assert (await client.conversations_join(channel="C0OTHER"))["warning"] == "already_in_channel"
    assert [one.type for one in server.deliveries] == ["message", "member_joined_channel"]
    assert "inviter" not in cast("JsonObject", server.deliveries[1].payload["event"])
    assert await error_of(client.chat_postMessage(channel="C0OTHER", text="hi")) == ""


async def test_a_direct_message_is_opened_once_and_written_to(server: SlackServer, client: AsyncWebClient) -> None:
    known = await client.conversations_open(users="U0ADA")
    assert (known["channel"]["id"], known["already_open"]) == ("D0ADA", True)
    opened = (await client.conversations_open(users=["U0GRACE"]))["channel"]["id"]
    assert (await client.conversations_open(users="U0GRACE"))["channel"]["id"] == opened
    assert (await client.conversations_open(channel=opened))["channel"]["id"] == opened
    assert server.channels[opened].kind == "im"
    await client.chat_postMessage(channel=opened, text="hello")
    together = "U0ADA,U0GRACE"
    assert await error_of(client.conversations_open(users=together)) == "missing_scope"
    server.scopes = [*server.scopes, "mpim:write"]
    group = (await client.conversations_open(users=together))["channel"]["id"]
    assert server.channels[group].members == {"U0ADA", "U0GRACE", server.bot_user_id}
    for users, error in (
        ("U0NOBODY", "user_not_found"),
        ("U0ADA,,U0GRACE", "users_list_not_supplied"),
        ("", "users_list_not_supplied"),
        (",".join(f"U{number}" for number in range(9)), "too_many_users"),
    ):
        assert await error_of(client.conversations_open(users=users)) == error
    assert await error_of(client.conversations_open(channel="C0GENERAL")) == "channel_not_found"
    server.scopes = ["channels:read"]
    assert await error_of(client.conversations_open(users="U0LINUS")) == "missing_scope"


async def test_a_permalink_names_the_message_and_its_thread(server: SlackServer, client: AsyncWebClient) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "hi")
    reply = await server.post_as("U0ADA", "C0GENERAL", "more", thread_ts=root)
    link = (await client.chat_getPermalink(channel="C0GENERAL", message_ts=root))["permalink"]
    assert link == f"https://playground.slack.example/archives/C0GENERAL/p{root.replace('.', '')}"
    below = (await client.chat_getPermalink(channel="C0GENERAL", message_ts=reply))["permalink"]
    assert below.endswith(f"?thread_ts={root}&cid=C0GENERAL")
    missing = client.chat_getPermalink(channel="C0GENERAL", message_ts="1.000000")
    assert await error_of(missing) == "message_not_found"
    assert await error_of(client.chat_getPermalink(channel="C0", message_ts=root)) == "channel_not_found"


async def test_the_team_tells_its_name_to_who_may_ask(server: SlackServer, client: AsyncWebClient) -> None:
    assert await error_of(client.team_info()) == "missing_scope"
    server.scopes = [*server.scopes, "team:read"]
    assert (await client.team_info())["team"]["name"] == "Playground"
    assert await error_of(client.team_info(team="T0OTHER")) == "team_not_found"
