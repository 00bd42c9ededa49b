"""What is wrong with what was filled in, in words for whoever filled it in."""

import pytest

from bridge.forms_api import FieldKind, Form, FormField, choose, find_problem, find_problems

NAME = FormField(name="name", label="Name", most=5)
PLAN = FormField(name="plan", label="Plan", kind=FieldKind.SELECT, options=("Basic plan", "Gold"))


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        (NAME, "Grace", ""),
        (NAME, "  ", "Please fill this in."),
        (NAME, "Hopper", "This is too long: at most 5 characters, and these are 6."),
        (NAME, "a\nb", "Please write this in one line."),
        (FormField(name="n", label="N", required=False), "", ""),
        (FormField(name="n", label="N", kind=FieldKind.NUMBER), "-2.5", ""),
        (FormField(name="n", label="N", kind=FieldKind.NUMBER), "3 pieces", "Please write a number, such as 3 or 2.5."),
        (FormField(name="n", label="N", kind=FieldKind.NUMBER), "1e999", "Please write a number, such as 3 or 2.5."),
        (FormField(name="n", label="N", kind=FieldKind.NUMBER), "٣", "Please write a number, such as 3 or 2.5."),
        (FormField(name="n", label="N", kind=FieldKind.PARAGRAPH), "a\nb", ""),
        (PLAN, "gold", ""),
        (PLAN, "Silver", "Please choose one of: Basic plan, Gold."),
        (FormField(name="ok", label="OK", kind=FieldKind.CHECKBOX), "", ""),
        (FormField(name="ok", label="OK", kind=FieldKind.CHECKBOX), "maybe", "Please answer yes or no."),
    ],
)
def test_a_value_that_cannot_be_taken_is_explained_in_a_sentence(field: FormField, value: str, problem: str) -> None:
    assert find_problem(field, value) == problem


def test_an_option_may_be_typed_in_any_case_and_with_any_spaces() -> None:
    assert choose(PLAN, " basic   PLAN ") == "Basic plan"


def test_of_two_options_that_differ_by_case_alone_the_exact_one_is_meant() -> None:
    field = FormField(name="unit", label="Unit", kind=FieldKind.SELECT, options=("mw", "MW"))
    assert choose(field, "MW") == "MW"


def test_fields_that_were_not_shown_are_nobody_s_mistake() -> None:
    form = Form(id="x", title="X", fields=(NAME, PLAN))
    assert find_problems(form, {"plan": "Gold"}) == {}
    assert set(find_problems(form, {"plan": "", "name": "Grace"})) == {"plan"}
