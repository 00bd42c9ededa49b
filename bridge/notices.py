"""Lines of our own that are part of no answer: a refusal, a word about something that is gone.

They are worth less than answers: they wait for room in the channel's budget, are tried again for a while and then dropped with
a line in the log. Nothing durable stands behind them. Those that only one person reads take nobody's room.
"""

import asyncio
import secrets
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import Button, OutgoingMessage, PlatformName, ReplyTarget
from bridge.metrics import LimitedCall, Metrics
from bridge.pacing import AnswerPace, Pacer, Urgency
from bridge.platform_api import Platform

_log = logs.get("notices")


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLimits:
    most_waiting: int = 200
    """Notices that wait to be posted, on all platforms together. One more is dropped."""
    patience: timedelta = timedelta(minutes=2)
    """How long a notice that is due is tried before it is dropped; after that it would only puzzle people."""
    first_retry: timedelta = timedelta(seconds=1)
    """Pause after the first failure; doubles each time."""
    again_after: timedelta = timedelta(minutes=1)
    """The same is said in the same place at most this often."""


class Lately:
    """Tells what happened within a window from what did not. Remembers no more than `most` things."""

    def __init__(self, clock: Clock, window: timedelta, most: int) -> None:
        self._clock = clock
        self._window = window.total_seconds()
        self._most = most
        self._when: dict[Hashable, float] = {}

    def note(self, what: Hashable) -> None:
        self._when.pop(what, None)
        self._when[what] = self._clock.monotonic()
        if len(self._when) > self._most:
            del self._when[next(iter(self._when))]

    def forget(self, what: Hashable) -> None:
        """It did not happen after all."""
        self._when.pop(what, None)

    def seconds_left(self, what: Hashable) -> float:
        """Until the window closes behind it; 0 when it did not happen lately."""
        when = self._when.get(what)
        return 0.0 if when is None else max(when + self._window - self._clock.monotonic(), 0.0)


_Place = tuple[PlatformName, str, bool]
"""A platform, one of its post groups and whether it is private: what may stand still without holding up the rest."""


@dataclass(slots=True, kw_only=True)
class _Notice:
    target: ReplyTarget
    text: str
    about: str
    nonce: str
    due: float
    give_up_at: float
    failures: int = 0
    buttons: tuple[Button, ...] = ()

    @property
    def key(self) -> Hashable:
        # Who is told something in private asked for it, and whether two such places have the same reader is not known.
        about = self.nonce if self.target.private else self.about
        return (self.target.platform, self.target.address, about)

    @property
    def place(self) -> _Place:
        return (self.target.platform, self.target.post_group, self.target.private)


@dataclass(slots=True)
class _Lane:
    waiting: dict[Hashable, _Notice] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    worked: bool = False


class Notices:
    def __init__(
        self,
        *,
        platforms: Mapping[PlatformName, Platform],
        pacer: Pacer,
        clock: Clock,
        limits: NoticeLimits | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        self._platforms = platforms
        self._pacer = pacer
        self._clock = clock
        self._limits = limits or NoticeLimits()
        self._metrics = metrics or Metrics()
        self._said = Lately(clock, self._limits.again_after, 10 * self._limits.most_waiting)
        self._lanes: dict[_Place, _Lane] = {}
        self._news = asyncio.Event()

    def tell(self, target: ReplyTarget, text: str, about: str = "", buttons: tuple[Button, ...] = ()) -> None:
        """Has one line (Markdown) posted there, as soon as the platform has room. Never blocks; may be called before `run`.

        Notices `about` the same (by default: with the same text) in the same place are one while they wait, the latest text
        counts; and one that was said there lately is said again only after a while. So whoever caused it reads it, and a
        flood does not. In private (`ReplyTarget.private`) each is said for itself.
        """
        now = self._clock.monotonic()
        said = 0.0 if target.private else self._said.seconds_left((target.platform, target.address, about or text))
        due = now + said
        notice = _Notice(
            target=target,
            text=text,
            about=about or text,
            nonce=f"n{secrets.token_hex(10)}",
            due=due,
            give_up_at=due + self._limits.patience.total_seconds(),
            buttons=buttons,
        )
        lane = self._lanes.get(notice.place)
        known = lane.waiting.get(notice.key) if lane else None
        if known is not None:
            known.text, known.target, known.buttons = text, target, buttons
            return
        if sum(len(one.waiting) for one in self._lanes.values()) >= self._limits.most_waiting:
            _log.warning("notice_dropped", platform=target.platform, why="too many wait")
            return
        if lane is None:
            lane = self._lanes[notice.place] = _Lane()
        lane.waiting[notice.key] = notice
        lane.news.set()
        self._news.set()

    async def run(self) -> None:
        """Works until cancelled. What still waits then is dropped."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._news.wait()
                self._news.clear()
                for place, lane in self._lanes.items():
                    if not lane.worked:
                        lane.worked = True
                        tasks.create_task(self._work(place, lane))

    async def _work(self, place: _Place, lane: _Lane) -> None:
        """Says what waits in one post group, then ends. A task of its own, since a write may take as long as a platform likes."""
        while lane.waiting:
            notice = min(lane.waiting.values(), key=lambda one: one.due)
            wait = notice.due - self._clock.monotonic()
            if wait > 0:
                lane.news.clear()
                await self._clock.wait(lane.news, wait)
            else:
                # Not waiting while it is written: what is told meanwhile comes too late for it.
                del lane.waiting[notice.key]
                pause = await self._say(notice)
                if pause is not None:
                    self._put_off(lane, notice, pause)
        del self._lanes[place]

    async def _say(self, notice: _Notice) -> float | None:
        """None when it is over, said or not; else the seconds after which it may be tried again."""
        platform = self._platforms[notice.target.platform]
        if notice.target.private:
            # Not a message of the channel: only what counts over everything counts it.
            if not self._pacer.take_extra(notice.target, platform.capabilities):
                return self._limits.first_retry.total_seconds()
            return await self._send(platform, notice, None)
        with self._pacer.answering(notice.target, platform.capabilities) as pace:
            wait = pace.delay("post", Urgency.FIRST)
            if wait > 0:
                return wait
            pace.take("post", Urgency.FIRST)
            self._said.note(notice.key)
            return await self._send(platform, notice, pace)

    async def _send(self, platform: Platform, notice: _Notice, pace: AnswerPace | None) -> float | None:
        try:
            await platform.send(
                notice.target, OutgoingMessage(text=notice.text, nonce=notice.nonce, buttons=notice.buttons)
            )
        except RateLimited as error:
            self._metrics.rate_limited(platform.name, LimitedCall.OTHER)
            if pace is not None:
                pace.penalise("post", error.retry_after.total_seconds())
            return error.retry_after.total_seconds()
        except PlatformUnavailable as error:
            _log.info("notice_delayed", platform=platform.name, code=error.code, detail=str(error))
            notice.failures += 1
            return self._limits.first_retry.total_seconds() * 2.0 ** (notice.failures - 1)
        except PlatformError as error:
            _log.warning("notice_dropped", platform=platform.name, why=error.code, detail=str(error))
        return None

    def _put_off(self, lane: _Lane, notice: _Notice, seconds: float) -> None:
        notice.due = self._clock.monotonic() + seconds
        if notice.due > notice.give_up_at:
            _log.warning("notice_dropped", platform=notice.target.platform, why="too late")
            return
        newer = lane.waiting.setdefault(notice.key, notice)
        newer.due = min(newer.due, notice.due)
