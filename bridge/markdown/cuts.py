"""Where a source may be cut, how good each place is, and what must be closed before and opened again after it. Pure."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from markdown_it.token import Token

from bridge.markdown.characters import is_boundary
from bridge.markdown.inline import InlineMap
from bridge.markdown.model import NUMBER_CLOSE, NUMBER_OPEN, RESUMED
from bridge.markdown.outline import Outline, Standing
from bridge.markdown.parser import first_number, map_inline
from bridge.markdown.repair import withhold


class Rank(IntEnum):
    """Lower is better."""

    BLOCK = 0
    """Between two top-level blocks."""
    ITEM = 1
    """Between two items of a list that is not inside anything."""
    INNER = 2
    """Between blocks or items inside a list or quote."""
    LINE = 3
    """At a line's end inside a paragraph."""
    ROW = 4
    """Between two rows of a table."""
    CODE = 5
    """At a line's end inside a code block."""
    HEADED = 6
    """Right after a heading, which should not stand alone."""
    SENTENCE = 7
    SPACE = 8
    STYLED = 9
    """At a space inside emphasis."""
    CHARACTER = 10
    ATOM = 11
    """Inside a link, an address or an inline code."""


@dataclass(frozen=True, slots=True)
class Cut:
    """`source[:end] + closer` is one message; the next begins with `opener + source[start:]`."""

    end: int
    start: int
    rank: Rank
    closer: str = ""
    opener: str = ""
    spare: str = ""
    """Instead of `opener` where that would take too much of the next message."""


@dataclass(frozen=True, slots=True)
class _Container:
    """A quote or a list item that is open at some place."""

    width: int
    """Columns by which its content is indented; 0 for a quote."""
    number: int | None = None

    @property
    def first(self) -> str:
        """Its beginning, in the line in which it begins."""
        if not self.width:
            return "> "
        return "1" * (self.width - 2) + ". " if self.number is not None else "-" + " " * (self.width - 1)

    @property
    def later(self) -> str:
        return " " * self.width if self.width else "> "


_Chain = tuple[_Container, ...]


def _resume(chain: _Chain, *, inline: bool) -> str:
    """Opens `chain` again. `inline`: a paragraph goes on in the same line; else the next line brings its own indent."""
    done, line, later = "", "", ""
    for one in chain:
        line += one.first
        later += one.later
        if one.width:
            mark = RESUMED if one.number is None else f"{RESUMED}{NUMBER_OPEN}{one.number}{NUMBER_CLOSE}"
            done += f"{line}{mark}\n{later.rstrip()}\n"
            line = later
    return f"{done}{line}{RESUMED} " if inline else done


def _later(chain: _Chain) -> str:
    return "".join(one.later for one in chain)


_MARKER = re.compile(r"([-+*]|[0-9]{1,9}[.)])([ \t]*)")
_LEADING = re.compile(r"[ \t>]*")
_WORD = re.compile(r"[A-Za-z0-9+#._-]{1,20}")
_SENTENCE = re.compile(r"[.!?…][\"'”’)\]]{0,2}[ \t]+|[。！？…][」』”’）】]{0,2}")
_GAP = re.compile(r"[ \t]+|[，、；：,;]")


def line_cuts(outline: Outline, lowest: int, end: int) -> list[Cut]:
    """Cuts at line starts between the offsets `lowest` (excluded) and `end` (included), in order."""
    found: list[Cut] = []
    first = max(outline.block_at(lowest + 1), 0)
    for index in range(first, len(outline.blocks)):
        block = outline.blocks[index]
        if block.start > end:
            break
        if index:
            headed = outline.blocks[index - 1].tokens[0].type == "heading_open"
            found.append(Cut(block.start, block.start, Rank.HEADED if headed else Rank.BLOCK))
        found += _Walk(outline.source, block).cuts()
    return [cut for cut in found if lowest < cut.end <= end]


class _Walk:
    """Through the tokens of one top-level block."""

    def __init__(self, source: str, block: Standing) -> None:
        self._tokens = block.tokens
        self.lines = source[block.start : block.end].split("\n")
        self._first = block.line
        self.offsets = [block.start]
        for line in self.lines:
            self.offsets.append(self.offsets[-1] + len(line) + 1)
        self._chain: list[tuple[_Container, int]] = []
        self._numbers: list[int | None] = []
        self._column = 0

    def cuts(self) -> list[Cut]:
        found: dict[int, Cut] = {}
        before = ""
        for index, token in enumerate(self._tokens):
            if token.map is not None and token.nesting >= 0 and token.type != "inline":
                line = token.map[0] - self._first
                if line > 0 and line not in found and token.type not in ("thead_open", "tbody_open", "tr_open"):
                    found[line] = self._boundary(line, before)
            self._enter(token)
            for cut_line, cut in self._inside(token, index):
                found.setdefault(cut_line, cut)
            before = token.type
        return [found[line] for line in sorted(found) if line < len(self.lines)]

    def chain(self, line: int) -> _Chain:
        """The containers that began before `line`."""
        return tuple(container for container, start in self._chain if start < line)

    def _enter(self, token: Token) -> None:
        match token.type:
            case "ordered_list_open":
                self._numbers.append(first_number(token) - 1)
            case "bullet_list_open":
                self._numbers.append(None)
            case "ordered_list_close" | "bullet_list_close":
                self._numbers.pop()
            case "list_item_open" if token.map:
                number = self._numbers[-1]
                line = token.map[0] - self._first
                if number is not None:
                    number = self._numbers[-1] = self._resumed_number(line, number + 1)
                self._chain.append((_Container(self._width(line), number), line))
            case "blockquote_open" if token.map:
                self._chain.append((_Container(0), token.map[0] - self._first))
            case "list_item_close" | "blockquote_close":
                self._chain.pop()
            case _:
                pass

    def _resumed_number(self, line: int, number: int) -> int:
        mark = re.search(f"{NUMBER_OPEN}([0-9]+){NUMBER_CLOSE}", self.lines[line])
        return int(mark[1]) if mark else number

    def _width(self, line: int) -> int:
        """Columns of an item's marker with what stands before and after it, from the content of the container around."""
        text = self.lines[line]
        at = 0
        for container, start in self._chain:
            if container.width == 0:
                at = text.find(">", at) + 1
                at += text[at : at + 1] == " "
            elif start == line:
                at += container.width
            else:
                at += min(container.width, len(text) - at)
        lead = len(text) - at - len(text[at:].lstrip(" \t"))
        marker = _MARKER.match(text, at + lead)
        if marker is None:
            return 2
        gap = len(marker[2])
        return min(lead, 3) + len(marker[1]) + (gap if 1 <= gap <= 4 and marker.end() < len(text) else 1)

    def _boundary(self, line: int, before: str) -> Cut:
        chain = self.chain(line)
        rank = Rank.HEADED if before == "heading_close" else Rank.INNER if chain else Rank.ITEM
        at = self.offsets[line]
        return Cut(at, at, rank, "", _resume(chain, inline=False))

    def _inside(self, token: Token, index: int) -> Iterator[tuple[int, Cut]]:
        if token.map is None:
            return
        start, end = token.map[0] - self._first, token.map[1] - self._first
        chain = tuple(container for container, _ in self._chain)
        if token.type == "fence":
            mark = token.markup
            word = _WORD.match(token.info.strip())
            opener = f"{_resume(chain, inline=False)}{_later(chain)}{mark}{word[0] if word else ''}\n"
            closer = f"{_later(chain)}{mark}"
            last = self.lines[end - 1].strip(" \t>") if end - 1 < len(self.lines) else ""
            closed = end - 1 > start and bool(last) and set(last) == {mark[0]} and len(last) >= len(mark)
            for line in range(start + 2, end - 1 if closed else end):
                at = self.offsets[line]
                yield line, Cut(at, at, Rank.CODE, closer, opener)
        elif token.type == "paragraph_open":
            for line in range(start + 1, end):
                text = self.lines[line]
                at = self.offsets[line]
                lead = len(text) - len(text.lstrip(" \t>" if any(not one.width for one in chain) else " \t"))
                yield line, Cut(at, at + lead, Rank.LINE, "", _resume(chain, inline=True))
        elif token.type == "tbody_open":
            opener, spare = self.head(index, chain)
            for line in range(start + 1, end):
                at = self.offsets[line]
                yield line, Cut(at, at, Rank.ROW, "", opener, spare)

    def head(self, body: int, chain: _Chain) -> tuple[str, str]:
        """Begins the table again whose body is at token `body`: with its head, and with an empty one."""
        opening = next(index for index in range(body, -1, -1) if self._tokens[index].type == "table_open")
        cells = [token.content.replace("|", "\\|") for token in self._tokens[opening:body] if token.type == "inline"]
        aligns = [
            str(token.attrGet("style") or "").removeprefix("text-align:")
            for token in self._tokens[opening:body]
            if token.type == "th_open"
        ]
        rule = {"left": ":--", "right": "--:", "center": ":-:"}
        line = f"{_later(chain)}| {' | '.join(rule.get(align, '---') for align in aligns)} |\n"
        start, later = _resume(chain, inline=False), _later(chain)
        return f"{start}{later}| {' | '.join(cells)} |\n{line}", f"{start}{later}|{'  |' * len(cells)}\n{line}"

    def leaf(self, line: int) -> tuple[Token | None, _Chain]:
        """The token that holds the text of `line`, and the containers around it."""
        for token in self._tokens:
            self._enter(token)
            if token.nesting == 0 and token.map and token.map[0] <= line + self._first < token.map[1]:
                return token, tuple(container for container, _ in self._chain)
        return None, ()

    def first(self, token: Token) -> int:
        """The line in which `token` begins."""
        return (token.map or [0])[0] - self._first

    def is_code(self, fence: Token, line: int) -> bool:
        """Whether `line` is code of `fence`, neither its first line nor its last."""
        text = self.lines[line].strip(" \t>")
        return line > self.first(fence) and not (set(text) == {fence.markup[0]} and len(text) >= len(fence.markup))


def inline_cuts(outline: Outline, place: int, lowest: int) -> list[Cut]:
    """Cuts inside the line at `place` (or the first one after it that is not empty) behind the offset `lowest`, in order."""
    index = max(outline.block_at(place + 1), 0)
    if index >= len(outline.blocks):
        return []
    block = outline.blocks[index]
    walk = _Walk(outline.source, block)
    line = max(bisect_right(walk.offsets, place) - 1, 0)
    while line < len(walk.lines) and not walk.lines[line].strip():
        line += 1
    if line >= len(walk.lines):
        return []
    leaf, chain = walk.leaf(line)
    if leaf is not None and leaf.type == "fence" and line == walk.first(leaf) and line + 1 < len(walk.lines):
        line += 1
    start = walk.offsets[line]
    end = start + len(walk.lines[line])
    places = range(max(start, lowest) + 1, end)
    if leaf is None:
        return _rough_cuts(outline.source, "", places)
    if leaf.type in ("fence", "code_block"):
        return _code_cuts(outline.source, walk, leaf, chain, line, places)
    if leaf.type != "inline":
        return []
    body = next((at for at, token in enumerate(block.tokens) if token.type == "tbody_open"), None)
    if body is not None and line >= walk.first(block.tokens[body]):
        openers = [f"{one}{_later(chain)}| " for one in walk.head(body, chain)]
        return [Cut(at, at, Rank.CHARACTER, " |", *openers) for at in places if is_boundary(outline.source, at)]
    contents = leaf.content.split("\n")
    number = line - walk.first(leaf)
    bare = walk.lines[line].rstrip()
    content = contents[number].rstrip() if number < len(contents) else ""
    if not content or not bare.endswith(content):
        return _rough_cuts(outline.source, _resume(chain, inline=True), places)
    before = sum(len(one) + 1 for one in contents[:number])
    shift = start + len(bare) - len(content) - before
    heading = (
        block.tokens[0] if block.tokens[0].type == "heading_open" and block.tokens[0].markup.startswith("#") else None
    )
    opener = _resume(chain, inline=True) if heading is None else f"{heading.markup} "
    cuts = _text_cuts(leaf.content, max(before, lowest - shift), before + len(content), map_inline(leaf.content, {}))
    return [Cut(cut.end + shift, cut.start + shift, cut.rank, cut.closer, opener + cut.opener) for cut in cuts]


def _rough_cuts(source: str, opener: str, places: range) -> list[Cut]:
    return [Cut(at, at, Rank.CHARACTER, "", opener) for at in places if is_boundary(source, at)]


def _code_cuts(source: str, walk: _Walk, leaf: Token, chain: _Chain, line: int, places: range) -> list[Cut]:
    later = _later(chain)
    lead = _LEADING.match(walk.lines[line])
    first = walk.offsets[line] + min(lead.end() if lead else 0, 80)
    inside = [at for at in places if at > first and is_boundary(source, at)]
    if leaf.type != "fence":
        return [Cut(at, at, Rank.CHARACTER, "", f"{_resume(chain, inline=False)}{later}    ") for at in inside]
    if not walk.is_code(leaf, line):
        return []
    word = _WORD.match(leaf.info.strip())
    opener = f"{_resume(chain, inline=False)}{later}{leaf.markup}{word[0] if word else ''}\n{later}"
    return [Cut(at, at, Rank.CHARACTER, f"\n{later}{leaf.markup}", opener) for at in inside]


def _text_cuts(text: str, lowest: int, end: int, found: InlineMap) -> Iterator[Cut]:
    """Cuts in `text` after `lowest` and before `end`, in order."""
    gaps = {
        gap.start() if gap[0].isspace() else gap.end(): (Rank.SPACE, gap.end()) for gap in _GAP.finditer(text, lowest)
    }
    for stop in _SENTENCE.finditer(text, lowest):
        gaps[len(stop[0].rstrip()) + stop.start()] = (Rank.SENTENCE, stop.end())
    # What is not complete yet may become an atom.
    held = len(withhold(text, found))
    atoms = _covered([*((atom.start, atom.end) for atom in found.atoms), (held, len(text))], len(text))
    markers = _covered(
        [(pair.start, pair.inner) for pair in found.pairs]
        + [(pair.close, pair.end) for pair in found.pairs]
        + [(at, at + len(marker)) for at, marker in found.openers],
        len(text),
        closed=True,
    )
    styles = _Styles(found)
    for place in range(lowest + 1, end):
        if markers[place] or not is_boundary(text, place):
            continue
        standing = styles.at(place)
        rank, start = gaps.get(place, (Rank.CHARACTER, place))
        if atoms[place]:
            rank, start = Rank.ATOM, place
        elif standing and text[place - 1].isspace():
            continue
        elif standing and rank < Rank.STYLED:
            rank = Rank.STYLED
        if start < end:
            yield Cut(place, start, rank, "".join(reversed(standing)), "".join(standing))


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


def _covered(ranges: Sequence[tuple[int, int]], length: int, *, closed: bool = False) -> list[bool]:
    """For each place in a text, whether it lies inside one of `ranges`; `closed`: or at the border of one."""
    out = [False] * (length + 1)
    for start, end in ranges:
        for at in range(start if closed else start + 1, min(end + (1 if closed else 0), length + 1)):
            out[at] = True
    return out
