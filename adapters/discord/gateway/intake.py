"""Hands events to the core: in order within a channel, channels side by side, and no more waiting than allowed.

Discord does not deliver an event again, so one that the store does not take is offered again for a while. A message that is
lost all the same leaves a gap in the mark, and is read once more later.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol

import discord

from adapters.discord.gateway.heard import Heard, channel_of, number_of
from adapters.discord.inbound import Ignored
from adapters.discord.settings import Settings
from adapters.discord.transport import Pauses
from bridge import logs
from bridge.clock import Clock
from bridge.errors import StoreUnavailable
from bridge.events import InboundEvent
from bridge.platform_api import Inbox

log = logs.get("discord")

FIRST_STORE_PAUSE = 0.1
"""Seconds before an event is offered again to a store that did not take it."""

Read = Callable[[Heard, int], Awaitable[InboundEvent | Ignored]]
"""Turns something heard, and when (its revision), into an event."""

Work = Callable[[], Awaitable[None]]


class Ledger(Protocol):
    """Keeps account of every message that came in: each is taken, and then handed in or lost."""

    def take(self, message: discord.Message) -> None: ...

    def handed_in(self, message: discord.Message) -> None: ...

    def lost(self, message: discord.Message) -> None: ...


class Intake:
    def __init__(self, settings: Settings, clock: Clock, read: Read, inbox: Inbox) -> None:
        self._settings = settings
        self._clock = clock
        self._read = read
        self._inbox = inbox
        self._lanes: dict[int, deque[Work]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._waiting = 0
        self._last_revision = 0
        self._closed = False
        self._cut = False

    def put(self, heard: Heard, ledger: Ledger) -> None:
        """Takes what was heard just now. Never waits; drops it, and says so, when too much is waiting already."""
        message = heard if isinstance(heard, discord.Message) else None
        if message is not None:
            # Also when it is too late to hand it in: then the mark must not pass it.
            ledger.take(message)
        if self._closed:
            return
        if self._waiting >= self._settings.discord_inbox_limit:
            log.error("event_lost", reason="too many events wait to be stored", id=number_of(heard))
            if message is not None:
                ledger.lost(message)
            return
        now = int(self._clock.now().timestamp() * 1_000_000)
        revision = self._last_revision = max(now, self._last_revision + 1)
        self._waiting += 1
        self._idle.clear()

        async def take() -> None:
            lost = False
            try:
                event = await self._read(heard, revision)
                if isinstance(event, Ignored):
                    log.debug("event_ignored", reason=event.reason)
                else:
                    lost = not await self.hand_in(event)
            finally:
                self._waiting -= 1
                if not self._waiting:
                    self._idle.set()
                # One that could not be read for a defect of ours is given up, or it would be read for ever.
                if message is not None and not self._cut:
                    ledger.lost(message) if lost else ledger.handed_in(message)

        self.enqueue(channel_of(heard), take)

    def enqueue(self, channel: int, work: Work) -> None:
        """Whatever comes in the channel from now on waits until this is done. Dropped when intake has ended."""
        if self._closed:
            return
        lane = self._lanes.get(channel)
        if lane is not None:
            lane.append(work)
            return
        self._lanes[channel] = deque([work])
        self._start(channel)

    async def hand_in(self, event: InboundEvent) -> bool:
        """False: the store did not take it in time."""
        pauses = Pauses(FIRST_STORE_PAUSE, self._settings.discord_store_retry_max)
        deadline = self._clock.monotonic() + self._settings.discord_store_patience
        while not await self._offer(event):
            pause = pauses.take()
            if self._clock.monotonic() + pause > deadline:
                log.error("event_lost", reason="the store did not take it", id=event.event_id)
                return False
            await self._clock.sleep(pause)
        return True

    async def close(self) -> None:
        """Takes nothing more, and gives what was heard already some time to be stored."""
        self._closed = True
        await self._clock.wait(self._idle, self._settings.discord_close_timeout)
        self._cut = True
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        if self._waiting:
            log.error("events_lost", reason="stopped before they were stored", count=self._waiting)

    def _start(self, channel: int) -> None:
        worker = asyncio.create_task(self._work(self._lanes[channel]))
        self._workers.add(worker)
        worker.add_done_callback(lambda ended: self._end(channel, ended))

    def _end(self, channel: int, worker: "asyncio.Task[None]") -> None:
        self._workers.discard(worker)
        if not worker.cancelled() and (error := worker.exception()) is not None:
            # One event that nobody foresaw must not silence its channel. The text of the error may quote a message.
            log.error("event_lost", reason="could not be read", error=type(error).__name__)
        if self._lanes[channel] and not worker.cancelled():
            self._start(channel)
            return
        del self._lanes[channel]

    async def _work(self, lane: "deque[Work]") -> None:
        while lane:
            await lane.popleft()()

    async def _offer(self, event: InboundEvent) -> bool:
        try:
            await self._inbox(event)
        except StoreUnavailable:
            return False
        return True
