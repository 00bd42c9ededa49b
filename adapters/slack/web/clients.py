"""Where every call of Slack's Web API gets its client, by the workspace that it is about.

Two clients for each token: slack_sdk's default client sends a request again when the connection drops, which posts a message
twice. So what may not be done twice goes through a client that never repeats, and what may be goes through one that does.
Neither sleeps on a 429: who paces writes must hear of it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from slack_sdk.http_retry.async_handler import AsyncRetryHandler
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler, AsyncServerErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from adapters.slack.refusals import REFUSED_CREDENTIALS, ask
from adapters.slack.web.remembering import remember
from bridge.clock import Clock
from bridge.errors import NotAllowed, PlatformUnavailable, RateLimited

TokenOf = Callable[[str], Awaitable[str]]
"""The bot token of a workspace. Raises a `PlatformError`: `NotAllowed` where the app is not installed."""

Refused = Callable[[str, str, str], Awaitable[bool]]
"""Told that Slack refuses a workspace's token: the workspace, the token, the code. True: there is another one now."""

TeamId = Callable[[str], str | None]
"""What the calls of an installation of a whole organisation carry as `team_id`; None for those of one workspace."""

Call = Callable[[AsyncWebClient], Awaitable[AsyncSlackResponse]]

KEEP_IDLE = 10.0
"""Seconds that an idle connection is kept for the next call. Short, so that the other side does not close it first: a request
on such a connection fails with an unknown outcome."""

MOST_TOKENS = 500
"""Tokens whose clients are kept. They are small, and quickly made again."""

MOST_PAUSES = 1_000

PACED_ELSEWHERE = frozenset({"chat.postMessage", "chat.update"})
"""Whoever posts and edits is told of a 429 and paces the whole group; new messages are counted per channel besides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who a token is."""

    user: str
    bot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    once: AsyncWebClient
    repeating: AsyncWebClient


class Clients:
    """Works from the first call until `close`; needs no connection to be open."""

    def __init__(
        self,
        token_of: TokenOf,
        *,
        refused: Refused | None = None,
        team_id: TeamId | None = None,
        token: str | None,
        api_url: str,
        timeout: float,
        clock: Clock,
    ) -> None:
        """`token`: for calls that belong to no workspace. `timeout`: seconds of one call."""
        self._token_of = token_of
        self._refused = refused
        self._team_id = team_id
        self._api_url = api_url
        self._timeout = timeout
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._alone = self._make(token, None)
        self._pairs: dict[tuple[str, str | None], _Pair] = {}
        self._not_before: dict[tuple[str, str], float] = {}
        self._identities: dict[str, Identity] = {}

    @property
    def once(self) -> AsyncWebClient:
        """For what belongs to no workspace: sends every request exactly once."""
        self._open()
        return self._alone.once

    @property
    def unopened(self) -> AsyncWebClient:
        """The same client for who only needs its token and address, outside of any running loop."""
        return self._alone.once

    @property
    def session(self) -> aiohttp.ClientSession:
        """One pool of connections for all calls, made on first use because it belongs to the running loop."""
        return self._open()

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise PlatformUnavailable("the Slack adapter is closed", code="closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_IDLE),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
            )
            self._alone.once.session = self._alone.repeating.session = self._session
        return self._session

    @property
    def closed(self) -> bool:
        return self._closed

    async def close(self) -> None:
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def token(self, team: str) -> str:
        return await self._token_of(team)

    async def ask(self, team: str, method: str, call: Call, *, again: bool = False) -> AsyncSlackResponse:
        """Makes one call with the workspace's own token. `again`: it may be sent again when it got no answer, since its second
        time changes nothing. Raises a `PlatformError`; at once while Slack wants this method to be left alone."""
        wait = self._not_before.get((team, method), 0.0) - self._clock.monotonic()
        if wait > 0:
            raise RateLimited(f"{method}: Slack asked to wait", retry_after=timedelta(seconds=wait), code="ratelimited")
        token = await self._token_of(team)
        try:
            return await self._ask(team, token, method, call, again=again)
        except NotAllowed as error:
            if error.code not in REFUSED_CREDENTIALS or self._refused is None:
                raise
            if not await self._refused(team, token, error.code):
                raise
        # Nothing was done yet, so that even a post may be tried with the new token.
        return await self._ask(team, await self._token_of(team), method, call, again=again)

    async def identity(self, team: str) -> Identity:
        """Who we are in this workspace. Raises a `PlatformError`."""
        known = self._identities.get(team)
        if known is None:
            response = await self.ask(team, "auth.test", lambda client: client.auth_test(), again=True)
            known = Identity(user=str(response.get("user_id", "")), bot=str(response.get("bot_id", "")))
            remember(self._identities, team, known, MOST_TOKENS)
        return known

    async def _ask(self, team: str, token: str, method: str, call: Call, *, again: bool) -> AsyncSlackResponse:
        pair = self._pair(token, self._team_id(team) if self._team_id else None)
        try:
            return await ask(method, call(pair.repeating if again else pair.once))
        except RateLimited as error:
            if method not in PACED_ELSEWHERE:
                until = self._clock.monotonic() + error.retry_after.total_seconds()
                remember(self._not_before, (team, method), until, MOST_PAUSES)
            raise

    def _pair(self, token: str, team_id: str | None) -> _Pair:
        session = self.session
        pair = self._pairs.get((token, team_id)) or self._make(token, team_id)
        remember(self._pairs, (token, team_id), pair, MOST_TOKENS)  # the last one used is the last one forgotten
        pair.once.session = pair.repeating.session = session
        return pair

    def _make(self, token: str | None, team_id: str | None) -> _Pair:
        def make(*again: AsyncRetryHandler) -> AsyncWebClient:
            return AsyncWebClient(
                token=token,
                base_url=self._api_url,
                timeout=max(1, round(self._timeout)),
                team_id=team_id,
                retry_handlers=list(again),
            )

        return _Pair(once=make(), repeating=make(AsyncConnectionErrorRetryHandler(), AsyncServerErrorRetryHandler()))


def timestamp_in(response: AsyncSlackResponse, method: str) -> str:
    """Of the message that was written. Raises `PlatformUnavailable`: without it nobody knows which one that is."""
    ts: object = response.get("ts")
    if not isinstance(ts, str) or not ts:
        raise PlatformUnavailable(f"{method}: accepted, but without a timestamp", code="no_ts")
    return ts
