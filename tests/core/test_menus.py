"""`/app`: what is told of what answers, and what is offered instead."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import cast

import pytest

from bridge import menus
from bridge.backend_api import Backend, Choice
from bridge.decisions import Obey
from bridge.errors import BackendUnreachable
from bridge.events import Command
from bridge.feedback import aggregate
from bridge.menus import AppMenu, MenuLimits, Wish, read_wish, spell, token
from bridge.messages import AppName, Button, ReplyTarget, ThreadId
from bridge.notices import Notices
from bridge.picking import Picking
from bridge.picks import Pick, own_scope
from bridge.platform_api import Platform, PlatformCapabilities
from bridge.routing import DEFAULT_APP, AppPolicy, Resolution
from tests.core import doings
from tests.fakes import values
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.picks import FakePicks
from tests.fakes.platform import FAKE, FakePlatform
from tests.fakes.store import FakeStore

SUPPORT, LIBRARY = AppName("support"), AppName("library")
BOTH = tuple(AppPolicy(name=name) for name in (SUPPORT, LIBRARY))
HERE = Resolution(app=BOTH[0], choices=BOTH)
THREAD = values.key()


def shelf(number: int) -> Choice:
    return Choice(id=f"shelf-{number}", label=f"Shelf {number}", group="Shelves")


class Library(FakeBackend):
    shelves: Sequence[Choice] = (shelf(1), shelf(2))
    seconds: float = 0.0
    away: bool = False

    async def choices(self) -> Sequence[Choice]:
        await self.clock.sleep(self.seconds)
        if self.away:
            raise BackendUnreachable("nobody there")
        return self.shelves


class Choosing(FakePlatform):
    most: int = 25

    @property
    def capabilities(self) -> PlatformCapabilities:
        return replace(super().capabilities, app_buttons=self.most)


@dataclass
class Told:
    """In place of notices."""

    lines: list[tuple[ReplyTarget, str, tuple[Button, ...]]] = field(default_factory=list)

    def tell(self, target: ReplyTarget, text: str, about: str = "", buttons: tuple[Button, ...] = ()) -> None:
        self.lines.append((target, text, buttons))

    @property
    def texts(self) -> list[str]:
        return [text for _, text, _ in self.lines]

    @property
    def labels(self) -> list[str]:
        return [one.label for one in self.lines[-1][2]]


class Room:
    def __init__(self) -> None:
        self.clock = FakeClock()
        self.picks = FakePicks()
        self.told = Told()
        self.library = Library(self.clock)
        self.platform = Choosing(self.clock)
        backends: dict[AppName, Backend] = {SUPPORT: FakeBackend(self.clock), LIBRARY: self.library}
        platforms: dict[object, Platform] = {FAKE: self.platform}
        self.menu = AppMenu(
            picks=self.picks,
            picking=Picking(FakeStore(aggregate, self.clock), self.picks, backends),
            platforms=platforms,  # type: ignore[arg-type]  # fakes of what it needs
            backends=backends,
            notices=cast("Notices", self.told),
            clock=self.clock,
            limits=MenuLimits(most_waiting=2),
        )

    async def say(
        self,
        words: str = "",
        *,
        value: str = "",
        where: Resolution = HERE,
        in_thread: bool = True,
        is_direct: bool = False,
        event: str = "e1",
    ) -> None:
        order = doings.command(Command.APP, in_thread=in_thread, is_direct=is_direct, event=event)
        await self.menu.take(Obey(order=replace(order, words=words, value=value), app=BOTH[0], resolution=where))
        await self.clock.settle()


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    made = Room()
    working = asyncio.ensure_future(made.menu.run())
    try:
        yield made
        assert not working.done()
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_what_answers_is_told_to_who_asked_with_a_button_for_each_other_app() -> None:
    async with room() as at:
        await at.say()
        ((target, text, (button,)),) = at.told.lines
        assert (target.private, text) == (True, "**support** answers in this thread.")
        assert (button.label, button.value) == ("library", "1/library")


async def test_what_can_be_chosen_within_the_app_stands_in_the_same_list() -> None:
    async with room() as at:
        at.picks.picked[THREAD] = Pick(app=LIBRARY, choice="shelf-2")
        await at.say()
        assert at.told.texts == ["**library** (Shelf 2) answers in this thread."]
        assert at.told.labels == ["support", "library, as it is set up", "Shelves: Shelf 1"]


async def test_an_app_that_is_chosen_by_name_holds_and_all_in_the_thread_are_told() -> None:
    async with room() as at:
        await at.say("Library")
        assert at.picks.picked == {THREAD: Pick(app=LIBRARY)}
        everybody, asker, list_of_shelves = at.told.lines
        assert (everybody[0].private, everybody[1]) == (False, "**library** answers in this thread from now on.")
        assert (asker[0].private, asker[1]) == (True, "Done: **library** answers in this thread from now on.")
        assert [one.label for one in list_of_shelves[2]] == ["support", "Shelves: Shelf 1", "Shelves: Shelf 2"]


async def test_the_same_event_told_again_is_said_nothing_about() -> None:
    async with room() as at:
        await at.say("library")
        at.told.lines.clear()
        await at.say("library")
        assert at.told.lines == []


@pytest.mark.parametrize("words", ["shelf-2", "Shelf  2", "`shelf 2`"])
async def test_something_within_the_app_is_chosen_by_its_id_or_its_name(words: str) -> None:
    async with room() as at:
        at.picks.picked[THREAD] = Pick(app=LIBRARY)
        await at.say(words)
        assert at.picks.picked[THREAD] == Pick(app=LIBRARY, choice="shelf-2")


async def test_a_button_is_about_the_thread_that_it_was_shown_for_wherever_it_is_pressed() -> None:
    async with room() as at:
        other = ThreadId("other")
        await at.say(value=spell(other, LIBRARY, "shelf-1"), in_thread=False)
        assert at.picks.picked == {replace(THREAD, thread=other): Pick(app=LIBRARY, choice="shelf-1")}
        assert at.told.texts == ["**library** (Shelf 1) answers in this thread from now on."]
        assert at.told.lines[0][0].private, "where it stands is another thread"


async def test_outside_of_threads_a_choice_is_for_who_made_it() -> None:
    async with room() as at:
        await at.say("library", in_thread=False)
        assert at.picks.picked == {own_scope(THREAD, values.person().id): Pick(app=LIBRARY)}
        assert at.told.texts[0].startswith("**library** answers your questions in this channel from now on.")
        assert all(target.private for target, _, _ in at.told.lines)


@pytest.mark.parametrize("value", ["1/sales", "1/library/gone"])
async def test_a_button_for_what_is_gone_says_so(value: str) -> None:
    async with room() as at:
        await at.say(value=value)
        assert (at.told.texts, at.picks.picked) == ([menus.GONE], {})


async def test_an_unknown_name_is_told_with_what_there_is() -> None:
    async with room() as at:
        await at.say("sails`")
        assert at.told.texts == ["There is no `sails` to choose here.\n\n**support** answers in this thread."]
        assert at.told.labels == ["library"]


@pytest.mark.parametrize("trouble", ["away", "slow"])
async def test_a_backend_that_cannot_tell_its_choices_does_not_keep_the_apps_from_being_shown(trouble: str) -> None:
    async with room() as at:
        at.library.away, at.library.seconds = trouble == "away", 60.0 if trouble == "slow" else 0.0
        at.picks.picked[THREAD] = Pick(app=LIBRARY)
        await at.say()
        await at.clock.advance(10)
        assert at.told.texts == [f"**library** answers in this thread.\n\n{menus.NOT_LISTED}"]
        assert at.told.labels == ["support"]


async def test_more_than_there_are_buttons_for_is_told_and_chosen_by_name() -> None:
    async with room() as at:
        at.library.shelves = [shelf(number) for number in range(40)]
        at.picks.picked[THREAD] = Pick(app=LIBRARY)
        await at.say()
        assert len(at.told.labels) == 25
        assert "16 more are not shown here" in at.told.texts[0]
        await at.say("shelf 39", event="e2")
        assert at.picks.picked[THREAD].choice == "shelf-39"


async def test_without_buttons_what_there_is_is_named() -> None:
    async with room() as at:
        at.platform.most = 0
        await at.say()
        assert at.told.texts[0].endswith("mention me with `/app` and its name: library.")
        assert at.told.labels == []


async def test_where_one_app_answers_there_is_nothing_to_choose() -> None:
    async with room() as at:
        await at.say(where=Resolution(app=AppPolicy(name=DEFAULT_APP)))
        assert at.told.texts == [f"The app of this bot answers in this thread.\n\n{menus.NOTHING_ELSE}"]


async def test_a_flood_of_menus_is_bounded() -> None:
    async with room() as at:
        at.library.seconds = 5.0
        at.picks.picked[THREAD] = Pick(app=LIBRARY)
        for number in range(9):
            await at.say(event=f"e{number}")
        await at.clock.advance(100)
        assert len(at.told.lines) == 3, "one is being shown, and two wait"


def test_ids_that_no_button_could_carry_are_known_by_a_short_word() -> None:
    for one in ("a" * 200, "with spaces", "with/slash", "Ünïcode"):
        assert token(one).isascii()
        assert not set(token(one)) & {" ", "/"}
    longest = spell(ThreadId("1" * 20), AppName("a" * 40), "x" * 200)
    assert len(longest) <= 80
    assert token("shelf1") == "shelf1"
    order = replace(doings.command(Command.APP), value="17.25/library/~abc")
    assert read_wish(order, ()) == Wish(thread=ThreadId("17.25"), app=LIBRARY, choice="~abc")
