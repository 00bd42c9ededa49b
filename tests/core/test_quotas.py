"""So many questions in a while: one more is not taken, and whoever asked it knows when to come back."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.events import MessageReceived
from bridge.messages import ButtonAction
from bridge.quotas import LONGEST, MOST, Quota, Quotas, in_words, read_quota
from bridge.routing import Guests
from tests.core import doings
from tests.core.hall import Hall, hall
from tests.fakes import values
from tests.fakes.events import edited, pressed
from tests.fakes.platform import FAKE

TWO = Quota(most=2, window=timedelta(minutes=10))
MINE, OURS = Quotas(per_person=TWO), Quotas(per_channel=TWO)
ASKED_ENOUGH = "You have asked 2 questions in 10 minutes, which is as much as I take from one person. "
ENOUGH_HERE = "I take at most 2 questions in 10 minutes in this channel. "


def question(number: int, who: str = "ada", *, private: bool = True) -> MessageReceived:
    """Each in a thread of its own."""
    asked = values.message(f"Question {number}", number=number, where=values.target(str(number)))
    asked = doings.by(asked, values.person(who))
    return doings.privately(asked) if private else asked


def set_quotas(at: Hall, quotas: Quotas) -> None:
    at.resolution = replace(at.resolution, quotas=quotas)


async def test_one_more_is_refused_with_the_time_when_the_next_one_is_taken() -> None:
    async with hall() as at:
        set_quotas(at, MINE)
        await at.tell(question(1))
        await at.clock.advance(120)
        await at.tell(question(2), question(3))
        assert [turn.question.text for turn in at.turns.answered] == ["Question 1", "Question 2"]
        assert at.notes == [f"{ASKED_ENOUGH}You can ask again in 8 minutes."]
        assert list(at.platform.messages.values())[-1].target.private
        assert at.metrics.read("bridge_questions_total", platform=FAKE, result="refused") == 1


async def test_then_it_is_taken() -> None:
    async with hall() as at:
        set_quotas(at, MINE)
        await at.tell(question(1), question(2), question(3))
        await at.clock.advance(601)
        await at.tell(question(4))
        assert len(at.turns.answered) == 3


async def test_a_refusal_that_others_read_is_said_once_until_the_time_is_up() -> None:
    async with hall() as at:
        set_quotas(at, MINE)
        await at.tell(*(question(number, private=False) for number in range(1, 6)))
        await at.clock.advance(300)
        await at.tell(question(6, private=False))
        await at.clock.advance(60)
        assert at.notes == [f"{ASKED_ENOUGH}You can ask again in 10 minutes."]
        await at.clock.advance(300)
        await at.tell(*(question(number, private=False) for number in (7, 8, 9)))
        assert len(at.notes) == 2


async def test_in_private_each_is_told() -> None:
    async with hall() as at:
        set_quotas(at, MINE)
        await at.tell(*(question(number) for number in range(1, 5)))
        assert len(at.notes) == 2


async def test_a_channel_takes_so_many_of_everybody_together() -> None:
    async with hall() as at:
        set_quotas(at, OURS)
        await at.tell(question(1, "ada"), question(2, "grace"), question(3, "linus", private=False))
        assert len(at.turns.answered) == 2
        assert at.notes == [f"{ENOUGH_HERE}You can ask again in 10 minutes."]


async def test_what_was_refused_is_not_asked_by_a_second_delivery_an_edit_or_another_process() -> None:
    async with hall() as at:
        set_quotas(at, MINE)
        refused = question(3)
        await at.tell(question(1), question(2), refused, refused)
        at.inbox = at.another_inbox()
        await at.clock.advance(601)
        await at.tell(refused, edited(refused, "Otherwise", sent_at=at.clock.now()))
        assert len(at.turns.answered) == 2
        assert len(at.notes) == 1


async def test_a_restart_does_not_reset_the_count() -> None:
    async with hall() as at:
        set_quotas(at, MINE)
        await at.tell(question(1), question(2))
        at.inbox = at.another_inbox()
        await at.tell(question(3))
        assert len(at.turns.answered) == 2


async def test_edits_and_retries_do_not_count() -> None:
    async with hall() as at:
        set_quotas(at, MINE)
        at.turns.fails = 1
        at.turns.seconds = 5
        first = question(1)
        await at.tell(first)
        await at.tell(edited(first, "Otherwise"))
        await at.clock.advance(20)
        await at.tell(pressed(ButtonAction.RETRY, at.answers[0]))
        await at.clock.advance(20)
        await at.tell(question(2))
        assert [turn.question.text for turn in at.turns.answered] == ["Question 1", "Otherwise", "Question 2"]


async def test_bots_count_and_are_not_told() -> None:
    async with hall() as at:
        set_quotas(at, OURS)
        at.resolution = replace(at.resolution, guests=Guests(bots=frozenset({values.person("B1").id})))
        await at.tell(*(doings.by_bot(question(number)) for number in (1, 2, 3)))
        assert len(at.turns.answered) == 2
        assert at.notes == []
        await at.tell(question(4))
        assert at.notes == [f"{ENOUGH_HERE}You can ask again in 10 minutes."]


async def test_orders_are_no_questions() -> None:
    async with hall() as at:
        set_quotas(at, MINE)
        await at.tell(question(1), question(2), replace(question(3), text="/help"))
        assert len(at.notes) == 1
        assert ASKED_ENOUGH not in at.notes[0]


# How it is written


@pytest.mark.parametrize(
    ("written", "most", "window"),
    [
        ("20/10m", 20, timedelta(minutes=10)),
        (" 1 / 30 S ", 1, timedelta(seconds=30)),
        ("100/1d", 100, timedelta(days=1)),
        ("5/h", 5, timedelta(hours=1)),
    ],
)
def test_a_quota_is_so_many_questions_in_a_while(written: str, most: int, window: timedelta) -> None:
    assert read_quota(written) == Quota(most=most, window=window)


@pytest.mark.parametrize(
    "written", ["", "20", "20/", "/10m", "0/10m", "20/0m", "20/10", "20/10w", "99999/1m", "1/8d", "-1/1m", "1.5/1m"]
)
def test_anything_else_is_none(written: str) -> None:
    with pytest.raises(ValueError, match="20/10m"):
        read_quota(written)


@given(st.integers(1, MOST), st.integers(1, int(LONGEST.total_seconds())))
def test_a_quota_that_is_written_out_reads_the_same(most: int, seconds: int) -> None:
    quota = Quota(most=most, window=timedelta(seconds=seconds))
    if len(str(quota).partition("/")[2]) <= 6:
        assert read_quota(str(quota)) == quota


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "1 second"),
        (0.2, "1 second"),
        (1, "1 second"),
        (59, "59 seconds"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (180, "3 minutes"),
        (7200, "120 minutes"),
        (7201, "3 hours"),
        (86_400, "24 hours"),
        (200_000, "3 days"),
    ],
)
def test_a_while_is_said_so_that_nobody_comes_too_early(seconds: float, words: str) -> None:
    assert in_words(timedelta(seconds=seconds)) == words
