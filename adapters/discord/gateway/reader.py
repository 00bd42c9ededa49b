"""Makes events of what was heard, and asks Discord for what is missing in it."""

import discord

from adapters.discord import inbound
from adapters.discord.gateway.heard import Deletion, Heard, Payload, Update
from adapters.discord.gateway.hints import Hints
from adapters.discord.inbound import Ignored, Place
from adapters.discord.rest.lookups import Lookups
from bridge import logs
from bridge.errors import PlatformError
from bridge.events import InboundEvent, MessageReceived

log = logs.get("discord")


class Reader:
    def __init__(self, lookups: Lookups, hints: Hints) -> None:
        self._lookups = lookups
        self._hints = hints
        self.me = 0
        """Our own user id. Set before anything is read."""

    async def read(self, heard: Heard, revision: int) -> InboundEvent | Ignored:
        """`revision`: when it was heard, in microseconds, growing with every call. Never raises a `PlatformError`."""
        match heard:
            case discord.Message() if inbound.is_hidden(heard):
                self._hints.tell_hidden(heard)
                return Ignored(reason="calls our role, and Discord hides what it says")
            case discord.Message():
                return await self.read_message(heard)
            case Update():
                return await self._read_update(heard)
            case Deletion():
                return inbound.read_deletion(heard)
            case discord.RawReactionActionEvent():
                return inbound.read_reaction(heard, me=self.me, revision=revision)

    async def read_message(self, message: discord.Message, place: Place | None = None) -> MessageReceived:
        """`place`: where it stands, when that was asked for already."""
        place = place or inbound.place_of(message)
        if place is None:
            server = message.guild.id if message.guild else getattr(message.channel, "guild_id", None)
            place = await self._lookups.place_of(message.channel.id, server)
        reply = inbound.replied_to(message)
        if reply is not None and inbound.needs_author(message):
            reply = await self._lookups.complete(reply)
        return inbound.read_message(message, me=self.me, place=place, reply=reply)

    async def _read_update(self, update: Update) -> InboundEvent | Ignored:
        message = update.message
        if message is None:
            try:
                message = update.build(await self._complete(update))
            except PlatformError as error:
                log.warning("edit_not_read", id=update.number, code=error.code)
                return Ignored(reason="edited message that cannot be read")
        if message is None:
            return Ignored(reason="edited message without a text")
        if message.author.id == self.me:
            return Ignored(reason="edited by ourselves")
        now = await self.read_message(message)
        if not now.text and not now.attachments and not now.mentions_bot:
            # Nobody can edit a message to nothing: we may not read this one, now that it does not mention us any more.
            return Ignored(reason="edited message without a text that may be read")
        return inbound.read_edit(update, now)

    async def _complete(self, update: Update) -> Payload:
        """The message as it reads now. Over REST it comes without its server and its author's membership."""
        payload = dict(await self._lookups.message(update.channel, update.number))
        if update.server is None:
            return payload
        return await self.with_member(payload | {"guild_id": str(update.server)}, update.server)

    async def with_member(self, payload: Payload, server: int) -> Payload:
        """With the author's membership, as the gateway would have sent it. Raises a `PlatformError`."""
        author = payload["author"]
        if payload.get("webhook_id") or not isinstance(author, dict) or author.get("bot"):
            return payload
        member = await self._lookups.member(server, int(str(author["id"])))
        return payload if member is None else {**payload, "member": member}
