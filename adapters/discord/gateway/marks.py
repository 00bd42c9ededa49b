"""How far Discord has been heard without a gap. Pure.

Discord numbers everything by time, so one number per shard says it: whatever was written up to it has been handed in, or
nobody may hand it in any more.
"""

from collections import Counter
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
_TIME_SHIFT = 22
"""Discord documentation, Snowflakes: milliseconds since 2015 stand above 22 other bits."""


def number_at(moment: datetime) -> int:
    """The smallest number that Discord gives at that moment; 0 before 2015."""
    return max(0, (moment - _EPOCH) // timedelta(milliseconds=1)) << _TIME_SHIFT


def earlier(number: int, span: timedelta) -> int:
    return max(0, number - ((span // timedelta(milliseconds=1)) << _TIME_SHIFT))


class Mark:
    """Of one shard. A gap has the id of the channel in which something is missing, or of a server of which not even that much
    is known, and the number after which it is missing."""

    def __init__(self) -> None:
        self._newest = 0
        self._waiting: Counter[int] = Counter()
        self._gaps: dict[int, int] = {}

    @property
    def value(self) -> int:
        """0: nothing is known."""
        before_waiting = min(self._waiting, default=self._newest + 1) - 1
        return min(self._newest, before_waiting, *self._gaps.values())

    @property
    def gaps(self) -> dict[int, int]:
        return dict(self._gaps)

    def missing_after(self, place: int) -> int:
        """The number after which something may be missing there."""
        # In the thousands of servers of a large bot, asked for each: not worth a look at all of them every time.
        gap = self._gaps.get(place)
        return self.value if gap is None else gap

    def reach(self, number: int) -> None:
        """Nothing up to it is missing, apart from the gaps and what waits."""
        self._newest = max(self._newest, number)

    def take(self, number: int) -> None:
        """A message came in and waits to be handed in."""
        self._waiting[number] += 1

    def handed_in(self, number: int) -> None:
        self._leave(number)
        self.reach(number)

    def lost(self, number: int, place: int) -> None:
        """A message that was taken could not be handed in."""
        self.open_gap(place, number - 1)
        self.handed_in(number)

    def open_gap(self, place: int, after: int) -> None:
        self._gaps[place] = min(after, self._gaps.get(place, after))

    def close_gap(self, place: int) -> None:
        self._gaps.pop(place, None)

    def _leave(self, number: int) -> None:
        self._waiting[number] -= 1
        if self._waiting[number] <= 0:
            del self._waiting[number]
