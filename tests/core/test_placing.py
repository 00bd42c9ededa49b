"""Where an answer goes whose thread cannot be opened at once. One to a question that nobody sees has no other place."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from bridge.errors import NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import AnswerState, ReplyTarget
from tests.core.room import room
from tests.fakes import values
from tests.fakes.backend import say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import ThreadingPlatform

UNSEEN = replace(values.message("by a command", where=values.target(opens_thread=True)), unseen=True)


@dataclass
class StubbornPlatform(ThreadingPlatform):
    """The first attempts to open a thread fail."""

    errors: list[PlatformError] = field(default_factory=list)
    tried: list[float] = field(default_factory=list)

    async def open_thread(self, target: ReplyTarget, title: str) -> ReplyTarget:
        self.tried.append(self.clock.monotonic())
        if self.errors:
            raise self.errors.pop(0)
        return await super().open_thread(target, title)


def stubborn(*errors: PlatformError) -> StubbornPlatform:
    return StubbornPlatform(FakeClock(), errors=list(errors))


@pytest.mark.parametrize("asked_for", [2.0, 5.0])
async def test_a_thread_that_cannot_be_begun_now_is_begun_a_little_later(asked_for: float) -> None:
    platform = stubborn(
        PlatformUnavailable("503"),
        RateLimited("429", retry_after=timedelta(seconds=asked_for)),
        PlatformUnavailable("503"),
    )
    async with room(platform=platform) as at:
        await at.inbox(UNSEEN)
        await at.clock.advance(20)
        assert [message.target.address for message in platform.messages.values()] == ["general/1/thread"]
        assert platform.opened == ["Ada asked: by a command"]
        first, second, third, fourth = platform.tried
        assert (second - first, third - second, fourth - third) == (1.0, asked_for, 4.0)
        assert at.store.answers[0].state is AnswerState.DONE


async def test_where_the_bot_may_not_write_the_turn_ends_quietly_and_nothing_is_posted() -> None:
    platform = stubborn(NotAllowed("not there", code="not_in_channel"))
    async with room(platform=platform) as at:
        await at.inbox(UNSEEN)
        await at.clock.advance(5)
        assert platform.messages == {}
        assert (at.store.answers[0].state, at.store.answers[0].error) == (AnswerState.FAILED, "not shown")
        assert len(platform.tried) == 1


async def test_a_thread_that_cannot_be_begun_for_long_is_left_to_the_next_sweep_with_its_answer() -> None:
    platform = stubborn(*(PlatformUnavailable("503") for _ in range(40)))
    async with room(platform=platform) as at:
        await at.inbox(UNSEEN)
        await at.clock.advance(11 * 60)
        assert platform.messages == {}
        asked = len(at.backend.asked)
        platform.errors.clear()
        await at.recovery.sweep()
        await at.clock.advance(10)
        assert at.texts == ["You said: by a command"]
        assert len(at.backend.asked) == asked, "the app is not asked again"


async def test_who_hands_over_does_not_wait_for_the_thread() -> None:
    platform = stubborn(*(PlatformUnavailable("503") for _ in range(40)))
    async with room(platform=platform) as at:
        at.answer_with(lambda _: say(*"abc", pause=60.0))
        await at.inbox(UNSEEN)
        await at.clock.advance(5)
        at.turns.hand_over()
        await at.clock.advance(1)
        tried = len(platform.tried)
        await at.clock.advance(300)
        assert len(platform.tried) == tried
        assert platform.messages == {}


async def test_what_people_see_is_replied_to_where_it_stands() -> None:
    platform = stubborn(PlatformUnavailable("503"))
    async with room(platform=platform) as at:
        await at.inbox(replace(UNSEEN, unseen=False))
        await at.clock.advance(1)
        assert [message.target.address for message in platform.messages.values()] == ["general/1"]
        assert len(platform.tried) == 1
