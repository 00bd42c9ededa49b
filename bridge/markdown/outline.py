"""A growing source and its blocks: only the last one is ever parsed again."""

from collections.abc import Sequence
from dataclasses import dataclass

from markdown_it.token import Token
from markdown_it.utils import EnvType

from bridge.markdown.dialect import Dialect, People, Piece
from bridge.markdown.parser import locate


@dataclass(frozen=True, slots=True)
class Standing:
    """One top-level block where it stands in the source."""

    start: int
    """Offset of its first line."""
    end: int
    """Offset of the next block's first line, or of the end of the source."""
    tokens: Sequence[Token]
    line: int
    """Number of its first line in `tokens`."""
    piece: Piece


class Outline:
    """The blocks of a source that only grows, written in one dialect."""

    def __init__(self, dialect: Dialect, people: People) -> None:
        self._dialect = dialect
        self._people = people
        self._source = ""
        self._env: EnvType = {}
        self.blocks: list[Standing] = []
        self._lengths: dict[tuple[int, str], int] = {}

    @property
    def source(self) -> str:
        return self._source

    @property
    def definitions(self) -> str:
        """The link definitions so far, as they could be written at the beginning of another source."""
        found = self._env.get("references", {})
        lines = [f"[{label}]: <{each['href']}>\n" for label, each in found.items() if "\n" not in label + each["href"]]
        return "".join(lines[:_MOST_DEFINITIONS])

    def grow(self, source: str) -> None:
        """`source` and the one before begin alike: the shorter one is the beginning of the other."""
        if source == self._source:
            return
        while self.blocks and self.blocks[-1].start >= len(source):
            self.blocks.pop()
        known = len(self._env.get("references", {}))
        again = 1
        if len(self.blocks) > 1 and "\n" not in min(source, self._source, key=len)[self.blocks[-1].start :]:
            # A line that is not complete (`* **` is a divider, `2` a paragraph) may yet turn out to belong to the block before.
            again = 2
        base = self.blocks[-again].start if self.blocks else 0
        self._source = source
        self.blocks[-again:] = self._parse(base, source)
        if len(self._env.get("references", {})) != known:
            # A definition may turn any text before it into a link.
            self.blocks = self._parse(0, source)
            self._lengths.clear()

    def _parse(self, base: int, source: str) -> list[Standing]:
        text = source[base:]
        located = locate(text, self._env)
        if not located:
            return []
        offsets = [0]
        for line in text.split("\n"):
            offsets.append(offsets[-1] + len(line) + 1)
        starts = [base + offsets[one.start] for one in located] + [len(source)]
        return [
            Standing(start, end, one.tokens, one.start, self._dialect.write(one.block, self._people))
            for one, start, end in zip(located, starts, starts[1:], strict=False)
        ]

    def block_at(self, end: int) -> int:
        """Index of the block that holds the character before `end`; -1 before the first."""
        index = len(self.blocks) - 1
        while index >= 0 and self.blocks[index].start >= end:
            index -= 1
        return index

    def pieces(self, end: int, closer: str = "") -> list[Piece]:
        """The pieces of the source's first `end` characters followed by `closer`."""
        index = self.block_at(end)
        if index < 0:
            return []
        block = self.blocks[index]
        if end == block.end and not closer:
            return [one.piece for one in self.blocks[: index + 1]]
        cut = locate(self._source[block.start : end] + closer, dict(self._env))
        return [
            *(one.piece for one in self.blocks[:index]),
            *(self._dialect.write(one.block, self._people) for one in cut),
        ]

    def length(self, end: int, closer: str = "") -> int:
        """What the first `end` characters followed by `closer` measure. Remembered: text that stands does not change."""
        key = (end, closer)
        if (known := self._lengths.get(key)) is None:
            known = self._lengths[key] = self._dialect.measure(self.pieces(end, closer))
        return known


_MOST_DEFINITIONS = 50
"""Link definitions carried into the next message. People write a handful; more is an attack."""
