"""The Discord platform as the bridge sees it: ears and mouth put together."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import discord

from adapters.discord.capabilities import CAPABILITIES
from adapters.discord.checks import check_places, run_checks
from adapters.discord.dialect import DiscordDialect
from adapters.discord.gateway.catching_up import CatchUp
from adapters.discord.gateway.heard import Connection, Heard
from adapters.discord.gateway.hints import Hints
from adapters.discord.gateway.intake import Intake
from adapters.discord.gateway.reader import Reader
from adapters.discord.inbound import DISCORD
from adapters.discord.interactions.commands import APP, ASK, ASK_ABOUT, RESET, STOP
from adapters.discord.interactions.desk import Desk
from adapters.discord.interactions.registering import Registering
from adapters.discord.outbound import Outbound
from adapters.discord.settings import Settings
from adapters.discord.transport import Gateway, point_at
from bridge.clock import Clock
from bridge.forms_api import FindForm
from bridge.markdown.dialect import Dialect
from bridge.messages import Attachment, MessageRef, OutgoingMessage, ReplyTarget, Said
from bridge.outgoing_files import OutgoingFile
from bridge.places_api import ConfiguredPlace
from bridge.platform_api import Finding, Inbox, Leases, Memory, PlatformCapabilities, PlatformHealth

__all__ = ["DiscordPlatform", "Settings", "create"]


def create(settings: Settings, clock: Clock) -> "DiscordPlatform":
    """The platform for these settings. Points discord.py, which knows one Discord per process, at the right address."""
    point_at(api_url=settings.discord_api_url, gateway_url=settings.discord_gateway_url)
    return DiscordPlatform(settings, clock)


class DiscordPlatform:
    """Implements `Platform`, `OpensThreads`, `RenamesThreads`, `MarksSolved`, `ReadsThreads`, `ReadsBack`, `FetchesFiles`,
    `SendsFiles`, `FindsSent`, `TellsRoom`, `CatchesUp`,
    `UsesLeases`, `OffersForms` and `NamesWays`."""

    name = DISCORD

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._dialect = DiscordDialect(tables=settings.discord_tables)
        self._outbound = Outbound(settings, clock, self._dialect)
        self._rest = self._outbound.rest
        self._hints = Hints(clock, self._outbound.send)
        self._reader = Reader(self._outbound.lookups, self._hints)
        self._catch_up = CatchUp(settings, clock, self._outbound.lookups, self._reader)
        self._registering = Registering(settings, clock, self._rest)
        self._gateway = Gateway(settings, clock, self._rest)
        self._find_form: FindForm | None = None

    @property
    def capabilities(self) -> PlatformCapabilities:
        return CAPABILITIES

    @property
    def dialect(self) -> Dialect:
        return self._dialect

    def catch_up_from(self, memory: Memory) -> None:
        self._catch_up.use(memory)

    def use_leases(self, leases: Leases) -> None:
        self._gateway.use_leases(leases)

    def offer_forms(self, find: FindForm) -> None:
        self._find_form = find

    async def run(self, inbox: Inbox) -> None:
        intake = Intake(self._settings, self._clock, self._reader.read, inbox)
        desk = Desk(self._settings, self._clock, self._outbound, inbox, self._find_form)
        beside = [asyncio.create_task(work) for work in (self._catch_up.run(intake), self._registering.run())]
        try:
            await self._gateway.run(Hearing(self._gateway, self._reader, intake, desk, self._catch_up))
        finally:
            await asyncio.gather(intake.close(), desk.close())
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, self._hints.close(), return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.discord_close_timeout):
                    await self._catch_up.save()

    async def close(self) -> None:
        await self._outbound.close()

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        return await self._outbound.send(target, message)

    async def edit(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        await self._outbound.edit(target, ref, message)

    async def send_file(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile) -> MessageRef:
        return await self._outbound.send(target, message, file)

    async def find_sent(self, target: ReplyTarget, message: OutgoingMessage, since: datetime) -> MessageRef | None:
        return await self._outbound.find_sent(target, message, since)

    async def read_back(self, target: ReplyTarget, ref: MessageRef) -> str:
        return await self._outbound.read_back(target, ref)

    async def show_activity(self, target: ReplyTarget, question: MessageRef) -> None:
        await self._outbound.show_activity(target)

    def wait_for_room(self, target: ReplyTarget, spare: int) -> float:
        return self._outbound.wait_for_room(target, spare)

    async def open_thread(self, target: ReplyTarget, title: str) -> ReplyTarget:
        return await self._outbound.open_thread(target, title)

    async def rename_thread(self, target: ReplyTarget, title: str) -> None:
        await self._outbound.rename_thread(target, title)

    async def mark_solved(self, target: ReplyTarget) -> None:
        await self._outbound.mark_solved(target)

    async def read_thread(self, target: ReplyTarget, before: MessageRef | None, limit: int) -> Sequence[Said]:
        return await self._outbound.read_thread(target, before, limit)

    async def fetch_file(self, target: ReplyTarget, file: Attachment, into: Path, most: int) -> str:
        return await self._outbound.fetch_file(target, file, into, most)

    def name_ways(self) -> Sequence[str]:
        if not self._settings.discord_commands:
            return []
        anywhere = (
            " In servers where I am not, too, once you add me to your account."
            if self._settings.installs_for_people
            else ""
        )
        return [
            f"Type `/{ASK}` and your question, with a file if you like.{anywhere}",
            f"Choose **Apps > {ASK_ABOUT}** in the menu of a message to ask me about it.",
            f"In a thread or in direct messages, `/{STOP}` ends what I am answering, and `/{RESET}` has me forget what was said.",
            f"`/{APP}` says which app answers there.",
        ]

    def health(self) -> PlatformHealth:
        health = self._gateway.health()
        details = (health.detail, self._catch_up.detail, self._registering.detail)
        return replace(health, detail="; ".join(part for part in details if part))

    async def check(self) -> Sequence[Finding]:
        return await run_checks(self._settings, self._clock)

    async def check_places(self, places: Sequence[ConfiguredPlace]) -> Sequence[Finding]:
        return await check_places(self._settings, self._clock, places)


class Hearing:
    """What is heard goes to those who make something of it. Implements `Listener`."""

    def __init__(self, gateway: Gateway, reader: Reader, intake: Intake, desk: Desk, catch_up: CatchUp) -> None:
        self._gateway = gateway
        self._reader = reader
        self._intake = intake
        self._desk = desk
        self._catch_up = catch_up

    async def before_session(self, connection: Connection) -> None:
        self._reader.me = self._gateway.me
        await self._catch_up.before_session(connection)

    def session_began(self, connection: Connection) -> None:
        self._catch_up.session_began(connection)

    def shard_left(self, number: int) -> None:
        self._catch_up.leave(number)

    def server_seen(self, connection: Connection, server: discord.Guild) -> None:
        self._catch_up.server_seen(connection, server)

    def server_gone(self, connection: Connection, server: int, *, for_good: bool) -> None:
        self._catch_up.server_gone(connection, server, for_good=for_good)

    def missed(self, connection: Connection, channel: int, number: int, server: int | None) -> None:
        self._catch_up.missed(connection, channel, number, server)

    def hear(self, connection: Connection, heard: Heard) -> None:
        self._intake.put(heard, self._catch_up.shard_of(connection))

    def act(self, connection: Connection, interaction: discord.Interaction) -> None:
        self._desk.put(connection, interaction)
