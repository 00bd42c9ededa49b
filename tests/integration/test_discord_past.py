"""Earlier conversations in Discord: found by who had them, brought back, and deleted for good."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge import archivist
from bridge.messages import PlatformName
from bridge.playground.discord.model import Message
from tests.integration.discord_world import PATIENCE, World, living, say

DISCORD = PlatformName("discord")
CHOOSE = "Which of your earlier conversations"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path)) as started:
        yield started


async def at_rest(world: World) -> None:
    """Waits until the end of every answer is recorded, which is a moment after it can be read."""
    assert world.app is not None
    async with asyncio.timeout(PATIENCE):
        while await world.app.parts.store.waiting_conversations([DISCORD]):
            await world.clock.sleep(0.01)


async def command(world: World, name: str, place: str, person: str | None = None) -> None:
    await at_rest(world)
    await world.acknowledged(await world.discord.command(person or world.discord.ada, place, name))


async def whispered(world: World, words: str, person: str | None = None) -> Message:
    """The last message with these words that this person alone sees."""
    who = person or world.discord.ada

    def lines() -> list[Message]:
        return [one for one in world.discord.ephemerals(who) if words in one.content]

    await world.until(lambda: bool(lines()), f"{words!r}; there is {world.private_lines(who)}")
    return lines()[-1]


async def thread_of(world: World, question: str, person: str | None = None) -> str:
    """A thread that the bot opened for this question, which it has answered there."""
    thread = await world.mention(question, person=person)
    await world.answered(thread, f"re: {question}")
    return thread


async def test_an_earlier_conversation_goes_on_in_another_thread_as_its_own_user(world: World) -> None:
    server = world.discord
    first = await thread_of(world, "Why is the sky blue?")
    second = await thread_of(world, "What is for lunch?")
    earlier = world.dify.conversations[world.requests[0].home]
    await world.until(lambda: earlier.name != "New conversation", "it has a title")
    await command(world, "history", second)
    shown = await whispered(world, CHOOSE)
    assert [earlier.name in one.label for one in shown.buttons] == [True]
    await world.restart(kill=True)
    await world.press(shown, "bridge:resume:")
    await world.until(lambda: archivist.RESUMED_IN_THREAD in world.texts(second), "everybody there is told")
    await server.post_as(server.ada, second, "And at night?")
    await world.answered(second, "re: And at night?")
    await server.post_as(server.ada, first, "Still here?")
    await world.answered(first, "Still here?")
    asked = world.requests
    assert (asked[2].conversation_id, asked[2].user) == (asked[0].home, asked[0].user)
    assert asked[3].conversation_id == "", "it goes on in one place only"
    await world.settled()


async def test_what_was_asked_in_a_thread_that_the_bot_did_not_open_stays_there(world: World) -> None:
    """Such a thread may have members of its own, and the others in the channel none of their business in it."""
    server = world.discord
    closed = await server.open_thread_as(server.ada, server.general, "Board")
    await world.ask("Whom shall we dismiss?", closed)
    await world.answered(closed, "re: Whom shall we dismiss?")
    open_to_all = await thread_of(world, "What is for lunch?")
    await command(world, "history", open_to_all)
    await whispered(world, archivist.NO_PAST)


async def test_nobody_is_shown_what_somebody_else_asked(world: World) -> None:
    server = world.discord
    await thread_of(world, "Something of Ada's")
    second = await thread_of(world, "Hello", server.grace)
    await command(world, "history", second, server.grace)
    await whispered(world, archivist.NO_PAST, server.grace)
    assert world.private_lines(server.ada) == []


async def test_direct_messages_begun_anew_can_be_gone_back_to(world: World) -> None:
    server = world.discord
    await server.post_as(server.ada, server.dm_ada, "My salary?")
    await world.answered(server.dm_ada, "re: My salary?")
    await command(world, "reset", server.dm_ada)
    await whispered(world, "forgotten")
    await server.post_as(server.ada, server.dm_ada, "Something else")
    await world.answered(server.dm_ada, "re: Something else")
    await command(world, "history", server.dm_ada)
    shown = await whispered(world, CHOOSE)
    await world.press(shown, "bridge:resume:")
    await whispered(world, archivist.RESUMED)
    await server.post_as(server.ada, server.dm_ada, "And next year?")
    await world.answered(server.dm_ada, "re: And next year?")
    assert world.requests[-1].conversation_id == world.requests[0].home
    thread = await thread_of(world, "Hello")
    await command(world, "history", thread)
    await whispered(world, archivist.NO_PAST)


async def test_said_in_words_a_list_is_not_shown_to_everybody(world: World) -> None:
    await thread_of(world, "Why is the sky blue?")
    second = await thread_of(world, "What is for lunch?")
    await world.mention("/history", second)
    await world.until(lambda: archivist.PRIVATELY in world.texts(second), "where it can be had")


async def test_what_is_forgotten_is_asked_back_and_deleted_at_the_app(world: World) -> None:
    server = world.discord
    thread = await thread_of(world, "A secret?")
    ((ident, kept),) = world.dify.conversations.items()
    await command(world, "forget", thread, server.grace)
    assert (await whispered(world, archivist.NOT_YOUR_WORDS, server.grace)).buttons == ()
    await command(world, "forget", thread)
    shown = await whispered(world, "Shall I forget")
    assert world.dify.delete_log == [], "not before it was confirmed"
    world.dify.faults.refuse_deletions = 1
    await world.press(shown, "bridge:forget:")
    await world.until(lambda: archivist.FORGOTTEN_HERE in world.texts(thread), "it is told honestly")
    await world.restart(kill=True)
    await world.until(lambda: bool(world.dify.delete_log), "the app is told later")
    assert [(one.conversation_id, one.user) for one in world.dify.delete_log] == [(ident, kept.user)]
    await server.post_as(server.ada, thread, "What did I say?")
    await world.answered(thread, "What did I say?")
    assert "A secret?" not in world.requests[-1].query
    assert world.requests[-1].conversation_id == ""


async def test_asked_for_in_words_anybody_who_asked_there_may_confirm_and_nobody_else(world: World) -> None:
    server = world.discord
    thread = await thread_of(world, "A secret?")
    await at_rest(world)
    await world.mention("/forget", thread)
    await world.until(lambda: any("Shall I forget" in one for one in world.texts(thread)), "it is asked back")
    shown = next(one for one in world.own(thread) if "Shall I forget" in one.content)
    await world.press(shown, "bridge:forget:", server.grace)
    await whispered(world, archivist.NOT_YOUR_WORDS, server.grace)
    assert world.dify.delete_log == []
    await world.press(shown, "bridge:forget:")
    await world.until(lambda: archivist.FORGOTTEN in world.texts(thread), "it is done")
    assert len(world.dify.delete_log) == 1


async def test_an_answer_is_read_aloud_below_it(tmp_path: Path) -> None:
    made = World(tmp_path)
    made.dify.features.speaks = True
    async with living(made) as world:
        server = world.discord
        thread = await thread_of(world, "Why?")
        await at_rest(world)
        answer = world.own(thread)[-1]

        def shown() -> list[bytes | None]:
            return [file.content for one in server.messages(thread) if one.is_bot for _, file in one.attachments]

        await server.react(server.grace, thread, answer.id, "🔊")
        await world.until(lambda: bool(shown()), "a recording is there")
        await world.settled()
        assert shown() == [world.dify.features.sound]
        assert [one.text for one in world.dify.speech_log] == ["re: Why?"]


async def test_an_answer_that_people_wrote_is_marked(tmp_path: Path) -> None:
    async with living(World(tmp_path, mode="chat")) as world:
        world.dify.script = lambda _: replace(say("We close at six."), annotated=True)
        thread = await world.mention("When do you close?")
        answer = await world.answered(thread, "We close at six.")
        assert "what the team has written" in answer.content
