"""What a member does, or what breaks, while a message grows natively: nothing is left growing, and nothing is left unsaid."""

from dataclasses import dataclass, field

from bridge.messages import (
    AnswerState,
    Author,
    MessageRef,
    Outcome,
    OutgoingMessage,
    ReplyTarget,
    SentPart,
    StepState,
)
from tests.core.room import Room, room
from tests.core.test_answers import desk
from tests.core.test_growing import growing, step
from tests.fakes import values
from tests.fakes.backend import say
from tests.fakes.clock import FakeClock
from tests.fakes.events import deleted, edited
from tests.fakes.platform import GrowingPlatform

QUESTION = values.message("What is up?")


def native() -> GrowingPlatform:
    return GrowingPlatform(FakeClock(), buttons=True)


async def begin(at: Room) -> None:
    """An answer that has begun to grow and goes on for a long time."""
    at.answer_with(lambda _: [*say("x" * 300), *say(*(["word "] * 600), pause=1.0)])
    await at.inbox(QUESTION)
    await at.clock.advance(5)
    assert growing(at).begun == 1


async def test_a_question_changed_while_its_answer_grows_says_so_at_once() -> None:
    async with room(platform=native()) as at:
        await begin(at)
        at.answer_with(lambda _: [30.0, *say("Another answer.")])
        await at.inbox(edited(QUESTION, "What is down?"))
        await at.clock.advance(8)
        assert at.texts == ["⏳ The question was changed. I am asking again…"]
        assert not growing(at).growing
        await at.clock.advance(40)
        assert at.texts == ["Another answer."]
        assert not growing(at).growing


async def test_a_question_deleted_while_its_answer_grows_leaves_nothing_growing() -> None:
    async with room(platform=native()) as at:
        await begin(at)
        await at.inbox(deleted())
        await at.clock.advance(8)
        (text,) = at.texts
        assert "The question was deleted" in text
        assert not growing(at).growing


async def test_steps_alone_that_take_longer_than_a_message_may_grow_go_on_as_a_line() -> None:
    async with desk(kind=GrowingPlatform) as at:
        for number in range(300):
            at.draft.fold(step(number // 30))
            await at.clock.advance(1)
        assert growing(at).begun == 1
        assert at.platform.texts == ["⏳ Step 9…"]
        assert not growing(at).growing
        at.say("Found it.")
        assert await at.end()
        assert at.platform.texts == ["Found it."]


async def test_a_message_that_grew_too_long_inside_a_code_block_is_cut_between_its_lines() -> None:
    async with desk(kind=GrowingPlatform, max_text=12000) as at:
        at.say("```python\n")
        for number in range(400):
            at.say(f"line = {number}\n")
            await at.clock.advance(1)
        at.say("```\n")
        assert await at.end()
        assert growing(at).begun == 2
        first, second = at.platform.texts
        assert first.startswith("```python\n")
        assert first.endswith("\n```")
        assert second.startswith("```python\nline = ")
        lines = [line for text in (first, second) for line in text.splitlines() if line.startswith("line")]
        assert lines == [f"line = {number}" for number in range(400)]


async def test_where_the_budget_for_growing_is_empty_the_end_lands_all_the_same() -> None:
    async with desk(kind=GrowingPlatform, max_text=6000) as at:
        growing(at).live_limit = 1
        for number in range(20):
            at.say(f"word{number} " * 20)
            await at.clock.advance(1)
        assert await at.end(5)
        (text,) = at.platform.texts
        assert text.count("word") == 400
        assert not growing(at).growing


async def test_an_answer_that_breaks_off_ends_what_grew() -> None:
    async with room(platform=native()) as at:
        at.answer_with(lambda _: [*say("x" * 300), 5.0, ValueError])  # type: ignore[list-item]  # breaks on purpose
        await at.inbox(QUESTION)
        await at.clock.advance(20)
        (text,) = at.texts
        assert "Something went wrong in the bot itself" in text
        assert not growing(at).growing
        assert at.store.answers[0].state is AnswerState.FAILED


async def test_steps_alone_that_an_earlier_process_left_growing_end_with_what_is_said() -> None:
    async with desk(kind=GrowingPlatform) as before:
        before.draft.fold(step(1))
        await before.clock.advance(2)
        (address,) = growing(before).growing
    left = SentPart(part=0, nonce="n0", ref=values.ref(address), intended_at=values.THEN)
    async with desk(earlier=before, standing=[left]) as at:
        at.draft.conclude(Outcome(state=AnswerState.STOPPED, text="", notes=("(Stopped.)",), standing=True))
        await at.clock.advance(5)
        assert at.platform.texts == ["(Stopped.)"]
        assert not growing(at).growing


async def test_the_next_message_begins_with_the_steps_that_are_still_under_way() -> None:
    async with desk(kind=GrowingPlatform, max_text=6000) as at:
        at.draft.fold(step(1, StepState.DONE))
        at.draft.fold(step(2))
        for number in range(300):
            at.say(f"Sentence {number}. ")
            await at.clock.advance(1)
        first, second = growing(at).steps.values()
        assert [one.id for one in first] == ["1", "2"]
        assert [one.id for one in second] == ["2"]
        at.draft.fold(step(3))
        await at.clock.advance(5)
        first, second = growing(at).steps.values()
        assert [one.id for one in second] == ["2", "3"]
        assert [one.id for one in first] == ["1", "2"]


async def test_steps_of_an_answer_that_failed_are_not_shown_as_done() -> None:
    async with desk(kind=GrowingPlatform) as at:
        at.draft.fold(step(1))
        await at.clock.advance(2)
        at.draft.conclude(Outcome(state=AnswerState.FAILED, text="", notes=("It broke.",)))
        await at.clock.advance(5)
        (shown,) = growing(at).steps.values()
        assert [one.state for one in shown] == [StepState.FAILED]


async def test_where_a_message_stopped_growing_by_itself_its_end_is_not_written_twice() -> None:
    async with desk(kind=GrowingPlatform) as at:
        at.say("x" * 300)
        await at.clock.advance(1)
        growing(at).growing.clear()
        assert at.writer is not None
        writes = at.writer.writes
        assert await at.end()
        assert at.writer.writes == writes, "all of it stands"


async def test_an_answer_without_a_word_cannot_be_rated() -> None:
    async with desk() as at:
        at.platform.buttons = at.platform.rating_buttons = True
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="", notes=("The app gave an empty answer.",)))
        await at.clock.advance(5)
        (shown,) = at.platform.messages.values()
        assert shown.buttons == ()


async def test_a_suggestion_that_no_button_can_carry_is_not_offered() -> None:
    async with desk() as at:
        at.platform.buttons, at.platform.question_buttons = True, 3
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="So.", suggestions=("y" * 2001, " ", "Why?")))
        await at.clock.advance(5)
        (shown,) = at.platform.messages.values()
        assert [one.value for one in shown.buttons] == ["Why?"]


async def test_where_a_message_stands_already_nothing_else_shows_that_work_goes_on() -> None:
    async with desk(kind=GrowingPlatform) as before:
        before.say("x" * 300)
        await before.clock.advance(2)
        (address,) = before.platform.messages
        shown = len(before.platform.activity)
        growing(before).growing.clear()  # what another process began does not grow for this one
    left = SentPart(part=0, nonce="n0", ref=values.ref(address), intended_at=values.THEN)
    async with desk(earlier=before, standing=[left]) as at:
        await at.clock.advance(30)
        assert len(at.platform.activity) == shown


@dataclass
class AskerPlatform(GrowingPlatform):
    """Wants to know for whom each message is written."""

    askers: list[Author | None] = field(default_factory=list)

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        self.askers.append(message.asker)
        return await super().send(target, message)


async def test_the_platform_is_told_whose_question_is_answered() -> None:
    platform = AskerPlatform(FakeClock())
    async with room(platform=platform) as at:
        await at.inbox(QUESTION)
        await at.clock.advance(5)
    assert platform.askers == [QUESTION.author]
