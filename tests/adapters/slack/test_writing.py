"""Posts, edits and status over real sockets: their shape, what happens when Slack refuses, and that nothing is posted twice."""

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.slack.adapter import SlackPlatform
from adapters.slack.web.history import EVENT_TYPE
from bridge.errors import (
    MessageGone,
    MessageRefused,
    NotAllowed,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
)
from bridge.messages import MessageRef, ReplyTarget
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.peer import answers, calls, make_platform, question

MARKDOWN = "Title\n===\n\n__bold__ & x < y `code`\n\na|b\n-|-\n1|2"
CANONICAL = "# Title\n\n**bold** & x < y `code`\n\n| a | b |\n| --- | --- |\n| 1 | 2 |"


async def test_a_post_is_a_markdown_block_in_the_thread_with_a_plain_text_beside_it(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, question(MARKDOWN, nonce="abc"))
    (call,) = calls(server, "chat.postMessage")
    assert call.args["thread_ts"] == root
    assert call.args["blocks"] == [{"type": "markdown", "text": CANONICAL}]
    assert call.args["text"] == "Title\nbold &amp; x &lt; y code\na | b\n1 | 2"
    assert (call.args["unfurl_links"], call.args["unfurl_media"]) == (False, False)
    assert call.args["metadata"] == {"event_type": EVENT_TYPE, "event_payload": {"nonce": "abc"}}
    assert not {"link_names", "parse", "markdown_text", "as_user"} & set(call.args)
    (message,) = answers(server, root)
    assert message.visible_text == CANONICAL
    assert ref.address == f"{server.team_id}/C0GENERAL/{message.ts}"


async def test_an_edit_has_the_same_shape(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, question("one", nonce="abc"))
    await platform.edit(target, ref, question("one two", nonce="abc"))
    (call,) = calls(server, "chat.update")
    assert call.args["blocks"] == [{"type": "markdown", "text": "one two"}]
    assert call.args["text"] == "one two"
    assert call.args["metadata"] == {"event_type": EVENT_TYPE, "event_payload": {"nonce": "abc"}}
    (message,) = answers(server, root)
    assert (message.visible_text, message.edited) == ("one two", False)


@pytest.mark.parametrize("code", ["invalid_blocks", "msg_blocks_too_long", "msg_too_long"])
async def test_refused_blocks_are_posted_once_more_as_plain_text(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, code: str
) -> None:
    server.faults.fail_next["chat.postMessage"] = [Fault.refuse(code)]
    await platform.send(target, question("long & **bold** <!channel> " * 40))
    (message,) = answers(server, root)
    assert message.blocks == []
    assert message.visible_text.replace("\u200b", "") == ("long & *bold* <!channel> " * 40).strip()
    assert "<!channel>" not in message.visible_text
    assert server.pings == []


async def test_who_may_be_mentioned_may_be_so_without_blocks_too(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.faults.fail_next["chat.postMessage"] = [Fault.refuse("invalid_blocks")]
    await platform.send(target, replace(question("<@U0ADA> <@U0LINUS>"), people={"U0ADA": "Ada"}))
    (message,) = answers(server, root)
    assert message.blocks == []
    assert [what for _, what in server.pings] == ["<@U0ADA>"]


async def test_an_edit_with_refused_blocks_shows_plain_text_and_the_next_one_blocks_again(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, question("one"))
    server.faults.fail_next["chat.update"] = [Fault.refuse("invalid_blocks")]
    await platform.edit(target, ref, question("one two"))
    (message,) = answers(server, root)
    assert (message.visible_text, message.blocks) == ("one two", [])
    assert calls(server, "chat.update")[-1].args["blocks"] == []
    await platform.edit(target, ref, question("one two three"))
    (message,) = answers(server, root)
    assert message.blocks == [{"type": "markdown", "text": "one two three"}]


async def test_after_a_refusal_of_blocks_the_plain_text_is_what_is_tried_again(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.faults.fail_next["chat.postMessage"] = [Fault.refuse("invalid_blocks"), Fault.rate_limit(1)]
    with pytest.raises(RateLimited):
        await platform.send(target, question("one"))
    await platform.send(target, question("one"))
    (message,) = answers(server, root)
    assert (message.visible_text, message.blocks) == ("one", [])
    assert len(calls(server, "chat.postMessage")) == 3


async def test_refused_blocks_that_do_not_fit_plain_text_are_refused_not_cut(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.faults.fail_next["chat.postMessage"] = [Fault.refuse("invalid_blocks")]
    with pytest.raises(MessageRefused):
        await platform.send(target, question("x" * 5_000))
    assert answers(server, root) == []
    assert len(calls(server, "chat.postMessage")) == 1


@pytest.mark.parametrize("text", ["", "  \n", "\x00\x07"])
async def test_a_message_with_nothing_to_see_is_refused_without_a_call(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, text: str
) -> None:
    with pytest.raises(MessageRefused):
        await platform.send(target, question(text))
    assert calls(server, "chat.postMessage") == []


@pytest.mark.parametrize(
    "fault", [Fault.effect_then_drop(), Fault.http(500, after_effect=True), Fault.http(503, after_effect=True)]
)
async def test_a_post_whose_answer_was_lost_is_not_posted_twice(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, fault: Fault
) -> None:
    server.faults.fail_next["chat.postMessage"] = [fault]
    with pytest.raises(PlatformUnavailable):
        await platform.send(target, question("once"))
    assert [message.visible_text for message in answers(server, root)] == ["once"]


@pytest.mark.parametrize("fault", [Fault.rate_limit(1), Fault.refuse("internal_error")])
async def test_a_post_that_stands_after_all_is_found_until_it_shows_the_newer_text(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, fault: Fault
) -> None:
    server.faults.fail_next["chat.postMessage"] = [Fault.effect_then_drop()]
    server.faults.fail_next["chat.update"] = [fault] * 3
    with pytest.raises(PlatformUnavailable):
        await platform.send(target, question("one"))
    for _ in range(3):
        with pytest.raises(PlatformError):
            await platform.send(target, question("one and two"))
    await platform.send(target, question("one and two"))
    assert [message.visible_text for message in answers(server, root)] == ["one and two"]


async def test_a_post_that_takes_too_long_is_not_posted_twice(
    server: SlackServer, target: ReplyTarget, root: str
) -> None:
    platform = make_platform(server, slack_call_timeout=0.1)
    server.faults.fail_next["chat.postMessage"] = [Fault.slow(0.3)]
    with pytest.raises(PlatformUnavailable):
        await platform.send(target, question("once"))
    await platform.close()
    assert [message.visible_text for message in answers(server, root)] == ["once"]


@pytest.mark.parametrize("fault", [Fault.effect_then_drop(), Fault.drop(), Fault.http(503)])
async def test_an_edit_is_repeated_since_it_cannot_do_harm(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, fault: Fault
) -> None:
    ref = await platform.send(target, question("one"))
    server.faults.fail_next["chat.update"] = [fault]
    await platform.edit(target, ref, question("two"))
    assert [message.visible_text for message in answers(server, root)] == ["two"]


async def test_a_rate_limit_is_told_and_not_slept_through(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, question("one"))
    for method in ("chat.postMessage", "chat.update"):
        server.faults.fail_next[method] = [Fault.rate_limit(17)]
    with pytest.raises(RateLimited) as posting:
        await platform.send(target, question("two"))
    with pytest.raises(RateLimited) as editing:
        await platform.edit(target, ref, question("two"))
    assert posting.value.retry_after == editing.value.retry_after == timedelta(seconds=17)
    assert len(calls(server, "chat.update")) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("message_not_found", MessageGone),
        ("channel_not_found", MessageGone),
        ("thread_not_found", MessageGone),
        ("is_archived", MessageGone),
        ("invalid_auth", NotAllowed),
        ("token_revoked", NotAllowed),
        ("not_in_channel", NotAllowed),
        ("missing_scope", NotAllowed),
        ("restricted_action", NotAllowed),
        ("cant_update_message", NotAllowed),
        ("no_text", MessageRefused),
        ("internal_error", PlatformUnavailable),
        ("ratelimited", RateLimited),
        ("something_new", PlatformError),
    ],
)
async def test_each_refusal_says_what_it_means(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, code: str, kind: type[PlatformError]
) -> None:
    server.faults.fail_next["chat.postMessage"] = [Fault.refuse(code)]
    with pytest.raises(PlatformError) as refused:
        await platform.send(target, question("hi"))
    assert type(refused.value) is kind
    assert refused.value.code == code
    assert refused.value.__cause__ is not None


async def test_an_unreachable_slack_is_unavailable(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    await server.stop()
    with pytest.raises(PlatformUnavailable):
        await platform.send(target, question("hi"))


async def test_after_close_nothing_is_sent(server: SlackServer, platform: SlackPlatform, target: ReplyTarget) -> None:
    await platform.close()
    with pytest.raises(PlatformUnavailable):
        await platform.send(target, question("hi"))
    ref = MessageRef(platform=target.platform, address=target.address)
    await platform.show_activity(target, ref)
    await platform.end_activity(target, ref)
    assert server.calls == []


async def test_editing_a_deleted_message_says_that_it_is_gone(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget
) -> None:
    ref = await platform.send(target, question("one"))
    gone = MessageRef(platform=ref.platform, address=type(ref.address)(f"{server.team_id}/C0GENERAL/1.000001"))
    with pytest.raises(MessageGone):
        await platform.edit(target, gone, question("two"))
