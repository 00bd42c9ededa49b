"""Who is no colleague: people of other organisations, and other bots."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.messages import PersonId
from bridge.routing import External, Guests
from tests.integration.slack_world import ADA, GENERAL, SUPPORT, World, living, say

ROBOT = "U0ROBOT"


@pytest.fixture(params=["socket", "http"])
async def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def world(transport: str, tmp_path: Path) -> AsyncIterator[World]:
    guests = Guests(bots=frozenset({PersonId(ROBOT)}))
    async with living(World(tmp_path, http=transport == "http", guests=guests)) as started:
        started.dify.script = lambda query: say(f"re: {query}")
        yield started


async def test_in_a_channel_with_another_organisation_nothing_is_answered_unless_that_is_wanted(
    world: World,
) -> None:
    stranger = world.slack.add_stranger(SUPPORT, "Mallory")
    for person in (stranger.id, ADA):
        await world.ask("What is the password?", channel=SUPPORT, person=person)
    root = await world.ask("Are you there?")
    await world.answered(GENERAL, root, "re: Are you there?")
    await world.settled()
    assert [request.query for request in world.requests] == ["Are you there?"]
    assert not any(one.is_bot for one in world.slack.messages(SUPPORT))
    for person in (stranger.id, ADA):
        (line,) = world.private_lines(person)
        assert (line.channel, "other organisations" in line.visible_text) == (SUPPORT, True), (
            "whoever asked is told why"
        )


async def test_where_mentions_are_wanted_a_stranger_is_answered_when_mentioning_the_bot_and_not_followed(
    transport: str, tmp_path: Path
) -> None:
    guests = Guests(external=External.MENTION)
    async with living(World(tmp_path, http=transport == "http", guests=guests)) as world:
        world.dify.script = lambda query: say(f"re: {query}")
        stranger = world.slack.add_stranger(SUPPORT, "Mallory")
        root = await world.ask("When do you open?", channel=SUPPORT, person=stranger.id)
        (answer,) = await world.answered(SUPPORT, root, "re: When do you open?")
        await world.slack.post_as(stranger.id, SUPPORT, "I see.", root)
        await world.ask("And close?", channel=SUPPORT, person=stranger.id, thread=root)
        await world.answered(SUPPORT, root, "re: And close?", count=2)
        await world.settled()
        assert [request.query for request in world.requests] == ["When do you open?", "And close?"]
        assert world.slack.pings == []
        assert {"like", "dislike"} <= {one.value for one in world.buttons(answer)}


async def test_a_bot_on_the_list_is_answered_a_few_times_and_then_a_person_must_ask_first(world: World) -> None:
    async def say_as_robot(words: str, thread: str | None = None) -> str:
        text = f"<@{world.slack.bot_user_id}> {words}"
        return await world.slack.post_as(ROBOT, GENERAL, text, thread, bot_id="B0ROBOT")

    root = await say_as_robot("Build 1 failed")
    await world.answered(GENERAL, root, "re: Build 1 failed")
    for number in (2, 3):
        await say_as_robot(f"Build {number} failed", root)
        await world.answered(GENERAL, root, f"re: Build {number} failed", count=number)
    await say_as_robot("Build 4 failed", root)
    await world.slack.idle(5)
    await world.ask("Why?", thread=root)
    await world.until(lambda: any("re: Why?" in text for text in world.texts(GENERAL, root)), "a person is answered")
    await say_as_robot("Build 5 failed", root)
    await world.until(lambda: any("Build 5" in text for text in world.texts(GENERAL, root)), "and the bot again")
    await world.settled()
    assert [request.query for request in world.requests] == [
        *("Build 1 failed", "Build 2 failed", "Build 3 failed", "Why?", "Build 5 failed")
    ]


async def test_a_bot_that_nobody_listed_is_not_answered(world: World) -> None:
    other = await world.slack.post_as("U0OTHER", GENERAL, f"<@{world.slack.bot_user_id}> Hi", bot_id="B0OTHER")
    root = await world.ask("Are you there?")
    await world.answered(GENERAL, root, "re: Are you there?")
    assert world.answers(GENERAL, other) == []
    assert len(world.requests) == 1
