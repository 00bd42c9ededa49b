"""Where several apps may answer in Discord: a member sees which one does, and chooses."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.messages import PersonId
from bridge.playground.discord import Message
from bridge.registry import Configuration
from bridge.routing import Access, Answers, Route
from tests.integration.discord_world import World, living
from tests.integration.several_apps import APPS, MANY, SUPPORT, Library, with_several


class Several(World):
    route: Route = Route(app=SUPPORT, choices=APPS, line=1)

    def _configuration(self) -> Configuration:
        return with_several(super()._configuration(), self.route)

    async def command(self, place: str, person: str, name: str = "") -> None:
        options = {"name": name} if name else {}
        await self.acknowledged(await self.discord.command(person, place, "app", options))

    async def line(self, person: str, words: str) -> Message:
        """The latest line that this person alone sees, once it says so."""

        def said() -> bool:
            return any(words in bare(one.content) for one in self.discord.ephemerals(person)[-1:])

        await self.until(said, f"{words!r} for {person}")
        return self.discord.ephemerals(person)[-1]

    async def choose(self, line: Message, label: str, person: str) -> None:
        (button,) = [one for one in line.buttons if one.label == label]
        await self.acknowledged(await self.discord.press(person, line.channel_id, line.id, button.custom_id))

    async def last(self, place: str, words: str) -> None:
        await self.until(lambda: any(words in one for one in self.texts(place)[-1:]), f"{words!r} in {place}")

    async def begin(self, text: str, person: str | None = None) -> str:
        """A thread that begins with this question."""
        return await self.mention(text, person=person)


def bare(text: str) -> str:
    return text.replace("*", "")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Several]:
    made = Several(tmp_path)
    async with living(made):
        yield made


async def test_in_a_thread_a_member_sees_what_answers_and_chooses_for_everybody_in_it(world: Several) -> None:
    server = world.discord
    thread = await world.begin("Hello")
    await world.answered(thread, "re: Hello")
    await world.command(thread, server.ada)
    line = await world.line(server.ada, "support answers in this thread")
    assert [one.label for one in line.buttons] == ["trial", "library"]
    await world.choose(line, "trial", server.ada)
    await world.line(server.ada, "Done: trial answers in this thread from now on.")
    await world.last(thread, "**trial** answers in this thread from now on.")
    await server.post_as(server.grace, thread, "one two")
    await world.last(thread, "one two")
    assert len(world.requests) == 1, "the echo answers whoever asks there, and nobody else is asked"
    await world.until(lambda: not world.thinking(), "nothing is left that thinks")


async def test_going_back_goes_on_with_the_earlier_conversation_and_a_restart_changes_nothing(world: Several) -> None:
    server = world.discord
    thread = await world.begin("First")
    await world.answered(thread, "re: First")
    await world.command(thread, server.ada, "trial")
    await world.last(thread, "**trial** answers")
    await world.restart()
    await server.post_as(server.ada, thread, "echo this")
    await world.last(thread, "echo this")
    await world.command(thread, server.grace, "support")
    await world.last(thread, "**support** answers")
    await server.post_as(server.ada, thread, "Second")
    await world.last(thread, "re: Second")
    first, second = world.requests
    assert (second.conversation_id, second.user) == (first.home, first.user)


async def test_what_is_chosen_outside_of_threads_holds_for_that_persons_own_questions_and_their_threads(
    world: Several,
) -> None:
    server = world.discord
    await world.command(server.general, server.ada)
    line = await world.line(server.ada, "support answers your questions in this channel")
    await world.choose(line, "trial", server.ada)
    await world.line(server.ada, "trial answers your questions in this channel from now on.")
    await world.ask("mine", server.general, server.ada)
    await world.until(lambda: bool(world.threads(server.general)), "a thread begins")
    (mine,) = world.threads(server.general)
    await world.last(mine, "mine")
    hers = await world.begin("hers", server.grace)
    await world.answered(hers, "re: hers")
    # A thread keeps the app that it began with, whoever goes on with it.
    await server.post_as(server.grace, mine, "go on")
    await world.last(mine, "go on")
    assert [one.query for one in world.requests] == ["hers"]


async def test_in_direct_messages_the_choice_is_the_persons_own(world: Several) -> None:
    server = world.discord
    await world.command(server.dm_ada, server.ada, "trial")
    await world.line(server.ada, "trial answers you here from now on.")
    await server.post_as(server.ada, server.dm_ada, "psst")
    await world.last(server.dm_ada, "psst")
    assert world.requests == []


async def test_what_there_is_within_an_app_is_chosen_likewise_and_kept_for_the_thread(world: Several) -> None:
    server = world.discord
    thread = await world.begin("Hello")
    await world.answered(thread, "re: Hello")
    await world.command(thread, server.ada, "library")
    line = await world.line(server.ada, "library answers in this thread.")
    assert [one.label for one in line.buttons] == ["support", "trial", "Shelf: Handbook", "Shelf: Law & order"]
    await world.choose(line, "Shelf: Law & order", server.ada)
    await world.last(thread, "**library** (Law & order) answers in this thread")
    await world.restart()
    await server.post_as(server.ada, thread, "And now?")
    await world.last(thread, "And now?")
    (told,) = [one for one in world.texts(thread) if one.startswith("from a very long id with spaces / and signs: ")]
    assert "Hello" in told, "an app that was not there is told what was said before"
    await world.command(thread, server.ada, "handbook")
    await world.last(thread, "**library** (Handbook) answers")
    await server.post_as(server.ada, thread, "And here?")
    await world.last(thread, "from handbook: And here?")


async def test_where_there_is_much_to_choose_it_stands_in_a_menu_and_the_rest_is_chosen_by_name(
    world: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = world.discord
    monkeypatch.setattr(Library, "shelves", MANY)
    thread = await world.begin("Hello")
    await world.answered(thread, "re: Hello")
    await world.command(thread, server.ada, "library")
    line = await world.line(server.ada, "7 more are not shown here")
    (menu,) = line.buttons
    assert [label for _, label in menu.choices[:3]] == ["support", "trial", "Shelf: Shelf 0"]
    assert len(menu.choices) == 25
    value = menu.choices[-1][0]
    await world.acknowledged(await server.press(server.ada, thread, line.id, menu.custom_id, value))
    await world.last(thread, "**library** (Shelf 22) answers in this thread from now on.")
    await world.command(thread, server.ada, "shelf 29")
    await world.last(thread, "**library** (Shelf 29) answers in this thread from now on.")
    await server.post_as(server.ada, thread, "Where?")
    await world.last(thread, "Where?")
    assert "from shelf-29: " in world.texts(thread)[-1]


async def test_said_in_a_thread_what_there_is_stands_where_all_can_read_and_whoever_presses_chooses(
    world: Several,
) -> None:
    server = world.discord
    thread = await world.begin("Hello")
    await world.answered(thread, "re: Hello")
    await world.mention("/app", thread)
    await world.last(thread, "**support** answers in this thread.")
    await world.press(world.own(thread)[-1], f"bridge:app:{thread}/trial", server.grace)
    await world.last(thread, "**trial** answers in this thread from now on.")


async def test_who_may_not_use_the_bot_there_chooses_nothing(tmp_path: Path) -> None:
    made = Several(tmp_path)
    made.route = replace(made.route, access=Access(users=frozenset({PersonId(made.discord.ada)})))
    world = made
    async with living(made):
        server = world.discord
        thread = await world.begin("Hello")
        await world.answered(thread, "re: Hello")
        await world.mention("/app", thread)
        await world.last(thread, "**support** answers in this thread.")
        await world.press(world.own(thread)[-1], f"bridge:app:{thread}/trial", server.grace)
        await world.line(server.grace, "You may not use this bot here.")
        await world.command(thread, server.grace, "trial")
        await world.until(lambda: not world.thinking(), "she is answered")
        await server.post_as(server.ada, thread, "Still there?")
        await world.last(thread, "re: Still there?")


async def test_who_replies_to_an_answer_goes_on_with_the_app_that_gave_it(tmp_path: Path) -> None:
    made = Several(tmp_path)
    made.route = replace(made.route, answers=Answers.REPLY)
    world = made
    async with living(made):
        server = world.discord
        await world.mention("First")
        answer = await world.answered(server.general, "re: First")
        await world.command(server.general, server.ada, "trial")
        await world.line(server.ada, "trial answers your questions in this channel")
        await server.post_as(server.ada, server.general, "And then?", reply_to=answer.id)
        await world.answered(server.general, "re: And then?")
        await world.mention("Something new")
        await world.last(server.general, "Something new")
        first, second = world.requests
        assert (second.query, second.conversation_id) == ("And then?", first.home)
