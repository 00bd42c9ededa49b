"""A chatflow waits for people in the middle of an answer, on each platform: real SDK clients, real sockets, the real bridge."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from bridge.app import App
from bridge.attending import Attendant
from bridge.clock import SystemClock
from bridge.pausing import PauseLimits
from bridge.playground.dify import DifyServer
from bridge.playground.dify.people import PeopleForm
from bridge.playground.dify.script import Reply, split_tokens
from bridge.playground.dify.wire import Json
from bridge.playground.slack.model import Message
from bridge.routing import DEFAULT_APP, AppPolicy, Everywhere, MayAnswer
from tests.integration import discord_world, slack_world

FIELDS: tuple[Json, ...] = (
    {"type": "text_input", "output_variable_name": "size", "default": {"type": "constant", "value": "M"}},
    {"type": "paragraph", "output_variable_name": "why", "default": None},
)


def then(action: str, values: Mapping[str, str]) -> Reply:
    words = "".join(f" {name}={value}" for name, value in sorted(values.items()))
    return Reply(tokens=split_tokens(f"\n\nIt was {action}.{words}"))


APPROVAL = PeopleForm(
    title="Approval",
    content="**Order 12 chairs?**",
    then=then,
    late=Reply(tokens=split_tokens("\n\nThen I leave it.")),
)


class Table(Protocol):
    """One platform with two people at it."""

    dify: DifyServer

    def living(self) -> AbstractAsyncContextManager[object]: ...

    async def ask(self, text: str) -> str:
        """Returns where the answer comes."""
        ...

    async def say(self, place: str, text: str) -> None: ...

    async def shows(self, place: str, words: str, *, buttons: tuple[str, ...] = ()) -> None:
        """Waits until the bot's last message there has these words, and these buttons among others."""
        ...

    async def press(self, place: str, label: str, *, grace: bool = False) -> object: ...

    async def fill_in(self, place: str, label: str, values: Mapping[str, str]) -> None: ...

    def texts(self, place: str) -> list[str]: ...

    async def told(self, words: str, *, grace: bool = False) -> None:
        """Waits until this person alone was told so."""
        ...

    async def passed(self, moment: float) -> None:
        """Waits until it is later than that."""
        ...

    async def restart(self, *, kill: bool = False) -> None: ...

    async def attend(self, ahead: timedelta = timedelta(0)) -> None:
        """What the bridge does every minute, as if it were so much later."""
        ...

    def refused(self) -> list[object]:
        """Calls that the platform did not accept."""
        ...


@dataclass
class Ahead(SystemClock):
    by: timedelta

    def now(self) -> datetime:
        return super().now() + self.by


async def look_after(app: App, ahead: timedelta) -> None:
    parts = app.parts
    async with asyncio.timeout(30):
        # What was shown a moment ago may not rest yet.
        while await parts.store.waiting_conversations(list(parts.platforms)):
            await parts.clock.sleep(0.02)
    attendant = Attendant(
        store=parts.store,
        platforms=parts.platforms,
        backends=parts.apps.backends,
        dispatcher=parts.dispatcher,
        notices=parts.notices,
        clock=Ahead(ahead),
        limits=PauseLimits(),
    )
    await attendant.attend()


class SlackTable:
    def __init__(self, folder: Path, app: AppPolicy, mode: str) -> None:
        self.world = slack_world.World(folder, app=app, mode=mode)
        self.dify = self.world.dify

    def living(self) -> AbstractAsyncContextManager[object]:
        return slack_world.living(self.world)

    async def ask(self, text: str) -> str:
        return await self.world.ask(text)

    async def say(self, place: str, text: str) -> None:
        await self.world.ask(text, thread=place, person=slack_world.GRACE)

    def _first(self, place: str) -> Message:
        return self.world.answers(slack_world.GENERAL, place)[0]

    async def shows(self, place: str, words: str, *, buttons: tuple[str, ...] = ()) -> None:
        def done() -> bool:
            found = self.world.answers(slack_world.GENERAL, place)
            return bool(found) and any(
                words in one.visible_text and set(buttons) <= {button.label for button in self.world.buttons(one)}
                for one in found
            )

        await self.world.until(done, f"{words!r} with {buttons}; there is {self.texts(place)!r}")

    async def press(self, place: str, label: str, *, grace: bool = False) -> object:
        person = slack_world.GRACE if grace else slack_world.ADA
        return await self.world.press(self._first(place), label, person)

    async def fill_in(self, place: str, label: str, values: Mapping[str, str]) -> None:
        await self.press(place, label)
        world = self.world
        await world.until(lambda: any("submit" in one.content for one in world.forms(slack_world.ADA)), "a form")
        view = world.forms(slack_world.ADA)[-1]
        given = {f"field:{name}": value for name, value in values.items()}
        await world.acknowledged(await world.slack.submit_view(slack_world.ADA, view.id, given))

    def texts(self, place: str) -> list[str]:
        return self.world.texts(slack_world.GENERAL, place)

    async def told(self, words: str, *, grace: bool = False) -> None:
        person = slack_world.GRACE if grace else slack_world.ADA
        await self.world.until(
            lambda: any(words in one.text for one in self.world.private_lines(person)),
            f"{words!r}; told were {self.world.private_lines(person)!r}",
        )

    async def passed(self, moment: float) -> None:
        await self.world.until(lambda: self.world.clock.now().timestamp() > moment, "the time is over")

    async def restart(self, *, kill: bool = False) -> None:
        await self.world.restart(kill=kill)

    async def attend(self, ahead: timedelta = timedelta(0)) -> None:
        assert self.world.app is not None
        await look_after(self.world.app, ahead)

    def refused(self) -> list[object]:
        return list(self.world.failed_calls())


class DiscordTable:
    def __init__(self, folder: Path, app: AppPolicy, mode: str) -> None:
        self.world = discord_world.World(folder, routes=Everywhere(app=app), mode=mode)
        self.dify = self.world.dify

    def living(self) -> AbstractAsyncContextManager[object]:
        return discord_world.living(self.world)

    async def ask(self, text: str) -> str:
        return await self.world.mention(text)

    async def say(self, place: str, text: str) -> None:
        await self.world.discord.post_as(self.world.discord.grace, place, text)

    async def shows(self, place: str, words: str, *, buttons: tuple[str, ...] = ()) -> None:
        def done() -> bool:
            return any(
                words in one.content and set(buttons) <= {button.label for button in one.buttons}
                for one in self.world.own(place)
            )

        await self.world.until(done, f"{words!r} with {buttons}; there is {self.texts(place)!r}")

    async def press(self, place: str, label: str, *, grace: bool = False) -> object:
        server, message = self.world.discord, self.world.own(place)[0]
        (button,) = [one for one in message.buttons if one.label == label]
        person = server.grace if grace else server.ada
        return await self.world.acknowledged(
            await server.press(person, message.channel_id, message.id, button.custom_id)
        )

    async def fill_in(self, place: str, label: str, values: Mapping[str, str]) -> None:
        opened = str(await self.press(place, label))
        given: dict[str, str | list[str]] = {f"field:{name}": value for name, value in values.items()}
        server = self.world.discord
        await self.world.acknowledged(await server.submit_modal(server.ada, opened, given))

    def texts(self, place: str) -> list[str]:
        return self.world.texts(place)

    async def told(self, words: str, *, grace: bool = False) -> None:
        person = self.world.discord.grace if grace else self.world.discord.ada
        await self.world.until(
            lambda: any(words in one for one in self.world.private_lines(person)),
            f"{words!r}; told were {self.world.private_lines(person)!r}",
        )

    async def passed(self, moment: float) -> None:
        await self.world.until(lambda: self.world.clock.now().timestamp() > moment, "the time is over")

    async def restart(self, *, kill: bool = False) -> None:
        await self.world.restart(kill=kill)

    async def attend(self, ahead: timedelta = timedelta(0)) -> None:
        assert self.world.app is not None
        await look_after(self.world.app, ahead)

    def refused(self) -> list[object]:
        return list(self.world.failed_calls())


TABLES: dict[str, Callable[[Path, AppPolicy, str], Table]] = {"slack": SlackTable, "discord": DiscordTable}
POLICY = AppPolicy(name=DEFAULT_APP)


async def lay(kind: str, folder: Path, app: AppPolicy = POLICY, mode: str = "advanced-chat") -> AsyncIterator[Table]:
    table = TABLES[kind](folder, app, mode)
    table.dify.features.asks_people = True
    table.dify.script = lambda query: (
        Reply(tokens=split_tokens("I have put it together."), form=APPROVAL)
        if "order" in query
        else Reply(tokens=split_tokens(f"re: {query}"))
    )
    async with table.living():
        yield table


@pytest.fixture(params=list(TABLES))
async def table(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Table]:
    async for laid in lay(request.param, tmp_path):
        yield laid


@pytest.fixture(params=list(TABLES))
async def open_table(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Table]:
    """Anyone may answer."""
    async for laid in lay(request.param, tmp_path, replace(POLICY, may_answer=MayAnswer.read("anyone", ()))):
        yield laid


@pytest.fixture(params=list(TABLES))
async def workflow_table(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Table]:
    async for laid in lay(request.param, tmp_path, mode="workflow"):
        yield laid


BUTTONS = ("Approve", "Reject", "Stop")


async def test_a_press_lets_the_app_go_on_in_the_same_message(table: Table) -> None:
    place = await table.ask("Please order chairs")
    await table.shows(place, "Order 12 chairs?", buttons=BUTTONS)
    assert "The app waits for" in table.texts(place)[0]
    await table.press(place, "Approve")
    await table.shows(place, "It was approve.")

    (text,) = table.texts(place)
    assert text.index("put it together") < text.index("Order 12 chairs?") < text.index("(Ada)") < text.index("It was")
    assert "waits for" not in text
    assert table.dify.paused[0].form.action == "approve"
    assert len(table.dify.requests) == 1
    assert table.refused() == []


async def test_a_workflow_app_waits_for_people_too(workflow_table: Table) -> None:
    table = workflow_table
    place = await table.ask("Please order chairs")
    await table.shows(place, "Order 12 chairs?", buttons=BUTTONS)
    await table.press(place, "Approve")
    await table.shows(place, "It was approve.")

    assert len(table.texts(place)) == 1
    assert table.texts(place)[0].count("put it together") == 1


async def test_fields_are_filled_in_in_a_modal(table: Table) -> None:
    table.dify.script = lambda query: Reply(form=replace(APPROVAL, inputs=FIELDS))
    place = await table.ask("Please order chairs")
    await table.shows(place, "Order 12 chairs?", buttons=("Approve…", "Reject…", "Stop"))
    await table.fill_in(place, "Approve…", {"size": "XL", "why": "comfort"})
    await table.shows(place, "size=XL why=comfort")

    assert table.dify.paused[0].form.values == {"size": "XL", "why": "comfort"}
    assert table.refused() == []


async def test_somebody_else_is_told_alone_that_it_is_not_theirs(table: Table) -> None:
    place = await table.ask("Please order chairs")
    await table.shows(place, "Order 12 chairs?", buttons=BUTTONS)
    await table.press(place, "Approve", grace=True)
    await table.told(" can answer this.", grace=True)

    assert len(table.texts(place)) == 1
    assert table.dify.paused[0].run.status == "paused"


async def test_of_two_people_who_press_at_once_one_counts_and_the_other_is_told(open_table: Table) -> None:
    table = open_table
    place = await table.ask("Please order chairs")
    await table.shows(place, "Order 12 chairs?", buttons=BUTTONS)
    await table.press(place, "Approve")
    try:
        await table.press(place, "Reject", grace=True)
        await table.told("answered already", grace=True)
    except (AssertionError, ValueError):
        # The buttons were gone before the second finger came down.
        assert "(Ada)" in table.texts(place)[0]
    await table.shows(place, "It was approve.")

    assert table.dify.paused[0].form.action == "approve"


@pytest.mark.parametrize("kill", [False, True])
async def test_it_waits_over_a_restart(table: Table, *, kill: bool) -> None:
    place = await table.ask("Please order chairs")
    await table.shows(place, "Order 12 chairs?", buttons=BUTTONS)
    await table.restart(kill=kill)
    await table.press(place, "Reject")
    await table.shows(place, "It was reject.")

    assert (len(table.texts(place)), len(table.dify.requests)) == (1, 1)


async def test_a_run_that_went_on_while_the_bridge_was_down_is_shown_whole(table: Table) -> None:
    slow = replace(APPROVAL, then=lambda action, values: replace(then(action, values), first_token=0.3, per_token=0.1))
    table.dify.script = lambda query: Reply(tokens=["Well."], form=slow)
    place = await table.ask("Please order chairs")
    await table.shows(place, "Order 12 chairs?", buttons=BUTTONS)
    await table.press(place, "Approve")
    await table.dify.until(lambda: table.dify.paused[0].is_running)
    await table.restart(kill=True)
    await table.shows(place, "It was approve.")

    assert len(table.texts(place)) == 1
    assert "✅" in table.texts(place)[0]


async def test_stop_ends_the_waiting_and_the_next_question_is_answered(table: Table) -> None:
    place = await table.ask("Please order chairs")
    await table.shows(place, "Order 12 chairs?", buttons=BUTTONS)
    await table.say(place, "What else?")
    await table.shows(place, "Your question comes next")
    await table.press(place, "Stop")
    await table.shows(place, "(Stopped.)")
    await table.shows(place, "re: What else?")

    assert table.dify.paused[0].run.status == "paused", "Dify does not hear of it: nothing listens there"


async def test_a_form_whose_time_is_over_is_told_and_the_run_goes_its_other_way(table: Table) -> None:
    table.dify.script = lambda query: Reply(tokens=["Well."], form=replace(APPROVAL, seconds=1))
    place = await table.ask("Please order chairs")
    await table.shows(place, "Order 12 chairs?")
    await table.passed(table.dify.paused[0].form.expires)
    await table.attend(timedelta(minutes=2))
    await table.shows(place, "Nobody answered in time")
    table.dify.paused[0].expire()
    await table.dify.until(lambda: table.dify.paused[0].run.status == "succeeded")
    await table.attend(timedelta(minutes=4))
    await table.shows(place, "Then I leave it.")

    assert len(table.texts(place)) == 1


async def test_people_are_reminded_in_the_thread(table: Table) -> None:
    place = await table.ask("Please order chairs")
    await table.shows(place, "Order 12 chairs?", buttons=BUTTONS)
    await table.attend(timedelta(minutes=30))
    assert len(table.texts(place)) == 1
    await table.attend(timedelta(hours=2))
    await table.shows(place, "still waits for an answer")

    assert len(table.texts(place)) == 2
    await table.attend(timedelta(hours=3))
    await table.press(place, "Approve")
    await table.shows(place, "It was approve.")
    assert len(table.texts(place)) == 2
