"""The Discord platform as the bridge sees it: ears and mouth put together, and what was heard handed in, in order."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import discord

from adapters.discord import inbound
from adapters.discord.capabilities import CAPABILITIES
from adapters.discord.checks import run_checks
from adapters.discord.dialect import DiscordDialect
from adapters.discord.inbound import DISCORD, Ignored
from adapters.discord.outbound import Rest
from adapters.discord.settings import Settings
from adapters.discord.transport import Gateway, Heard, Pauses, point_at
from bridge import logs
from bridge.clock import Clock
from bridge.errors import StoreUnavailable
from bridge.markdown.dialect import Dialect
from bridge.messages import InboundEvent, MessageRef, OutgoingFile, OutgoingMessage, ReplyTarget
from bridge.platform_api import Finding, Inbox, PlatformCapabilities, PlatformHealth

__all__ = ["DiscordPlatform", "Settings", "create"]

log = logs.get("discord")

FIRST_STORE_PAUSE = 0.1
"""Seconds before an event is offered again to a store that did not take it."""

Read = Callable[[Heard, int], Awaitable[InboundEvent | Ignored]]
"""Turns something heard, and when (its revision), into an event."""


def create(settings: Settings, clock: Clock) -> "DiscordPlatform":
    """The platform for these settings. Points discord.py, which knows one Discord per process, at the right address."""
    point_at(api_url=settings.discord_api_url, gateway_url=settings.discord_gateway_url)
    return DiscordPlatform(settings, clock)


class DiscordPlatform:
    """Implements `Platform`, `OpensThreads`, `ReadsBack` and `SendsFiles`."""

    name = DISCORD

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._dialect = DiscordDialect(tables=settings.discord_tables)
        self._rest = Rest(settings, clock, self._dialect)
        self._gateway = Gateway(settings, clock, self._rest)

    @property
    def capabilities(self) -> PlatformCapabilities:
        return CAPABILITIES

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    async def run(self, inbox: Inbox) -> None:
        intake = Intake(self._settings, self._clock, self._read, inbox)
        try:
            await self._gateway.run(intake.put)
        finally:
            await intake.close()

    async def close(self) -> None:
        await self._rest.close()

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        return await self._rest.send(target, message)

    async def edit(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        await self._rest.edit(ref, message)

    async def send_file(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile) -> MessageRef:
        return await self._rest.send(target, message, file)

    async def show_activity(self, target: ReplyTarget) -> None:
        await self._rest.show_typing(target)

    async def open_thread(self, target: ReplyTarget, title: str) -> ReplyTarget:
        return await self._rest.open_thread(target, title)

    async def read_back(self, target: ReplyTarget, ref: MessageRef) -> str:
        return await self._rest.read_back(ref)

    def health(self) -> PlatformHealth:
        return self._gateway.health()

    async def check(self) -> Sequence[Finding]:
        return await run_checks(self._settings, self._clock)

    async def _read(self, heard: Heard, revision: int) -> InboundEvent | Ignored:
        if isinstance(heard, discord.RawReactionActionEvent):
            return inbound.read_reaction(heard, me=self._gateway.me, revision=revision)
        place = inbound.place_of(heard)
        if place is None:
            server = heard.guild.id if heard.guild else getattr(heard.channel, "guild_id", None)
            place = await self._rest.place_of(heard.channel.id, server)
        reply = inbound.replied_to(heard)
        if reply is not None and inbound.needs_author(heard):
            reply = await self._rest.complete(reply)
        return inbound.read_message(heard, me=self._gateway.me, place=place, reply=reply)


class Intake:
    """Hands events to the core: in order within a channel, channels side by side, and no more waiting than allowed.

    Discord does not deliver an event again, so one that the store does not take is offered again for a while.
    """

    def __init__(self, settings: Settings, clock: Clock, read: Read, inbox: Inbox) -> None:
        self._settings = settings
        self._clock = clock
        self._read = read
        self._inbox = inbox
        self._lanes: dict[int, deque[tuple[Heard, int]]] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._waiting = 0
        self._last_revision = 0
        self._closed = False

    def put(self, heard: Heard) -> None:
        """Takes what was heard just now. Never waits; drops it, and says so, when too much is waiting already."""
        if self._closed:
            return
        if self._waiting >= self._settings.discord_inbox_limit:
            log.error("event_lost", reason="too many events wait to be stored", id=_id_of(heard))
            return
        now = int(self._clock.now().timestamp() * 1_000_000)
        self._last_revision = max(now, self._last_revision + 1)
        self._waiting += 1
        self._idle.clear()
        channel = heard.channel_id if isinstance(heard, discord.RawReactionActionEvent) else heard.channel.id
        lane = self._lanes.get(channel)
        if lane is not None:
            lane.append((heard, self._last_revision))
            return
        self._lanes[channel] = deque([(heard, self._last_revision)])
        self._start(channel)

    async def close(self) -> None:
        """Takes nothing more, and gives what was heard already some time to be stored."""
        self._closed = True
        await self._clock.wait(self._idle, self._settings.discord_close_timeout)
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

    async def _work(self, lane: "deque[tuple[Heard, int]]") -> None:
        while lane:
            heard, revision = lane.popleft()
            try:
                event = await self._read(heard, revision)
                if isinstance(event, Ignored):
                    log.debug("event_ignored", reason=event.reason)
                else:
                    await self._hand_in(event)
            finally:
                self._waiting -= 1
                if not self._waiting:
                    self._idle.set()

    async def _hand_in(self, event: InboundEvent) -> None:
        pauses = Pauses(FIRST_STORE_PAUSE, self._settings.discord_store_retry_max)
        deadline = self._clock.monotonic() + self._settings.discord_store_patience
        while not await self._offer(event):
            pause = pauses.take()
            if self._clock.monotonic() + pause > deadline:
                log.error("event_lost", reason="the store did not take it", id=event.event_id)
                return
            await self._clock.sleep(pause)

    async def _offer(self, event: InboundEvent) -> bool:
        try:
            await self._inbox(event)
        except StoreUnavailable:
            return False
        return True


def _id_of(heard: Heard) -> int:
    return heard.message_id if isinstance(heard, discord.RawReactionActionEvent) else heard.id
