"""The calls to Discord's REST API: through a client of its own that never listens.

That client only logs in to the REST API, so its knowledge of rate limits outlives every gateway connection. Errors of the
SDK end here: what leaves is a `PlatformError`.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

import aiohttp
import discord

from adapters.discord.capabilities import ALL_CALLS
from adapters.discord.gateway.logins import Allowance
from adapters.discord.refusals import SDK_ERRORS, UNREADABLE, translate
from adapters.discord.rest.quotas import Quotas
from adapters.discord.rest.turnstile import Turnstile
from adapters.discord.settings import Settings
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError, PlatformUnavailable, RateLimited

T = TypeVar("T")

log = logs.get("discord")

MOST_SERVERS = 200
"""Servers that one call lists (API reference, Get Current User Guilds)."""


def make_client(settings: Settings, trace: aiohttp.TraceConfig) -> discord.Client:
    """A client for REST only: it never identifies, so its intents are only there to please the library."""
    silence_voice_warnings()
    return discord.Client(
        intents=discord.Intents(guilds=True),
        max_messages=None,
        member_cache_flags=discord.MemberCacheFlags.none(),
        chunk_guilds_at_startup=False,
        allowed_mentions=discord.AllowedMentions.none(),
        max_ratelimit_timeout=settings.discord_ratelimit_timeout,
        http_trace=trace,
    )


def silence_voice_warnings() -> None:
    """Keeps discord.py from telling operators that voice, which nobody here uses, lacks its libraries."""
    discord.VoiceClient.warn_nacl = False
    discord.VoiceClient.warn_dave = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayPlan:
    """What `GET /gateway/bot` says."""

    shards: int
    url: str
    logins: Allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A server that the bot was added to."""

    name: str
    permissions: discord.Permissions
    """Of all its roles together. Single channels may give more or less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Whose the token is."""

    user: int
    application: int
    application_name: str
    content_allowed: bool
    """Whether the Message Content intent is switched on in the developer portal."""


class Rest:
    """Makes the calls of everybody else. All raise a `PlatformError` unless they say otherwise."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.quotas = Quotas(clock)
        self._turnstile = Turnstile(ALL_CALLS, clock)
        self._client: discord.Client | None = None
        self._logging_in = asyncio.Lock()
        self._closed = False
        self._banned_until = 0.0
        self.ahead = timedelta()
        """How far Discord's clock is ahead of ours, to a second or two. Known once anything was asked."""

    @property
    def shut_out(self) -> float:
        """Seconds for which nothing is sent to Discord, since Cloudflare would refuse it and count it."""
        return max(0.0, self._banned_until - self._clock.monotonic())

    @property
    def crowded(self) -> bool:
        """Calls wait for Discord's limit over all of them: what is merely nice to have should be left out."""
        return self._turnstile.crowded

    def take_ban(self, pause: timedelta) -> None:
        """Cloudflare has shut us out, here or at the gateway: it stands before both."""
        self._banned_until = max(self._banned_until, self._clock.monotonic() + pause.total_seconds())
        log.error("shut_out_by_cloudflare", seconds=pause.total_seconds())

    async def close(self) -> None:
        self._closed = True
        async with self._logging_in:
            if self._client is not None:
                await self._client.close()
                self._client = None

    async def log_in(self) -> Login:
        """Tries the token, once per life of this object, and says whose it is."""

        async def ask(client: discord.Client) -> Login:
            application = client.application or await client.application_info()
            return Login(
                user=client.user.id if client.user else 0,
                application=application.id,
                application_name=application.name,
                content_allowed=_allows_content(application.flags),
            )

        return await self.call(ask)

    async def content_allowed(self) -> bool:
        """Whether the Message Content intent is switched on just now."""

        async def ask(client: discord.Client) -> bool:
            return _allows_content((await client.application_info()).flags)

        return await self.call(ask)

    async def gateway_plan(self) -> GatewayPlan:
        """Where and with how many shards to listen."""

        async def ask(client: discord.Client) -> GatewayPlan:
            shards, url, limits = await client.http.get_bot_gateway()
            logins = Allowance(
                total=limits["total"],
                left=limits["remaining"],
                resets_in=timedelta(milliseconds=limits["reset_after"]),
                at_once=max(1, limits["max_concurrency"]),
            )
            return GatewayPlan(shards=shards, url=url, logins=logins)

        return await self.call(ask)

    async def servers(self) -> Sequence[Server]:
        """Where the bot is; in more than `MOST_SERVERS` of them, the first ones."""

        async def ask(client: discord.Client) -> Sequence[Server]:
            listed = await client.http.get_guilds(MOST_SERVERS, with_counts=False)
            return [
                Server(name=each["name"], permissions=discord.Permissions(int(each.get("permissions") or 0)))
                for each in listed
            ]

        return await self.call(ask)

    async def call(self, make: Callable[[discord.Client], Awaitable[T]], *, within: float | None = None) -> T:
        """Runs it with the logged-in client, for `within` seconds at most, and translates what the SDK raises."""
        if pause := self.shut_out:
            raise RateLimited("Cloudflare has shut us out", retry_after=timedelta(seconds=pause), code="cloudflare")
        try:
            async with asyncio.timeout(within or self._settings.discord_call_timeout):
                return await make(await self._logged_in())
        except SDK_ERRORS as error:
            raise self._translate(error) from error
        except UNREADABLE as error:
            raise PlatformUnavailable(f"unreadable answer ({type(error).__name__})", code="unreadable") from error

    async def _logged_in(self) -> discord.Client:
        async with self._logging_in:
            if self._closed:
                raise PlatformUnavailable("the connection to Discord was closed", code="closed")
            if self._client is None:
                client = make_client(self._settings, self._trace())
                try:
                    await client.login(self._settings.token)
                except BaseException:
                    await client.close()
                    raise
                self._client = client
            return self._client

    def _trace(self) -> aiohttp.TraceConfig:
        async def wait(_session: object, _context: object, begun: aiohttp.TraceRequestStartParams) -> None:
            # Here rather than around a call: the SDK repeats some by itself.
            await self._turnstile.let_through(begun.url.path)

        async def look(_session: object, _context: object, ended: aiohttp.TraceRequestEndParams) -> None:
            self.quotas.note(ended.method, ended.url.path, ended.response.headers)
            with contextlib.suppress(KeyError, ValueError, TypeError):
                told = parsedate_to_datetime(ended.response.headers["Date"])
                self.ahead = told - self._clock.now()

        trace = aiohttp.TraceConfig()
        trace.on_request_start.append(wait)
        trace.on_request_end.append(look)
        return trace

    def _translate(self, error: BaseException) -> PlatformError:
        translated = translate(error)
        if isinstance(translated, RateLimited) and translated.code == "cloudflare":
            self.take_ban(translated.retry_after)
        return translated


def _allows_content(flags: discord.ApplicationFlags) -> bool:
    return flags.gateway_message_content or flags.gateway_message_content_limited
