"""Listening: one supervised gateway connection per shard, a new `Ears` for each of its lives.

discord.py resumes a lost connection by itself. It does not survive an event that it cannot parse, a gateway that is out of
reach at the first connect, or a long outage (its pauses grow to a quarter of an hour), so a life that ends or stays deaf
is replaced by a new one here. What was heard goes to a callback at once and in order; turning it into events happens
elsewhere.
"""

import asyncio
import contextlib
import random
from datetime import timedelta
from enum import Enum, auto

import aiohttp
import discord
from discord.gateway import DiscordWebSocket, KeepAliveHandler
from discord.http import Route
from yarl import URL

from adapters.discord.gateway.ears import Ears, ShutOut, hearts_of, where
from adapters.discord.gateway.heard import Listener
from adapters.discord.gateway.logins import Logins
from adapters.discord.installs.manifest import PORTAL, portal_page
from adapters.discord.outbound import Rest
from adapters.discord.settings import Settings
from bridge import logs
from bridge.clock import Clock
from bridge.errors import NotAllowed, PlatformError
from bridge.platform_api import Lease, Leases, PlatformHealth

log = logs.get("discord")

# Gateway close codes (Discord documentation, Gateway Close Event Codes).
AUTHENTICATION_FAILED = 4004
SHARDING_REQUIRED = 4011

STANDBY = "standby: another process hears Discord"
STANDBY_AFTER = 0.5
"""Seconds that a lease must be waited for to say that another process holds it."""

ASK_AGAIN = 60.0
"""Seconds after which Discord is asked anew how many logins are left, before one is made."""

CANCEL_AGAIN = 0.5
"""Seconds until a task that went on after being cancelled is cancelled again."""


def point_at(*, api_url: str, gateway_url: str | None) -> None:
    """Tells discord.py where Discord is. For the whole process: the library keeps both addresses in classes."""
    Route.BASE = api_url
    if gateway_url is not None:
        DiscordWebSocket.DEFAULT_GATEWAY = URL(gateway_url)


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
    OTHER_INTENTS = auto()
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
        self._leases: Leases | None = None
        self._waiting: dict[int, float] = {}
        """Shards whose lease was asked for and not given yet -> since when, in monotonic seconds."""
        self._ears: dict[int, Ears] = {}
        self._shards = 0
        self._logins = Logins(clock, gap=settings.discord_identify_gap)
        self._intent_asked_at = 0.0

    @property
    def me(self) -> int:
        """Our own user id. Known from the moment that anything is heard."""
        return self._me

    def use_leases(self, leases: Leases) -> None:
        """Each shard listens only while its lease is held."""
        self._leases = leases

    def health(self) -> PlatformHealth:
        ears = list(self._ears.values())
        began = self._clock.monotonic() - STANDBY_AFTER
        standing_by = sum(since <= began for since in self._waiting.values())
        complete = self._shards > 0 and len(ears) + standing_by == self._shards
        connected = complete and all(each.connected for each in ears)
        hearing = connected and all(each.hearing for each in ears)
        if standing_by and hearing:
            # Ready to take over, which is all that is asked of a process that may not listen now.
            detail = STANDBY
        elif hearing:
            detail = self._content_refused
        elif connected:
            detail = "the gateway no longer acknowledges heartbeats"
        else:
            detail = self._logins.detail or self._trouble or "the gateway connection is being made"
        ages = [age for each in ears if (age := each.heartbeat_age) is not None]
        return PlatformHealth(
            connected=connected,
            hearing=hearing,
            detail=detail,
            # Of the shard that has waited longest.
            heartbeat_age=timedelta(seconds=max(ages)) if ages else None,
        )

    async def run(self, listener: Listener) -> None:
        """Listens until cancelled. Raises `NotAllowed` when the token is refused."""
        try:
            while True:
                self._shards = await self._plan()
                await self._run_shards(listener)
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
                self._logins.learn(plan.logins)
                self._trouble = ""
                point_at(
                    api_url=self._settings.discord_api_url, gateway_url=self._settings.discord_gateway_url or plan.url
                )
                return plan.shards
            await self._clock.sleep(pauses.take())

    def _note_trouble(self, error: PlatformError) -> None:
        self._trouble = f"Discord's API cannot be used: {error}"
        log.warning("gateway_address_unknown", code=error.code)

    async def _run_shards(self, listener: Listener) -> None:
        """Returns when the number of shards must be asked for again."""
        tasks = [asyncio.create_task(self._run_shard(number, listener)) for number in range(self._shards)]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _run_shard(self, number: int, listener: Listener) -> None:
        """Returns when Discord wants more shards."""
        if self._leases is None:
            return await self._live_on(number, listener)
        name = f"discord shard {number} of {self._shards}"
        while True:
            self._waiting[number] = self._clock.monotonic()
            try:
                async with self._leases.hold(name) as lease:
                    del self._waiting[number]
                    log.info("shard_taken", shard=number)
                    if await self._live_while(lease, number, listener):
                        return None
            finally:
                self._waiting.pop(number, None)
            listener.shard_left(number)
            log.warning("shard_given_up", shard=number, reason="its lease is no longer certain")

    async def _live_while(self, lease: Lease, number: int, listener: Listener) -> bool:
        """Lives until the lease is lost (False) or Discord wants more shards (True). The gateway is closed at the end."""
        living = asyncio.create_task(self._live_on(number, listener))
        losing = asyncio.create_task(lease.lost())
        try:
            await asyncio.wait({living, losing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            living.cancel()
            losing.cancel()
            await asyncio.gather(living, losing, return_exceptions=True)
        if living.cancelled():
            return False
        living.result()
        return True

    async def _live_on(self, number: int, listener: Listener) -> None:
        """Life after life. Returns when Discord wants more shards."""
        pauses = Pauses(self._settings.discord_reconnect_first, self._settings.discord_reconnect_max)
        while True:
            await self._wait_for_login(number)
            began = self._clock.monotonic()
            ending = await self._live(number, listener)
            if ending is Ending.COUNT_SHARDS:
                return
            if ending is Ending.OTHER_INTENTS:
                continue
            if self._clock.monotonic() - began > self._settings.discord_reconnect_max:
                pauses.reset()
            await self._clock.sleep(pauses.take())

    async def _wait_for_login(self, number: int) -> None:
        """For Cloudflare, for what Discord allows a day, and for this shard's turn."""
        if self._logins.age > ASK_AGAIN:
            # Other processes log in too. If it cannot be asked, we have counted our own.
            with contextlib.suppress(PlatformError):
                self._logins.learn((await self._rest.gateway_plan()).logins)
        while pause := self._rest.shut_out:
            self._trouble = f"Cloudflare has shut us out for another {pause:.0f} s"
            await self._clock.sleep(pause)
        await self._logins.turn(number)

    async def _live(self, number: int, listener: Listener) -> Ending:
        """One life, from connect to the end of its connection."""
        content = self._content
        ears = Ears(
            self._settings, self._clock, listener, self._logins, shard=number, shards=self._shards, content=content
        )
        self._ears[number] = ears
        life = asyncio.create_task(ears.start(self._settings.token))
        try:
            regained = await self._watch(ears, life, content=content)
        finally:
            self._ears.pop(number, None)
            await _end(life)
            await self._shut(ears)
        error = None if life.cancelled() else life.exception()
        return Ending.OTHER_INTENTS if regained else self._judge(error, number=number, content=content)

    async def _watch(self, ears: Ears, life: "asyncio.Task[None]", *, content: bool) -> bool:
        """Returns when the life is over or has been deaf for too long (False), or could hear more by now (True)."""
        over = asyncio.Event()
        life.add_done_callback(lambda _: over.set())
        limit = self._settings.discord_deaf_timeout
        heard_at = self._clock.monotonic()
        while not await self._clock.wait(over, min(limit / 10, self._settings.discord_intent_recheck)):
            if ears.hearing:
                heard_at = self._clock.monotonic()
                self._trouble = ""
            elif self._clock.monotonic() - heard_at > limit:
                self._trouble = f"nothing was heard for {limit:g} s"
                log.warning("gateway_deaf", shard=ears.shard_id, seconds=limit)
                return False
            if self._content_refused and not content:
                await self._ask_for_content()
            if self._content and not content:
                return True
        return False

    async def _ask_for_content(self) -> None:
        """Whether the intent was switched on after all, asked once in a while for all shards."""
        now = self._clock.monotonic()
        if now - self._intent_asked_at < self._settings.discord_intent_recheck:
            return
        self._intent_asked_at = now
        with contextlib.suppress(PlatformError):
            if await self._rest.content_allowed():
                self._content, self._content_refused = True, ""
                log.info("message_content_intent_granted")

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
            self._go_on_without_content()
            return Ending.OTHER_INTENTS
        if isinstance(error, ShutOut):
            self._rest.take_ban(error.pause)
        self._trouble = f"the connection ended ({_name(error)})"
        log.warning("gateway_life_ended", shard=number, error=_name(error), code=code, at=where(error))
        return Ending.COUNT_SHARDS if code == SHARDING_REQUIRED else Ending.AGAIN

    def _go_on_without_content(self) -> None:
        """Mentions, replies to the bot, direct messages and commands are heard all the same. Said once, not by every shard."""
        if not self._content:
            return
        fix = f"switch on Message Content Intent at {portal_page(self._application, 'bot')}"
        self._content = False
        self._content_refused = (
            "the Message Content intent is switched off, so the bot does not see follow-ups without a mention; "
            f"{fix} (it is noticed within minutes), or set DISCORD_MESSAGE_CONTENT=false"
        )
        self._intent_asked_at = self._clock.monotonic()
        log.error("message_content_intent_refused", without="follow-ups that do not mention the bot", fix=fix)


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
