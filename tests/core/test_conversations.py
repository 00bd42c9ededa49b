"""Begin, answer, begin the next, until nothing waits, or somebody says stop."""

import asyncio

import pytest

from bridge.conversations import Conversations
from bridge.errors import StoreUnavailable
from bridge.messages import AnswerState, ConversationId, Turn
from tests.contracts.store_steps import new
from tests.core.hall import hall
from tests.fakes import values
from tests.fakes.platform import FAKE


async def test_what_waits_is_answered_one_after_the_other() -> None:
    async with hall() as at:
        at.turns.seconds = 10
        await at.tell(*(values.message(f"question {number}", number=number) for number in (1, 2, 3)))
        assert [turn.question.text for turn in at.turns.answered] == ["question 1"]
        await at.clock.advance(15)
        assert len(at.turns.answered) == 2
        await at.clock.advance(100)
        assert at.texts == ["question 1", "question 2", "question 3"]
        assert len({turn.epoch for turn in at.turns.answered}) == 1, "the owner did not change"


async def test_after_closing_nothing_new_is_begun_and_everything_still_waits() -> None:
    async with hall() as at:
        at.turns.seconds = 10
        await at.tell(values.message(number=1), values.message(number=2))
        at.conversations.close()
        await at.clock.advance(100)
        assert len(at.texts) == 1
        assert await at.store.waiting_conversations([FAKE]) == [1]


async def test_a_turn_that_is_handed_over_is_the_last_one_begun_here(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hall() as at:
        at.turns.hands_over = True
        begun = []
        begin = at.store.begin_next

        async def noted(conversation: ConversationId, epoch: int | None) -> Turn | None:
            begun.append(conversation)
            return await begin(conversation, epoch)

        monkeypatch.setattr(at.store, "begin_next", noted)
        await at.tell(values.message(number=1), values.message(number=2))
        await at.clock.advance(100)
        assert len(begun) == 1
        assert at.store.answers[0].state is AnswerState.ASKED


async def test_what_an_owner_left_unfinished_is_taken_over_before_anything_else() -> None:
    async with hall() as at:
        at.turns.hands_over = True
        await at.tell(values.message("first", number=1), values.message("second", number=2))
        await at.clock.advance(1)
        at.turns.hands_over = False
        at.dispatcher.wake(ConversationId(1))
        await at.clock.advance(1)
        assert [(turn.question.text, turn.epoch, turn.state) for turn in at.turns.answered] == [
            ("first", 1, AnswerState.PLANNED),
            ("first", 2, AnswerState.ASKED),
            ("second", 2, AnswerState.PLANNED),
        ]


async def test_an_owner_that_was_replaced_says_so_at_once_and_begins_nothing_more() -> None:
    async with hall() as at:
        at.turns.seconds = 10
        await at.tell(values.message(number=1), values.message(number=2))
        await at.store.begin_next(ConversationId(1), None)
        await at.clock.advance(100)
        assert at.fenced == 1
        assert len(at.turns.answered) == 1


async def test_a_store_that_is_away_for_a_moment_delays_the_next_question_and_no_more() -> None:
    async with hall() as at:
        await at.inbox(values.message())
        at.store.failures = 2
        await at.clock.advance(0.3)
        assert at.texts == []
        await at.clock.advance(5)
        assert at.texts == ["What is up?"]
        assert at.metrics.read("bridge_store_unavailable_total") == 2


async def test_a_store_that_stays_away_is_not_asked_for_ever() -> None:
    async with hall() as at:
        await at.inbox(values.message())
        at.store.failures = 10_000
        await at.clock.advance(600)
        assert 10_000 - at.store.failures == 5
        at.store.failures = 0
        at.dispatcher.wake(ConversationId(1))
        await at.clock.advance(1)
        assert at.texts == ["What is up?"]


async def test_moments_without_the_store_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hall() as at:
        begin, tries = at.store.begin_next, 0

        async def often_away(conversation: ConversationId, epoch: int | None) -> Turn | None:
            nonlocal tries
            tries += 1
            if tries % 4:
                raise StoreUnavailable("away")
            return await begin(conversation, epoch)

        monkeypatch.setattr(at.store, "begin_next", often_away)
        await at.tell(*(values.message(number=number) for number in range(6)))
        await at.clock.advance(100)
        assert len(at.texts) == 6


async def test_a_question_that_was_begun_just_as_the_store_went_away_is_not_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with hall() as at:
        begin, calls = at.store.begin_next, 0

        async def committed_and_gone(conversation: ConversationId, epoch: int | None) -> Turn | None:
            nonlocal calls
            calls += 1
            turn = await begin(conversation, epoch)
            if calls == 2:
                raise StoreUnavailable("the connection broke after the commit")
            return turn

        monkeypatch.setattr(at.store, "begin_next", committed_and_gone)
        await at.tell(values.message("first", number=1), values.message("second", number=2))
        await at.clock.advance(10)
        assert at.texts == ["first", "second"]


async def test_a_turn_that_the_store_left_as_it_was_is_taken_up_again_later() -> None:
    class Absent:
        async def answer(self, turn: Turn) -> bool:
            raise StoreUnavailable("away")

    async with hall() as at:
        await at.store.accept(new(1, text="What is up?"))
        conversations = Conversations(store=at.store, turns=Absent(), clock=at.clock, fenced=lambda: None)
        drained = asyncio.ensure_future(conversations.drain(ConversationId(1)))
        await at.clock.advance(600)
        await drained
        at.dispatcher.wake(ConversationId(1))
        await at.clock.advance(1)
        assert at.texts == ["What is up?"]
