"""What Discord shows of `content`, and how Discord counts it.

Written from the documented dialect and from how its clients are known to behave, not from CommonMark: code and styles may
begin anywhere, bold may hold spaces, `__` underlines. What Discord does not know (tables, deeper headings, images, `~~~`) stays
raw text, and so turns up in `Seen.markers`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.markdown.seen import Fence, Run, Seen, joined

CONTENT_CHARS = 2_000
"""Code points of `content` (API reference; that these are code points: discord-api-docs issue 1315)."""

_FENCE = re.compile(r"```(?:([A-Za-z0-9_+\-.#]+)\n)?\n*([^\n][\s\S]*?)\n*```")
_QUOTE_REST = re.compile(r" *>>> ([\s\S]*)")
_QUOTE = re.compile(r" *> [^\n]*(?:\n *> [^\n]*)*\n?")
_QUOTE_LINE = re.compile(r"(?m)^ *> ")
_HEADING = re.compile(r" *(#{1,3}) +(?=\S)")
_SMALL = re.compile(r" *-# +(?=\S)")
_ITEM = re.compile(r"( *)(?:([-*])|(\d{1,10})\.) +(?=\S)")
_BOX = re.compile(r"([☐☑])\s+")
_CODE = re.compile(r"(`+)([\s\S]*?[^`])\1(?!`)")
_ESCAPE = re.compile(r"\\([^0-9A-Za-z\s])")
_LABEL = re.compile(
    r"\[((?:\\.|[^\[\]\\\n]|\[[^\[\]\n]*\])+)\]\(\s*(?:<(https?://[^<>\n]*)>|(https?://[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*))\s*\)"
)
_ANGLED = re.compile(r"<(https?://[^\s<>]+)>")
_BARE = re.compile(r"https?://[^\s<]+[^<.,:;\"')\]\s]")
_PLAIN = re.compile(r"(?:(?!https?://)[^\\`\[<*_~|])+")
"""Where nothing can begin."""
_TOKEN = re.compile(r"<(?:@[!&]?|#)\d+>")
_ADDRESS = re.compile(r"https?://\S")


def see_discord(payload: dict[str, object]) -> Seen:
    content = payload["content"]
    assert isinstance(content, str)
    return see_content(content)


def see_content(content: str) -> Seen:
    sight = _Sight()
    sight.blocks(content.strip(), Run(text=""))  # Discord strips white space around a message
    return Seen(runs=joined(sight.runs), mentions=discord_mentions(content), fences=tuple(sight.fences))


class _Sight:
    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.fences: list[Fence] = []

    def blocks(self, text: str, style: Run) -> None:
        at = 0
        while at < len(text):
            if not style.quote and (quote := _QUOTE_REST.match(text, at)):
                self.blocks(quote[1], replace(style, quote=True))
                return
            if not style.quote and (quote := _QUOTE.match(text, at)):
                self.blocks(_QUOTE_LINE.sub("", quote[0]), replace(style, quote=True))
                at = quote.end()
                continue
            at = self._line(text, at, style)

    def _line(self, text: str, at: int, style: Run) -> int:
        """One block that begins at the start of a line. Returns where the next one begins."""
        if item := _ITEM.match(text, at):
            style = replace(style, depth=1 + len(item[1]) // 2)
            number = "• " if item[2] else f"{item[3]}. "
            self.runs.append(replace(style, text=number, mark=True))
            at = item.end()
            if box := _BOX.match(text, at):
                self.runs.append(replace(style, text=box[1] + " ", mark=True))
                at = box.end()
        if heading := _HEADING.match(text, at):
            style = replace(style, heading=len(heading[1]))
            at = heading.end()
        elif small := _SMALL.match(text, at):
            style = replace(style, small=True)
            at = small.end()
        one_line = bool(style.heading or style.small or style.depth)
        for end, fence in self._ends(text, at, one_line=one_line):
            self.inline(text[at:end], style)
            if fence is None:
                self.runs.append(Run(text="\n", quote=style.quote))
                return end + 1
            self.fences.append(Fence(info=fence[1] or "", text=fence[2], quote=style.quote))
            self.runs.append(Run(text=fence[2], code=True, fence=True, quote=style.quote))
            self.runs.append(Run(text="\n", quote=style.quote))
            at = fence.end()
        return len(text)

    def _ends(self, text: str, at: int, *, one_line: bool) -> Iterator[tuple[int, re.Match[str] | None]]:
        """Where inline text ends: at each fence, and last at the line end before another block."""
        while at < len(text):
            letter = text[at]
            if letter == "\\":
                at += 2
            elif letter == "`":
                if fence := _FENCE.match(text, at):
                    yield at, fence
                    at = fence.end()
                    if text[at : at + 1] == "\n" and (one_line or _begins_block(text, at + 1)):
                        yield at, None
                        return
                elif code := _CODE.match(text, at):
                    at = code.end()
                else:
                    at += len(text[at:]) - len(text[at:].lstrip("`"))
            elif letter == "\n" and (one_line or _begins_block(text, at + 1)):
                yield at, None
                return
            else:
                at += 1
        yield len(text), None

    def inline(self, text: str, style: Run) -> None:
        at = 0
        while at < len(text):
            if plain := _PLAIN.match(text, at):
                self.runs.append(replace(style, text=plain[0]))
                at = plain.end()
            else:
                at = self._piece(text, at, style)

    def _piece(self, text: str, at: int, style: Run) -> int:
        """One character, or one styled piece. Returns where the rest begins."""
        if escape := _ESCAPE.match(text, at):
            self.runs.append(replace(style, text=escape[1]))
            return escape.end()
        if code := _CODE.match(text, at):
            self.runs.append(replace(style, text=_unpadded(code[2]), code=True))
            return code.end()
        if (label := _LABEL.match(text, at)) and style.link is None and not _ADDRESS.search(label[1]):
            self.inline(label[1], replace(style, link=label[2] or label[3], card=not label[2]))
            return label.end()
        if (angled := _ANGLED.match(text, at)) and style.link is None:
            self.runs.append(replace(style, text=angled[1], link=angled[1]))
            return angled.end()
        if (bare := _BARE.match(text, at)) and style.link is None:
            self.runs.append(replace(style, text=bare[0], link=bare[0], card=True))
            return bare.end()
        if token := _TOKEN.match(text, at):
            self.runs.append(replace(style, text=token[0]))
            return token.end()
        for marker in ("**", "__", "~~", "||", "*", "_"):
            if text.startswith(marker, at) and (end := _closer(text, at, marker)):
                self.inline(text[at + len(marker) : end], _styled(style, marker))
                return end + len(marker)
        self.runs.append(replace(style, text=text[at]))
        return at + 1


def _styled(style: Run, marker: str) -> Run:
    match marker:
        case "**":
            return replace(style, bold=True)
        case "__":
            return replace(style, underline=True)
        case "~~":
            return replace(style, strike=True)
        case "||":
            return replace(style, spoiler=True)
        case _:
            return replace(style, italic=True)


def _closer(text: str, at: int, marker: str) -> int | None:
    """Where the marker that opens at `at` closes. Code and escapes are passed over."""
    start = at + len(marker)
    if marker == "*" and (start >= len(text) or text[start].isspace()):
        return None
    at = start
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif code := _CODE.match(text, at):
            at = code.end()
        elif text.startswith(marker, at):
            if at > start and _may_close(text, at, marker):
                return at
            if len(marker) == 1 and not text.startswith(marker * 2, at):
                return None  # a single one inside ends the attempt; a double one belongs to something else
            at += 2 if len(marker) == 1 else 1
        else:
            at += 1
    return None


def _may_close(text: str, at: int, marker: str) -> bool:
    after = text[at + len(marker) : at + len(marker) + 1]
    if marker == "~~" or marker == "||":
        return True
    if after == marker[0]:
        return False
    if marker == "*":
        return not text[at - 1].isspace()
    if marker == "_":
        return not (after.isascii() and (after.isalnum() or after == "_"))
    return True


def _unpadded(code: str) -> str:
    """One space on each side is taken off where the code itself begins or ends with a backtick."""
    return code[1:-1] if code.startswith(" `") or code.endswith("` ") else code


def _begins_block(text: str, at: int) -> bool:
    return any(pattern.match(text, at) for pattern in (_HEADING, _SMALL, _ITEM, _QUOTE, _QUOTE_REST))


_MENTION = re.compile(r"<(@[!&]?\d+|#\d+)>|(@everyone|@here)")


def discord_mentions(content: str) -> frozenset[str]:
    """Whom this content names, code included: a backslash does not stop a mention either."""
    return frozenset(
        found[1] or found[2] for text in (content, _ESCAPE.sub(r"\1", content)) for found in _MENTION.finditer(text)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordCounts:
    content: int
    """Code points."""
    problems: tuple[str, ...]


def discord_counts(payload: dict[str, object]) -> DiscordCounts:
    content = payload["content"]
    assert isinstance(content, str)
    problems = ["BASE_TYPE_MAX_LENGTH"] if len(content) > CONTENT_CHARS else []
    if not content.strip():
        problems.append("BASE_TYPE_REQUIRED")
    return DiscordCounts(content=len(content), problems=tuple(problems))
