"""What Slack shows of a `markdown` block, and how Slack counts a message.

Strict CommonMark with GFM tables, strikethrough and task boxes, without any leniency for scripts that use no spaces.
markdown-it-py stands in for Slack's parser: it is an independent implementation of the specification.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.markdown.seen import Fence, Run, Seen, Table, joined

_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_BOX = re.compile(r"\[([ xX])\](?=\s)|([☐☑])(?=\s)")
# GFM, extended autolinks: up to white space or "<", then trailing punctuation goes.
_BARE = re.compile(r"https?://[^\s<]+")
_TRAILING = "?!.,:*_~'\";"


@lru_cache(32)
def _tokens(source: str) -> list[Token]:
    return _PARSER.parse(source)


def see_block(source: str) -> Seen:
    """What a person sees of one `markdown` block."""
    walk = _Walk(source.splitlines())
    walk.blocks(_tokens(source))
    return Seen(
        runs=joined(walk.runs), mentions=slack_mentions(source), fences=tuple(walk.fences), tables=tuple(walk.tables)
    )


class _Walk:
    """One pass over the tokens."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.runs: list[Run] = []
        self.fences: list[Fence] = []
        self.tables: list[Table] = []
        self._lines = lines
        self._style = Run(text="")
        self._quotes = 0
        self._numbers: list[int | None] = []
        self._item = False
        self._rows: list[list[str]] = []

    def blocks(self, tokens: Iterable[Token]) -> None:
        for token in tokens:
            match token.type:
                case "inline":
                    self._inline(token)
                case "fence" | "code_block":
                    self._fence(token)
                case "heading_open":
                    self._style = replace(self._style, heading=int(token.tag[1:]))
                case "heading_close" | "paragraph_close" | "hr":
                    self._style = replace(self._style, heading=0)
                    self._add("\n")
                case "blockquote_open" | "blockquote_close":
                    self._quotes += token.nesting
                    self._style = replace(self._style, quote=self._quotes > 0)
                case "bullet_list_open" | "ordered_list_open" | "bullet_list_close" | "ordered_list_close":
                    self._list(token)
                case "list_item_open":
                    number = self._numbers[-1]
                    self._add("• " if number is None else f"{number}. ", mark=True)
                    self._numbers[-1] = None if number is None else number + 1
                    self._item = True
                case _:
                    self._table(token)

    def _list(self, token: Token) -> None:
        if token.nesting < 0:
            self._numbers.pop()
        else:
            start = token.attrGet("start")
            ordered = token.type == "ordered_list_open"
            self._numbers.append((1 if start is None else int(start)) if ordered else None)
        self._style = replace(self._style, depth=len(self._numbers))

    def _table(self, token: Token) -> None:
        match token.type:
            case "table_open":
                self._rows = []
            case "tr_open":
                self._rows.append([])
            case "th_open" | "td_open":
                self._style = replace(self._style, cell="head" if token.type == "th_open" else "body")
                self._before = len(self.runs)
            case "th_close" | "td_close":
                self._style = replace(self._style, cell="")
                self._rows[-1].append("".join(run.text for run in self.runs[self._before :]))
                self._add("\t")
            case "tr_close":
                self._add("\n")
            case "table_close":
                self.tables.append(tuple(tuple(row) for row in self._rows))
            case _:
                pass

    def _fence(self, token: Token) -> None:
        text = token.content.removesuffix("\n")
        closed = True
        if token.type == "fence":
            assert token.map is not None
            first, after = token.map
            last = self._lines[after - 1].lstrip(" \t>") if after - 1 < len(self._lines) else ""
            closed = after - 1 > first and last.startswith(token.markup) and not last.strip(token.markup[0] + " \t")
        self.fences.append(Fence(info=token.info.strip(), text=text, quote=self._quotes > 0, closed=closed))
        self._add(text, code=True, fence=True)
        self._add("\n")

    def _inline(self, token: Token) -> None:
        first, self._item = self._item, False
        outside = self._style
        for child in token.children or ():
            match child.type:
                case "text" | "text_special":
                    self._text(child.content, box=first)
                case "code_inline":
                    self._add(child.content, code=True)
                case "softbreak" | "hardbreak":
                    self._add("\n")
                case "image":
                    self._add(child.content, link=str(child.attrGet("src")))
                case "strong_open" | "strong_close":
                    self._style = replace(self._style, bold=child.nesting > 0)
                case "em_open" | "em_close":
                    self._style = replace(self._style, italic=child.nesting > 0)
                case "s_open" | "s_close":
                    self._style = replace(self._style, strike=child.nesting > 0)
                case "link_open":
                    self._style = replace(self._style, link=str(child.attrGet("href")))
                case "link_close":
                    self._style = replace(self._style, link=None)
                case other:
                    raise AssertionError(f"{other} is not part of the dialect")
            first = False
        self._style = outside

    def _text(self, text: str, *, box: bool) -> None:
        if box and (found := _BOX.match(text)):
            self._add("☐ " if (found[1] or found[2]) in " ☐" else "☑ ", mark=True)
            text = text[found.end() :].lstrip()
        at = 0
        for found in _BARE.finditer(text):
            if self._style.link is not None:
                break
            url = found[0].rstrip(_TRAILING)
            while url.endswith(")") and url.count(")") > url.count("("):
                url = url[:-1].rstrip(_TRAILING)
            self._add(text[at : found.start()])
            self._add(url, link=url)
            at = found.start() + len(url)
        self._add(text[at:])

    def _add(self, text: str, *, mark: bool = False, code: bool = False, fence: bool = False, link: str = "") -> None:
        style = self._style
        if text == "\n":
            style = Run(text="", quote=style.quote, depth=style.depth)
        self.runs.append(
            replace(style, text=text, mark=mark, code=code or style.code, fence=fence, link=link or style.link)
        )


_TOKEN = re.compile(
    r"<(@[UW][A-Za-z0-9]+|#[CDG][A-Za-z0-9]+|!(?:channel|here|everyone|group|subteam\^[A-Za-z0-9]+))(?:\|[^>\n]*)?>",
    re.IGNORECASE,
)
_BROADCAST = re.compile(r"(?<![A-Za-z0-9])[@\uff20](channel|here|everyone)(?![A-Za-z0-9])", re.IGNORECASE)


def slack_mentions(raw: str) -> frozenset[str]:
    """Whom this string could call, anywhere in it, code included.

    Whether Slack resolves tokens before or after entities and backslashes is not documented for `markdown` blocks, so every
    reading counts.
    """
    found: set[str] = set()
    for _ in range(4):
        for text in (raw, raw.replace("\\", "")):
            found.update(token[1] for token in _TOKEN.finditer(text))
            found.update("@" + token[1] for token in _BROADCAST.finditer(text))
        decoded = html.unescape(raw)
        if decoded == raw:
            break
        raw = decoded
    return frozenset(found)


BLOCK_BYTES = 12_000
"""Docs: 12,000 characters; `msg_too_long` beyond. Counted as bytes here, the stricter reading."""
MESSAGE_BYTES = 13_200
"""`msg_blocks_too_long` beyond, with 100 for each heading and entities for & < > (bolt-js issue 2509, measured)."""
HEADING_COST = 100
ITEMS = 50
"""`invalid_blocks` beyond; each heading, divider and table is one (bolt-js issue 2509, measured), and so is the text between two
of them, in the stricter reading."""
TEXT_BYTES = 4_000
"""chat.update refuses more in `text` (openclaw pull 115027, measured)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackCounts:
    text: int
    """UTF-8 bytes of `text` as it stands on the wire."""
    block: int
    """UTF-8 bytes of the longest block."""
    message: int
    """All blocks, with what Slack adds."""
    items: int
    """Headings, dividers, tables, and texts between them."""
    problems: tuple[str, ...]
    """What Slack would answer instead of taking the message."""


def slack_counts(payload: dict[str, object]) -> SlackCounts:
    text = payload.get("text", "")
    assert isinstance(text, str)
    blocks = block_texts(payload)
    sizes = [len(block.encode()) for block in blocks]
    items = sum(map(_items, blocks))
    headings = sum(token.type == "heading_open" for block in blocks for token in _tokens(block))
    entities = sum(4 * block.count("&") + 3 * (block.count("<") + block.count(">")) for block in blocks)
    message = sum(sizes) + HEADING_COST * headings + entities
    checks = {
        "msg_too_long": max(sizes, default=0) > BLOCK_BYTES or len(text.encode()) > TEXT_BYTES,
        "msg_blocks_too_long": message > MESSAGE_BYTES,
        "invalid_blocks": items > ITEMS,
        "no_text": not (text.strip() if not blocks else all(block.strip() for block in blocks)),
    }
    return SlackCounts(
        text=len(text.encode()),
        block=max(sizes, default=0),
        message=message,
        items=items,
        problems=tuple(name for name, wrong in checks.items() if wrong),
    )


def _items(block: str) -> int:
    """Blocks that Slack makes of one `markdown` block."""
    items, text = 0, False
    for token in _tokens(block):
        alone = token.type in ("heading_open", "hr", "table_open")
        opens = token.level == 0 and token.nesting >= 0
        if alone or (opens and not text):
            items += 1
        if opens:
            text = not alone
    return items


def block_texts(payload: dict[str, object]) -> list[str]:
    """The sources of a payload's `markdown` blocks; any other block is a failure."""
    blocks = payload.get("blocks", [])
    assert isinstance(blocks, list)
    out: list[str] = []
    for block in blocks:
        assert block["type"] == "markdown", block
        assert isinstance(block["text"], str)
        out.append(block["text"])
    return out


def see_slack(payload: dict[str, object]) -> Seen:
    """The blocks of a message; mentions also of its notification text."""
    text = payload.get("text", "")
    assert isinstance(text, str)
    seen = see_block("\n\n".join(block_texts(payload)))
    return replace(seen, mentions=seen.mentions | slack_mentions(text))
