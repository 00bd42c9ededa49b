"""One life of one shard's connection: a `discord.Client` that listens and says what it heard, in order.

discord.py waits for much and caches much that is of no use here, and it ends for good at an update that lacks what it
expects. So a few kinds of events are taken before it, or right after it, has parsed them.
"""

import contextlib
import random
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from yarl import URL

from adapters.discord.gateway.heard import Deletion, Heard, Listener, Payload, Update
from adapters.discord.gateway.logins import Logins
from adapters.discord.outbound import silence_voice_warnings
from adapters.discord.refusals import ban_in
from adapters.discord.settings import Settings
from bridge import logs
from bridge.clock import Clock

log = logs.get("discord")

REIDENTIFY_PAUSE = (1.0, 5.0)
"""Seconds, drawn at random, between an invalid session and the next login (Discord documentation, Resuming)."""
MOST_REIDENTIFIES = 3
"""Logins that one life may repeat before its supervisor takes over, whose pauses grow."""

ACK_SLACK = 2.0
"""Heartbeat intervals that the last acknowledgement may be old: one is ordinary, and the answer takes a moment."""

WHOLE = ("id", "channel_id", "type", "author", "content", "attachments", "mentions", "mention_roles")
"""What a message must have to be read (API reference, Message Object)."""


def intents(*, content: bool) -> discord.Intents:
    """No more than what is used; Message Content is the only privileged one."""
    wanted = discord.Intents.none()
    wanted.guilds = True
    wanted.guild_messages = True
    wanted.dm_messages = True
    wanted.guild_reactions = True
    wanted.dm_reactions = True
    wanted.message_content = content
    return wanted


def since_acknowledged(socket: DiscordWebSocket) -> float | None:
    """Seconds since the gateway answered a heartbeat. discord.py tells only how quick the last answer was."""
    keeper = socket._keep_alive  # noqa: SLF001  there is no public way; a test holds on to these names
    return None if keeper is None else time.perf_counter() - keeper._last_ack  # noqa: SLF001  as above


def acknowledged_lately(socket: DiscordWebSocket) -> bool:
    """Whether the gateway answered one of the last heartbeats."""
    keeper, since = socket._keep_alive, since_acknowledged(socket)  # noqa: SLF001  as above
    if keeper is None or keeper.interval is None or since is None:
        return False
    return since <= ACK_SLACK * keeper.interval


def where(error: BaseException | None) -> str:
    """File and line of an error. Its message is not logged: it may quote what somebody wrote."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""


def _look_for_bans() -> aiohttp.TraceConfig:
    """discord.py would try on at a gateway whose door Cloudflare keeps shut."""

    async def look(_session: object, _context: object, ended: aiohttp.TraceRequestEndParams) -> None:
        pause = ban_in(ended.response.status, ended.response.headers)
        if pause is not None:
            ended.response.close()
            raise ShutOut(pause)

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(look)
    return trace


def hearts_of(client: discord.Client) -> list[KeepAliveHandler]:
    """The threads that still beat. discord.py forgets a connection that was given up between first message and login."""
    beating = [thread for thread in threading.enumerate() if isinstance(thread, KeepAliveHandler)]
    return [thread for thread in beating if thread.ws._connection is client._connection]  # noqa: SLF001  no public way


class LoginsExhausted(Exception):
    """One life has logged in to the gateway too often, or as often as the budget allows."""


class ShutOut(Exception):
    """Cloudflare lets nothing through."""

    def __init__(self, pause: timedelta) -> None:
        super().__init__(f"for {pause.total_seconds():g} s")
        self.pause = pause


UNPARSABLE = (
    *(LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError),
    discord.ClientException,
)
"""What discord.py raises at an event that is not as it expects."""
NOT_CONTAINED = ("READY", "RESUMED")
"""Without them there is no session, so that what goes wrong there ends the life."""
UNUSED = (
    "emojis",
    "stickers",
    "soundboard_sounds",
    "presences",
    "voice_states",
    "stage_instances",
    "guild_scheduled_events",
)
"""Fields of a server that nobody here looks at. discord.py would keep them all in memory."""


class Ears(discord.Client):
    """One life of one shard's connection."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        listener: Listener,
        logins: Logins,
        *,
        shard: int,
        shards: int,
        content: bool,
    ) -> None:
        silence_voice_warnings()
        super().__init__(
            intents=intents(content=content),
            shard_id=shard,
            shard_count=shards,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            # Nothing here waits for "ready", and the task that waits for it would outlive `close`.
            guild_ready_timeout=0.0,
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=settings.discord_ratelimit_timeout,
            http_trace=_look_for_bans(),
        )
        self._settings = settings
        self._clock = clock
        self._listener = listener
        self._logins = logins
        self._shards = shards
        self._reidentified = 0
        self.session_stands = False
        parsers = self._connection.parsers
        self._parse = {name: parsers[name] for name in ("READY", "GUILD_CREATE", "GUILD_DELETE")}
        parsers["READY"] = self._take_ready
        parsers["GUILD_CREATE"] = self._take_server
        parsers["GUILD_DELETE"] = self._take_server_gone
        parsers["MESSAGE_UPDATE"] = self._take_update
        for name, parse in list(parsers.items()):
            if name not in NOT_CONTAINED:
                parsers[name] = partial(self._contain, name, parse)

    @property
    def shard(self) -> int:
        return self.shard_id or 0

    @property
    def shards(self) -> int:
        return self._shards

    @property
    def connected(self) -> bool:
        # The type says that `ws` is always there; it is None until the first connect has succeeded.
        socket: DiscordWebSocket | None = self.ws
        return self.session_stands and socket is not None and socket.open

    @property
    def hearing(self) -> bool:
        return self.connected and acknowledged_lately(self.ws)

    @property
    def heartbeat_age(self) -> float | None:
        """Seconds; None without a connection."""
        return since_acknowledged(self.ws) if self.connected else None

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if not initial:
            self._reidentified += 1
            if self._reidentified > MOST_REIDENTIFIES or self._logins.pause:
                raise LoginsExhausted
            lowest, highest = REIDENTIFY_PAUSE
            scale = self._settings.discord_identify_gap / highest
            await self._clock.sleep(random.uniform(lowest, highest) * scale)
        await self._listener.before_session(self)
        self._logins.count()

    async def on_connect(self) -> None:
        self.session_stands = True
        if self._settings.discord_gateway_url is not None:
            # A resumed session would go to the address that Discord names, which may be out of reach from here.
            self.ws.gateway = URL(self._settings.discord_gateway_url)
        log.info("gateway_session_began", shard=self.shard_id)

    async def on_resumed(self) -> None:
        self.session_stands = True
        log.info("gateway_session_resumed", shard=self.shard_id)

    async def on_disconnect(self) -> None:
        self.session_stands = False
        log.info("gateway_disconnected", shard=self.shard_id)

    def build(self, payload: Payload) -> discord.Message | None:
        """A message of a payload that came otherwise than as a new message, or None where it is incomplete."""
        if any(field not in payload for field in WHOLE):
            # The library would take what is missing for empty, or stumble over it later.
            return None
        state = self._connection
        # As discord.py's own parser of messages does it; what is missing shows as KeyError.
        with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
            channel, _ = state._get_guild_channel(payload)  # type: ignore[arg-type]  # noqa: SLF001  there is no public way
            return discord.Message(state=state, channel=channel, data=payload)  # type: ignore[arg-type]  # as above
        return None

    # Called in the order of the events, before any of what follows.

    def _contain(self, name: str, parse: Callable[[Payload], None], data: Payload) -> None:
        """discord.py would end the connection for good at an event that it cannot parse. A message is read over REST instead."""
        try:
            parse(data)
        except UNPARSABLE as error:
            log.warning("event_unreadable", kind=name, error=type(error).__name__, at=where(error))
            if name == "MESSAGE_CREATE":
                with contextlib.suppress(KeyError, TypeError, ValueError, AttributeError):
                    server = int(str(data["guild_id"])) if data.get("guild_id") else None
                    self._listener.missed(self, int(str(data["channel_id"])), int(str(data["id"])), server)

    def _take_ready(self, data: Mapping[str, object]) -> None:
        self._parse["READY"](data)
        self._listener.session_began(self)

    def _take_server(self, data: Mapping[str, object]) -> None:
        # The event "guild_available" gets lost where Discord is quick, since nobody waits for "ready" here.
        self._parse["GUILD_CREATE"]({**data, **{field: [] for field in UNUSED if field in data}})
        server = self.get_guild(int(str(data["id"])))
        if server is not None and not server.unavailable:
            self._listener.server_seen(self, server)

    def _take_server_gone(self, data: Mapping[str, object]) -> None:
        self._parse["GUILD_DELETE"](data)
        self._listener.server_gone(self, int(str(data["id"])), for_good=not data.get("unavailable"))

    def _take_update(self, data: Mapping[str, object]) -> None:
        """discord.py wants a whole message here, which Discord has not always sent. Only edits have a time of editing: an
        added preview, a pin or a thread has none, or that of an earlier edit."""
        try:
            edited = datetime.fromisoformat(str(data["edited_timestamp"])) if data.get("edited_timestamp") else None
            channel, number = int(str(data["channel_id"])), int(str(data["id"]))
            server = int(str(data["guild_id"])) if data.get("guild_id") else None
        except (KeyError, ValueError):
            log.warning("update_unreadable", fields=sorted(data))
            return
        if edited is None or edited.tzinfo is None:
            return
        message = self.build(data)
        update = Update(
            channel=channel,
            number=number,
            server=server,
            edited=edited,
            message=message,
            build=self.build,
        )
        # In a task like all other events, so that it does not overtake one.
        self.dispatch("update", update)

    # discord.py runs each of these in a task of its own, started in the order of the events. They hand over before they
    # wait for anything, so that the order stays.

    async def on_message(self, message: discord.Message) -> None:
        self._tell(message)

    async def on_update(self, update: Update) -> None:
        self._tell(update)

    async def on_raw_message_delete(self, gone: discord.RawMessageDeleteEvent) -> None:
        self._tell(Deletion(channel=gone.channel_id, number=gone.message_id, server=gone.guild_id))

    async def on_raw_bulk_message_delete(self, gone: discord.RawBulkMessageDeleteEvent) -> None:
        for number in sorted(gone.message_ids):
            self._tell(Deletion(channel=gone.channel_id, number=number, server=gone.guild_id))

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        self._tell(payload)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        self._tell(payload)

    async def on_interaction(self, interaction: discord.Interaction) -> None:
        self._listener.act(self, interaction)

    def _tell(self, heard: Heard) -> None:
        self._listener.hear(self, heard)
