"""An answer that grows natively: what is shown is only added to, and its end lands all the same."""

import asyncio
from dataclasses import replace

from bridge.answers import AnswerWriter, WriterLimits
from bridge.backend_api import Progress, TextDelta
from bridge.drafts import AnswerDraft
from bridge.messages import (
    AnswerState,
    ButtonAction,
    Outcome,
    Step,
    StepState,
)
from bridge.outgoing_files import OutgoingFile
from bridge.pacing import Pacer
from tests.core.room import Room, room
from tests.core.test_answers import Desk, Records, desk
from tests.fakes import values
from tests.fakes.backend import say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FilePlatform, GrowingPlatform, ThreadingPlatform

CHART = OutgoingFile(name="chart_[1].png", content=b"png", media_type="image/png")


def growing(at: Desk | Room) -> GrowingPlatform:
    assert isinstance(at.platform, GrowingPlatform)
    return at.platform


def step(number: int, state: StepState = StepState.RUNNING) -> Progress:
    return Progress(step=Step(id=str(number), title=f"Step {number}", state=state))


async def test_a_short_answer_is_posted_once_and_never_grows() -> None:
    async with desk(kind=GrowingPlatform) as at:
        at.say("Yes.")
        await at.clock.advance(0.5)
        assert at.platform.texts == []
        assert await at.end()
        assert at.platform.texts == ["Yes."]
        assert growing(at).begun == 0


async def test_a_longer_answer_is_only_added_to() -> None:
    async with desk(kind=GrowingPlatform) as at:
        for number in range(20):
            at.say(f"word{number} ")
            await at.clock.advance(0.5)
        assert growing(at).begun == 1
        assert await at.end()
        assert growing(at).repaired == 0
        assert "".join(text for _, text in growing(at).added).endswith("word19")
        assert at.platform.texts == [" ".join(f"word{number}" for number in range(20))]
        assert not growing(at).growing


async def test_two_hundred_characters_need_not_wait_for_company() -> None:
    async with desk(kind=GrowingPlatform) as at:
        at.say("x" * 250)
        await at.clock.advance(0.1)
        assert growing(at).begun == 1


async def test_steps_begin_a_message_before_there_are_words_and_end_with_the_answer() -> None:
    async with desk(kind=GrowingPlatform) as at:
        at.draft.fold(step(1))
        await at.clock.advance(1)
        assert at.platform.texts == [""]
        at.draft.fold(step(1, StepState.DONE))
        at.draft.fold(step(2))
        await at.clock.advance(2)
        (shown,) = growing(at).steps.values()
        assert [(one.id, one.state) for one in shown] == [("1", StepState.DONE), ("2", StepState.RUNNING)]
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="Found it."))
        await at.clock.advance(5)
        (shown,) = growing(at).steps.values()
        assert {one.state for one in shown} == {StepState.DONE}
        assert at.platform.texts == ["Found it."]


async def test_where_nothing_can_grow_a_quiet_line_says_what_is_done() -> None:
    async with desk() as at:
        at.draft.fold(step(1))
        await at.clock.advance(2)
        assert at.platform.texts == []
        await at.clock.advance(2)
        assert at.platform.texts == ["⏳ Step 1…"]
        at.say("Found it.")
        assert await at.end()
        assert at.platform.texts == ["Found it."]


async def test_a_platform_that_lets_nothing_grow_shows_the_quiet_line_too() -> None:
    async with desk(kind=GrowingPlatform) as at:
        growing(at).can_grow = False
        at.draft.fold(step(1))
        await at.clock.advance(5)
        assert at.platform.texts == ["⏳ Step 1…"]
        at.say("Found it.")
        assert await at.end()
        assert at.platform.texts == ["Found it."]


async def test_a_message_that_may_not_grow_any_longer_ends_and_the_next_one_goes_on() -> None:
    async with desk(kind=GrowingPlatform, max_text=6000) as at:
        said = ""
        for number in range(300):
            said += f"Sentence {number}. "
            at.say(f"Sentence {number}. ")
            await at.clock.advance(1)
        assert await at.end()
        assert growing(at).begun == 2
        assert growing(at).repaired == 0
        first, second = at.platform.texts
        assert f"{first} {second}".replace("\\", "") == said.strip()
        assert first.endswith(".")
        assert not growing(at).growing


async def test_a_message_that_dies_while_it_grows_says_everything_in_the_end() -> None:
    async with desk(kind=GrowingPlatform) as at:
        growing(at).lasts, growing(at).spent_after = 5.0, 1000.0
        for number in range(10):
            at.say(f"word{number} ")
            await at.clock.advance(1)
        assert await at.end()
        assert growing(at).repaired == 1
        assert at.platform.texts == [" ".join(f"word{number}" for number in range(10))]


async def test_live_writes_have_a_budget_of_their_own_that_is_shared_fairly() -> None:
    clock = FakeClock()
    platform = GrowingPlatform(clock, live_limit=20, edit_limit=1)
    pacer = Pacer(clock)

    async def write(number: int, draft: AnswerDraft) -> bool:
        with pacer.answering(values.target(str(number)), platform.capabilities) as pace:
            return await AnswerWriter(
                platform=platform,
                pace=pace,
                clock=clock,
                target=values.target(str(number)),
                recorder=Records(),
                nonce_seed=str(number),
                question=values.question().ref,
                limits=WriterLimits(),
            ).run(draft)

    drafts = [AnswerDraft() for _ in range(5)]
    tasks = [asyncio.ensure_future(write(number, draft)) for number, draft in enumerate(drafts)]
    for _ in range(240):
        for draft in drafts:
            draft.fold(TextDelta(text="word "))
        await clock.advance(0.5)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    addresses = {address for address, _ in platform.added}
    per_answer = [sum(1 for one, _ in platform.added if one == address) for address in addresses]
    assert len(per_answer) == 5
    assert max(per_answer) - min(per_answer) <= 1
    assert 35 <= sum(per_answer) <= 40, "all of the budget is used, and no more: the ends are edits"


async def test_at_the_end_stand_ratings_suggestions_and_sources() -> None:
    async with desk(kind=GrowingPlatform) as at:
        at.platform.buttons = at.platform.rating_buttons = at.platform.sources = True
        at.platform.question_buttons = 2
        at.say("x" * 300)
        await at.clock.advance(1)
        outcome = Outcome(
            state=AnswerState.DONE,
            text="x" * 300,
            sources=("plan.pdf",),
            suggestions=("Why?", "z" * 90, "Too many"),
        )
        at.draft.conclude(outcome)
        await at.clock.advance(5)
        (shown,) = at.platform.messages.values()
        assert [(one.action, one.value) for one in shown.buttons] == [
            (ButtonAction.LIKE, ""),
            (ButtonAction.DISLIKE, ""),
            (ButtonAction.ASK, "Why?"),
            (ButtonAction.ASK, "z" * 90),
        ]
        assert len(shown.buttons[3].label) == 75
        assert shown.sources == ("plan.pdf",)


async def test_sources_are_a_line_where_there_is_no_better_place() -> None:
    async with desk() as at:
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="So it is.", sources=("a_[b].pdf", "c.md")))
        await at.clock.advance(5)
        assert at.platform.texts[0].startswith("So it is.\n\n📚 ")
        assert at.platform.texts[0].replace("\\", "").endswith("a_[b].pdf · c.md")


async def test_an_answer_that_failed_cannot_be_rated() -> None:
    async with desk() as at:
        at.platform.buttons = at.platform.rating_buttons = True
        at.draft.conclude(Outcome(state=AnswerState.FAILED, text="half", notes=("It broke.",), may_retry=True))
        await at.clock.advance(5)
        (shown,) = at.platform.messages.values()
        assert [one.action for one in shown.buttons] == [ButtonAction.RETRY]


async def test_files_of_the_app_follow_the_text_and_the_buttons_stay_with_that() -> None:
    async with desk(kind=FilePlatform) as at:
        at.platform.buttons = at.platform.rating_buttons = True
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="Here."), [CHART])
        await at.clock.advance(5)
        text, file = at.platform.messages.values()
        assert text.text == "Here."
        assert [one.action for one in text.buttons] == [ButtonAction.LIKE, ButtonAction.DISLIKE]
        assert file.text.replace("\\", "") == "📎 chart_[1].png"
        assert isinstance(at.platform, FilePlatform)
        assert list(at.platform.files.values()) == [CHART]


async def test_a_file_that_the_platform_does_not_take_is_named() -> None:
    async with desk() as at:
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="Here."), [CHART])
        await at.clock.advance(5)
        (text,) = at.platform.texts
        assert "chart_[1].png, which could not be sent here" in text.replace("\\", "")


async def test_activity_is_taken_away_however_an_answer_ends() -> None:
    for script in ([*say("Fine")], [0.0, ValueError]):
        async with room(platform=GrowingPlatform(FakeClock())) as at:
            at.answer_with(lambda _, script=script: script)  # type: ignore[misc]  # the second script breaks on purpose
            await at.inbox(values.message())
            await at.clock.advance(5)
            assert len(growing(at).activity_ended) == 1


async def test_a_question_that_nobody_can_see_stands_above_its_answer() -> None:
    async with room() as at:
        at.answer_with(lambda _: say("Because."))
        await at.inbox(replace(values.message("Why *this*?"), unseen=True))
        await at.clock.advance(2)
        (text,) = at.texts
        assert text.splitlines()[0].replace("\\", "") == "> **Ada** asked: Why *this*?"
        assert text.endswith("Because.")


async def test_a_question_that_opens_its_thread_is_not_repeated() -> None:
    platform = ThreadingPlatform(FakeClock())
    async with room(platform=platform) as at:
        at.answer_with(lambda _: say("Because."))
        await at.inbox(replace(values.message("Why?", where=values.target(opens_thread=True)), unseen=True))
        await at.clock.advance(2)
        assert platform.opened == ["Ada asked: Why?"]
        assert at.texts == ["Because."]
