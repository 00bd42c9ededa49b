"""One answer on Slack from its first sign of life to its last button, with everything that the workspace and the app can do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bridge.playground.dify.records import Ended
from tests.integration.slack_world import ADA, GENERAL, GRACE, WORDS, World, living, say


@pytest.fixture(params=["socket", "http"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path, http=request.param == "http")) as started:
        yield started


@pytest.fixture
async def socket_world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path)) as started:
        yield started


async def test_an_answer_streams_with_its_steps_and_ends_with_sources_ratings_and_suggestions(world: World) -> None:
    reply = say(*WORDS, per_token=0.03, nodes=("Read the handbook",), suggestions=("What about Mondays?",))
    world.dify.script = lambda _: replace(reply, sources=("Handbook.pdf", "Rules.md"))
    root = await world.ask("When may I go home?")
    await world.until(lambda: bool(world.working()), "a sign of life")
    await world.until(lambda: bool(world.texts(GENERAL, root)), "it grows")
    (answer,) = await world.answered(GENERAL, root, "word100")
    await world.settled()
    growth = [text for _, text in answer.history]
    assert world.was_streamed(answer)
    assert len(growth) >= 3, "seen while it grew"
    assert all(later.startswith(earlier.rstrip()) for earlier, later in pairwise(growth))
    tasks = world.slack.workspace.streams[GENERAL, answer.ts].content.tasks
    assert [(task.title, task.status) for task in tasks if "handbook" in task.title] == [
        ("Read the handbook", "complete")
    ]
    assert all(task.status == "complete" for task in tasks)
    shown = str(answer.blocks)
    assert "Handbook.pdf" in shown
    assert "Rules.md" in shown
    assert "SECRET" not in shown
    assert {"like", "dislike", "What about Mondays?"} <= {one.value for one in world.buttons(answer)}
    assert "".join(WORDS).strip() in answer.visible_text
    assert (world.failed_calls(), world.slack.pings) == ([], [])


async def test_a_press_of_good_answer_is_the_rating_that_dify_keeps(world: World) -> None:
    root = await world.ask("Rate me")
    (answer,) = await world.answered(GENERAL, root, "Rate me")
    await world.press(answer, "like", GRACE)
    await world.until(lambda: bool(world.dify.ratings), "rated")
    ((message, rating),) = world.dify.ratings.items()
    assert (message, rating.rating, rating.user) == (world.requests[0].message_id, "like", world.requests[0].user)
    assert world.forms(GRACE) == []


async def test_a_press_of_bad_answer_asks_why_and_the_words_reach_dify(world: World) -> None:
    root = await world.ask("Rate me")
    (answer,) = await world.answered(GENERAL, root, "Rate me")
    await world.press(answer, "dislike", GRACE)
    await world.until(lambda: bool(world.forms(GRACE)), "the form is open")
    (form,) = world.forms(GRACE)
    await world.acknowledged(await world.slack.submit_view(GRACE, form.id, {"words": "It is out of date."}))
    message = world.requests[0].message_id

    def told() -> bool:
        rating = world.dify.ratings.get(message)
        return rating is not None and rating.rating == "dislike" and "out of date" in rating.content

    await world.until(told, "the comment is there")
    assert world.forms(GRACE) == []
    assert "out of date" not in "".join(world.texts(GENERAL, root))


async def test_a_suggestion_that_is_pressed_is_asked_in_the_same_conversation(world: World) -> None:
    world.dify.script = lambda query: say(f"re: {query}", suggestions=("And on Sundays?",))
    root = await world.ask("When are you open?")
    (first,) = await world.answered(GENERAL, root, "re: ")
    await world.press(first, "And on Sundays?", GRACE)
    _, second = await world.answered(GENERAL, root, "re: ", count=2)
    lead, _, rest = second.visible_text.partition("re: ")
    assert "And on Sundays?" in lead, "whoever reads along sees what was asked"
    assert "And on Sundays?" in rest
    one, other = world.requests
    assert other.conversation_id == one.home
    assert other.user == one.user
    assert world.slack.pings == []


async def test_slacks_own_stop_button_ends_the_answer_at_dify_and_says_so(world: World) -> None:
    world.dify.script = lambda _: say(*WORDS, per_token=0.2)
    root = await world.ask("Talk for a while")
    await world.until(lambda: any("word2" in text for text in world.texts(GENERAL, root)), "it grows")
    assert await world.slack.stop_session(ADA, GENERAL, root), "a stream was stopped"
    await world.until(lambda: world.requests[0].ended is not Ended.RUNNING, "Dify has ended it")
    assert world.requests[0].stopped
    (answer,) = await world.answered(GENERAL, root, "topped")
    await world.settled()
    assert "word2 " in answer.visible_text
    assert "word90" not in answer.visible_text


async def test_buttons_work_after_a_restart(world: World) -> None:
    world.dify.script = lambda query: say(f"re: {query}", suggestions=("And then?",))
    root = await world.ask("What now?")
    (answer,) = await world.answered(GENERAL, root, "re: ")
    await world.settled()
    await world.restart()
    await world.press(answer, "dislike")
    await world.until(lambda: bool(world.dify.ratings), "rated")
    assert next(iter(world.dify.ratings)) == world.requests[0].message_id
    await world.until(lambda: bool(world.forms(ADA)), "the form is open")
    await world.restart()
    (form,) = world.forms(ADA)
    await world.acknowledged(await world.slack.submit_view(ADA, form.id, {"words": "Too short."}))
    await world.until(lambda: any("Too short." in one.content for one in world.dify.ratings.values()), "the comment")
    await world.press(answer, "And then?")
    await world.answered(GENERAL, root, "And then?", count=2)
    assert world.requests[1].conversation_id == world.requests[0].home


async def test_what_a_dead_process_left_growing_is_ended_and_mended(socket_world: World) -> None:
    world = socket_world
    world.dify.script = lambda _: say(*WORDS, per_token=0.05)
    root = await world.ask("Talk for a while")
    await world.until(lambda: any("word3" in text for text in world.texts(GENERAL, root)), "it grows")
    await world.stop_bridge(kill=True)
    (left,) = world.answers(GENERAL, root)
    assert world.slack.workspace.streams[GENERAL, left.ts].state(world.clock.monotonic()) == "live"
    await world.start_bridge()
    (answer,) = await world.answered(GENERAL, root, "word100")
    await world.settled()
    assert answer.ts == left.ts
    assert answer.visible_text.split() == "".join(WORDS).split(), "each word once"
    assert world.slack.workspace.streams[GENERAL, left.ts].state(world.clock.monotonic()) == "stopped"
    assert {"like", "dislike"} <= {one.value for one in world.buttons(answer)}
    assert len(world.requests) == 1, "the app had gone on, and its answer was fetched"


async def test_what_a_dead_process_left_growing_is_mended_with_another_answer_where_the_first_is_lost(
    tmp_path: Path,
) -> None:
    # A plain chat app loses its answer together with its stream.
    async with living(World(tmp_path, mode="chat", recover_patience=0)) as world:
        world.dify.script = lambda _: say(*WORDS, per_token=0.2)
        root = await world.ask("Talk for a while")
        await world.until(lambda: any("word3" in text for text in world.texts(GENERAL, root)), "it grows")
        await world.stop_bridge(kill=True)
        (left,) = world.answers(GENERAL, root)
        world.dify.script = lambda _: say("All of it, at last.")
        await world.start_bridge()
        (answer,) = await world.answered(GENERAL, root, "All of it, at last.")
        await world.settled()
        assert answer.ts == left.ts
        assert len(world.requests) == 2
        assert answer.visible_text.strip() == "All of it, at last."
        assert world.slack.workspace.streams[GENERAL, left.ts].state(world.clock.monotonic()) == "stopped"
        assert {"like", "dislike"} <= {one.value for one in world.buttons(answer)}
