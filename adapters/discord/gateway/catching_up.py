"""Reads what was said while nobody listened, and hands it in like anything else that is heard.

Discord tells a client that lost its connection what it missed only if its session can be resumed. After a new login nothing
comes by itself; so the channels that have newer messages than the mark are read over REST. Reading a channel is work in the
channel's own line, so that what is said there meanwhile comes after it.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import timedelta

import discord

from adapters.discord.addresses import read_target_address
from adapters.discord.capabilities import MAX_HISTORY
from adapters.discord.gateway.heard import Connection, Payload
from adapters.discord.gateway.intake import Intake
from adapters.discord.gateway.marks import earlier, number_at
from adapters.discord.gateway.reader import Reader
from adapters.discord.gateway.shards import Report, Shard
from adapters.discord.inbound import DIRECT, Place, place_of
from adapters.discord.rest.lookups import Lookups, author_of, number_of
from adapters.discord.settings import Settings
from adapters.discord.transport import Pauses
from bridge import logs
from bridge.clock import Clock
from bridge.errors import MessageGone, NotAllowed, PlatformError, StoreUnavailable
from bridge.messages import Origin
from bridge.platform_api import Memory

log = logs.get("discord")

OVERLAP = timedelta(seconds=10)
"""What is read again before the mark: messages of different channels need not come in the order of their numbers."""
SAVE_EVERY = 2.0
"""Seconds between two savings of the marks."""
CHANNELS_AT_ONCE = 4
"""Channels that are read side by side."""
MOST_PLACES = 500
"""Conversations whose channels are looked into, the latest first."""
RETRY_GROWTH = 10
"""How much longer than the first pause the longest one is."""
SHOWN_FOR = 3600.0
"""Seconds for which health tells what was left out."""

_WRITTEN_IN = (discord.TextChannel, discord.VoiceChannel, discord.StageChannel, discord.Thread)

TOO_OLD = "too old"
TOO_MANY = "too many messages"
NOT_READABLE = "not readable"


class CatchUp:
    def __init__(self, settings: Settings, clock: Clock, lookups: Lookups, reader: Reader) -> None:
        self._settings = settings
        self._clock = clock
        self._lookups = lookups
        self._reader = reader
        self._intake: Intake | None = None
        self._memory: Memory | None = None
        self._shards: dict[int, Shard] = {}
        self._at_once = asyncio.Semaphore(CHANNELS_AT_ONCE)
        self._trouble = ""
        self._left_out = ""
        self._left_out_until = 0.0

    def use(self, memory: Memory) -> None:
        """Without it nothing is caught up."""
        if self._settings.discord_catch_up_hours > 0:
            self._memory = memory

    @property
    def detail(self) -> str:
        """What is wrong, for an operator. Empty when all is well."""
        if self._trouble or self._clock.monotonic() >= self._left_out_until:
            return self._trouble
        return self._left_out

    async def run(self, intake: Intake) -> None:
        """Keeps the marks, and tries gaps again, until cancelled."""
        self._intake = intake
        first = self._settings.discord_catch_up_retry
        pauses = Pauses(first, first * RETRY_GROWTH)
        retry_at = self._clock.monotonic() + pauses.take()
        while True:
            await self._clock.sleep(min(SAVE_EVERY, first))
            await self.save()
            if not any(shard.server_of for shard in self._shards.values()):
                pauses.reset()
            if self._clock.monotonic() >= retry_at:
                self._retry()
                retry_at = self._clock.monotonic() + pauses.take()

    async def save(self) -> None:
        """Keeps how far was heard. A store that is away is asked again later."""
        for shard in list(self._shards.values()):
            value = shard.mark.value
            if self._memory is None or not value or value == shard.saved:
                continue
            with contextlib.suppress(StoreUnavailable):
                await self._memory.remember(shard.name, str(value))
                shard.saved = value

    def shard_of(self, connection: Connection) -> Shard:
        name = f"heard/{connection.shard}/{connection.shards}"
        shard = self._shards.get(connection.shard)
        if shard is None or shard.name != name:
            shard = Shard(name=name, report=Report(began=self._clock.monotonic()))
            self._shards[connection.shard] = shard
        return shard

    def leave(self, number: int) -> None:
        """Another process keeps this shard's mark now."""
        self._shards.pop(number, None)

    # A session, in the order of its events

    async def before_session(self, connection: Connection) -> None:
        """Asks the store how far was heard. Waits for it: who logs in before would not know what was missed."""
        if self._memory is None:
            return
        shard = self.shard_of(connection)
        pauses = Pauses(0.1, self._settings.discord_store_retry_max)
        since = self._clock.now() - self._oldest
        while True:
            try:
                kept = await self._memory.recall(shard.name)
                if kept is None:
                    # Whoever dies right after the very first login shall have missed nothing either.
                    await self._memory.remember(shard.name, str(number_at(self._clock.now())))
                places = await self._memory.recent_places(since, MOST_PLACES)
            except StoreUnavailable:
                self._trouble = "the store is away, which knows how far Discord was heard"
                await self._clock.sleep(pauses.take())
                continue
            break
        self._trouble = ""
        if kept is not None and kept.isascii() and kept.isdecimal():
            shard.mark.reach(int(kept))
        answered = [(place.conversation.installation, read_target_address(place.address).channel) for place in places]
        # Where nothing but a command's webhook leads, nothing was missed.
        channels = [(where, channel) for where, channel in answered if channel]
        shard.direct = tuple(dict.fromkeys(channel for where, channel in channels if where == DIRECT))
        shard.threads = {}
        for where, channel in dict.fromkeys(channels):
            if where != DIRECT:
                shard.threads.setdefault(int(where), []).append(channel)

    def session_began(self, connection: Connection) -> None:
        if self._memory is None:
            return
        shard = self.shard_of(connection)
        shard.connection = connection
        shard.report = Report(began=self._clock.monotonic())
        shard.budget = self._settings.discord_catch_up_total
        reached = shard.mark.value
        shard.is_first = not reached
        for gone in [*shard.servers]:
            shard.know_server(gone)
        if shard.is_first:
            return
        for server in connection.guilds:
            shard.await_server(server.id, reached)
        if connection.shard == 0:  # which is the one that hears direct messages
            for channel in shard.direct:
                self._plan(shard, channel, None, reached)

    def server_seen(self, connection: Connection, server: discord.Guild) -> None:
        if self._memory is None:
            return
        shard = self.shard_of(connection)
        written = [one for one in (*server.channels, *server.threads) if isinstance(one, _WRITTEN_IN)]
        newest = {one.id: one.last_message_id or 0 for one in written}
        if shard.is_first and server.id not in shard.servers:
            # Whatever stands there was written before anybody listened for the first time.
            shard.mark.reach(max(server.id, *newest.values(), 0))
            return
        reached = shard.mark.gaps.get(server.id, shard.mark.value)
        joined = server.me.joined_at if server.me else None
        if joined is not None:
            reached = max(reached, number_at(joined))
        ours = shard.threads.get(server.id, [])
        for one in sorted(written, key=lambda each: (each.id in ours, newest[each.id]), reverse=True):
            if newest[one.id] <= earlier(reached, OVERLAP):
                continue
            if _readable(one, server):
                self._plan(shard, one.id, server.id, reached, upto=newest[one.id])
            elif _visible(one, server):
                shard.report.left_out[NOT_READABLE] += 1
        for thread in ours:
            # A thread is archived after a while without messages, and then not listed any more.
            if thread not in newest:
                self._plan(shard, thread, server.id, reached)
        shard.know_server(server.id)
        self._conclude(shard)

    def server_gone(self, connection: Connection, server: int, *, for_good: bool) -> None:
        if self._memory is None:
            return
        shard = self.shard_of(connection)
        if not for_good:
            shard.await_server(server, shard.mark.value)
            return
        shard.know_server(server)
        for channel in [one for one, where in shard.server_of.items() if where == server]:
            shard.close_gap(channel)

    def missed(self, connection: Connection, channel: int, number: int, server: int | None) -> None:
        if self._memory is None:
            log.error("event_lost", reason="could not be read", id=number)
            return
        shard = self.shard_of(connection)
        shard.budget = max(shard.budget, self._settings.discord_catch_up_messages)
        self._plan(shard, channel, server, number - 1)

    # Reading

    @property
    def _oldest(self) -> timedelta:
        return timedelta(hours=self._settings.discord_catch_up_hours)

    def _plan(self, shard: Shard, channel: int, server: int | None, reached: int, upto: int | None = None) -> None:
        """`reached`: everything up to it was heard. `upto`: the last message that was missed, where that is known; what is
        newer is heard."""
        if self._intake is None:
            return
        shard.open_gap(channel, server, reached)
        shard.queued[channel] += 1
        shard.report.channels += 1
        self._intake.enqueue(channel, lambda: self._fill(shard, channel, server, reached, upto))

    def _retry(self) -> None:
        for shard in self._shards.values():
            for channel, reached in shard.mark.gaps.items():
                if channel in shard.server_of and not shard.queued[channel] and shard.connection is not None:
                    shard.budget = max(shard.budget, self._settings.discord_catch_up_messages)
                    self._plan(shard, channel, shard.server_of[channel], reached)

    async def _fill(self, shard: Shard, channel: int, server: int | None, reached: int, upto: int | None) -> None:
        filled = False
        if channel in shard.again:
            shard.again.discard(channel)
            upto = None
        try:
            async with self._at_once:
                messages = await self._missed(shard, channel, reached, upto)
            filled = await self._hand_in(shard, channel, server, messages)
        except (MessageGone, NotAllowed) as error:
            log.info("missed_messages_not_readable", channel=channel, code=error.code)
            shard.report.left_out[NOT_READABLE] += 1
            filled = True
        except PlatformError as error:
            log.warning("missed_messages_not_read", channel=channel, code=error.code)
        finally:
            shard.queued[channel] -= 1
            if not shard.queued[channel]:
                del shard.queued[channel]
                if filled and channel not in shard.again:
                    shard.close_gap(channel)
            self._conclude(shard)

    async def _missed(self, shard: Shard, channel: int, reached: int, upto: int | None) -> Sequence[Payload]:
        """The newest ones, as many as are allowed, the oldest first."""
        oldest = number_at(self._clock.now() - self._oldest)
        after = max(earlier(reached, OVERLAP), oldest)
        found: list[Payload] = []
        before = None if upto is None else upto + 1
        while True:
            page = await self._lookups.page(channel, before=before)
            newer = [each for each in page if number_of(each) > after]
            allowed = min(shard.budget, self._settings.discord_catch_up_messages - len(found))
            found += newer[:allowed]
            shard.budget -= len(newer[:allowed])
            if len(newer) > allowed:
                shard.report.left_out[TOO_MANY] += 1
                break
            if len(newer) < MAX_HISTORY:
                if any(reached < number_of(each) <= after for each in page):
                    shard.report.left_out[TOO_OLD] += 1
                break
            before = number_of(page[-1])
        shard.report.read += len(found)
        shard.mark.reach(max(map(number_of, found), default=0))
        return found[::-1]

    async def _hand_in(self, shard: Shard, channel: int, server: int | None, messages: Sequence[Payload]) -> bool:
        """False: the store did not take all of them. Raises a `PlatformError`."""
        place: Place | None = None
        for payload in messages:
            author = payload["author"]
            if payload.get("webhook_id") or not isinstance(author, dict) or author.get("bot"):
                continue
            message = await self._build(shard, server, payload)
            if message is None:
                log.warning("missed_message_unreadable", id=number_of(payload))
                continue
            place = place or place_of(message) or await self._lookups.find_place(channel, server)
            event = await self._reader.read_message(message, place)
            if event.origin is not Origin.PERSON:
                continue
            if self._intake is None or not await self._intake.hand_in(event):
                return False
            shard.report.handed_in += 1
        return True

    async def _build(self, shard: Shard, server: int | None, payload: Payload) -> discord.Message | None:
        """As the gateway would have sent it."""
        assert shard.connection is not None  # noqa: S101  # nothing is planned before; for the type checker
        if server is None:
            return shard.connection.build(payload)
        key = (server, author_of(payload))
        if key not in shard.members:
            shard.members[key] = await self._lookups.member(*key)
        member = shard.members[key]
        whole = {**payload, "guild_id": str(server)} | ({} if member is None else {"member": member})
        return shard.connection.build(whole)

    def _conclude(self, shard: Shard) -> None:
        """Once nothing is left to read, says what became of it."""
        report = shard.report
        if shard.servers or any(shard.queued.values()):
            return
        shard.members.clear()
        if report.channels or report.left_out:
            seconds = round(self._clock.monotonic() - report.began, 3)
            tell = log.warning if report.left_out else log.info
            tell(
                "caught_up",
                channels=report.channels,
                read=report.read,
                handed_in=report.handed_in,
                left_out=report.words,
                still_missing=len(shard.server_of),
                seconds=seconds,
            )
        self._left_out = f"some of what was said meanwhile was left out: {report.words}" if report.left_out else ""
        self._left_out_until = self._clock.monotonic() + SHOWN_FOR
        shard.report = Report(began=self._clock.monotonic())


def _visible(channel: "discord.abc.GuildChannel | discord.Thread", server: discord.Guild) -> bool:
    with contextlib.suppress(discord.ClientException):  # the channel of a thread is not known
        return server.me is None or channel.permissions_for(server.me).view_channel
    return True


def _readable(channel: "discord.abc.GuildChannel | discord.Thread", server: discord.Guild) -> bool:
    with contextlib.suppress(discord.ClientException):
        return server.me is None or (
            _visible(channel, server) and channel.permissions_for(server.me).read_message_history
        )
    return True
