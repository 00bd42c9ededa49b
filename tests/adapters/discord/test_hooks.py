"""What an interaction's own webhook is used for: where the bot is not, and what one person alone reads."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.writing.hooks import ENDS_SOON, Waiting
from bridge.errors import NotAllowed, PlatformUnavailable
from bridge.messages import Button, ButtonAction, OutgoingMessage
from bridge.outgoing_files import OutgoingFile
from bridge.playground.discord import DiscordServer, Fault, Message
from tests.adapters.discord.conftest import Make, out, until
from tests.adapters.discord.invoking import EPHEMERAL, defer, hooks, invoke, keep_token, register, target

FILE = OutgoingFile(name="answer.md", content=b"# All of it\n", media_type="text/markdown")
STOP = Button(action=ButtonAction.STOP, label="Stop")


async def elsewhere(server: DiscordServer, platform: DiscordPlatform) -> int:
    """Ada uses the app that she installed for herself, in a server where the bot is not."""
    await register(server, platform)
    guild = await server.add_guild("Elsewhere", bot=False)
    server.install_for(server.ada)
    return await invoke(server, platform, channel=guild.channel_ids[0])


def written(server: DiscordServer, interaction: int) -> list[Message]:
    asked = server.interactions[str(interaction)]
    return [each for each in (asked.original, *asked.follow_ups) if each is not None and not each.deleted]


async def test_where_the_bot_is_not_the_first_message_takes_the_place_of_the_thinking_and_others_follow(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await elsewhere(server, platform)
    there = target(server, asked, "hook")
    ref = await platform.send(there, OutgoingMessage(text="gro", nonce="n1", buttons=(STOP,)))
    await platform.edit(there, ref, OutgoingMessage(text="growing", nonce="n1", buttons=(STOP,)))
    other = await platform.send(there, out("more", "n2"))
    await platform.edit(there, ref, out("grown", "n1"))
    await platform.edit(there, other, out("more of it", "n2"))
    assert [each.content for each in written(server, asked)] == ["grown", "more of it"]
    assert written(server, asked)[0].buttons == ()
    assert server.pings == []


async def test_a_first_message_that_is_sent_again_stands_once(server: DiscordServer, platform: DiscordPlatform) -> None:
    asked = await elsewhere(server, platform)
    there = target(server, asked, "hook")
    first = await platform.send(there, out("one", "n1"))
    assert await platform.send(there, out("one and more", "n1")) == first
    assert [each.content for each in written(server, asked)] == ["one and more"]


async def test_an_interaction_that_is_told_again_does_not_have_its_answer_overwritten(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await elsewhere(server, platform)
    there = target(server, asked, "hook")
    await platform.send(there, out("one", "n1"))
    keep_token(server, platform, asked)
    await platform.send(there, out("two", "n2"))
    assert [each.content for each in written(server, asked)] == ["one", "two"]


async def test_five_messages_follow_and_a_file_may_be_the_last_of_them(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await elsewhere(server, platform)
    there = target(server, asked, "hook")
    for number in range(5):
        await platform.send(there, out(f"part {number}", f"n{number}"))
    await platform.send_file(there, out("the rest", "n5"), FILE)
    last = written(server, asked)[-1]
    assert [file.filename for _, file in last.attachments] == ["answer.md"]
    calls = len(server.calls)
    with pytest.raises(NotAllowed) as caught:
        await platform.send(there, out("one too many", "n6"))
    assert caught.value.code == "40094"
    assert len(server.calls) == calls, "Discord need not be asked"


async def test_an_answer_may_begin_with_a_file(server: DiscordServer, platform: DiscordPlatform) -> None:
    asked = await elsewhere(server, platform)
    await platform.send_file(target(server, asked, "hook"), out("Here it is"), FILE)
    (message,) = written(server, asked)
    assert message.content == "Here it is"
    assert [file.content for _, file in message.attachments] == [FILE.content]


async def test_after_a_restart_nothing_can_be_written_there_and_that_is_said(
    server: DiscordServer, platform: DiscordPlatform, make: Make
) -> None:
    there = target(server, await elsewhere(server, platform), "hook")
    ref = await platform.send(there, out("one"))
    other = make()
    with pytest.raises(NotAllowed):
        await other.edit(there, ref, out("two"))
    with pytest.raises(NotAllowed):
        await other.send(there, out("two", "n2"))


async def test_what_is_shown_before_the_answer_arrived_waits_for_it(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await invoke(server, platform, answer=False)
    telling = asyncio.create_task(platform.send(target(server, asked, "hook"), out("at once")))
    await defer(server, asked)
    hooks(platform).answered(asked)
    await telling
    assert [each.content for each in written(server, asked)] == ["at once"]


async def test_a_line_for_one_person_takes_the_place_of_what_waits_in_private(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await invoke(server, platform, waiting=Waiting.PRIVATE)
    await platform.send(target(server, asked, "hush"), out("Done.", "n1"))
    await platform.send(target(server, asked, "hush"), out("And this.", "n2"))
    assert [each.content for each in server.ephemerals(server.ada)] == ["Done.", "And this."]
    assert [each for each in server.messages(server.general) if each.is_bot] == []


async def test_a_line_for_one_person_is_not_read_by_all_who_see_the_bot_thinking(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await invoke(server, platform)
    await platform.send(target(server, asked, "hush"), out("Not for you."))
    assert [each.content for each in server.ephemerals(server.ada)] == ["Not for you."]
    assert [each for each in server.messages(server.general) if each.is_bot] == [], "and nothing thinks any more"


async def test_a_line_for_one_person_is_not_posted_before_it_is_sure_that_nobody_else_reads_it(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await invoke(server, platform)
    server.faults.fail_next["DELETE /webhooks/{application_id}/{token}/messages/@original"] = [
        Fault(kind="drop"),
        Fault(kind="drop"),  # the HTTP client tries once more by itself
    ]
    with pytest.raises(PlatformUnavailable):
        await platform.send(target(server, asked, "hush"), out("Not for you."))
    await platform.send(target(server, asked, "hush"), out("Not for you."))
    assert [each.content for each in server.ephemerals(server.ada)] == ["Not for you."]
    assert [each for each in server.messages(server.general) if each.is_bot] == []


async def test_a_line_for_one_person_leaves_the_public_answer_alone(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await invoke(server, platform)
    await platform.send(target(server, asked, "ask"), out("For all."))
    await platform.send(target(server, asked, "hush"), out("For you.", "n2"))
    assert [each.content for each in server.ephemerals(server.ada)] == ["For you."]
    assert [each.content for each in server.messages(server.general) if each.is_bot] == ["For all."]


async def test_what_waits_in_private_is_put_away_unless_something_is_said_there(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    quiet = await invoke(server, platform, waiting=Waiting.PRIVATE)
    await hooks(platform).put_away(quiet)
    assert server.ephemerals(server.ada) == []
    await platform.send(target(server, quiet, "hush"), out("Later."))
    told = await invoke(server, platform, waiting=Waiting.PRIVATE)
    await platform.send(target(server, told, "hush"), out("Told."))
    await hooks(platform).put_away(told)
    assert [each.content for each in server.ephemerals(server.ada)] == ["Later.", "Told."]


async def test_a_line_that_comes_while_what_waits_is_put_away_is_not_lost(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await invoke(server, platform, waiting=Waiting.PRIVATE)
    server.faults.fail_next["DELETE /webhooks/{application_id}/{token}/messages/@original"] = [
        Fault(kind="slow", seconds=0.3)
    ]
    putting_away = asyncio.create_task(hooks(platform).put_away(asked))
    await until(lambda: not server.faults.fail_next["DELETE /webhooks/{application_id}/{token}/messages/@original"])
    await platform.send(target(server, asked, "hush"), out("In between."))
    await putting_away
    assert [each.content for each in server.ephemerals(server.ada)] == ["In between."]


async def test_a_line_that_is_on_its_way_takes_the_place_before_it_is_put_away(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await invoke(server, platform, waiting=Waiting.PRIVATE, answer=False)
    telling = asyncio.create_task(platform.send(target(server, asked, "hush"), out("First.")))
    putting_away = asyncio.create_task(hooks(platform).put_away(asked))
    await defer(server, asked, EPHEMERAL)
    hooks(platform).answered(asked)
    await asyncio.gather(telling, putting_away)
    assert [each.content for each in server.ephemerals(server.ada)] == ["First."]


async def test_a_line_that_was_dismissed_does_not_end_what_comes_later(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    asked = await invoke(server, platform, waiting=Waiting.PRIVATE)
    (waiting,) = server.ephemerals(server.ada)
    await server.dismiss(server.ada, waiting.id)
    await platform.send(target(server, asked, "hush"), out("Still told."))
    assert [each.content for each in server.ephemerals(server.ada)] == ["Still told."]


async def test_without_a_token_or_an_answer_nobody_is_told(server: DiscordServer, platform: DiscordPlatform) -> None:
    unknown = target(server, 12345, "hush")
    with pytest.raises(NotAllowed):
        await platform.send(unknown, out("x"))
    asked = await invoke(server, platform, answer=False)
    hooks(platform).failed(asked)
    with pytest.raises(NotAllowed):
        await platform.send(target(server, asked, "hush"), out("x"))


async def test_shortly_before_the_token_ends_a_growing_answer_says_so_once_and_its_end_still_comes(
    server: DiscordServer, platform: DiscordPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.writing.hooks.TOKEN_LASTS", timedelta(seconds=40))
    asked = await invoke(server, platform)
    keep_token(server, platform, asked)
    hooks(platform).answered(asked)
    there = target(server, asked, "hook")
    growing = OutgoingMessage(text="one", nonce="n1", buttons=(STOP,))
    ref = await platform.send(there, growing)
    await platform.edit(there, ref, replace(growing, text="one two"))
    await platform.edit(there, ref, replace(growing, text="one two three"))
    (message,) = written(server, asked)
    assert message.content == f"one two\n-# ⌛ {ENDS_SOON}"
    await platform.edit(there, ref, out("one two three four", "n1"))
    assert message.content == "one two three four"


async def test_after_the_end_of_the_token_discord_is_not_asked(
    server: DiscordServer, platform: DiscordPlatform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.writing.hooks.TOKEN_LASTS", timedelta(seconds=10))
    asked = await invoke(server, platform)
    keep_token(server, platform, asked)
    calls = len(server.calls)
    hooks(platform).answered(asked)
    with pytest.raises(NotAllowed):
        await platform.send(target(server, asked, "hook"), out("late"))
    assert len(server.calls) == calls
