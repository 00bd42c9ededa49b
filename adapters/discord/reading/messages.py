"""A message of Discord's as an event: who wrote it, what it says besides its text, and what it points at. Pure: whatever must be
asked for is asked before and passed in."""

from collections.abc import Iterable
from dataclasses import dataclass

import discord

from adapters.discord import markup
from adapters.discord.addresses import file_address, link_address
from adapters.discord.reading.places import DISCORD, Place, ref_to, target_under
from bridge.events import MessageReceived
from bridge.messages import Attachment, Author, EventId, NamedPerson, Origin, PersonId, Said

MOST_POINTED_AT = 2_000
"""Characters of a message that a question is about (ours); Discord takes no longer ones from people without a subscription."""

NO_WORDS = "(a message without text)"


@dataclass(frozen=True, slots=True, kw_only=True)
class RepliedTo:
    """The message that another one replies to. `author` is None when it is gone or could not be read."""

    channel: int
    message: int
    author: int | None
    said: Said | None = None
    """None where it has no words that may be read."""
    attachments: tuple[Attachment, ...] = ()


def replied_to(message: discord.Message) -> RepliedTo | None:
    """What a message replies to, as told with it. If that is nothing, it may have to be asked for (`needs_author`)."""
    reference = message.reference
    if message.type is not discord.MessageType.reply or reference is None or reference.message_id is None:
        return None
    reply = RepliedTo(channel=reference.channel_id, message=reference.message_id, author=None)
    resolved = reference.resolved
    return complete(reply, resolved) if isinstance(resolved, discord.Message) else reply


def needs_author(message: discord.Message) -> bool:
    """Whether Discord left out the message replied to. It says so expressly when that one was deleted."""
    return replied_to(message) is not None and message.reference is not None and message.reference.resolved is None


def complete(reply: RepliedTo, message: discord.Message) -> RepliedTo:
    """With the message itself."""
    return RepliedTo(
        channel=reply.channel,
        message=reply.message,
        author=message.author.id,
        said=said_in(message),
        attachments=tuple(attachments_of(message)),
    )


def said_in(message: discord.Message) -> Said | None:
    """What a message says to an app that was not there. None: nothing that may be read; without the Message Content intent that
    is so of most."""
    text = words_of(message, message.content)
    if not text and not message.attachments:
        return None
    cut = text if len(text) <= MOST_POINTED_AT else text[:MOST_POINTED_AT].rstrip() + "…"
    return Said(who=message.author.display_name, text=cut or NO_WORDS)


def read_message(message: discord.Message, *, me: int, place: Place, reply: RepliedTo | None) -> MessageReceived:
    """A message as an event. `me` is our own user id; `reply` comes from `replied_to`, completed if need be."""
    role = own_role(message)
    to_us = reply is not None and reply.author == me
    content = markup.without_own_mention(message.content, user=me, role=role)
    pointed_at = reply if reply is not None and not to_us else None
    return MessageReceived(
        event_id=EventId(f"message/{message.id}"),
        ref=ref_to(place.channel, message.id),
        target=target_under(place, message.author.id, message.id),
        author=author_of(message.author),
        origin=_origin(message, me),
        text="\n\n".join(part for part in (title_of(message), words_of(message, content)) if part),
        mentions_bot=_mentions(message, me=me, role=role, replies_to_us=to_us),
        is_direct=place.server is None,
        in_thread=place.parent is not None,
        reply_to=None if reply is None else ref_to(reply.channel, reply.message),
        replies_to_bot=to_us,
        attachments=(*attachments_of(message), *(pointed_at.attachments if pointed_at else ())),
        named=tuple(_named(message, me)),
        category=place.category_id,
        about=pointed_at.said if pointed_at else None,
        sent_at=message.created_at,
    )


def title_of(message: discord.Message) -> str:
    """Of the forum post that a message begins: people write half of their question there. "" for all other messages."""
    channel = message.channel
    if not isinstance(channel, discord.Thread) or message.id != channel.id:
        return ""
    return channel.name.strip() if isinstance(channel.parent, discord.ForumChannel) else ""


def is_hidden(message: discord.Message) -> bool:
    """Whether somebody calls us by our role and Discord does not let us read what they say: it makes an exception for messages
    that mention the bot itself, and none for its role (Discord documentation, Message Content Intent)."""
    role = own_role(message)
    called = role is not None and any(each.id == role for each in message.role_mentions)
    nothing = not (message.content or message.attachments or message.embeds or message.message_snapshots)
    return called and nothing and not message.author.bot and message.webhook_id is None


def author_of(person: discord.User | discord.Member) -> Author:
    return Author(
        platform=DISCORD,
        id=PersonId(str(person.id)),
        display_name=person.display_name,
        is_bot=person.bot,
        roles=_roles(person),
    )


def own_role(message: discord.Message) -> int | None:
    """The role that Discord made for us when we were added; people pick it from the list, since it has our name."""
    guild = message.guild
    role = guild.self_role if isinstance(guild, discord.Guild) else None
    return None if role is None else role.id


def words_of(message: discord.Message, content: str) -> str:
    """The text as people read it, with what stands outside `content`: forwarded messages, and cards (embeds) where there is
    nothing else or where a bot or webhook wrote them. Those of people are previews of their links."""
    parts = [content, *(snapshot.content for snapshot in message.message_snapshots)]
    if not any(part.strip() for part in parts):
        snapshots = (embed for snapshot in message.message_snapshots for embed in snapshot.embeds)
        parts = [_embed_text(embed) for embed in (*message.embeds, *snapshots)]
    elif message.author.bot or message.webhook_id is not None:
        parts += [_embed_text(embed) for embed in message.embeds]
    return markup.readable("\n\n".join(part for part in parts if part.strip()), _names(message)).strip()


def attachments_of(message: discord.Message, *, by_link: bool = False) -> Iterable[Attachment]:
    """Its files, and those of what it forwards, which are found by the message that forwards them. `by_link`: it cannot be read
    again, so they are found by their own addresses, for as long as Discord lets those be used."""

    def attachment(file: discord.Attachment, *, is_voice: bool) -> Attachment:
        address = link_address(file.url) if by_link else file_address(message.channel.id, message.id, file.id)
        return Attachment(
            name=file.filename,
            media_type=file.content_type or "",
            size=file.size,
            address=address,
            is_voice=is_voice,
        )

    for each in message.attachments:
        yield attachment(each, is_voice=message.flags.voice)
    for snapshot in message.message_snapshots:
        for each in snapshot.attachments:
            yield attachment(each, is_voice=snapshot.flags.voice)


def _roles(person: discord.User | discord.Member) -> tuple[str, ...]:
    """As the event has them. `Member.roles` would leave out those that the library has not been told about."""
    return tuple(str(each) for each in person._roles) if isinstance(person, discord.Member) else ()  # noqa: SLF001  as above


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


def _embed_text(embed: discord.Embed) -> str:
    fields = (f"{each.name}: {each.value}" for each in embed.fields)
    return "\n".join(part for part in (embed.title, embed.description, *fields) if part)


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
