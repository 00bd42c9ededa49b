"""What the writers of all dialects share: where emphasis markers may stand, tables as code or as lists, code fences. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from markdown_it import MarkdownIt

from bridge.markdown.characters import ZERO_WIDTH_SPACE, is_punctuation, is_space, width
from bridge.markdown.model import (
    BOLD,
    ITALIC,
    STRIKE,
    Block,
    Fence,
    Item,
    List,
    Paragraph,
    Quote,
    Span,
    Spans,
    Table,
    plain,
)

_STYLES = (BOLD, ITALIC, STRIKE)
_TICKS = re.compile("`+")
_INFO = re.compile(r"[A-Za-z0-9+#._-]{1,20}")
_BRACKETS = re.compile(r"[\[\]]")
_LINK_LIKE = re.compile(r"\](?=[(\[:])")
_CONTROL_SPACES = re.compile(r"[ \t]*\n[ \t]*")


class Tongue(Protocol):
    """How one dialect writes the parts of a line."""

    marks: Mapping[int, str]
    """Marker of each style."""
    strict: bool
    """Markers obey CommonMark's rules; else they may stand anywhere."""
    pad: str
    """Stands between a marker and a letter outside, where the dialect wants a word boundary there; else empty."""

    def escape(self, text: str, before: str, after: str) -> str:
        """`text` such that nothing in it is markup. `before`, `after`: the characters around it, empty at a line's ends."""
        ...

    def code(self, text: str) -> str: ...

    def link(self, label: str, href: str, plain_label: str) -> str:
        """A link whose label is written already; only the label where the address is no good."""
        ...

    def mention(self, person: str) -> str: ...


@dataclass(frozen=True, slots=True)
class _Unit:
    """A piece of a line with one style."""

    text: str
    style: int
    wire: str = ""
    """Written already (code, link, mention); empty for text."""

    @property
    def edges(self) -> tuple[str, str]:
        """The first and last character that a parser sees."""
        return (self.wire[0], self.wire[-1]) if self.wire else (self.text[:1], self.text[-1:])


@lru_cache(2_000)
def write_spans(spans: Spans, tongue: Tongue) -> str:
    """One paragraph's wire text; "\\n" stays. Emphasis ends and begins anew at line breaks."""
    return "\n".join(_write_line(line, tongue) for line in _lines(spans))


def _lines(spans: Spans) -> Iterator[list[Span]]:
    line: list[Span] = []
    for span in spans:
        first, *others = span.text.split("\n") if not span.code else [span.text.replace("\n", " ")]
        if first:
            line.append(span._replace(text=first))
        for text in others:
            yield line
            line = [span._replace(text=text)] if text else []
    yield line


def _write_line(spans: Sequence[Span], tongue: Tongue) -> str:
    if not any(span.style for span in spans):
        return _emit(_units(spans, tongue, ~0), tongue)
    out = _emit(_settle(_units(spans, tongue, ~0), tongue), tongue)
    if not tongue.strict or not _risky(spans) or _reads_back(out, spans):
        return out
    # Rather less emphasis than a marker that stands there for everybody to see.
    out = _emit(_settle(_units(spans, tongue, BOLD), tongue), tongue)
    return (
        out
        if _reads_back(out, [span._replace(style=span.style & BOLD) for span in spans])
        else _emit(_units(spans, tongue, 0), tongue)
    )


def _units(spans: Sequence[Span], tongue: Tongue, styles: int) -> list[_Unit]:
    units: list[_Unit] = []
    at = 0
    while at < len(spans):
        span = spans[at]
        end = at + 1
        if span.href:
            while end < len(spans) and spans[end].href == span.href:
                end += 1
            units.append(_link_unit(spans[at:end], tongue, styles))
        elif span.code:
            units.append(_Unit(span.text, span.style & styles, tongue.code(span.text)))
        elif span.person:
            units.append(_Unit(span.text, span.style & styles, tongue.mention(span.person)))
        else:
            units.append(_Unit(span.text, span.style & styles))
        at = end
    return units


def _link_unit(label: Sequence[Span], tongue: Tongue, styles: int) -> _Unit:
    """Styles that the whole label has go around the link, the others inside."""
    common = styles
    for span in label:
        common &= span.style
    inner = [span._replace(style=span.style & styles & ~common, href="") for span in label]
    text = plain(tuple(label))
    return _Unit(text, common, tongue.link(_write_line(inner, tongue), label[0].href, text))


# Where a marker may stand


def _settle(units: list[_Unit], tongue: Tongue) -> list[_Unit]:
    """White space, and in a strict dialect punctuation next to a letter, moved out of the emphasis."""
    for style in _STYLES:
        at = 0
        while at < len(units):
            if not units[at].style & style:
                at += 1
                continue
            end = at
            while end < len(units) and units[end].style & style:
                end += 1
            before = units[at - 1].edges[1] if at else ""
            after = units[end].edges[0] if end < len(units) else ""
            run = _trim_end(_trim_start(units[at:end], style, before, tongue), style, after, tongue)
            units[at:end] = run
            at += len(run)
    return units


def _trim_start(run: list[_Unit], style: int, before: str, tongue: Tongue) -> list[_Unit]:
    out: list[_Unit] = []
    while run:
        unit, first = run[0], run[0].edges[0]
        bad = is_space(first) or (
            tongue.strict and is_punctuation(first) and not is_space(before) and not is_punctuation(before)
        )
        if not bad:
            break
        if unit.wire or len(unit.text) == 1:
            out.append(replace(unit, style=unit.style & ~style))
            run = run[1:]
        else:
            out.append(replace(unit, text=first, style=unit.style & ~style))
            run = [replace(unit, text=unit.text[1:]), *run[1:]]
        before = out[-1].edges[1]
    return _join(out) + run


def _trim_end(run: list[_Unit], style: int, after: str, tongue: Tongue) -> list[_Unit]:
    out: list[_Unit] = []
    while run and run[-1].style & style:
        unit, last = run[-1], run[-1].edges[1]
        bad = is_space(last) or (
            tongue.strict and is_punctuation(last) and not is_space(after) and not is_punctuation(after)
        )
        if not bad:
            break
        if unit.wire or len(unit.text) == 1:
            out.insert(0, replace(unit, style=unit.style & ~style))
            run = run[:-1]
        else:
            out.insert(0, replace(unit, text=last, style=unit.style & ~style))
            run = [*run[:-1], replace(unit, text=unit.text[:-1])]
        after = out[0].edges[0]
    return run + _join(out)


def _join(units: list[_Unit]) -> list[_Unit]:
    out: list[_Unit] = []
    for unit in units:
        if out and not unit.wire and not out[-1].wire and out[-1].style == unit.style:
            out[-1] = replace(out[-1], text=out[-1].text + unit.text)
        else:
            out.append(unit)
    return out


def _emit(units: list[_Unit], tongue: Tongue) -> str:
    units = _join(units)
    out: list[str] = []
    stack: list[tuple[int, str]] = []
    for index, unit in enumerate(units):
        closed = False
        while any(not unit.style & style for style, _ in stack):
            out.append(stack.pop()[1])
            closed = True
        if closed and tongue.pad and unit.edges[0].isalnum():
            out.append(tongue.pad)
        standing = sum(style for style, _ in stack)
        fresh = [style for style in _STYLES if unit.style & style and not standing & style]
        for style in sorted(fresh, key=lambda style: -_run_end(units, index, style)):
            mark = tongue.marks[style]
            if style == ITALIC and tongue.strict and _underscore_fits(units, index, _run_end(units, index, style)):
                mark = "_"
            if tongue.pad and out and out[-1][-1].isalnum():
                out.append(tongue.pad)
            if closed and out[-1][-1] == mark[0]:
                out.append(ZERO_WIDTH_SPACE)
            out.append(mark)
            stack.append((style, mark))
        if unit.wire:
            out.append(unit.wire)
        else:
            before = out[-1][-1] if out else ""
            after = ""
            if index + 1 < len(units):
                after = "*" if units[index + 1].style != unit.style else units[index + 1].edges[0]
            out.append(tongue.escape(unit.text, before, after))
    while stack:
        out.append(stack.pop()[1])
    return "".join(out)


def _run_end(units: Sequence[_Unit], index: int, style: int) -> int:
    while index < len(units) and units[index].style & style:
        index += 1
    return index


def _underscore_fits(units: Sequence[_Unit], start: int, end: int) -> bool:
    """Next to letters `_` is no marker; elsewhere it is the one that does not run together with `**`."""
    before = units[start - 1].edges[1] if start else ""
    after = units[end].edges[0] if end < len(units) else ""
    return all(is_space(char) or (is_punctuation(char) and char != "_") for char in (before, after))


# Reading back

_STRICT = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
_BITS = {"strong": BOLD, "em": ITALIC, "s": STRIKE}


def _risky(spans: Sequence[Span]) -> bool:
    """Whether markers of two styles may come to stand side by side."""
    styles = {span.style for span in spans}
    return len(styles - {0}) > 1 or any(style & (style - 1) for style in styles)


def _reads_back(wire: str, spans: Sequence[Span]) -> bool:
    """Whether a plain CommonMark parser sees the styles that were meant, letter by letter."""
    wanted = [(char, span.style) for span in spans for char in span.text if char.isalnum()]
    seen: list[tuple[str, int]] = []
    style, stack = 0, []
    for token in _STRICT.parseInline(wire)[0].children or ():
        if token.content:
            seen += [(char, style) for char in token.content if char.isalnum()]
        elif token.nesting == 1:
            stack.append(style)
            style |= _BITS.get(token.tag, 0)
        elif token.nesting == -1 and stack:
            style = stack.pop()
    return wanted == seen


def brackets_are_harmless(text: str, after: str) -> bool:
    """Whether none of the square brackets in `text` can begin or end a link, here or together with what follows."""
    if after and text.endswith("]"):
        return False
    depth = 0
    for char in _BRACKETS.findall(text):
        depth += 1 if char == "[" else -1
        if depth < 0:
            return False
    return depth == 0 and _LINK_LIKE.search(text) is None


# Blocks


def flat(blocks: Sequence[Block]) -> list[Block]:
    """Without quotes inside quotes, for dialects that know one level."""
    out: list[Block] = []
    for block in blocks:
        out += flat(block.blocks) if isinstance(block, Quote) else [block]
    return out


def indent(marker: str, body: str, width: int) -> str:
    """`body` behind `marker`, its later lines `width` columns in. Code stays at the margin: dialects without containers would
    show the indent as a part of it."""
    first, *others = body.split("\n")
    inside = first.startswith("```")
    out = [marker.rstrip(), first] if inside else [(marker + first).rstrip()]
    for line in others:
        fence = line.startswith("```")
        out.append(line if inside or fence else (" " * width + line).rstrip())
        inside = inside != fence
    return "\n".join(out)


# Code


def inline_code(text: str) -> str:
    """With a run of backticks longer than any inside."""
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    ticks = "`" * (longest + 1) if longest else "`"
    pad = " " if text.startswith("`") or text.endswith("`") or (text[:1] == text[-1:] == " " and text.strip()) else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def language(fence: Fence) -> str:
    """The first word of a fence's info string, where it is one that names a language."""
    word = fence.info.split(maxsplit=1)[0] if fence.info else ""
    return word if _INFO.fullmatch(word) else ""


def fence_ticks(text: str) -> str:
    return "`" * max(3, max((len(run) for run in _TICKS.findall(text)), default=0) + 1)


# Tables


def one_line(spans: Spans) -> Spans:
    """A table cell or heading: line breaks become spaces."""
    return tuple(span._replace(text=_CONTROL_SPACES.sub(" ", span.text)) for span in spans)


def cell_text(spans: Spans) -> str:
    return _CONTROL_SPACES.sub(" ", plain(spans)).strip()


def has_hidden_links(table: Table) -> bool:
    """Whether an address would be lost if only the text of the cells were shown."""
    return any(
        span.href and span.href != span.text for row in (table.head, *table.rows) for cell in row for span in cell
    )


def table_as_text(table: Table, most_columns: int) -> str | None:
    """Aligned with spaces, for a fixed-width font; None when a line would be wider than `most_columns`."""
    rows = [[cell_text(cell) for cell in row] for row in (table.head, *table.rows)]
    widths = [max(width(row[column]) for row in rows) for column in range(len(table.head))]
    if sum(widths) + 3 * (len(widths) - 1) > most_columns:
        return None
    lines = [" | ".join(_pad(*each) for each in zip(row, widths, table.aligns, strict=True)) for row in rows]
    lines.insert(1, "-+-".join("-" * one for one in widths))
    return "\n".join(line.rstrip() for line in lines)


def _pad(text: str, columns: int, align: str) -> str:
    room = columns - width(text)
    left = room if align == "right" else room // 2 if align == "center" else 0
    return " " * left + text + " " * (room - left)


def table_as_list(table: Table) -> List:
    """One bullet per row with its first cell, the other cells below it, each with the head of its column."""
    items = []
    for row in table.rows:
        first, *others = row
        below = tuple(
            Item((Paragraph((*_title(head), *one_line(cell))),))
            for head, cell in zip(table.head[1:], others, strict=True)
            if cell_text(cell)
        )
        title = (*_title(table.head[0], style=0), *(span._replace(style=span.style | BOLD) for span in one_line(first)))
        items.append(Item((Paragraph(title), *((List(below),) if below else ()))))
    if not items:
        return List(
            (Item((Paragraph(tuple(span for head in table.head for span in (*one_line(head), Span(" · ")))[:-1]),)),)
        )
    return List(tuple(items))


def _title(head: Spans, style: int = BOLD) -> Spans:
    if not cell_text(head):
        return ()
    return (*(span._replace(style=span.style | style) for span in one_line(head)), Span(":", style), Span(" "))
