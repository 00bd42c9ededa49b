"""Every way to ask in Discord, each to its answer; and what the bot says of itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.playground.discord import Attachment
from tests.integration.discord_world import World, living, say

ASK_ABOUT = "Ask about this message"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path)) as started:
        yield started


async def test_a_question_asked_by_command_begins_a_thread_that_goes_on(world: World) -> None:
    server = world.discord
    await world.ask("When do we *close*?", server.general, server.grace)
    await world.until(lambda: bool(world.threads(server.general)), "a thread begins")
    (thread,) = world.threads(server.general)
    answer = await world.answered(thread, "re: When do we")
    root = world.own(server.general)[0]
    assert (root.id, "Grace" in root.content, "When do we" in root.content) == (thread, True, True)
    assert "Grace" not in answer.content, "said once is enough"
    await server.post_as(server.ada, thread, "And on Sundays?")
    await world.answered(thread, "re: And on Sundays?")
    first, second = world.requests
    assert (second.conversation_id, second.user) == (first.home, first.user)
    assert world.thinking() == []
    assert server.pings == []


async def test_in_a_thread_and_in_direct_messages_the_answer_says_what_was_asked(world: World) -> None:
    server = world.discord
    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    for place in (thread, server.dm_ada):
        await world.ask("How many?", place)
        answer = await world.answered(place, "re: How many?")
        assert "Ada" in answer.content.partition("re: ")[0]
    await world.until(lambda: not world.thinking(), "nothing is left that thinks")
    assert world.private_lines(server.ada) == []


async def test_a_file_given_with_a_command_reaches_the_app(world: World) -> None:
    server = world.discord
    report = Attachment(filename="report.txt", content_type="text/plain", size=5, content=b"hello")
    await world.ask("What does it say?", server.general, file=report)
    await world.until(lambda: bool(world.requests), "the app is asked")
    assert [one.name for one in world.dify.uploads.values()] == ["report.txt"]


async def test_help_and_reset_are_for_who_asked_alone(world: World) -> None:
    server = world.discord
    await server.command(server.ada, server.general, "help")
    await world.until(lambda: bool(world.private_lines(server.ada)), "help")
    assert "`/ask`" in world.private_lines(server.ada)[0]
    assert ASK_ABOUT in world.private_lines(server.ada)[0]
    await server.command(server.grace, server.general, "reset")
    await world.until(lambda: bool(world.private_lines(server.grace)), "an explanation")
    assert "nothing to forget out here" in world.private_lines(server.grace)[0]
    assert world.own(server.general) == []
    assert world.requests == []


async def test_a_thread_is_begun_anew_by_reset(world: World) -> None:
    server = world.discord
    await world.ask("One", server.general)
    await world.until(lambda: bool(world.threads(server.general)), "a thread begins")
    (thread,) = world.threads(server.general)
    await world.answered(thread, "re: One")
    await server.command(server.ada, thread, "reset")
    await world.until(lambda: "forgotten" in "".join(world.private_lines(server.ada)), "it is said")
    await server.post_as(server.ada, thread, "Two")
    await world.answered(thread, "re: Two")
    assert [one.conversation_id for one in world.requests] == ["", ""]


async def test_stop_ends_what_grows_in_the_thread(world: World) -> None:
    server = world.discord
    world.dify.script = lambda _: say(*(f"word{number} " for number in range(400)), per_token=0.05)
    await world.ask("Count", server.general)
    await world.until(lambda: bool(world.threads(server.general)), "a thread begins")
    (thread,) = world.threads(server.general)
    await world.until(lambda: "word1 " in "".join(world.texts(thread)), "it begins to grow")
    number = await world.acknowledged(await server.command(server.ada, thread, "stop"))
    await world.until(lambda: server.interactions[number].ephemeral == "Stopped.", "it is said")
    answer = await world.answered(thread, "word1 ")
    assert "word399" not in answer.content
    assert all(one.stopped for one in world.requests)


async def test_a_message_is_asked_about_by_its_menu(world: World) -> None:
    server = world.discord
    said = await server.post_as(server.linus, server.general, "The report is due on Friday.")
    opened = await world.acknowledged(await server.message_command(server.grace, server.general, ASK_ABOUT, said))
    await world.acknowledged(await server.submit_modal(server.grace, opened, {"words": "Which Friday?"}))
    await world.until(lambda: said in world.threads(server.general), "a thread begins under it")
    await world.answered(said, "re: ")
    (request,) = world.requests
    assert "The report is due on Friday." in request.query
    assert "Which Friday?" in request.query
    assert any("Which Friday?" in text and "Grace" in text for text in world.texts(said)), "all see what was asked"
    await world.until(lambda: not world.thinking(), "nothing is left that thinks")


async def test_who_replies_to_somebodys_message_and_mentions_the_bot_asks_about_it(world: World) -> None:
    server = world.discord
    said = await server.post_as(server.linus, server.general, "The printer is broken.")
    question = await server.post_as(server.grace, server.general, f"<@{server.bot_id}> Whom to call?", reply_to=said)
    await world.answered(question, "re: ")
    (request,) = world.requests
    assert request.query.index("The printer is broken.") < request.query.index("Whom to call?")
    assert "Linus" in request.query


async def test_where_the_bot_is_not_the_answer_stands_where_it_was_asked(world: World) -> None:
    server = world.discord
    server.install_for(server.ada)
    elsewhere = await server.add_guild("Elsewhere", bot=False)
    place = elsewhere.channel_ids[0]
    await world.ask("Far away?", place)
    await world.answered(place, "re: Far away?")
    await world.ask("Still?", place)
    await world.answered(place, "re: Still?")
    first, second = world.requests
    assert (second.conversation_id, second.user) == (first.home, first.user)
    assert world.thinking() == []


async def test_a_suggested_question_is_answered_after_a_restart(world: World) -> None:
    server = world.discord
    world.dify.script = lambda query: say(f"re: {query}", suggestions=["And then?"])
    question = await server.post_as(server.ada, server.general, f"<@{server.bot_id}> First?")
    answer = await world.answered(question, "re: First?")
    await world.until(lambda: any(one.label == "And then?" for one in answer.buttons), "it is suggested")
    await world.restart(kill=True)
    await world.press(answer, "bridge:ask", server.grace)
    later = await world.answered(question, "re: And then?")
    assert "Grace" in later.content.partition("re: ")[0]


async def test_a_vote_and_its_reason_reach_the_app_and_the_choice_shows(world: World) -> None:
    server = world.discord
    question = await server.post_as(server.ada, server.general, f"<@{server.bot_id}> First?")
    answer = await world.answered(question, "re: First?")
    pressed = await world.press(answer, "bridge:dislike")
    await world.acknowledged(await server.submit_modal(server.ada, pressed, {"words": "Too short"}))
    await world.until(lambda: any("Too short" in str(one) for one in world.dify.ratings.values()), "the reason arrives")
    await world.until(lambda: world.button(answer, "bridge:dislike").style == 4, "the choice shows")


async def test_the_bots_own_role_is_as_good_as_a_mention(world: World) -> None:
    server = world.discord
    question = await server.post_as(server.ada, server.general, f"<@&{server.bot_role_id}> By role?")
    await world.answered(question, "re: By role?")


async def test_a_mention_opens_a_thread_in_which_none_is_needed(world: World) -> None:
    server = world.discord
    thread = await world.mention("One")
    await world.answered(thread, "re: One")
    await server.post_as(server.grace, thread, "Two")
    await world.answered(thread, "re: Two")
    await world.restart()
    await server.post_as(server.linus, thread, "Three")
    await world.answered(thread, "re: Three")
    assert len({request.home for request in world.requests}) == 1
    assert (world.failed_calls(), server.pings) == ([], [])


async def test_a_thread_of_others_is_followed_once_the_bot_was_asked_in_it(world: World) -> None:
    server = world.discord
    thread = await server.open_thread_as(server.linus, server.general, "Plans")
    await server.post_as(server.linus, thread, "Among ourselves")
    await world.mention("What do you think?", thread)
    await world.answered(thread, "What do you think?")
    await server.post_as(server.grace, thread, "Why?")
    await world.answered(thread, "re: Why?")
    assert [
        request.query.endswith(words) for request, words in zip(world.requests, ("think?", "Why?"), strict=True)
    ] == [
        True,
        True,
    ]


async def test_a_reply_to_an_answer_goes_on_with_it(world: World) -> None:
    server = world.discord
    thread = await world.mention("One")
    answer = await world.answered(thread, "re: One")
    await server.post_as(server.grace, thread, "Two", reply_to=answer.id, ping_reply=False)
    await world.answered(thread, "re: Two")
    first, second = world.requests
    assert (second.conversation_id, second.query) == (first.home, "Two")


async def test_direct_messages_are_one_conversation_until_they_are_reset(world: World) -> None:
    server = world.discord
    for words in ("One", "Two"):
        await server.post_as(server.ada, server.dm_ada, words)
        await world.answered(server.dm_ada, f"re: {words}")
    await server.command(server.ada, server.dm_ada, "reset")
    await world.until(lambda: "forgotten" in "".join(world.private_lines(server.ada)), "it is said")
    await server.post_as(server.ada, server.dm_ada, "Three")
    await world.answered(server.dm_ada, "re: Three")
    one, two, three = world.requests
    assert (two.conversation_id, three.conversation_id) == (one.home, "")


async def test_a_post_in_a_forum_that_mentions_the_bot_is_answered_in_it(world: World) -> None:
    server = world.discord
    forum = await server.add_forum("help", ["Printers"], tag_required=True)
    words = f"<@{server.bot_id}> It does not print."
    post = await server.open_thread_as(server.ada, forum, "Printer", text=words, tags=["Printers"])
    await world.answered(post, "It does not print.")
    assert world.requests[0].query == "Printer\n\nIt does not print.", "half of the question stands in the post's name"
    await server.post_as(server.ada, post, "Still not.")
    await world.answered(post, "re: Still not.")
    assert len({request.home for request in world.requests}) == 1


async def test_a_link_that_discord_draws_a_preview_for_is_not_asked_again(world: World) -> None:
    server = world.discord
    thread = await world.mention("What is https://dify.ai?")
    await world.answered(thread, "re: ")
    await server.unfurl(server.general, thread, "Dify", "A page")
    await server.post_as(server.ada, thread, "And then?")
    await world.answered(thread, "re: And then?")
    assert len(world.requests) == 2


async def test_in_a_group_without_the_bot_it_answers_who_has_it_themselves(world: World) -> None:
    server = world.discord
    server.install_for(server.ada)
    group = await server.add_private("the-two", server.ada, server.grace)
    words = "".join(f"word{number} " for number in range(1, 1201))
    world.dify.script = lambda _: say(words)
    await world.ask("Everything?", group)
    await world.until(lambda: any("bridge:like" in world.labels(one) for one in world.own(group)), "the whole answer")
    shown = world.own(group)
    assert len(shown) <= 6, "no more follow-ups than Discord lets it write"
    said = "".join(one.content for one in shown)
    files = b"".join(file.content or b"" for one in shown for _, file in one.attachments)
    assert "word1200" in said or b"word1200" in files
    assert world.failed_calls() == []
