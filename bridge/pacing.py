"""One write budget per pace group: first and final texts always find room, progress takes what is left.

Nobody queues here. A writer asks how long it must wait, waits as it likes (it may be woken by the end of its answer),
asks again with its newest text and takes its turn. So slow platforms mean fewer edits, never a backlog.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import Literal, Protocol, assert_never, runtime_checkable

from bridge.clock import Clock
from bridge.messages import ReplyTarget
from bridge.platform_api import PlatformCapabilities, WriteBudget


class Urgency(Enum):
    PROGRESS = "progress"
    """An intermediate text; worth sending only when it costs nobody anything."""
    FIRST = "first"
    """The first sight of an answer, or the next message of a long one."""
    FINAL = "final"


WriteKind = Literal["post", "edit", "live", "end"]
"""`live` is an edit of a message that grows natively, and `end` the one that ends this."""

_TOTAL_RESERVE = 0.3
"""Share of the platform-wide budget that progress leaves alone, so that first and final texts do not wait for it."""


@dataclass(slots=True)
class _Book:
    budget: WriteBudget
    writes: deque[float] = field(default_factory=deque)
    live: int = 0
    held: int = 0
    """Answers that draw on it now; as long as there is one, a second book for the same budget must not be opened."""
    blocked_until: float = 0.0
    last_progress: float = float("-inf")
    wanting: dict[int, tuple[float, float]] = field(default_factory=dict)
    """Who would write progress now: when each did last, and until when its wish counts."""

    def wait_for_room(self, now: float, spare: int) -> float:
        """Seconds until at least `spare` further writes are allowed."""
        window = self.budget.window.total_seconds()
        while self.writes and self.writes[0] + window <= now:
            self.writes.popleft()
        blocked = self.blocked_until - now
        too_many = len(self.writes) - (self.budget.limit - spare)
        if too_many > 0:
            blocked = max(blocked, self.writes[min(too_many, len(self.writes)) - 1] + window - now)
        return max(blocked, 0.0)

    def wait_for_progress(self, now: float) -> float:
        """Seconds until an intermediate edit may go out; every live answer keeps one write in reserve for its end."""
        if self.live >= self.budget.limit:
            return self.budget.window.total_seconds()
        return max(self.last_progress + self.gap - now, self.wait_for_room(now, self.live + 1), 0.0)

    def let_others(self, who: int, last: float, wait: float, now: float) -> float:
        """`wait`, or a little more where somebody wants to write who wrote before this one did: nobody falls far behind."""
        self.wanting[who] = (last, now + wait + self.gap + 1)
        older = any(when < last and until > now for other, (when, until) in self.wanting.items() if other != who)
        return max(wait, self.gap / 4) if older else wait

    @property
    def gap(self) -> float:
        """Seconds between two intermediate edits, of whichever answers, that use up the budget evenly."""
        return self.budget.window.total_seconds() / max(self.budget.limit - self.live, 1)

    def take_extra(self, now: float) -> bool:
        """Books a cosmetic call if that leaves the reserve alone."""
        if self.wait_for_room(now, int(self.budget.limit * _TOTAL_RESERVE) + 1) > 0:
            return False
        self.writes.append(now)
        return True

    @property
    def idle(self) -> bool:
        return self.held == 0 and not self.writes


@runtime_checkable
class TellsRoom(Protocol):
    """Something that a platform may offer besides what `platform_api` has: it is told now and then how many edits will be taken,
    which may be fewer than `capabilities.edit_budget`."""

    def wait_for_room(self, target: ReplyTarget, spare: int) -> float:
        """Seconds until it surely takes `spare` further edits in the target's `edit_group`, by what it said last; 0 when it said
        nothing lately. Only intermediate edits wait for that: the end of an answer takes what there is."""
        ...


class SharedBudget(Protocol):
    """Budgets that several processes draw on."""

    async def book(self, key: str, budget: WriteBudget) -> float:
        """Books one write and returns the seconds to wait before it is made. Nobody else is given that place."""
        ...

    async def block(self, key: str, seconds: float) -> None:
        """The platform said to wait: no place before that is given to anybody."""
        ...


class Pacer:
    """All budgets of all platforms. `shared`: where other processes write to the same channels."""

    def __init__(self, clock: Clock, shared: SharedBudget | None = None) -> None:
        self._clock = clock
        self._shared = shared
        self._books: dict[tuple[str, str, str], _Book] = {}

    @contextmanager
    def answering(self, target: ReplyTarget, capabilities: PlatformCapabilities) -> Iterator["AnswerPace"]:
        """Counts an answer as live in its pace groups for as long as the block runs."""
        pace = AnswerPace(
            clock=self._clock,
            post=self._book("post", target.platform, target.post_group, capabilities.post_budget),
            edit=self._book("edit", target.platform, target.edit_group, capabilities.edit_budget),
            total=self._book("total", target.platform, "", capabilities.total_budget)
            if capabilities.total_budget
            else None,
            min_interval=capabilities.min_edit_interval,
            min_live_interval=capabilities.min_live_interval or capabilities.min_edit_interval,
            shared=self._shared,
            grow=self._book("live", target.platform, target.edit_group, capabilities.live_budget)
            if capabilities.live_budget
            else None,
            end=self._book("end", target.platform, target.edit_group, capabilities.end_budget)
            if capabilities.end_budget
            else None,
            post_key=f"post {target.platform} {target.post_group}",
            total_key=f"all {target.platform}",
        )
        books = [book for book in (pace.post, pace.edit, pace.total, pace.grow, pace.end) if book is not None]
        # Of what grows nothing is kept in reserve: its end is none of that.
        pace.edit.live += 1
        for book in books:
            book.held += 1
        try:
            yield pace
        finally:
            pace.edit.live -= 1
            for book in books:
                book.held -= 1
                book.wanting.pop(id(pace), None)
            self._forget_idle()

    def take_extra(self, target: ReplyTarget, capabilities: PlatformCapabilities) -> bool:
        """Books a cosmetic call for a question that is not being answered yet."""
        if capabilities.total_budget is None:
            return True
        book = self._book("total", target.platform, "", capabilities.total_budget)
        return book.take_extra(self._clock.monotonic())

    def _book(self, kind: str, platform: str, group: str, budget: WriteBudget) -> _Book:
        return self._books.setdefault((kind, platform, group), _Book(budget))

    def _forget_idle(self) -> None:
        now = self._clock.monotonic()
        for key, book in list(self._books.items()):
            if book.wait_for_room(now, 1) == 0 and book.idle:
                del self._books[key]


@dataclass(slots=True)
class AnswerPace:
    """The budgets that one answer draws on."""

    clock: Clock
    post: _Book
    edit: _Book
    total: _Book | None
    min_interval: timedelta
    min_live_interval: timedelta
    grow: _Book | None = None
    end: _Book | None = None
    shared: SharedBudget | None = None
    post_key: str = ""
    total_key: str = ""
    last_own: float = float("-inf")

    @property
    def reserve(self) -> int:
        """Edits that intermediate ones leave alone: one for the end of each answer that draws on the same budget."""
        return self.edit.live

    @property
    def share(self) -> float:
        """Seconds between two intermediate writes of one answer that leave the same to every other one, where all are counted
        together. Without it all would wake for the one write that is free, and each would look what it has to say."""
        if self.total is None:
            return 0.0
        budget = self.total.budget
        return self.total.held * budget.window.total_seconds() / (budget.limit * (1 - _TOTAL_RESERVE))

    async def book_shared(self, kind: WriteKind) -> float:
        """Seconds to wait, after `take`, because of what other processes write. Only what two of them can write to at once is
        booked: new messages of a channel, and what a platform counts over everything. Whoever writes an answer edits it alone."""
        if self.shared is None:
            return 0.0
        wait = await self.shared.book(self.post_key, self.post.budget) if kind == "post" else 0.0
        if self.total is not None:
            wait = max(wait, await self.shared.book(self.total_key, self.total.budget))
        return wait

    async def block_shared(self, kind: WriteKind, seconds: float) -> None:
        if self.shared is not None and kind == "post":
            await self.shared.block(self.post_key, seconds)

    def delay(self, kind: WriteKind, urgency: Urgency) -> float:
        """Seconds to wait before this write; 0 means now. Ask again after waiting: others may have been first."""
        now = self.clock.monotonic()
        book = self._book(kind)
        if urgency is Urgency.PROGRESS and kind != "post":
            interval = self.min_live_interval if kind == "live" else self.min_interval
            own = self.last_own + interval.total_seconds() - now
            wait = book.let_others(id(self), self.last_own, max(own, book.wait_for_progress(now)), now)
        else:
            wait = book.wait_for_room(now, 1)
        if self.total is not None:
            reserve = 0
            if urgency is Urgency.PROGRESS:
                reserve = int(self.total.budget.limit * _TOTAL_RESERVE)
                wait = max(wait, self.last_own + self.share - now)
            wait = max(wait, self.total.wait_for_room(now, reserve + 1))
        return max(wait, 0.0)

    def take(self, kind: WriteKind, urgency: Urgency) -> None:
        """Books the write that is about to be made."""
        now = self.clock.monotonic()
        book = self._book(kind)
        book.writes.append(now)
        book.wanting.pop(id(self), None)
        if urgency is Urgency.PROGRESS:
            book.last_progress = now
        if self.total is not None:
            self.total.writes.append(now)
        self.last_own = now

    def take_extra(self) -> bool:
        """Books a cosmetic call (typing) if nobody needs the room."""
        return self.total is None or self.total.take_extra(self.clock.monotonic())

    def penalise(self, kind: WriteKind, seconds: float) -> None:
        """The platform said to wait: nobody in this group writes before that."""
        book = self._book(kind)
        book.blocked_until = max(book.blocked_until, self.clock.monotonic() + seconds)

    def _book(self, kind: WriteKind) -> _Book:
        match kind:
            case "post":
                return self.post
            case "edit":
                return self.edit
            case "live":
                return self.grow or self.edit
            case "end":
                return self.end or self.edit
            case _:
                assert_never(kind)
