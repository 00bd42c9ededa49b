"""Long answers become several messages: nothing lost, nothing moved, code stays code."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.splitting import Splitter

FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)

words = st.text(alphabet=st.sampled_from("abc äé漢字👍🏽👩\u200d💻*_-#"), max_size=60)
code = st.tuples(st.sampled_from(["", "python", "c++ title=x"]), st.lists(words, max_size=40)).map(
    lambda pair: f"```{pair[0]}\n" + "\n".join(line.replace("`", "") for line in pair[1]) + "\n```"
)
documents = st.lists(st.one_of(words, code, st.just("")), max_size=14).map("\n".join)
limits = st.integers(min_value=60, max_value=400)


def split(text: str, limit: int) -> list[str]:
    return Splitter(limit, len).feed(text)


def letters(text: str) -> str:
    return "".join(char for char in FENCE.sub("", text) if char.isalpha() and ord(char) < 0x10000)


def without_infos(text: str) -> str:
    """Fence lines removed: their language word is repeated on purpose when a fence is reopened."""
    return "\n".join(line for line in text.split("\n") if not FENCE.match(line))


def test_a_short_text_is_one_message_and_stays_as_it_is() -> None:
    assert split("Hello\n\nworld", 100) == ["Hello\n\nworld"]


def test_nothing_visible_is_no_message() -> None:
    assert split("", 100) == []
    assert split(" \n ", 100) == []


def test_the_cut_falls_at_a_blank_line_when_there_is_one_in_the_second_half() -> None:
    first, second = "a" * 60, "b" * 60
    assert split(f"{first}\n\n{second}", 100) == [first, second]


def test_a_cut_inside_code_closes_the_fence_and_reopens_it_with_its_language() -> None:
    body = "\n".join(f"line {number:03}" for number in range(30))
    parts = split(f"```python\n{body}\n```\nafter", 120)
    assert len(parts) > 2
    assert all(part.startswith("```python\n") for part in parts[:-1])
    assert all(part.endswith("\n```") for part in parts[:-1])
    assert parts[-1].endswith("after")


def test_an_endless_line_is_cut_at_a_space_and_never_inside_an_emoji() -> None:
    parts = split("word " * 100, 60)
    assert all(not part.startswith("ord") for part in parts)
    woman = "👩\u200d💻"
    parts = split(woman * 40, 50)
    assert all(part.startswith("👩") for part in parts)
    assert "".join(parts) == woman * 40


def test_a_replaced_text_starts_over() -> None:
    splitter = Splitter(60, len)
    assert len(splitter.feed("a" * 100)) == 2
    assert splitter.feed("short") == ["short"]


@settings(max_examples=150, deadline=None)
@given(text=documents, limit=limits)
def test_every_message_fits_and_no_letter_is_lost(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(len(part) <= limit for part in parts)
    joined = "\n".join(without_infos(part) for part in parts)
    assert letters(joined) == letters(without_infos(text))


@settings(max_examples=100, deadline=None)
@given(text=documents, limit=limits, cuts=st.lists(st.integers(min_value=0, max_value=500), max_size=12))
def test_a_finished_message_never_changes_however_the_text_arrives(text: str, limit: int, cuts: list[int]) -> None:
    splitter = Splitter(limit, len)
    before: list[str] = []
    for end in sorted({*(cut for cut in cuts if cut < len(text)), len(text)}):
        now = splitter.feed(text[:end])
        frozen = before[:-1]
        assert now[: len(frozen)] == frozen
        before = now
    assert before == split(text, limit)


@settings(max_examples=100, deadline=None)
@given(text=documents, limit=limits)
def test_every_message_closes_the_fences_it_opens(text: str, limit: int) -> None:
    for part in split(text, limit):
        fence = ""
        for line in part.split("\n"):
            found = FENCE.match(line)
            if found and not fence:
                fence = found.group(1)
            elif found and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        assert not fence
