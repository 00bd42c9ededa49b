"""How much of a growing text may be added, and where it goes on."""

import pytest

from adapters.slack.writing.growth import continue_after, open_fence, settled


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("", ""),
        ("Hel", ""),
        ("Hello wor", "Hello "),
        ("one  two", "one  "),
        ("one\u3000\u00a0two", ""),
        ("one two\u3000three", "one "),
        ("one \u3000two three", "one \u3000two "),
        ("one two \u3000\u00a0three", "one tw"),
        ("これは空白のない長い文章です。" * 4, ("これは空白のない長い文章です。" * 4)[:-1]),
        ("see **bold words**", "see "),
        ("see **bold words** and", "see **bold words** "),
        ("see ~~old words~~", "see "),
        ("see [a link](http://x.io/y), and", "see [a link](http://x.io/y), "),
        ("see [a link](http://x.io/y),", "see "),
        ("run `a b c`", "run "),
        ("```py\na = 1\nb\n```", "```py\na = 1\n"),
        ("```py\na = 1\n\n```", "```py\na = "),
        ("```\na\n```\n\nmore of", "```\na\n```\n\nmore "),
        ("- item\n  ```\n  code here\n  ```", "- item\n  ```\n  code "),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |", "| a | b |\n| --- | --- |\n"),
        ("> | a | b |", ""),
        ("**" + "bold " * 60 + "end**", "**" + "bold " * 60),
    ],
)
def test_what_may_still_change_waits_and_every_chunk_ends_before_a_letter(text: str, added: str) -> None:
    assert text[: settled(text, 0)] == added
    assert not text[len(added) : len(added) + 1].isspace()


@pytest.mark.parametrize("start", range(12))
def test_nothing_is_ever_taken_back(start: int) -> None:
    assert settled("one **two three**", start) >= start


def test_a_text_goes_on_where_it_was_whatever_signs_were_added_meanwhile() -> None:
    assert continue_after("one ~2 ", "one ~2 three") == 7
    assert continue_after("one ~2 ", "one \\~2 three") == 8
    assert continue_after("one [2] ", "one (2) three") is None
    assert continue_after("one two three", "one two") is None
    assert continue_after("", "one") == 0


@pytest.mark.parametrize(
    ("text", "fence"),
    [
        ("", ""),
        ("```py\na", "```"),
        ("```py\na\n```\nb", ""),
        ("````\n```\na", "````"),
        ("````\n```\na\n````\n", ""),
        ("- one\n  1. ```\n     a", "```"),
        ("> ```\n> a\n> ```\nb", ""),
        ("``` not code ``` at all", ""),
    ],
)
def test_what_is_in_code_is_known_by_the_fence_that_opened_it(text: str, fence: str) -> None:
    assert open_fence(text) == fence
