"""Forms of the core as Discord's modals take them, and what people filled in."""

from dataclasses import replace

import pytest

from adapters.discord.interactions.fields import MOST_FIELDS, Wanted, member_form, read_wanted, values_in
from bridge.forms_api import FieldKind, Form, FormField
from bridge.playground.discord import modals
from bridge.playground.discord.model import Field, Modal

WANTED = Wanted(channel=2**63, message=2**63 + 1, form="inputs:123456789012345678")
LONG = "an option " * 20
SELECT = FormField(name="plan", label="Plan", kind=FieldKind.SELECT, options=("Gold", LONG), default="Gold")
YES_NO = FormField(name="agreed", label="Agreed?", kind=FieldKind.CHECKBOX)


def shown(*fields: FormField, title: str = "Before I ask", intro: str = "") -> Modal:
    """As the stand-in takes it, which is as strict as Discord."""
    form = Form(id=WANTED.form, title=title, fields=fields, intro=intro)
    return modals.read(dict(member_form(form, WANTED).to_dict()), "1")


def fields_of(modal: Modal) -> list[Field]:
    return [one for one in modal.fields if isinstance(one, Field)]


@pytest.mark.parametrize(
    "field",
    [
        FormField(name="x", label="X" * 500, hint="h" * 5_000),
        FormField(name="x", label="", kind=FieldKind.PARAGRAPH, most=100_000, default="d" * 9_000),
        FormField(name="x", label="**x** <@1>\nline", most=1, default="long"),
        FormField(name="x" * 80, label="x", kind=FieldKind.NUMBER),
        FormField(name="x", label="x", kind=FieldKind.SELECT, options=tuple(f"o{one}" * 60 for one in range(250))),
        SELECT,
        YES_NO,
    ],
)
def test_discord_takes_every_form(field: FormField) -> None:
    shown(field, title="A title that is longer than the forty-five characters that Discord takes", intro="i" * 5_000)


def test_a_form_with_more_fields_than_a_modal_holds_shows_the_first() -> None:
    fields = [FormField(name=f"n{number}", label=f"N{number}") for number in range(9)]
    modal = shown(*fields, intro="There is no room for this.")
    assert [one.label for one in fields_of(modal)] == ["N0", "N1", "N2", "N3", "N4"]
    assert len(modal.fields) == MOST_FIELDS


def test_a_select_offers_the_options_and_yes_or_no_is_one() -> None:
    plan, agreed = fields_of(shown(SELECT, YES_NO))
    assert plan.choices[0][1] == "Gold"
    assert [label for _, label in agreed.choices] == ["Yes", "No"]
    told = {
        "components": [
            {"type": 18, "component": {"type": 3, "custom_id": plan.custom_id, "values": [plan.choices[1][0]]}},
            {"type": 18, "component": {"type": 3, "custom_id": agreed.custom_id, "values": [agreed.choices[1][0]]}},
        ]
    }
    assert values_in(told, Form(id="x", title="", fields=(SELECT, YES_NO))) == {"plan": LONG, "agreed": "no"}


def test_of_more_options_than_a_select_takes_one_is_typed() -> None:
    many = replace(SELECT, options=tuple(f"o{number}" for number in range(26)), default="")
    (field,) = fields_of(shown(many))
    assert not field.choices
    assert field.description.startswith("One of: o0, o1, ")


def test_what_was_not_filled_in_is_empty_and_what_the_form_does_not_have_is_passed_over() -> None:
    note = FormField(name="note", label="Note", required=False)
    told = {
        "components": [
            {"type": 10},
            {"type": 18, "component": {"type": 4, "custom_id": "field:note", "value": None}},
            {"type": 18, "component": {"type": 3, "custom_id": "field:plan", "values": []}},
            {"type": 18, "component": {"type": 4, "custom_id": "field:other", "value": "x"}},
            {"type": 18},
            None,
        ]
    }
    assert values_in(told, Form(id="x", title="", fields=(note, SELECT, YES_NO))) == {"note": "", "plan": ""}
    assert values_in({}, Form(id="x", title="", fields=(note,))) == {}


def test_a_form_says_by_its_id_what_it_is_and_where_its_button_stands() -> None:
    custom_id = shown(SELECT).custom_id
    assert len(custom_id) <= 100
    assert read_wanted(custom_id) == WANTED


@pytest.mark.parametrize(
    "custom_id", ["", "bridge:form:1:2", "bridge:form:1:2:", "bridge:form:x:2:y", "bridge:about:1:2"]
)
def test_what_this_version_did_not_write_is_not_read(custom_id: str) -> None:
    assert read_wanted(custom_id) is None
