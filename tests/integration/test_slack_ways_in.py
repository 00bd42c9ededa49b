"""Every way to ask in Slack, each to its answer; and what the bot says of itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.playground.slack.model import Message
from tests.integration.slack_world import ADA, DIRECT, GENERAL, GRACE, LINUS, SUPPORT, World, living, say


@pytest.fixture(params=["socket", "http"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path, http=request.param == "http")) as started:
        started.dify.script = lambda query: say(f"re: {query}")
        yield started


def begun_by_the_bot(world: World, channel: str) -> list[Message]:
    """Threads, or what may become one."""
    return [one for one in world.slack.messages(channel) if one.is_bot and one.thread_ts is None]


async def test_a_question_asked_by_command_begins_a_thread_that_goes_on_with_a_mention(world: World) -> None:
    act = await world.acknowledged(await world.slack.command(GRACE, GENERAL, "/ask", "When do we *close*?"))
    await world.until(lambda: bool(begun_by_the_bot(world, GENERAL)), "a thread begins")
    (root,) = begun_by_the_bot(world, GENERAL)
    await world.answered(GENERAL, root.ts, "re: ")
    assert "When do we" in root.visible_text, "whoever reads along sees what was asked"
    assert "Grace" in root.visible_text or GRACE in root.text, "and by whom"
    assert act.answer in (None, "", {}), "nothing else is said"
    await world.ask("And on Sundays?", person=ADA, thread=root.ts)
    await world.answered(GENERAL, root.ts, "And on Sundays?", count=2)
    first, second = world.requests
    assert (second.conversation_id, second.user) == (first.home, first.user)
    await world.settled()
    assert world.slack.pings == []


async def test_a_command_where_the_bot_is_not_a_member_says_so_to_who_typed_it_alone(world: World) -> None:
    await world.slack.kick_bot(ADA, SUPPORT)
    await world.acknowledged(await world.slack.command(GRACE, SUPPORT, "/ask", "Anybody here?"))
    await world.until(lambda: bool(world.private_lines(GRACE)), "she is told")
    (line,) = world.private_lines(GRACE)
    assert "nvite" in line.visible_text
    await world.settled()
    assert begun_by_the_bot(world, SUPPORT) == []
    assert all(one.stopped or one.ended.value != "running" for one in world.requests)


async def test_help_is_for_who_asked_alone(world: World) -> None:
    await world.acknowledged(await world.slack.command(GRACE, GENERAL, "/help"))
    await world.until(lambda: bool(world.private_lines(GRACE)), "help")
    (line,) = world.private_lines(GRACE)
    assert "/ask" in line.visible_text
    assert begun_by_the_bot(world, GENERAL) == []
    assert world.requests == []


async def test_a_message_is_asked_about_by_its_shortcut(world: World) -> None:
    ts = await world.slack.post_as(LINUS, GENERAL, "The report is due on Friday.")
    await world.acknowledged(await world.slack.shortcut(GRACE, "ask_message", GENERAL, ts))
    await world.until(lambda: bool(world.forms(GRACE)), "the form is open")
    (form,) = world.forms(GRACE)
    assert "due on Friday" in str(form.blocks)
    await world.acknowledged(await world.slack.submit_view(GRACE, form.id, {"words": "Which Friday?"}))
    (answer,) = await world.answered(GENERAL, ts, "re: ")
    (request,) = world.requests
    assert "The report is due on Friday." in request.query
    assert "Which Friday?" in request.query
    assert "Which Friday?" in answer.visible_text.partition("re: ")[0], "whoever reads along sees what was asked"
    assert world.forms(GRACE) == []
    await world.settled()


async def test_an_opened_direct_message_suggests_questions_and_one_of_them_is_answered(world: World) -> None:
    world.dify.features.questions = ["What can you do?", "Who are you?"]
    await world.restart()  # what the app says of itself was asked for at the start, and is kept for a while
    channel = await world.slack.open_dm(GRACE)
    await world.until(lambda: channel in world.slack.workspace.prompts, "questions are suggested")
    assert [message for _, message in world.slack.workspace.prompts[channel].prompts] == [
        "What can you do?",
        "Who are you?",
    ]
    root = await world.slack.post_as(GRACE, channel, "What can you do?")
    await world.answered(channel, root, "re: What can you do?")
    assert [request.query for request in world.requests] == ["What can you do?"]


async def test_the_home_tab_tells_what_there_is_and_what_somebody_has_asked(world: World) -> None:
    root = await world.ask("Hello?", channel=DIRECT)
    await world.answered(DIRECT, root, "re: Hello?")
    await world.slack.open_home(ADA)
    await world.until(lambda: ADA in world.slack.workspace.views.homes, "the page is there")
    page = str(world.slack.workspace.views.homes[ADA].blocks)
    assert "1 question" in page
    assert "/ask" in page
    assert world.failed_calls() == []


async def test_rolling_direct_messages_are_begun_anew_from_the_home_tab(tmp_path: Path) -> None:
    async with living(World(tmp_path, slack_dm_sessions="single")) as world:
        world.dify.script = lambda query: say(f"re: {query}")
        for words in ("One", "Two"):
            root = await world.ask(words, channel=DIRECT)
            await world.answered(DIRECT, root, f"re: {words}")
        await world.slack.open_home(ADA)
        await world.until(lambda: ADA in world.slack.workspace.views.homes, "the page is there")
        home = world.slack.workspace.views.homes[ADA]
        await world.acknowledged(await world.slack.press_in_view(ADA, home.id, "bridge:reset"))
        await world.until(lambda: bool(world.private_lines(ADA)), "she is told")
        root = await world.ask("Three", channel=DIRECT)
        await world.answered(DIRECT, root, "re: Three")
        one, two, three = world.requests
        assert (two.conversation_id, three.conversation_id) == (one.home, "")


async def test_who_is_asked_in_the_middle_of_a_thread_knows_what_was_said_above_it(world: World) -> None:
    root = await world.slack.post_as(LINUS, GENERAL, "The printer is broken.")
    await world.slack.post_as(GRACE, GENERAL, "Which of the two?", root)
    await world.slack.post_as(LINUS, GENERAL, "The one on the second floor.", root)
    await world.ask("Whom shall I call?", thread=root)
    await world.answered(GENERAL, root, "re: ")
    await world.ask("And if nobody answers?", thread=root)
    await world.answered(GENERAL, root, "nobody answers?", count=2)
    first, second = world.requests
    told = [
        first.query.index(words) for words in ("printer is broken", "Which of the two", "second floor", "Whom shall")
    ]
    assert told == sorted(told)
    assert "Linus" in first.query
    assert "printer" not in second.query, "once is enough"


async def test_a_thread_is_followed_until_it_is_muted_and_again_when_it_is_not(world: World) -> None:
    root = await world.ask("One")
    await world.answered(GENERAL, root, "re: One")
    await world.slack.post_as(GRACE, GENERAL, "Two, without a mention", root)
    await world.answered(GENERAL, root, "re: Two", count=2)
    await world.slack.post_as(GRACE, GENERAL, "mute", root)
    await world.answered(GENERAL, root, "only answer here when I am mentioned", count=3)
    await world.restart()
    await world.slack.post_as(GRACE, GENERAL, "Three, among ourselves", root)
    await world.ask("Four", thread=root)
    await world.answered(GENERAL, root, "re: Four", count=4)
    await world.slack.post_as(GRACE, GENERAL, "unmute", root)
    await world.answered(GENERAL, root, "answer every message in this thread again", count=5)
    await world.slack.post_as(GRACE, GENERAL, "Five, without a mention", root)
    await world.answered(GENERAL, root, "re: Five", count=6)
    assert not any("Three" in request.query for request in world.requests)
    assert len({request.home for request in world.requests}) == 1
