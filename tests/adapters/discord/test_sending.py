"""What the bridge says arrives once, quietly and where it belongs; what Discord refuses is told in the bridge's words."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.capabilities import CAPABILITIES
from adapters.discord.dialect import LIMIT
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformUnavailable, RateLimited
from bridge.messages import (
    Address,
    Button,
    ButtonAction,
    MessageRef,
    OutgoingMessage,
    PlatformName,
    ReplyTarget,
)
from bridge.platform_api import OpensThreads, ReadsBack
from bridge.playground.discord import DiscordServer, Fault
from bridge.playground.discord.permissions import (
    CREATE_PUBLIC_THREADS,
    DEFAULT_PERMISSIONS,
    SEND_MESSAGES,
    VIEW_CHANNEL,
)
from tests.adapters.discord.conftest import Inbox, Make, ask, hearing, out

ASKED = MessageRef(platform=PlatformName("discord"), address=Address("1/2"))
CREATE = "POST /channels/{channel_id}/messages"
EDIT = "PATCH /channels/{channel_id}/messages/{message_id}"
THREAD = "POST /channels/{channel_id}/messages/{message_id}/threads"
CHANNEL = "GET /channels/{channel_id}"
TYPING = "POST /channels/{channel_id}/typing"


@pytest.fixture
async def question(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> ReplyTarget:
    """Where to answer a question in #general. The gateway is closed again: sending needs none."""
    async with hearing(platform, inbox):
        return await ask(server, inbox)


def in_channel(target: ReplyTarget, channel: str) -> ReplyTarget:
    return replace(target, address=Address(f"in/{channel}"), opens_thread=False)


async def test_sending_works_after_listening_ended_and_until_close(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    assert not platform.health().connected
    ref = await platform.send(question, out("late"))
    await platform.edit(question, ref, out("later"))
    assert server.messages(server.general)[-1].content == "later"
    await platform.close()
    with pytest.raises(PlatformUnavailable):
        await platform.send(question, out("too late", "n2"))


async def test_a_message_carries_a_nonce_and_may_ping_nobody(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    text = f"@everyone <@{server.ada}> <@&{server.bot_role_id}> https://example.org"
    ref = await platform.send(question, out(text, "the-same-nonce"))
    await platform.edit(question, ref, out(text + " again"))
    created, edited = [each.body for each in server.calls if f"{each.method} {each.route}" in (CREATE, EDIT)]
    assert created is not None
    assert edited is not None
    assert created["nonce"] == "the-same-nonce"
    assert created["enforce_nonce"] is True
    assert created["allowed_mentions"] == {"parse": [], "replied_user": False}
    assert created["message_reference"]
    assert edited["allowed_mentions"] == {"parse": []}
    assert created["flags"] == 4
    assert server.pings == []


async def test_only_people_on_the_messages_list_may_be_mentioned_on_posts_and_edits_alike(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    people = {server.ada: "Ada", server.grace: "Grace", "not a number": "Nobody", "٣": "Three"}
    message = OutgoingMessage(text="hello", nonce="n1", people=people)
    ref = await platform.send(question, message)
    await platform.edit(question, ref, replace(message, text="hello again"))
    created, edited = [each.body for each in server.calls if f"{each.method} {each.route}" in (CREATE, EDIT)]
    assert created is not None
    assert edited is not None
    allowed = {"parse": [], "users": [int(server.ada), int(server.grace)]}
    assert created["allowed_mentions"] == allowed | {"replied_user": False}
    assert edited["allowed_mentions"] == allowed
    many = {str(number): "" for number in range(1, 200)}
    await platform.send(question, OutgoingMessage(text="to a crowd", nonce="n2", people=many))


async def test_sending_again_with_the_same_nonce_posts_once(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.faults.fail_next[CREATE] = [Fault(kind="effect_then_drop")]
    before = len(server.messages(server.general))
    with pytest.raises(PlatformUnavailable):
        await platform.send(question, out("once", "n7"))
    ref = await platform.send(question, out("once", "n7"))
    assert len(server.messages(server.general)) == before + 1
    assert ref.address == f"{server.general}/{server.messages(server.general)[-1].id}"


async def test_a_post_that_stands_after_all_is_edited_to_the_newer_text(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.faults.fail_next[CREATE] = [Fault(kind="effect_then_drop")]
    server.faults.fail_next[EDIT] = [Fault(status=403)]
    before = len(server.messages(server.general))
    with pytest.raises(PlatformUnavailable):
        await platform.send(question, out("one", "n8"))
    with pytest.raises(NotAllowed):
        await platform.send(question, out("one and two", "n8"))
    await platform.send(question, out("one and two", "n8"))
    assert [message.content for message in server.messages(server.general)[before:]] == ["one and two"]


async def test_tables_are_written_as_the_operator_says(make: Make, question: ReplyTarget) -> None:
    table = "| a | b |\n|---|---|\n| 1 | 2 |"
    for how, beginning in (("fit", "```"), ("code", "```"), ("list", "- ")):
        platform = make(discord_tables=how)
        ref = await platform.send(question, out(table, how))
        assert (await platform.read_back(question, ref)).startswith(beginning), how


async def test_the_longest_text_is_taken_and_read_back(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    text = "😀" * LIMIT
    assert platform.dialect.render(text).length == platform.dialect.limit == LIMIT
    ref = await platform.send(question, out(text))
    await platform.edit(question, ref, out(text[:-1] + "!"))
    assert await platform.read_back(question, ref) == text[:-1] + "!"


async def test_text_read_back_is_as_it_would_be_sent(platform: DiscordPlatform, question: ReplyTarget) -> None:
    ref = await platform.send(question, out("hello @everyone <@1>\n"))
    kept = await platform.read_back(question, ref)
    await platform.edit(question, ref, out(kept))
    assert await platform.read_back(question, ref) == kept


async def test_typing_is_shown_and_never_fails(
    server: DiscordServer, make: Make, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    await platform.show_activity(question, ASKED)
    assert len(server.typing[server.general]) == 1
    server.faults.fail_next[TYPING] = [Fault(status=403, code=50013)]
    await platform.show_activity(question, ASKED)
    server.faults.fail_next[TYPING] = [Fault(kind="slow", seconds=0.8)]
    impatient = make(discord_activity_timeout=0.2)
    await asyncio.wait_for(impatient.show_activity(question, ASKED), 5)
    await platform.show_activity(in_channel(question, "404"), ASKED)


async def test_what_follows_an_earlier_message_of_the_same_answer_notifies_nobody_again(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    await platform.send(question, out("one"))
    await platform.send(question, OutgoingMessage(text="two", nonce="n2", follows=True))
    first, second = (call.body for call in server.calls if f"{call.method} {call.route}" == CREATE)
    assert first is not None
    assert second is not None
    assert (first["flags"], second["flags"]) == (1 << 2, 1 << 2 | 1 << 12)


# Threads


async def test_opening_a_thread_again_finds_the_first(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    assert isinstance(platform, OpensThreads)
    assert isinstance(platform, ReadsBack)
    first = await platform.open_thread(question, "A title")
    assert await platform.open_thread(question, "Another title") == first
    assert await platform.open_thread(first, "Once more") == first
    assert [each.name for each in server.threads(server.general)] == ["A title"]
    assert server.threads(server.general)[0].auto_archive_minutes == 1440


async def replies_in_channel(server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget) -> None:
    target = await platform.open_thread(question, "A title")
    assert target.opens_thread, "the next question may have better luck"
    assert target.conversation == question.conversation
    assert server.threads(server.general) == []
    await platform.send(target, out("inline"))
    posted = server.messages(server.general)[-1]
    assert posted.content == "inline"
    assert posted.reference == question.conversation.thread


async def test_too_many_threads_end_in_a_reply(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.max_active_threads = 0
    await replies_in_channel(server, platform, question)


async def test_a_missing_permission_for_threads_ends_in_a_reply(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~CREATE_PUBLIC_THREADS
    await replies_in_channel(server, platform, question)


async def test_a_long_limit_on_threads_ends_in_a_reply(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.faults.fail_next[THREAD] = [Fault(kind="rate_limit", retry_after=136.0)]
    await replies_in_channel(server, platform, question)


async def test_a_thread_that_takes_too_long_ends_in_a_reply(
    server: DiscordServer, make: Make, question: ReplyTarget
) -> None:
    server.faults.fail_next[THREAD] = [Fault(kind="slow", seconds=0.8)]
    await replies_in_channel(server, make(discord_thread_timeout=0.3), question)


async def test_a_thread_whose_making_was_cut_off_is_found(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.faults.fail_next[THREAD] = [Fault(kind="effect_then_drop")]
    target = await platform.open_thread(question, "A title")
    (thread,) = server.threads(server.general)
    assert target.address == f"in/{thread.id}"


async def test_a_thread_is_tried_again_later_when_discord_is_out_of_reach(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.faults.fail_next[THREAD] = [Fault(kind="drop")]
    server.faults.fail_next[CHANNEL] = [Fault(kind="drop"), Fault(kind="drop")]
    with pytest.raises(PlatformUnavailable):
        await platform.open_thread(question, "A title")


async def test_a_reply_to_a_deleted_question_is_posted_all_the_same(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    await server.delete_as(server.ada, server.general, question.conversation.thread)
    target = await platform.open_thread(question, "A title")
    await platform.send(target, out("still"))
    assert server.messages(server.general)[-1].content == "still"


async def test_an_archived_thread_is_opened_again_for_the_end_of_an_answer(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    target = await platform.open_thread(question, "A title")
    ref = await platform.send(target, out("one"))
    thread = question.conversation.thread
    await server.archive_as(server.ada, thread)
    stop = Button(action=ButtonAction.STOP, label="Stop")
    await platform.edit(target, ref, OutgoingMessage(text="growing", nonce="n1", buttons=(stop,)))
    assert server.channels[thread].archived, "what is not the end does not bring it back to everybody's list"
    assert server.messages(thread)[-1].content == "one"
    await platform.edit(target, ref, out("two"))
    assert server.messages(thread)[-1].content == "two"
    await server.archive_as(server.ada, thread, locked=True)
    with pytest.raises(MessageGone):
        await platform.edit(target, ref, out("three"))


# Errors


async def test_what_was_deleted_is_gone(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    ref = await platform.send(question, out("one"))
    await server.delete_as(server.ada, server.general, server.messages(server.general)[-1].id)
    with pytest.raises(MessageGone) as caught:
        await platform.edit(question, ref, out("two"))
    assert caught.value.code == "10008"
    with pytest.raises(MessageGone):
        await platform.read_back(question, ref)
    with pytest.raises(MessageGone) as caught:
        await platform.send(in_channel(question, "404"), out("nowhere"))
    assert caught.value.code == "10003"
    assert caught.value.__cause__ is not None


async def test_a_missing_permission_is_told(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~SEND_MESSAGES
    with pytest.raises(NotAllowed) as caught:
        await platform.send(question, out("no"))
    assert caught.value.code == "50013"
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~VIEW_CHANNEL
    with pytest.raises(NotAllowed) as caught:
        await platform.send(question, out("no"))
    assert caught.value.code == "50001"
    server.dm_blocked.add(server.ada)
    with pytest.raises(NotAllowed) as caught:
        await platform.send(in_channel(question, server.dm_ada), out("no"))
    assert caught.value.code == "50007"


@pytest.mark.parametrize(("text", "code"), [("x" * 2001, "50035"), ("", "50006"), ("\x00", "50006")])
async def test_content_that_discord_refuses_is_refused(
    platform: DiscordPlatform, question: ReplyTarget, text: str, code: str
) -> None:
    with pytest.raises(MessageRefused) as caught:
        await platform.send(question, out(text))
    assert caught.value.code == code


async def test_a_broken_server_or_connection_is_unavailable(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.faults.fail_next[CREATE] = [Fault(status=503), Fault(kind="drop")]
    with pytest.raises(PlatformUnavailable):
        await platform.send(question, out("one"))
    with pytest.raises(PlatformUnavailable):
        await platform.send(question, out("one"))


async def test_a_call_that_never_ends_is_unavailable(server: DiscordServer, make: Make, question: ReplyTarget) -> None:
    server.faults.fail_next[CREATE] = [Fault(kind="slow", seconds=0.8)]
    with pytest.raises(PlatformUnavailable):
        await make(discord_call_timeout=0.3).send(question, out("one"))


async def test_a_short_limit_is_waited_for_and_a_long_one_told(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.faults.fail_next[CREATE] = [
        Fault(kind="rate_limit", retry_after=0.1),
        Fault(kind="rate_limit", retry_after=77.0),
    ]
    with pytest.raises(RateLimited) as caught:
        await platform.send(question, out("one"))
    assert caught.value.retry_after == timedelta(seconds=77)
    await platform.send(question, out("two", "n2"))


async def test_cloudflare_is_left_alone_for_minutes(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    server.faults.fail_next[CREATE] = [Fault(kind="cloudflare_429")]
    with pytest.raises(RateLimited) as caught:
        await platform.send(question, out("one"))
    assert caught.value.retry_after >= timedelta(minutes=1)
    calls = len(server.calls)
    with pytest.raises(RateLimited) as again:
        await platform.send(question, out("one"))
    assert timedelta(0) < again.value.retry_after <= caught.value.retry_after
    assert len(server.calls) == calls


async def test_writing_within_the_budgets_is_never_rejected(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    # Four of five, since the call that uses up the budget returns only when the window ends.
    refs = [await platform.send(question, out(str(n), f"n{n}")) for n in range(CAPABILITIES.post_budget.limit - 1)]
    for n in range(CAPABILITIES.edit_budget.limit - 1):
        await platform.edit(question, refs[0], out(f"edit {n}"))
    assert server.rejected == 0
