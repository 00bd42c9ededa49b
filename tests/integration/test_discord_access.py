"""Who may ask, press and command in Discord, and how often; and that who may not is told so, alone where that is possible."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.messages import ChannelId, PersonId
from bridge.quotas import Quota, Quotas
from bridge.routing import DEFAULT_APP, Access, Everywhere, Follow, Guests, Route
from tests.integration.discord_world import POLICY, World, living, routed, say

NOT_ADMITTED = "may not use this bot here"
HOUR = timedelta(hours=1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Only a role may use the bot; Grace has it."""
    made = World(tmp_path)
    team = await made.discord.add_role("team", made.discord.grace)
    made.routes = routed(Route(app=DEFAULT_APP, access=Access(roles=frozenset({team}))))
    async with living(made) as started:
        yield started


async def test_a_role_lets_in_and_who_lacks_it_is_told_in_private_where_that_can_be(world: World) -> None:
    server = world.discord
    thread = await world.mention("May I?", person=server.grace)
    await world.answered(thread, "re: May I?")
    await world.ask("May I?", server.general, server.linus)
    await world.until(lambda: bool(world.private_lines(server.linus)), "he is told")
    assert NOT_ADMITTED in world.private_lines(server.linus)[0]
    await server.message_command(server.linus, server.general, "Ask about this message", thread)
    await server.command(server.linus, thread, "reset")
    await world.until(lambda: len(world.private_lines(server.linus)) == 2, "he is told each time")
    await world.settled()
    assert len(world.requests) == 1
    assert world.threads(server.general) == [thread]


async def test_who_is_not_let_in_presses_in_vain(world: World) -> None:
    server = world.discord
    world.dify.script = lambda query: say(f"re: {query}", suggestions=("And then?",))
    thread = await world.mention("First?", person=server.grace)
    answer = await world.answered(thread, "re: First?")
    for name in ("bridge:like", "bridge:again", "bridge:ask"):
        await world.press(answer, name, server.linus)
    await world.until(lambda: bool(world.private_lines(server.linus)), "he is told")
    await world.settled()
    assert all(NOT_ADMITTED in one for one in world.private_lines(server.linus))
    assert world.dify.ratings == {}
    assert len(world.requests) == 1
    await world.press(answer, "bridge:like", server.grace)
    await world.until(lambda: bool(world.dify.ratings), "rated")


async def test_a_running_answer_is_not_stopped_by_who_is_not_let_in(world: World) -> None:
    server = world.discord
    world.dify.script = lambda _: say(*(f"word{number} " for number in range(1, 61)), per_token=0.05)
    thread = await world.mention("Talk", person=server.grace)
    await world.until(lambda: "word2 " in "".join(world.texts(thread)), "it grows")
    (growing,) = world.own(thread)
    await world.press(growing, "bridge:stop", server.linus)
    await world.answered(thread, "word60")
    assert not world.requests[0].stopped


async def test_one_question_too_many_is_refused_with_the_time_when_it_may_be_asked_again(tmp_path: Path) -> None:
    world = World(tmp_path, routes=Everywhere(app=POLICY, quotas=Quotas(per_person=Quota(most=2, window=HOUR))))
    async with living(world):
        server = world.discord
        for words in ("One", "Two"):
            thread = await world.mention(words)
            await world.answered(thread, f"re: {words}")
        await world.restart()
        await world.ask("Three", server.general)
        await world.until(lambda: bool(world.private_lines(server.ada)), "she is told")
        (line,) = world.private_lines(server.ada)
        assert "2 questions in 1 hour" in line
        assert "You can ask again in" in line
        question = await world.mention("Four")
        await world.until(lambda: "You can ask again in" in "".join(world.texts(server.general)), "she is told")
        assert world.own(server.general)[-1].reference == question
        await world.settled()
        assert [one for one in world.threads(server.general) if one == question] == []
        other = await world.mention("May I?", person=server.grace)
        await world.answered(other, "re: May I?")
        assert [request.query for request in world.requests] == ["One", "Two", "May I?"]


async def test_a_channel_has_a_quota_of_its_own(tmp_path: Path) -> None:
    world = World(tmp_path, routes=Everywhere(app=POLICY, quotas=Quotas(per_channel=Quota(most=1, window=HOUR))))
    async with living(world):
        server = world.discord
        thread = await world.mention("One")
        await world.answered(thread, "re: One")
        await world.ask("Two", server.general, server.grace)
        await world.until(lambda: bool(world.private_lines(server.grace)), "she is told")
        assert "in this channel" in world.private_lines(server.grace)[0]
        elsewhere = await world.mention("Three", server.support, server.grace)
        await world.answered(elsewhere, "re: Three")


async def test_a_bot_is_answered_only_where_it_is_on_the_list(tmp_path: Path) -> None:
    world = World(tmp_path)
    server = world.discord
    world.routes = Everywhere(app=POLICY, guests=Guests(bots=frozenset({PersonId(server.linus)})))
    async with living(world):
        words = f"<@{server.bot_id}> Build 1 failed"
        stranger = await server.post_as(server.grace, server.general, words, is_bot=True)
        known = await server.post_as(server.linus, server.general, words, is_bot=True)
        await world.answered(known, "re: Build 1 failed")
        await world.settled()
        assert stranger not in server.channels
        assert len(world.requests) == 1


async def test_a_route_says_for_a_category_how_much_is_heard(tmp_path: Path) -> None:
    world = World(tmp_path)
    server = world.discord
    category = await server.add_category("Support")
    helpdesk = await server.add_channel("helpdesk", category=category)
    world.routes = routed(
        Route(app=DEFAULT_APP, follow=Follow.MENTION),
        Route(app=DEFAULT_APP, category=ChannelId(category), follow=Follow.EVERYTHING),
    )
    async with living(world):
        question = await server.post_as(server.ada, helpdesk, "Nobody is mentioned")
        await world.answered(question, "re: Nobody is mentioned")
        thread = await world.mention("Here")
        await world.answered(thread, "re: Here")
        await server.post_as(server.ada, thread, "Among ourselves")
        await world.mention("Again", thread)
        await world.answered(thread, "re: Again")
        assert not any("Among ourselves" in request.query for request in world.requests)
