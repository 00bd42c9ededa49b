"""Threads get a title from the app, once, and a mark when whoever asked is content. Nobody waits for either."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bridge.errors import BackendFailed, BackendUnreachable, NotAllowed, PlatformUnavailable, StoreUnavailable
from bridge.feedback import aggregate
from bridge.labelling import Labeller, LabelLimits, Praised
from bridge.messages import ButtonAction, MessageRef
from bridge.store import Endorsed
from tests.core import doings
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import AbleBackend, fail_after_start, say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE, FakePlatform, ThreadingPlatform
from tests.fakes.platform_labels import LabellingPlatform
from tests.fakes.store import FakeStore

TITLE = "Of cabbages and kings"
OPENS = values.target(opens_thread=True)


@dataclass
class World:
    room: Room
    platform: LabellingPlatform
    backend: AbleBackend

    async def ask(self, number: int = 1, *, opens: bool = True) -> None:
        await self.room.inbox(values.message(number=number, where=OPENS if opens else values.target()))
        await self.room.clock.advance(5)


@asynccontextmanager
async def world(store: FakeStore | None = None) -> AsyncIterator[World]:
    clock = FakeClock()
    platform, backend = LabellingPlatform(clock, buttons=True, rating_buttons=True), AbleBackend(clock, title=TITLE)
    async with room(store, platform, clock=clock, backend=backend) as at:
        yield World(at, platform, backend)


# Titles


async def test_the_first_whole_answer_titles_the_thread_that_was_opened_for_it() -> None:
    async with world() as at:
        await at.ask()
        assert at.platform.renamed == [("general/1/thread", TITLE)]
        [(conversation, user)] = at.backend.named
        assert (conversation, user) == (at.room.store.answers[0].ids.conversation, "fake:team:general:1")


async def test_it_is_titled_once_also_after_a_restart() -> None:
    async with world() as at:
        await at.ask()
        await at.ask(2)
    async with world(at.room.store) as after:
        await after.ask(3)
        assert len(at.platform.renamed) == 1
        assert after.platform.renamed == []


async def test_a_thread_that_was_not_opened_by_the_bot_keeps_its_name() -> None:
    async with world() as at:
        await at.ask(opens=False)
        assert (at.platform.renamed, at.backend.named) == ([], [])


async def test_an_answer_that_failed_titles_nothing_and_the_next_one_does() -> None:
    async with world() as at:
        at.room.answer_with(lambda _: fail_after_start(BackendFailed("500")))
        await at.ask()
        assert at.platform.renamed == []
        at.room.answer_with(lambda _: say("Well."))
        await at.ask(2)
        assert len(at.platform.renamed) == 1


@pytest.mark.parametrize("title", ["", "  \n"])
async def test_an_app_that_knows_no_title_leaves_the_name(title: str) -> None:
    async with world() as at:
        at.backend.title = title
        await at.ask()
        assert at.platform.renamed == []


async def test_the_answer_does_not_wait_for_its_title_and_neither_does_the_next_question() -> None:
    async with world() as at:
        at.backend.name_seconds = 20
        await at.ask()
        await at.ask(2)
        assert [answer.state.value for answer in at.room.store.answers] == ["done", "done"]
        assert at.platform.renamed == []
        await at.room.clock.advance(20)
        assert len(at.platform.renamed) == 1


async def test_what_takes_too_long_or_fails_is_left_at_that(capsys: pytest.CaptureFixture[str]) -> None:
    async with world() as at:
        at.backend.name_seconds = 1000
        await at.ask()
        await at.room.clock.advance(60)
    async with world() as at:
        at.backend.name_errors = [BackendUnreachable("down")]
        await at.ask()
    async with world() as at:
        at.platform.rename_errors = [NotAllowed("no", code="50013")]
        await at.ask()
        await at.ask(2)
        assert at.platform.renamed == [], "it was tried once"
        assert at.room.texts[-1] == "You said: What is up?"
    logged = capsys.readouterr().out
    assert logged.count("not_labelled") == 3
    assert "50013" in logged


async def test_one_thread_that_takes_its_time_holds_up_no_other() -> None:
    async with world() as at:
        at.platform.rename_seconds = 25
        for number in (1, 2, 3):
            where = values.target(str(number), channel=f"c{number}", opens_thread=True)
            await at.room.inbox(values.message(number=number, where=where))
        await at.room.clock.advance(28)
        assert len(at.platform.renamed) == 3


async def test_where_threads_cannot_be_renamed_the_app_is_not_asked_for_a_title() -> None:
    clock = FakeClock()
    backend = AbleBackend(clock, title=TITLE)
    async with room(platform=ThreadingPlatform(clock), clock=clock, backend=backend) as at:
        await at.inbox(values.message(where=OPENS))
        await at.clock.advance(5)
        assert backend.named == []


# Marks


async def test_a_like_of_whoever_asked_marks_the_thread_as_solved() -> None:
    async with world() as at:
        await at.ask()
        [address] = at.platform.messages
        await at.room.inbox(values.reaction(address, "👍", who="grace"))
        await at.room.clock.advance(1)
        assert at.platform.solved == []
        await at.room.inbox(values.reaction(address, "👍", who="ada", revision=2))
        await at.room.clock.advance(1)
        assert [target.address for target in at.platform.solved] == ["general/1/thread"]


async def test_a_button_tells_where_it_stands() -> None:
    async with world() as at:
        await at.ask(opens=False)
        [address] = at.platform.messages
        await at.room.inbox(doings.press(ButtonAction.LIKE, address))
        await at.room.clock.advance(1)
        assert at.platform.solved == [values.target()]


async def test_a_dislike_a_like_taken_back_and_one_told_twice_mark_nothing_more() -> None:
    async with world() as at:
        await at.ask()
        [address] = at.platform.messages
        await at.room.inbox(values.reaction(address, "👎", revision=1))
        await at.room.inbox(values.reaction(address, "👍", revision=2, added=False))
        await at.room.clock.advance(1)
        assert at.platform.solved == []
        for _ in range(2):
            await at.room.inbox(values.reaction(address, "👍", revision=3))
        await at.room.clock.advance(1)
        assert len(at.platform.solved) == 1


# Room


class SilentStore(FakeStore):
    async def endorsed(self, message: MessageRef) -> Endorsed | None:
        raise StoreUnavailable("away")


def labeller(platform: FakePlatform, store: FakeStore, most_waiting: int) -> Labeller:
    backend = AbleBackend(FakeClock())
    return Labeller(
        store=store,
        platforms={FAKE: platform},
        backends={values.APP: backend},
        clock=FakeClock(),
        limits=LabelLimits(most_waiting=most_waiting),
    )


async def test_more_than_it_can_remember_is_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    made = labeller(LabellingPlatform(FakeClock()), FakeStore(aggregate), most_waiting=2)
    for number in (1, 2, 2, 3):
        made.note(Praised(message=values.ref(f"a{number}")))
    assert capsys.readouterr().out.count("label_dropped") == 1


async def test_a_store_that_is_away_costs_the_mark_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    clock = FakeClock()
    platform = LabellingPlatform(clock)
    async with room(SilentStore(aggregate), platform, clock=clock) as at:
        await at.inbox(values.message(where=OPENS))
        await at.clock.advance(5)
        [address] = platform.messages
        await at.inbox(values.reaction(address, "👍"))
        await at.clock.advance(1)
        await at.inbox(values.message("And?", number=2, where=OPENS))
        await at.clock.advance(5)
        assert len(platform.messages) == 2
    assert "not_labelled" in capsys.readouterr().out


async def test_a_platform_that_is_away_for_a_moment_is_not_asked_again() -> None:
    async with world() as at:
        at.platform.rename_errors = [PlatformUnavailable("503")]
        await at.ask()
        await at.ask(2)
        assert at.platform.renamed == []
