"""Where a source may be cut between two lines, how good each place is, what must be closed before and opened again after it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from markdown_it.token import Token

from bridge.markdown.model import DELIMITERS, NUMBER_CLOSE, NUMBER_OPEN, RESUMED
from bridge.markdown.outline import Outline, Standing
from bridge.markdown.parser import first_number


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
    TABLE = 11
    """Inside a row, or a line that may become the head of a table: better before it, wherever that is."""
    ATOM = 12
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


Chain = tuple[_Container, ...]


def resume(chain: Chain, *, inline: bool) -> str:
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


def later(chain: Chain) -> str:
    return "".join(one.later for one in chain)


DELIMITER = re.compile(r"[ \t>]*[|:-][-:| \t]*$")
"""The line below the head of a table, as far as it is written."""

_MARKER = re.compile(r"([-+*]|[0-9]{1,9}[.)])([ \t]*)")
WORD = re.compile(r"[A-Za-z0-9+#._-]{1,20}")


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
        found += Walk(outline.source, block).cuts()
    return [cut for cut in found if lowest < cut.end <= end]


class Walk:
    """Through the tokens of one top-level block."""

    def __init__(self, source: str, block: Standing) -> None:
        self._tokens = block.tokens
        self.lines = source[block.start : block.end].split("\n")
        self.start = block.line
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
                line = token.map[0] - self.start
                if line > 0 and line not in found and token.type not in ("thead_open", "tbody_open", "tr_open"):
                    found[line] = self._boundary(line, before)
            self._enter(token)
            for cut_line, cut in self._inside(token, index):
                found.setdefault(cut_line, cut)
            before = token.type
        return [found[line] for line in sorted(found) if line < len(self.lines)]

    def chain(self, line: int) -> Chain:
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
                line = token.map[0] - self.start
                if number is not None:
                    number = self._numbers[-1] = self._resumed_number(line, number + 1)
                self._chain.append((_Container(self._width(line), number), line))
            case "blockquote_open" if token.map:
                self._chain.append((_Container(0), token.map[0] - self.start))
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
        return Cut(at, at, rank, "", resume(chain, inline=False))

    def _inside(self, token: Token, index: int) -> Iterator[tuple[int, Cut]]:
        if token.map is None:
            return
        start, end = token.map[0] - self.start, token.map[1] - self.start
        chain = tuple(container for container, _ in self._chain)
        if token.type == "fence":
            mark = token.markup
            word = WORD.match(token.info.strip())
            spare = f"{resume(chain, inline=False)}{later(chain)}{mark}\n"
            opener = f"{spare[:-1]}{word[0] if word else ''}\n"
            closer = f"{later(chain)}{mark}"
            last = self.lines[end - 1].strip(" \t>") if end - 1 < len(self.lines) else ""
            closed = end - 1 > start and bool(last) and set(last) == {mark[0]} and len(last) >= len(mark)
            for line in range(start + 2, end - 1 if closed else end):
                at = self.offsets[line]
                yield line, Cut(at, at, Rank.CODE, closer, opener, spare)
        elif token.type == "paragraph_open":
            for line in range(start + 1, end):
                text = self.lines[line]
                at = self.offsets[line]
                if "|" in self.lines[line - 1] and DELIMITER.match(text):
                    continue  # together they may become the head of a table
                lead = len(text) - len(text.lstrip(" \t>" if any(not one.width for one in chain) else " \t"))
                yield line, Cut(at, at + lead, Rank.LINE, "", resume(chain, inline=True))
        elif token.type == "tbody_open":
            opener, spare = self.head(index, chain)
            for line in range(start, end):
                at = self.offsets[line]
                yield line, Cut(at, at, Rank.ROW if line > start else Rank.TABLE, "", opener, spare)

    def head(self, body: int, chain: Chain) -> tuple[str, str]:
        """Begins the table again whose body is at token `body`: with its head, and with an empty one."""
        opening = next(index for index in range(body, -1, -1) if self._tokens[index].type == "table_open")
        cells = [token.content.replace("|", "\\|") for token in self._tokens[opening:body] if token.type == "inline"]
        aligns = [
            str(token.attrGet("style") or "").removeprefix("text-align:")
            for token in self._tokens[opening:body]
            if token.type == "th_open"
        ]
        line = f"{later(chain)}| {' | '.join(DELIMITERS[align] for align in aligns)} |\n"
        start = resume(chain, inline=False) + later(chain)
        return f"{start}| {' | '.join(cells)} |\n{line}", f"{start}|{'  |' * len(cells)}\n{line}"

    def leaf(self, line: int) -> tuple[Token | None, Chain]:
        """The token that holds the text of `line`, and the containers around it."""
        for token in self._tokens:
            self._enter(token)
            if token.nesting == 0 and token.map and token.map[0] <= line + self.start < token.map[1]:
                return token, tuple(container for container, _ in self._chain)
        return None, ()

    def first(self, token: Token) -> int:
        """The line in which `token` begins."""
        return (token.map or [0])[0] - self.start

    def is_code(self, fence: Token, line: int) -> bool:
        """Whether `line` is code of `fence`, neither its first line nor its last."""
        text = self.lines[line].strip(" \t>")
        return line > self.first(fence) and not (set(text) == {fence.markup[0]} and len(text) >= len(fence.markup))
