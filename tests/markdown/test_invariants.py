"""The invariants hold for generated documents and for noise, in random deltas, on both platforms, at limits from 60 up."""

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.splitting import split
from tests.markdown.corpus.document import Place
from tests.markdown.generators import MENTIONS, Stream, anything, documents, limits, noise, streams, tables
from tests.markdown.invariants import ALWAYS, EVERY, Showing, balanced, content, monotone, no_ping
from tests.markdown.seen import unprintable
from tests.markdown.sending import dialect_of, see, wire

THOROUGH = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
"""Ten times as many examples, different ones each time."""

PLATFORMS = pytest.mark.parametrize("place", ["slack", "discord"])


def quick(examples: int) -> settings:
    return settings(
        max_examples=examples * 10 if THOROUGH else examples,
        derandomize=not THOROUGH,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@PLATFORMS
@quick(60)
@given(data=st.data())
def test_every_invariant_holds_for_documents(place: Place, data: st.DataObject) -> None:
    limit = data.draw(limits(dialect_of(place).limit))
    showing = Showing(data.draw(streams(documents(limit))), place, limit)
    for invariant in EVERY:
        invariant(showing)


@PLATFORMS
@quick(30)
@given(data=st.data())
def test_tables_lose_nothing_where_not_even_their_head_fits(place: Place, data: st.DataObject) -> None:
    showing = Showing(data.draw(streams(tables(10_000))), place, data.draw(st.integers(60, 400)))
    for invariant in (*ALWAYS, content):
        invariant(showing)


@PLATFORMS
@quick(80)
@given(data=st.data())
def test_every_invariant_that_needs_no_document_holds_for_noise(place: Place, data: st.DataObject) -> None:
    limit = data.draw(limits(400))
    showing = Showing(data.draw(streams(noise())), place, limit)
    for invariant in (*ALWAYS, content):
        invariant(showing)


@PLATFORMS
@quick(80)
@given(data=st.data())
def test_anything_at_all_is_shown_without_an_exception(place: Place, data: st.DataObject) -> None:
    showing = Showing(data.draw(streams(anything())), place, data.draw(limits(400)))
    for invariant in ALWAYS:
        invariant(showing)


@PLATFORMS
@pytest.mark.parametrize("token", MENTIONS)
@pytest.mark.parametrize(
    "around",
    ["{}", "**{}**", "`{}`", "> {}", "- {}", "# {}", "[{}](https://a.io)", "| a |\n|---|\n| {} |", "```{}\nx\n```"],
)
def test_a_mention_that_arrives_letter_by_letter_calls_nobody(place: Place, token: str, around: str) -> None:
    text = "a\n\n" + around.format(token)
    showing = Showing(Stream(text=text, ends=tuple(range(4, len(text) + 1))), place)
    no_ping(showing)


@PLATFORMS
@pytest.mark.parametrize(
    "text",
    [
        "* **One:** first\n* **Two:** second\n* **Three:** third\n",
        "1. a\n\n2. b\n\n10. c\n",
        "line\n#hashtag and\n- --flags\n***bold italic***\n",
        "a\n\n***\n\nb\n===\n\n| a |\n|---|\n| b |\n",
        "Short intro.\n\n" + "some words of prose and `cat log | grep x` in one line " * 12,
        "最後の文章はここです。**太字の言葉**。次の文章。**もう一つ**です。\n" * 12,
    ],
)
def test_what_arrives_letter_by_letter_looks_as_if_it_had_come_at_once(place: Place, text: str) -> None:
    limit = 400
    ends = tuple(range(1, len(text) + 1))
    showing = Showing(Stream(text=text, ends=ends), place, limit)
    for invariant in (*ALWAYS, monotone, balanced):
        invariant(showing)


@PLATFORMS
@pytest.mark.parametrize("formula", [r"\[ x^2 \, dx \]", r"$$ a_1 * b_1 \\ c $$", "$x_1*y_1$"])
def test_a_formula_keeps_every_character(place: Place, formula: str) -> None:
    assert formula in see(dialect_of(place).payload(f"so {formula} holds"), place).text


HOSTILE = {
    "brackets": "[" * 20_000,
    "images": "![" * 10_000,
    "underscores": "_a" * 10_000,
    "stars": "*a " * 6_700,
    "bold": "**" * 10_000,
    "backticks": "`" * 20_000,
    "backtick ladder": "".join("`" * n + " " for n in range(1, 200)),
    "pipes": "|" * 20_000,
    "pipe table": "|a|b|\n|-|-|\n" + "|x|y|\n" * 3_000,
    "quotes": ">" * 20_000,
    "nested quotes": "\n".join("> " * n + "x" for n in range(150)),
    "nested lists": "\n".join("  " * n + "- x" for n in range(140)),
    "angles": "<" * 20_000,
    "entities": "&" * 20_000,
    "backslashes": "\\" * 20_000,
    "mentions": "<@U1" * 5_000,
    "links": "[a](" * 5_000,
    "closing": "](" * 10_000,
    "tildes": "~" * 20_000,
    "lines": "\n" * 20_000,
    "numbers": "1. " * 6_700,
    "marks": "a" + "\u0301" * 20_000,
    "joined": "\u200d" * 20_000,
    "headings": "# a\n" * 5_000,
    "rules": "---\n" * 5_000,
    "at": "@here" * 4_000,
    "addresses": "https://" * 2_500,
    "nul": "\x00" * 20_000,
    "definitions": "[a]: https://a.io\n" * 1_100,
    "spaces": " " * 20_000 + "x",
}


@PLATFORMS
@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_text_is_cut_to_fit_like_any_other(place: Place, name: str) -> None:
    """How long that takes is counted in tests/core/test_markdown_costs.py and measured by `make bench`."""
    dialect = dialect_of(place)
    for part in split(HOSTILE[name], dialect):
        assert dialect.render(part).length <= dialect.limit
        assert not unprintable(wire(dialect.payload(part)))
