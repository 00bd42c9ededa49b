"""How much of a text that is still being written may be added to a stream, and where it goes on. Pure.

Nothing that was added can be taken back, and what is shown of a growing text is closed at its end: a half bold word has its
closing marker, a code block its last line, and both are elsewhere the next time. So a construct at the end waits until it is
complete, and the last line of a code block until something stands below it.

White space at the beginning of a chunk vanishes (reported by several projects), so that a chunk always ends before a letter.
"""

import re

WORD = 40
"""Characters that a word may keep waiting; scripts without spaces have no such words."""

CONSTRUCT = 200
"""Characters that a link, a code or an emphasis may keep waiting."""

_CLOSING_FENCE = re.compile(r"\n[ \t>]*(?:`{3,}|~{3,})[ \t]*\Z")
_OPENING = re.compile(r"(?:[ \t>]|[-*+][ \t]|\d+[.)][ \t])*(`{3,})[^`]*\Z")
_ROW = re.compile(r"[ \t>]*\|")
_CONSTRUCT = re.compile(
    r"!?\[[^\[\]\n]*\]\([^()\s]*\)"
    r"|(?<!`)`+[^`\n]+`+"
    r"|<[^<>\s]+>"
    r"|(?<![\\*])\*{1,3}(?=\S)(?:[^*\n]|(?<=\\)\*)+\*{1,3}"
    r"|(?<![\\~])~~(?=\S)[^~\n]+~~"
)
_LOOSE = frozenset("\\*_~`#\u200b")
"""Signs that are there or not depending on what follows: escapes, markers, joiners."""


def continue_after(said: str, text: str) -> int | None:
    """Where `text` goes on behind `said`. None: something else stands there now, and more than signs (`_LOOSE`)."""
    if text.startswith(said):
        return len(said)
    at = 0
    for letter in said:
        if letter in _LOOSE:
            continue
        while at < len(text) and text[at] in _LOOSE:
            at += 1
        if at == len(text) or text[at] != letter:
            return None
        at += 1
    return at


def settled(text: str, start: int) -> int:
    """The end of what may be added now of `text`, whose first `start` characters were added before. Never before `start`."""
    fence = _CLOSING_FENCE.search(text, max(start - 1, 0))
    end = len((text[: fence.start()] if fence else text).rstrip())
    if end <= start + 1:
        return start
    line = text.rfind("\n", 0, end) + 1
    if not fence and _ROW.match(text, line):
        # Half a row is no row.
        return max(line, start)
    last = end - 1
    word = max(text.rfind(" ", start, last), text.rfind("\n", start, last), start - 1) + 1
    cut = word if last - word < WORD else last
    if not fence:
        for found in _CONSTRUCT.finditer(text, max(line, end - 4 * CONSTRUCT)):
            if found.start() < cut < found.end() and end - found.start() < CONSTRUCT:
                cut = found.start()
    while cut > start and text[cut].isspace():
        cut -= 1
    return max(cut, start)


def block_end(said: str, chunk: str) -> int:
    """The end of the last block in `chunk`, which stands behind `said`: something else may stand there. 0: there is none."""
    cut = chunk.rfind("\n\n") + 2
    return cut if cut > 1 and not open_fence(said + chunk[:cut]) else 0


def open_fence(text: str) -> str:
    """The signs that opened the code in which `text`, as it is rendered, ends; empty where it does not end in code."""
    opened = ""
    for line in text.split("\n"):
        if not opened and (found := _OPENING.match(line)):
            opened = found[1]
        elif opened and line.strip(" \t>") == opened:
            opened = ""
    return opened
