"""Reads one answer's stream under its time limits: an idle limit (no bytes at all) and a progress limit (nothing but pings)."""

import asyncio
import math

from bridge.backends.dify.client import Answering
from bridge.backends.dify.framing import EventParser, EventTooLarge, Json
from bridge.backends.dify.settings import Settings
from bridge.errors import BackendFailed, BackendTimeout


class NothingMore(Exception):
    """The time that the caller gave the stream has passed without an event."""


class EventReader:
    """Only time spent waiting here counts, never the time that whoever consumes the answer takes for itself."""

    def __init__(self, answering: Answering, settings: Settings) -> None:
        self._answering = answering
        self._idle = settings.dify_idle_timeout
        self._progress = settings.dify_progress_timeout
        self._max_bytes = settings.dify_max_event_bytes
        self._parser = EventParser(self._max_bytes)
        self._without_event = 0.0
        self._ended = False

    async def read(self, limit: float = math.inf) -> list[Json] | None:
        """The next events; None once the stream has ended.

        Raises `NothingMore` after `limit` seconds, `BackendTimeout`, `BackendCut`, or `BackendFailed` for an event too large.
        """
        loop = asyncio.get_running_loop()
        while not self._ended:
            self._check_size()
            left = self._progress - self._without_event
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
            self._without_event += waited
            events = self._parse(chunk)
            if events:
                self._without_event = 0.0
                return events
        return None

    def _parse(self, chunk: bytes) -> list[Json]:
        try:
            if not chunk:
                self._ended = True
                return self._parser.finish()
            return self._parser.feed(chunk)
        except EventTooLarge as problem:
            raise self._too_large() from problem

    def _check_size(self) -> None:
        """A large event behind good ones in the same chunk: the good ones were given back first."""
        try:
            self._parser.check()
        except EventTooLarge as problem:
            raise self._too_large() from problem

    def _too_large(self) -> BackendFailed:
        return BackendFailed(f"one event is larger than {self._max_bytes} bytes", code="event_too_large")
