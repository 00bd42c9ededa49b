"""What is known about one shard: how far it was heard, and what is being read up. No network."""

from collections import Counter
from dataclasses import dataclass, field

import discord

from adapters.discord.gateway.heard import Connection, Payload
from adapters.discord.gateway.marks import Mark


@dataclass(slots=True, kw_only=True)
class Report:
    """What became of the messages that nobody heard when they were written."""

    began: float
    channels: int = 0
    read: int = 0
    handed_in: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    """Why -> how many channels were not read, or not all of them."""

    @property
    def words(self) -> str:
        """What was left out, for an operator. Empty: nothing."""
        return ", ".join(f"{reason} ({count})" for reason, count in sorted(self.left_out.items()))


@dataclass(slots=True, kw_only=True)
class Shard:
    name: str
    """Under which its mark is kept."""
    report: Report
    mark: Mark = field(default_factory=Mark)
    saved: int = 0
    connection: Connection | None = None
    is_first: bool = True
    """There was no mark when the session began, so that nothing counts as missed."""
    direct: tuple[int, ...] = ()
    """Channels of recent conversations in private."""
    threads: dict[int, list[int]] = field(default_factory=dict)
    """Server -> threads of recent conversations there, which may have been archived."""
    server_of: dict[int, int | None] = field(default_factory=dict)
    """Of every channel with a gap."""
    servers: set[int] = field(default_factory=set)
    """Those of which the channels are not known yet."""
    again: set[int] = field(default_factory=set)
    """Channels where something was lost since they were last read."""
    queued: Counter[int] = field(default_factory=Counter)
    """How often a channel is about to be read."""
    budget: int = 0
    """Messages that may still be read in this session."""
    members: dict[tuple[int, int], Payload | None] = field(default_factory=dict)
    """(server, person) -> membership, as far as it was asked for."""

    def take(self, message: discord.Message) -> None:
        self.mark.take(message.id)

    def handed_in(self, message: discord.Message) -> None:
        self.mark.handed_in(message.id)

    def lost(self, message: discord.Message) -> None:
        self.server_of[message.channel.id] = message.guild.id if message.guild else None
        self.again.add(message.channel.id)
        self.mark.lost(message.id, message.channel.id)

    def open_gap(self, channel: int, server: int | None, after: int) -> None:
        self.server_of[channel] = server
        self.mark.open_gap(channel, after)

    def close_gap(self, channel: int) -> None:
        self.server_of.pop(channel, None)
        self.mark.close_gap(channel)

    def await_server(self, server: int, after: int) -> None:
        """Until its channels are known, anything may be missing there."""
        self.servers.add(server)
        self.mark.open_gap(server, after)

    def know_server(self, server: int) -> None:
        self.servers.discard(server)
        self.mark.close_gap(server)
