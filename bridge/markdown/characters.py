"""Single characters: which never leave, which belong together, how wide they stand. Pure."""

import re
import unicodedata
from functools import lru_cache

_NEWLINE = re.compile("\r\n?|[\u2028\u2029\x0b\x0c\x85]")
# C0 but tab and newline, delete, C1; bidirectional embeddings, overrides and isolates, which turn the text around them;
# deprecated format characters, byte order mark, interlinear marks, noncharacters.
_NEVER = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ufdd3-\ufdef\ufffe\uffff]"
)
_MARKS = re.compile("[\ufdd0-\ufdd2]")
"""The splitter's own marks (`bridge.markdown.model`): never part of what a model writes."""
_SURROGATE = re.compile("[\ud800-\udfff]")

ZERO_WIDTH_SPACE = "\u200b"
"""Invisible; no mention, link or marker is recognised across it."""


def without_marks(text: str) -> str:
    return _MARKS.sub("", text)


def clean(text: str, *, final: bool = True) -> str:
    """`text` without what must not reach a platform: control characters, direction overrides, lone surrogates.

    Of a text that still grows (`final` false) the result for a longer text begins with the result for a shorter one.
    """
    if _SURROGATE.search(text):
        if not final and "\ud800" <= text[-1:] <= "\udbff":
            text = text[:-1]
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _NEVER.sub("", _NEWLINE.sub("\n", text))


def is_space(char: str) -> bool:
    """White space as CommonMark means it. The ends of a text (an empty string) count as white space."""
    return char in "\t\n\x0c\r " or unicodedata.category(char) == "Zs"


@lru_cache(4096)
def is_punctuation(char: str) -> bool:
    return bool(char) and unicodedata.category(char)[0] in "PS"


@lru_cache(4096)
def is_cjk(char: str) -> bool:
    """Scripts that are written without spaces between words, and their punctuation."""
    if not char or char < "\u1100":
        return False
    code = ord(char)
    return (
        0x1100 <= code <= 0x11FF
        or 0x2E80 <= code <= 0xA4CF
        or 0xA960 <= code <= 0xA97F
        or 0xAC00 <= code <= 0xD7FF
        or 0xF900 <= code <= 0xFAFF
        or 0xFE30 <= code <= 0xFE4F
        or 0xFF00 <= code <= 0xFFEF
        or 0x1AFF0 <= code <= 0x1B16F
        or 0x20000 <= code <= 0x3FFFD
    )


@lru_cache(8192)
def _extends(char: str) -> bool:
    """Whether `char` is drawn onto the one before it."""
    if char < "\u0300":
        return False
    return (
        unicodedata.category(char) in ("Mn", "Me", "Mc")
        or char in "\u200c\u200d\uff9e\uff9f"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or "\U000e0020" <= char <= "\U000e007f"
    )


def _regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


def _hangul(char: str) -> str:
    """The part a conjoining letter plays in a syllable: leading, vowel, trailing; or none."""
    if "\u1100" <= char <= "\u115f" or "\ua960" <= char <= "\ua97c":
        return "L"
    if "\u1160" <= char <= "\u11a7" or "\ud7b0" <= char <= "\ud7c6":
        return "V"
    if "\u11a8" <= char <= "\u11ff" or "\ud7cb" <= char <= "\ud7fb":
        return "T"
    if "\uac00" <= char <= "\ud7a3":
        return "S"
    return ""


def is_boundary(text: str, at: int) -> bool:
    """Whether `text` may be cut before `at` without tearing a visible character apart (Unicode annex 29, the parts of it
    that occur: marks, joiners, skin tones, tags, flags, conjoining Hangul)."""
    if at <= 0 or at >= len(text):
        return True
    before, char = text[at - 1], text[at]
    if _extends(char) or before == "\u200d":
        return before == "\n"
    if _regional(char) and _regional(before):
        first = at - 1
        while first > 0 and _regional(text[first - 1]):
            first -= 1
        return (at - first) % 2 == 0
    return _hangul(before) + _hangul(char) not in ("LL", "LV", "LS", "VV", "VT", "TT", "SV", "ST")


def in_one_line(text: str, most: int) -> str:
    """`text` as a line of at most so many characters, with "…" where it was cut."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    end = most - 1
    while not is_boundary(line, end):
        end -= 1
    return f"{line[:end].rstrip()}…"


def width(text: str) -> int:
    """Columns of a terminal font: full-width characters and emoji count two, marks none."""
    if text.isascii():
        return len(text)
    columns = 0
    for index, char in enumerate(text):
        if _extends(char) or char in "\u200b\u2060":
            continue
        if index and text[index - 1] == "\u200d":
            continue
        columns += 2 if unicodedata.east_asian_width(char) in "WF" else 1
    return columns


_MARKUP = re.compile(r"[!-/:-@\[-`{-~]")


def literally(text: str) -> str:
    """Markdown that shows `text` letter by letter, in one line: nothing in it is markup."""
    return _MARKUP.sub(lambda found: f"\\{found[0]}", " ".join(clean(text).split()))
