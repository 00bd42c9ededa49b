"""Every call of Slack's Web API that the bridge makes while it runs. What a refusal means is in `refusals`.

Two clients on one token: slack_sdk's default client sends a request again when the connection drops, which posts a message
twice. So `chat.postMessage` goes through a client that never repeats, and what may be repeated goes through one that does.
Neither sleeps on a 429: who paces writes must hear of it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import aiohttp
from slack_sdk.http_retry.builtin_async_handlers import AsyncConnectionErrorRetryHandler, AsyncServerErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.addresses import Place, message_ref, read_address
from adapters.slack.refusals import REFUSED_BLOCKS, Block, Form, ask, write_message
from bridge import logs
from bridge.clock import Clock
from bridge.errors import (
    MessageRefused,
    NotAllowed,
    PlatformError,
    PlatformUnavailable,
    RateLimited,
)
from bridge.messages import MessageRef, OutgoingMessage, ReplyTarget

log = logs.get("slack")

Shown = Mapping[str, object]
"""A message as Slack gives it back: untrusted."""

_NO_STATUS_HERE = frozenset(
    {
        "access_denied",
        "feature_disabled",
        "feature_not_enabled",
        "method_deprecated",
        "missing_scope",
        "not_allowed_token_type",
        "unknown_method",
    }
)
"""Refusals of assistant.threads.setStatus that will be the same next time."""

KEEP_IDLE = 10.0
"""Seconds that an idle connection is kept for the next call. Short, so that the other side does not close it first: a request
on such a connection fails with an unknown outcome."""

STATUS_TIMEOUT = 3.0
"""Seconds for a status: it is decoration, and an answer waits behind it."""

CLOCK_SKEW = 120.0
"""Seconds by which Slack's clock may be behind ours when a message is looked for by time."""

LOOK_PAGE, MOST_PAGES = 200, 5
"""Messages of one page, and pages, that are looked through for a message of ours. Slack recommends at most 200 a page."""

MOST_DOUBTFUL = 1_000
"""Unfinished writes that are remembered; each is forgotten with the next attempt that succeeds."""

T = TypeVar("T")

EVENT_TYPE = "bridge_answer"
"""Type of the metadata on our messages; its payload carries the nonce."""


class Outbound:
    """Posts, edits and shows activity. Works from the first call until `close`; needs no connection to be open."""

    def __init__(self, *, token: str, api_url: str, timeout: float, clock: Clock) -> None:
        self._clock = clock
        self._timeout = timeout
        self._session: aiohttp.ClientSession | None = None
        self._closed = False
        self._once = AsyncWebClient(token=token, base_url=api_url, timeout=_whole(timeout), retry_handlers=[])
        self._repeating = AsyncWebClient(
            token=token,
            base_url=api_url,
            timeout=_whole(timeout),
            retry_handlers=[AsyncConnectionErrorRetryHandler(), AsyncServerErrorRetryHandler()],
        )
        self._status_off = False
        self._status_quiet_until = 0.0
        self._doubtful: dict[str, float] = {}
        """Posts that may or may not stand: nonce and the time (seconds since the epoch) before which they were not made."""
        self._simpler: dict[str, Form] = {}
        """Nonces of messages that were refused as they were and are not written more simply yet, the oldest first."""

    @property
    def once(self) -> AsyncWebClient:
        """The client that sends every request exactly once."""
        self._open()
        return self._once

    @property
    def repeating(self) -> AsyncWebClient:
        """The client that sends again what got no answer: for calls whose second time changes nothing."""
        self._open()
        return self._repeating

    @property
    def session(self) -> aiohttp.ClientSession:
        """The pool of connections that both clients use, for what is not a method of the Web API."""
        return self._open()

    @property
    def unopened(self) -> AsyncWebClient:
        """The same client for who only needs its token and address, outside of any running loop."""
        return self._once

    async def close(self) -> None:
        self._closed = True
        if self._session is not None:
            await self._session.close()

    async def post(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        """Posts in the thread of `target`. When the blocks are refused, once more in a simpler form; none was posted before.

        A nonce whose former post had an unknown outcome is looked for in the thread first, since Slack has no key that
        would make a second post harmless.
        """
        place = read_address(target.address)
        began = self._clock.now().timestamp()
        ts = await self._find_doubtful(place, message.nonce)
        if ts is not None:
            found = message_ref(Place(team=place.team, channel=place.channel, ts=ts))
            # There may be more text by now than when it was posted. Until that stands, the next attempt must find it too.
            await self.edit(found, message)
            self._doubtful.pop(message.nonce, None)
            return found
        try:
            ts = await self._in_some_form(message, lambda text, blocks: self._post(place, message, text, blocks))
        except PlatformUnavailable:
            self._doubt(message.nonce, began)
            raise
        return message_ref(Place(team=place.team, channel=place.channel, ts=ts))

    def _doubt(self, nonce: str, began: float) -> None:
        self._doubtful.setdefault(nonce, began - CLOCK_SKEW)
        while len(self._doubtful) > MOST_DOUBTFUL:
            del self._doubtful[next(iter(self._doubtful))]

    async def _find_doubtful(self, place: Place, nonce: str) -> str | None:
        """The message that an earlier, broken off post with this nonce left in the thread. Raises a `PlatformError`."""
        since = self._doubtful.get(nonce)
        if since is None:
            return None
        try:
            shown = await self.look_back(place, since)
        except NotAllowed as error:
            # Without a history scope nobody can tell. An answer that is seen twice is better than none.
            log.warning("post_not_looked_up", code=error.code)
            return None
        ts = ts_of(nonce, shown)
        if ts is None:
            self._doubtful.pop(nonce, None)
        else:
            log.info("post_found_again", channel=place.channel)
        return ts

    async def look_back(self, place: Place, since: float) -> list[Shown]:
        """What was written in a thread since then (seconds since the epoch, Slack's clock), with metadata, the oldest first,
        as far as `MOST_PAGES` reach. Raises a `PlatformError`; `NotAllowed` without the history scope."""
        self._open()
        found: list[Shown] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            request = self._once.conversations_replies(
                channel=place.channel,
                ts=place.ts,
                oldest=f"{since:.6f}",
                include_all_metadata=True,
                limit=LOOK_PAGE,
                cursor=cursor,
            )
            response = await ask("conversations.replies", request)
            found += _objects(response.get("messages"))
            cursor = _next_cursor(response.get("response_metadata"))
            if cursor is None:
                return found
        log.warning("thread_too_long_to_look_through", channel=place.channel, messages=len(found))
        return found

    async def edit(self, ref: MessageRef, message: OutgoingMessage) -> None:
        place = read_address(ref.address)
        await self._in_some_form(message, lambda text, blocks: self._update(place, message, text, blocks))

    async def _in_some_form(self, message: OutgoingMessage, write: Callable[[str, Sequence[Block]], Awaitable[T]]) -> T:
        """What is refused is written once more in a simpler form. Where that could not be done at once, the next attempt begins
        with it: a refusal counts against Slack's limits too."""
        step = write_message(message, self._simpler.get(message.nonce, Form.MARKDOWN)) or write_message(message)
        while step is not None:
            try:
                written = await write(step.text, step.blocks)
            except MessageRefused as error:
                step = write_message(message, step.form + 1) if error.code in REFUSED_BLOCKS else None
                if step is None:
                    raise  # it must be cut, not dropped
                log.warning("blocks_refused", code=error.code, next=step.form.name.lower())
                self._simpler[message.nonce] = step.form
                while len(self._simpler) > MOST_DOUBTFUL:
                    del self._simpler[next(iter(self._simpler))]
            else:
                self._simpler.pop(message.nonce, None)
                return written
        raise MessageRefused("nothing to show", code="no_text")

    async def show_thinking(self, target: ReplyTarget) -> None:
        """Sets the thread's status. Never raises a `PlatformError`; given up for good once Slack says it is not to be had."""
        if self._status_off or self._closed or self._clock.monotonic() < self._status_quiet_until:
            return
        place = read_address(target.address)
        self._open()
        try:
            async with asyncio.timeout(STATUS_TIMEOUT):
                request = self._once.assistant_threads_setStatus(
                    channel_id=place.channel, thread_ts=place.ts, status="is thinking…"
                )
                await ask("assistant.threads.setStatus", request)
        except TimeoutError:
            log.debug("status_slow")
        except RateLimited as error:
            self._status_quiet_until = self._clock.monotonic() + error.retry_after.total_seconds()
        except PlatformError as error:
            if error.code in _NO_STATUS_HERE:
                self._status_off = True
                log.warning("status_off", code=error.code)
            else:
                log.debug("status_failed", code=error.code)

    async def _post(self, place: Place, message: OutgoingMessage, text: str, blocks: Sequence[Block]) -> str:
        self._open()
        request = self._once.chat_postMessage(
            channel=place.channel,
            thread_ts=place.ts,
            text=text,
            blocks=blocks if blocks else None,
            unfurl_links=False,
            unfurl_media=False,
            metadata=_metadata(message),
        )
        response = await ask("chat.postMessage", request)
        ts: object = response.get("ts")
        if not isinstance(ts, str) or not ts:
            raise PlatformUnavailable("chat.postMessage: accepted, but without a timestamp", code="no_ts")
        return ts

    async def _update(self, place: Place, message: OutgoingMessage, text: str, blocks: Sequence[Block]) -> None:
        self._open()
        # Without the empty list Slack would keep showing the message's former blocks, buttons included.
        request = self._repeating.chat_update(
            channel=place.channel, ts=place.ts, text=text, blocks=blocks, metadata=_metadata(message)
        )
        await ask("chat.update", request)

    def _open(self) -> aiohttp.ClientSession:
        """One pool of connections for all calls, made on first use because it belongs to the running loop."""
        if self._closed:
            raise PlatformUnavailable("the Slack adapter is closed", code="closed")
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_IDLE),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
            )
            self._once.session = self._repeating.session = self._session
        return self._session


class Names:
    """Display names of people, as far as Slack tells. Bounded in size, in time and in patience."""

    KEPT = 3_600.0
    """Seconds that a name is believed."""

    FORGIVEN = 300.0
    """Seconds after which a person who could not be looked up is tried again."""

    def __init__(self, outbound: Outbound, clock: Clock, *, wait: float, size: int = 2_000) -> None:
        self._outbound = outbound
        self._clock = clock
        self._wait = wait
        self._size = size
        self._off = False
        self._known: dict[str, str] = {}
        self._ask_again: dict[str, float] = {}

    def known(self) -> Mapping[str, str]:
        return self._known

    async def learn(self, people: Sequence[str]) -> None:
        """Looks up who is not known yet, all at once, and gives up after `wait` seconds. Never raises a `PlatformError`."""
        now = self._clock.monotonic()
        wanted = [person for person in people if now >= self._ask_again.get(person, now)]
        if self._off or not wanted or self._wait <= 0:
            return
        for person in wanted:
            self._keep_bounded()
            self._ask_again[person] = now + self.FORGIVEN
        try:
            async with asyncio.timeout(self._wait), asyncio.TaskGroup() as group:
                for person in wanted:
                    group.create_task(self._look_up(person))
        except TimeoutError:
            log.info("names_slow", people=len(wanted))

    async def _look_up(self, person: str) -> None:
        try:
            response = await ask("users.info", self._outbound.once.users_info(user=person))
        except PlatformError as error:
            if error.code in {"missing_scope", "not_allowed_token_type"}:
                self._off = True
                log.warning("names_off", code=error.code, fix="add the scope users:read and install the app again")
            return
        name = _name_in(response.get("user"))
        if name:
            self._known[person] = name
            self._ask_again[person] = self._clock.monotonic() + self.KEPT

    def _keep_bounded(self) -> None:
        while len(self._ask_again) >= self._size:
            oldest = next(iter(self._ask_again))
            del self._ask_again[oldest]
            self._known.pop(oldest, None)


def _name_in(user: object) -> str:
    if not isinstance(user, dict):
        return ""
    profile = user.get("profile")
    spellings = [profile.get("display_name"), profile.get("real_name")] if isinstance(profile, dict) else []
    spellings += [user.get("real_name"), user.get("name")]
    return next((name for name in spellings if isinstance(name, str) and name), "")


def _metadata(message: OutgoingMessage) -> dict[str, object]:
    return {"event_type": EVENT_TYPE, "event_payload": {"nonce": message.nonce}}


def ts_of(nonce: str, shown: Sequence[Shown]) -> str | None:
    """The message among them that carries this nonce."""
    return next((str(one.get("ts")) for one in shown if nonce_in(one) == nonce), None)


def nonce_in(shown: Shown) -> str | None:
    """None for messages that are not ours, or not from `post`."""
    metadata = shown.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return None
    payload = metadata.get("event_payload")
    nonce = payload.get("nonce") if isinstance(payload, dict) else None
    return nonce if isinstance(nonce, str) else None


def _next_cursor(metadata: object) -> str | None:
    cursor = metadata.get("next_cursor") if isinstance(metadata, dict) else None
    return cursor if isinstance(cursor, str) and cursor else None


def _objects(found: object) -> list[dict[str, object]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _whole(seconds: float) -> int:
    return max(1, round(seconds))
