"""Out to Discord: its own dialect of Markdown for `content`. Pure.

`allowed_mentions` is what guarantees that nobody is called; the tokens are broken here as well, so that the text cannot even
look as if.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from bridge.markdown.characters import ZERO_WIDTH_SPACE, without_marks
from bridge.markdown.dialect import NOBODY, Dialect, People, Piece, name_people
from bridge.markdown.links import is_address, web_address
from bridge.markdown.model import (
    BOLD,
    ITALIC,
    STRIKE,
    Block,
    Fence,
    Heading,
    Item,
    List,
    Paragraph,
    Quote,
    Rule,
    Spans,
    Table,
)
from bridge.markdown.writing import (
    brackets_are_harmless,
    flat,
    has_hidden_links,
    indent,
    language,
    one_line,
    table_as_list,
    table_as_text,
    write_spans,
)

LIMIT = 1_990
"""Code points of one message. Discord takes 2,000 (API reference, Create Message; code points: discord-api-docs issue 1315); ten
below, so that a counting difference at the border never costs an answer."""

CODE_COLUMNS = 42
"""Widest table that stands as code: what a telephone shows without breaking lines."""

DEEPEST_HEADING = 3
"""Discord's help page on Markdown: one to three `#`."""

RULE = "──────────"

Tables = Literal["fit", "code", "list"]
"""`fit`: as code where it is narrow enough, else as a list; or always one of them."""

SCHEMES = ("http", "https")

PERSON = re.compile(r"<@!?([0-9]{1,20})>")

_TOKEN = re.compile(r"<(?=@[!&]?[0-9]|#[0-9]|/[^<>:\n]+:[0-9]|id:)")
_EVERYONE = re.compile(r"@(?=everyone|here)", re.IGNORECASE)
_LINE_START = re.compile(r"^([ \t]*)(?=#{1,3} |-# |>{1,3}(?: |$)|[-*+] )")
_NUMBER_START = re.compile(r"^([ \t]*[0-9]{1,9})(?=\. )")
_SPECIAL = re.compile(r"[\\*_`~|\[\]<]")


class _Line:
    """The parts of a line."""

    marks: Mapping[int, str] = {BOLD: "**", ITALIC: "*", STRIKE: "~~"}
    strict = True
    pad = ""

    def escape(self, text: str, before: str, after: str) -> str:
        brackets = ("[" not in text and "]" not in text) or brackets_are_harmless(text, after)

        def spell(found: re.Match[str]) -> str:
            at, char = found.start(), found[0]
            left = text[at - 1] if at else before
            right = text[at + 1] if at + 1 < len(text) else after
            match char:
                case "*":
                    bare = left == " " and right == " "
                case "_":
                    bare = left.isalnum() and right.isalnum()
                case "\\":
                    bare = right.isalnum() or right == " "
                case "~" | "|":
                    bare = char not in (left, right)
                case "[" | "]":
                    bare = brackets
                case "<":
                    bare = right not in (":", "a", "t", "h")
                case _:
                    bare = False
            return char if bare else "\\" + char

        return _SPECIAL.sub(spell, text)

    def code(self, text: str) -> str:
        if "`" not in text:
            return f"`{text}`"
        # Two backticks are the most that Discord knows, and they end at the next two.
        inner = text.replace("``", f"`{ZERO_WIDTH_SPACE}`")
        left, right = (" " if inner[at] == "`" else "" for at in (0, -1))
        return f"``{left}{inner}{right}``"

    def link(self, label: str, href: str, plain_label: str) -> str:
        address = web_address(href, SCHEMES)
        if address is None or not label.strip():
            return label
        # In angle brackets no preview card is shown. A label that looks like an address is shown literally by Discord.
        return f"<{address}>" if is_address(plain_label) else f"[{label}](<{address}>)"

    def mention(self, person: str) -> str:
        return f"<@{person}>"


_LINE = _Line()


def neutralise(text: str, people: People = NOBODY) -> str:
    """The same to the eye, in which no mention is live but those of `people`. Idempotent. Code is not exempt."""

    def spell(found: re.Match[str]) -> str:
        whole = PERSON.match(found.string, found.start())
        return "<" if whole and whole[1] in people else "<" + ZERO_WIDTH_SPACE

    return _EVERYONE.sub("@" + ZERO_WIDTH_SPACE, _TOKEN.sub(spell, text))


class DiscordDialect(Dialect):
    def __init__(self, limit: int = LIMIT, *, tables: Tables = "fit") -> None:
        super().__init__(limit)
        self._tables: Tables = tables

    def within(self, limit: int) -> "DiscordDialect":
        return DiscordDialect(limit, tables=self._tables)

    def write(self, block: Block, people: People) -> Piece:
        text = neutralise(without_marks(_Writer(people, self._tables).top(block)), people)
        return Piece(text, len(text), type(block))

    def gap(self, before: Piece, after: Piece) -> str:
        """Headings and lists bring their own room."""
        close = before.kind is Heading or (before.kind is Paragraph and after.kind is List)
        return "\n" if close else "\n\n"

    def measure(self, pieces: Sequence[Piece]) -> int:
        gaps = sum(len(self.gap(*pair)) for pair in pairwise(pieces))
        return sum(piece.length for piece in pieces) + gaps

    def payload(self, source: str, people: People = NOBODY, *, fallback: bool = False) -> dict[str, object]:
        return {"content": self.render(source, people).text.strip()}


@dataclass(frozen=True, slots=True)
class _Writer:
    people: People
    tables: Tables

    def top(self, block: Block) -> str:
        if isinstance(block, Heading) and block.level <= DEEPEST_HEADING:
            return f"{'#' * block.level} {self._line(_without_bold(one_line(block.spans)))}".rstrip()
        return self._block(block)

    def _blocks(self, blocks: Sequence[Block]) -> str:
        out = ""
        for index, block in enumerate(blocks):
            if index:
                pair = (blocks[index - 1], block)
                close = any(isinstance(one, Fence) for one in pair) or (
                    isinstance(pair[0], Paragraph) and isinstance(block, List)
                )
                out += "\n" if close else "\n\n"
            out += self._block(block)
        return out

    def _block(self, block: Block) -> str:
        match block:
            case Paragraph(spans):
                lines = (without_marks(line).strip() for line in self._line(spans).split("\n"))
                return "\n".join(_NUMBER_START.sub(r"\1\\", _LINE_START.sub(r"\1\\", line)) for line in lines)
            case Heading(_, spans):
                return self._line(tuple(span._replace(style=span.style | BOLD) for span in one_line(spans)))
            case Fence():
                return _fence(block)
            case Rule():
                return RULE
            case Quote(blocks):
                # Discord knows one level only.
                return "\n".join(f"> {line}" for line in self._blocks(flat(blocks)).split("\n"))
            case List(items):
                return self._list(items)
            case Table():
                return self._table(block)

    def _line(self, spans: Spans) -> str:
        return write_spans(name_people(spans, self.people, PERSON), _LINE)

    def _list(self, items: Sequence[Item]) -> str:
        out = []
        for item in items:
            body = self._blocks(item.blocks)
            if item.resumed:
                out.append(body)
                continue
            marker = "- " if item.number is None else f"{item.number}. "
            box = "" if item.done is None else "☑ " if item.done else "☐ "
            out.append(indent(marker + box, body, 2))
        return "\n".join(out)

    def _table(self, table: Table) -> str:
        if self.tables != "list" and not has_hidden_links(table):
            text = table_as_text(table, CODE_COLUMNS if self.tables == "fit" else 10_000)
            if text is not None:
                return _fence(Fence("", text))
        return self._block(table_as_list(table))


def _fence(fence: Fence) -> str:
    # Discord ends a block at the next three backticks, wherever they stand.
    text = fence.text.replace("```", f"``{ZERO_WIDTH_SPACE}`")
    return f"```{language(fence)}\n{text or ZERO_WIDTH_SPACE}\n```"


def _without_bold(spans: Spans) -> Spans:
    return tuple(span._replace(style=span.style & ~BOLD) for span in spans)


DIALECT = DiscordDialect()
