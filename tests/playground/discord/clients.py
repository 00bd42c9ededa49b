"""A real discord.py client that keeps what it heard, and a raw one that ignores every rate limit."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
import discord

from bridge.playground.discord import DiscordServer

WAIT = 5.0
"""Seconds after which a test gives up."""

INTENTS = discord.Intents(
    guilds=True, guild_messages=True, dm_messages=True, guild_reactions=True, dm_reactions=True, message_content=True
)


class Listener(discord.Client):
    """Without a cache, as the bridge runs it."""

    def __init__(
        self, intents: discord.Intents = INTENTS, *, shard: int | None = None, shards: int | None = None
    ) -> None:
        super().__init__(
            intents=intents,
            shard_id=shard,
            shard_count=shards,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            guild_ready_timeout=0.02,
        )
        self.heard: list[discord.Message] = []
        self.reactions: list[discord.RawReactionActionEvent] = []
        self.edits: list[discord.RawMessageUpdateEvent] = []
        self.deleted: list[int] = []
        self.presses: list[discord.Interaction] = []
        self.opened: list[discord.Thread] = []
        self.channels_made: list[str] = []
        self.channels_changed: list[str] = []
        self.typed: list[int] = []
        self.ready_count = 0
        self.resumed_count = 0
        self._news = asyncio.Event()

    def _tell(self) -> None:
        self._news.set()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The library would wait five seconds before it identifies a second time."""

    async def until(self, done: Callable[[], bool]) -> None:
        """Waits for a condition on what was heard."""
        async with asyncio.timeout(WAIT):
            while not done():
                self._news.clear()
                await self._news.wait()

    def texts(self) -> list[str]:
        return [one.content for one in self.heard if not one.is_system()]

    async def on_ready(self) -> None:
        self.ready_count += 1
        self._tell()

    async def on_resumed(self) -> None:
        self.resumed_count += 1
        self._tell()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)
        self._tell()

    async def on_raw_message_edit(self, event: discord.RawMessageUpdateEvent) -> None:
        self.edits.append(event)
        self._tell()

    async def on_raw_message_delete(self, event: discord.RawMessageDeleteEvent) -> None:
        self.deleted.append(event.message_id)
        self._tell()

    async def on_raw_bulk_message_delete(self, event: discord.RawBulkMessageDeleteEvent) -> None:
        self.deleted.extend(event.message_ids)
        self._tell()

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self.presses.append(interaction)
        self._tell()

    async def on_raw_reaction_add(self, event: discord.RawReactionActionEvent) -> None:
        self.reactions.append(event)
        self._tell()

    async def on_raw_reaction_remove(self, event: discord.RawReactionActionEvent) -> None:
        self.reactions.append(event)
        self._tell()

    async def on_thread_create(self, thread: discord.Thread) -> None:
        self.opened.append(thread)
        self._tell()

    async def on_guild_channel_create(self, channel: discord.abc.GuildChannel) -> None:
        self.channels_made.append(channel.name)
        self._tell()

    async def on_guild_channel_update(self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel) -> None:
        self.channels_changed.append(after.name)
        self._tell()

    async def on_guild_channel_delete(self, channel: discord.abc.GuildChannel) -> None:
        self._tell()

    async def on_guild_join(self, guild: discord.Guild) -> None:
        self._tell()

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        self._tell()

    async def on_guild_available(self, guild: discord.Guild) -> None:
        self._tell()

    async def on_raw_typing(self, event: discord.RawTypingEvent) -> None:
        self.typed.append(event.channel_id)
        self._tell()

    def text_channel(self, channel_id: str) -> discord.TextChannel:
        channel = self.get_channel(int(channel_id))
        assert isinstance(channel, discord.TextChannel)
        return channel

    def place(self, channel_id: str) -> discord.PartialMessageable:
        return self.get_partial_messageable(int(channel_id))


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: dict[str, object]
    text: str

    @property
    def code(self) -> object:
        return self.body.get("code")


class Raw:
    """Plain HTTP with the bot's token."""

    def __init__(self, server: DiscordServer, http: aiohttp.ClientSession) -> None:
        self._server = server
        self._http = http

    async def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> Reply:
        headers = {"Authorization": f"Bot {token or self._server.token}"}
        async with self._http.request(method, self._server.api_url + path, json=body, headers=headers) as response:
            text = await response.text()
            parsed = await response.json() if text and response.headers["Content-Type"] == "application/json" else {}
            return Reply(response.status, dict(response.headers), parsed if isinstance(parsed, dict) else {}, text)

    async def send(self, channel_id: str, body: object) -> Reply:
        return await self.call("POST", f"/channels/{channel_id}/messages", body)

    async def say(self, channel_id: str, content: str) -> str:
        """Sends as the bot and returns the message's id."""
        sent = await self.send(channel_id, {"content": content})
        assert sent.status == 200, sent
        return str(sent.body["id"])

    async def edit(self, channel_id: str, message_id: str, body: object) -> Reply:
        return await self.call("PATCH", f"/channels/{channel_id}/messages/{message_id}", body)
