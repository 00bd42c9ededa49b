"""What the engine costs, counted in characters given to the parser and not in seconds, which depend on the machine."""

import re
from collections.abc import Sequence

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType

from adapters.discord.dialect import DIALECT as DISCORD
from adapters.slack.dialect import DIALECT as SLACK
from bridge.markdown.dialect import Dialect
from bridge.markdown.inline import Inline, InlineMap
from bridge.splitting import Splitter, split
from tests.benchmarks.documents import ANSWERS, hostile, many_lines

DIALECTS: dict[str, Dialect] = {"slack": SLACK, "discord": DISCORD}

EDITS = 80

LIMIT = 2_000
"""So small that half the text is several messages already."""

HALF = {**dict(hostile(10_000)), **dict(many_lines(5_000)), **{kind: text[:10_000] for kind, text in ANSWERS.items()}}
WHOLE = {**dict(hostile(20_000)), **dict(many_lines(10_000)), **ANSWERS}

NOTHING_TO_SHOW = {"> ", "- ", "`"}
"""Runs of these are next to nothing when they are written, so that all of it is one message, which is looked at as it grows."""


class Parsed:
    """Everything that was given to the parser since the last look."""

    def __init__(self) -> None:
        self.sources: list[str] = []

    @property
    def characters(self) -> int:
        return sum(map(len, self.sources))

    def take(self) -> list[str]:
        taken, self.sources = self.sources, []
        return taken


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Parsed:
    """Counts what the blocks' parser gets, and what is looked at a second time inside a line."""
    found = Parsed()
    parse, look = MarkdownIt.parse, Inline.map

    def counting_parse(self: MarkdownIt, src: str, env: EnvType | None = None) -> list[Token]:
        found.sources.append(src)
        return parse(self, src, env)

    def counting_map(self: Inline, src: str, md: MarkdownIt, env: EnvType) -> InlineMap:
        found.sources.append(src)
        return look(self, src, md, env)

    monkeypatch.setattr(MarkdownIt, "parse", counting_parse)
    monkeypatch.setattr(Inline, "map", counting_map)
    return found


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> Dialect:
    """One that remembers nothing."""
    chosen = DIALECTS[request.param]
    return chosen.within(chosen.limit)


def grow(text: str, dialect: Dialect) -> Sequence[str]:
    """As an answer grows, with what would be sent after each edit."""
    splitter = Splitter(dialect)
    parts: list[str] = []
    for number in range(1, EDITS + 1):
        parts = splitter.feed(text[: len(text) * number // EDITS], final=number == EDITS)
        for part in parts[-1:]:
            dialect.payload(part)
    return parts


@pytest.mark.parametrize("name", WHOLE)
def test_twice_the_text_is_about_twice_the_work(name: str, dialect: Dialect, parsed: Parsed) -> None:
    split(HALF[name], dialect.within(LIMIT))
    half = parsed.characters
    parsed.take()
    split(WHOLE[name], dialect.within(LIMIT))
    assert half >= len(HALF[name])
    if name in NOTHING_TO_SHOW:
        assert parsed.characters <= 20 * len(WHOLE[name])
    else:
        assert parsed.characters <= 2.6 * half


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_growing_answer_costs_a_fraction_of_writing_it_anew_each_time(
    kind: str, dialect: Dialect, parsed: Parsed
) -> None:
    grow(ANSWERS[kind], dialect)
    anew = sum(len(ANSWERS[kind]) * number // EDITS for number in range(1, EDITS + 1))
    assert parsed.characters < anew / 2


def test_frozen_text_is_never_parsed_again(dialect: Dialect, parsed: Parsed) -> None:
    text = "\n\n".join(f"Paragraph p{number:04} has some **bold words p{number:04}** in it." for number in range(400))
    splitter = Splitter(dialect)
    frozen: set[str] = set()
    most = 0
    for end in range(250, len(text) + 250, 250):
        parts = splitter.feed(text[:end], final=end >= len(text))
        for part in parts[-1:]:
            dialect.payload(part)
        again = {word for source in parsed.take() for word in re.findall(r"p\d{4}\b", source)} & frozen
        assert not again
        frozen |= {word for part in parts[:-1] for word in re.findall(r"\bp\d{4}\b", part)}
        most = max(most, len(parts))
    assert most >= 2
    assert len(frozen) > 100


def test_an_edit_parses_the_last_block_and_no_other(parsed: Parsed) -> None:
    text = "".join(f"Paragraph {number} with **bold words** and `code`.\n\n" for number in range(120))
    dialect = SLACK.within(SLACK.limit)
    splitter = Splitter(dialect)
    dialect.payload(splitter.feed(text + "The last one")[-1])
    assert len(text) < dialect.limit
    parsed.take()
    dialect.payload(splitter.feed(text + "The last one grows")[-1])
    assert 0 < parsed.characters <= 10 * len("The last one grows")


def test_the_same_text_again_is_not_parsed(dialect: Dialect, parsed: Parsed) -> None:
    splitter = Splitter(dialect)
    text = ANSWERS["prose"][:1_500]
    dialect.payload(splitter.feed(text)[-1])
    parsed.take()
    dialect.payload(splitter.feed(text)[-1])
    assert parsed.characters <= 3 * 500
