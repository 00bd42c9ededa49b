"""Listening: one supervised gateway connection per shard, a new `discord.Client` for each of its lives.

discord.py resumes a lost connection by itself. It does not survive an event that it cannot parse, a gateway that is out of
reach at the first connect, or a long outage (its pauses grow to a quarter of an hour), so a life that ends or stays deaf
is replaced by a new one here. What was heard goes to a callback at once and in order; turning it into events happens
elsewhere.
"""

import asyncio
import contextlib
import random
import threading
import time
import traceback
from collections.abc import Callable
from enum import Enum, auto

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from discord.http import Route
from yarl import URL

from adapters.discord.outbound import Rest, silence_voice_warnings
from adapters.discord.settings import Settings
from bridge import logs
from bridge.clock import Clock
from bridge.errors import NotAllowed, PlatformError
from bridge.platform_api import PlatformHealth

log = logs.get("discord")

Heard = discord.Message | discord.RawReactionActionEvent
Hear = Callable[[Heard], None]

PORTAL = "https://discord.com/developers/applications"

# Gateway close codes (Discord documentation, Gateway Close Event Codes).
AUTHENTICATION_FAILED = 4004
SHARDING_REQUIRED = 4011

REIDENTIFY_PAUSE = (1.0, 5.0)
"""Seconds, drawn at random, between an invalid session and the next login (Discord documentation, Resuming)."""
MOST_REIDENTIFIES = 3
"""Logins that one life may repeat before its supervisor takes over, whose pauses grow."""
CANCEL_AGAIN = 0.5
"""Seconds until a task that went on after being cancelled is cancelled again."""

ACK_SLACK = 2.0
"""Heartbeat intervals that the last acknowledgement may be old: one is ordinary, and the answer takes a moment."""


def point_at(*, api_url: str, gateway_url: str | None) -> None:
    """Tells discord.py where Discord is. For the whole process: the library keeps both addresses in classes."""
    Route.BASE = api_url
    if gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)


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


def acknowledged_lately(socket: DiscordWebSocket) -> bool:
    """Whether the gateway answered one of the last heartbeats. discord.py tells only how quick the last answer was."""
    keeper = socket._keep_alive  # noqa: SLF001  there is no public way; a test holds on to these names
    if keeper is None or keeper.interval is None:
        return False
    return time.perf_counter() - keeper._last_ack <= ACK_SLACK * keeper.interval  # noqa: SLF001  as above


def hearts_of(client: discord.Client) -> list[KeepAliveHandler]:
    """The threads that still beat. discord.py forgets a connection that was given up between first message and login."""
    beating = [thread for thread in threading.enumerate() if isinstance(thread, KeepAliveHandler)]
    return [thread for thread in beating if thread.ws._connection is client._connection]  # noqa: SLF001  no public way


class LoginsExhausted(Exception):
    """One life has logged in to the gateway too often."""


class Ears(discord.Client):
    """One life of one shard's connection."""

    def __init__(self, settings: Settings, clock: Clock, hear: Hear, *, shard: int, shards: int, content: bool) -> None:
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
        )
        self._settings = settings
        self._clock = clock
        self._hear = hear
        self._reidentified = 0
        self.session_stands = False

    @property
    def connected(self) -> bool:
        # The type says that `ws` is always there; it is None until the first connect has succeeded.
        socket: DiscordWebSocket | None = self.ws
        return self.session_stands and socket is not None and socket.open

    @property
    def hearing(self) -> bool:
        return self.connected and acknowledged_lately(self.ws)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if initial:
            return
        self._reidentified += 1
        if self._reidentified > MOST_REIDENTIFIES:
            raise LoginsExhausted
        lowest, highest = REIDENTIFY_PAUSE
        scale = self._settings.discord_identify_gap / highest
        await self._clock.sleep(random.uniform(lowest, highest) * scale)

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

    # discord.py runs each of these in a task of its own, started in the order of the events. They hand over before they
    # wait for anything, so that the order stays.

    async def on_message(self, message: discord.Message) -> None:
        self._hear(message)

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        self._hear(payload)

    async def on_raw_reaction_remove(self, payload: discord.RawReactionActionEvent) -> None:
        self._hear(payload)


class Pauses:
    """Growing pauses between attempts, in seconds: doubled each time, at most `longest`, never exactly predictable."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def take(self) -> float:
        pause = self._next
        self._next = min(pause * 2, self._longest)
        return pause * random.uniform(0.75, 1.0)

    def reset(self) -> None:
        self._next = self._first


class Ending(Enum):
    """What to do after a life."""

    AGAIN = auto()
    WITHOUT_CONTENT = auto()
    COUNT_SHARDS = auto()


class Gateway:
    """All shards together."""

    def __init__(self, settings: Settings, clock: Clock, rest: Rest) -> None:
        self._settings = settings
        self._clock = clock
        self._rest = rest
        self._content = settings.discord_message_content
        self._content_refused = ""
        self._trouble = "not started"
        self._application = 0
        self._me = 0
        self._ears: dict[int, Ears] = {}
        self._shards = 0
        self._logging_in = asyncio.Lock()
        self._last_login = -settings.discord_identify_gap

    @property
    def me(self) -> int:
        """Our own user id. Known from the moment that anything is heard."""
        return self._me

    def health(self) -> PlatformHealth:
        ears = list(self._ears.values())
        complete = self._shards > 0 and len(ears) == self._shards
        connected = complete and all(each.connected for each in ears)
        hearing = connected and all(each.hearing for each in ears)
        if hearing:
            detail = self._content_refused
        elif connected:
            detail = "the gateway no longer acknowledges heartbeats"
        else:
            detail = self._trouble or "the gateway connection is being made"
        return PlatformHealth(connected=connected, hearing=hearing, detail=detail)

    async def run(self, hear: Hear) -> None:
        """Listens until cancelled. Raises `NotAllowed` when the token is refused."""
        try:
            while True:
                self._shards = await self._plan()
                await self._run_shards(hear)
        finally:
            self._shards = 0
            self._trouble = "stopped"

    async def _plan(self) -> int:
        """Asks how many shards to use, until there is an answer."""
        pauses = Pauses(self._settings.discord_reconnect_first, self._settings.discord_reconnect_max)
        while True:
            try:
                login = await self._rest.log_in()
                plan = await self._rest.gateway_plan()
            except NotAllowed as error:
                if error.code == "401":
                    raise NotAllowed(_token_refused(), code=error.code) from error
                self._note_trouble(error)
            except PlatformError as error:
                self._note_trouble(error)
            else:
                self._application, self._me = login.application, login.user
                self._trouble = ""
                point_at(
                    api_url=self._settings.discord_api_url, gateway_url=self._settings.discord_gateway_url or plan.url
                )
                return plan.shards
            await self._clock.sleep(pauses.take())

    def _note_trouble(self, error: PlatformError) -> None:
        self._trouble = f"Discord's API cannot be used: {error}"
        log.warning("gateway_address_unknown", code=error.code)

    async def _run_shards(self, hear: Hear) -> None:
        """Returns when the number of shards must be asked for again."""
        tasks = [asyncio.create_task(self._run_shard(number, hear)) for number in range(self._shards)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_shard(self, number: int, hear: Hear) -> None:
        """Life after life. Returns when Discord wants more shards."""
        pauses = Pauses(self._settings.discord_reconnect_first, self._settings.discord_reconnect_max)
        while True:
            await self._wait_for_login_turn()
            began = self._clock.monotonic()
            ending = await self._live(number, hear)
            if ending is Ending.COUNT_SHARDS:
                return
            if ending is Ending.WITHOUT_CONTENT:
                continue
            if self._clock.monotonic() - began > self._settings.discord_reconnect_max:
                pauses.reset()
            await self._clock.sleep(pauses.take())

    async def _wait_for_login_turn(self) -> None:
        async with self._logging_in:
            wait = self._last_login + self._settings.discord_identify_gap - self._clock.monotonic()
            if wait > 0:
                await self._clock.sleep(wait)
            self._last_login = self._clock.monotonic()

    async def _live(self, number: int, hear: Hear) -> Ending:
        """One life, from connect to the end of its connection."""
        content = self._content
        ears = Ears(self._settings, self._clock, hear, shard=number, shards=self._shards, content=content)
        self._ears[number] = ears
        life = asyncio.create_task(ears.start(self._settings.token))
        try:
            await self._watch(ears, life)
        finally:
            self._ears.pop(number, None)
            await _end(life)
            await self._shut(ears)
        error = None if life.cancelled() else life.exception()
        return self._judge(error, number=number, content=content)

    async def _watch(self, ears: Ears, life: "asyncio.Task[None]") -> None:
        """Returns when the life is over or has been deaf for too long."""
        over = asyncio.Event()
        life.add_done_callback(lambda _: over.set())
        limit = self._settings.discord_deaf_timeout
        heard_at = self._clock.monotonic()
        while not await self._clock.wait(over, limit / 10):
            if ears.hearing:
                heard_at = self._clock.monotonic()
                self._trouble = ""
            elif self._clock.monotonic() - heard_at > limit:
                self._trouble = f"nothing was heard for {limit:g} s"
                log.warning("gateway_deaf", shard=ears.shard_id, seconds=limit)
                return

    async def _shut(self, ears: Ears) -> None:
        hearts = hearts_of(ears)
        # A gateway that fell silent is not waited for: aiohttp would give it 30 s to say goodbye.
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(self._settings.discord_close_timeout):
                for heart in hearts:
                    await heart.ws.close(code=1000)
                await ears.close()
        await ears.http.close()
        await asyncio.to_thread(_still, hearts, self._settings.discord_close_timeout)

    def _judge(self, error: BaseException | None, *, number: int, content: bool) -> Ending:
        code = error.code if isinstance(error, discord.ConnectionClosed) else 0
        if isinstance(error, discord.LoginFailure) or code == AUTHENTICATION_FAILED:
            raise NotAllowed(_token_refused(), code=str(code or 401)) from error
        if isinstance(error, discord.PrivilegedIntentsRequired) and content:
            self._content = False
            self._content_refused = (
                "the Message Content intent is switched off, so follow-ups without a mention are not seen; switch it on at "
                f"{PORTAL}/{self._application}/bot"
            )
            log.error("message_content_intent_refused", fix=f"switch it on at {PORTAL}/{self._application}/bot")
            return Ending.WITHOUT_CONTENT
        self._trouble = f"the connection ended ({_name(error)})"
        log.warning("gateway_life_ended", shard=number, error=_name(error), code=code, at=_where(error))
        return Ending.COUNT_SHARDS if code == SHARDING_REQUIRED else Ending.AGAIN


def _still(hearts: list[KeepAliveHandler], longest: float) -> None:
    """Waits at most `longest` seconds each: a thread that is about to beat must not find the event loop closed."""
    for heart in hearts:
        heart.stop()
        heart.join(longest)


async def _end(life: "asyncio.Task[None]") -> None:
    # Once may not be enough: discord.py connects under `asyncio.wait_for`, which in Python 3.11 forgets a cancellation that
    # comes in the moment when the connection succeeds or fails.
    while not life.done():
        life.cancel()
        await asyncio.wait({life}, timeout=CANCEL_AGAIN)


def _token_refused() -> str:
    return f"Discord refuses DISCORD_TOKEN; make a new token at {PORTAL} (your application > Bot > Reset Token)"


def _name(error: BaseException | None) -> str:
    return "closed" if error is None else type(error).__name__


def _where(error: BaseException | None) -> str:
    """File and line of an error. Its message is not logged: it may quote what somebody wrote."""
    frames = traceback.extract_tb(error.__traceback__) if error is not None else []
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
