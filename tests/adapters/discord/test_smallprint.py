"""What stands around the text, and is no part of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord.writing.smallprint import around, plain
from bridge.messages import OutgoingMessage


def message(*sources: str) -> OutgoingMessage:
    return OutgoingMessage(text="", nonce="n", sources=sources)


def test_sources_are_small_print_below_the_text() -> None:
    assert around("Text", message("a.pdf", "Hand book")) == "Text\n-# 📚 a.pdf · Hand book"


def test_what_the_app_is_doing_is_small_print() -> None:
    assert around("⏳ Searching…", message()) == "-# ⏳ Searching…"
    assert around("⏳ Searching…\n\nfor more", message()) == "⏳ Searching…\n\nfor more"


def test_names_of_sources_are_no_markup_and_call_nobody() -> None:
    assert around("x", message("**b**\n<@12> @everyone")) == "x\n-# 📚 \\*\\*b\\*\\* \\<\u200b@12\\> @\u200beveryone"


@given(st.integers(0, 1_990), st.lists(st.text(min_size=1, max_size=300), max_size=30))
def test_there_is_always_room_for_what_is_shown(length: int, sources: list[str]) -> None:
    assert len(around("x" * length, message(*sources))) <= 2_000


def test_sources_that_find_no_room_are_counted() -> None:
    names = [f"{letter}" * 60 for letter in "abc"]
    assert around("x" * 1_900, message(*names)) == f"{'x' * 1_900}\n-# 📚 {'a' * 60} · +2"
    assert around("x" * 1_970, message(*names)) == f"{'x' * 1_970}\n-# 📚 3 sources"
    assert around("x" * 1_990, message(*names)) == "x" * 1_990


@pytest.mark.parametrize(
    "content", ["Text", "⏳ Searching…", "One\n\n-# small print of the app's own", "⏳ x\n\ny", "a 📚 b"]
)
def test_it_is_taken_away_again(content: str) -> None:
    assert plain(around(content, message("a.pdf", "b"), note="Over soon.")) == content
    assert plain(around(content, message())) == content
