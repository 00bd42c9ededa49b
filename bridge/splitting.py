"""Cuts a growing text into messages that fit, at the ends of blocks where it can. Pure.

A cut depends only on the text before it, and never moves. What has been shown in one message never moves to the next one
either: in the last part of a message's room (the margin) only whole pieces are shown, up to the best place for a cut so far.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence

from bridge.markdown.characters import clean, without_marks
from bridge.markdown.cuts import Cut, Rank, line_cuts
from bridge.markdown.dialect import NOBODY, Dialect, People
from bridge.markdown.inside import inline_cuts
from bridge.markdown.model import NUMBER_CLOSE, NUMBER_OPEN, RESUMED
from bridge.markdown.outline import Outline
from bridge.markdown.repair import close, repair

MARGIN_SHARE = 4
"""One part in so many of a message's room is margin."""

MOST_MARGIN = 1_000
"""In the dialect's measure. What is written in the margin may have to wait until a place for a cut is found."""

WAIT_FOR_SENTENCE = 200
"""Characters that a message which has to end goes on in the hope of the end of a sentence."""

CHECKS = 16
"""How often per message it is looked at whether the text still fits, at least; also after so much of a line without an end."""

LEAST_STEP = 40
"""Characters between two such looks, at least."""


class Splitter:
    """Splits one growing text. Feed it the whole text each time; what was frozen is never looked at again."""

    def __init__(self, dialect: Dialect, people: People = NOBODY) -> None:
        self._dialect = dialect
        self._people = people
        self._limit = dialect.limit
        self._margin = min(self._limit // MARGIN_SHARE, MOST_MARGIN)
        self._step = max(self._limit // CHECKS, LEAST_STEP)
        self._begin()

    def _begin(self) -> None:
        self._seen = ""
        self._frozen: list[str] = []
        self._rests: list[tuple[str, int]] = []
        self._start = 0
        self._cut_behind: int | None = None
        self._open_message("")

    def _open_message(self, opener: str) -> None:
        self._opener = opener
        self._outline = Outline(self._dialect, self._people)
        self._checked = 0
        self._weight = 0
        self._due = self._limit // 2

    @property
    def waiting(self) -> int:
        """Characters of the message that is still open."""
        return len(self._seen) - self._start

    def behind(self, count: int) -> str:
        """Markdown of all that stands behind the first `count` messages, which are frozen, however long: with the code block,
        table or list that goes on there opened again."""
        opener, start = self._rests[count - 1]
        return _GOES_ON.sub("…", opener.removesuffix(f"{RESUMED} ")) + self._seen[start:]

    def feed(self, text: str, *, final: bool = False) -> list[str]:
        """The sources of all messages of the text so far, each complete in itself. Every one but the last is frozen as long as
        the text only grows. `final`: nothing is held back any more."""
        text = without_marks(clean(text, final=final))
        if not text.startswith(self._seen):
            self._begin()
        self._seen = text
        while True:
            if not self._opener:
                # Blank lines before a message are nothing.
                self._start += len(text) - self._start - len(text[self._start :].lstrip("\n"))
            live = self._opener + text[self._start :]
            cut = self._overflow(live, final=final)
            if cut is not None:
                self._freeze(live, cut)
            elif not self._cut_here(live):
                break
        shown = close(live).rstrip() if final else self._show(live)
        return [*self._frozen, shown] if self._says_something(shown) else list(self._frozen)

    def cut(self) -> None:
        """Ends the message that is still open at the first good place behind all that it was fed so far."""
        self._cut_behind = len(self._seen)

    def _cut_here(self, live: str) -> bool:
        """Whether such a place has come."""
        if self._cut_behind is None:
            return False
        shown = len(self._opener) + self._cut_behind - self._start
        if shown <= len(self._opener):
            self._cut_behind = None  # there is nothing in the message that is open now
            return False
        self._outline.grow(live)
        lowest = max(shown - 1, len(self._opener))
        lines = line_cuts(self._outline, lowest, len(live))
        inside = inline_cuts(self._outline, lowest, (lowest, len(live)))
        worst = Rank.SENTENCE if len(live) - shown < WAIT_FOR_SENTENCE else Rank.STYLED
        good = [one for one in (*lines, *inside) if one.rank <= worst and one.rank is not Rank.HEADED]
        if not good:
            return False
        self._cut_behind = None
        self._freeze(live, min(good, key=_rank_and_end))
        return True

    # Freezing

    def _overflow(self, live: str, *, final: bool) -> Cut | None:
        """Where to cut, once the first place is reached up to which the text does not fit."""
        while (place := self._next_check(live)) is not None:
            self._weight += self._weigh(live[self._checked : place])
            self._checked = place
            if self._weight < self._due:
                continue
            self._outline.grow(live[:place])
            length = self._outline.length(place)
            # Something that is held back until it is complete must not be longer than a message.
            if length > self._limit and (length > 2 * self._limit or self._shown_length(live[:place])[1] > self._limit):
                return self._best(place)
            # Half a link takes more room than the whole one, so that this may be less than nothing.
            self._due = self._weight + max((self._limit - length) // 2, self._step, self._weight // 4)
        if final:
            self._outline.grow(live)
            if self._outline.length(len(live)) > self._limit:
                return self._best(len(live))
        return None

    def _weigh(self, text: str) -> int:
        """About what `text` adds to what the message measures. Looking too late does no harm: what is shown is measured
        anyway, and a cut only looks at the text before it."""
        alone = sum(1 for line in text.split("\n") if _ALONE.match(line))
        return len(_BLANK_LINES.sub("\n", text).encode()) + alone * (self._limit // _ALONE_SHARE)

    def _next_check(self, live: str) -> int | None:
        """The end of the line in which a step ends, or the end of two steps. It does not depend on how the text arrived."""
        at, weight = self._checked, 0
        while (newline := live.find("\n", at, self._checked + 2 * self._step)) >= 0:
            weight += newline + 1 - at
            if _ALONE.match(live, at):
                weight += self._step // 4
            at = newline + 1
            if weight >= self._step:
                return at
        place = self._checked + 2 * self._step
        return place if place < len(live) else None

    def _freeze(self, live: str, cut: Cut) -> None:
        source = _first_part(live, cut)
        definitions = self._outline.definitions
        if self._says_something(source):
            self._frozen.append(source)
        opener = next((one for one in (cut.opener, cut.spare) if self._leaves_room(one)), "")
        if self._leaves_room(definitions):
            opener = definitions + opener
        start = cut.start
        if not opener or cut.rank < Rank.CODE:
            while live[start : start + 1] == "\n":
                start += 1
        self._start += start - len(self._opener)
        if self._frozen:
            self._rests[len(self._frozen) - 1 :] = [(opener, self._start)]
        self._open_message(opener)

    def _leaves_room(self, opener: str) -> bool:
        return not opener or self._dialect.render(opener + "x").length <= self._limit * 2 // 3

    def _says_something(self, source: str) -> bool:
        """Whether anything of it is seen. Platforms refuse a message without text."""
        return bool(self._dialect.render(source, self._people).text.strip())

    # Choosing

    def _best(self, end: int) -> Cut:
        """The cut for a text that does not fit any more at `end`."""
        cut = self._choose(end)
        if cut is not None:
            return cut
        torn = inline_cuts(self._outline, len(self._opener), (len(self._opener), end), torn=True)
        if fitting := self._fitting(torn):
            return torn[fitting - 1]
        # Not even one character fits with what would be opened again; it must go on all the same.
        first = len(self._opener) + 1
        return Cut(first, first, Rank.CHARACTER)

    def _choose(self, end: int) -> Cut | None:
        """The best cut at or before `end` in the margin; the last one before it when there is none."""
        least = len(self._opener)
        lines = line_cuts(self._outline, least, end)
        lines = lines[: self._fitting(lines)]
        if (cut := self._best_in_margin(lines)) is not None:
            return cut
        inside = self._inside(max(least, lines[-1].end if lines else 0), end)
        # Apart from the others: half a link takes more room than the whole one, and would hide that this fits.
        whole = _without_tables(inside)
        whole = whole[: self._fitting(whole)]
        if (cut := self._best_in_margin(whole)) is not None:
            return cut
        inside = inside[: self._fitting(inside)]
        # What follows is one piece that began before the margin and ends behind the message: as near to it as possible.
        for cuts in (whole, _without_tables(lines), lines, _without_atoms(inside), inside):
            if cuts:
                return cuts[-1]
        return None

    def _inside(self, lowest: int, end: int) -> list[Cut]:
        """The cuts in the line after `lowest`. Of a long one only those are made that lie where the margin must be."""
        least = len(self._opener)
        share = (end - least) / max(self._outline.length(end), 1)
        border = least + int(self._limit * share)
        room = int(2 * self._margin * share) + self._step
        window = (max(lowest, border - room), min(end, border + room))
        found = inline_cuts(self._outline, lowest, window)
        whole = _without_tables(found)
        low = window[0] == lowest or (whole and self._length(whole[0]) <= self._limit - self._margin)
        high = window[1] == end or (whole and self._length(whole[-1]) > self._limit)
        return found if low and high else inline_cuts(self._outline, lowest, (lowest, end))

    def _fitting(self, cuts: Sequence[Cut]) -> int:
        """How many of `cuts` fit. Each look costs a parse, so not all are looked at; and a longer text may take less room than
        a shorter one. So the places looked at are always the same: with more text behind, never fewer are found to fit."""
        fit, place = 0, 0
        for bit in reversed(range(cuts[-1].end.bit_length() if cuts else 0)):
            probe = place + (1 << bit)
            if probe > cuts[-1].end:
                continue
            count = bisect_right(cuts, probe, key=_end)
            if count == fit or self._length(cuts[count - 1]) <= self._limit:
                fit, place = count, probe
        return fit

    def _best_in_margin(self, cuts: Sequence[Cut]) -> Cut | None:
        """The last one of the best rank of those, which fit, that end in the margin."""
        last = {cut.rank: cut for cut in cuts}
        for rank in sorted(last):
            if self._limit - self._margin < self._length(last[rank]) <= self._limit:
                return last[rank]
        return None

    def _length(self, cut: Cut) -> int:
        return self._outline.length(cut.end, cut.closer)

    # Showing

    def _show(self, live: str) -> str:
        """As much of the open message as will never move."""
        self._outline.grow(live)
        shown, length = self._shown_length(live)
        if length <= self._limit - self._margin:
            return shown
        cut = self._choose(len(live))
        return "" if cut is None else _first_part(live, cut)

    def _shown_length(self, live: str) -> tuple[str, int]:
        """`live`, which the outline holds, without what is half open at its end, and what that measures."""
        if not self._outline.blocks:
            return "", 0
        last = self._outline.blocks[-1]
        tail = live[last.start :]
        shown = repair(tail, last.tokens, last.line)
        standing = [block.piece for block in self._outline.blocks]
        if shown != tail:
            standing[-1:] = self._dialect.render(shown, self._people).pieces
        whole = self._dialect.assemble(standing)
        source = (live[: last.start] + shown).rstrip()
        self._dialect.remember(source, self._people, whole)
        return source, whole.length


def _first_part(live: str, cut: Cut) -> str:
    """What stands before the cut, complete in itself."""
    source = live[: cut.end]
    # Blank lines belong to code; elsewhere a message does not end with them.
    return (source if cut.rank is Rank.CODE or cut.closer.startswith("\n") else source.rstrip()) + cut.closer


def _without_tables(cuts: Sequence[Cut]) -> list[Cut]:
    return [cut for cut in cuts if cut.rank < Rank.TABLE]


def _without_atoms(cuts: Sequence[Cut]) -> list[Cut]:
    return [cut for cut in cuts if cut.rank < Rank.ATOM]


def _rank_and_end(cut: Cut) -> tuple[int, int]:
    return cut.rank, cut.end


def _end(cut: Cut) -> int:
    return cut.end


def split(text: str, dialect: Dialect, people: People = NOBODY) -> list[str]:
    """The sources of all messages of a complete text."""
    return Splitter(dialect, people).feed(text, final=True)


_GOES_ON = re.compile(f"{RESUMED}(?:{NUMBER_OPEN}[0-9]*{NUMBER_CLOSE})?")
_BLANK_LINES = re.compile(r"\n[ \t\n]+")
_ALONE = re.compile(r"[ \t>]*(?:#{1,6}(?:[ \t\n]|$)|[-*_=][-*_= \t]*(?:\n|$))", re.MULTILINE)
"""A line that may become a heading or a divider, for which a platform may count more than its letters."""

_ALONE_SHARE = 20
"""The part of a message that one of those may take, with the text behind it."""
