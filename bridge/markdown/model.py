"""What a parsed text consists of. Writers read this and never see Markdown."""

from dataclasses import dataclass
from typing import NamedTuple

BOLD, ITALIC, STRIKE = 1, 2, 4
"""Bits of `Span.style`."""

RESUMED = "\ufdd0"
"""Begins the text of a list item (or quote) that goes on from the message before. A noncharacter: `clean` removes it from
what a model writes, so that only the splitter can put it there."""

NUMBER_OPEN, NUMBER_CLOSE = "\ufdd1", "\ufdd2"
"""Around the number that a resumed list item really has, where its marker cannot show it."""


class Span(NamedTuple):
    """Text that looks the same from end to end."""

    text: str
    """What a person reads; "\\n" breaks the line."""
    style: int = 0
    href: str = ""
    """Where it leads, as written by the model; empty for no link."""
    code: bool = False
    person: str = ""
    """Id of the person whom this mentions, who may be mentioned."""


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Paragraph:
    spans: Spans


@dataclass(frozen=True, slots=True)
class Heading:
    level: int
    spans: Spans


@dataclass(frozen=True, slots=True)
class Fence:
    """A code block, however it was written."""

    info: str
    text: str


@dataclass(frozen=True, slots=True)
class Rule:
    pass


@dataclass(frozen=True, slots=True)
class Quote:
    blocks: "tuple[Block, ...]"


@dataclass(frozen=True, slots=True)
class Item:
    blocks: "tuple[Block, ...]"
    number: int | None = None
    """None: a bullet."""
    done: bool | None = None
    """Of a task; None for an item that is none."""
    resumed: bool = False
    """Its beginning, with the marker, stands in the message before."""


@dataclass(frozen=True, slots=True)
class List:
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Table:
    head: tuple[Spans, ...]
    aligns: tuple[str, ...]
    """`left`, `right`, `center` or empty, per column."""
    rows: tuple[tuple[Spans, ...], ...]


DELIMITERS = {"left": ":--", "right": "--:", "center": ":-:", "": "---"}
"""What stands below the head of a table, by the alignment of the column."""

Block = Paragraph | Heading | Fence | Rule | Quote | List | Table


def plain(spans: Spans) -> str:
    return "".join(span.text for span in spans)
