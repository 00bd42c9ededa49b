"""Earlier conversations in Slack: found by who had them, brought back, deleted for good; and what else is done with answers."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge import archivist
from bridge.cli import cli
from bridge.messages import PlatformName
from bridge.playground.slack.interactions import ShownButton, buttons_in
from bridge.playground.slack.surfaces import Ephemeral
from tests.integration.slack_world import ADA, DIRECT, GENERAL, GRACE, PATIENCE, World, living, say

SLACK = PlatformName("slack")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path)) as started:
        started.dify.script = lambda query: say(f"re: {query}")
        yield started


async def at_rest(world: World) -> None:
    """Waits until the end of every answer is recorded, which is a moment after it can be read."""
    assert world.app is not None
    async with asyncio.timeout(PATIENCE):
        while await world.app.parts.store.waiting_conversations([SLACK]):
            await world.clock.sleep(0.01)


async def whispered(world: World, words: str, person: str = ADA) -> Ephemeral:
    """The last line with these words that this person alone reads."""

    def lines() -> list[Ephemeral]:
        return [one for one in world.private_lines(person) if words in one.visible_text]

    await world.until(lambda: bool(lines()), f"{person} reads {words!r}; reads {world.private_lines(person)}")
    return lines()[-1]


def choices(line: Ephemeral) -> list[ShownButton]:
    return list(buttons_in(line.blocks))


async def choose(world: World, line: Ephemeral, number: int = 0, person: str = ADA) -> None:
    await at_rest(world)
    button = choices(line)[number]
    act = await world.slack.press(person, line.channel, line.ts, button.action_id, button.value)
    await world.acknowledged(act)


async def said_in_thread(world: World, channel: str, root: str, words: str) -> None:
    await world.until(
        lambda: any(words in text for text in world.texts(channel, root)), f"{words!r}; {world.texts(channel, root)}"
    )


async def test_an_earlier_conversation_goes_on_in_another_thread_as_its_own_user(world: World) -> None:
    first = await world.ask("Why is the sky blue?")
    await world.answered(GENERAL, first, "re: ")
    second = await world.ask("What is for lunch?")
    await world.answered(GENERAL, second, "re: ")
    await world.ask("/history", thread=second)
    shown = await whispered(world, "Which of your earlier conversations")
    assert shown.thread_ts == second
    assert [("Why is the sky blue?" in one.label) for one in choices(shown)] == [True], "only what is not here already"
    await choose(world, shown)
    await said_in_thread(world, GENERAL, second, archivist.RESUMED_IN_THREAD)
    await world.ask("And at night?", thread=second)
    await world.answered(GENERAL, second, "And at night?", count=3)
    asked = world.requests
    assert asked[2].conversation_id == asked[0].home
    assert asked[2].user == asked[0].user, "as who it belongs to"
    await world.ask("Still here?", thread=first)
    await world.answered(GENERAL, first, "Still here?", count=2)
    assert world.requests[3].conversation_id == "", "it goes on in one place only"
    await world.settled()


async def test_nobody_is_shown_or_given_what_somebody_else_asked(world: World) -> None:
    first = await world.ask("Something of Ada's")
    await world.answered(GENERAL, first, "re: ")
    second = await world.ask("Hello", person=GRACE)
    await world.answered(GENERAL, second, "re: ")
    await world.ask("/history", person=GRACE, thread=second)
    await whispered(world, archivist.NO_PAST, GRACE)
    assert not world.private_lines(ADA)


async def test_what_was_said_in_direct_messages_is_not_offered_in_a_channel(world: World) -> None:
    private = await world.ask("My salary?", channel=DIRECT)
    await world.answered(DIRECT, private, "re: ")
    root = await world.ask("Hello")
    await world.answered(GENERAL, root, "re: ")
    await world.ask("/history", thread=root)
    await whispered(world, archivist.NO_PAST)
    thread = await world.ask("Another matter", channel=DIRECT)
    await world.answered(DIRECT, thread, "re: ")
    await world.ask("/history", channel=DIRECT, thread=thread)
    await said_in_thread(world, DIRECT, thread, "Which of your earlier conversations")
    shown = world.answers(DIRECT, thread)[-1]
    (button,) = world.buttons(shown)
    assert "My salary?" in button.label
    await at_rest(world)
    await world.press(shown, button.label)
    await whispered(world, archivist.RESUMED)
    await world.ask("And next year?", channel=DIRECT, thread=thread)
    await world.answered(DIRECT, thread, "And next year?", count=3)
    assert world.requests[-1].conversation_id == world.requests[0].home


async def test_a_list_is_good_after_a_restart_and_titles_are_those_of_the_app(world: World) -> None:
    first = await world.ask("Why is the sky blue?")
    await world.answered(GENERAL, first, "re: ")
    (kept,) = world.dify.conversations.values()
    kept.name = "Colours of the sky"
    second = await world.ask("What is for lunch?")
    await world.answered(GENERAL, second, "re: ")
    await world.ask("/history", thread=second)
    shown = await whispered(world, "Which of your earlier conversations")
    assert "Colours of the sky" in choices(shown)[0].label
    await world.restart(kill=True)
    await choose(world, shown)
    await said_in_thread(world, GENERAL, second, archivist.RESUMED_IN_THREAD)
    await world.ask("And at night?", thread=second)
    await world.answered(GENERAL, second, "And at night?", count=3)
    assert world.requests[-1].conversation_id == kept.id


async def test_out_of_threads_it_is_said_where_it_works(world: World) -> None:
    await world.acknowledged(await world.slack.command(ADA, GENERAL, "/history"))
    await whispered(world, archivist.IN_THREADS)
    await world.acknowledged(await world.slack.command(ADA, GENERAL, "/forget"))
    await whispered(world, archivist.FORGET_IN_THREADS)
    assert world.requests == []


async def test_what_is_forgotten_is_asked_back_and_deleted_at_the_app_as_its_user(world: World) -> None:
    root = await world.ask("A secret?")
    await world.answered(GENERAL, root, "re: ")
    ((ident, kept),) = world.dify.conversations.items()
    await world.ask("/forget", thread=root)
    shown = await whispered(world, "Shall I forget")
    assert world.dify.delete_log == [], "not before it was confirmed"
    await choose(world, shown)
    await said_in_thread(world, GENERAL, root, archivist.FORGOTTEN)
    assert [(one.conversation_id, one.user) for one in world.dify.delete_log] == [(ident, kept.user)]
    assert world.dify.conversations == {}
    await world.ask("What did I say?", thread=root)
    await world.answered(GENERAL, root, "What did I say?", count=3)
    assert world.requests[-1].conversation_id == ""
    assert "A secret?" not in world.requests[-1].query.partition("What did I say?")[2]


async def test_who_asked_nothing_there_cannot_have_it_forgotten(world: World) -> None:
    root = await world.ask("Mine")
    await world.answered(GENERAL, root, "re: ")
    await world.ask("/forget", person=GRACE, thread=root)
    await whispered(world, archivist.NOT_YOUR_WORDS, GRACE)
    assert choices(await whispered(world, archivist.NOT_YOUR_WORDS, GRACE)) == []


async def test_an_app_that_cannot_be_told_is_told_later_also_by_another_process(world: World) -> None:
    root = await world.ask("A secret?")
    await world.answered(GENERAL, root, "re: ")
    await world.ask("/forget", thread=root)
    shown = await whispered(world, "Shall I forget")
    world.dify.faults.refuse_deletions = 1
    await choose(world, shown)
    await said_in_thread(world, GENERAL, root, "I keep trying")
    assert world.dify.delete_log == []
    await world.restart(kill=True)
    await world.until(lambda: len(world.dify.delete_log) == 1, "it is deleted at last")
    assert world.dify.conversations == {}


async def test_a_conversation_that_the_app_forgot_itself_is_forgotten_like_any_other(world: World) -> None:
    root = await world.ask("A secret?")
    await world.answered(GENERAL, root, "re: ")
    world.dify.conversations.clear()
    await world.ask("/forget", thread=root)
    await choose(world, await whispered(world, "Shall I forget"))
    await said_in_thread(world, GENERAL, root, archivist.FORGOTTEN)


@pytest.fixture
async def voiced(tmp_path: Path) -> AsyncIterator[World]:
    """Its app reads aloud."""
    made = World(tmp_path)
    made.dify.features.speaks = True
    async with living(made) as started:
        started.dify.script = lambda query: say(f"re: {query}")
        yield started


async def test_an_answer_is_read_aloud_once_for_whoever_wants_it(voiced: World) -> None:
    world = voiced
    root = await world.ask("Why?")
    (answer,) = await world.answered(GENERAL, root, "re: Why?")
    await at_rest(world)

    def shared() -> list[bytes | None]:
        files = [file for one in world.answers(GENERAL, root) for file in one.files]
        return [world.slack.uploads.content(file.id) for file in files]

    await world.slack.react(GRACE, GENERAL, answer.ts, "loud_sound")
    await world.until(lambda: bool(shared()), "a recording is there")
    await world.slack.react(ADA, GENERAL, answer.ts, "loud_sound")
    await world.settled()
    assert shared() == [world.dify.features.sound]
    assert [(one.user, one.text) for one in world.dify.speech_log] == [(world.requests[0].user, "re: Why?")]


async def test_what_cannot_be_read_aloud_is_told_and_may_be_wanted_again(voiced: World) -> None:
    world = voiced
    world.dify.features.speech_model = False
    root = await world.ask("Why?")
    (answer,) = await world.answered(GENERAL, root, "re: Why?")
    await at_rest(world)
    await world.slack.react(GRACE, GENERAL, answer.ts, "loud_sound")
    await said_in_thread(world, GENERAL, root, "could not be read aloud")
    world.dify.features.speech_model = True
    await world.slack.unreact(GRACE, GENERAL, answer.ts, "loud_sound")
    await world.slack.react(GRACE, GENERAL, answer.ts, "loud_sound")
    await world.until(lambda: len(world.dify.speech_log) == 1, "it is read aloud at last")


async def test_where_the_app_has_no_voice_the_emoji_means_nothing(world: World) -> None:
    root = await world.ask("Why?")
    (answer,) = await world.answered(GENERAL, root, "re: Why?")
    await at_rest(world)
    await world.slack.react(GRACE, GENERAL, answer.ts, "loud_sound")
    await world.settled()
    await world.ask("And?", thread=root)
    await world.answered(GENERAL, root, "And?", count=2)
    assert world.dify.speech_log == []


async def test_what_answers_cost_is_kept_and_told_by_the_command_and_the_metrics(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = await world.ask("Why?")
    await world.answered(GENERAL, root, "re: Why?")
    await world.ask("And?", person=GRACE, thread=root)
    await world.answered(GENERAL, root, "And?", count=2)
    await at_rest(world)
    assert world.app is not None
    metrics = world.app.parts.metrics
    assert metrics.read("bridge_tokens_total", app="default", kind="prompt") == 22
    assert metrics.read("bridge_tokens_total", app="default", kind="completion") == 2
    assert metrics.read("bridge_price_total", app="default", currency="USD") == pytest.approx(0.0000042)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/bridge.db")
    monkeypatch.chdir(tmp_path)
    told = await asyncio.to_thread(CliRunner().invoke, cli, ["usage", "--by", "person", "--since", "2d", "--json"])
    assert told.exit_code == 0, told.output
    rows = {one["of"]: (one["answers"], one["total_tokens"], one["price"]) for one in json.loads(told.stdout)}
    assert rows == {f"slack:{ADA}": (1, 12, "0.0000021"), f"slack:{GRACE}": (1, 12, "0.0000021")}
    table = await asyncio.to_thread(CliRunner().invoke, cli, ["usage"])
    assert "0.0000042 USD" in table.stdout
