"""What is known of an answer, from the events that it is made of."""

from bridge.backend_api import FileProduced, SourcesCited, TextDelta
from bridge.drafts import MOST_STEPS, AnswerDraft
from bridge.messages import AnswerState, Outcome, ProducedFile, StepState
from tests.core.test_growing import step

CHART = ProducedFile(name="chart.png", kind="image", address="made/1")


def test_of_what_was_said_before_a_question_was_asked_anew_nothing_is_left() -> None:
    draft = AnswerDraft()
    for event in (TextDelta(text="Old"), FileProduced(file=CHART), SourcesCited(names=("old.pdf",)), step(1)):
        draft.fold(event)
    draft.restart()
    assert (draft.text, draft.produced, draft.sources, draft.steps) == ("", (), (), ())


def test_of_very_many_steps_the_later_ones_are_left_out_and_the_known_ones_still_end() -> None:
    draft = AnswerDraft()
    for number in range(MOST_STEPS + 5):
        draft.fold(step(number))
    draft.fold(step(0, StepState.DONE))
    draft.fold(step(MOST_STEPS, StepState.DONE))
    assert [one.id for one in draft.steps] == [str(number) for number in range(MOST_STEPS)]
    assert draft.steps[0].state is StepState.DONE


def test_what_is_being_done_is_the_latest_step_that_has_not_ended() -> None:
    draft = AnswerDraft()
    for event in (step(1), step(2), step(3, StepState.DONE)):
        draft.fold(event)
    assert draft.doing == "Step 2"
    draft.conclude(Outcome(state=AnswerState.DONE, text="So."))
    assert draft.doing == ""
