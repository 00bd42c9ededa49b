"""Files out on Discord: how one is handed to the SDK, and when it is too large. The call itself is in `outbound`."""

import io

import discord

from adapters.discord.capabilities import MAX_FILE_BYTES
from bridge.errors import NotAllowed
from bridge.outgoing_files import OutgoingFile

TOO_LARGE = frozenset({"40005", "413"})
"""Request entity too large (API reference, JSON Error Codes), and the same from a proxy that has no code for it."""


def attach(file: OutgoingFile, most: int = MAX_FILE_BYTES) -> discord.File:
    """The file as discord.py sends it. Raises `NotAllowed` for one that is larger than `most` bytes."""
    if len(file.content) > most:
        raise NotAllowed(f"{len(file.content)} bytes are more than Discord takes here", code="40005")
    return discord.File(io.BytesIO(file.content), filename=file.plain_name, spoiler=False)
