"""Whom a message may call. Pure."""

import discord

from adapters.discord.capabilities import MAX_MENTIONED
from bridge.messages import OutgoingMessage


def allow(message: OutgoingMessage) -> discord.AllowedMentions:
    """The people on the message's list may be mentioned by id; nobody else, no role, not everyone, not who is replied to."""
    people = [discord.Object(person) for person in message.people if person.isascii() and person.isdecimal()]
    return discord.AllowedMentions(
        everyone=False, roles=False, users=people[:MAX_MENTIONED] or False, replied_user=False
    )
