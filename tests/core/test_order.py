"""Accepted once, answered in order, conversations side by side."""

import pytest

from bridge.backend_api import Question
from bridge.errors import StoreUnavailable
from bridge.messages import AnswerState, Origin
from tests.core.room import room
from tests.fakes import values
from tests.fakes.backend import Step, say
from tests.fakes.events import deleted, edited
from tests.fakes.platform import FAKE


def slow(question: Question) -> list[Step]:
    return [2.0, *say(question.text)]


async def test_two_deliveries_of_one_message_get_one_answer() -> None:
    async with room() as at:
        await at.inbox(values.message(event="mention"))
        await at.inbox(values.message(event="message"))
        await at.inbox(values.message(event="mention"))
        await at.clock.advance(5)
        assert len(at.backend.asked) == len(at.texts) == 1


async def test_a_second_delivery_is_known_without_asking_the_store() -> None:
    async with room() as at:
        await at.inbox(values.message(event="mention"))
        await at.clock.advance(1)
        at.store.failures = 1
        await at.inbox(values.message(event="message"))
        assert at.store.failures == 1
        at.store.failures = 0


async def test_a_question_that_was_not_stored_is_not_taken_for_a_duplicate() -> None:
    async with room() as at:
        at.store.failures = 1
        with pytest.raises(StoreUnavailable):
            await at.inbox(values.message(event="mention"))
        await at.inbox(values.message(event="message"))
        await at.clock.advance(1)
        assert len(at.texts) == 1


async def test_questions_of_one_thread_are_answered_one_after_the_other() -> None:
    async with room() as at:
        at.answer_with(slow)
        for number in range(1, 4):
            await at.inbox(values.message(f"question {number}", number=number))
        await at.clock.advance(2.5)
        assert [question.text for question in at.backend.asked] == ["question 1", "question 2"]
        await at.clock.advance(10)
        assert at.texts == ["question 1", "question 2", "question 3"]


async def test_threads_are_answered_side_by_side() -> None:
    async with room() as at:
        at.answer_with(slow)
        for number in range(1, 21):
            await at.inbox(values.message(number=number, where=values.target(str(number))))
        await at.clock.advance(1)
        assert len(at.backend.asked) == 20


async def test_nothing_is_taken_while_the_store_is_away_so_that_the_platform_delivers_again() -> None:
    async with room() as at:
        at.store.failures = 1
        with pytest.raises(StoreUnavailable):
            await at.inbox(values.message())
        assert at.metrics.read("bridge_store_unavailable_total") == 1
        await at.inbox(values.message())
        await at.clock.advance(1)
        assert len(at.texts) == 1


async def test_a_store_that_is_away_for_a_moment_delays_the_answer_and_no_more() -> None:
    async with room() as at:
        await at.inbox(values.message())
        at.store.failures = 2
        await at.clock.advance(10)
        assert len(at.texts) == 1


async def test_what_a_long_outage_left_waiting_is_found_by_the_sweep() -> None:
    async with room() as at:
        await at.inbox(values.message())
        at.store.failures = 10_000
        await at.clock.advance(120)
        assert at.texts == []
        at.store.failures = 0
        await at.recovery.sweep()
        await at.clock.advance(1)
        assert len(at.texts) == 1


async def test_other_bots_own_messages_and_chatter_are_not_answered() -> None:
    async with room() as at:
        await at.inbox(values.message(number=1, origin=Origin.SELF))
        await at.inbox(values.message(number=2, origin=Origin.BOT))
        await at.inbox(values.message(number=3, mentions_bot=False))
        await at.inbox(values.message(number=4, mentions_bot=False, in_thread=True))
        await at.clock.advance(5)
        assert at.backend.asked == []


async def test_a_reply_to_an_answer_elsewhere_continues_its_conversation() -> None:
    async with room() as at:
        await at.inbox(values.message(number=1))
        await at.clock.advance(1)
        answer = next(iter(at.platform.messages))
        elsewhere = values.target("other")
        await at.inbox(values.message(number=2, where=elsewhere, mentions_bot=False, reply_to=values.ref(answer)))
        await at.clock.advance(1)
        assert [question.conversation for question in at.backend.asked] == [None, "c1"]


async def test_after_closing_nothing_new_is_begun_and_everything_still_waits() -> None:
    async with room() as at:
        at.answer_with(slow)
        await at.inbox(values.message(number=1))
        await at.inbox(values.message(number=2))
        await at.clock.advance(1)
        at.conversations.close()
        await at.clock.advance(20)
        assert len(at.texts) == 1
        assert len(await at.store.waiting_conversations([FAKE])) == 1


async def test_questions_beyond_the_backends_places_wait_without_being_asked() -> None:
    async with room(capacity=2) as at:
        at.answer_with(slow)
        for number in range(1, 6):
            await at.inbox(values.message(number=number, where=values.target(str(number))))
        await at.clock.advance(1)
        assert len(at.backend.asked) == 2
        assert [answer.state for answer in at.store.answers].count(AnswerState.PLANNED) == 3
        await at.clock.advance(20)
        assert len(at.texts) == 5


async def test_a_question_that_waited_for_a_place_when_the_process_died_is_answered_afterwards() -> None:
    async with room(capacity=1) as at:
        at.answer_with(lambda _: [1000.0])
        for number in (1, 2):
            await at.inbox(values.message(f"question {number}", number=number, where=values.target(str(number))))
        await at.clock.advance(1)
    async with room(store=at.store, platform=at.platform) as after:
        await after.recovery.sweep()
        await after.clock.advance(1)
        assert "question 2" in [question.text for question in after.backend.asked]
        assert "You said: question 2" in after.texts


async def test_a_question_that_waits_for_a_place_may_be_edited_and_deleted() -> None:
    async with room(capacity=1) as at:
        at.answer_with(slow)
        events = [values.message(f"question {n}", number=n, where=values.target(str(n))) for n in (1, 2, 3)]
        for event in events:
            await at.inbox(event)
        await at.clock.advance(1)
        await at.inbox(edited(events[1], "question 2, better"))
        await at.inbox(deleted(3))
        await at.clock.advance(60)
        assert [question.text for question in at.backend.asked] == ["question 1", "question 2, better"]


async def test_a_flood_through_few_places_is_answered_whole_and_in_order() -> None:
    async with room(capacity=8) as at:
        at.answer_with(lambda question: [0.1, *say(question.text)])
        for number in range(300):
            thread = str(number % 15)
            await at.inbox(values.message(f"{thread}:{number}", number=number, where=values.target(thread)))
        await at.clock.advance(60)
        assert sorted(at.texts, key=lambda text: int(text.split(":")[1])) == [f"{n % 15}:{n}" for n in range(300)]
        for first in range(15):
            mine = [question.text for question in at.backend.asked if question.text.startswith(f"{first}:")]
            assert mine == [f"{first}:{number}" for number in range(first, 300, 15)]
