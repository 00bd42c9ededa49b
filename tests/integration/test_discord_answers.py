"""One answer on Discord from its first sign of life to its last button, with everything that the app can do."""

from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from bridge.playground.dify.records import Ended
from bridge.playground.discord import Fault
from bridge.playground.discord.model import FLAG_SUPPRESS_NOTIFICATIONS
from tests.integration.discord_world import WORDS, World, living, say

GREEN, RED = 3, 4


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path)) as started:
        yield started


async def test_an_answer_grows_with_its_steps_and_ends_with_sources_ratings_and_suggestions(world: World) -> None:
    reply = say(*WORDS, per_token=0.03, nodes=("Read the handbook",), suggestions=("What about Mondays?",))
    world.dify.script = lambda _: replace(reply, sources=("Handbook.pdf", "Rules.md"), step_seconds=1.5)
    thread = await world.mention("When may I go home?")
    await world.until(lambda: bool(world.discord.typing.get(thread)), "a sign of life")
    answer = await world.answered(thread, "word100")
    await world.settled()
    growth = [text for _, text in answer.history]
    steps = [text for text in growth if "Read the handbook" in text]
    grown = [text.removesuffix("…").rstrip() for text in growth if "word1 " in text]
    assert steps, "what the app does on its way"
    assert all(text.startswith("-# ") for text in steps)
    assert len(grown) >= 2, "seen while it grew"
    assert all(later.startswith(earlier.partition("\n-#")[0].rstrip()) for earlier, later in pairwise(grown))
    text, _, below = answer.content.partition("\n-# ")
    assert text.split() == "".join(WORDS).split()
    assert "Handbook.pdf" in below
    assert "Rules.md" in below
    assert "SECRET" not in answer.content
    assert {"bridge:like", "bridge:dislike", "bridge:again", "What about Mondays?"} <= world.labels(answer)
    assert len(world.own(thread)) == 1
    assert (world.failed_calls(), world.discord.pings) == ([], [])


async def test_the_rating_that_somebody_chooses_shows_and_is_what_dify_keeps(world: World) -> None:
    thread = await world.mention("Rate me")
    answer = await world.answered(thread, "Rate me")
    await world.press(answer, "bridge:like", world.discord.grace)
    await world.until(lambda: bool(world.dify.ratings), "rated")
    ((message, rating),) = world.dify.ratings.items()
    assert (message, rating.rating, rating.user) == (world.requests[0].message_id, "like", world.requests[0].user)
    assert world.button(answer, "bridge:like").style == GREEN
    await world.rate_down(answer, "It is out of date.", world.discord.grace)

    def told() -> bool:
        now = world.dify.ratings[message]
        return now.rating == "dislike" and "out of date" in now.content

    await world.until(told, "she changed her mind, and says why")
    await world.until(lambda: world.button(answer, "bridge:dislike").style == RED, "that shows")
    assert world.button(answer, "bridge:like").style != GREEN
    assert "out of date" not in "".join(world.texts(thread))
    assert world.discord.modals == {}


async def test_reactions_are_ratings_too(world: World) -> None:
    thread = await world.mention("Rate me")
    answer = await world.answered(thread, "Rate me")
    await world.discord.react(world.discord.grace, thread, answer.id, "👍")
    await world.until(lambda: bool(world.dify.ratings), "rated")
    await world.discord.unreact(world.discord.grace, thread, answer.id, "👍")
    await world.until(lambda: not any(one.rating for one in world.dify.ratings.values()), "taken back")


async def test_another_answer_takes_the_place_of_one_that_did_not_please(world: World) -> None:
    answers = iter(("The first try.", "The second try."))
    world.dify.script = lambda _: say(next(answers))
    thread = await world.mention("Try")
    answer = await world.answered(thread, "The first try.")
    await world.press(answer, "bridge:like")
    await world.until(lambda: bool(world.dify.ratings), "rated")
    await world.restart()
    await world.press(answer, "bridge:again", world.discord.grace)
    again = await world.answered(thread, "The second try.")
    await world.settled()
    assert again.id == answer.id
    assert "first" not in again.content
    assert [request.query for request in world.requests] == ["Try", "Try"]
    assert world.button(again, "bridge:like").style != GREEN, "nobody has rated this one"


async def test_only_the_newest_answer_can_be_had_anew(world: World) -> None:
    thread = await world.mention("One")
    first = await world.answered(thread, "re: One")
    await world.discord.post_as(world.discord.ada, thread, "Two")
    await world.answered(thread, "re: Two")
    await world.press(first, "bridge:again", world.discord.grace)
    await world.until(lambda: bool(world.private_lines(world.discord.grace)), "she is told")
    (line,) = world.private_lines(world.discord.grace)
    assert "not the newest" in line
    await world.settled()
    assert len(world.requests) == 2


async def test_a_suggestion_that_is_pressed_is_asked_in_the_same_conversation(world: World) -> None:
    long = "And what about the days between Christmas and New Year, when half of the house is away and nobody answers?"
    world.dify.script = lambda query: say(f"re: {query}", suggestions=("And on Sundays?", long))
    thread = await world.mention("When are you open?")
    first = await world.answered(thread, "re: When are you open?")
    await world.press(first, "bridge:ask:1", world.discord.grace)
    second = await world.answered(thread, f"re: {long}")
    assert long in second.content.partition("re: ")[0], "whoever reads along sees what was asked"
    assert "Grace" in second.content.partition("re: ")[0]
    one, other = world.requests
    assert (other.query, other.conversation_id, other.user) == (long, one.home, one.user)
    assert world.discord.pings == []


@pytest.mark.parametrize("way", ["button", "reaction", "word"])
async def test_a_stopped_answer_ends_at_dify_and_can_be_had_after_all(world: World, way: str) -> None:
    server = world.discord
    world.dify.script = lambda _: say(*WORDS, per_token=0.2)
    thread = await world.mention("Talk for a while")
    await world.until(lambda: "word2 " in "".join(world.texts(thread)), "it grows")
    (growing,) = world.own(thread)
    match way:
        case "button":
            await world.press(growing, "bridge:stop")
        case "reaction":
            await server.react(server.ada, thread, growing.id, "🛑")
        case _:
            await server.post_as(server.ada, thread, "Stop!")
    await world.until(lambda: world.requests[0].ended is not Ended.RUNNING, "Dify has ended it")
    assert world.requests[0].stopped
    answer = await world.answered(thread, "topped")
    await world.settled()
    assert "word2 " in answer.content
    assert "word90" not in answer.content
    world.dify.script = lambda _: say("All of it.")
    await world.restart()
    await world.press(answer, "bridge:retry")
    whole = await world.answered(thread, "All of it.")
    assert whole.id == answer.id
    assert "topped" not in whole.content


async def test_every_button_works_after_a_restart(world: World) -> None:
    server = world.discord
    world.dify.script = lambda query: say(f"re: {query}", suggestions=("And then?",))
    thread = await world.mention("What now?")
    answer = await world.answered(thread, "re: What now?")
    await world.settled()
    await world.restart(kill=True)
    pressed = await world.press(answer, "bridge:dislike")
    await world.until(lambda: bool(world.dify.ratings), "rated")
    assert next(iter(world.dify.ratings)) == world.requests[0].message_id
    await world.restart()
    await world.acknowledged(await server.submit_modal(server.ada, pressed, {"words": "Too short."}))
    await world.until(lambda: any("Too short." in one.content for one in world.dify.ratings.values()), "the comment")
    await world.press(answer, "bridge:ask")
    await world.answered(thread, "re: And then?")
    assert world.requests[1].conversation_id == world.requests[0].home
    assert server.command_puts == 1, "the commands stand already"


async def test_what_a_dead_process_left_growing_is_mended(world: World) -> None:
    world.dify.script = lambda _: say(*WORDS, per_token=0.05)
    thread = await world.mention("Talk for a while")
    await world.until(lambda: "word3 " in "".join(world.texts(thread)), "it grows")
    await world.restart(kill=True)
    answer = await world.answered(thread, "word100")
    await world.settled()
    assert answer.content.split() == "".join(WORDS).split(), "each word once"
    assert len(world.own(thread)) == 1
    assert len(world.requests) == 1, "the app had gone on, and its answer was fetched"
    assert "bridge:like" in world.labels(answer)


@pytest.mark.parametrize("step", ["command", "opening", "growing"])
async def test_a_question_asked_by_command_survives_the_death_of_the_process(world: World, step: str) -> None:
    server = world.discord
    faults = {
        "command": "PATCH /webhooks/{application_id}/{token}/messages/@original",
        "opening": "POST /channels/{channel_id}/messages/{message_id}/threads",
    }
    world.dify.script = lambda _: say(*WORDS, per_token=0.05)
    if step in faults:
        server.faults.fail_next[faults[step]] = [Fault(kind="effect_then_drop", seconds=0.5)]
    await server.command(server.grace, server.general, "ask", {"question": "Talk for a while"})
    if step in faults:
        await world.until(lambda: not server.faults.fail_next[faults[step]], "Discord is told")
    else:
        await world.until(lambda: any(world.texts(one) for one in world.threads(server.general)), "it grows")
    await world.restart(kill=True)
    await world.until(lambda: bool(world.threads(server.general)), "there is a thread")
    (thread,) = world.threads(server.general)
    answer = await world.answered(thread, "word100")
    await world.settled()
    assert answer.content.split() == "".join(WORDS).split()
    (root,) = world.own(server.general)
    assert (root.id, "Talk for a while" in root.content, "Grace" in root.content) == (thread, True, True)
    assert len(world.own(thread)) == 1


async def test_a_very_long_answer_is_a_few_messages_and_the_rest_a_file(world: World) -> None:
    words = [f"word{number} " for number in range(1, 3001)]
    world.dify.script = lambda _: say("".join(words))
    thread = await world.mention("Tell me everything")
    await world.until(lambda: any(one.attachments for one in world.discord.messages(thread)), "a file")
    await world.settled()
    own = [one for one in world.discord.messages(thread) if one.is_bot and (one.content or one.attachments)]
    ((_, file),) = [each for one in own for each in one.attachments]
    assert file.content is not None
    assert "word3000" in file.content.decode()
    shown = [one for one in own if "word" in one.content]
    assert len(shown) <= 4
    assert [bool(one.flags & FLAG_SUPPRESS_NOTIFICATIONS) for one in shown] == [False, *([True] * (len(shown) - 1))]
    assert [bool(one.buttons) for one in own].count(True) == 1, "one row, below all of it"
    assert (world.failed_calls(), world.discord.rejected) == ([], 0)


async def test_nobody_is_called_by_what_a_model_writes(world: World) -> None:
    server = world.discord
    world.dify.script = lambda _: say(
        f"@everyone @here <@{server.linus}> <@&{server.bot_role_id}>: look at https://dify.ai"
    )
    thread = await world.mention("Call everybody")
    await world.answered(thread, "look at")
    await world.settled()
    assert server.pings == []


async def test_what_is_told_twice_is_answered_once(world: World) -> None:
    server = world.discord
    server.faults.duplicate_dispatches = True
    thread = await world.mention("Once?")
    answer = await world.answered(thread, "re: Once?")
    await world.ask("By command?", thread)
    await world.answered(thread, "re: By command?")
    await world.press(answer, "bridge:like")
    await server.drop_gateways()
    await server.idle()
    server.replay_last(20)
    await world.settled()
    assert [request.query for request in world.requests] == ["Once?", "By command?"]
    assert len(world.own(thread)) == 2


async def test_what_was_asked_while_the_bridge_was_away_is_answered_when_it_is_back(world: World) -> None:
    server = world.discord
    thread = await world.mention("Are you there?")
    await world.answered(thread, "re: Are you there?")
    await world.stop_bridge()
    await server.post_as(server.ada, thread, "And now?")
    other = await world.mention("Hello?", server.support)
    await world.start_bridge()
    await world.answered(thread, "re: And now?")
    await world.answered(other, "re: Hello?")
    assert [request.query for request in world.requests].count("Are you there?") == 1
