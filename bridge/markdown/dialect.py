"""The seam between the engine and a platform's way of writing: pieces, their measure, what is remembered."""

import re
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bridge.markdown.characters import clean
from bridge.markdown.model import Block, Span, Spans
from bridge.markdown.parser import parse

People = Mapping[str, str]
"""Those who may be mentioned: id on the platform, and the name that a person reads."""

NOBODY: People = {}

REMEMBERED = 64
"""Renderings kept per dialect. An answer's writer measures a text, the adapter sends it a moment later."""


class Piece(NamedTuple):
    """One top-level block as it is sent."""

    text: str
    length: int
    """Of `text`, in the dialect's unit."""
    kind: type[Block]
    plain: str = ""
    """What a person reads of it, where the dialect needs that too."""


@dataclass(frozen=True, slots=True)
class Rendered:
    pieces: tuple[Piece, ...]
    text: str
    length: int
    """In the dialect's measure, which may count more than letters."""


class Dialect(ABC):
    """One platform's Markdown. Pure; may be used from several threads."""

    limit: int
    """Most that one message may measure."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._remembered: OrderedDict[tuple[str, frozenset[tuple[str, str]]], Rendered] = OrderedDict()

    @abstractmethod
    def within(self, limit: int) -> "Dialect":
        """The same way of writing with another limit."""

    @abstractmethod
    def write(self, block: Block, people: People) -> Piece:
        """One top-level block."""

    @abstractmethod
    def gap(self, before: Piece, after: Piece) -> str:
        """What stands between two blocks."""

    @abstractmethod
    def measure(self, pieces: Sequence[Piece]) -> int:
        """How much of `limit` a message of these takes."""

    @abstractmethod
    def payload(self, source: str, people: People = NOBODY, *, fallback: bool = False) -> dict[str, object]:
        """Exactly the text fields of the API call. `fallback`: in the form for when the usual one was refused."""

    def render(self, source: str, people: People = NOBODY) -> Rendered:
        """Markdown as it is sent. Never raises; linear in the length of `source`."""
        key = (source, frozenset(people.items()))
        with self._lock:
            if (known := self._remembered.get(key)) is not None:
                self._remembered.move_to_end(key)
                return known
        rendered = self.assemble([self.write(block, people) for block in parse(clean(source))])
        self.remember(source, people, rendered)
        return rendered

    def assemble(self, pieces: Sequence[Piece]) -> Rendered:
        pieces = tuple(piece for piece in pieces if piece.text.strip())
        out: list[str] = []
        for index, piece in enumerate(pieces):
            if index:
                out.append(self.gap(pieces[index - 1], piece))
            out.append(piece.text)
        return Rendered(pieces, "".join(out), self.measure(pieces))

    def remember(self, source: str, people: People, rendered: Rendered) -> None:
        """Spares the next `render` of the same text."""
        with self._lock:
            self._remembered[source, frozenset(people.items())] = rendered
            while len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)


def name_people(spans: Spans, people: People, token: re.Pattern[str]) -> Spans:
    """`spans` with mentions of `people` set apart, written as the platform's token (group 1: the id) or as `@name`.

    Who is not among `people` stays text. Code stays code.
    """
    if not people:
        return spans
    names = {name: person for person, name in people.items() if name.strip()}
    by_name = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    pattern = re.compile(
        f"{token.pattern}|(?<![A-Za-z0-9._-])@(?:({by_name}))(?![A-Za-z0-9_])" if by_name else token.pattern
    )
    out: list[Span] = []
    for span in spans:
        if span.code or span.href:
            out.append(span)
            continue
        at = 0
        for found in pattern.finditer(span.text):
            person = names[found[2]] if by_name and found[2] else found[1]
            if person not in people:
                continue
            if found.start() > at:
                out.append(span._replace(text=span.text[at : found.start()]))
            out.append(span._replace(text="@" + people[person], person=person))
            at = found.end()
        if at < len(span.text):
            out.append(span._replace(text=span.text[at:]))
    return tuple(out)
