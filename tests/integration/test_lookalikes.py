"""A server that only speaks like Dify, seen from a chat: what it lacks is not offered, and everything else is as ever."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.playground.dify.script import Reply
from bridge.playground.slack.model import File
from tests.integration.slack_world import ADA, DIRECT, GENERAL, World, living

EVERYTHING = ("feedback", "files", "audio", "suggested", "parameters", "stop", "conversations", "info", "names")


def imitating(folder: Path, *lacks: str) -> World:
    world = World(folder, mode="chat")
    world.dify.imitate(**dict.fromkeys(lacks, 404))
    return world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(imitating(tmp_path, *EVERYTHING)) as world:
        yield world


async def test_questions_and_follow_ups_are_answered_without_rating_buttons(world: World) -> None:
    root = await world.ask("My name is Ada")
    (first,) = await world.answered(GENERAL, root, "My name is Ada")
    await world.ask("What is my name?", thread=root)
    _, second = await world.answered(GENERAL, root, "question 2 in this conversation", count=2)
    await world.settled()

    for answer in (first, second):
        assert not {"like", "dislike"} & {one.value for one in world.buttons(answer)}
    assert world.failed_calls() == []


async def test_an_answer_can_be_rated_where_the_server_takes_ratings(tmp_path: Path) -> None:
    async with living(imitating(tmp_path, *(set(EVERYTHING) - {"feedback"}))) as world:
        root = await world.ask("My name is Ada")
        (answer,) = await world.answered(GENERAL, root, "My name is Ada")
        await world.settled()

        assert {"like", "dislike"} <= {one.value for one in world.buttons(answer)}


async def test_stop_ends_an_answer_that_the_server_cannot_be_told_to_end(world: World) -> None:
    world.dify.script = lambda _: Reply(tokens=["word "] * 2000, per_token=0.02, first_token=0)
    root = await world.ask("Talk for a while")
    await world.until(lambda: any("word" in one for one in world.texts(GENERAL, root)), "it grows")

    assert await world.slack.stop_session(ADA, GENERAL, root), "a stream was stopped"
    (answer,) = await world.answered(GENERAL, root, "(Stopped.)")

    assert answer.visible_text.startswith("word word")
    await world.dify.until(lambda: world.requests[-1].ended == "client_closed")


async def test_a_file_is_left_out_with_a_reason(world: World) -> None:
    picture = File(id="F0PICTURE", name="a.png", mimetype="image/png", content=b"\x89PNG")
    root = await world.slack.post_as(ADA, DIRECT, "Look at this", files=[picture])

    (answer,) = await world.answered(DIRECT, root, "Look at this")

    assert "a.png was left out: the app takes no files." in answer.visible_text
