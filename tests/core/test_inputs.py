"""Where the values of an app's input variables come from, and which of them will do."""

from dataclasses import replace

import pytest

from bridge.forms_api import FieldKind, FormField
from bridge.inputs import Known, Source, Sourced, Value, Wrong, convert, filled_in, form_for, settle_inputs
from bridge.variables_api import InputKind, InputVariable
from tests.fakes import values

ASKED = Known(author=replace(values.person("ada"), display_name="Ada Lovelace"), target=values.target())


def variable(name: str, kind: InputKind = InputKind.TEXT, *, required: bool = True) -> InputVariable:
    return InputVariable(name=name, label=name.title(), kind=kind, required=required)


def test_a_required_variable_without_a_source_is_missing() -> None:
    settled = settle_inputs([variable("customer"), variable("note", required=False)], ASKED)
    assert [one.name for one in settled.missing] == ["customer"]
    assert settled.inputs == {}


def test_a_constant_goes_before_all_else() -> None:
    known = replace(
        ASKED,
        constants={"who": "nobody"},
        sourced={"who": Sourced(source=Source.ASKER_NAME)},
        kept={"who": "somebody"},
    )
    assert settle_inputs([variable("who")], known).inputs == {"who": "nobody"}


def test_what_is_known_of_the_asker_and_the_place_is_told() -> None:
    key = values.target().conversation
    told = {
        Source.ASKER_ID: "ada",
        Source.ASKER_NAME: "Ada Lovelace",
        Source.CHANNEL_ID: key.channel,
        Source.THREAD_ID: key.thread,
        Source.WORKSPACE_ID: key.installation,
        Source.PLATFORM: key.platform,
    }
    sourced = {source.value: Sourced(source=source) for source in told}
    settled = settle_inputs([variable(name) for name in sourced], replace(ASKED, sourced=sourced))
    assert settled.inputs == {source.value: value for source, value in told.items() if value}


def test_where_the_platform_does_not_tell_the_operator_s_fallback_holds_and_else_the_member_is_asked() -> None:
    without = replace(ASKED, sourced={"language": Sourced(source=Source.ASKER_LOCALE)})
    assert [one.name for one in settle_inputs([variable("language")], without).missing] == ["language"]
    assert settle_inputs([variable("language", required=False)], without) == settle_inputs([], without)
    known = replace(ASKED, sourced={"language": Sourced(source=Source.ASKER_LOCALE, fallback="en")})
    assert settle_inputs([variable("language")], known).inputs == {"language": "en"}
    told = replace(known, author=replace(values.person(), locale="de"))
    assert settle_inputs([variable("language")], told).inputs == {"language": "de"}


def test_a_person_whose_name_the_platform_does_not_tell_is_nobody_in_particular() -> None:
    unnamed = replace(ASKED, author=replace(values.person("U1"), display_name="U1"))
    known = replace(unnamed, sourced={"who": Sourced(source=Source.ASKER_NAME, fallback="somebody")})
    assert settle_inputs([variable("who")], known).inputs == {"who": "somebody"}


def test_what_is_known_of_the_asker_but_none_of_the_options_counts_as_not_known() -> None:
    language = replace(variable("language", InputKind.SELECT), options=("English", "de"))
    known = replace(
        ASKED,
        author=replace(values.person(), locale="fr"),
        sourced={"language": Sourced(source=Source.ASKER_LOCALE, fallback="English")},
    )
    assert settle_inputs([language], known).inputs == {"language": "English"}
    without = replace(known, sourced={"language": Sourced(source=Source.ASKER_LOCALE)})
    assert settle_inputs([language], without).missing == [language]
    german = replace(known, author=replace(values.person(), locale="de"))
    assert settle_inputs([language], german).inputs == {"language": "de"}


def test_a_constant_without_text_is_sent_as_it_is() -> None:
    plan = replace(variable("plan", InputKind.SELECT, required=False), options=("Gold",))
    assert settle_inputs([plan], replace(ASKED, constants={"plan": ""})).inputs == {"plan": ""}


def test_a_name_that_is_too_long_for_the_app_is_cut() -> None:
    known = replace(ASKED, sourced={"who": Sourced(source=Source.ASKER_NAME)})
    assert settle_inputs([replace(variable("who"), most=3)], known).inputs == {"who": "Ada"}


def test_what_was_filled_in_once_is_sent_again() -> None:
    known = replace(ASKED, kept={"customer": "ACME", "note": "", "seats": 3})
    wanted = [variable("customer"), variable("note", required=False), variable("seats", InputKind.NUMBER)]
    settled = settle_inputs(wanted, replace(known, asked=frozenset({"note"})))
    assert settled.inputs == {"customer": "ACME", "seats": 3}
    assert not settled.missing, "what was left empty is not asked for again"


def test_what_will_not_do_any_more_is_asked_for_anew() -> None:
    plan = replace(variable("plan", InputKind.SELECT), options=("Gold", "Silver"))
    settled = settle_inputs([plan, variable("name")], replace(ASKED, kept={"plan": "Bronze", "name": ""}))
    assert [one.name for one in settled.missing] == ["plan", "name"]


def test_an_optional_variable_is_asked_for_only_where_the_operator_says_so() -> None:
    note = variable("note", required=False)
    assert not settle_inputs([note], ASKED).missing
    assert settle_inputs([note], replace(ASKED, asked=frozenset({"note"}))).missing == [note]


def test_a_required_variable_with_a_default_of_its_own_needs_nobody() -> None:
    language = replace(variable("language"), default="en")
    assert settle_inputs([language], ASKED).inputs == {"language": "en"}
    assert settle_inputs([language], replace(ASKED, asked=frozenset({"language"}))).missing == [language]


def test_nobody_is_asked_for_hidden_variables_and_for_files() -> None:
    wanted = [
        replace(variable("secret"), hidden=True),
        variable("scan", InputKind.FILE),
        variable("x", InputKind.OTHER),
    ]
    assert not settle_inputs(wanted, replace(ASKED, asked=frozenset({"scan"}))).missing


def test_a_constant_that_the_app_would_refuse_is_named() -> None:
    plan = replace(variable("plan", InputKind.SELECT), options=("Gold", "Silver"))
    settled = settle_inputs([plan], replace(ASKED, constants={"plan": "Bronze"}))
    assert settled.wrong == [Wrong(name="plan", problem="must be one of: Gold, Silver")]


def test_where_it_is_not_known_what_the_app_wants_it_gets_all_there_is() -> None:
    known = Known(
        constants={"language": "en"},
        sourced={"who": Sourced(source=Source.ASKER_ID)},
        author=values.person("ada"),
        target=values.target(),
        kept={"customer": "ACME", "note": "", "language": "de"},
    )
    assert settle_inputs(None, known).inputs == {"customer": "ACME", "who": "ada", "language": "en"}


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        (InputKind.TEXT, 3, "3"),
        (InputKind.NUMBER, "2.50", 2.5),
        (InputKind.NUMBER, "3", 3),
        (InputKind.CHECKBOX, "yes", True),
        (InputKind.CHECKBOX, False, False),
        (InputKind.OTHER, "as it is", "as it is"),
    ],
)
def test_a_value_is_sent_as_the_app_takes_it(kind: InputKind, value: Value, wanted: Value) -> None:
    converted = convert(variable("x", kind), value)
    assert (converted, type(converted)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (InputKind.TEXT, True),
        (InputKind.NUMBER, "three"),
        (InputKind.NUMBER, "nan"),
        (InputKind.NUMBER, True),
        (InputKind.CHECKBOX, "perhaps"),
        (InputKind.SELECT, "anything"),
    ],
)
def test_a_value_that_the_app_would_refuse_is_not_sent(kind: InputKind, value: Value) -> None:
    assert isinstance(convert(replace(variable("x", kind), options=("Gold",)), value), Wrong)


def test_a_form_asks_for_each_variable_as_its_author_made_it() -> None:
    plan = replace(variable("plan", InputKind.SELECT), options=("Gold", "", "Gold", "Silver"), default="Silver")
    agreed = replace(variable("agreed", InputKind.CHECKBOX, required=False), default=True)
    form = form_for("inputs:1", "Support", [plan, agreed])
    assert form.fields == (
        FormField(name="plan", label="Plan", kind=FieldKind.SELECT, options=("Gold", "Silver"), default="Silver"),
        FormField(name="agreed", label="Agreed", kind=FieldKind.CHECKBOX, required=False, default="yes"),
    )


@pytest.mark.parametrize(
    ("kind", "written", "kept"),
    [
        (FieldKind.TEXT, " ACME ", "ACME"),
        (FieldKind.NUMBER, "3", 3),
        (FieldKind.NUMBER, "three", None),
        (FieldKind.CHECKBOX, "", False),
        (FieldKind.CHECKBOX, "yes", True),
        (FieldKind.TEXT, "", ""),
    ],
)
def test_what_was_written_is_kept_as_what_it_means(kind: FieldKind, written: str, kept: Value | None) -> None:
    assert filled_in(FormField(name="x", label="X", kind=kind, required=False), written) == kept
