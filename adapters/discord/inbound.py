"""What discord.py heard, as events of the bridge. Pure: whatever must be asked for is asked before and passed in. Messages are
read in `reading`, commands, forms and buttons in `interactions`."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import discord

from adapters.discord import markup
from adapters.discord.gateway.heard import Deletion, Update
from adapters.discord.reading.messages import (
    RepliedTo,
    complete,
    is_hidden,
    needs_author,
    read_message,
    replied_to,
)
from adapters.discord.reading.places import (
    DIRECT,
    DISCORD,
    Place,
    installation_of,
    place_from_lookup,
    place_of,
    ref_to,
)
from bridge.events import MessageDeleted, MessageEdited, MessageReceived, ReactionChanged
from bridge.messages import EventId, Origin, PersonId

__all__ = [
    "DIRECT",
    "DISCORD",
    "Ignored",
    "Place",
    "RepliedTo",
    "complete",
    "is_hidden",
    "needs_author",
    "place_from_lookup",
    "place_of",
    "read_deletion",
    "read_edit",
    "read_message",
    "read_reaction",
    "replied_to",
]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Something that is no event for the bridge."""

    reason: str


def read_edit(update: Update, now: MessageReceived) -> MessageEdited:
    """An edit as an event. `now` is the message as it reads now."""
    revision = (update.edited - _EPOCH) // timedelta(microseconds=1)
    return MessageEdited(event_id=EventId(f"edit/{update.number}/{revision}"), now=now, revision=revision)


def read_deletion(gone: Deletion) -> MessageDeleted:
    return MessageDeleted(
        event_id=EventId(f"deletion/{gone.number}"),
        ref=ref_to(gone.channel, gone.number),
        installation=installation_of(gone.server),
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
        message=ref_to(payload.channel_id, payload.message_id),
        person=PersonId(str(payload.user_id)),
        origin=origin,
        emoji=emoji,
        added=added,
        revision=revision,
    )
