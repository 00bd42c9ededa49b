"""A strict stand-in Discord: REST and gateway on a loopback port, for the real discord.py client to talk to.

It refuses what Discord refuses (limits, buckets, permissions, intents) and misbehaves on demand. It shows text: embeds,
components, files from the bot and interactions are refused, not pretended.
"""

from bridge.playground.discord.faults import Fault, Faults
from bridge.playground.discord.model import Attachment, Call, Channel, Message, Person
from bridge.playground.discord.server import DiscordServer

__all__ = ["Attachment", "Call", "Channel", "DiscordServer", "Fault", "Faults", "Message", "Person"]
