"""Where something stands: channels, threads and direct messages, and the conversations in them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

import discord

from adapters.discord.addresses import Manner, TargetPlace, message_address, target_address
from bridge.messages import (
    Address,
    ChannelId,
    ConversationKey,
    InstallationId,
    MessageRef,
    PaceGroup,
    PersonId,
    PlatformName,
    ReplyTarget,
    ThreadId,
)

DISCORD = PlatformName("discord")
DIRECT = InstallationId("@me")
"""What Discord itself calls the place of direct messages in its links."""

_WITH_THREADS = (discord.ChannelType.text, discord.ChannelType.news)
"""Channels where a thread can be started from a message (API reference, Start Thread from Message)."""
_THREADS = (discord.ChannelType.public_thread, discord.ChannelType.private_thread, discord.ChannelType.news_thread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a message stands."""

    channel: int
    server: int | None
    """None in direct messages."""
    parent: int | None = None
    """The channel that a thread hangs under. Set in threads only."""
    takes_threads: bool = False
    category: int | None = None
    """What the channel (of a thread: its channel) stands in."""

    @property
    def installation(self) -> InstallationId:
        return installation_of(self.server)

    @property
    def category_id(self) -> ChannelId:
        """As events tell it."""
        return ChannelId("" if self.category is None else str(self.category))


def place_of(message: discord.Message) -> Place | None:
    """The place as far as discord.py knows it. None: a channel or thread that it has not been told about."""
    return place_of_channel(message.channel)


def place_of_channel(channel: object) -> Place | None:
    """The same of the channel itself."""
    if isinstance(channel, discord.DMChannel | discord.GroupChannel):
        return Place(channel=channel.id, server=None)
    if isinstance(channel, discord.Thread):
        above = channel.parent
        return Place(
            channel=channel.id,
            server=channel.guild.id,
            parent=channel.parent_id,
            category=None if above is None else above.category_id,
        )
    if isinstance(channel, discord.abc.GuildChannel):
        return Place(
            channel=channel.id,
            server=channel.guild.id,
            takes_threads=channel.type in _WITH_THREADS,
            category=channel.category_id,
        )
    return None


def place_from_lookup(server: int | None, found: Mapping[str, object]) -> Place:
    """The same from what the REST API says about a channel. Of a thread the category is not told."""
    kind = found["type"]
    parent = int(str(found["parent_id"])) if found.get("parent_id") else None
    in_thread = kind in [each.value for each in _THREADS]
    return Place(
        channel=int(str(found["id"])),
        server=server,
        parent=parent if in_thread else None,
        takes_threads=kind in [each.value for each in _WITH_THREADS],
        category=None if in_thread else parent,
    )


def installation_of(server: int | None) -> InstallationId:
    return DIRECT if server is None else InstallationId(str(server))


def ref_to(channel: int, message: int) -> MessageRef:
    return MessageRef(platform=DISCORD, address=message_address(channel, message))


def key_in(place: Place, person: int, *, root: int | None) -> ConversationKey:
    """The conversation that what `person` says there belongs to. `root`: in a channel, the message that a thread hangs under or
    could hang under; a thread started from a message has its id, so the question and its follow-ups share one key."""
    if place.server is None:
        thread, owner = ThreadId(""), PersonId(str(person))
    else:
        begins = place.channel if place.parent is not None else root
        thread, owner = ThreadId("" if begins is None else str(begins)), PersonId("")
    return ConversationKey(
        platform=DISCORD,
        installation=place.installation,
        channel=ChannelId(str(place.channel if place.parent is None else place.parent)),
        thread=thread,
        person=owner,
    )


def target_under(place: Place, person: int, message: int) -> ReplyTarget:
    """Where a message is answered: in its thread or direct messages, under it, or by a reply to it."""
    if place.server is None or place.parent is not None:
        where = TargetPlace(manner=Manner.IN, channel=place.channel)
    elif place.takes_threads:
        where = TargetPlace(manner=Manner.UNDER, channel=place.channel, question=message)
    else:
        where = TargetPlace(manner=Manner.REPLY, channel=place.channel, question=message)
    key = key_in(place, person, root=message)
    return target_at(key, target_address(where), place.channel, opens_thread=where.manner is Manner.UNDER)


def target_in(place: Place, person: int) -> ReplyTarget:
    """The place itself, of whichever conversation lives there; that is none in a channel."""
    where = TargetPlace(manner=Manner.IN, channel=place.channel)
    return target_at(key_in(place, person, root=None), target_address(where), place.channel)


def target_at(key: ConversationKey, address: Address, channel: int, *, opens_thread: bool = False) -> ReplyTarget:
    """What is written there draws on the channel's quotas."""
    group = PaceGroup(str(channel))
    return ReplyTarget(
        platform=DISCORD,
        conversation=key,
        address=address,
        post_group=group,
        edit_group=group,
        opens_thread=opens_thread,
        # A reply in the channel does as well, whatever asked.
        may_reply=opens_thread,
    )
