"""Cuts a growing text into messages that fit, at line ends where it can, with code fences closed and reopened. Pure.

A cut never moves: it depends only on the text before it, so a message that was finished is never touched again.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

_FENCE = re.compile(r"^ {0,3}(`{3,16}(?!`)|~{3,16}(?!~))[ \t]*([^\n]*)$")
_LONGEST_INFO = 20
"""A reopened fence repeats at most this much of its language word; model text may put anything there."""

Measure = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class _Fence:
    marks: str
    language: str

    @property
    def opener(self) -> str:
        return f"{self.marks}{self.language}\n"

    def closed(self, text: str) -> str:
        return f"{text}{'' if text.endswith(chr(10)) else chr(10)}{self.marks}"


def _after(line: str, fence: _Fence | None) -> _Fence | None:
    """The open fence after `line`, given the one open before it."""
    found = _FENCE.match(line.rstrip("\n"))
    if found is None:
        return fence
    marks, info = found.group(1), found.group(2).strip()
    if fence is None:
        if marks[0] == "`" and "`" in info:
            return None  # inline code, not a fence
        return _Fence(marks, info.split(maxsplit=1)[0][:_LONGEST_INFO] if info else "")
    closes = not info and marks[0] == fence.marks[0] and len(marks) >= len(fence.marks)
    return None if closes else fence


def fence_after(text: str, fence: _Fence | None = None) -> _Fence | None:
    """The fence that is open at the end of `text`. Only "\\n" ends a line; Markdown knows no other."""
    for line in text.split("\n"):
        fence = _after(line, fence)
    return fence


def close_fence(text: str) -> str:
    """`text` with the code fence closed that it leaves open, if it does."""
    fence = fence_after(text)
    return fence.closed(text) if fence else text


def _joins(text: str, at: int) -> bool:
    """Whether cutting before `at` would tear a visible character apart."""
    char = text[at]
    return (
        unicodedata.combining(char) != 0
        or char in "\u200d\ufe0e\ufe0f\u20e3"
        or "\U0001f3fb" <= char <= "\U0001f3ff"
        or text[at - 1] == "\u200d"
        or ("\U0001f1e6" <= char <= "\U0001f1ff" and "\U0001f1e6" <= text[at - 1] <= "\U0001f1ff")
    )


class Splitter:
    """Splits one growing text. Feed it the whole text each time; what was frozen is never measured again."""

    def __init__(self, limit: int, measure: Measure) -> None:
        if limit < 32:
            # Below that a fence's closer and opener leave no room for text.
            raise ValueError(f"limit must be at least 32, not {limit}")
        self._limit = limit
        self._measure = measure
        self._seen = ""
        self._frozen: list[str] = []
        self._start = 0
        self._fence: _Fence | None = None

    def feed(self, text: str) -> list[str]:
        """All messages of the text so far. Every one but the last is final as long as the text only grows."""
        if not text.startswith(self._seen):
            self._frozen, self._start, self._fence = [], 0, None
        self._seen = text
        while True:
            live = self._context() + text[self._start :]
            shown = close_fence(live)
            if self._measure(shown) <= self._limit:
                return [*self._frozen, shown] if live.strip() else list(self._frozen)
            self._freeze(text)

    def _context(self) -> str:
        return self._fence.opener if self._fence else ""

    def _fits(self, text: str, end: int) -> bool:
        return self._measure(close_fence(self._context() + text[self._start : end])) <= self._limit

    def _freeze(self, text: str) -> None:
        ends: list[int] = []
        at = text.find("\n", self._start)
        # A message holds at most `limit` characters, whatever the measure, since none counts less than one.
        while at != -1 and at - self._start <= self._limit:
            ends.append(at + 1)
            at = text.find("\n", at + 1)
        fitting = bisect_right(ends, 0, key=lambda end: 0 if self._fits(text, end) else 1)
        cut = self._best(text, ends[:fitting])
        if cut - self._start < self._limit // 4:
            cut = self._inside_line(text)
        piece = self._context() + text[self._start : cut]
        if piece.strip():
            # White space alone is no message, and platforms refuse it.
            self._frozen.append(close_fence(piece).rstrip("\n"))
        self._fence = fence = fence_after(piece)
        self._start = cut
        if fence is None:
            while self._start < len(text) and text[self._start] == "\n":
                self._start += 1

    def _best(self, text: str, ends: list[int]) -> int:
        """The best line end: after a blank line, else outside a fence, else any; the second half is preferred."""
        if not ends:
            return self._start
        half = self._start + (ends[-1] - self._start) // 2
        ranked: list[tuple[bool, int, int]] = []
        fence = self._fence
        begin = self._start
        for end in ends:
            fence = _after(text[begin:end], fence)
            blank = fence is None and not text[begin:end].strip()
            ranked.append((end > half, 2 if blank else 1 if fence is None else 0, end))
            begin = end
        return max(ranked)[2]

    def _inside_line(self, text: str) -> int:
        low, high = self._start + 1, min(len(text), self._start + self._limit)
        while low < high:
            middle = (low + high + 1) // 2
            if self._fits(text, middle):
                low = middle
            else:
                high = middle - 1
        space = max(text.rfind(" ", self._start + 1, low), text.rfind("\n", self._start + 1, low))
        if space - self._start >= self._limit // 4:
            return space + 1
        cut = low
        while cut > self._start + 1 and cut < len(text) and _joins(text, cut):
            cut -= 1
        return cut if cut > self._start + 1 else low
