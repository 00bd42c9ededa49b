"""Looking for a message that was about to be posted when its writer died."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.discord.adapter import DiscordPlatform
from bridge.errors import MessageGone
from bridge.messages import Button, ButtonAction, OutgoingMessage, ReplyTarget
from bridge.playground.discord import DiscordServer, Fault
from tests.adapters.discord.conftest import Inbox, Make, ask, hearing, out


@pytest.fixture
async def question(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> AsyncIterator[ReplyTarget]:
    async with hearing(platform, inbox):
        yield await ask(server, inbox)


async def test_what_stands_is_found_by_a_process_that_did_not_post_it(
    server: DiscordServer, platform: DiscordPlatform, make: Make, question: ReplyTarget
) -> None:
    since = datetime.now(UTC)
    message = out("An **answer** with @everyone\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    thread = await platform.open_thread(question, "t")
    ref = await platform.send(thread, message)
    assert await make().find_sent(thread, message, since) == ref
    assert await make().find_sent(thread, out("Another answer"), since) is None


async def test_what_people_wrote_is_not_taken_for_ours(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    since = datetime.now(UTC)
    await server.post_as(server.ada, server.general, "the same")
    await server.post_as(server.ada, server.general, "the same", is_bot=True)
    assert await platform.find_sent(question, out("the same"), since) is None


async def test_of_several_equal_ones_the_newest_is_found_and_none_that_is_older(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    thread = await platform.open_thread(question, "t")
    await platform.send(thread, out("the same", "n1"))
    newest = await platform.send(thread, out("the same", "n2"))
    assert await platform.find_sent(thread, out("the same"), datetime.now(UTC)) == newest
    later = datetime.now(UTC) + timedelta(minutes=10)
    assert await platform.find_sent(thread, out("the same"), later) is None


async def test_in_a_channel_only_the_reply_to_the_same_question_is_found(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, question: ReplyTarget
) -> None:
    since = datetime.now(UTC)
    other = await ask(server, inbox, "Another question")
    mine = await platform.send(question, out("…", "n1"))
    await platform.send(other, out("…", "n2"))
    assert await platform.find_sent(question, out("…"), since) == mine


async def test_it_is_found_behind_many_messages(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    since = datetime.now(UTC)
    for count in range(150):
        await server.post_as(server.ada, server.general, f"chatter {count}")
    ref = await platform.send(question, out("late"))
    assert await platform.find_sent(question, out("late"), since) == ref


async def test_a_place_that_is_gone_or_out_of_reach_is_told(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    route = "GET /channels/{channel_id}/messages"
    server.faults.fail_next[route] = [Fault(status=404, code=10003)]
    with pytest.raises(MessageGone):
        await platform.find_sent(question, out("x"), datetime.now(UTC))


async def test_posting_again_after_a_restart_finds_the_first_one_and_shows_the_new_text_and_buttons(
    server: DiscordServer, platform: DiscordPlatform, make: Make, question: ReplyTarget
) -> None:
    stop = Button(action=ButtonAction.STOP, label="Stop")
    ref = await platform.send(question, OutgoingMessage(text="half", nonce="n1", buttons=(stop,)))
    again = await make().send(question, out("whole", "n1"))
    assert again == ref
    (message,) = [one for one in server.messages(server.general) if one.is_bot]
    assert message.content == "whole"
    assert message.buttons == ()
    edits = [call for call in server.calls if call.method == "PATCH"]
    assert await make().send(question, out("whole", "n1")) == ref
    assert [call for call in server.calls if call.method == "PATCH"] == edits
