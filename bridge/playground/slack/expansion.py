"""How Slack gives Markdown back: a markdown block is stored as headings, dividers, tables and rich text. Pure.

The expansion is rough (inline styles are dropped) but its block count, the size of its tables and the fact that what comes
back is not what was sent are what a client has to live with.
"""

import re
from collections.abc import Mapping, Sequence

from bridge.playground.slack import limits
from bridge.playground.slack.content import unescape

_FENCE = re.compile(r"^ {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_HEADING = re.compile(r"^ {0,3}#{1,6}(?:\s+|$)")
_DIVIDER = re.compile(r"^ {0,3}([-*_])(?:\s*\1){2,}\s*$")
_UNDERLINE = re.compile(r"^ {0,3}(?:=+|-+)[ \t]*$")
_TABLE_RULE = re.compile(r"^\s*(?:\|\s*)?:?-+:?\s*(?:\|\s*:?-+:?\s*)*(?:\|\s*)?$")
_NO_TEXT = re.compile(r"^ {0,3}(?:[-*+>|]|\d{1,9}[.)])|^ {4}|^\s*$")
"""A line under which a row of dashes is no heading: list, quote, table, code, nothing."""
_ENDS_TABLE = re.compile(r"^ {0,3}(?:#{1,6}\s|[-*+>]\s|\d{1,9}[.)]\s|`{3}|~{3})|^\s*$")
_BAR = re.compile(r"(?<!\\)\|")
_INLINE_MARKS = re.compile(r"\*\*|__|~~|`")
_PIECE = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>|<((?:https?://|mailto:)[^<>|]+)(?:\|([^<>]*))?>")


def expand(blocks: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
    """Blocks as a read gives them back."""
    expanded: list[dict[str, object]] = []
    for block in blocks:
        text = block.get("text")
        if block.get("type") == "markdown" and isinstance(text, str):
            expanded += _expand_markdown(text)
        else:
            expanded.append(dict(block))
    return [{"block_id": f"b{number}", **block} for number, block in enumerate(expanded)]


def rich_text(text: str) -> dict[str, object]:
    """The rich_text block that a person's message carries besides its `text`."""
    elements: list[dict[str, object]] = []
    end = 0
    for piece in _PIECE.finditer(text):
        if piece.start() > end:
            elements.append({"type": "text", "text": unescape(text[end : piece.start()])})
        user, url, label = piece.groups()
        if user:
            elements.append({"type": "user", "user_id": user})
        else:
            elements.append({"type": "link", "url": url, **({"text": label} if label else {})})
        end = piece.end()
    if end < len(text):
        elements.append({"type": "text", "text": unescape(text[end:])})
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": elements}]}


def counted_length(texts: Sequence[str], items: int) -> int:
    """Length of a whole message as Slack is reported to count it. `items`: its headings and dividers."""
    entities = sum(text.count(char) * (cost - 1) for text in texts for char, cost in limits.COUNTED_ENTITIES.items())
    return sum(map(len, texts)) + entities + items * limits.COUNTED_PER_ITEM


def _expand_markdown(markdown: str) -> list[dict[str, object]]:
    blocks: list[dict[str, object]] = []
    for kind, lines in _segments(markdown):
        if kind == "divider":
            blocks.append({"type": "divider"})
        elif kind == "header":
            text = _HEADING.sub("", "\n".join(lines))
            blocks.append({"type": "header", "text": {"type": "plain_text", "text": text, "emoji": True}})
        elif kind == "table":
            rows = [[{"type": "raw_text", "text": cell} for cell in _cells(line)] for line in (lines[0], *lines[2:])]
            blocks.append({"type": "table", "rows": rows})
        else:
            text = _INLINE_MARKS.sub("", "\n".join(lines)).strip("\n")
            blocks.append(
                {
                    "type": "rich_text",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
                }
            )
    return blocks


def _cells(line: str) -> list[str]:
    cells = _BAR.split(line.strip().removeprefix("|"))
    return [cell.strip() for cell in (cells[:-1] if len(cells) > 1 and not cells[-1].strip() else cells)]


def _segments(markdown: str) -> list[tuple[str, list[str]]]:
    """Cuts Markdown into what become blocks: ("text" | "header" | "divider" | "table", its lines)."""
    segments: list[tuple[str, list[str]]] = []
    plain: list[str] = []
    fence = ""

    def close_text() -> None:
        if any(line.strip() for line in plain):
            segments.append(("text", plain.copy()))
        plain.clear()

    lines = markdown.split("\n")
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        opening = _FENCE.match(line)
        if fence:
            plain.append(line)
            closing = line.strip()
            if closing.startswith(fence) and not closing.strip(fence[0]):
                fence = ""
        elif opening:
            fence = opening.group(1)
            plain.append(line)
        elif _UNDERLINE.match(line) and plain and not _NO_TEXT.match(plain[-1]):
            heading: list[str] = []
            while plain and not _NO_TEXT.match(plain[-1]):
                heading.insert(0, plain.pop())
            close_text()
            segments.append(("header", heading))
        elif _HEADING.match(line) or _DIVIDER.match(line):
            close_text()
            segments.append(("header" if _HEADING.match(line) else "divider", [line]))
        elif _begins_table(line, lines[index] if index < len(lines) else ""):
            close_text()
            table = [line]
            while index < len(lines) and not _ENDS_TABLE.match(lines[index]):
                table.append(lines[index])
                index += 1
            segments.append(("table", table))
        else:
            plain.append(line)
    close_text()
    return segments


def _begins_table(line: str, rule: str) -> bool:
    return "|" in line and "|" in rule and bool(_TABLE_RULE.match(rule)) and len(_cells(line)) == len(_cells(rule))
