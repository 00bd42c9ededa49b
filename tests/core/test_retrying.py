"""Retry, by button or reaction: the same question once more, however often it is pressed."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.errors import StoreUnavailable
from bridge.events import InboundEvent
from bridge.messages import AnswerState, ButtonAction
from bridge.routing import AppPolicy
from tests.core.hall import Hall, hall
from tests.fakes import values
from tests.fakes.events import pressed
from tests.fakes.platform import FAKE

FORGOTTEN = "I no longer have that question. Please ask it again."

Order = Callable[[str], InboundEvent]


def by_reaction(address: str) -> InboundEvent:
    return values.reaction(address, "🔁")


def by_button(address: str) -> InboundEvent:
    return pressed(ButtonAction.RETRY, address)


async def failed(at: Hall) -> str:
    """The first question was not answered. Returns the address of the message that says so."""
    at.turns.fails = 1
    await at.tell(values.message("What is up?"))
    return at.answers[0]


@pytest.mark.parametrize("order", [by_reaction, by_button])
async def test_a_failed_question_is_asked_again_once_however_often_that_is_wanted(order: Order) -> None:
    async with hall() as at:
        address = await failed(at)
        await at.tell(order(address))
        await at.tell(order(address), pressed(ButtonAction.RETRY, address, event="somebody else"))
        await at.clock.advance(100)
        assert [turn.question.text for turn in at.turns.answered] == ["What is up?"] * 2
        assert at.metrics.read("bridge_retries_total", platform=FAKE) == 1


async def test_a_press_that_is_faster_than_the_record_of_its_message_is_taken_all_the_same() -> None:
    async with hall() as at:
        address = await failed(at)
        record, at.store.answers[0].parts = at.store.answers[0].parts, {}
        pressing = asyncio.ensure_future(at.inbox(by_button(address)))
        await at.clock.advance(0.2)
        assert not pressing.done()
        at.store.answers[0].parts = record
        await at.clock.advance(1)
        await pressing
        assert len(at.turns.answered) == 2


async def test_a_retry_is_taken_however_much_waits() -> None:
    async with hall(AppPolicy(name=values.APP, most_waiting=0)) as at:
        address = await failed(at)
        at.queued = 10**6
        await at.tell(by_button(address))
        assert len(at.turns.answered) == 2
        assert at.notes == []


@pytest.mark.parametrize("order", [by_reaction, by_button])
async def test_an_answer_that_went_well_is_not_asked_for_again(order: Order) -> None:
    async with hall() as at:
        await at.tell(values.message())
        await at.tell(order(at.answers[0]), order("somebody else's"))
        assert len(at.turns.answered) == 1
        assert at.notes == []


async def test_who_retries_a_question_that_is_forgotten_is_told_so_in_its_place() -> None:
    async with hall() as at:
        address = await failed(at)
        # Its conversation went on elsewhere meanwhile, so that the place is still known.
        await at.store.move_to(at.turns.answered[0], values.target("thread"))
        await at.store.blank_payloads(at.clock.now() + timedelta(days=1))
        await at.tell(by_button(address))
        assert at.notes == [FORGOTTEN]
        assert [one.target for one in at.platform.messages.values()][-1] == values.target("thread")


async def test_where_nobody_knows_the_place_any_more_a_forgotten_question_is_left_at_that() -> None:
    async with hall() as at:
        address = await failed(at)
        await at.store.blank_payloads(at.clock.now() + timedelta(days=1))
        await at.tell(by_button(address))
        assert at.notes == []


async def test_a_retry_that_could_not_be_recorded_is_not_acknowledged_and_works_when_it_comes_again() -> None:
    async with hall() as at:
        address = await failed(at)
        at.store.failures = 1
        with pytest.raises(StoreUnavailable):
            await at.inbox(by_button(address))
        await at.tell(by_button(address))
        assert [answer.state for answer in at.store.answers] == [AnswerState.FAILED, AnswerState.DONE]


async def test_a_retry_whose_first_delivery_was_given_up_half_way_is_begun_by_the_second() -> None:
    async with hall() as at:
        address = await failed(at)
        event = by_button(address)
        await at.store.retry(event.event_id, values.ref(address))
        await at.tell(event)
        assert len(at.turns.answered) == 2
