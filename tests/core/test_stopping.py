"""Stop, by word, reaction or button: recorded first, then whoever works on the answer is told."""

from collections.abc import Callable

import pytest

from bridge.errors import StoreUnavailable
from bridge.events import InboundEvent
from bridge.messages import AnswerState, ButtonAction, Origin, StopReason
from tests.core import doings
from tests.core.hall import Hall, hall
from tests.fakes import values
from tests.fakes.events import pressed


async def answering(at: Hall) -> None:
    """The first question is being answered, and takes its time."""
    at.turns.seconds = 60
    await at.tell(values.message("What is up?"))


def states(at: Hall) -> list[AnswerState]:
    return [answer.state for answer in at.store.answers]


def orders(at: Hall) -> list[StopReason | None]:
    return [answer.stop for answer in at.store.answers]


async def test_saying_stop_ends_what_is_being_answered_and_is_no_question() -> None:
    async with hall() as at:
        await answering(at)
        await at.tell(values.message("Stop!", number=2, in_thread=True, mentions_bot=False))
        assert at.texts == ["stopped: What is up?"]
        assert orders(at) == [StopReason.MEMBER]


async def test_stop_in_another_thread_ends_nothing_here() -> None:
    async with hall() as at:
        await answering(at)
        await at.tell(values.message("stop", number=2, where=values.target("other")))
        await at.clock.advance(100)
        assert sorted(at.texts) == ["What is up?", "stop"]


async def test_stop_in_a_reply_ends_the_conversation_it_replies_to() -> None:
    async with hall() as at:
        await answering(at)
        reply = values.message(
            "stop", number=2, where=values.target("other"), reply_to=values.ref(at.answers[0]), replies_to_bot=True
        )
        await at.tell(reply)
        assert at.texts == ["stopped: What is up?"]


async def test_where_nothing_runs_stop_is_a_question() -> None:
    async with hall() as at:
        await at.tell(values.message("What is up?"))
        await at.tell(values.message("stop", number=2))
        await at.clock.advance(1)
        assert at.texts == ["What is up?", "stop"]


@pytest.mark.parametrize("remembered", [True, False])
async def test_the_second_delivery_of_a_stop_ends_nothing_else(remembered: bool) -> None:
    async with hall() as at:
        await answering(at)
        await at.tell(values.message("and then?", number=2), values.message("stop", number=3, event="mention"))
        assert orders(at) == [StopReason.MEMBER, None], "the next one is being answered by now"
        inbox = at.inbox if remembered else at.another_inbox()
        await inbox(values.message("stop", number=3, event="message"))
        await at.clock.advance(100)
        assert at.texts == ["stopped: What is up?", "and then?"]


async def test_the_second_delivery_of_a_stop_is_known_without_asking_the_store() -> None:
    async with hall() as at:
        await answering(at)
        await at.tell(values.message("stop", number=2, event="mention"))
        at.store.failures = 1
        await at.inbox(values.message("stop", number=2, event="message"))
        assert at.store.failures == 1
        at.store.failures = 0


async def test_the_second_delivery_of_a_stop_that_was_a_question_does_not_end_itself() -> None:
    async with hall() as at:
        at.turns.seconds = 60
        await at.tell(values.message("stop", event="mention"))
        await at.another_inbox()(values.message("stop", event="message"))
        await at.clock.advance(100)
        assert at.texts == ["stop"]


def by_reaction(address: str) -> InboundEvent:
    return values.reaction(address, "🛑")


def by_button(address: str) -> InboundEvent:
    return pressed(ButtonAction.STOP, address)


@pytest.mark.parametrize("order", [by_reaction, by_button])
async def test_a_reaction_or_a_button_ends_the_answer_it_stands_under(order: Callable[[str], InboundEvent]) -> None:
    async with hall() as at:
        await answering(at)
        await at.tell(order(at.answers[0]))
        assert at.texts == ["stopped: What is up?"]


@pytest.mark.parametrize("order", [by_reaction, by_button])
async def test_an_order_under_an_answer_that_has_ended_does_not_end_the_next_one(
    order: Callable[[str], InboundEvent],
) -> None:
    async with hall() as at:
        await at.tell(values.message("What is up?"))
        at.turns.seconds = 60
        await at.tell(values.message("and then?", number=2))
        await at.tell(order(at.answers[0]))
        await at.clock.advance(100)
        assert at.texts == ["What is up?", "and then?"]
        assert at.turns.looked == []


@pytest.mark.parametrize("order", [by_reaction, by_button])
async def test_an_order_under_a_message_that_is_none_of_ours_does_nothing(order: Callable[[str], InboundEvent]) -> None:
    async with hall() as at:
        await answering(at)
        await at.tell(order("somebody else's"))
        assert orders(at) == [None]


async def test_bots_and_reactions_that_are_taken_away_end_nothing() -> None:
    async with hall() as at:
        await answering(at)
        await at.tell(
            values.reaction(at.answers[0], "🛑", origin=Origin.BOT), values.reaction(at.answers[0], "🛑", added=False)
        )
        assert orders(at) == [None]


async def test_a_stop_that_could_not_be_recorded_is_not_acknowledged_and_works_when_it_comes_again() -> None:
    async with hall() as at:
        await answering(at)
        for event in (by_reaction(at.answers[0]), values.message("stop", number=2)):
            at.store.failures = 1
            with pytest.raises(StoreUnavailable):
                await at.inbox(event)
        assert orders(at) == [None]
        await at.tell(by_reaction(at.answers[0]))
        assert at.texts == ["stopped: What is up?"]


async def test_a_stop_whose_first_delivery_was_given_up_half_way_is_told_on_by_the_second() -> None:
    async with hall() as at:
        await answering(at)
        event = values.message("stop", number=2)
        # Recorded, and then its delivery was cancelled before anybody was told.
        await at.store.request_stop(event.event_id, at.turns.answered[0].conversation_id, by=event.ref)
        await at.tell(event)
        assert at.texts == ["stopped: What is up?"]


async def test_what_waits_behind_a_stopped_answer_is_answered() -> None:
    async with hall() as at:
        await answering(at)
        await at.tell(values.message("and then?", number=2), by_button(at.answers[0]))
        await at.clock.advance(100)
        assert at.texts == ["stopped: What is up?", "and then?"]
        assert states(at) == [AnswerState.STOPPED, AnswerState.DONE]


async def test_who_says_stop_where_only_they_read_is_told_that_it_was_heard() -> None:
    async with hall() as at:
        at.turns.seconds = 60
        await at.tell(values.message("What is up?"))
        await at.tell(doings.privately(values.message("stop", number=2)))
        assert at.texts == ["stopped: What is up?", "Stopped."]
