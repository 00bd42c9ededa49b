"""What discord.py heard, as events of the bridge. Pure: whatever must be asked for is asked before and passed in."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import discord

from adapters.discord import markup
from adapters.discord.addresses import Manner, TargetPlace, message_address, target_address
from adapters.discord.gateway.heard import Deletion, Update
from adapters.discord.rest import buttons
from bridge.events import ButtonPressed, MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from bridge.messages import (
    Attachment,
    Author,
    ChannelId,
    ConversationKey,
    EventId,
    InstallationId,
    MessageRef,
    NamedPerson,
    Origin,
    PaceGroup,
    PersonId,
    PlatformName,
    ReplyTarget,
    ThreadId,
)

DISCORD = PlatformName("discord")
DIRECT = InstallationId("@me")
"""What Discord itself calls the place of direct messages in its links."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_WITH_THREADS = (discord.ChannelType.text, discord.ChannelType.news)
"""Channels where a thread can be started from a message (API reference, Start Thread from Message)."""
_THREADS = (discord.ChannelType.public_thread, discord.ChannelType.private_thread, discord.ChannelType.news_thread)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Something that is no event for the bridge."""

    reason: str


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RepliedTo:
    """The message that another one replies to. `author` is None when it is gone or could not be read."""

    channel: int
    message: int
    author: int | None


def place_of(message: discord.Message) -> Place | None:
    """The place as far as discord.py knows it. None: a channel or thread that it has not been told about."""
    channel = message.channel
    if isinstance(channel, discord.DMChannel):
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


def replied_to(message: discord.Message) -> RepliedTo | None:
    """What a message replies to, as told with it. Only `author` may have to be asked for (`needs_author`)."""
    reference = message.reference
    if message.type is not discord.MessageType.reply or reference is None or reference.message_id is None:
        return None
    resolved = reference.resolved
    return RepliedTo(
        channel=reference.channel_id,
        message=reference.message_id,
        author=resolved.author.id if isinstance(resolved, discord.Message) else None,
    )


def needs_author(message: discord.Message) -> bool:
    """Whether Discord left out the message replied to. It says so expressly when that one was deleted."""
    return replied_to(message) is not None and message.reference is not None and message.reference.resolved is None


def read_message(message: discord.Message, *, me: int, place: Place, reply: RepliedTo | None) -> MessageReceived:
    """A message as an event. `me` is our own user id; `reply` comes from `replied_to`, completed if need be."""
    role = _own_role(message)
    names = _names(message)
    to_us = reply is not None and reply.author == me
    content = markup.without_own_mention(message.content, user=me, role=role)
    return MessageReceived(
        event_id=EventId(f"message/{message.id}"),
        ref=_ref(place.channel, message.id),
        target=_target(message, place),
        author=Author(
            platform=DISCORD,
            id=PersonId(str(message.author.id)),
            display_name=message.author.display_name,
            is_bot=message.author.bot,
            roles=_roles(message),
        ),
        origin=_origin(message, me),
        text=markup.readable(_with_quotes(message, content), names).strip(),
        mentions_bot=_mentions(message, me=me, role=role, replies_to_us=to_us),
        is_direct=place.server is None,
        in_thread=place.parent is not None,
        reply_to=None if reply is None else _ref(reply.channel, reply.message),
        replies_to_bot=to_us,
        attachments=tuple(_attachments(message)),
        named=tuple(_named(message, me)),
        category=ChannelId("" if place.category is None else str(place.category)),
        sent_at=message.created_at,
    )


def read_edit(update: Update, now: MessageReceived) -> MessageEdited:
    """An edit as an event. `now` is the message as it reads now."""
    revision = (update.edited - _EPOCH) // timedelta(microseconds=1)
    return MessageEdited(event_id=EventId(f"edit/{update.number}/{revision}"), now=now, revision=revision)


def read_deletion(gone: Deletion) -> MessageDeleted:
    return MessageDeleted(
        event_id=EventId(f"deletion/{gone.number}"),
        ref=_ref(gone.channel, gone.number),
        installation=_installation(gone.server),
    )


def read_press(interaction: discord.Interaction) -> ButtonPressed | Ignored:
    """A pressed button as an event."""
    message = interaction.message
    channel = interaction.channel_id
    if message is None or channel is None:
        return Ignored(reason="press without a message")
    told: dict[str, object] = dict(interaction.data or {})
    action = buttons.action_of(str(told.get("custom_id", "")))
    if action is None:
        return Ignored(reason="button that is not known")
    return ButtonPressed(
        # Discord tells every process with this token of it, by the same number.
        event_id=EventId(f"interaction/{interaction.id}"),
        message=_ref(channel, message.id),
        installation=_installation(interaction.guild_id),
        person=PersonId(str(interaction.user.id)),
        action=action,
    )


def read_reaction(payload: discord.RawReactionActionEvent, *, me: int, revision: int) -> ReactionChanged | Ignored:
    """A reaction as an event. `revision` is when it was heard, in microseconds, growing with every call.

    Discord gives reactions no id and no time. It names the message's author only when a reaction is added, so one taken
    away from somebody else's message is let through; nobody will know that message.
    """
    if payload.message_author_id not in (None, me):
        return Ignored(reason="reaction to a message that is not ours")
    if not payload.emoji.name:
        return Ignored(reason="reaction with an emoji that no longer exists")
    emoji = markup.plain_emoji(payload.emoji.name)
    added = payload.event_type == "REACTION_ADD"
    if payload.user_id == me:
        origin = Origin.SELF
    elif payload.member is not None and payload.member.bot:
        origin = Origin.BOT
    else:
        origin = Origin.PERSON
    sign = "+" if added else "-"
    return ReactionChanged(
        event_id=EventId(f"reaction/{payload.message_id}/{payload.user_id}/{sign}{emoji}/{revision}"),
        message=_ref(payload.channel_id, payload.message_id),
        person=PersonId(str(payload.user_id)),
        origin=origin,
        emoji=emoji,
        added=added,
        revision=revision,
    )


def _ref(channel: int, message: int) -> MessageRef:
    return MessageRef(platform=DISCORD, address=message_address(channel, message))


def _installation(server: int | None) -> InstallationId:
    return DIRECT if server is None else InstallationId(str(server))


def _roles(message: discord.Message) -> tuple[str, ...]:
    """As the event has them. `Member.roles` would leave out those that the library has not been told about."""
    author = message.author
    return tuple(str(each) for each in author._roles) if isinstance(author, discord.Member) else ()  # noqa: SLF001  as above


def _target(message: discord.Message, place: Place) -> ReplyTarget:
    installation = _installation(place.server)
    if place.server is None:
        thread, person = ThreadId(""), PersonId(str(message.author.id))
    else:
        # A thread started from a message has that message's id, so the question and its follow-ups share one key.
        thread, person = ThreadId(str(place.channel if place.parent is not None else message.id)), PersonId("")
    if place.server is None or place.parent is not None:
        where = TargetPlace(manner=Manner.IN, channel=place.channel)
    elif place.takes_threads:
        where = TargetPlace(manner=Manner.UNDER, channel=place.channel, question=message.id)
    else:
        where = TargetPlace(manner=Manner.REPLY, channel=place.channel, question=message.id)
    return ReplyTarget(
        platform=DISCORD,
        conversation=ConversationKey(
            platform=DISCORD,
            installation=installation,
            channel=ChannelId(str(place.channel if place.parent is None else place.parent)),
            thread=thread,
            person=person,
        ),
        address=target_address(where),
        post_group=PaceGroup(str(place.channel)),
        edit_group=PaceGroup(str(place.channel)),
        opens_thread=where.manner is Manner.UNDER,
    )


def _origin(message: discord.Message, me: int) -> Origin:
    if message.author.id == me:
        return Origin.SELF
    # The first message in a thread that was started from a message is an empty stub, which discord.py counts as ordinary.
    if message.is_system() or message.type is discord.MessageType.thread_starter_message:
        return Origin.SYSTEM
    if message.author.bot or message.webhook_id is not None:
        return Origin.BOT
    return Origin.PERSON


def _mentions(message: discord.Message, *, me: int, role: int | None, replies_to_us: bool) -> bool:
    """Whether we were called by name. A reply that pings lists us too, without a word about us in the text."""
    if role is not None and any(each.id == role for each in message.role_mentions):
        return True
    if all(each.id != me for each in message.mentions):
        return False
    return not replies_to_us or f"<@{me}>" in message.content or f"<@!{me}>" in message.content


def _own_role(message: discord.Message) -> int | None:
    """The role that Discord made for us when we were added; people pick it from the list, since it has our name."""
    guild = message.guild
    role = guild.self_role if isinstance(guild, discord.Guild) else None
    return None if role is None else role.id


def _with_quotes(message: discord.Message, content: str) -> str:
    """The text with what stands outside `content`: forwarded messages, and embeds where there is nothing else."""
    parts = [content, *(snapshot.content for snapshot in message.message_snapshots)]
    if not any(part.strip() for part in parts):
        snapshots = (embed for snapshot in message.message_snapshots for embed in snapshot.embeds)
        parts = [_embed_text(embed) for embed in (*message.embeds, *snapshots)]
    return "\n\n".join(part for part in parts if part.strip())


def _embed_text(embed: discord.Embed) -> str:
    fields = (f"{each.name}: {each.value}" for each in embed.fields)
    return "\n".join(part for part in (embed.title, embed.description, *fields) if part)


def _attachments(message: discord.Message) -> Iterable[Attachment]:
    forwarded = (each for snapshot in message.message_snapshots for each in snapshot.attachments)
    for each in (*message.attachments, *forwarded):
        yield Attachment(name=each.filename, media_type=each.content_type or "")


def _named(message: discord.Message, me: int) -> Iterable[NamedPerson]:
    """The people named in the text. Discord also lists the author of a message replied to, whom the text need not name."""
    listed = {each.id: each for each in message.mentions if each.id != me and not each.bot}
    for each in listed.values():
        if f"<@{each.id}>" in message.content or f"<@!{each.id}>" in message.content:
            yield NamedPerson(id=PersonId(str(each.id)), name=each.display_name)


def _names(message: discord.Message) -> markup.Names:
    guild = message.guild
    channels: dict[int, str] = {}
    if isinstance(guild, discord.Guild):
        known = ((number, guild.get_channel_or_thread(number)) for number in message.raw_channel_mentions)
        channels = {number: channel.name for number, channel in known if channel is not None}
    return markup.Names(
        users={each.id: each.display_name for each in message.mentions},
        roles={each.id: each.name for each in message.role_mentions},
        channels=channels,
    )
