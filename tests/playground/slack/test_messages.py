"""What happens to messages: threads, edits, what is seen, what would ping, what comes back."""

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from tests.fakes.clock import FakeClock
from tests.playground.slack.peers import error_of, web_client


async def test_a_reply_needs_a_root_that_exists_and_is_a_root(server: SlackServer, client: AsyncWebClient) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "hi")
    reply = (await client.chat_postMessage(channel="C0GENERAL", text="a", thread_ts=root))["ts"]
    for thread_ts, error in (
        ("", "invalid_thread_ts"),
        ("soon", "invalid_thread_ts"),
        ("1.000000", "thread_not_found"),
        (reply, "cannot_reply_to_message"),
    ):
        assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="b", thread_ts=thread_ts)) == error
    assert await error_of(client.chat_postMessage(channel="C0SUPPORT", text="b", thread_ts=root)) == "thread_not_found"
    assert [message.ts for message in server.messages("C0GENERAL", root)] == [root, reply]


async def test_only_own_messages_can_be_changed_and_only_those_that_exist(
    server: SlackServer, client: AsyncWebClient
) -> None:
    theirs = await server.post_as("U0ADA", "C0GENERAL", "hi")
    assert await error_of(client.chat_update(channel="C0GENERAL", ts=theirs, text="x")) == "cant_update_message"
    assert await error_of(client.chat_delete(channel="C0GENERAL", ts=theirs)) == "cant_delete_message"
    assert await error_of(client.chat_update(channel="C0GENERAL", ts="1.000000", text="x")) == "message_not_found"
    assert await error_of(client.chat_update(channel="C0", ts=theirs, text="x")) == "channel_not_found"
    assert server.message("C0GENERAL", theirs).text == "hi"


async def test_a_message_remembers_how_it_grew(client: AsyncWebClient, server: SlackServer) -> None:
    ts = (await client.chat_postMessage(channel="C0GENERAL", text="a"))["ts"]
    await client.chat_update(channel="C0GENERAL", ts=ts, text="a &lt;b&gt;")
    history = server.message("C0GENERAL", ts).history
    assert [text for _, text in history] == ["a", "a <b>"]
    assert history[0][0] <= history[1][0]


async def test_new_text_without_blocks_takes_the_blocks_away(client: AsyncWebClient, server: SlackServer) -> None:
    blocks = [{"type": "markdown", "text": "**a**"}, {"type": "markdown", "text": "b"}]
    ts = (await client.chat_postMessage(channel="C0GENERAL", text="short", blocks=blocks))["ts"]
    message = server.message("C0GENERAL", ts)
    assert (message.visible_text, message.edited) == ("**a**\nb", False)
    await client.chat_update(channel="C0GENERAL", ts=ts, text="shorter", blocks=blocks[:1])
    assert (message.visible_text, message.edited) == ("**a**", False)
    await client.chat_update(channel="C0GENERAL", ts=ts, text="only text")
    assert (message.visible_text, message.edited) == ("only text", True)


async def test_markdown_comes_back_as_other_blocks_than_were_sent(client: AsyncWebClient, server: SlackServer) -> None:
    markdown = "# Title\nSome **bold** text\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    blocks = [{"type": "markdown", "text": markdown}]
    posted = await client.chat_postMessage(channel="C0GENERAL", text="short", blocks=blocks)
    read = await client.conversations_replies(channel="C0GENERAL", ts=posted["ts"])
    for message in (posted["message"], read["messages"][0]):
        assert [block["type"] for block in message["blocks"]] == ["header", "rich_text", "divider", "table"]
        assert message["blocks"][1]["elements"][0]["elements"] == [{"type": "text", "text": "Some bold text"}]
        assert (message["text"], message["bot_id"]) == ("short", server.bot_id)
    assert server.message("C0GENERAL", posted["ts"]).visible_text == markdown


async def test_text_is_stored_escaped_and_seen_unescaped(client: AsyncWebClient, server: SlackServer) -> None:
    posted = await client.chat_postMessage(channel="C0GENERAL", text="a & b < c &amp; <https://x.example|x>")
    assert posted["message"]["text"] == "a &amp; b &lt; c &amp; <https://x.example|x>"
    assert server.message("C0GENERAL", posted["ts"]).visible_text == "a & b < c & <https://x.example|x>"


@pytest.mark.parametrize(
    ("text", "live"),
    [
        ("hey <!channel>", ["<!channel>"]),
        ("<!here|here> <!everyone>", ["<!here|here>", "<!everyone>"]),
        ("<!subteam^S123> <@U0ADA>", ["<!subteam^S123>", "<@U0ADA>"]),
        ("&lt;!channel&gt; @channel <#C0GENERAL> <!date^1^x|y> a@here.example", []),
    ],
)
async def test_live_mentions_in_text_are_recorded(
    client: AsyncWebClient, server: SlackServer, text: str, live: list[str]
) -> None:
    ts = (await client.chat_postMessage(channel="C0GENERAL", text="quiet"))["ts"]
    assert server.pings == []
    await client.chat_update(channel="C0GENERAL", ts=ts, text=text)
    assert server.pings == [(ts, token) for token in live]


@pytest.mark.parametrize(
    ("markdown", "live"),
    [
        ("hey <!channel>", ["<!channel>"]),
        ("`<@U0ADA>` and @here!", ["<@U0ADA>", "@here"]),
        ("&lt;!channel&gt; and \\<@U0ADA\\> and \\@here", ["<!channel>", "<@U0ADA>", "@here"]),
        ("<\u200b!channel> &lt;\u200b@U0ADA&gt; @\u200bhere", []),
        ("<\u2060!channel> @\u2060channel me@channel.example @channels", []),
    ],
)
async def test_live_mentions_in_markdown_are_recorded_in_code_and_bare_ones_too(
    client: AsyncWebClient, server: SlackServer, markdown: str, live: list[str]
) -> None:
    blocks = [{"type": "markdown", "text": markdown}]
    ts = (await client.chat_postMessage(channel="C0GENERAL", text="quiet", blocks=blocks))["ts"]
    assert server.pings == [(ts, token) for token in live]


async def test_asking_slack_to_link_names_makes_bare_mentions_live(client: AsyncWebClient, server: SlackServer) -> None:
    await client.chat_postMessage(channel="C0GENERAL", text="@channel", link_names=True)
    await client.chat_postMessage(channel="C0GENERAL", text="@here", parse="full")
    assert [token for _, token in server.pings] == ["@channel", "@here"]
    assert server.calls[0].args["link_names"] is True


async def test_reactions_are_refused_as_slack_refuses_them(server: SlackServer, client: AsyncWebClient) -> None:
    ts = await server.post_as("U0ADA", "C0GENERAL", "hi")
    where = {"channel": "C0GENERAL", "timestamp": ts}
    assert await error_of(client.reactions_add(**where, name="+1::skin-tone-3")) == ""
    assert await error_of(client.reactions_add(**where, name="+1::skin-tone-3")) == "already_reacted"
    assert await error_of(client.reactions_add(**where, name=":+1:")) == "invalid_name"
    assert await error_of(client.reactions_remove(**where, name="eyes")) == "no_reaction"
    for timestamp, error in (("now", "bad_timestamp"), ("1.000000", "message_not_found")):
        assert await error_of(client.reactions_add(channel="C0GENERAL", timestamp=timestamp, name="eyes")) == error


async def test_threads_and_history_are_read_in_pages(server: SlackServer, client: AsyncWebClient) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "root")
    replies = [await server.post_as("U0GRACE", "C0GENERAL", str(number), thread_ts=root) for number in range(3)]
    seen: list[str] = []
    async for page in await client.conversations_replies(channel="C0GENERAL", ts=root, limit=2):
        seen += [message["ts"] for message in page["messages"]]
    assert seen == [root, *replies]
    later = await client.conversations_replies(channel="C0GENERAL", ts=root, oldest=replies[0])
    assert [message["ts"] for message in later["messages"]] == [root, *replies[1:]]
    assert await error_of(client.conversations_replies(channel="C0GENERAL", ts="1.000000")) == "thread_not_found"
    assert await error_of(client.conversations_history(channel="C0GENERAL", limit=0)) == "invalid_limit"


async def test_metadata_is_given_back_when_asked_for(client: AsyncWebClient) -> None:
    metadata = {"event_type": "answer", "event_payload": {"nonce": "n1"}}
    ts = (await client.chat_postMessage(channel="C0GENERAL", text="x", metadata=metadata))["ts"]
    plain = await client.conversations_replies(channel="C0GENERAL", ts=ts)
    full = await client.conversations_replies(channel="C0GENERAL", ts=ts, include_all_metadata=True)
    assert "metadata" not in plain["messages"][0]
    assert full["messages"][0]["metadata"] == metadata
    bad = client.chat_postMessage(channel="C0GENERAL", text="x", metadata={"nonce": "n1"})
    assert await error_of(bad) == "invalid_metadata_format"


async def test_a_status_stands_until_the_bot_posts_there_or_two_minutes_have_passed() -> None:
    clock = FakeClock()
    server = SlackServer(clock=clock)
    server.scopes = ["chat:write"]
    await server.start()
    client = web_client(server)
    roots = [await server.post_as("U0ADA", "C0GENERAL", "q") for _ in range(3)]

    async def set_status(root: str, status: str = "is thinking...") -> None:
        await client.assistant_threads_setStatus(
            channel_id="C0GENERAL", thread_ts=root, status=status, loading_messages=["Hm"]
        )

    for root in roots:
        await set_status(root)
    assert server.statuses["C0GENERAL", roots[0]].text == "is thinking..."
    await client.chat_postMessage(channel="C0GENERAL", thread_ts=roots[0], text="a")
    await set_status(roots[1], "")
    assert list(server.statuses) == [("C0GENERAL", roots[2])]
    await clock.advance(119)
    assert list(server.statuses) == [("C0GENERAL", roots[2])]
    await clock.advance(1)
    assert server.statuses == {}
    await server.stop()


async def test_a_status_needs_a_thread_and_at_most_ten_loading_messages(
    server: SlackServer, client: AsyncWebClient
) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "q")

    async def set_status(thread_ts: str, count: int = 1) -> str:
        loading = ["x"] * count
        return await error_of(
            client.assistant_threads_setStatus(
                channel_id="C0GENERAL", thread_ts=thread_ts, status="s", loading_messages=loading
            )
        )

    assert await set_status("") == "invalid_thread_ts"
    assert await set_status("1.000000") == "thread_not_found"
    assert await set_status(root, 11) == "invalid_arguments"
    assert await set_status(root, 10) == ""


async def test_a_deleted_root_with_replies_leaves_a_tombstone(server: SlackServer) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "root")
    await server.post_as("U0GRACE", "C0GENERAL", "reply", thread_ts=root)
    alone = await server.post_as("U0ADA", "C0GENERAL", "alone")
    await server.delete_as("U0ADA", "C0GENERAL", root)
    await server.delete_as("U0ADA", "C0GENERAL", alone)
    assert [message.text for message in server.messages("C0GENERAL")] == ["This message was deleted.", "reply"]


async def test_people_cannot_do_what_a_slack_client_would_not_let_them(server: SlackServer) -> None:
    ts = await server.post_as("U0ADA", "C0GENERAL", "hi")
    for attempt in (
        server.post_as("U0GRACE", "D0ADA", "hi"),
        server.post_as("U0ADA", "C0", "hi"),
        server.post_as("U0ADA", "C0GENERAL", "hi", thread_ts="1.000000"),
        server.edit_as("U0GRACE", "C0GENERAL", ts, "x"),
        server.delete_as("U0GRACE", "C0GENERAL", ts),
        server.react("U0ADA", "C0GENERAL", "1.000000", "eyes"),
        server.react("U0ADA", "C0GENERAL", ts, "no such emoji"),
    ):
        with pytest.raises(ValueError, match=r"."):
            await attempt


async def test_watchers_hear_of_every_change(server: SlackServer) -> None:
    changes: list[int] = []
    server.on_change(lambda: changes.append(1))
    ts = await server.post_as("U0ADA", "C0GENERAL", "hi")
    await server.react("U0ADA", "C0GENERAL", ts, "eyes")
    await server.unreact("U0ADA", "C0GENERAL", ts, "eyes")
    await server.edit_as("U0ADA", "C0GENERAL", ts, "hello")
    await server.delete_as("U0ADA", "C0GENERAL", ts)
    assert len(changes) == 5


async def test_a_channels_history_is_read_newest_first_and_in_parts(
    server: SlackServer, client: AsyncWebClient
) -> None:
    sent = [await server.post_as("U0ADA", "C0GENERAL", str(number)) for number in range(5)]
    await server.post_as("U0ADA", "C0GENERAL", "below", thread_ts=sent[0])

    async def read(**arguments: object) -> tuple[str, bool, str]:
        page = await client.api_call("conversations.history", params={"channel": "C0GENERAL", **arguments})
        next_cursor = str((page.get("response_metadata") or {}).get("next_cursor", ""))
        return "".join(message["text"] for message in page["messages"]), page["has_more"], next_cursor

    assert (await read())[0] == "43210"
    assert (await read(oldest=sent[1], latest=sent[3]))[0] == "2"
    assert (await read(oldest=sent[1], latest=sent[3], inclusive="true"))[0] == "321"
    assert (await read(latest=sent[2], inclusive="true", limit=1))[0] == "2"
    text, more, cursor = await read(limit=3)
    assert (text, more) == ("432", True)
    assert (await read(limit=3, cursor=cursor))[:2] == ("10", False)
    marked = {"event_type": "answer", "event_payload": {"id": "1"}}
    await client.chat_postMessage(channel="C0GENERAL", text="mine", metadata=marked)
    full = await client.conversations_history(channel="C0GENERAL", limit=1, include_all_metadata=True)
    assert full["messages"][0]["metadata"] == marked
