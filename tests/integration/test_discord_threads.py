"""Where answers stand in Discord: threads with a title, replies, posts of forums that get solved, and places without threads."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.playground.discord import Fault
from bridge.playground.discord.permissions import CREATE_PUBLIC_THREADS, DEFAULT_PERMISSIONS, MANAGE_THREADS
from bridge.routing import DEFAULT_APP, Answers, Follow, Route
from tests.integration.discord_world import World, living, routed, say

THREADS = "POST /channels/{channel_id}/messages/{message_id}/threads"

REPLIES = routed(Route(app=DEFAULT_APP, answers=Answers.REPLY))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path)) as started:
        yield started


async def test_a_thread_follows_its_question_and_gets_a_title_once(world: World) -> None:
    world.dify.titles = lambda question: f"All about {question}"
    thread = await world.mention("opening hours")
    await world.answered(thread, "re: opening hours")
    await world.until(lambda: world.place(thread).name == "All about opening hours", "it has a title")
    await world.restart()
    world.dify.titles = lambda question: "Another title"
    await world.discord.post_as(world.discord.grace, thread, "And on Sundays?")
    await world.answered(thread, "re: And on Sundays?")
    await world.settled()
    assert world.place(thread).name == "All about opening hours"
    first, second = world.requests
    assert (second.conversation_id, second.user) == (first.home, first.user)
    renames = [one for one in world.discord.calls if one.method == "PATCH" and one.route == "/channels/{channel_id}"]
    assert len(renames) == 1


async def test_a_thread_of_a_command_gets_a_title_too(world: World) -> None:
    world.dify.titles = lambda question: f"All about {question}"
    await world.ask("opening hours", world.discord.general)
    await world.until(lambda: bool(world.threads(world.discord.general)), "a thread begins")
    (thread,) = world.threads(world.discord.general)
    await world.until(lambda: world.place(thread).name == "All about opening hours", "it has a title")


async def test_a_thread_that_somebody_else_opened_keeps_its_name(world: World) -> None:
    server = world.discord
    thread = await server.open_thread_as(server.linus, server.general, "Linus' plans")
    await world.mention("Any ideas?", thread)
    await world.answered(thread, "re: Any ideas?")
    await world.settled()
    assert world.place(thread).name == "Linus' plans"


async def test_who_is_asked_in_the_middle_of_a_thread_knows_what_was_said_above_it(world: World) -> None:
    server = world.discord
    opener = await server.post_as(server.linus, server.general, "The printer is broken.")
    thread = await server.open_thread_as(server.grace, server.general, "Printer", message_id=opener)
    await server.post_as(server.grace, thread, "Which of the two?")
    await server.post_as(server.linus, thread, "The one on the second floor.")
    await world.mention("Whom shall I call?", thread)
    await world.answered(thread, "re: ")
    await server.post_as(server.grace, thread, "And if nobody answers?")
    await world.answered(thread, "And if nobody answers?")
    first, second = world.requests
    told = [
        first.query.index(words) for words in ("printer is broken", "Which of the two", "second floor", "Whom shall")
    ]
    assert told == sorted(told)
    assert "Linus" in first.query
    assert second.query == "And if nobody answers?", "once is enough"


async def test_a_post_in_a_forum_is_answered_in_it_and_solved_by_its_askers_thumb(tmp_path: Path) -> None:
    world = World(tmp_path, discord_solved_tag="Solved")
    server = world.discord
    world.routes = routed(Route(app=DEFAULT_APP, follow=Follow.EVERYTHING))
    async with living(world):
        forum = await server.add_forum("help", ["Question", "Solved"])
        server.permissions[forum] = DEFAULT_PERMISSIONS | MANAGE_THREADS
        question, solved = (tag.id for tag in world.place(forum).tags)
        post = await server.open_thread_as(server.ada, forum, "Printer", text="It does not print.", tags=["Question"])
        answer = await world.answered(post, "It does not print.")
        await world.press(answer, "bridge:like", server.grace)
        await world.until(lambda: bool(world.dify.ratings), "rated")
        await world.settled()
        assert world.place(post).applied_tags == (question,), "it was not her question"
        await world.press(answer, "bridge:like", server.ada)
        await world.until(lambda: world.place(post).applied_tags == (question, solved), "it is solved")
        assert world.place(post).name == "Printer"


async def test_answers_are_replies_where_that_is_wanted_and_a_reply_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path, routes=REPLIES)
    async with living(world):
        server = world.discord
        question = await world.mention("One")
        answer = await world.answered(server.general, "re: One")
        assert answer.reference == question
        other = await world.mention("Something else", person=server.grace)
        await world.answered(server.general, "re: Something else")
        await server.post_as(server.ada, server.general, "Two", reply_to=answer.id)
        second = await world.answered(server.general, "re: Two")
        assert second.reference not in (question, other)
        await world.ask("Three", server.general)
        by_command = await world.answered(server.general, "re: Three")
        assert "Three" in by_command.content.partition("re: ")[0], "whoever reads along sees what was asked"
        await world.settled()
        one, _, two, three = world.requests
        assert (two.conversation_id, two.user) == (one.home, one.user)
        assert three.conversation_id == ""
        assert world.threads(server.general) == []
        assert server.pings == []


async def test_where_no_thread_can_be_opened_the_answer_is_a_reply(world: World) -> None:
    server = world.discord
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~CREATE_PUBLIC_THREADS
    question = await world.mention("One")
    answer = await world.answered(server.general, "re: One")
    assert answer.reference == question
    await world.ask("Two", server.general)
    await world.answered(server.general, "re: Two")
    assert world.threads(server.general) == []
    await world.until(lambda: not world.thinking(), "nothing is left that thinks")


async def test_where_too_many_threads_are_open_the_answer_is_a_reply(world: World) -> None:
    world.discord.max_active_threads = 0
    question = await world.mention("One")
    answer = await world.answered(world.discord.general, "re: One")
    assert answer.reference == question


async def test_a_thread_that_is_archived_while_an_answer_grows_in_it_gets_the_whole_of_it(world: World) -> None:
    server = world.discord
    words = [f"word{number} " for number in range(1, 101)]
    world.dify.script = lambda _: say(*words, per_token=0.05)
    thread = await world.mention("Talk for a while")
    await world.until(lambda: "word3 " in "".join(world.texts(thread)), "it grows")
    await server.archive_as(server.linus, thread)
    await world.until(lambda: "word100" in "".join(world.texts(thread)), "it is whole")
    await world.settled()
    assert "".join(world.texts(thread)).split() == "".join(words).split()


@pytest.mark.parametrize("fault", ["drop", "effect_then_drop"])
@pytest.mark.parametrize(
    "route",
    [
        THREADS,
        "POST /channels/{channel_id}/messages",
        "PATCH /channels/{channel_id}/messages/{message_id}",
    ],
)
async def test_an_answer_is_whole_and_there_once_when_a_call_is_cut(world: World, route: str, fault: str) -> None:
    kind = Fault(kind="drop") if fault == "drop" else Fault(kind="effect_then_drop")
    world.discord.faults.fail_next[route] = [kind]
    words = [f"word{number} " for number in range(1, 101)]
    world.dify.script = lambda _: say(*words, per_token=0.025)
    thread = await world.mention("Talk for a while")
    # A thread that was not opened is not tried again: it may be minutes until another one is allowed.
    place = world.discord.general if (route, fault) == (THREADS, "drop") else thread
    answer = await world.answered(place, "word100")
    await world.settled()
    assert answer.content.split() == "".join(words).split()
    assert len(world.own(thread)) + len(world.own(world.discord.general)) == 1
    assert world.discord.faults.fail_next[route] == [], "it did go wrong"
