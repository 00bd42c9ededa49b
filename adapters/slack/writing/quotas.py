"""How many streams may be begun: Slack lets a workspace begin and end only some twenty a minute."""

from collections import defaultdict, deque
from dataclasses import dataclass, field

from bridge.clock import Clock

PER_MINUTE = 18
"""Of chat.startStream and of chat.stopStream each: tier 2, "20+ per minute" per workspace (Slack's pages on the methods); two
are left as a margin."""

MINUTE = 60.0


@dataclass(slots=True)
class _Book:
    starts: deque[float] = field(default_factory=deque)
    stops: deque[float] = field(default_factory=deque)
    live: int = 0

    def forget_before(self, then: float) -> None:
        for calls in (self.starts, self.stops):
            while calls and calls[0] <= then:
                calls.popleft()


class StreamQuota:
    """Every stream that is begun keeps its end in reserve, so that an answer never waits for being ended."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._books: defaultdict[str, _Book] = defaultdict(_Book)

    def take_start(self, team: str) -> bool:
        """Whether one may be begun; it is booked then. Every one that is, is ended by `take_stop` or `give_back`."""
        if not self.has_room(team):
            return False
        book = self._books[team]
        book.starts.append(self._clock.monotonic())
        book.live += 1
        return True

    def has_room(self, team: str) -> bool:
        book = self._now(team)
        return max(len(book.starts), len(book.stops) + book.live) < PER_MINUTE

    def take_stop(self, team: str) -> None:
        self._now(team).stops.append(self._clock.monotonic())

    def give_back(self, team: str) -> None:
        """It is not live any more."""
        book = self._now(team)
        book.live = max(book.live - 1, 0)

    def _now(self, team: str) -> _Book:
        then = self._clock.monotonic() - MINUTE
        for other in [name for name, book in self._books.items() if name != team and not book.live]:
            self._books[other].forget_before(then)
            if not self._books[other].starts and not self._books[other].stops:
                del self._books[other]
        book = self._books[team]
        book.forget_before(then)
        return book
