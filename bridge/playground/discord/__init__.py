"""A strict stand-in Discord: REST and gateway on a loopback port, for the real discord.py client to talk to.

It refuses what Discord refuses (limits, buckets, permissions, intents, malformed buttons) and misbehaves on demand. It shows
text, files and buttons: embeds from the bot, other components and slash commands are refused, not pretended.
"""

from bridge.playground.discord.faults import Fault, Faults
from bridge.playground.discord.model import Attachment, Button, Call, Channel, Interaction, Message, Person
from bridge.playground.discord.server import DiscordServer

__all__ = [
    "Attachment",
    "Button",
    "Call",
    "Channel",
    "DiscordServer",
    "Fault",
    "Faults",
    "Interaction",
    "Message",
    "Person",
]
