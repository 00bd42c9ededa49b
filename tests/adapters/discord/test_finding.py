"""Looking for a message that was about to be posted when its writer died."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.discord.adapter import DiscordPlatform, create
from adapters.discord.settings import Settings
from bridge.clock import SystemClock
from bridge.errors import MessageGone
from bridge.messages import Button, ButtonAction, OutgoingMessage, ReplyTarget
from bridge.playground.discord import DiscordServer, Fault, Message
from tests.adapters.discord.conftest import Inbox, Make, ask, hearing, out
from tests.adapters.discord.invoking import invoke, target


class Shifted(SystemClock):
    """Shows the wrong time."""

    def __init__(self, shift: timedelta) -> None:
        self.shift = shift

    def now(self) -> datetime:
        return super().now() + self.shift


def long_ago() -> datetime:
    """When posting again is not sure to find the first one any more."""
    return datetime.now(UTC) - timedelta(minutes=2)


def settings_of(server: DiscordServer) -> Settings:
    return Settings.model_validate({"discord_token": server.token, "discord_api_url": server.api_url})


@pytest.fixture
async def question(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> AsyncIterator[ReplyTarget]:
    async with hearing(platform, inbox):
        yield await ask(server, inbox)


async def test_what_stands_is_found_by_a_process_that_did_not_post_it(
    server: DiscordServer, platform: DiscordPlatform, make: Make, question: ReplyTarget
) -> None:
    since = long_ago()
    message = out("An **answer** with @everyone\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    thread = await platform.open_thread(question, "t")
    ref = await platform.send(thread, message)
    assert await make().find_sent(thread, message, since) == ref
    assert await make().find_sent(thread, out("Another answer"), since) is None


async def test_what_people_wrote_is_not_taken_for_ours(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    since = long_ago()
    await server.post_as(server.ada, server.general, "the same")
    await server.post_as(server.ada, server.general, "the same", is_bot=True)
    assert await platform.find_sent(question, out("the same"), since) is None


async def test_of_several_equal_ones_the_newest_is_found_and_none_that_is_older(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    thread = await platform.open_thread(question, "t")
    await platform.send(thread, out("the same", "n1"))
    newest = await platform.send(thread, out("the same", "n2"))
    assert await platform.find_sent(thread, out("the same"), long_ago()) == newest


async def test_what_was_posted_before_it_was_intended_is_another_one_whatever_our_clock_says(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    clock = Shifted(timedelta(hours=3))
    async with hearing(make(), inbox):
        target = await ask(server, inbox)
    early = create(settings_of(server), clock)
    await early.send(target, out("the same", "n1"))
    old = server.messages(server.general)[-1]
    server.forget(old)
    old.id = str(int(old.id) - (60_000 << 22))
    server.keep(old)
    intended = clock.now()
    clock.shift += timedelta(minutes=2)
    server.clock = Shifted(timedelta(minutes=2))
    late = create(settings_of(server), clock)
    assert await late.find_sent(target, out("the same"), intended) is None
    assert await late.find_sent(target, out("the same"), intended - timedelta(minutes=2)) is not None
    await early.close()
    await late.close()


async def test_as_long_as_the_nonce_is_sure_to_find_it_nothing_is_searched(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    ref = await platform.send(question, out("the same"))
    before = len(server.calls)
    assert await platform.find_sent(question, out("the same"), datetime.now(UTC)) is None
    assert len(server.calls) == before
    assert await platform.send(question, out("the same")) == ref


async def test_in_a_channel_only_the_reply_to_the_same_question_is_found(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, question: ReplyTarget
) -> None:
    since = long_ago()
    other = await ask(server, inbox, "Another question")
    mine = await platform.send(question, out("…", "n1"))
    await platform.send(other, out("…", "n2"))
    assert await platform.find_sent(question, out("…"), since) == mine


async def test_it_is_found_behind_many_messages(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    since = long_ago()
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
        await platform.find_sent(question, out("x"), long_ago())


def pressable(message: Message) -> list[str]:
    return [each.custom_id for each in message.buttons]


async def test_posting_again_after_a_restart_finds_the_first_one_and_shows_the_new_text_and_buttons(
    server: DiscordServer, platform: DiscordPlatform, make: Make, question: ReplyTarget
) -> None:
    stop = Button(action=ButtonAction.STOP, label="Stop")
    ref = await platform.send(question, OutgoingMessage(text="half", nonce="n1", buttons=(stop,)))
    again = await make().send(question, out("whole", "n1"))
    assert again == ref
    (message,) = [one for one in server.messages(server.general) if one.is_bot]
    assert message.content == "whole"
    assert pressable(message) == []
    edits = [call for call in server.calls if call.method == "PATCH"]
    assert await make().send(question, out("whole", "n1")) == ref
    assert [call for call in server.calls if call.method == "PATCH"] == edits
    await make().send(question, OutgoingMessage(text="whole", nonce="n1", buttons=(stop,)))
    assert pressable(message) == ["bridge:stop"]


async def test_an_answer_to_a_command_is_found_and_not_that_of_another_one(
    server: DiscordServer, platform: DiscordPlatform, make: Make
) -> None:
    one, two = [target(server, await invoke(server, platform), "ask") for _ in range(2)]
    first = await platform.send(one, out("the same", "n1"))
    follows = await platform.send(one, out("the same too", "n2"))
    await platform.send(two, out("other", "n3"))
    await platform.send(two, out("the same too", "n4"))
    other = make()
    assert await other.find_sent(one, out("the same"), long_ago()) == first
    assert await other.find_sent(one, out("the same too"), long_ago()) == follows
    assert await other.find_sent(two, out("the same"), long_ago()) is None


async def test_what_only_a_webhook_could_have_written_cannot_be_looked_for(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    calls = len(server.calls)
    assert await platform.find_sent(target(server, 1, "hook"), out("x"), long_ago()) is None
    assert len(server.calls) == calls


async def test_small_print_is_no_part_of_what_is_compared_or_read_back(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    thread = await platform.open_thread(question, "t")
    ref = await platform.send(thread, OutgoingMessage(text="An answer", nonce="n1", sources=("a.pdf", "b")))
    assert server.messages(ref.address.split("/")[0])[-1].content == "An answer\n-# 📚 a.pdf · b"
    assert await platform.find_sent(thread, out("An answer"), long_ago()) == ref
    assert await platform.read_back(thread, ref) == "An answer"
