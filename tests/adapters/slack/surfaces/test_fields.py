"""Forms of the core as Slack's modals take them, and what people filled in."""

from dataclasses import replace

import pytest

from adapters.slack.addresses import Place, write_address
from adapters.slack.reading.people import Identity
from adapters.slack.surfaces.fields import FilledIn, member_form, point_out, read_filled_in, values_in
from adapters.slack.surfaces.forms import View
from bridge.forms_api import FieldKind, Form, FormField
from bridge.playground.slack.views import check_view

ME = Identity(team="T0PLAYGROUND", user="U0BRIDGE")
MESSAGE = Place(team="T0PLAYGROUND", channel="C0GENERAL", ts="1718000000.000200")
THREAD = replace(MESSAGE, ts="1718000000.000100")
LONG = "an option that is much longer than the seventy-five characters that Slack takes of one"
SELECT = FormField(name="plan", label="Plan", kind=FieldKind.SELECT, options=("Gold", LONG), default=LONG)
YES_NO = FormField(name="agreed", label="Agreed?", kind=FieldKind.CHECKBOX)


def view_of(*fields: FormField, **form: str) -> View:
    """As the stand-in takes it, which is as strict as Slack."""
    made = member_form(
        Form(id="inputs:7", title=form.pop("title", "Before I ask"), fields=fields, **form),
        write_address(MESSAGE),
        write_address(THREAD),
    )
    return dict(check_view(made, "modal"))


def block(view: View, name: str) -> dict[str, object]:
    blocks = view["blocks"]
    assert isinstance(blocks, list)
    (found,) = [one for one in blocks if one.get("block_id") == f"field:{name}"]
    return dict(found)


def element(view: View, name: str) -> dict[str, object]:
    found = block(view, name)["element"]
    assert isinstance(found, dict)
    return found


def filled_in(view: View, **given: object) -> View:
    values = {f"field:{name}": {f"field:{name}": entry} for name, entry in given.items()}
    return {**view, "state": {"values": values}}


@pytest.mark.parametrize(
    "field",
    [
        FormField(name="x", label="X" * 500, hint="h" * 5_000),
        FormField(name="x", label="", kind=FieldKind.PARAGRAPH, most=100_000, default="d" * 9_000),
        FormField(name="x", label="*x* <@U0ADA>\nline", most=1, default="long"),
        FormField(name="x" * 80, label="x", kind=FieldKind.NUMBER),
        FormField(name="x", label="x", kind=FieldKind.SELECT, options=tuple(f"o{one}" * 60 for one in range(250))),
        SELECT,
        YES_NO,
    ],
)
def test_slack_takes_every_form(field: FormField) -> None:
    view_of(field, title="A title that is longer than Slack takes", submit="A word that is too long for a button")


def test_a_form_with_more_fields_than_a_modal_holds_shows_the_first() -> None:
    view = view_of(*(FormField(name=f"n{number}", label="N") for number in range(150)), intro="Please.")
    blocks = view["blocks"]
    assert isinstance(blocks, list)
    assert len(blocks) == 91


def test_a_menu_is_one_of_slack_s_with_the_default_chosen() -> None:
    view = view_of(SELECT)
    assert element(view, "plan")["type"] == "static_select"
    chosen = element(view, "plan")["initial_option"]
    assert isinstance(chosen, dict)
    assert chosen["text"]["text"].startswith("an option that is")
    sent = filled_in(view, plan={"type": "static_select", "selected_option": chosen})
    assert values_in(sent, Form(id="inputs:7", title="", fields=(SELECT,))) == {"plan": LONG}


def test_of_more_options_than_a_menu_takes_one_is_typed() -> None:
    many = replace(SELECT, options=tuple(f"o{number}" for number in range(101)), default="")
    view = view_of(many)
    assert element(view, "plan")["type"] == "plain_text_input"
    hint = block(view, "plan")["hint"]
    assert isinstance(hint, dict)
    assert hint["text"].startswith("One of: o0, o1, ")


def test_what_was_not_filled_in_is_empty_and_what_the_form_does_not_have_is_passed_over() -> None:
    text = FormField(name="note", label="Note", required=False)
    view = filled_in(
        view_of(text, YES_NO),
        note={"type": "plain_text_input", "value": None},
        agreed={"type": "static_select", "selected_option": None},
        other={"type": "plain_text_input", "value": "x"},
    )
    form = Form(id="inputs:7", title="", fields=(text, YES_NO, SELECT))
    assert values_in(view, form) == {"note": "", "agreed": ""}


def test_a_form_remembers_what_it_is_and_where_its_button_stands() -> None:
    assert read_filled_in(view_of(SELECT), ME) == FilledIn(form="inputs:7", message=MESSAGE, thread=THREAD)


@pytest.mark.parametrize(
    "written", ["", "[]", "{}", '{"form":"inputs:7"}', '{"form":"inputs:7","message":"T1/C1/x","thread":"T1/C1/1.2"}']
)
def test_what_this_version_did_not_write_is_not_read(written: str) -> None:
    assert read_filled_in({**view_of(SELECT), "private_metadata": written}, ME) is None


def test_the_message_of_another_workspace_is_not_ours() -> None:
    assert read_filled_in(view_of(SELECT), Identity(team="T0OTHER", user="U0BRIDGE")) is None


def test_what_is_wrong_stands_below_its_field() -> None:
    assert point_out({"plan": "No."}).body == {"response_action": "errors", "errors": {"field:plan": "No."}}
