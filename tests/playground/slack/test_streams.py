"""Streamed messages through the SDK: how they grow, how they end, and what is refused on the way."""

from collections.abc import AsyncIterator
from typing import cast

import pytest
from aiohttp import ClientError
from slack_sdk.models.messages.chunk import MarkdownTextChunk, TaskUpdateChunk
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import Channel, Fault, SlackServer
from bridge.playground.slack.model import JsonObject
from tests.fakes.clock import FakeClock
from tests.playground.slack.peers import error_of, web_client

RECIPIENT = {"recipient_user_id": "U0ADA", "recipient_team_id": "T0PLAYGROUND"}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[SlackServer]:
    server = SlackServer(clock=clock)
    server.scopes = ["chat:write", "channels:read"]  # no events: nobody listens
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def root(server: SlackServer) -> str:
    return await server.post_as("U0ADA", "C0GENERAL", "hi")


async def start(client: AsyncWebClient, root: str, **more: object) -> str:
    arguments: dict[str, object] = {"channel": "C0GENERAL", "thread_ts": root, **RECIPIENT, **more}
    return str((await client.chat_startStream(**arguments))["ts"])  # type: ignore[arg-type]


async def refused(client: AsyncWebClient, method: str, **arguments: object) -> str:
    return await error_of(client.api_call(method, json={"channel": "C0GENERAL", **arguments}))


def task(number: object = 1, **changes: object) -> JsonObject:
    return {"type": "task_update", "id": f"t{number}", "title": f"Step {number}", "status": "in_progress", **changes}


def text(markdown: str) -> JsonObject:
    return {"type": "markdown_text", "text": markdown}


async def test_a_stream_grows_by_what_is_appended_and_stop_appends_too(
    server: SlackServer, client: AsyncWebClient, root: str, clock: FakeClock
) -> None:
    ts = await start(client, root, markdown_text="Hello")
    await clock.advance(1)
    await client.chat_appendStream(channel="C0GENERAL", ts=ts, markdown_text=", wor")
    stopped = await client.chat_stopStream(channel="C0GENERAL", ts=ts, markdown_text="ld **now**")
    message = server.message("C0GENERAL", ts)
    assert (message.visible_text, message.thread_ts, message.is_bot, message.edited) == (
        "Hello, world **now**",
        root,
        True,
        False,
    )
    assert message.history == [(0.0, "Hello"), (1.0, "Hello, wor"), (1.0, "Hello, world **now**")]
    assert stopped["message"]["text"] == "Hello, world **now**"
    read = stopped["message"]["blocks"][0]["elements"][0]["elements"]
    assert read == [{"type": "text", "text": "Hello, world now"}]


async def test_the_sdks_own_helper_streams(server: SlackServer, client: AsyncWebClient, root: str) -> None:
    stream = await client.chat_stream(buffer_size=5, channel="C0GENERAL", thread_ts=root, **RECIPIENT)
    for part in ("one ", "two ", "three"):
        await stream.append(markdown_text=part)
    await stream.stop(blocks=[{"type": "divider"}])
    assert server.messages("C0GENERAL", root)[1].visible_text == "one two three"


async def test_white_space_at_the_front_of_a_chunk_vanishes(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    ts = await start(client, root, chunks=[text("\n one"), text(" two\n\n")])
    await client.chat_appendStream(channel="C0GENERAL", ts=ts, chunks=[text(" \n"), text("three")])
    assert server.message("C0GENERAL", ts).visible_text == "onetwo\n\nthree"


async def test_outside_direct_messages_a_stream_needs_a_recipient_who_is_there(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    server.channels["G0GROUP"] = Channel(id="G0GROUP", name="", kind="mpim", members={"U0ADA", server.bot_user_id})
    in_group = await server.post_as("U0ADA", "G0GROUP", "hi")
    direct = await server.post_as("U0ADA", "D0ADA", "hi")
    server.channels["C0GENERAL"].members.discard("U0LINUS")
    for channel, thread_ts, given, error in (
        ("C0GENERAL", root, {}, "missing_recipient_user_id"),
        ("C0GENERAL", root, {"recipient_team_id": "T0PLAYGROUND"}, "missing_recipient_user_id"),
        ("C0GENERAL", root, {"recipient_user_id": "U0ADA"}, "missing_recipient_team_id"),
        ("C0GENERAL", root, RECIPIENT | {"recipient_user_id": "U0NOBODY"}, "user_not_found"),
        ("C0GENERAL", root, RECIPIENT | {"recipient_user_id": "U0LINUS"}, "user_not_found"),
        ("C0GENERAL", root, RECIPIENT | {"recipient_user_id": server.bot_user_id}, "user_not_found"),
        ("C0GENERAL", root, RECIPIENT | {"recipient_team_id": "T0OTHER"}, "team_not_found"),
        ("G0GROUP", in_group, {}, "missing_recipient_user_id"),
        ("G0GROUP", in_group, RECIPIENT, ""),
        ("D0ADA", direct, {}, ""),
        ("D0ADA", direct, RECIPIENT, ""),
    ):
        arguments = {"channel": channel, "thread_ts": thread_ts, "markdown_text": "x", **given}
        assert await error_of(client.api_call("chat.startStream", json=arguments)) == error, given


async def test_a_stream_belongs_into_a_thread(server: SlackServer, client: AsyncWebClient, root: str) -> None:
    reply = await server.post_as("U0ADA", "C0GENERAL", "more", thread_ts=root)
    for thread, error in (
        ({}, "invalid_arguments"),
        ({"thread_ts": ""}, "invalid_thread_ts"),
        ({"thread_ts": "1.000000"}, "thread_not_found"),
        ({"thread_ts": reply}, "cannot_reply_to_message"),
    ):
        assert await refused(client, "chat.startStream", **RECIPIENT, **thread) == error
    assert len(server.messages("C0GENERAL")) == 2


async def test_text_and_chunks_are_never_mixed(client: AsyncWebClient, root: str) -> None:
    both = {"markdown_text": "a", "chunks": [text("b")]}
    assert (
        await refused(client, "chat.startStream", thread_ts=root, **RECIPIENT, **both)
        == "cannot_provide_both_markdown_text_and_chunks"
    )
    as_text, as_chunks = await start(client, root, markdown_text="a"), await start(client, root, chunks=[text("a")])
    for method in ("chat.appendStream", "chat.stopStream"):
        assert await refused(client, method, ts=as_text, chunks=[text("b")]) == "streaming_mode_mismatch"
        assert await refused(client, method, ts=as_chunks, markdown_text="b") == "streaming_mode_mismatch"
    undecided = await start(client, root)
    assert await refused(client, "chat.appendStream", ts=undecided, chunks=[task()]) == ""
    assert await refused(client, "chat.appendStream", ts=undecided, markdown_text="b") == "streaming_mode_mismatch"


async def test_after_five_minutes_a_stream_is_over_and_an_edit_is_the_only_repair(
    server: SlackServer, client: AsyncWebClient, root: str, clock: FakeClock
) -> None:
    ts = await start(client, root, markdown_text="half an")
    await clock.advance(200)
    assert await refused(client, "chat.appendStream", ts=ts, markdown_text=" answer") == ""
    await clock.advance(99.9)
    assert await refused(client, "chat.update", ts=ts, text="whole") == "streaming_state_conflict"
    await clock.advance(0.1)
    for method in ("chat.appendStream", "chat.stopStream"):
        assert await refused(client, method, ts=ts, markdown_text="x") == "message_not_in_streaming_state"
    assert server.message("C0GENERAL", ts).visible_text == "half ananswer"
    assert await refused(client, "chat.update", ts=ts, text="half an answer") == ""
    assert server.message("C0GENERAL", ts).visible_text == "half an answer"


async def test_how_long_a_stream_lasts_can_be_changed(
    server: SlackServer, client: AsyncWebClient, root: str, clock: FakeClock
) -> None:
    server.workspace.stream_seconds = 10
    ts = await start(client, root, markdown_text="a")
    await clock.advance(10)
    assert await refused(client, "chat.stopStream", ts=ts) == "message_not_in_streaming_state"


async def test_a_live_stream_can_be_neither_edited_nor_deleted_and_a_stopped_one_only_that(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    ts = await start(client, root, chunks=[text("a"), task()])
    assert await refused(client, "chat.update", ts=ts, text="b") == "streaming_state_conflict"
    assert await refused(client, "chat.delete", ts=ts) == "cant_delete_message"
    assert await refused(client, "chat.stopStream", ts=ts) == ""
    for method in ("chat.appendStream", "chat.stopStream"):
        assert await refused(client, method, ts=ts, chunks=[text("x")]) == "message_not_in_streaming_state"
    blocks = [{"type": "markdown", "text": "b"}]
    assert await refused(client, "chat.update", ts=ts, text="b", blocks=blocks) == ""
    message, stream = server.message("C0GENERAL", ts), server.workspace.streams["C0GENERAL", ts]
    assert (message.blocks, stream.content.tasks) == (blocks, [])
    assert await refused(client, "chat.delete", ts=ts) == ""
    assert await refused(client, "chat.appendStream", ts=ts, chunks=[text("x")]) == "message_not_found"


async def test_only_what_was_started_as_a_stream_can_be_appended_to(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    posted = (await client.chat_postMessage(channel="C0GENERAL", text="x"))["ts"]
    for method in ("chat.appendStream", "chat.stopStream"):
        for ts, error in (
            ("1.000000", "message_not_found"),
            (root, "message_not_owned_by_app"),
            (posted, "message_not_in_streaming_state"),
        ):
            assert await refused(client, method, ts=ts, markdown_text="a") == error


async def test_a_person_who_presses_stop_ends_every_stream_of_the_thread(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    elsewhere = await server.post_as("U0ADA", "C0GENERAL", "hi again")
    first, second = await start(client, root, markdown_text="a"), await start(client, root, markdown_text="b")
    other = await start(client, elsewhere, markdown_text="c")
    done = await start(client, root, markdown_text="d")
    await client.chat_stopStream(channel="C0GENERAL", ts=done)
    assert server.workspace.stop_streams("C0GENERAL", root) == [first, second]
    for method in ("chat.appendStream", "chat.stopStream"):
        assert await refused(client, method, ts=first, markdown_text="x") == "stopped_by_user"
        assert await refused(client, method, ts=done, markdown_text="x") == "message_not_in_streaming_state"
    assert server.message("C0GENERAL", first).visible_text == "a"
    assert await refused(client, "chat.appendStream", ts=other, markdown_text="x") == ""
    assert await refused(client, "chat.update", ts=first, text="stopped") == ""


async def test_a_task_keeps_its_place_and_its_details_add_up(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    source = {"type": "url", "url": "https://x.example/", "text": "x"}
    chunks = [MarkdownTextChunk(text="Before"), TaskUpdateChunk(id="t1", title="Search", status="pending")]
    ts = await start(client, root, chunks=chunks)
    more = [text("After"), task(1, status="complete", details="a", output="found", sources=[source]), task(2)]
    await client.chat_appendStream(channel="C0GENERAL", ts=ts, chunks=more)
    await client.chat_appendStream(channel="C0GENERAL", ts=ts, chunks=[task(1, status="complete", details="b")])
    blocks = server.message("C0GENERAL", ts).blocks
    assert [block["type"] for block in blocks] == ["markdown", "task_card", "markdown", "task_card"]
    first = server.workspace.streams["C0GENERAL", ts].content.tasks[0]
    assert (first.title, first.status, first.details, first.output, first.sources) == (
        "Step 1",
        "complete",
        "ab",
        "found",
        [source],
    )
    assert server.message("C0GENERAL", ts).visible_text == "Before\nAfter"


async def test_in_a_plan_all_tasks_stand_where_the_first_one_was(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    plan = {"type": "plan_update", "title": "Looking"}
    chunks = [text("a"), plan, task(1), text("b"), task(2)]
    ts = await start(client, root, chunks=chunks, task_display_mode="plan")
    shown = server.message("C0GENERAL", ts).blocks
    assert [block["type"] for block in shown] == ["markdown", "plan", "markdown"]
    assert shown[1]["title"] == "Looking"
    assert [one["task_id"] for one in cast("list[JsonObject]", shown[1]["tasks"])] == ["t1", "t2"]
    arguments = {"thread_ts": root, **RECIPIENT, "task_display_mode": "list"}
    assert await refused(client, "chat.startStream", **arguments) == "invalid_arguments"


@pytest.mark.parametrize(
    "chunk",
    [
        "text",
        {},
        {"type": "text", "text": "a"},
        {"type": "markdown_text"},
        {"type": "markdown_text", "text": ""},
        {"type": "markdown_text", "text": "a", "id": "x"},
        task(id=""),
        task(id="a" * 257),
        task(title=""),
        task(title="a" * 257),
        task(details="a" * 257),
        task(output="a" * 257),
        task(output=7),
        task(status="done"),
        task(mood="good"),
        task(sources={}),
        task(sources=[{"type": "url", "url": "javascript:x", "text": "a"}]),
        task(sources=[{"type": "url", "url": "https://x.example", "text": "a" * 257}]),
        {"type": "task_update", "id": "t1", "title": "a"},
        {"type": "plan_update"},
        {"type": "plan_update", "title": "a" * 257},
    ],
)
async def test_chunks_that_break_the_rules_are_refused_and_leave_nothing(
    server: SlackServer, client: AsyncWebClient, root: str, chunk: object
) -> None:
    ts = await start(client, root, chunks=[text("a")])
    for method in ("chat.appendStream", "chat.stopStream"):
        assert await refused(client, method, ts=ts, chunks=[text("b"), chunk]) == "invalid_arguments"
    assert server.message("C0GENERAL", ts).visible_text == "a"
    assert await refused(client, "chat.startStream", thread_ts=root, **RECIPIENT, chunks=[chunk]) == "invalid_arguments"
    assert len(server.messages("C0GENERAL")) == 2


async def test_chunks_at_their_limits_are_taken_and_tasks_have_a_number(client: AsyncWebClient, root: str) -> None:
    full = task(1, id="t" * 256, title="a" * 256, details="a" * 256, output="a" * 256)
    ts = await start(client, root, chunks=[full, *(task(number) for number in range(2, 51))])
    assert await refused(client, "chat.appendStream", ts=ts, chunks=[task(50, status="error")]) == ""
    assert await refused(client, "chat.appendStream", ts=ts, chunks=[task(51)]) == "invalid_arguments"


async def test_a_streamed_message_holds_twelve_thousand_characters_in_all(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    assert (
        await refused(client, "chat.startStream", thread_ts=root, **RECIPIENT, markdown_text="a" * 12_001)
        == "msg_too_long"
    )
    ts = await start(client, root, markdown_text="a" * 11_999)
    assert await refused(client, "chat.appendStream", ts=ts, markdown_text="bb") == "msg_too_long"
    assert await refused(client, "chat.appendStream", ts=ts, markdown_text="b") == ""
    assert await refused(client, "chat.stopStream", ts=ts, markdown_text="c") == "msg_too_long"
    assert await refused(client, "chat.stopStream", ts=ts) == ""
    assert len(server.message("C0GENERAL", ts).visible_text) == 12_000


@pytest.mark.parametrize(
    ("first", "last", "error"),
    [
        ("&" * 300, "a" * 11_700, ""),
        ("&" * 301, "a" * 11_699, "msg_too_long"),
        ("# a\n" * 12, "a" * 11_952, ""),
        ("# a\n" * 13, "a" * 11_948, "msg_too_long"),
        ("# a\n\n" * 50, "# a\n", "msg_too_long"),
    ],
)
async def test_the_whole_stream_is_counted_as_any_message_is(
    client: AsyncWebClient, root: str, first: str, last: str, error: str
) -> None:
    ts = await start(client, root, chunks=[text(first)])
    assert await refused(client, "chat.appendStream", ts=ts, chunks=[text(last)]) == error


async def test_what_tasks_hold_counts_as_well(client: AsyncWebClient, root: str) -> None:
    ts = await start(client, root, chunks=[text("a" * 12_000)])
    details = "b" * 200
    for _ in range(5):
        assert await refused(client, "chat.appendStream", ts=ts, chunks=[task(details=details)]) == ""
    assert await refused(client, "chat.appendStream", ts=ts, chunks=[task(details=details)]) == "msg_too_long"


async def test_blocks_among_the_chunks_are_checked_and_count(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "b" * 1_100}}
    ts = await start(client, root, chunks=[text("a" * 12_000), {"type": "blocks", "blocks": [section]}])
    for blocks, error in (
        ([], "invalid_blocks_format"),
        (["a"], "invalid_blocks_format"),
        ([{"type": "carousel"}], "invalid_blocks"),
        ([{"type": "divider"}] * 51, "invalid_blocks"),
        ([section], "msg_too_long"),
        ([{"type": "divider"}] * 2, "msg_too_long"),
        ([{"type": "divider"}], ""),
    ):
        assert await refused(client, "chat.appendStream", ts=ts, chunks=[{"type": "blocks", "blocks": blocks}]) == error
    shown = [block["type"] for block in server.message("C0GENERAL", ts).blocks]
    assert shown == ["markdown", "section", "divider"]


async def test_a_mention_pings_also_when_it_comes_in_two_chunks_and_once(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    ts = await start(client, root, chunks=[text("hey <!chan")])
    assert server.pings == []
    await client.chat_appendStream(channel="C0GENERAL", ts=ts, chunks=[text("nel> and @he")])
    await client.chat_appendStream(
        channel="C0GENERAL", ts=ts, chunks=[text("re"), task(title="<@U0ADA>", details="<@U0")]
    )
    await client.chat_appendStream(channel="C0GENERAL", ts=ts, chunks=[task(title="done", details="GRACE>")])
    button = {"type": "section", "text": {"type": "mrkdwn", "text": "<!here>"}}
    await client.chat_stopStream(channel="C0GENERAL", ts=ts, blocks=[button])
    assert [token for _, token in server.pings] == ["<!channel>", "@here", "<@U0ADA>", "<@U0GRACE>", "<!here>"]
    assert {pinged for pinged, _ in server.pings} == {ts}


async def test_blocks_follow_the_text_and_are_checked_like_others(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    ts = await start(client, root, markdown_text="# a\n" * 40)
    feedback: JsonObject = {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "rate",
                "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "1"},
                "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "0"},
            }
        ],
    }
    divider = {"type": "divider"}
    assert await refused(client, "chat.stopStream", ts=ts, blocks=[{"type": "carousel"}]) == "invalid_blocks"
    assert await refused(client, "chat.stopStream", ts=ts, blocks=[divider] * 51) == "invalid_blocks"
    metadata = {"event_type": "answer", "event_payload": {"id": "1"}}
    assert await refused(client, "chat.stopStream", ts=ts, metadata={"id": 1}) == "invalid_metadata_format"
    blocks = [*[divider] * 49, feedback]
    assert await refused(client, "chat.stopStream", ts=ts, blocks=blocks, metadata=metadata) == ""
    message = server.message("C0GENERAL", ts)
    assert (message.blocks[0]["type"], message.blocks[1:], message.metadata) == ("markdown", blocks, metadata)
    assert len(message.history) == 1  # no new text, no new entry


async def test_a_stream_that_holds_nothing_cannot_be_appended_to_with_nothing_nor_stopped(
    client: AsyncWebClient, root: str
) -> None:
    ts = await start(client, root)
    nothings: list[JsonObject] = [{}, {"chunks": []}, {"markdown_text": ""}, {"markdown_text": " \n"}]
    for nothing in nothings:
        assert await refused(client, "chat.appendStream", ts=ts, **nothing) == "no_text"
    assert await refused(client, "chat.stopStream", ts=ts) == "no_text"
    assert await refused(client, "chat.stopStream", ts=ts, blocks=[{"type": "divider"}]) == ""


async def test_stopping_may_set_the_session_and_leaves_it_alone_otherwise(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    where = {"channel_id": "C0GENERAL", "thread_ts": root}
    await client.agents_sessions_setStatus(**where, status="processing")
    first, second = await start(client, root, markdown_text="a"), await start(client, root, markdown_text="b")
    assert await refused(client, "chat.stopStream", ts=first) == ""
    assert server.workspace.sessions["C0GENERAL", root].status == "processing"
    assert await refused(client, "chat.stopStream", ts=second, session_status="done") == "invalid_arguments"
    server.is_agent = False
    assert await refused(client, "chat.stopStream", ts=second, session_status="active") == "feature_disabled"
    server.is_agent = True
    assert await refused(client, "chat.stopStream", ts=second, session_status="suspended") == ""
    assert server.workspace.sessions["C0GENERAL", root].status == "suspended"


async def test_a_workspace_or_a_channel_may_lack_streams(server: SlackServer, root: str) -> None:
    client = web_client(server)
    direct = await server.post_as("U0ADA", "D0ADA", "hi")
    server.workspace.streamless["C0GENERAL"] = "channel_type_not_supported"
    arguments = {"thread_ts": root, **RECIPIENT, "markdown_text": "a"}
    assert await refused(client, "chat.startStream", **arguments) == "channel_type_not_supported"
    assert await error_of(client.chat_startStream(channel="D0ADA", thread_ts=direct, markdown_text="a")) == ""
    for error in ("unknown_method", "method_deprecated", "feature_not_enabled", "access_denied"):
        server.lacks["streaming"] = error
        for method in ("chat.startStream", "chat.appendStream", "chat.stopStream"):
            assert await refused(client, method, **arguments, ts=direct) == error
    assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="still there")) == ""
    server.scopes = []
    assert await refused(client, "chat.startStream", **arguments) == "missing_scope"


async def test_a_workspace_may_stream_without_tasks(server: SlackServer, client: AsyncWebClient, root: str) -> None:
    server.lacks["tasks"] = "feature_not_enabled"
    ts = await start(client, root, chunks=[text("a")])
    for chunk in (task(), {"type": "plan_update", "title": "a"}):
        assert await refused(client, "chat.appendStream", ts=ts, chunks=[text("b"), chunk]) == "feature_not_enabled"
    assert await refused(client, "chat.appendStream", ts=ts, chunks=[text("c")]) == ""
    assert server.message("C0GENERAL", ts).visible_text == "ac"


async def test_a_stream_that_began_unnoticed_is_open_like_any_other(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    server.faults.fail_next["chat.startStream"] = [Fault.effect_then_drop()]
    with pytest.raises(ClientError):
        await start(client, root, markdown_text="a")
    lost = server.messages("C0GENERAL", root)[1].ts
    assert await refused(client, "chat.update", ts=lost, text="b") == "streaming_state_conflict"
    assert await refused(client, "chat.stopStream", ts=lost, markdown_text="b") == ""
    assert server.message("C0GENERAL", lost).visible_text == "ab"


async def test_a_snapshot_tells_what_grows_and_which_tasks_there_are(
    server: SlackServer, client: AsyncWebClient, root: str, clock: FakeClock
) -> None:
    def described() -> list[JsonObject]:
        channels = cast("list[JsonObject]", server.snapshot()["channels"])
        question = cast("list[JsonObject]", channels[0]["messages"])[0]
        assert question["stream"] is None
        return [cast("JsonObject", reply["stream"]) for reply in cast("list[JsonObject]", question["replies"])]

    first = await start(client, root, chunks=[text("a"), task(1)], task_display_mode="plan")
    await clock.advance(100)
    await start(client, root, markdown_text="b")
    assert described()[0] == {
        "state": "live",
        "live": True,
        "mode": "plan",
        "recipient": "U0ADA",
        "plan": "",
        "tasks": [{"id": "t1", "title": "Step 1", "status": "in_progress", "details": "", "output": "", "sources": []}],
    }
    await client.chat_stopStream(channel="C0GENERAL", ts=first)
    assert [one["state"] for one in described()] == ["stopped", "live"]
    await clock.advance(300)
    assert [one["state"] for one in described()] == ["stopped", "expired"]
