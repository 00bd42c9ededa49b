"""Tables among the attachments of a message, as values."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.slack.reading.tables import MOST_CHARS, people_in_tables, tables_in
from tests.adapters.slack.test_inbound import json_values


def message(*tables: object) -> dict[str, object]:
    return {"attachments": [{"blocks": list(tables)}]}


def table(*rows: Sequence[object], kind: str = "table") -> dict[str, object]:
    return {"type": kind, "rows": list(rows)}


def raw(text: str) -> dict[str, object]:
    return {"type": "raw_text", "text": text}


def rich(*elements: object) -> dict[str, object]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


@pytest.mark.parametrize("kind", ["table", "data_table"])
def test_a_table_becomes_markdown(kind: str) -> None:
    read = tables_in(message(table([raw("a"), raw("b")], [raw("1"), raw("2")], kind=kind)), {})
    assert read == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_rows_of_different_lengths_are_filled_up_and_empty_ones_left_out() -> None:
    read = tables_in(message(table([raw("a")], [raw("")], [raw("1"), raw("2\nlines")])), {})
    assert read == "| a |  |\n| --- | --- |\n| 1 | 2 lines |"


def test_a_cell_is_spelled_as_people_read_it() -> None:
    cell = rich(
        {"type": "text", "text": "see "},
        {"type": "link", "url": "https://x.example", "text": "this"},
        {"type": "text", "text": " of "},
        {"type": "user", "user_id": "U1"},
        {"type": "emoji", "name": "wave"},
        {"type": "broadcast", "range": "here"},
        {"type": "channel", "channel_id": "C1"},
    )
    assert tables_in(message(table([cell])), {"U1": "Ada"}).splitlines()[0] == (
        "| see this (https://x.example) of @Ada:wave:@here#C1 |"
    )


@pytest.mark.parametrize(
    ("cell", "text"),
    [({"type": "raw_number", "value": 2.5}, "2.5"), ({"type": "raw_number", "value": 2, "text": "2 €"}, "2 €")],
)
def test_numbers_are_read(cell: dict[str, object], text: str) -> None:
    assert tables_in(message(table([cell])), {}).startswith(f"| {text} |")


def test_people_in_tables_are_known() -> None:
    assert list(people_in_tables(message(table([rich({"type": "user", "user_id": "U1"}), raw("x")])))) == ["U1"]


def test_of_very_large_tables_what_is_read_ends_and_says_so() -> None:
    one = table(*[[raw("x" * 70)] * 20] * 7)
    read = tables_in(message(one, one), {})
    assert len(read) < MOST_CHARS + 100
    assert read.endswith("(more tables, too long to be read)")


def test_more_rows_and_columns_than_slack_has_are_left_out() -> None:
    read = tables_in(message(table(*[[raw("x")] * 50] * 500)), {})
    assert len(read.splitlines()) == 102
    assert read.splitlines()[0].count("x") == 20


def test_previews_of_links_are_not_read() -> None:
    preview = {"attachments": [{"text": "of a page", "blocks": [{"type": "section", "text": {"text": "of a page"}}]}]}
    assert tables_in(preview, {}) == ""


@given(json_values)
def test_nothing_whatever_breaks_the_reader(odd: object) -> None:
    for one in ({"attachments": odd}, message(odd), message({"type": "table", "rows": odd}), message(table([odd]))):
        tables_in(one, {})
        list(people_in_tables(one))


@given(
    st.recursive(
        st.just({"type": "text", "text": "x"}), lambda inner: st.builds(lambda one: {"elements": [one]}, inner)
    )
)
def test_however_deep_a_cell_is_it_is_read(element: object) -> None:
    assert "x" in tables_in(message(table([{"type": "rich_text", "elements": [element]}])), {})
