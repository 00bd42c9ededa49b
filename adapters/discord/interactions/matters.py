"""What a form is about, kept between the moment when it is shown and the one when it comes back.

Discord tells a picked message whole, once, and a form holds too little to carry it along. Who restarted meanwhile reads the
message again where that is allowed.
"""

from dataclasses import dataclass

import discord

from adapters.discord.gateway.heard import Build
from adapters.discord.interactions.forms import About
from adapters.discord.reading.messages import attachments_of, said_in
from adapters.discord.rest.lookups import Lookups
from bridge.errors import PlatformError
from bridge.messages import Attachment, Said

MOST_KEPT = 500
"""Messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """A picked message."""

    said: Said
    attachments: tuple[Attachment, ...]


class Matters:
    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._kept: dict[About, Matter] = {}

    def keep(self, about: About, matter: Matter) -> None:
        self._kept.pop(about, None)
        self._kept[about] = matter
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    async def recall(self, about: About, server: int | None, build: Build) -> Matter | None:
        """None: nobody can tell any more what it said."""
        kept = self._kept.get(about)
        if kept is not None:
            return kept
        try:
            payload = dict(await self._lookups.message(about.channel, about.message))
        except PlatformError:
            return None
        message = build(payload if server is None else payload | {"guild_id": str(server)})
        return None if message is None else matter_of(message)


def matter_of(message: discord.Message) -> Matter | None:
    """None: there is nothing in it that may be read."""
    said = said_in(message)
    # Without the Message Content intent, or where the bot is not, the message cannot be read again for its files.
    return None if said is None else Matter(said=said, attachments=tuple(attachments_of(message, by_link=True)))
