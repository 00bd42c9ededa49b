"""What is asked of Discord besides: who wrote, where, with which roles, and what stands in a channel. Reads only.

All raise a `PlatformError` unless they say otherwise.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import discord

from adapters.discord.addresses import Manner, message_address, read_target_address
from adapters.discord.capabilities import MAX_HISTORY
from adapters.discord.gateway.heard import Payload
from adapters.discord.gateway.marks import number_at
from adapters.discord.inbound import DISCORD, Place, RepliedTo, complete, place_from_lookup
from adapters.discord.rest.client import Rest
from adapters.discord.settings import Settings
from adapters.discord.writing.smallprint import plain
from bridge.clock import Clock
from bridge.errors import MessageGone, PlatformError
from bridge.markdown.dialect import Dialect
from bridge.messages import MessageRef, OutgoingMessage, ReplyTarget

CLOCK_SKEW = timedelta(seconds=5)
"""How wrong the difference may be that was found between Discord's clock and ours: it tells whole seconds, and takes its time."""

NONCE_HOLDS = timedelta(seconds=60)
"""For how long Discord surely answers a repeated nonce with the first message. It says "the past few minutes" (API reference,
Create Message)."""

MOST_PAGES = 5
"""Pages of a channel that are searched for one of our messages."""


class Lookups:
    def __init__(self, settings: Settings, clock: Clock, rest: Rest, dialect: Dialect) -> None:
        self._settings = settings
        self._clock = clock
        self._rest = rest
        self._dialect = dialect

    async def complete(self, reply: RepliedTo) -> RepliedTo:
        """Adds the message replied to, if that can be read in time. Never raises a `PlatformError`."""

        async def fetch(client: discord.Client) -> discord.Message:
            return await client.get_partial_messageable(reply.channel).fetch_message(reply.message)

        with contextlib.suppress(PlatformError):
            return complete(reply, await self._rest.call(fetch, within=self._settings.discord_lookup_timeout))
        return reply

    async def place_of(self, channel: int, server: int | None) -> Place:
        """What kind of channel this is. Taken for one without threads when it cannot be read in time."""
        with contextlib.suppress(PlatformError):
            return await self.find_place(channel, server)
        return Place(channel=channel, server=server)

    async def find_place(self, channel: int, server: int | None) -> Place:
        """The same, and it must be known."""
        found = place_from_lookup(server, await self._channel(channel))
        if found.parent is None:
            return found
        # Of a thread one is told the channel, and of that its category.
        above = place_from_lookup(server, await self._channel(found.parent))
        return replace(found, category=above.category)

    async def _channel(self, channel: int) -> Payload:
        async def fetch(client: discord.Client) -> Payload:
            return dict(await client.http.get_channel(channel))

        return await self._rest.call(fetch, within=self._settings.discord_lookup_timeout)

    async def message(self, channel: int, number: int) -> Payload:
        async def fetch(client: discord.Client) -> Payload:
            return dict(await client.http.get_message(channel, number))

        return await self._rest.call(fetch, within=self._settings.discord_lookup_timeout)

    async def member(self, server: int, person: int) -> Payload | None:
        """Somebody's membership with its roles; None when there is none any more."""

        async def fetch(client: discord.Client) -> Payload:
            return dict(await client.http.get_member(server, person))

        try:
            return await self._rest.call(fetch, within=self._settings.discord_call_timeout)
        except MessageGone:
            return None

    async def page(self, channel: int, *, before: int | None = None, after: int | None = None) -> Sequence[Payload]:
        """At most `MAX_HISTORY` messages, the newest first: those right before a number, or right after one."""

        async def fetch(client: discord.Client) -> Sequence[Payload]:
            listed = await client.http.logs_from(channel, MAX_HISTORY, before=before, after=after)
            return sorted((dict(each) for each in listed), key=number_of, reverse=True)

        return await self._rest.call(fetch)

    def is_late(self, number: int) -> bool:
        """Whether what Discord gave this number happened so long ago that a nonce may not be answered with the first message."""
        return self._clock.now() + self._rest.ahead - discord.utils.snowflake_time(number) > NONCE_HOLDS

    async def find_sent(self, target: ReplyTarget, message: OutgoingMessage, since: datetime) -> MessageRef | None:
        """The newest message of ours there that says the same and was posted since then, by our clock.

        Discord gives nonces back to whoever posts, but never in a channel's history, and two answers may say the same. So as
        long as posting again with the same nonce is sure to find the first one, that is left to do it: None.
        """
        if self._clock.now() - since < NONCE_HOLDS:
            return None
        place = read_target_address(target.address)
        text = str(self._dialect.payload(message.text, message.people)["content"]).strip()
        if not text or not place.channel:
            return None
        me = (await self._rest.log_in()).user
        after = number_at(since + self._rest.ahead - CLOCK_SKEW)
        found: int | None = None
        questions = {None, place.question}
        if place.manner is Manner.ASK and place.interaction is not None:
            # What answers the command itself is replied to by what follows it.
            after, questions = min(after, place.interaction), set()
        for _ in range(MOST_PAGES):
            listed = await self.page(place.channel, after=after)
            if place.manner is Manner.ASK:
                questions |= {number_of(each) for each in listed if caused_by(each) == place.interaction}
            for each in listed:
                if author_of(each) != me or plain(str(each.get("content", ""))).strip() != text:
                    continue
                if place.manner is Manner.ASK and number_of(each) in questions:
                    found = max(found or 0, number_of(each))
                    continue
                if place.manner is not Manner.IN and _replied_to(each) not in questions:
                    # In a channel without threads others are answered as well, and may be told the same.
                    continue
                found = max(found or 0, number_of(each))
            if len(listed) < MAX_HISTORY:
                break
            after = number_of(listed[0])
        return None if found is None else MessageRef(platform=DISCORD, address=message_address(place.channel, found))


def number_of(payload: Payload) -> int:
    return int(str(payload["id"]))


def author_of(payload: Payload) -> int:
    author = payload["author"]
    return int(str(author["id"])) if isinstance(author, dict) else 0


def _replied_to(payload: Payload) -> int | None:
    reference = payload.get("message_reference")
    number = reference.get("message_id") if isinstance(reference, dict) else None
    return None if number is None else int(str(number))


def caused_by(payload: Payload) -> int | None:
    """The interaction that Discord names with a message of ours."""
    for name in ("interaction_metadata", "interaction"):
        found = payload.get(name)
        number = str(found.get("id")) if isinstance(found, dict) else ""
        if number.isascii() and number.isdecimal():
            return int(number)
    return None
