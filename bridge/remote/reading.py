"""Reads one answer's stream under its time limits: an idle limit (no bytes at all) and a progress limit (nothing but pings)."""

import asyncio
import math
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from bridge.errors import BackendFailed, BackendTimeout
from bridge.remote.calling import Answering
from bridge.remote.framing import EventTooLarge

EventT = TypeVar("EventT")


class Parser(Protocol[EventT]):
    """As `FrameParser`, whatever it makes of the frames."""

    def feed(self, chunk: bytes) -> list[EventT]: ...

    def check(self) -> None: ...

    def finish(self) -> list[EventT]: ...


class NothingMore(Exception):
    """The time that the caller gave the stream has passed without an event."""


class EventReader(Generic[EventT]):
    """Only time spent waiting here counts, never the time that whoever consumes the answer takes for itself."""

    def __init__(
        self,
        answering: Answering,
        parser: Parser[EventT],
        *,
        idle: float,
        progress: float,
        is_news: Callable[[EventT], bool] = lambda event: True,
    ) -> None:
        """`idle` and `progress` in seconds; `is_news` tells which events say more than that the server is alive."""
        self._answering = answering
        self._parser = parser
        self._idle = idle
        self._progress = progress
        self._is_news = is_news
        self._without_news = 0.0
        self._ended = False

    async def read(self, limit: float = math.inf) -> list[EventT] | None:
        """The next events; None once the stream has ended.

        Raises `NothingMore` after `limit` seconds, `BackendTimeout`, `BackendCut`, or `BackendFailed` for an event too large.
        """
        loop = asyncio.get_running_loop()
        while not self._ended:
            self._check_size()
            left = self._progress - self._without_news
            allowed = min(self._idle, left, limit)
            began = loop.time()
            try:
                async with asyncio.timeout(allowed):
                    chunk = await self._answering.read()
            except TimeoutError as problem:
                if allowed == limit:
                    raise NothingMore from problem
                if allowed == left:
                    raise BackendTimeout(f"nothing but pings for {self._progress:g} s", code="no_progress") from problem
                raise BackendTimeout(f"no byte for {self._idle:g} s", code="idle") from problem
            waited = loop.time() - began
            limit -= waited
            self._without_news += waited
            events = self._parse(chunk)
            if any(map(self._is_news, events)):
                self._without_news = 0.0
            if events:
                return events
        return None

    def _parse(self, chunk: bytes) -> list[EventT]:
        try:
            if not chunk:
                self._ended = True
                return self._parser.finish()
            return self._parser.feed(chunk)
        except EventTooLarge as problem:
            raise _too_large(problem) from problem

    def _check_size(self) -> None:
        """A large event behind good ones in the same chunk: the good ones were given back first."""
        try:
            self._parser.check()
        except EventTooLarge as problem:
            raise _too_large(problem) from problem


def _too_large(problem: EventTooLarge) -> BackendFailed:
    return BackendFailed(str(problem), code="event_too_large")
