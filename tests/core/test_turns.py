"""One question: asked, answered, recorded, and always ended in words that a member understands."""

import asyncio
import re

import pytest

from bridge.backend_api import AnswerCompleted, Progress, TextDelta
from bridge.errors import (
    BackendBusy,
    BackendCut,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendPaused,
    BackendTimeout,
    BackendUnreachable,
    ConversationMissing,
    MessageGone,
    NotAllowed,
    PlatformUnavailable,
    QuestionRefused,
)
from bridge.messages import AnswerState, Attachment, Step
from tests.core.room import room
from tests.fakes import values
from tests.fakes.backend import say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform, ThreadingPlatform

REFERENCE = re.compile(r"\(Reference [0-9A-F]{6}\)")


async def test_a_question_is_asked_with_the_threads_own_user_and_answered_in_place() -> None:
    async with room() as at:
        await at.inbox(values.message("Why is the sky blue?"))
        await at.clock.advance(1)
        [asked] = at.backend.asked
        assert (asked.text, asked.user, asked.conversation) == ("Why is the sky blue?", "fake:team:general:1", None)
        assert at.texts == ["You said: Why is the sky blue?"]
        assert at.store.answers[0].state is AnswerState.DONE


async def test_an_answer_may_mention_whom_the_question_named_and_nobody_else() -> None:
    async with room(platform=FakePlatform(FakeClock(), max_text=200)) as at:
        at.answer_with(lambda asked: [*say("one "), 2.0, *say("two " * (100 if "Grace" in asked.text else 1))])
        await at.inbox(values.message("Ask @Grace", named=(values.GRACE,)))
        await at.inbox(values.message("And you?", number=2))
        await at.clock.advance(20)
        *first, second = at.platform.messages.values()
        assert len(first) > 1, "further messages"
        assert len(first[0].people) > 1, "edits"
        assert all(people == {"grace": "Grace"} for shown in first for people in shown.people)
        assert not any(second.people)


async def test_in_a_direct_message_the_user_is_the_person() -> None:
    async with room() as at:
        where = values.target("", channel="dm", person="ada")
        await at.inbox(values.message(where=where, is_direct=True, mentions_bot=False))
        await at.clock.advance(1)
        assert at.backend.asked[0].user == "fake:team:ada"


async def test_the_next_question_continues_the_backends_conversation() -> None:
    async with room() as at:
        await at.inbox(values.message(number=1))
        await at.clock.advance(1)
        await at.inbox(values.message(number=2, mentions_bot=False, in_thread=True))
        await at.clock.advance(1)
        assert [question.conversation for question in at.backend.asked] == [None, "c1"]


async def test_the_ids_are_recorded_with_the_first_event() -> None:
    async with room() as at:
        at.answer_with(lambda _: [30.0, *say("late")])
        await at.inbox(values.message())
        await at.clock.advance(1)
        answer = at.store.answers[0]
        assert (answer.state, answer.ids.message, answer.ids.task) == (AnswerState.STREAMING, "m1", "t1")


@pytest.mark.parametrize(
    "error",
    [
        BackendUnreachable("refused 10.0.0.7:5001"),
        BackendBusy("429"),
        BackendMisconfigured("401 unauthorized key app-123"),
        QuestionRefused("too long"),
        BackendFailed("provider openai said: quota"),
        BackendTimeout("60 s idle"),
        BackendPaused("node 17"),
    ],
)
async def test_every_failure_is_told_in_plain_words_with_a_reference_and_no_internals(error: BackendError) -> None:
    async with room() as at:
        at.answer_with(lambda _: [error])
        await at.inbox(values.message())
        await at.clock.advance(90)
        [text] = at.texts
        assert error.user_message in text
        assert REFERENCE.search(text)
        assert str(error) not in text
        assert at.store.answers[0].state is AnswerState.FAILED


async def test_what_arrived_before_a_failure_is_kept_and_called_incomplete() -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say("The answer is"), 3.0, BackendFailed("boom")])
        await at.inbox(values.message())
        await at.clock.advance(10)
        [text] = at.texts
        assert text.startswith("The answer is\n\n⚠️ The app failed while answering. This answer is incomplete.")


async def test_a_cut_answer_says_so_once() -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say("Half"), BackendCut("eof")])
        await at.inbox(values.message())
        await at.clock.advance(1)
        assert at.texts[0].count("incomplete") == 1


async def test_an_empty_answer_is_not_silence() -> None:
    async with room() as at:
        at.answer_with(lambda _: [])
        await at.inbox(values.message())
        await at.clock.advance(1)
        assert at.texts == ["The app gave an empty answer."]


async def test_a_stopped_answer_ends_as_stopped_with_what_it_has() -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say("So far"), AnswerCompleted(stopped=True)])
        await at.inbox(values.message())
        await at.clock.advance(1)
        assert at.texts[0].startswith("So far")


async def test_a_conversation_that_the_backend_forgot_is_started_anew_once_and_says_so() -> None:
    async with room() as at:
        await at.inbox(values.message(number=1))
        await at.clock.advance(1)
        at.answer_with(lambda q: [ConversationMissing("404")] if q.conversation else say("Fresh start"))
        await at.inbox(values.message(number=2))
        await at.clock.advance(1)
        assert at.texts[1].startswith("Fresh start\n\n(The app no longer remembered")
        at.answer_with(lambda _: say("Third"))
        await at.inbox(values.message(number=3))
        await at.clock.advance(1)
        assert at.backend.asked[-1].conversation == "c3"


async def test_a_new_conversation_that_is_missing_is_a_failure_and_no_endless_loop() -> None:
    async with room() as at:
        at.answer_with(lambda _: [ConversationMissing("404")])
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert len(at.backend.asked) == 1
        assert "no longer remembers" in at.texts[0]


async def test_a_mention_without_words_gets_a_hint_and_asks_nothing() -> None:
    async with room() as at:
        await at.inbox(values.message("  "))
        await at.clock.advance(1)
        assert at.backend.asked == []
        assert "question" in at.texts[0]


async def test_files_that_cannot_be_read_are_not_passed_over_in_silence() -> None:
    files = (Attachment(name="plan.pdf"),)
    async with room() as at:
        await at.inbox(values.message("", number=1, attachments=files))
        await at.inbox(values.message("Sum it up", number=2, attachments=files))
        await at.clock.advance(5)
        assert "plan.pdf was left out: I cannot read files from here" in at.texts[0]
        assert "plan.pdf was left out: I cannot read files from here" in at.texts[1]
        assert [question.text for question in at.backend.asked] == ["Sum it up"]


async def test_nothing_on_the_chat_side_cuts_the_upstream_read() -> None:
    async with room() as at:
        at.answer_with(lambda _: say(*"abcdef", pause=1.0))
        at.platform.failures = [NotAllowed("kicked out")]
        await at.inbox(values.message())
        await at.clock.advance(20)
        assert at.backend.abandoned == 0
        assert at.store.answers[0].state is AnswerState.FAILED


async def test_a_bug_in_an_adapter_still_ends_the_turn() -> None:
    async with room() as at:
        at.platform.failures = [ValueError("a bug")]  # type: ignore[list-item]  # not a platform error on purpose
        await at.inbox(values.message(number=1))
        await at.inbox(values.message(number=2))
        await at.clock.advance(5)
        assert at.store.answers[0].state is AnswerState.FAILED
        assert at.store.answers[1].state is AnswerState.DONE


async def test_a_bug_in_a_backend_is_told_to_the_member_with_a_reference() -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say("Half"), KeyError("a bug")])  # type: ignore[list-item]  # as above
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert at.texts[0].startswith("Half")
        assert REFERENCE.search(at.texts[0])


async def test_a_thread_is_opened_while_the_app_thinks_and_used_from_then_on() -> None:
    platform = ThreadingPlatform(FakeClock())
    async with room(platform=platform) as at:
        await at.inbox(values.message("What  is\nthis?", number=1, where=values.target(opens_thread=True)))
        await at.clock.advance(1)
        assert platform.opened == ["What is this?"]
        await at.inbox(values.message(number=2, in_thread=True, mentions_bot=False))
        await at.clock.advance(1)
        assert [message.target.address for message in platform.messages.values()] == ["general/1/thread"] * 2
        assert platform.opened == ["What is this?"], "only once"


async def test_when_no_thread_can_be_opened_the_answer_still_comes() -> None:
    platform = ThreadingPlatform(FakeClock(), thread_error=PlatformUnavailable("503"))
    async with room(platform=platform) as at:
        await at.inbox(values.message(where=values.target(opens_thread=True)))
        await at.clock.advance(1)
        assert at.texts == ["You said: What is up?"]


async def test_a_deleted_message_ends_the_turn_quietly() -> None:
    async with room() as at:
        at.answer_with(lambda _: say(*"abc", pause=2.0))
        await at.inbox(values.message())
        await at.clock.advance(3)
        at.platform.failures = [MessageGone("deleted")]
        await at.clock.advance(10)
        assert len(at.texts) == 1
        assert at.store.answers[0].error == "not shown"


async def test_steps_of_the_app_are_not_answer_text() -> None:
    async with room() as at:
        at.answer_with(lambda _: [Progress(step=Step(id="1", title="Searching")), TextDelta(text="Found")])
        await at.inbox(values.message())
        await at.clock.advance(1)
        assert at.texts == ["Found"]


async def test_a_store_that_is_away_at_the_end_is_waited_for() -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say("text"), 5.0])
        await at.inbox(values.message())
        await at.clock.advance(2)
        at.store.failures = 4
        await at.clock.advance(20)
        assert at.store.answers[0].state is AnswerState.DONE


async def test_a_fenced_owner_stops_and_writes_no_ending() -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say("mine"), 5.0, *say(" still mine")])
        await at.inbox(values.message())
        await at.clock.advance(2)
        at.store.conversations[0].epoch += 1
        await at.clock.advance(10)
        assert at.store.answers[0].state is AnswerState.STREAMING
        assert at.store.conversations[0].head == 0


async def test_turns_leave_no_task_behind_when_they_are_cancelled() -> None:
    async with room() as at:
        at.answer_with(lambda _: [100.0])
        await at.inbox(values.message())
        await at.clock.advance(1)
    assert at.backend.abandoned == 1
    assert len(asyncio.all_tasks()) == 1


async def test_an_answer_that_renders_to_nothing_is_not_silent() -> None:
    async with room() as at:
        at.answer_with(lambda _: say("[a]: https://example.com"))
        await at.inbox(values.message())
        await at.clock.advance(10)
        assert at.texts == ["(The app's answer has nothing in it that can be shown here.)"]
