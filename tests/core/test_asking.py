"""Asking as a member sees it: waiting in line, trying again, stopping, editing, pressing Try again, and being handed over."""

import asyncio
from datetime import timedelta

import pytest

from bridge.asking import AskLimits
from bridge.errors import (
    BackendBusy,
    BackendCut,
    BackendError,
    BackendFailed,
    BackendUnreachable,
    ConversationMissing,
    StoreUnavailable,
)
from bridge.messages import AnswerState, AskedQuestion, BackendConversationId, Button, ButtonAction, EventId, Turn
from bridge.routing import AppPolicy
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import fail_after_start, say
from tests.fakes.clock import FakeClock
from tests.fakes.events import deleted, edited, pressed
from tests.fakes.platform import FakePlatform

HALF = [*say("Half an answer"), 1000.0]


def history(at: Room, number: int = 0) -> list[str]:
    return [text for _, text in list(at.platform.messages.values())[number].history]


def address(at: Room, number: int = 0) -> str:
    return list(at.platform.messages)[number]


def buttons(at: Room, number: int = 0) -> list[ButtonAction]:
    return [button.action for button in list(at.platform.messages.values())[number].buttons]


def with_buttons() -> FakePlatform:
    return FakePlatform(FakeClock(), buttons=True)


# Waiting


async def test_who_waits_longer_is_told_the_place_in_line_and_then_answered_in_the_same_message() -> None:
    async with room(capacity=1) as at:
        at.answer_with(lambda question: [20.0, *say(f"About {question.text}")])
        for number in (1, 2, 3):
            await at.inbox(values.message(f"{number}", number=number, where=values.target(str(number))))
        await at.clock.advance(10)
        assert at.turns.queued(values.APP) == 2
        assert at.texts == [
            "⏳ The app is busy. You are number 1 in line.",
            "⏳ The app is busy. You are number 2 in line.",
        ]
        await at.clock.advance(12)
        assert history(at, 1)[-1] == "⏳ The app is busy. You are number 1 in line."
        await at.clock.advance(100)
        assert sorted(at.texts) == ["About 1", "About 2", "About 3"]


async def test_who_waits_shortly_is_told_nothing() -> None:
    async with room(capacity=1) as at:
        at.answer_with(lambda question: [2.0, *say(question.text)])
        for number in (1, 2):
            await at.inbox(values.message(f"{number}", number=number, where=values.target(str(number))))
        await at.clock.advance(30)
        assert history(at, 0) == ["1"]
        assert history(at, 1) == ["2"]


async def test_a_place_goes_to_who_came_first() -> None:
    async with room(capacity=1) as at:
        at.answer_with(lambda question: [5.0, *say(question.text)])
        for number in range(1, 6):
            await at.inbox(values.message(f"{number}", number=number, where=values.target(str(number))))
        await at.clock.advance(60)
        assert [question.text for question in at.backend.asked] == ["1", "2", "3", "4", "5"]
        assert at.backend.most_at_once == 1


@pytest.mark.parametrize("error", [BackendBusy("429"), BackendUnreachable("refused")])
async def test_what_was_not_taken_is_tried_again_and_the_member_is_told(error: BackendError) -> None:
    async with room() as at:
        at.backend.errors["What is up?"] = [error, error, error]
        await at.inbox(values.message())
        await at.clock.advance(30)
        assert at.texts == ["You said: What is up?"]
        assert history(at)[0].startswith("⏳ The app")
        assert history(at)[0].endswith("I keep trying.")
        assert at.store.answers[0].attempt == 1, "what was not taken does not count as asked"


async def test_a_backend_that_says_how_long_is_not_asked_before() -> None:
    async with room() as at:
        at.backend.errors["What is up?"] = [BackendBusy("429", retry_after=timedelta(seconds=25))]
        await at.inbox(values.message())
        await at.clock.advance(24)
        assert len(at.backend.asked) == 1
        await at.clock.advance(5)
        assert at.texts == ["You said: What is up?"]


async def test_a_backend_that_wants_longer_than_anybody_waits_is_told_at_once() -> None:
    async with room() as at:
        at.backend.errors["What is up?"] = [BackendBusy("429", retry_after=timedelta(seconds=600))]
        await at.inbox(values.message())
        await at.clock.advance(2)
        assert "too many questions" in at.texts[0]


async def test_nobody_waits_for_ever() -> None:
    async with room(ask=AskLimits(busy=timedelta(seconds=20))) as at:
        at.backend.down = True
        await at.inbox(values.message())
        await at.clock.advance(30)
        assert "cannot be reached" in at.texts[0]
        assert "⏳" not in at.texts[0]
        assert at.store.answers[0].state is AnswerState.FAILED


async def test_what_may_have_been_taken_is_never_asked_again_by_itself() -> None:
    taken = BackendBusy("429 in the stream")
    taken.accepted = True
    async with room() as at:
        at.answer_with(lambda _: fail_after_start(taken))
        await at.inbox(values.message())
        await at.clock.advance(120)
        assert len(at.backend.asked) == 1


# Stopping


async def test_stop_reaches_the_backend_with_the_turns_own_user_and_keeps_what_there_is() -> None:
    async with room(platform=with_buttons()) as at:
        at.answer_with(lambda _: HALF)
        await at.inbox(values.message())
        await at.clock.advance(3)
        assert buttons(at) == [ButtonAction.STOP]
        await at.inbox(pressed(ButtonAction.STOP, address(at)))
        await at.clock.advance(5)
        assert at.texts == ["Half an answer\n\n(Stopped.)"]
        assert at.backend.stopped_by == ["fake:team:general:1"]
        assert at.backend.running == 0
        assert at.store.answers[0].state is AnswerState.STOPPED
        assert buttons(at) == [ButtonAction.RETRY]


async def test_a_stop_that_the_backend_does_not_follow_cuts_the_stream_after_a_while() -> None:
    async with room(ask=AskLimits(stop=timedelta(seconds=4))) as at:
        at.backend.hears_stop = False
        at.answer_with(lambda _: HALF)
        await at.inbox(values.message())
        await at.clock.advance(3)
        await at.inbox(values.message("stop", number=2))
        await at.clock.advance(3)
        assert "Stopped" not in at.texts[0]
        await at.clock.advance(3)
        assert at.texts[0].startswith("Half an answer\n\n(Stopped.)")
        assert at.backend.abandoned == 1


async def test_a_stop_that_the_backend_refuses_still_ends_the_answer() -> None:
    async with room() as at:
        at.backend.stop_errors = [BackendFailed("503")]
        at.answer_with(lambda _: HALF)
        await at.inbox(values.message())
        await at.clock.advance(3)
        await at.inbox(values.message("stop", number=2))
        await at.clock.advance(3)
        assert at.texts[0].startswith("Half an answer\n\n(Stopped.)")


async def test_a_question_that_is_stopped_while_it_waits_is_never_asked() -> None:
    async with room(capacity=1) as at:
        at.answer_with(lambda question: [20.0, *say(question.text)])
        await at.inbox(values.message("one", number=1, where=values.target("1")))
        await at.inbox(values.message("two", number=2, where=values.target("2")))
        await at.clock.advance(5)
        await at.inbox(values.message("stop", number=3, where=values.target("2")))
        await at.clock.advance(60)
        assert at.backend.times_asked() == {"one": 1}
        assert any(text.startswith("(Stopped.)") for text in at.texts)


async def test_a_stopped_question_is_not_asked_again_after_a_restart() -> None:
    async with room() as at:
        at.answer_with(lambda _: HALF)
        await at.inbox(values.message())
        await at.clock.advance(3)
        answer = at.store.answers[0]
        await at.store.request_stop(EventId("stop"), answer.turn.conversation_id)
    async with room(store=at.store, platform=at.platform) as after:
        await after.recovery.start()
        await after.clock.advance(60)
        assert after.backend.asked == []
        assert [ids.task for ids in after.backend.stopped] == ["t1"]
        assert after.texts[0].startswith("Half an answer\n\n(Stopped.)")


async def test_stopped_while_it_is_asked_once_more_the_text_from_before_the_restart_stays() -> None:
    async with room() as at:
        at.answer_with(lambda _: HALF)
        await at.inbox(values.message())
        await at.clock.advance(3)
    async with room(store=at.store, platform=at.platform) as after:
        after.answer_with(lambda _: [1000.0])
        await after.recovery.start()
        await after.clock.advance(5)
        await after.inbox(values.message("stop", number=2))
        await after.clock.advance(20)
        assert after.texts[0].startswith("Half an answer\n\n(Stopped.)")


async def test_deleting_the_question_stops_its_answer_and_offers_nothing() -> None:
    async with room(platform=with_buttons()) as at:
        at.answer_with(lambda _: HALF)
        await at.inbox(values.message())
        await at.clock.advance(3)
        await at.inbox(deleted(1))
        await at.clock.advance(3)
        assert at.texts == ["Half an answer\n\n(The question was deleted, so I stopped.)"]
        assert buttons(at) == []
        assert len(at.backend.stopped) == 1


# Editing


async def test_an_edited_question_is_asked_anew_in_the_same_message() -> None:
    async with room() as at:
        at.answer_with(lambda question: HALF if question.text == "Wrong" else [3.0, *say(f"About {question.text}")])
        await at.inbox(values.message("Wrong"))
        await at.clock.advance(3)
        await at.inbox(edited(values.message("Right")))
        await at.clock.advance(9)
        assert at.texts == ["About Right"]
        assert at.backend.times_asked() == {"Wrong": 1, "Right": 1}
        assert len(at.backend.stopped) == 1
        assert at.backend.asked[1].conversation is None, "the wrong question is no part of what it knows"
        assert "⏳ The question was changed. I am asking again…" in history(at)
        assert at.store.answers[0].state is AnswerState.DONE


async def test_an_edit_in_a_later_turn_keeps_the_conversation() -> None:
    async with room() as at:
        await at.inbox(values.message("First", number=1))
        await at.clock.advance(3)
        at.answer_with(lambda question: HALF if question.text == "Wrong" else say(f"About {question.text}"))
        await at.inbox(values.message("Wrong", number=2))
        await at.clock.advance(3)
        await at.inbox(edited(values.message("Right", number=2)))
        await at.clock.advance(5)
        assert at.texts[1] == "About Right"
        assert at.backend.asked[2].conversation == "c1"


async def test_two_quick_edits_end_with_the_last() -> None:
    async with room() as at:
        at.answer_with(lambda question: HALF if question.text != "Three" else say("About three"))
        await at.inbox(values.message("One"))
        await at.clock.advance(3)
        await at.inbox(edited(values.message("Two"), revision=1))
        await at.inbox(edited(values.message("Three"), revision=2))
        await at.clock.advance(5)
        assert at.texts == ["About three"]


async def test_an_edit_that_came_just_before_the_kill_is_what_is_asked_afterwards() -> None:
    async with room() as at:
        at.answer_with(lambda _: HALF)
        await at.inbox(values.message("Wrong"))
        await at.clock.advance(3)
    await at.store.revise(edited(values.message("Right")).event_id, values.question("Right"), revision=1, running=True)
    async with room(store=at.store, platform=at.platform) as after:
        await after.recovery.start()
        await after.clock.advance(60)
        assert after.texts == ["You said: Right"]
        assert after.backend.looks == [], "what was asked is not wanted any more"


# Trying again


async def test_a_failed_answer_offers_to_try_again_and_the_new_answer_stands_in_its_place() -> None:
    async with room(platform=with_buttons()) as at:
        at.answer_with(lambda _: [*say("Half"), BackendFailed("boom")])
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert buttons(at) == [ButtonAction.RETRY]
        assert next(iter(at.platform.messages.values())).buttons == (
            Button(action=ButtonAction.RETRY, label="Try again"),
        )
        at.answer_with(lambda _: [3.0, *say("All of it")])
        await at.inbox(pressed(ButtonAction.RETRY, address(at)))
        await at.clock.advance(2)
        assert at.texts == ["⏳ Trying again…"]
        await at.clock.advance(10)
        assert at.texts == ["All of it"]
        assert buttons(at) == []
        assert at.backend.times_asked() == {"What is up?": 2}


async def test_pressing_twice_asks_once() -> None:
    async with room(platform=with_buttons()) as at:
        at.backend.errors["What is up?"] = [BackendFailed("boom")]
        await at.inbox(values.message())
        await at.clock.advance(5)
        for event in ("first", "second"):
            await at.inbox(pressed(ButtonAction.RETRY, address(at), event=event))
        await at.clock.advance(10)
        assert at.texts == ["You said: What is up?"]
        assert len(at.backend.asked) == 2


async def test_where_there_are_no_buttons_a_reaction_does_it_and_is_told_of() -> None:
    async with room() as at:
        at.backend.errors["What is up?"] = [BackendFailed("boom")]
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert at.texts[0].endswith("(React with 🔁 to try again.)")
        await at.inbox(values.reaction(address(at), "🔁"))
        await at.clock.advance(5)
        assert at.texts == ["You said: What is up?"]


async def test_an_answer_that_ended_well_offers_nothing() -> None:
    async with room(platform=with_buttons()) as at:
        at.answer_with(lambda _: say("a", "b", "c", pause=2.0))
        await at.inbox(values.message())
        await at.clock.advance(20)
        assert buttons(at) == []


async def test_only_the_last_message_of_a_growing_answer_can_be_stopped() -> None:
    platform = FakePlatform(FakeClock(), max_text=200, buttons=True)
    async with room(platform=platform) as at:
        at.answer_with(lambda _: [*say(*(f"Sentence number {n} of many. " for n in range(40)), pause=0.5), 100.0])
        await at.inbox(values.message())
        await at.clock.advance(15)
        assert len(at.texts) > 2
        assert [buttons(at, number) for number in range(len(at.texts))] == [
            *[[]] * (len(at.texts) - 1),
            [ButtonAction.STOP],
        ]


# Healing


async def test_a_forgotten_conversation_is_begun_anew_with_what_was_said_if_the_operator_wants_it() -> None:
    async with room(app=AppPolicy(name=values.APP, context_turns=2)) as at:
        for number in (1, 2, 3):
            await at.inbox(values.message(f"Question {number}", number=number))
            await at.clock.advance(3)
        at.backend.missing.add(BackendConversationId("c1"))
        await at.inbox(values.message("And now?", number=4))
        await at.clock.advance(3)
        asked = at.backend.asked[-1]
        assert asked.conversation is None
        assert asked.text == (
            "Earlier in this conversation:\n\n"
            "Question: Question 2\nAnswer: You said: Question 2\n\n"
            "Question: Question 3\nAnswer: You said: Question 3\n\n"
            "Now the question is:\n\nAnd now?"
        )
        assert at.texts[3].endswith("(The app no longer remembered this conversation, so this starts a new one.)")


async def test_a_conversation_in_which_an_answer_broke_off_is_left_when_it_fails_the_next_one() -> None:
    async with room() as at:
        await at.inbox(values.message("First", number=1))
        await at.clock.advance(3)
        at.answer_with(lambda _: [*say("Half"), BackendCut("eof")])
        await at.inbox(values.message("Second", number=2))
        await at.clock.advance(3)
        at.answer_with(lambda question: say(f"You said: {question.text}"))
        at.backend.poisoned.add(BackendConversationId("c1"))
        await at.inbox(values.message("Third", number=3))
        await at.clock.advance(3)
        assert at.texts[2].startswith("You said: Third")
        assert "so this starts a new one" in at.texts[2]


async def test_it_is_begun_anew_only_once() -> None:
    async with room() as at:
        await at.inbox(values.message(number=1))
        await at.clock.advance(3)
        at.backend.errors["Again?"] = [ConversationMissing("gone"), ConversationMissing("gone")]
        await at.inbox(values.message("Again?", number=2))
        await at.clock.advance(3)
        assert len(at.backend.asked) == 3
        assert "⚠️" in at.texts[1]


# Going


async def test_what_was_not_asked_yet_is_handed_over_at_once_when_the_bridge_closes() -> None:
    async with room(capacity=1) as at:
        at.answer_with(lambda question: [20.0, *say(question.text)])
        for number in (1, 2):
            await at.inbox(values.message(f"{number}", number=number, where=values.target(str(number))))
        await at.clock.advance(1)
        at.conversations.close()
        at.turns.close()
        draining = asyncio.ensure_future(at.dispatcher.drain(timedelta(seconds=60)))
        await at.clock.advance(30)
        assert draining.done()
        assert draining.result(), "the one that was asked had its time"
        assert at.texts == ["1"]
    async with room(store=at.store, platform=at.platform) as after:
        await after.recovery.start()
        await after.clock.advance(60)
        assert after.texts == ["1", "You said: 2"]


async def test_what_outlasts_the_grace_is_left_as_it_stands_and_goes_on_elsewhere() -> None:
    async with room() as at:
        at.answer_with(lambda _: HALF)
        await at.inbox(values.message())
        await at.clock.advance(5)
        at.conversations.close()
        at.turns.close()
        at.turns.hand_over()
        await at.clock.advance(1)
        assert at.backend.stopped == [], "a stopped answer could be taken for a whole one"
        assert at.texts == ["Half an answer"]
        assert at.store.answers[0].state is AnswerState.STREAMING
        assert at.metrics.read("bridge_turns_total", app="default", platform="fake", ending="handed_over") == 1
    async with room(store=at.store, platform=at.platform) as after:
        await after.recovery.start()
        await after.clock.advance(60)
        assert after.texts == ["You said: What is up?"]


async def test_a_question_that_cannot_be_recorded_as_asked_is_not_asked_and_not_lost() -> None:
    async with room() as at:
        record_asked = at.store.record_asked
        at.store.record_asked = unavailable  # type: ignore[method-assign]
        await at.inbox(values.message())
        await at.clock.advance(60)
        assert at.backend.asked == []
        at.store.record_asked = record_asked  # type: ignore[method-assign]
        await at.recovery.sweep()
        await at.clock.advance(5)
        assert at.texts == ["You said: What is up?"]


async def unavailable(turn: Turn, attempt: int) -> AskedQuestion:
    raise StoreUnavailable("locked")
