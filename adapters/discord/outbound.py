"""What the bridge says on Discord: messages, edits, threads, typing. Through a client of its own that never listens.

That client only logs in to the REST API, so its knowledge of rate limits outlives every gateway connection. Errors of the
SDK end here: what leaves is a `PlatformError`.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Literal, TypeVar

import aiohttp
import discord

from adapters.discord import markup
from adapters.discord.addresses import (
    Manner,
    TargetPlace,
    message_address,
    read_message_address,
    read_target_address,
    target_address,
)
from adapters.discord.capabilities import MAX_MENTIONED
from adapters.discord.dialect import DIALECT
from adapters.discord.files import TOO_LARGE, attach
from adapters.discord.gateway.logins import Allowance
from adapters.discord.inbound import DISCORD
from adapters.discord.refusals import SDK_ERRORS, THREAD_ARCHIVED, THREAD_EXISTS, UNKNOWN_CHANNEL, UNREADABLE, translate
from adapters.discord.rest import buttons
from adapters.discord.settings import Settings
from bridge import logs
from bridge.clock import Clock
from bridge.errors import (
    MessageGone,
    MessageRefused,
    NotAllowed,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
)
from bridge.markdown.dialect import Dialect
from bridge.messages import MessageRef, OutgoingMessage, PaceGroup, ReplyTarget
from bridge.outgoing_files import OutgoingFile

T = TypeVar("T")

log = logs.get("discord")

MOST_SERVERS = 200
"""Servers that one call lists (API reference, Get Current User Guilds)."""

THREAD_KEPT_OPEN_MINUTES: Literal[1440] = 1440
"""One of 60, 1440, 4320, 10080 (API reference, Start Thread from Message): a day without messages."""


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


def allow(message: OutgoingMessage) -> discord.AllowedMentions:
    """The people on the message's list may be mentioned by id; nobody else, no role, not everyone, not who is replied to."""
    people = [discord.Object(person) for person in message.people if person.isascii() and person.isdecimal()]
    return discord.AllowedMentions(
        everyone=False, roles=False, users=people[:MAX_MENTIONED] or False, replied_user=False
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
    """The calls, one method each. All raise a `PlatformError` unless they say otherwise."""

    def __init__(self, settings: Settings, clock: Clock, dialect: Dialect = DIALECT) -> None:
        """`dialect`: how messages are written."""
        self._settings = settings
        self._clock = clock
        self._dialect = dialect
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

    async def send(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile | None = None) -> MessageRef:
        """Posts a message, with a file or without.

        discord.py returns from the call that uses up a channel's budget only when the budget is full again, although the
        message was posted at once. Repeats after a 5xx, its own or the caller's, are safe: Discord answers the same nonce
        in the same channel with the first message for a few minutes. That one may hold an older text (an earlier process may
        have posted it), so it is then edited.
        """
        place = read_target_address(target.address)

        text = self._content(message)

        async def post(client: discord.Client) -> tuple[int, bool]:
            channel = client.get_partial_messageable(place.channel)
            question = None
            if place.question is not None:
                question = discord.MessageReference(
                    message_id=place.question, channel_id=place.channel, fail_if_not_exists=False
                )
            posted = await channel.send(
                text,
                file=None if file is None else attach(file),  # type: ignore[arg-type]  # as below
                nonce=message.nonce,
                allowed_mentions=allow(message),
                mention_author=False,
                reference=question,  # type: ignore[arg-type]  # the stubs leave out None, which is the default
                suppress_embeds=True,
                view=buttons.row(message.buttons),  # type: ignore[arg-type]  # as above
            )
            return posted.id, (posted.content.strip() == text.strip() and buttons.stand_under(posted, message.buttons))

        try:
            number, stands = await self.call(post)
        except MessageRefused as error:
            if file is None or error.code not in TOO_LARGE:
                raise
            # That says nothing against the text.
            raise NotAllowed(str(error), code=error.code) from error
        ref = MessageRef(platform=DISCORD, address=message_address(place.channel, number))
        if not stands:
            await self.edit(ref, message)
        return ref

    async def edit(self, ref: MessageRef, message: OutgoingMessage) -> None:
        """Replaces a message's text. The same holds as for `send` about the call that uses up the budget.

        An archived thread refuses edits, so it is opened again first, where that is allowed.
        """
        place = read_message_address(ref.address)
        text = self._content(message)

        async def change(client: discord.Client) -> None:
            channel = client.get_partial_messageable(place.channel)
            # An edit notifies nobody, but with a shorter list than the post's it would turn mentions into plain text.
            await channel.get_partial_message(place.message).edit(
                content=text, allowed_mentions=allow(message), view=buttons.row(message.buttons)
            )

        async def reopen(client: discord.Client) -> None:
            await client.http.edit_channel(place.channel, archived=False)

        try:
            await self.call(change)
        except MessageGone as error:
            if error.code != str(THREAD_ARCHIVED):
                raise
            try:
                await self.call(reopen)
            except (NotAllowed, MessageRefused) as refusal:
                raise MessageGone("the thread is archived and may not be opened again", code=refusal.code) from refusal
            await self.call(change)

    async def read_back(self, ref: MessageRef) -> str:
        """The text of one of our messages as Discord keeps it."""
        place = read_message_address(ref.address)

        async def fetch(client: discord.Client) -> str:
            channel = client.get_partial_messageable(place.channel)
            return (await channel.fetch_message(place.message)).content

        return await self.call(fetch)

    def _content(self, message: OutgoingMessage) -> str:
        return str(self._dialect.payload(message.text, message.people)["content"])

    async def show_typing(self, target: ReplyTarget) -> None:
        """Shows the typing indicator for ten seconds. Never raises a `PlatformError`."""
        place = read_target_address(target.address)

        async def tell(client: discord.Client) -> None:
            await client.get_partial_messageable(place.channel).typing()

        with contextlib.suppress(PlatformError):
            await self.call(tell, within=self._settings.discord_activity_timeout)

    async def open_thread(self, target: ReplyTarget, title: str) -> ReplyTarget:
        """Opens a thread under the question, or finds the one that is there; else a target for a plain reply.

        Making threads has limits of minutes, so it is given a few seconds. What became of a call that ran out of time is
        looked up: a thread started from a message has that message's id.
        """
        place = read_target_address(target.address)
        if place.manner is not Manner.UNDER or place.question is None:
            return replace(target, opens_thread=False)
        question = place.question
        reply = replace(
            target,
            # `opens_thread` stays: this is how to answer this one question, not where the conversation lives.
            address=target_address(TargetPlace(manner=Manner.REPLY, channel=place.channel, question=question)),
        )
        thread = replace(
            target,
            address=target_address(TargetPlace(manner=Manner.IN, channel=question)),
            post_group=PaceGroup(str(question)),
            edit_group=PaceGroup(str(question)),
            opens_thread=False,
        )

        async def start(client: discord.Client) -> None:
            await client.http.start_thread_with_message(
                place.channel,
                question,
                name=markup.thread_name(title),
                auto_archive_duration=THREAD_KEPT_OPEN_MINUTES,
            )

        try:
            await self.call(start, within=self._settings.discord_thread_timeout)
        except (RateLimited, PlatformUnavailable) as error:
            log.info("thread_uncertain", question=question, code=error.code)
            return thread if await self._is_channel(question) else reply
        except (NotAllowed, MessageRefused, MessageGone) as error:
            if error.code == str(THREAD_EXISTS):
                return thread
            if error.code in (str(UNKNOWN_CHANNEL), "401"):
                raise
            log.info("thread_refused", question=question, code=error.code)
            return reply
        return thread

    async def _is_channel(self, number: int) -> bool:
        """Whether there is such a channel or thread. Raises `PlatformUnavailable` when Discord cannot be asked."""

        async def fetch(client: discord.Client) -> None:
            await client.http.get_channel(number)

        try:
            await self.call(fetch, within=self._settings.discord_thread_timeout)
        except (MessageGone, NotAllowed, MessageRefused, RateLimited):
            return False
        return True

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
        async def look(_session: object, _context: object, ended: aiohttp.TraceRequestEndParams) -> None:
            with contextlib.suppress(KeyError, ValueError, TypeError):
                told = parsedate_to_datetime(ended.response.headers["Date"])
                self.ahead = told - self._clock.now()

        trace = aiohttp.TraceConfig()
        trace.on_request_end.append(look)
        return trace

    def _translate(self, error: BaseException) -> PlatformError:
        translated = translate(error)
        if isinstance(translated, RateLimited) and translated.code == "cloudflare":
            self.take_ban(translated.retry_after)
        return translated


def _allows_content(flags: discord.ApplicationFlags) -> bool:
    return flags.gateway_message_content or flags.gateway_message_content_limited
