"""The form of an app, as Dify tells it and as it is understood."""

import pytest

from bridge.backends.dify.form import MOST_VARIABLES, read_variables
from bridge.playground.dify.inputs import find_problem, form_field
from bridge.variables_api import InputKind, InputVariable

RECORDED = [
    {"text-input": {"default": "", "label": "Team", "max_length": 12, "required": True, "variable": "team"}},
    {
        "select": {
            "default": "formal",
            "label": "Tone",
            "options": ["formal", "casual"],
            "required": False,
            "variable": "tone",
        }
    },
    {"number": {"default": "", "label": "Level", "required": False, "variable": "level"}},
]
"""Of a chat app on 1.12.1."""


def test_a_recorded_form_is_understood() -> None:
    assert read_variables(RECORDED) == (
        InputVariable(name="team", label="Team", required=True, most=12),
        InputVariable(name="tone", label="Tone", kind=InputKind.SELECT, options=("formal", "casual"), default="formal"),
        InputVariable(name="level", label="Level", kind=InputKind.NUMBER),
    )


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("paragraph", InputKind.PARAGRAPH),
        ("checkbox", InputKind.CHECKBOX),
        ("file", InputKind.FILE),
        ("file-list", InputKind.FILES),
        ("external_data_tool", InputKind.OTHER),
        ("json_object", InputKind.OTHER),
        ("a kind of tomorrow", InputKind.OTHER),
    ],
)
def test_each_kind_of_field_is_told_apart(word: str, kind: InputKind) -> None:
    (variable,) = read_variables([form_field(word, "x")])
    assert variable.kind is kind


def test_what_its_author_hides_stays_hidden() -> None:
    (variable,) = read_variables([form_field("text-input", "x", hide=True, default="y")])
    assert (variable.hidden, variable.default) == (True, "y")


def test_a_field_without_a_label_is_called_by_its_name_and_no_length_is_no_bound() -> None:
    (variable,) = read_variables([{"paragraph": {"variable": "x", "max_length": 0, "required": False}}])
    assert variable == InputVariable(name="x", label="x", kind=InputKind.PARAGRAPH)


@pytest.mark.parametrize(
    "form", [None, "x", {}, [None, 3, [], {}], [{"text-input": None}, {"text-input": {"label": "no variable"}}]]
)
def test_what_has_not_the_shape_of_a_form_is_no_form(form: object) -> None:
    assert read_variables(form) == ()


def test_a_form_without_end_is_read_in_part() -> None:
    assert len(read_variables([form_field("text-input", f"n{number}") for number in range(1_000)])) == MOST_VARIABLES


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"team": "sales"}, None),
        ({"team": "sales", "tone": "", "level": ""}, None),
        ({}, "team is required in input form"),
        ({"team": 3}, "(type 'text-input') team in input form must be a string"),
        ({"team": "a" * 13}, "team in input form must be less than 12 characters"),
        ({"team": "x", "tone": "rude"}, "tone in input form must be one of the following: ['formal', 'casual']"),
        ({"team": "x", "level": "high"}, "level in input form must be a valid number"),
        ({"team": "x", "level": "3.5"}, None),
    ],
)
def test_the_stand_in_refuses_what_the_real_one_refused(inputs: dict[str, object], problem: str | None) -> None:
    form = [
        form_field("text-input", "team", most=12),
        form_field("select", "tone", options=("formal", "casual"), required=False),
        form_field("number", "level", required=False),
    ]
    assert find_problem(form, inputs) == problem
