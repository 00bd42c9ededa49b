"""Long answers become several messages: what a person expects of where they are cut."""

import pytest

from adapters.discord.dialect import DiscordDialect
from adapters.slack.dialect import SlackDialect
from bridge.markdown.dialect import Dialect
from bridge.splitting import Splitter, split


def cut(text: str, limit: int) -> list[str]:
    """As people read the messages."""
    dialect = DiscordDialect(limit)
    return [str(dialect.payload(part)["content"]) for part in split(text, dialect)]


def test_a_short_text_is_one_message() -> None:
    assert cut("Hello\n\nworld", 100) == ["Hello\n\nworld"]


def test_nothing_visible_is_no_message() -> None:
    assert cut("", 100) == []
    assert cut(" \n ", 100) == []


def test_the_cut_falls_between_paragraphs_when_that_is_near_the_end() -> None:
    first, second = "a" * 90, "b" * 60
    assert cut(f"{first}\n\n{second}", 100) == [first, second]


def test_a_cut_inside_code_closes_the_block_and_opens_it_again_with_its_language() -> None:
    lines = [f"line {number:03}" for number in range(30)]
    parts = cut("```python\n" + "\n".join(lines) + "\n```\nafter", 120)
    assert len(parts) > 2
    assert all(part.startswith("```python\n") for part in parts[:-1])
    assert all(part.endswith("\n```") for part in parts[:-1])
    assert parts[-1].endswith("after")
    assert [line for part in parts for line in part.split("\n") if line.startswith("line")] == lines


def test_a_numbered_list_goes_on_with_its_number() -> None:
    parts = cut("\n".join(f"{number}. {'word ' * 8}" for number in range(1, 9)), 150)
    assert len(parts) > 1
    numbers = [line.split(".")[0] for part in parts for line in part.split("\n")]
    assert numbers == [str(number) for number in range(1, 9)]


@pytest.mark.parametrize("unit", ["word ", "👩\u200d💻", "e\u0301", "漢"])
def test_an_endless_line_is_cut_between_words_and_characters_and_nothing_is_lost(unit: str) -> None:
    parts = cut(unit * 100, 60)
    assert all(part.startswith(unit.strip()) for part in parts)
    assert "".join(parts).replace(" ", "") == (unit * 100).replace(" ", "")


def test_a_message_that_is_full_never_changes_while_the_text_grows() -> None:
    text = "\n\n".join(f"**{number}** " + "word " * 12 for number in range(12))
    splitter = Splitter(DiscordDialect(200))
    before: list[str] = []
    for end in range(0, len(text), 7):
        now = splitter.feed(text[:end])
        assert now[: len(before) - 1] == before[:-1]
        before = now


def test_a_replaced_text_starts_over() -> None:
    splitter = Splitter(DiscordDialect(60))
    assert len(splitter.feed("a" * 200)) > 1
    assert splitter.feed("short") == ["short"]


def test_what_stands_behind_a_message_is_the_rest_of_the_text_as_it_was_written() -> None:
    paragraphs = [f"__{number}__ " + "x" * 80 for number in range(8)]
    splitter = Splitter(DiscordDialect(100))
    parts = splitter.feed("\n\n".join(paragraphs), final=True)
    assert len(parts) == 8
    for count in range(1, 8):
        assert splitter.behind(count) == "\n\n".join(paragraphs[count:])


def test_what_goes_on_behind_a_message_is_opened_again() -> None:
    code = "```python\n" + "\n".join(f"line {number:03}" for number in range(30)) + "\n```\nafter"
    items = "\n".join(f"{number}. {'word ' * 8}" for number in range(10, 20))
    line = "word " * 100
    behind = []
    for text in (code, items, line):
        splitter = Splitter(DiscordDialect(120))
        splitter.feed(text, final=True)
        behind.append(splitter.behind(1))
    assert behind[0].startswith("```python\nline 0")
    assert behind[0].endswith("\n```\nafter")
    assert behind[1].startswith("1")
    assert behind[2].startswith("word word")
    assert not any("\ufdd0" <= letter <= "\ufdd2" for text in behind for letter in text)


@pytest.mark.parametrize("dialect", [SlackDialect(300), DiscordDialect(300)])
@pytest.mark.parametrize("before", ["", "- ", "> "])
@pytest.mark.parametrize("piece", ["[label{0}](https://a.io/{0})", "[see. this {0}]", "[a [b [c. d {0}]]]"])
def test_what_one_message_shows_never_moves_to_the_next(dialect: Dialect, before: str, piece: str) -> None:
    """Half a link, and half a pair of brackets, takes more room than the whole."""
    text = before + " ".join(map(piece.format, range(10, 40)))
    for limit in (128, 177, 189, 230):
        splitter = Splitter(dialect.within(limit))
        shown: list[str] = []
        for end in range(1, len(text) + 1, 3):
            now = splitter.feed(text[:end])
            assert all(new.startswith(old) for old, new in zip(shown, now, strict=False)), f"{shown} became {now}"
            shown = now
        assert len(shown) > 1


def test_a_message_that_has_to_end_does_not_end_with_a_heading() -> None:
    splitter = Splitter(DiscordDialect(2000))
    splitter.feed("One sentence.")
    splitter.cut()
    first, *_ = splitter.feed(
        "One sentence.\n\n# A heading\n\nAnd what stands below it. More of that.\n\nThe end", final=True
    )
    assert first == "One sentence."
    splitter = Splitter(DiscordDialect(2000))
    splitter.feed("# A heading")
    splitter.cut()
    assert len(splitter.feed("# A heading\n\nWhat stands")) == 1
    first, *_ = splitter.feed("# A heading\n\nWhat stands below it.\n\nThe end", final=True)
    assert first == "# A heading\n\nWhat stands below it."
