"""What one connection to the gateway tells: its words, and who wants to hear them. No network."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import discord

Payload = Mapping[str, object]
"""A message as Discord's JSON has it."""

Build = Callable[[Payload], discord.Message | None]
"""Makes a message of a payload with what a connection knows about servers, channels and people. None: it is incomplete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """Somebody edited a message. Discord need not send all of it, and says nothing about how it read before."""

    channel: int
    number: int
    server: int | None
    edited: datetime
    message: discord.Message | None
    """None: what came was not the whole message."""
    build: Build


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """A message is gone."""

    channel: int
    number: int
    server: int | None


Heard = discord.Message | discord.RawReactionActionEvent | Update | Deletion


class Connection(Protocol):
    """One shard's connection, as far as others have to know it."""

    @property
    def shard(self) -> int: ...

    @property
    def guilds(self) -> Sequence[discord.Guild]: ...

    @property
    def shards(self) -> int:
        """How many there are in all."""
        ...

    def build(self, payload: Payload) -> discord.Message | None: ...


class Listener(Protocol):
    """Called in the order in which things came over the connection. Only `before_session` may wait."""

    async def before_session(self, connection: Connection) -> None:
        """A login is about to be made, after which nothing of what was missed is delivered by itself."""
        ...

    def session_began(self, connection: Connection) -> None:
        """The login was accepted; its servers are known by id."""
        ...

    def shard_left(self, number: int) -> None:
        """Another process may listen to this shard now. Its connection has been closed."""
        ...

    def server_seen(self, connection: Connection, server: discord.Guild) -> None:
        """A server and its channels are known: after the login, when the bot was added, or after an outage there."""
        ...

    def server_gone(self, connection: Connection, server: int, *, for_good: bool) -> None:
        """The bot was removed from it, or it has an outage."""
        ...

    def missed(self, connection: Connection, channel: int, number: int, server: int | None) -> None:
        """A message came that could not be read. Asked for over REST it may be readable."""
        ...

    def hear(self, connection: Connection, heard: Heard) -> None: ...

    def act(self, connection: Connection, interaction: discord.Interaction) -> None:
        """Somebody used a command, a component or a form of ours."""
        ...


def channel_of(heard: Heard) -> int:
    match heard:
        case discord.Message():
            return heard.channel.id
        case discord.RawReactionActionEvent():
            return heard.channel_id
        case Update() | Deletion():
            return heard.channel


def number_of(heard: Heard) -> int:
    """Id of the message that it is about."""
    match heard:
        case discord.Message():
            return heard.id
        case discord.RawReactionActionEvent():
            return heard.message_id
        case Update() | Deletion():
            return heard.number
