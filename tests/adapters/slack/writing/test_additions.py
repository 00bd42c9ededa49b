"""What one call may add to a stream."""

import pytest

from adapters.slack.writing.additions import Addition, SoFar
from bridge.messages import Step
from tests.adapters.slack.writing.said import step


def said(text: str, *steps: Step, below_step: bool = False, in_chunks: bool = True) -> SoFar:
    so_far = SoFar(in_chunks=in_chunks)
    so_far.confirm(Addition(before=text if below_step else "", text="" if below_step else text, steps=steps))
    return so_far


def test_white_space_that_slack_would_drop_is_not_believed_to_be_there() -> None:
    so_far = said("one*")  # whose sign is gone from the text by now
    assert so_far.next("one two three", (), listed=True).said == "two "
    assert so_far.last("one* two", (), listed=True, failed=False) is None


def test_below_a_step_and_above_all_text_white_space_is_not_missed() -> None:
    below = said("one", step("a"), below_step=True)
    assert below.next("one\n\ntwo three", [step("a")], listed=True).said == "\n\ntwo "
    assert below.last("one\n\ntwo", [step("a")], listed=True, failed=False) is not None
    assert said("").next("\none two", (), listed=True).said == "\none "


def test_white_space_alone_is_nothing_to_add() -> None:
    assert said("").next("\n漢", (), listed=True).said == ""
    assert said("one", step("a"), below_step=True).next("one\n\ntwo", [step("a")], listed=True).said == ""


@pytest.mark.parametrize(("listed", "in_chunks"), [(False, True), (True, False)])
def test_where_steps_are_not_shown_there_is_text_only(*, listed: bool, in_chunks: bool) -> None:
    so_far = said("one ", in_chunks=in_chunks)
    assert so_far.next("one two three", [step("a")], listed=listed) == Addition(text="two ", seen="one two three")
    assert so_far.last("one two", [step("a")], listed=listed, failed=False) == Addition(before="two", seen="one two")


def test_an_addition_that_failed_is_offered_again() -> None:
    so_far = said("one ")
    first = so_far.next("one two.\n\nthree", [step("a")], listed=True)
    assert so_far.next("one two.\n\nthree", [step("a")], listed=True) == first
