"""One document and what a person must see of it. What is not said must not be there: no style, link or marker by default."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypedDict

Place = Literal["slack", "fallback", "discord"]
PLACES: tuple[Place, ...] = ("slack", "fallback", "discord")


class Changes(TypedDict, total=False):
    """What differs on one platform."""

    see: tuple[str, ...]
    bold: tuple[str, ...]
    italic: tuple[str, ...]
    strike: tuple[str, ...]
    code: tuple[str, ...] | None
    links: tuple[tuple[str, str], ...] | None
    quote: tuple[str, ...] | None
    marks: str | None
    literal: tuple[str, ...]
    mentions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    name: str
    source: str
    see: tuple[str, ...]
    """Visible in this order; white space counts as one space."""
    unseen: tuple[str, ...] = ()
    bold: tuple[str, ...] = ()
    """All that is bold, by its letters and digits, code left out; likewise the other styles."""
    italic: tuple[str, ...] = ()
    strike: tuple[str, ...] = ()
    code: tuple[str, ...] | None = ()
    """Inline code, to the letter. None here and below: not asked."""
    fences: tuple[tuple[str, str], ...] | None = ()
    """Language and text of each code block."""
    links: tuple[tuple[str, str], ...] | None = ()
    """Label and target."""
    headings: tuple[tuple[int, str], ...] = ()
    """Bold where the platform has no such heading."""
    quote: tuple[str, ...] | None = ()
    marks: str | None = ""
    """Bullets, numbers and boxes in order, without spaces."""
    depths: tuple[int, ...] = ()
    """Nesting of each item; not asked of the fallback. Empty when not asked."""
    table: tuple[tuple[str, ...], ...] | None = ()
    wide: bool = False
    """Too wide for Discord to show as an aligned table."""
    literal: tuple[str, ...] = ()
    """Markers that the document shows on purpose."""
    resolved_late: bool = False
    """What it means is only known at its end, so its beginning cannot be shown well."""
    people: Mapping[str, str] = field(default_factory=dict)
    mentions: frozenset[str] = frozenset()
    """Who is called. Nobody else may be."""
    slack: Changes = field(default_factory=Changes)
    fallback: Changes = field(default_factory=Changes)
    discord: Changes = field(default_factory=Changes)

    def at(self, place: Place) -> "Document":
        changes = {"slack": self.slack, "fallback": self.fallback, "discord": self.discord}[place]
        return replace(self, **changes)
