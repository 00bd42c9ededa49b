"""When parts fail at the worst moment: nothing is lost, nothing stays mute, nothing is called what it is not."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from bridge.errors import BackendFailed, RateLimited, StoreUnavailable
from bridge.messages import AnswerState
from tests.core.room import room
from tests.core.test_recovery import killed_while_answering
from tests.fakes import values
from tests.fakes.backend import say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform, ThreadingPlatform

T = TypeVar("T")


def fail_once(call: Callable[..., Awaitable[T]], times: int = 1) -> Callable[..., Awaitable[T]]:
    """The same call, unavailable the first `times` times."""
    left = times

    async def failing(*arguments: object) -> T:
        nonlocal left
        if left:
            left -= 1
            raise StoreUnavailable("locked")
        return await call(*arguments)

    return failing


async def test_a_thread_that_could_not_be_noted_still_gets_its_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with room(platform=ThreadingPlatform(FakeClock())) as at:
        monkeypatch.setattr(at.store, "move_to", fail_once(at.store.move_to))
        await at.inbox(values.message(where=values.target(opens_thread=True)))
        await at.clock.advance(5)
        assert at.texts == ["You said: What is up?"]


async def test_a_broken_writer_is_not_recorded_as_done() -> None:
    async with room() as at:
        at.answer_with(lambda _: say(*"abcdef", pause=1.0))
        await at.inbox(values.message())
        await at.clock.advance(2.5)
        at.platform.failures = [ValueError("a bug")]  # type: ignore[list-item]  # not a platform error on purpose
        await at.clock.advance(20)
        assert at.store.answers[0].state is AnswerState.FAILED


async def test_a_message_whose_recording_failed_can_be_rated_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    async with room() as at:
        monkeypatch.setattr(at.store, "record_posted", fail_once(at.store.record_posted))
        await at.inbox(values.message())
        await at.clock.advance(5)
        await at.inbox(values.reaction(next(iter(at.platform.messages))))
        await at.clock.advance(60)
        assert len(at.backend.ratings) == 1


@pytest.mark.parametrize(
    "call", ["record_intended", "record_posted", "record_outcome", "finish", "waiting_conversations", "record_lost"]
)
async def test_a_store_that_is_away_during_recovery_neither_ends_nor_mutes_anything(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with room() as at:
        await killed_while_answering(at, shown=False)
    async with room(store=at.store, platform=at.platform) as after:
        monkeypatch.setattr(after.store, call, fail_once(getattr(after.store, call), times=2))
        starting = asyncio.ensure_future(after.recovery.start())
        await after.clock.advance(120)
        await starting
        assert after.texts == ["You said: What is up?", "You said: And then?"]


async def test_after_a_long_outage_at_the_end_of_an_answer_the_conversation_goes_on() -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say("text"), 5.0])
        await at.inbox(values.message(number=1))
        await at.clock.advance(2)
        at.store.failures = 10**6
        await at.clock.advance(200)
        at.store.failures = 0
        await at.inbox(values.message("second", number=2))
        await at.clock.advance(60)
        assert len(at.backend.asked) == 2
        assert at.store.answers[0].state is AnswerState.DONE


async def test_a_slow_platform_does_not_keep_others_from_the_backend() -> None:
    async with room(capacity=1) as at:
        at.platform.failures = [RateLimited("wait", retry_after=timedelta(seconds=300))]
        await at.inbox(values.message("one", number=1, where=values.target("1", channel="a")))
        await at.clock.advance(1)
        await at.inbox(values.message("two", number=2, where=values.target("2", channel="b")))
        await at.clock.advance(10)
        assert [question.text for question in at.backend.asked] == ["one", "two"]


async def test_an_answer_that_a_platform_refuses_for_hours_is_shown_when_it_takes_it_again() -> None:
    async with room() as at:
        at.platform.failures = [RateLimited("wait", retry_after=timedelta(hours=1))]
        await at.inbox(values.message())
        await at.clock.advance(900)
        assert at.texts == []
        for _ in range(6):
            await at.recovery.sweep()
            await at.clock.advance(700)
        assert at.texts == ["You said: What is up?"]
        assert at.store.answers[0].state is AnswerState.DONE
        assert len(at.backend.asked) == 1


async def test_leading_white_space_does_not_set_off_typing_each_time() -> None:
    async with room() as at:
        at.answer_with(lambda _: say(*["\n"] * 30, "x", pause=0.05))
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert len(at.platform.activity) == 1


@pytest.mark.parametrize("blank", ["before\n" + " \n" * 3000, "\n" * 3000])
async def test_long_blank_stretches_lose_nothing(blank: str) -> None:
    async with room(platform=FakePlatform(FakeClock(), max_text=1000)) as at:
        at.answer_with(lambda _: say(blank + "after"))
        await at.inbox(values.message())
        await at.clock.advance(100)
        assert at.texts[-1].endswith("after")
        assert all(text.strip() for text in at.texts)


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("~~~python\nprint(1)", "```python\nprint(1)\n```"),
        ("````\ncode ``\nx", "```\ncode ``\nx\n```"),
        ("- item\n  ```\n  x", "- item\n```\nx\n```"),
        ("This is **half", "This is **half**"),
        ("Write ~~~ to open a block.", "Write \\~\\~\\~ to open a block."),
    ],
)
async def test_an_ending_stands_outside_whatever_fence_was_open(text: str, closed: str) -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say(text), BackendFailed("broke")])
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert at.texts[0].startswith(f"{closed}\n\n⚠️")


async def test_a_delivery_that_was_given_up_while_it_was_stored_is_woken_by_the_next_one() -> None:
    async with room() as at:
        first = values.message(event="given up")
        await at.inbox(first)
        at.inbox._claimed.clear()
        await at.clock.advance(0)
    async with room(store=at.store, platform=at.platform) as after:
        await after.inbox(values.message(event="again"))
        await after.clock.advance(5)
        assert len(after.texts) == 1
