"""What the app is told: which events, with which fields, and when not."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import Channel, File, SlackServer
from bridge.playground.slack.model import JsonObject
from tests.playground.slack.peers import MENTION


def _events(server: SlackServer) -> list[JsonObject]:
    """Every event so far, sent or not: what would be delivered does not depend on who is connected."""
    return [one.payload["event"] for one in server.deliveries]  # type: ignore[misc]


@pytest.fixture(autouse=True)
def no_retries(server: SlackServer) -> None:
    server.retry_schedule = ()


async def test_the_envelope_names_app_team_and_installation(server: SlackServer) -> None:
    await server.post_as("U0ADA", "C0GENERAL", "hi")
    server.channels["C0GENERAL"].is_ext_shared = True
    await server.post_as("U0ADA", "C0GENERAL", "hi")
    first, second = (one.payload for one in server.deliveries)
    assert (first["type"], first["api_app_id"], first["team_id"]) == ("event_callback", server.app_id, server.team_id)
    assert (first["is_ext_shared_channel"], second["is_ext_shared_channel"]) == (False, True)
    assert first["authorizations"][0]["user_id"] == server.bot_user_id  # type: ignore[index]
    assert first["event_id"] != second["event_id"]
    assert isinstance(first["event_time"], int)


@pytest.mark.parametrize(
    ("channel", "kind"), [("C0GENERAL", "channel"), ("G0PRIVATE", "group"), ("D0ADA", "im"), ("M0MANY", "mpim")]
)
async def test_a_message_event_says_what_kind_of_channel_it_is_in(server: SlackServer, channel: str, kind: str) -> None:
    server.channels["M0MANY"] = Channel(id="M0MANY", name="many", kind="mpim", members={"U0ADA", server.bot_user_id})
    ts = await server.post_as("U0ADA", channel, "a & <b>")
    [event] = _events(server)
    assert event == event | {
        "type": "message",
        "channel": channel,
        "channel_type": kind,
        "user": "U0ADA",
        "team": server.team_id,
        "ts": ts,
        "event_ts": ts,
        "text": "a &amp; &lt;b&gt;",
    }
    assert {"thread_ts", "subtype", "bot_id", "files"}.isdisjoint(event)


async def test_a_mention_arrives_twice_in_any_order_except_in_a_direct_message(server: SlackServer) -> None:
    orders = set()
    for _ in range(12):
        before = len(server.deliveries)
        await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} hi")
        pair = server.deliveries[before:]
        orders.add(tuple(one.type for one in pair))
        assert pair[0].event_id != pair[1].event_id
        events = _events(server)[before:]
        assert events[0]["ts"] == events[1]["ts"]
        mention = next(event for event in events if event["type"] == "app_mention")
        assert "channel_type" not in mention
    assert orders == {("message", "app_mention"), ("app_mention", "message")}
    before = len(server.deliveries)
    await server.post_as("U0ADA", "D0ADA", f"{MENTION} hi")
    await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} has joined", subtype="channel_join")
    assert [one.type for one in server.deliveries[before:]] == ["message", "message"]


async def test_a_reply_names_its_root_and_the_roots_author(server: SlackServer) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "hi")
    await server.post_as("U0GRACE", "C0GENERAL", "hello", thread_ts=root)
    event = _events(server)[-1]
    assert (event["thread_ts"], event["parent_user_id"]) == (root, "U0ADA")


async def test_files_come_with_the_message_and_with_the_mention(server: SlackServer) -> None:
    file = File(id="F1", name="notes.pdf", mimetype="application/pdf", size=9)
    await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} read this", files=[file])
    by_type = {str(event["type"]): event for event in _events(server)}
    assert by_type["message"]["subtype"] == "file_share"
    assert "subtype" not in by_type["app_mention"]
    for event in by_type.values():
        assert event["files"][0]["name"] == "notes.pdf"  # type: ignore[index]


async def test_other_bots_are_marked(server: SlackServer) -> None:
    await server.post_as("U0OTHERBOT", "C0GENERAL", "beep", bot_id="B0OTHER")
    await server.post_as("U0OTHERBOT", "C0GENERAL", "beep", bot_id="B0OTHER", subtype="bot_message")
    modern, classic = _events(server)
    assert (modern["bot_id"], modern["user"]) == ("B0OTHER", "U0OTHERBOT")
    assert classic["subtype"] == "bot_message"
    assert "user" not in classic


async def test_the_bot_hears_itself(server: SlackServer, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C0GENERAL", text=f"I am {MENTION}"))["ts"]
    await client.chat_update(channel="C0GENERAL", ts=ts, text="still me")
    await client.reactions_add(channel="C0GENERAL", timestamp=ts, name="eyes")
    await client.chat_delete(channel="C0GENERAL", ts=ts)
    posted, updated, reacted, deleted = _events(server)
    assert (posted["user"], posted["bot_id"], posted["app_id"]) == (server.bot_user_id, server.bot_id, server.app_id)
    assert updated["subtype"] == "message_changed"
    assert updated["message"]["bot_id"] == server.bot_id  # type: ignore[index]
    assert updated["message"]["text"] == "still me"  # type: ignore[index]
    assert updated["previous_message"]["text"] == f"I am {MENTION}"  # type: ignore[index]
    assert (reacted["user"], reacted["item_user"]) == (server.bot_user_id, server.bot_user_id)
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", ts)


async def test_a_persons_edit_is_marked_as_one_and_an_edit_without_change_is_none(server: SlackServer) -> None:
    ts = await server.post_as("U0ADA", "C0GENERAL", "hi")
    await server.edit_as("U0ADA", "C0GENERAL", ts, "hi")
    await server.edit_as("U0ADA", "C0GENERAL", ts, "hello")
    _, edited = _events(server)
    assert (edited["subtype"], edited["hidden"], edited["channel_type"]) == ("message_changed", True, "channel")
    now, before = edited["message"], edited["previous_message"]
    assert isinstance(now, dict)
    assert isinstance(before, dict)
    assert (now["text"], before["text"], now["ts"], before["ts"]) == ("hello", "hi", ts, ts)
    assert (now["user"], now["edited"]["user"], "edited" in before) == ("U0ADA", "U0ADA", False)
    assert now["edited"]["ts"] == f"{str(edited['event_ts']).split('.')[0]}.000000"
    assert edited["event_ts"] == edited["ts"] != ts
    assert "channel" not in now


async def test_an_edited_reply_names_its_thread(server: SlackServer) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "hi")
    reply = await server.post_as("U0GRACE", "C0GENERAL", "hello", thread_ts=root)
    await server.edit_as("U0GRACE", "C0GENERAL", reply, "hello!")
    now = _events(server)[-1]["message"]
    assert isinstance(now, dict)
    assert (now["thread_ts"], now["parent_user_id"]) == (root, "U0ADA")


async def test_a_preview_changes_a_message_that_nobody_edited(server: SlackServer) -> None:
    ts = await server.post_as("U0ADA", "C0GENERAL", "see <https://x.example>")
    await server.unfurl("C0GENERAL", ts, "https://x.example")
    changed = _events(server)[-1]
    now, before = changed["message"], changed["previous_message"]
    assert isinstance(now, dict)
    assert isinstance(before, dict)
    assert changed["subtype"] == "message_changed"
    assert now["text"] == before["text"]
    assert [one["from_url"] for one in now["attachments"]] == ["https://x.example"]
    assert "attachments" not in before
    assert "edited" not in now


async def test_what_is_deleted_is_told_with_what_it_was(server: SlackServer) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "root")
    reply = await server.post_as("U0GRACE", "C0GENERAL", "reply", thread_ts=root)
    await server.edit_as("U0ADA", "C0GENERAL", root, "edited root")
    await server.delete_as("U0ADA", "C0GENERAL", root)
    await server.delete_as("U0GRACE", "C0GENERAL", reply)
    tombstone, deleted = _events(server)[-2:]
    left = tombstone["message"]
    assert isinstance(left, dict)
    assert (tombstone["subtype"], left["subtype"], left["ts"], left["hidden"]) == (
        "message_changed",
        "tombstone",
        root,
        True,
    )
    assert (left["user"], "edited" in left) == ("USLACKBOT", False)
    assert tombstone["previous_message"]["text"] == "edited root"  # type: ignore[index]
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", reply)
    assert deleted["previous_message"]["user"] == "U0GRACE"  # type: ignore[index]


async def test_reactions_carry_whose_message_it_is_and_growing_times(server: SlackServer) -> None:
    ts = await server.post_as("U0ADA", "C0GENERAL", "hi")
    await server.react("U0GRACE", "C0GENERAL", ts, "+1")
    await server.react("U0GRACE", "C0GENERAL", ts, "+1")  # already there
    await server.unreact("U0GRACE", "C0GENERAL", ts, "+1")
    added, removed = _events(server)[1:]
    assert added == {
        "type": "reaction_added",
        "user": "U0GRACE",
        "reaction": "+1",
        "item": {"type": "message", "channel": "C0GENERAL", "ts": ts},
        "item_user": "U0ADA",
        "event_ts": added["event_ts"],
    }
    assert removed["type"] == "reaction_removed"
    assert str(removed["event_ts"]) > str(added["event_ts"])


async def test_nothing_is_sent_from_channels_without_the_bot_or_without_the_scope(server: SlackServer) -> None:
    server.channels["C0OTHER"] = Channel(id="C0OTHER", name="other", members={"U0ADA"})
    await server.post_as("U0ADA", "C0OTHER", f"{MENTION} hi")
    assert server.deliveries == []
    server.scopes = ["app_mentions:read"]
    ts = await server.post_as("U0ADA", "C0GENERAL", f"{MENTION} hi")
    await server.react("U0ADA", "C0GENERAL", ts, "eyes")
    assert [one.type for one in server.deliveries] == ["app_mention"]
    for scope, channel in (("groups:history", "G0PRIVATE"), ("im:history", "D0ADA"), ("channels:history", "C0GENERAL")):
        server.scopes = [scope]
        before = len(server.deliveries)
        for somewhere in ("C0GENERAL", "G0PRIVATE", "D0ADA"):
            await server.post_as("U0ADA", somewhere, "hi")
        heard = [one.payload["event"]["channel"] for one in server.deliveries[before:]]  # type: ignore[index]
        assert heard == [channel]
