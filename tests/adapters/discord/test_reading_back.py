"""What was said in a thread before the bot was asked there."""

from collections.abc import Sequence
from dataclasses import replace

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.addresses import message_address
from adapters.discord.inbound import DISCORD
from bridge.messages import Address, MessageRef, ReplyTarget
from bridge.platform_api import ReadsThreads
from bridge.playground.discord import Attachment, DiscordServer
from tests.adapters.discord.conftest import out
from tests.adapters.discord.test_threads import post_of


async def thread_with(server: DiscordServer, texts: Sequence[str], *, opener: str = "The opener") -> ReplyTarget:
    """A thread that Grace opened under a message of Ada's, who goes on in it."""
    first = await server.post_as(server.ada, server.general, opener)
    thread = await server.open_thread_as(server.grace, server.general, "Theirs", message_id=first)
    for text in texts:
        await server.post_as(server.grace, thread, text)
    return post_of(server, server.general, thread)


def ref(target: ReplyTarget, message: str) -> MessageRef:
    return MessageRef(platform=DISCORD, address=message_address(int(target.conversation.thread), int(message)))


async def test_what_stands_above_is_told_with_the_opener_and_without_our_own(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    assert isinstance(platform, ReadsThreads)
    target = await thread_with(server, ["one", f"two <@{server.ada}>"])
    await platform.send(target, out("Our own"))
    thread = str(target.conversation.thread)
    asked = await server.post_as(server.ada, thread, f"<@{server.bot_id}> and now?")
    await server.post_as(server.ada, thread, "later")
    said = await platform.read_thread(target, ref(target, asked), 10)
    assert [(each.who, each.text) for each in said] == [
        ("Ada", "The opener"),
        ("Grace", "one"),
        ("Grace", "two @Ada"),
    ]
    everything = await platform.read_thread(target, None, 10)
    assert [each.text for each in everything][-1] == "later"


async def test_the_opener_is_told_whatever_the_limit_is(server: DiscordServer, platform: DiscordPlatform) -> None:
    target = await thread_with(server, [f"message {number}" for number in range(6)])
    said = await platform.read_thread(target, None, 3)
    assert [each.text for each in said] == ["The opener", "message 4", "message 5"]
    assert [each.text for each in await platform.read_thread(target, None, 1)] == ["The opener"]


async def test_of_a_long_thread_the_opener_is_asked_for(server: DiscordServer, platform: DiscordPlatform) -> None:
    target = await thread_with(server, [f"message {number}" for number in range(120)])
    said = await platform.read_thread(target, None, 3)
    assert [each.text for each in said] == ["The opener", "message 118", "message 119"]


async def test_an_opener_that_was_deleted_is_left_out(server: DiscordServer, platform: DiscordPlatform) -> None:
    target = await thread_with(server, ["one"])
    await server.delete_as(server.ada, server.general, str(target.conversation.thread))
    assert [each.text for each in await platform.read_thread(target, None, 10)] == ["one"]


async def test_a_forums_post_begins_with_its_own_first_message(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    forum = await server.add_forum("help")
    post = await server.open_thread_as(server.ada, forum, "It broke", text="Help me please")
    for number in range(4):
        await server.post_as(server.grace, post, f"message {number}")
    said = await platform.read_thread(post_of(server, forum, post), None, 2)
    assert [each.text for each in said] == ["Help me please", "message 3"]


async def test_files_are_named_and_forwarded_messages_are_read(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    target = await thread_with(server, [])
    thread = str(target.conversation.thread)
    await server.post_as(server.ada, thread, "see here", attachments=[Attachment(filename="plan.pdf")])
    other = await server.post_as(server.ada, server.general, "said elsewhere")
    await server.forward_as(server.grace, server.general, other, thread)
    said = await platform.read_thread(target, None, 10)
    assert [each.text for each in said] == ["The opener", "see here\n(plan.pdf)", "said elsewhere"]


async def test_outside_of_threads_there_is_nothing_to_read(server: DiscordServer, platform: DiscordPlatform) -> None:
    direct = replace(post_of(server, server.general, "1"), address=Address(f"under/{server.general}/1"))
    calls = len(server.calls)
    assert await platform.read_thread(direct, None, 10) == ()
    assert len(server.calls) == calls
