"""Where several apps may answer in Slack: a member sees which one does, and chooses."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.messages import PersonId
from bridge.playground.slack.interactions import buttons_in, options_in
from bridge.playground.slack.surfaces import Ephemeral
from bridge.registry import Configuration
from bridge.routing import Access, Route
from tests.integration.several_apps import APPS, MANY, SUPPORT, Library, with_several
from tests.integration.slack_world import ADA, DIRECT, GENERAL, GRACE, LINUS, World, living, say


def bare(text: str) -> str:
    return text.replace("*", "").replace("`", "")


class Several(World):
    route: Route = Route(app=SUPPORT, choices=APPS, line=1)

    def _configuration(self) -> Configuration:
        return with_several(super()._configuration(), self.route)

    async def line(self, person: str, words: str) -> Ephemeral:
        """The latest line that this person alone sees, once it says so."""
        await self.until(
            lambda: any(words in bare(one.visible_text) for one in self.private_lines(person)[-1:]),
            f"{words!r} for {person}",
        )
        return self.private_lines(person)[-1]

    def texts(self, channel: str, root: str) -> list[str]:
        return [bare(one) for one in super().texts(channel, root)]

    def labels(self, line: Ephemeral) -> list[str]:
        return [one.label for one in buttons_in(line.blocks)]

    async def choose(self, line: Ephemeral, label: str) -> None:
        (button,) = [one for one in buttons_in(line.blocks) if one.label == label]
        await self.acknowledged(
            await self.slack.press(line.person, line.channel, line.ts, button.action_id, button.value)
        )


@pytest.fixture(params=["socket", "http"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Several]:
    made = Several(tmp_path, http=request.param == "http")
    made.dify.script = lambda query: say(f"re: {query}")
    async with living(made):
        yield made


async def test_in_a_thread_a_member_sees_what_answers_and_chooses_for_everybody_in_it(world: Several) -> None:
    root = await world.ask("Hello")
    await world.answered(GENERAL, root, "re: Hello")
    await world.ask("/app", thread=root)
    line = await world.line(ADA, "support answers in this thread")
    assert world.labels(line) == ["trial", "library"]
    await world.choose(line, "trial")
    await world.line(ADA, "Done: trial answers in this thread from now on.")
    await world.until(lambda: any("trial answers" in one for one in world.texts(GENERAL, root)), "all are told")
    await world.slack.post_as(GRACE, GENERAL, "one two", root)
    await world.until(lambda: "one two" in world.texts(GENERAL, root)[-1], "the echo answers whoever asks there")
    assert len(world.requests) == 1, "and nobody else is asked"


async def test_going_back_goes_on_with_the_earlier_conversation_and_a_restart_changes_nothing(world: Several) -> None:
    root = await world.ask("First")
    await world.answered(GENERAL, root, "re: First")
    await world.ask("/app trial", thread=root)
    await world.until(lambda: any("trial answers" in one for one in world.texts(GENERAL, root)), "all are told")
    await world.restart()
    await world.ask("echo this", thread=root)
    await world.until(lambda: "echo this" in world.texts(GENERAL, root)[-1], "the choice holds after a restart")
    await world.ask("/app support", thread=root)
    await world.until(lambda: "support answers" in world.texts(GENERAL, root)[-1], "all are told")
    await world.ask("Second", thread=root)
    await world.until(lambda: "re: Second" in world.texts(GENERAL, root)[-1], "the first app answers again")
    first, second = world.requests
    assert (second.conversation_id, second.user) == (first.home, first.user)


async def test_what_is_chosen_by_command_holds_for_that_persons_own_questions_and_the_threads_they_begin(
    world: Several,
) -> None:
    await world.acknowledged(await world.slack.command(ADA, GENERAL, "/app"))
    await world.choose(await world.line(ADA, "support answers your questions in this channel"), "trial")
    await world.line(ADA, "trial answers your questions in this channel from now on.")
    mine = await world.ask("mine")
    await world.answered(GENERAL, mine, "mine")
    hers = await world.ask("hers", person=GRACE)
    await world.answered(GENERAL, hers, "re: hers")
    # A thread keeps the app that it began with, whoever goes on with it.
    await world.ask("go on", person=GRACE, thread=mine)
    await world.answered(GENERAL, mine, "go on", count=2)
    assert "re:" not in world.texts(GENERAL, mine)[-1]
    assert [one.query for one in world.requests] == ["hers"]


async def test_in_direct_messages_the_choice_is_the_persons_own(world: Several) -> None:
    await world.acknowledged(await world.slack.command(ADA, DIRECT, "/app", "trial"))
    await world.line(ADA, "trial answers you here from now on.")
    root = await world.ask("psst", channel=DIRECT)
    await world.answered(DIRECT, root, "psst")
    assert world.requests == []


async def test_what_there_is_within_an_app_is_chosen_likewise_and_kept_for_the_thread(world: Several) -> None:
    root = await world.ask("/app library")
    await world.line(ADA, "library answers your questions in this channel")
    root = await world.ask("Where?")
    await world.answered(GENERAL, root, "from the front desk: Where?")
    await world.ask("/app", thread=root)
    line = await world.line(ADA, "library answers in this thread")
    assert world.labels(line) == ["support", "trial", "Shelf: Handbook", "Shelf: Law & order"]
    await world.choose(line, "Shelf: Law & order")
    await world.line(ADA, "library (Law & order) answers in this thread")
    await world.restart()
    await world.ask("And now?", thread=root)
    await world.until(
        lambda: "from a very long id with spaces / and signs: And now?" in world.texts(GENERAL, root)[-1], "the shelf"
    )
    await world.ask("/app handbook", thread=root)
    await world.line(ADA, "library (Handbook) answers in this thread")
    await world.ask("And here?", thread=root)
    await world.until(lambda: "from handbook: And here?" in world.texts(GENERAL, root)[-1], "the other shelf")


async def test_where_there_is_much_to_choose_it_stands_in_a_menu(
    world: Several, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Library, "shelves", MANY)
    root = await world.ask("Hello")
    await world.answered(GENERAL, root, "re: Hello")
    await world.ask("/app library", thread=root)
    line = await world.line(ADA, "library answers in this thread.")
    offered = list(options_in(line.blocks))
    assert [one.label for one in offered[:3]] == ["support", "trial", "Shelf: Shelf 0"]
    assert len(offered) == 32
    act = await world.slack.press(ADA, GENERAL, line.ts, offered[-1].action_id, offered[-1].value)
    await world.acknowledged(act)
    await world.line(ADA, "Done: library (Shelf 29) answers in this thread from now on.")
    await world.ask("Where?", thread=root)
    await world.until(lambda: "Where?" in world.texts(GENERAL, root)[-1], "an answer")
    assert "from shelf-29: " in world.texts(GENERAL, root)[-1]


async def test_a_name_that_is_not_there_is_told_with_what_there_is(world: Several) -> None:
    await world.acknowledged(await world.slack.command(ADA, GENERAL, "/app", "sails"))
    line = await world.line(ADA, "There is no sails to choose here.")
    assert world.labels(line) == ["trial", "library"]


async def test_who_may_not_use_the_bot_there_chooses_nothing(tmp_path: Path) -> None:
    made = Several(tmp_path)
    made.route = replace(made.route, access=Access(users=frozenset({PersonId(ADA), PersonId(GRACE)})))
    made.dify.script = lambda query: say(f"re: {query}")
    world = made
    async with living(made):
        root = await world.ask("Hello")
        await world.answered(GENERAL, root, "re: Hello")
        await world.acknowledged(await world.slack.command(LINUS, GENERAL, "/app", "trial"))
        await world.line(LINUS, "You may not use this bot here.")
        await world.ask("/app trial", person=LINUS, thread=root)
        await world.ask("Still there?", thread=root)
        await world.until(lambda: "re: Still there?" in world.texts(GENERAL, root)[-1], "nothing was chosen")


async def test_in_a_thread_with_two_apps_stop_reset_and_follow_ups_are_about_all_of_them(world: Several) -> None:
    root = await world.ask("Hello")
    await world.answered(GENERAL, root, "re: Hello")
    await world.ask("/app trial", thread=root)
    await world.until(lambda: any("trial answers" in one for one in world.texts(GENERAL, root)), "all are told")
    await world.slack.post_as(ADA, GENERAL, "not mentioned", root)
    await world.until(lambda: "not mentioned" in world.texts(GENERAL, root)[-1], "the thread is still followed")
    await world.ask("/reset", thread=root)
    await world.until(lambda: "forgotten" in world.texts(GENERAL, root)[-1], "it says so")
    await world.ask("/app support", thread=root)
    await world.until(lambda: "support answers" in world.texts(GENERAL, root)[-1], "all are told")
    await world.ask("Do I know you?", thread=root)
    await world.until(lambda: "re: Do I know you?" in world.texts(GENERAL, root)[-1], "an answer")
    assert world.requests[-1].conversation_id in (None, ""), "the other app forgot as well"


async def test_each_app_that_was_asked_in_a_thread_can_be_had_forget_it(world: Several) -> None:
    root = await world.ask("Hello")
    await world.answered(GENERAL, root, "re: Hello")
    await world.ask("/app trial", thread=root)
    await world.until(lambda: any("trial answers" in one for one in world.texts(GENERAL, root)), "all are told")
    await world.ask("echo this", thread=root)
    await world.until(lambda: "echo this" in world.texts(GENERAL, root)[-1], "an answer")
    await world.ask("/forget", thread=root)
    line = await world.line(ADA, "Each app that was asked here has a conversation of its own.")
    assert world.labels(line) == ["Forget trial", "Forget support"]
    await world.choose(line, "Forget support")
    await world.until(lambda: "deleted" in world.texts(GENERAL, root)[-1], "it says so")
    await world.ask("/app support", thread=root)
    await world.until(lambda: "support answers" in world.texts(GENERAL, root)[-1], "all are told")
    await world.ask("Do I know you?", thread=root)
    await world.until(lambda: "re: " in world.texts(GENERAL, root)[-1], "an answer")
    assert world.requests[-1].conversation_id in (None, "")
