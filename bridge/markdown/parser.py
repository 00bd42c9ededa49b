"""Markdown to blocks. One parser for every dialect; HTML is text."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType

from bridge.markdown.inline import Inline, InlineMap
from bridge.markdown.model import (
    BOLD,
    ITALIC,
    NUMBER_CLOSE,
    NUMBER_OPEN,
    RESUMED,
    STRIKE,
    Block,
    Fence,
    Heading,
    Item,
    List,
    Paragraph,
    Quote,
    Rule,
    Span,
    Spans,
    Table,
    plain,
)

DEEPEST = 12
"""Quotes and lists inside one another; what is deeper is text of the deepest. Chat shows three or four."""

_STYLES = {"strong": BOLD, "em": ITALIC, "s": STRIKE}
_TASK = re.compile(r"\[([ xX])\][ \t]+")
_MARK = re.compile(f"{RESUMED}(?:{NUMBER_OPEN}([0-9]+){NUMBER_CLOSE})? ?\n?")
_MARKS = re.compile(f"[{RESUMED}{NUMBER_OPEN}{NUMBER_CLOSE}]")
_TO_PARSER = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST * 2}).enable(["table", "strikethrough"])
_TO_PARSER.block.ruler.disable("html_block")
_INLINE = Inline()
_TO_PARSER.inline = _INLINE
# Addresses are judged by the writers; nothing is percent-encoded here, so that a bare one looks as it was written.
_TO_PARSER.normalizeLink = lambda url: url  # type: ignore[method-assign]  # the documented way to change it
_TO_PARSER.validateLink = lambda url: True  # type: ignore[method-assign]  # as above


@dataclass(frozen=True, slots=True)
class Located:
    """A top-level block and its lines in the source: the first, and the one behind its last."""

    block: Block
    start: int
    end: int
    tokens: Sequence[Token]


def parse(source: str) -> list[Block]:
    """The blocks of `source`, which is `clean`. Linear in its length; never raises."""
    return [one.block for one in locate(source, {})]


def locate(source: str, env: EnvType) -> list[Located]:
    """The same with line numbers. `env` collects link definitions."""
    builder = _Builder(source.split("\n"))
    found = []
    for group in _groups(_TO_PARSER.parse(source, env)):
        start, end = group[0].map or (0, 0)
        found += [Located(block, start, end, group) for block in builder.blocks(group)]
    return found


def locate_tokens(source: str) -> list[list[Token]]:
    """The tokens of each top-level block."""
    return list(_groups(_TO_PARSER.parse(source)))


def _groups(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    first = 0
    for index, token in enumerate(tokens):
        if token.level == 0 and token.nesting <= 0 and token.type != "inline":
            yield list(tokens[first : index + 1])
            first = index + 1


def map_inline(content: str, env: EnvType) -> InlineMap:
    return _INLINE.map(content, _TO_PARSER, env)


class _Builder:
    """Tokens to blocks."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines

    def blocks(self, tokens: Sequence[Token]) -> list[Block]:
        out: list[Block] = []
        at = 0
        while at < len(tokens):
            end = _partner(tokens, at)
            block = self._block(tokens[at : end + 1])
            if block is not None:
                out.append(block)
            at = end + 1
        return out

    def _block(self, tokens: Sequence[Token]) -> Block | None:
        head = tokens[0]
        match head.type:
            case "paragraph_open":
                return Paragraph(_spans(tokens[1].children or ()))
            case "heading_open":
                return Heading(int(head.tag[1]), _spans(tokens[1].children or ()))
            case "fence" | "code_block":
                return Fence(head.info.strip(), _MARKS.sub("", head.content).removesuffix("\n"))
            case "hr":
                return Rule()
            case "blockquote_open":
                return Quote(self._resumed(tokens[1:-1])[1])
            case "bullet_list_open" | "ordered_list_open":
                return self._list(tokens)
            case "table_open":
                return self._table(tokens)
            case _:
                return None

    def _list(self, tokens: Sequence[Token]) -> List:
        number = first_number(tokens[0]) if tokens[0].type == "ordered_list_open" else None
        items: list[Item] = []
        at = 1
        while at < len(tokens) - 1:
            end = _partner(tokens, at)
            mark, blocks = self._resumed(tokens[at + 1 : end])
            if mark is not None and mark[1] and number is not None:
                number = int(mark[1])
            done, blocks = _task(blocks)
            # An empty item that was resumed had nothing left to say.
            if blocks or mark is None:
                items.append(Item(blocks, number, done, resumed=mark is not None))
            if number is not None:
                number += 1
            at = end + 1
        return List(tuple(items))

    def _resumed(self, tokens: Sequence[Token]) -> tuple[re.Match[str] | None, tuple[Block, ...]]:
        """The mark that says that these blocks began in the message before, and the blocks without it."""
        blocks = self.blocks(tokens)
        if not blocks or not isinstance(blocks[0], Paragraph):
            return None, tuple(blocks)
        mark = _MARK.match(plain(blocks[0].spans))
        if mark is None:
            return None, tuple(blocks)
        rest = drop(blocks[0].spans, mark.end())
        return mark, (*((Paragraph(rest),) if plain(rest).strip() else ()), *blocks[1:])

    def _table(self, tokens: Sequence[Token]) -> Table:
        rows: list[tuple[Spans, ...]] = []
        aligns: list[str] = []
        cells: list[Spans] = []
        line = 0
        for token in tokens:
            match token.type:
                case "tr_open":
                    cells, line = [], token.map[0] if token.map else 0
                case "th_open":
                    aligns.append(str(token.attrGet("style") or "").removeprefix("text-align:"))
                case "inline":
                    cells.append(_spans(token.children or ()))
                case "tr_close":
                    if rows:
                        cells = self._keep_all_cells(cells, line)
                    rows.append(tuple(cells))
                case _:
                    pass
        return Table(rows[0], tuple(aligns), tuple(rows[1:]))

    def _keep_all_cells(self, cells: list[Spans], line: int) -> list[Spans]:
        """A row with more cells than the head: GFM drops the rest, we keep it in the last cell."""
        if self._lines[line].count("|") <= len(cells):
            return cells
        written = split_row(self._lines[line].lstrip(" \t>"))
        if len(written) <= len(cells):
            return cells
        rest = " | ".join(written[len(cells) - 1 :])
        return [*cells[:-1], _spans(_TO_PARSER.parseInline(rest)[0].children or ())]


def first_number(token: Token) -> int:
    """Of an ordered list."""
    start = token.attrGet("start")
    return 1 if start is None else int(start)


def split_row(row: str) -> list[str]:
    """The cells of one table row."""
    cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip())]
    if cells and not cells[0]:
        del cells[0]
    if cells and not cells[-1]:
        del cells[-1]
    return cells


def _partner(tokens: Sequence[Token], at: int) -> int:
    """Index of the token that closes the one at `at`."""
    if tokens[at].nesting != 1:
        return at
    level = tokens[at].level
    return next(index for index in range(at + 1, len(tokens)) if tokens[index].level == level)


def _task(blocks: tuple[Block, ...]) -> tuple[bool | None, tuple[Block, ...]]:
    if not blocks or not isinstance(blocks[0], Paragraph) or not blocks[0].spans:
        return None, blocks
    first = blocks[0].spans[0]
    box = None if first.style or first.href or first.code else _TASK.match(first.text)
    if box is None:
        return None, blocks
    return box[1] != " ", (Paragraph(drop(blocks[0].spans, box.end())), *blocks[1:])


def drop(spans: Spans, count: int) -> Spans:
    """`spans` without the first `count` characters."""
    out = []
    for span in spans:
        if count >= len(span.text):
            count -= len(span.text)
        else:
            out.append(span._replace(text=span.text[count:]))
            count = 0
    return tuple(out)


def _spans(tokens: Sequence[Token]) -> Spans:
    merged: list[Span] = []
    for span in _walk(tokens):
        last = merged[-1] if merged else None
        if last is not None and last[1:] == span[1:]:
            merged[-1] = last._replace(text=last.text + span.text)
        else:
            merged.append(span)
    return tuple(merged)


def _walk(tokens: Sequence[Token]) -> Iterator[Span]:
    style = 0
    stack: list[int] = []
    href = ""
    for token in tokens:
        kind = token.type
        if kind == "text":
            if token.content:
                yield Span(token.content, style, href)
        elif kind == "code_inline":
            yield Span(_MARKS.sub("", token.content) or " ", style, href, code=True)
        elif kind in ("softbreak", "hardbreak"):
            yield Span("\n", style, href)
        elif kind == "link_open":
            href = str(token.attrGet("href") or "")
        elif kind == "link_close":
            href = ""
        elif kind == "image":
            # The alternative text, which may hold Markdown itself.
            label = plain(_spans(token.children or ())).strip() or "image"
            yield Span(label, style, href or str(token.attrGet("src") or ""))
        elif kind.endswith("_open"):
            stack.append(style)
            style |= _STYLES.get(token.tag, 0)
        elif kind.endswith("_close") and stack:
            style = stack.pop()
