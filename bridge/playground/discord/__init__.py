"""A strict stand-in Discord: REST and gateway on a loopback port, for the real discord.py client to talk to.

It refuses what Discord refuses (limits, buckets, permissions, intents, malformed commands, buttons and forms, late answers)
and misbehaves on demand. What it does not show is refused, not pretended: embeds from the bot, components other than buttons
in messages, sub-commands, autocompletion, private threads.
"""

from bridge.playground.discord.faults import Fault, Faults
from bridge.playground.discord.model import (
    Attachment,
    Button,
    Call,
    Channel,
    Command,
    Field,
    ForumTag,
    Guild,
    Interaction,
    Message,
    Modal,
    Person,
)
from bridge.playground.discord.server import DiscordServer

__all__ = [
    "Attachment",
    "Button",
    "Call",
    "Channel",
    "Command",
    "DiscordServer",
    "Fault",
    "Faults",
    "Field",
    "ForumTag",
    "Guild",
    "Interaction",
    "Message",
    "Modal",
    "Person",
]
