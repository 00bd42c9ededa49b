"""Questions that are edited or deleted while they wait or are being answered."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.errors import StoreUnavailable
from bridge.events import MessageReceived
from bridge.messages import Origin, StopReason
from bridge.routing import Resolution
from tests.core.hall import POLICY, Hall, hall
from tests.fakes import values
from tests.fakes.events import deleted, edited

FIRST, SECOND = values.message("first", number=1), values.message("second", number=2)


async def one_answered_one_waiting(at: Hall) -> None:
    at.turns.seconds = 60
    await at.tell(FIRST, SECOND)


async def test_a_waiting_question_is_asked_as_it_reads_when_its_turn_comes() -> None:
    async with hall() as at:
        await one_answered_one_waiting(at)
        await at.tell(edited(SECOND, "second, better", revision=1), edited(SECOND, "second, best", revision=2))
        await at.clock.advance(200)
        assert at.texts == ["first", "second, best"]
        assert at.turns.looked == []


async def test_the_newest_edit_counts_whichever_comes_last() -> None:
    async with hall() as at:
        await one_answered_one_waiting(at)
        await at.tell(edited(SECOND, "second, best", revision=2), edited(SECOND, "second, better", revision=1))
        await at.clock.advance(200)
        assert at.texts == ["first", "second, best"]


async def test_a_question_that_is_being_answered_is_asked_anew_in_the_same_message() -> None:
    async with hall() as at:
        await one_answered_one_waiting(at)
        await at.tell(edited(FIRST, "first, better"))
        await at.clock.advance(200)
        assert at.texts == ["first, better", "second"]
        assert at.turns.looked == [1]


async def test_edits_are_followed_as_far_as_the_operator_wants() -> None:
    async with hall() as at:
        at.inbox._policy = replace(POLICY, follow_edits_running=False)
        await one_answered_one_waiting(at)
        await at.tell(edited(FIRST, "first, better"), edited(SECOND, "second, better"))
        at.inbox._policy = replace(POLICY, follow_edits_waiting=False)
        await at.tell(edited(SECOND, "second, best", revision=2))
        await at.clock.advance(200)
        assert at.texts == ["first", "second, better"]


async def test_a_link_preview_is_no_edit() -> None:
    async with hall() as at:
        await one_answered_one_waiting(at)
        asked = len(at.store.conversations[0].questions)
        await at.tell(edited(FIRST))
        assert at.turns.looked == []
        assert len(at.store.conversations[0].questions) == asked, "and no question"


async def test_an_edit_of_a_question_that_is_answered_changes_nothing() -> None:
    async with hall() as at:
        await at.tell(FIRST)
        await at.tell(edited(FIRST, "first, better"))
        await at.another_inbox()(edited(FIRST, "first, even better", revision=2))
        await at.clock.advance(100)
        assert at.texts == ["first"]


async def test_a_deleted_question_that_waits_is_passed_over() -> None:
    async with hall() as at:
        await one_answered_one_waiting(at)
        await at.tell(values.message("third", number=3), deleted(2))
        await at.clock.advance(200)
        assert at.texts == ["first", "third"]
        assert at.turns.looked == []


async def test_deleting_the_question_that_is_being_answered_stops_it() -> None:
    async with hall() as at:
        await one_answered_one_waiting(at)
        await at.tell(deleted(1))
        await at.clock.advance(200)
        assert at.texts == ["stopped: first", "second"]
        assert at.store.answers[0].stop is StopReason.WITHDRAWN


async def test_deletions_are_not_followed_when_the_operator_does_not_want_it() -> None:
    async with hall() as at:
        at.inbox._policy = replace(POLICY, follow_deletions=False)
        await one_answered_one_waiting(at)
        await at.tell(deleted(1), deleted(2))
        await at.clock.advance(200)
        assert at.texts == ["first", "second"]


async def test_changes_that_could_not_be_recorded_are_not_acknowledged() -> None:
    async with hall() as at:
        await one_answered_one_waiting(at)
        for event in (edited(FIRST, "better"), deleted(2)):
            at.store.failures = 1
            with pytest.raises(StoreUnavailable):
                await at.inbox(event)


# Questions that become ones by an edit


def written(at: Hall, *, minutes_ago: float, **how: bool) -> MessageReceived:
    sent_at = at.clock.now() - timedelta(minutes=minutes_ago)
    return replace(values.message("Hello?", **how), sent_at=sent_at)  # type: ignore[arg-type]


async def test_a_mention_that_is_put_in_afterwards_makes_a_question() -> None:
    async with hall() as at:
        message = written(at, minutes_ago=9, mentions_bot=False)
        await at.tell(message)
        await at.tell(edited(replace(message, mentions_bot=True), "Hello, bot?"))
        await at.tell(edited(replace(message, mentions_bot=True), "Hello, dear bot?", revision=2))
        assert at.texts == ["Hello, bot?"]


async def test_an_old_message_does_not_become_a_question() -> None:
    async with hall() as at:
        await at.tell(edited(written(at, minutes_ago=11), "Hello, bot?"))
        assert at.texts == []


async def test_an_edit_of_what_others_say_in_a_known_thread_is_not_meant_for_the_bot() -> None:
    async with hall() as at:
        earlier = replace(written(at, minutes_ago=1, mentions_bot=False, in_thread=True), ref=values.ref("earlier"))
        await at.tell(values.message("What do they mean?"))
        await at.tell(edited(earlier, "a typo less"))
        assert at.texts == ["What do they mean?"]


async def test_bots_do_not_ask_by_editing() -> None:
    async with hall() as at:
        await at.tell(edited(replace(written(at, minutes_ago=1), origin=Origin.BOT)))
        assert at.texts == []


async def test_who_addresses_a_bot_that_does_not_answer_there_by_an_edit_is_told_so() -> None:
    async with hall() as at:
        at.resolution = Resolution(app=None)
        await at.tell(edited(written(at, minutes_ago=1)))
        assert len(at.notes) == 1


async def test_an_edit_that_arrives_before_its_question_is_what_is_asked() -> None:
    async with hall() as at:
        message = written(at, minutes_ago=0)
        await at.tell(edited(message, "better"), message)
        await at.clock.advance(100)
        assert at.texts == ["better"]


async def test_an_edit_that_crosses_its_own_question_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hall() as at:
        at.turns.seconds = 60
        message, elsewhere = written(at, minutes_ago=0), at.another_inbox()
        revise = at.store.revise

        async def crossed(*args: object, **named: object) -> object:
            change = await revise(*args, **named)  # type: ignore[arg-type]
            monkeypatch.undo()
            await elsewhere(message)
            return change

        monkeypatch.setattr(at.store, "revise", crossed)
        await at.tell(edited(message, "better"))
        await at.clock.advance(200)
        assert at.texts == ["better"]
