"""Out to Slack: canonical Markdown for a `markdown` block, escaped mrkdwn for when Slack refuses blocks. Pure.

Nothing of the model's own Markdown is passed on. It is parsed and written again in forms that every CommonMark parser reads
the same way, with nothing in it that could call anybody.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bridge.markdown.characters import ZERO_WIDTH_SPACE, clean, without_marks
from bridge.markdown.dialect import NOBODY, Dialect, People, Piece, name_people
from bridge.markdown.links import is_address, web_address
from bridge.markdown.model import (
    BOLD,
    DELIMITERS,
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
    plain,
)
from bridge.markdown.parser import parse
from bridge.markdown.writing import (
    brackets_are_harmless,
    cell_text,
    fence_ticks,
    flat,
    has_hidden_links,
    indent,
    inline_code,
    language,
    one_line,
    table_as_list,
    table_as_text,
    write_spans,
)

LIMIT = 10_000
"""UTF-8 bytes of one message. A `markdown` block takes 12,000 and a whole message about 13,200 counted characters (measured by
several projects: slackapi/bolt-js issue 2509, metabase pull 79908); counted in bytes this stays below both in every script."""

BLOCKS = 46
"""Blocks after Slack's own expansion, which refuses more than 50 (`invalid_blocks`, same sources): each heading, divider and
table is one, and so is the text between two of them. What stands below the text is four more at most (see `writing.blocks`)."""

ITEM_EXTRA = 100
"""What a heading or divider costs beyond its own letters (bolt-js issue 2509, measured)."""

TABLE_ROWS = 90
TABLE_COLUMNS = 20
"""Of one table; Slack's page on the `table` block says 100 rows and 20 columns."""

FALLBACK_CHARS = 1_000
"""Notifications show far less; nobody reads the rest of `text` when blocks are shown."""

PLAIN_BYTES = 3_800
"""Most bytes of `text`, escaped. chat.update refuses more than 4,000 bytes (openclaw pull 115027, measured)."""

CODE_COLUMNS = 72
"""Widest table that stands as code in the fallback: what a desktop window shows."""

RULE = "———"
"""A divider where there is no block for one."""

SCHEMES = ("http", "https", "mailto")

PERSON = re.compile(r"<@([UW][A-Z0-9]{2,})(?:\|[^<>\n]*)?>")

# "<" in every spelling that a parser may turn into one, before what makes it a mention, a channel or a command.
_MENTION = re.compile(
    r"(<|&(?:amp;)*lt;?|&(?:amp;)*#0*60;?|&(?:amp;)*#x0*3c;?)(?=\\*(?:[!@#]|&(?:amp;)*(?:excl|commat|num|#)))",
    re.IGNORECASE,
)
_BROADCAST = re.compile(
    r"(@|\uff20|&(?:amp;)*commat;|&(?:amp;)*#0*64;?|&(?:amp;)*#x0*40;?)(?=\\*(?:channel|here|everyone)(?![A-Za-z0-9]))",
    re.IGNORECASE,
)
_TOKEN_IN_CODE = re.compile(r"<(?=@[A-Z0-9]|#[A-Z0-9]|!(?:channel|here|everyone|subteam\^|date\^))", re.IGNORECASE)
_ENTITY = re.compile(r"&(?=#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)")
_LINE_START = re.compile(
    r"^([ \t]*)(?=#{1,6}(?:[ \t]|$)|>|[-+](?:[ \t]|$)|(?:-[ \t]*){2,}$|=+[ \t]*$|~~~|[:|-][-:| \t]*$)"
)
_NUMBER_START = re.compile(r"^([ \t]*[0-9]{1,9})(?=[.)](?:[ \t]|$))")
_MARKERS = re.compile(r"[*_~`]")
_SPECIAL = re.compile(r"[\\*_`~\[\]<&!]")


class _Canonical:
    """The parts of a line in canonical Markdown."""

    marks: Mapping[int, str] = {BOLD: "**", ITALIC: "*", STRIKE: "~~"}
    strict = True
    pad = ""

    def escape(self, text: str, before: str, after: str) -> str:
        tildes = text.count("~") > 1
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
                case "~":
                    bare = not tildes and "~" not in (left, right)
                case "[" | "]":
                    bare = brackets
                case "!":
                    bare = right != "["
                case "<":
                    # Neither a tag nor an address nor a token of Slack's begins here.
                    return "<" + ZERO_WIDTH_SPACE if right.isalpha() or right in ("@", "#", "!", "/", "?") else "<"
                case "&":
                    return "&amp;" if _ENTITY.match(text, at) else "&"
                case _:
                    bare = False
            return char if bare else "\\" + char

        return _SPECIAL.sub(spell, text)

    def code(self, text: str) -> str:
        return inline_code(_TOKEN_IN_CODE.sub("<" + ZERO_WIDTH_SPACE, text))

    def link(self, label: str, href: str, plain_label: str) -> str:
        address = web_address(href, SCHEMES)
        if address is None or not label.strip():
            return label
        if is_address(plain_label):
            # A label that names another place than the link leads to would deceive; the place itself is shown.
            return f"<{address}>"
        return f"[{label}]({address})"

    def mention(self, person: str) -> str:
        return f"<@{person}>"


class _Mrkdwn:
    """The parts of a line in mrkdwn, where only three characters can be escaped."""

    marks: Mapping[int, str] = {BOLD: "*", ITALIC: "_", STRIKE: "~"}
    strict = False
    pad = ZERO_WIDTH_SPACE

    def escape(self, text: str, before: str, after: str) -> str:
        def spell(found: re.Match[str]) -> str:
            at = found.start()
            sides = (text[at - 1] if at else before, text[at + 1] if at + 1 < len(text) else after)
            bare = all(side.isalnum() for side in sides) or sides == (" ", " ")
            # A marker character that is meant literally is kept from finding a partner.
            return found[0] if bare else f"{ZERO_WIDTH_SPACE}{found[0]}{ZERO_WIDTH_SPACE}"

        return escape(_MARKERS.sub(spell, text))

    def code(self, text: str) -> str:
        return escape(text) if "`" in text else f"`{escape(text)}`"

    def link(self, label: str, href: str, plain_label: str) -> str:
        address = web_address(href, SCHEMES)
        if address is None or not label.strip():
            return label
        address = escape(address)
        return f"<{address}>" if is_address(plain_label) else f"<{address}|{escape(plain_label.replace('|', '¦'))}>"

    def mention(self, person: str) -> str:
        return f"<@{person}>"


_CANONICAL, _MRKDWN = _Canonical(), _Mrkdwn()


def escape(text: str) -> str:
    """For `text`, where Slack asks for these three as entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def neutralise(text: str, people: People = NOBODY) -> str:
    """The same to the eye, in which no mention is live but those of `people`. Idempotent. Code is not exempt: Slack resolves
    mentions before it thinks of code, and whether an entity stays inert in a block is not documented."""

    def spell(found: re.Match[str]) -> str:
        whole = PERSON.match(found.string, found.start())
        return found[0] if whole and whole[1] in people and "|" not in whole[0] else found[1] + ZERO_WIDTH_SPACE

    return _BROADCAST.sub(rf"\1{ZERO_WIDTH_SPACE}", _MENTION.sub(spell, text))


class SlackDialect(Dialect):
    def __init__(self, limit: int = LIMIT, *, blocks: int = BLOCKS) -> None:
        super().__init__(limit)
        self._blocks = blocks

    def within(self, limit: int) -> "SlackDialect":
        return SlackDialect(limit, blocks=self._blocks)

    def write(self, block: Block, people: People) -> Piece:
        text = neutralise(without_marks(_Writer(people, self.limit).top(block)), people)
        entities = 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
        return Piece(text, len(text.encode()) + entities, type(block), _plain(block)[:FALLBACK_CHARS])

    def gap(self, before: Piece, after: Piece) -> str:
        return "\n\n"

    def measure(self, pieces: Sequence[Piece]) -> int:
        size = sum(piece.length for piece in pieces) + 2 * max(len(pieces) - 1, 0)
        blocks, text = 0, False
        for piece in pieces:
            alone = piece.kind in (Heading, Rule, Table)
            blocks += alone or not text
            size += ITEM_EXTRA if alone and self.limit >= LIMIT // 4 else 0
            text = not alone
        return max(size, -(-blocks * self.limit // self._blocks) if blocks > 1 else 0)

    def payload(self, source: str, people: People = NOBODY, *, fallback: bool = False) -> dict[str, object]:
        if fallback:
            return {"text": mrkdwn(source, people)}
        rendered = self.render(source, people)
        return {
            "text": notification("\n".join(piece.plain for piece in rendered.pieces)),
            "blocks": [{"type": "markdown", "text": rendered.text}],
        }


def notification(text: str) -> str:
    """The beginning of `text` for `text` beside blocks: escaped, inert, within `FALLBACK_CHARS` and `PLAIN_BYTES`."""
    start = text.strip()[:FALLBACK_CHARS]
    size = 0
    for index, letter in enumerate(start):
        size += len(escape(letter).encode())
        if size > PLAIN_BYTES - 100:
            start = start[:index]
            break
    return neutralise(escape(without_marks(start)))


def mrkdwn(source: str, people: People = NOBODY) -> str:
    """All of a message as mrkdwn, of any length."""
    writer = _Writer(people, LIMIT, mrkdwn=True)
    pieces = (writer.top(block) for block in parse(clean(source)))
    return neutralise(without_marks("\n\n".join(piece for piece in pieces if piece)), people)


def _plain(block: Block) -> str:
    match block:
        case Paragraph(spans) | Heading(_, spans):
            return plain(spans)
        case Fence(_, text):
            return text
        case Rule():
            return RULE
        case Quote(blocks):
            return "\n".join(_plain(one) for one in blocks)
        case List(items):
            return "\n".join("• " + "\n".join(_plain(one) for one in item.blocks).removeprefix("• ") for item in items)
        case Table(head, _, rows):
            return "\n".join(" | ".join(cell_text(cell) for cell in row) for row in (head, *rows))


@dataclass(frozen=True, slots=True)
class _Writer:
    people: People
    limit: int
    mrkdwn: bool = False

    def top(self, block: Block) -> str:
        if isinstance(block, Table) and not self.mrkdwn and len(block.head) <= TABLE_COLUMNS:
            return self._pipes(block)
        if isinstance(block, Heading) and not self.mrkdwn:
            return f"{'#' * block.level} {self._line(one_line(block.spans))}".rstrip()
        if isinstance(block, Rule) and not self.mrkdwn:
            return "---"
        return self._block(block)

    def _blocks(self, blocks: Sequence[Block]) -> str:
        out = ""
        for index, block in enumerate(blocks):
            if index:
                close = (
                    isinstance(block, List)
                    and isinstance(blocks[index - 1], Paragraph)
                    and block.items[0].number in (None, 1)
                )
                out += "\n" if close or isinstance(block, Fence) or isinstance(blocks[index - 1], Fence) else "\n\n"
            out += self._block(block)
        return out

    def _block(self, block: Block) -> str:
        match block:
            case Paragraph(spans):
                return self._paragraph(spans)
            case Heading(_, spans):
                return self._line(_all_bold(one_line(spans)))
            case Fence():
                return self._fence(block)
            case Rule():
                return RULE
            case Quote(blocks):
                return self._quote(blocks)
            case List(items):
                return self._list(items)
            case Table():
                return self._table(block)

    def _quote(self, blocks: Sequence[Block]) -> str:
        if not self.mrkdwn:
            return "\n".join(f"> {line}".rstrip() for line in self._blocks(blocks).split("\n"))
        # mrkdwn knows one level, and no code inside.
        pieces = [(isinstance(block, Fence), self._block(block)) for block in flat(blocks)]
        return "\n".join(
            text if code else "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
            for code, text in pieces
            if text
        )

    def _line(self, spans: Spans) -> str:
        return write_spans(name_people(spans, self.people, PERSON), _MRKDWN if self.mrkdwn else _CANONICAL)

    def _paragraph(self, spans: Spans) -> str:
        if self.mrkdwn:
            return "\n".join(
                re.sub(r"^(\s*)&gt;", rf"\1{ZERO_WIDTH_SPACE}&gt;", line) for line in self._line(spans).split("\n")
            )
        lines = (without_marks(line).strip() for line in self._line(spans).split("\n"))
        return "\n".join(_NUMBER_START.sub(r"\1\\", _LINE_START.sub(r"\1\\", line)) for line in lines)

    def _fence(self, fence: Fence) -> str:
        text = _TOKEN_IN_CODE.sub("<" + ZERO_WIDTH_SPACE, fence.text)
        if self.mrkdwn:
            inner = escape(text).replace("```", f"``{ZERO_WIDTH_SPACE}`")
            return f"```\n{inner}\n```" if inner.strip() else ""
        ticks = fence_ticks(text)
        return f"{ticks}{language(fence)}\n{text}\n{ticks}" if text else f"{ticks}{language(fence)}\n{ticks}"

    def _list(self, items: Sequence[Item]) -> str:
        out = ""
        for index, item in enumerate(items):
            if index:
                # After the rest of an item from the message before, a number could not begin a list without a blank line.
                out += "\n\n" if items[index - 1].resumed else "\n"
            body = self._blocks(item.blocks)
            if item.resumed:
                out += body
                continue
            bullet = "•" if self.mrkdwn else "-"
            marker = f"{bullet} " if item.number is None else f"{item.number}. "
            box = ("☑ " if item.done else "☐ ") if self.mrkdwn else ("[x] " if item.done else "[ ] ")
            marked = marker + ("" if item.done is None else box)
            if self.mrkdwn:
                out += indent(marked, body, 4)
            else:
                first, *others = body.split("\n")
                out += "\n".join([(marked + first).rstrip(), *((" " * len(marker) + line).rstrip() for line in others)])
        return out

    def _table(self, table: Table) -> str:
        if self.mrkdwn and not has_hidden_links(table) and (text := table_as_text(table, CODE_COLUMNS)) is not None:
            return self._fence(Fence("", text))
        return self._block(table_as_list(table))

    def _pipes(self, table: Table) -> str:
        head = self._row(table.head)
        line = f"| {' | '.join(DELIMITERS[align] for align in table.aligns)} |"
        chunks = [table.rows[at : at + TABLE_ROWS] for at in range(0, max(len(table.rows), 1), TABLE_ROWS)]
        return "\n\n".join("\n".join([head, line, *(self._row(row) for row in chunk)]) for chunk in chunks)

    def _row(self, cells: Sequence[Spans]) -> str:
        return f"| {' | '.join(self._cell(cell) for cell in cells)} |"

    def _cell(self, spans: Spans) -> str:
        # An empty cell is refused by Slack and takes the whole message along.
        return re.sub(r"(?<!\\)\|", r"\|", self._line(one_line(spans)).strip()) or ZERO_WIDTH_SPACE


def _all_bold(spans: Spans) -> Spans:
    return tuple(span._replace(style=span.style | BOLD) for span in spans)


DIALECT = SlackDialect()
