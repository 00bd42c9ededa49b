"""A text in one line of limited length: for labels, titles and names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.markdown.characters import in_one_line, is_boundary

FAMILY = "\U0001f468‍\U0001f469‍\U0001f467"


def test_white_space_of_every_kind_becomes_one_space() -> None:
    assert in_one_line(" How\n\nare\tyou ", 100) == "How are you"


@pytest.mark.parametrize(("most", "line"), [(8, "a family"), (7, "a fami…"), (3, "a…")])
def test_what_is_too_long_is_cut_and_says_so(most: int, line: str) -> None:
    assert in_one_line("a family", most) == line


def test_no_visible_character_is_torn_apart() -> None:
    assert in_one_line(f"ab {FAMILY} and more", 6) == "ab…"


@given(st.text(alphabet=st.sampled_from("ab \n" + FAMILY + "\U0001f1e9\U0001f1eae\u0301")), st.integers(1, 20))
def test_it_never_is_longer_and_what_stays_is_whole(text: str, most: int) -> None:
    whole, line = " ".join(text.split()), in_one_line(text, most)
    assert len(line) <= most
    assert line == whole or line.endswith("…")
    kept = line.removesuffix("…") if line != whole else whole
    assert whole.startswith(kept)
    assert is_boundary(whole, len(kept)) or whole[len(kept)] == " "
