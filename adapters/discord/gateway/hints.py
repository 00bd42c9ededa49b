"""What people are told who call the bot in a way in which Discord does not let it read them."""

import asyncio
from collections.abc import Awaitable, Callable

import discord

from adapters.discord.reading.places import Place, place_of, target_under
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError
from bridge.messages import MessageRef, OutgoingMessage, ReplyTarget

log = logs.get("discord")

AGAIN = 600.0
"""Seconds until the same is told in a channel again."""

MOST_REMEMBERED = 1_000
"""Channels."""

HIDDEN = (
    "You mentioned my role, and Discord does not show me what such a message says. "
    "Please mention me instead: the entry with my name that is not a role."
)

Send = Callable[[ReplyTarget, OutgoingMessage], Awaitable[MessageRef]]


class Hints:
    """Said beside everything else, so that no message waits for it."""

    def __init__(self, clock: Clock, send: Send) -> None:
        self._clock = clock
        self._send = send
        self._told: dict[int, float] = {}
        self._under_way: set[asyncio.Task[None]] = set()

    def tell_hidden(self, message: discord.Message) -> None:
        """Never waits."""
        channel, now = message.channel.id, self._clock.monotonic()
        if message.guild is None or now - self._told.get(channel, -AGAIN) < AGAIN:
            return
        self._told.pop(channel, None)
        self._told[channel] = now
        if len(self._told) > MOST_REMEMBERED:
            del self._told[next(iter(self._told))]
        # By a reply: for this nobody needs a thread.
        known = place_of(message) or Place(channel=channel, server=message.guild.id)
        place = Place(channel=channel, server=known.server, parent=known.parent)
        task = asyncio.create_task(self._tell(target_under(place, message.author.id, message.id), message.id))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def close(self) -> None:
        """What was not said yet is not said any more."""
        tasks = list(self._under_way)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _tell(self, target: ReplyTarget, message: int) -> None:
        try:
            # Other processes hear the message too; with one nonce they say this once.
            await self._send(target, OutgoingMessage(text=HIDDEN, nonce=f"hint{message}"))
        except PlatformError as error:
            log.info("hint_not_told", code=error.code)
