"""Files that an app makes, among messages that stand already: none is lost, and none is shown for another."""

from collections.abc import Sequence

from bridge.answers import WriterLimits
from bridge.backend_api import TextDelta
from bridge.errors import PlatformError, PlatformUnavailable
from bridge.messages import AnswerState, ButtonAction, Outcome, PartRole, SentPart
from bridge.outgoing_files import OutgoingFile
from tests.core.test_answers import Desk, desk
from tests.core.test_growing import step
from tests.fakes import values
from tests.fakes.platform import FilePlatform, GrowingPlatform

CHART = OutgoingFile(name="chart.png", content=b"png", media_type="image/png")


def left_by(at: Desk, roles: Sequence[PartRole]) -> list[SentPart]:
    """What is recorded of its messages, for a later writer."""
    return [
        SentPart(
            part=number,
            nonce=shown.nonce,
            role=role,
            ref=values.ref(address),
            intended_at=values.THEN,
        )
        for number, ((address, shown), role) in enumerate(zip(at.platform.messages.items(), roles, strict=True))
    ]


def files(at: Desk) -> FilePlatform:
    assert isinstance(at.platform, FilePlatform)
    return at.platform


async def test_an_answer_that_is_only_a_file_has_words_to_stand_above_it_and_buttons() -> None:
    async with desk(kind=FilePlatform) as at:
        at.platform.buttons = at.platform.rating_buttons = True
        at.draft.conclude(Outcome(state=AnswerState.DONE, text=""), [CHART])
        await at.clock.advance(5)
        assert list(files(at).files.values()) == [CHART]
        words, file = at.platform.messages.values()
        assert [one.action for one in words.buttons] == [ButtonAction.LIKE, ButtonAction.DISLIKE]
        assert file.text == "📎 chart.png"


async def test_a_file_that_comes_where_a_line_said_that_it_was_made_is_posted_all_the_same() -> None:
    async with desk(kind=FilePlatform) as at:
        at.draft.fold(step(1))
        await at.clock.advance(4)
        assert at.platform.texts == ["⏳ Step 1…"]
        at.draft.conclude(Outcome(state=AnswerState.DONE, text=""), [CHART])
        await at.clock.advance(5)
        assert list(files(at).files.values()) == [CHART]
        assert at.platform.texts[-1] == "📎 chart.png"
        assert not at.platform.texts[0].startswith("⏳")


async def test_a_file_after_steps_that_grew_is_posted_too() -> None:
    async with desk(kind=GrowingPlatform) as at:
        at.draft.fold(step(1))
        await at.clock.advance(4)
        at.draft.conclude(Outcome(state=AnswerState.DONE, text=""), [CHART])
        await at.clock.advance(5)
        assert list(files(at).files.values()) == [CHART]


async def test_a_file_comes_below_messages_that_a_shorter_text_no_longer_needs() -> None:
    async with desk(kind=FilePlatform, max_text=300) as at:
        at.draft.fold(TextDelta(text="word " * 90))
        await at.clock.advance(5)
        assert len(at.platform.texts) == 2
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="Short."), [CHART])
        await at.clock.advance(5)
        assert at.platform.texts == ["Short.", "(This part was withdrawn.)", "📎 chart.png"]
        assert list(files(at).files.values()) == [CHART]


async def test_a_file_that_could_not_be_posted_leaves_no_empty_message_behind() -> None:
    async with desk(kind=FilePlatform) as at:
        failures: list[PlatformError | None] = [PlatformUnavailable("away") for _ in range(5)]
        files(at).file_failures = failures
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="Here."), [CHART])
        await at.clock.advance(120)
        (text,) = at.platform.texts
        assert "chart.png, which could not be sent here" in text


async def test_after_a_restart_a_file_that_stands_is_not_posted_again() -> None:
    outcome = Outcome(state=AnswerState.DONE, text="Here.")
    async with desk(kind=FilePlatform) as before:
        before.draft.conclude(outcome, [CHART])
        await before.clock.advance(5)
        left = left_by(before, [PartRole.TEXT, PartRole.PRODUCED])
    async with desk(earlier=before, standing=left) as at:
        at.draft.conclude(outcome, [CHART])
        await at.clock.advance(5)
        assert at.platform.texts == ["Here.", "📎 chart.png"]


async def test_a_question_asked_again_shows_its_new_file_beside_the_old_one() -> None:
    async with desk(kind=FilePlatform) as before:
        before.draft.conclude(Outcome(state=AnswerState.FAILED, text="Half"), [CHART])
        await before.clock.advance(5)
        left = left_by(before, [PartRole.TEXT, PartRole.PRODUCED])
    async with desk(earlier=before, standing=left, number=2) as at:
        better = OutgoingFile(name="better.png", content=b"better", media_type="image/png")
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="Whole."), [better])
        await at.clock.advance(5)
        assert at.platform.texts == ["Whole.", "(This part was withdrawn.)", "📎 better.png"]
        assert list(files(at).files.values()) == [CHART, better]


async def test_the_rest_of_an_answer_that_was_asked_for_again_goes_into_a_file_of_its_own() -> None:
    limits = WriterLimits(most_messages=1)
    roles = [PartRole.TEXT, PartRole.ANNOUNCEMENT, PartRole.FILE]
    async with desk(limits, max_text=300, kind=FilePlatform) as before:
        before.say("old " * 100)
        await before.clock.advance(5)
        before.draft.conclude(Outcome(state=AnswerState.FAILED, text="old " * 300))
        await before.clock.advance(5)
        left = left_by(before, roles)
    async with desk(limits, earlier=before, standing=left, number=2) as at:
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="new " * 300))
        await at.clock.advance(5)
        old, new = files(at).files.values()
        assert old.content.startswith(b"old ")
        assert new.content.startswith(b"new ")
        assert "is in the attached file" in at.platform.texts[1]


async def test_buttons_and_sources_stand_below_the_last_message_of_the_text_alone() -> None:
    async with desk(kind=FilePlatform, max_text=300) as at:
        at.platform.buttons = at.platform.rating_buttons = at.platform.sources = True
        outcome = Outcome(state=AnswerState.DONE, text="word " * 90, sources=("plan.pdf",))
        at.draft.conclude(outcome, [CHART])
        await at.clock.advance(5)
        first, last, file = at.platform.messages.values()
        assert [len(one.buttons) for one in (first, last, file)] == [0, 2, 0]
        assert [one.sources for one in (first, last, file)] == [(), ("plan.pdf",), ()]


async def test_a_file_comes_below_a_message_of_which_it_is_not_known_whether_it_stands() -> None:
    async with desk(kind=FilePlatform, max_text=300) as at:
        at.say("word " * 40)
        await at.clock.advance(3)
        at.platform.lost_answers = 1
        at.say("word " * 50)
        await at.clock.advance(1.5)
        assert len(at.platform.texts) == 2
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="Short."), [CHART])
        await at.clock.advance(30)
        assert at.platform.texts == ["Short.", "(This part was withdrawn.)", "📎 chart.png"]
