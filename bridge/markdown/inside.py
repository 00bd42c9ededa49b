"""Where a source may be cut inside a line: never inside a character, a link or a code if that can be helped. Pure."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from markdown_it.token import Token

from bridge.markdown.characters import is_boundary
from bridge.markdown.cuts import DELIMITER, WORD, Cut, Rank, Walk, later, resume
from bridge.markdown.inline import InlineMap
from bridge.markdown.outline import Outline
from bridge.markdown.parser import map_inline
from bridge.markdown.repair import LONGEST_LABEL, withhold

_TASK_BOX = re.compile(r"\[[ xX]\][ \t]")
_LEADING = re.compile(r"[ \t>]*")
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]{0,2}[ \t]+|[。！？…][」』”’）】]{0,2}")
_GAP = re.compile(r"[ \t]+|[，、；：,;]")
_BRACKET = re.compile(r"[\[\]]")
_DEEPEST_INDENT = 80
"""Columns of code that are taken for its indent."""


def inline_cuts(outline: Outline, place: int, window: tuple[int, int], *, torn: bool = False) -> list[Cut]:
    """Cuts inside the line at `place` (or the first one after it that is not empty), in order: behind the first offset of
    `window`, and not behind its second.

    `torn`: between any two characters, even those that are drawn as one; for when one of those is longer than a message.
    """
    index = max(outline.block_at(place + 1), 0)
    if index >= len(outline.blocks):
        return []
    line = _Line(outline, index, place)
    found = (cut for cut in line.cuts(*window) if window[0] < cut.end <= window[1])
    return list(found) if torn else [cut for cut in found if is_boundary(outline.source, cut.end)]


class _Line:
    """One line of the source, and what it is a part of."""

    def __init__(self, outline: Outline, index: int, place: int) -> None:
        self._source = outline.source
        self._tokens = outline.blocks[index].tokens
        self._walk = Walk(outline.source, outline.blocks[index])
        lines = self._walk.lines
        number = max(bisect_right(self._walk.offsets, place) - 1, 0)
        while number < len(lines) - 1 and not lines[number].strip():
            number += 1
        self._leaf, self._chain = self._walk.leaf(number)
        if self._leaf is not None and self._leaf.type == "fence" and number == self._walk.first(self._leaf):
            number = min(number + 1, len(lines) - 1)
        self._number = number
        self._text = lines[number]
        self._start = self._walk.offsets[number]

    def cuts(self, lowest: int, highest: int) -> Iterator[Cut]:
        end = self._start + len(self._text)
        # The end of what there is so far may be the middle of a line.
        last = end if self._source[end:].strip() else end + 1
        places = range(max(self._start, lowest) + 1, min(last, highest + 1))
        leaf = self._leaf
        if leaf is None:
            return self._rough(places)
        if leaf.type == "fence":
            return self._in_fence(leaf, places)
        if leaf.type == "code_block":
            opener = f"{resume(self._chain, inline=False)}{later(self._chain)}    "
            return (Cut(at, at, Rank.CHARACTER, "", opener) for at in places if at > self._indent)
        body = next((at for at, token in enumerate(self._tokens) if token.type == "tbody_open"), None)
        if self._in_table_head():
            return (Cut(at, at, Rank.TABLE) for at in places)
        if body is not None and self._number >= self._walk.first(self._tokens[body]):
            openers = [f"{one}{later(self._chain)}| " for one in self._walk.head(body, self._chain)]
            return (Cut(at, at, Rank.TABLE, " |", *openers) for at in places)
        return self._in_paragraph(leaf, places)

    def _in_table_head(self) -> bool:
        heads = (token.map for token in self._tokens if token.type == "thead_open" and token.map)
        line = self._number + self._walk.start
        return any(start <= line <= end for start, end in heads)

    @property
    def _indent(self) -> int:
        lead = _LEADING.match(self._text)
        return self._start + min(lead.end() if lead else 0, _DEEPEST_INDENT)

    def _rough(self, places: range) -> Iterator[Cut]:
        opener = resume(self._chain, inline=True)
        return (Cut(at, at, Rank.CHARACTER, "", opener) for at in places)

    def _in_fence(self, fence: Token, places: range) -> Iterator[Cut]:
        if not self._walk.is_code(fence, self._number):
            return iter(())
        word, margin = WORD.match(fence.info.strip()), later(self._chain)
        bare = f"{resume(self._chain, inline=False)}{margin}{fence.markup}"
        opener, spare = (f"{bare}{language}\n{margin}" for language in (word[0] if word else "", ""))
        closer = f"\n{margin}{fence.markup}"
        return (Cut(at, at, Rank.CHARACTER, closer, opener, spare) for at in places if at > self._indent)

    def _in_paragraph(self, leaf: Token, places: range) -> Iterator[Cut]:
        contents = leaf.content.split("\n")
        number = self._number - self._walk.first(leaf)
        bare = self._text.rstrip()
        content = contents[number].rstrip() if number < len(contents) else ""
        if not content or not bare.endswith(content):
            yield from self._rough(places)
            return
        before = [0, *accumulate(len(one) + 1 for one in contents)][number]
        shift = self._start + len(bare) - len(content) - before
        first = self._tokens[0]
        heading = first.type == "heading_open" and first.markup.startswith("#")
        opener = f"{first.markup} " if heading else resume(self._chain, inline=True)
        box = _TASK_BOX.match(content) if number == 0 else None
        found = map_inline(leaf.content, {})
        least = max(before + (box.end() if box else 0), places.start - 1 - shift)
        cuts = _text_cuts(leaf.content, range(least + 1, places.stop - shift), before + len(content), found)
        below = contents[number + 1 :][:1]
        # A line with pipes may become the head of a table; without one in front, only once it is underlined.
        row = "|" in content and (DELIMITER.match(below[0]) is not None if below else content.startswith("|"))
        for cut in cuts:
            rank = max(cut.rank, Rank.TABLE) if row else cut.rank
            yield Cut(cut.end + shift, cut.start + shift, rank, cut.closer, opener + cut.opener)


def _text_cuts(text: str, places: range, end: int, found: InlineMap) -> Iterator[Cut]:
    """Cuts in `text` at `places` and before `end`, in order."""
    lowest = max(places.start - 1, 0)
    gaps = {
        gap.start() if gap[0].isspace() else gap.end(): (Rank.SPACE, gap.end()) for gap in _GAP.finditer(text, lowest)
    }
    for stop in _SENTENCE.finditer(text, lowest):
        gaps[len(stop[0].rstrip()) + stop.start()] = (Rank.SENTENCE, stop.end())
    # What is not complete yet may become an atom.
    held = len(withhold(text, found))
    known = [(atom.start, atom.end) for atom in found.atoms]
    atoms = _covered([*known, *_bracketed(text, known), (held, len(text))], len(text))
    # Inside a marker, or between it and what it embraces.
    markers = _covered(
        [(pair.start, pair.inner + 1) for pair in found.pairs]
        + [(pair.close - 1, pair.end) for pair in found.pairs]
        + [(at, at + len(marker) + 1) for at, marker in found.openers],
        len(text),
    )
    styles = _Styles(found)
    last = end + 1 if end == len(text) and places.stop > end else end
    for place in range(places.start, min(places.stop, last)):
        if markers[place]:
            continue
        standing = styles.at(place)
        rank, start = gaps.get(place, (Rank.CHARACTER, place))
        if atoms[place] or place > held:
            rank, start = Rank.ATOM, place
        elif standing and text[place - 1].isspace():
            continue
        elif standing and rank < Rank.STYLED:
            rank = Rank.STYLED
        if start < last:
            yield Cut(place, start, rank, "".join(reversed(standing)), "".join(standing))


def _bracketed(text: str, atoms: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """`[1]`, `[see there]`: without its partner a bracket is escaped, and all others in the text beside it, so that half of
    it takes more room than the whole."""
    taken = _covered(atoms, len(text))
    starts = {start for start, _ in atoms}
    opened: list[int] = []
    for found in _BRACKET.finditer(text):
        at = found.start()
        if taken[at] or at in starts:
            continue
        if found[0] == "[":
            opened.append(at)
        elif opened and at < (start := opened.pop()) + LONGEST_LABEL:
            yield start, at + 1


class _Styles:
    """Which emphasis is open, asked for places in order."""

    def __init__(self, found: InlineMap) -> None:
        self._events = sorted(
            [(pair.inner, 1, pair.marker) for pair in found.pairs]
            + [(pair.close, -1, pair.marker) for pair in found.pairs]
            + [(at + len(marker), 1, marker) for at, marker in found.openers]
        )
        self._next = 0
        self._standing: list[str] = []

    def at(self, place: int) -> Sequence[str]:
        while self._next < len(self._events) and self._events[self._next][0] <= place:
            _, step, marker = self._events[self._next]
            self._next += 1
            if step > 0:
                self._standing.append(marker)
            elif marker in self._standing:
                del self._standing[len(self._standing) - 1 - self._standing[::-1].index(marker)]
        return self._standing


def _covered(ranges: Sequence[tuple[int, int]], length: int) -> list[bool]:
    """For each place in a text, whether it lies inside one of `ranges`."""
    out = [False] * (length + 1)
    for start, end in ranges:
        for at in range(start + 1, min(end, length + 1)):
            out[at] = True
    return out
