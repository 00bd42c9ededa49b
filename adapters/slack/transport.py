"""How Slack is heard: the doorstep that every delivery passes, and the two ways to it, a socket and an HTTP route.

slack-bolt checks signatures and understands both transports, but it would acknowledge before the work is safe, acknowledge
and lose events while `auth.test` fails, and answer 404 to events nobody listens to. So everything is settled in one hook that
runs after the signature check and before bolt authorises (`before_authorize`): store first, acknowledge second.
"""

import asyncio
import json
import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from weakref import WeakValueDictionary

import aiohttp
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app, send_async_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.inbound import BUTTON_PRESS, Ignored, Json, channel_in
from bridge import logs
from bridge.clock import Clock
from bridge.errors import NotAllowed, PlatformError, PlatformUnavailable, RateLimited, StoreUnavailable

log = logs.get("slack")

Take = Callable[[Json], Awaitable[Ignored | None]]
"""Stores one payload of an event or a press, or says why not. Raises `StoreUnavailable` when it shall not be acknowledged."""

BODY_LIMIT = 1_000_000
"""Bytes of one HTTP delivery. Slack names no limit; its events stay far below this (a message has at most 40,000 characters)."""

PRESS_WITHIN = 2.5
"""Seconds for a press to be stored. Slack does not repeat it: after three it shows a warning beside the button instead."""

LINK_DISABLED = "link_disabled"
TOO_MANY = "too_many_websockets"
MOST_SOCKETS = 10
"""Connections of one app; Slack turns away the next one with the reason above (slackapi/bolt-js issue 2225)."""
ALL_TAKEN = (
    f"All {MOST_SOCKETS} Socket Mode connections that Slack allows an app are taken: end other programs that use this "
    "SLACK_APP_TOKEN, or hear by HTTP (SLACK_SIGNING_SECRET); connections that broke off are forgotten after some minutes"
)


class Doorstep:
    """What happens to a delivery, whichever way it came. While `take` is None nothing is acknowledged."""

    def __init__(self, client: AsyncWebClient, signing_secret: str, accept_within: float) -> None:
        self.take: Take | None = None
        self._accept_within, self._press_within = accept_within, min(accept_within, PRESS_WITHIN)
        self._lines: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        # Below this level bolt logs whole payloads, and warns that SLACK_BOT_TOKEN in the environment is not used by itself.
        logger = logging.getLogger("slack_bolt.bridge")
        logger.setLevel(logging.ERROR)
        self.app = AsyncApp(
            # Bolt also sets the level of the logger of this name, so it must be nobody else's.
            name="slack_bolt.bridge",
            logger=logger,
            client=client,
            signing_secret=signing_secret,
            before_authorize=self.receive,
        )

    async def receive(self, body: dict[str, object], next_: Callable[[], Awaitable[None]]) -> BoltResponse | None:
        """bolt's hook. A 200 is the acknowledgement; anything else makes Slack deliver again."""
        match kind := body.get("type"):
            case "url_verification":
                await next_()
                return None
            case "event_callback":
                # Deliveries run concurrently; questions of one channel must be stored in the order they came.
                line = self._lines.setdefault(channel_in(body), asyncio.Lock())
                return BoltResponse(status=await self._store(body, self._accept_within, line), body="")
            case _ if kind == BUTTON_PRESS:
                return BoltResponse(status=await self._store(body, self._press_within, nullcontext()), body="")
            case "app_rate_limited":
                log.warning("slack_drops_events", minute=body.get("minute_rate_limited"))
                return BoltResponse(status=200, body="")
            case _:
                return answer_interaction(str(kind or ("command" if "command" in body else "unknown")))

    async def _store(self, payload: Json, within: float, line: AbstractAsyncContextManager[object]) -> int:
        take, event_id = self.take, payload.get("event_id", BUTTON_PRESS)
        if take is None:
            return 503
        try:
            async with asyncio.timeout(within), line:
                ignored = await take(payload)
        except StoreUnavailable as error:
            log.warning("event_not_stored", event_id=event_id, error=str(error))
            return 503
        except TimeoutError:
            log.warning("event_not_stored_in_time", event_id=event_id, seconds=within)
            return 503
        if ignored is not None:
            log.debug("event_ignored", event_id=event_id, reason=ignored.reason)
        return 200


def answer_interaction(kind: str) -> BoltResponse:
    """Forms, shortcuts and commands are acknowledged, with the (empty) body that Slack shows or acts on."""
    log.info("interaction_not_used", type=kind)
    return BoltResponse(status=200, body="")


class HttpEntrance:
    """The route that Slack posts events to. Says what is wrong by status alone."""

    def __init__(self, doorstep: Doorstep, signing_secret: str) -> None:
        self._doorstep = doorstep
        self._verifier = SignatureVerifier(signing_secret)

    async def receive(self, request: web.Request) -> web.Response:
        if (request.content_length or 0) > BODY_LIMIT:
            return web.Response(status=413)
        body = await request.read()
        if len(body) > BODY_LIMIT:
            return web.Response(status=413)
        if not self._signed(body, request.headers):
            log.warning("bad_signature", peer=request.remote)
            return web.Response(status=401)
        if not body.strip():
            return web.Response(status=400)
        try:
            # bolt reads the body before it verifies anything, and trips over one that is no JSON object.
            bolt_request = AsyncBoltRequest(
                body=body.decode(), query=request.query_string, headers=dict(request.headers.items())
            )
        except (ValueError, AttributeError, TypeError, RecursionError):
            return web.Response(status=400)
        return await to_aiohttp_response(await self._doorstep.app.async_dispatch(bolt_request))

    def _signed(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """Slack's signature, at most five minutes old (slack_sdk's verifier), without its exceptions on odd headers."""
        timestamp = headers.get("X-Slack-Request-Timestamp", "")
        signature = headers.get("X-Slack-Signature", "")
        if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12 and signature.isascii()):
            return False
        try:
            return self._verifier.is_valid(body, timestamp, signature)
        except UnicodeDecodeError:
            return False


class Link(AsyncBaseSocketModeClient):
    """One Socket Mode connection, from its opening to its end. It never reconnects by itself.

    slack_sdk's own client retries a used ticket for ever, closes the old connection before it opens the new one, treats
    `link_disabled` as any other reason, and leaves tasks behind; hence this one, on the SDK's base class.
    """

    def __init__(self, app: AsyncApp, proxy: str | None, ping_interval: float, clock: Clock) -> None:
        self.logger = app.logger
        self.closed = False
        self.heard_at = clock.monotonic()
        self.reason = ""
        self.connections = 0
        """How many the app has, as the greeting says."""
        self.leaving = asyncio.Event()
        """Set when this connection has ended, or Slack said that it will."""
        self._app = app
        self._proxy = proxy
        self._ping_interval = ping_interval
        self._clock = clock
        self._session = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._greeted = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._deliveries: set[asyncio.Task[None]] = set()

    @property
    def alive(self) -> bool:
        return self._greeted.is_set() and self._socket is not None and not self._socket.closed

    async def open(self, url: str, timeout: float) -> None:
        """Connects and waits for Slack's greeting. Raises `PlatformUnavailable`; to be closed in any case."""
        try:
            async with asyncio.timeout(timeout):
                self._socket = await self._session.ws_connect(
                    url, heartbeat=self._ping_interval, autoping=False, proxy=self._proxy
                )
                self._reader = asyncio.create_task(self._read(self._socket), name="slack-socket")
                waits = [asyncio.create_task(event.wait()) for event in (self._greeted, self.leaving)]
                try:
                    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    await _end(waits)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise PlatformUnavailable(f"socket: {type(error).__name__}", code="socket") from error
        if not self._greeted.is_set():
            reason = self.reason or "closed"
            raise PlatformUnavailable(f"socket: {reason} before the greeting", code=reason)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            while not socket.closed:
                frame = await socket.receive()
                self.heard_at = self._clock.monotonic()
                match frame.type:
                    case aiohttp.WSMsgType.TEXT:
                        self._read_text(frame.data)
                    case aiohttp.WSMsgType.PING:
                        await socket.pong(frame.data)
                    case _:
                        pass
        except (aiohttp.ClientError, OSError) as error:
            log.debug("socket_broken", error=type(error).__name__)
        finally:
            self.leaving.set()

    def _read_text(self, text: str) -> None:
        try:
            message = json.loads(text)
        except ValueError:
            log.warning("socket_nonsense", characters=len(text))
            return
        if not isinstance(message, dict):
            return
        match message.get("type"):
            case "hello":
                count = message.get("num_connections")
                self.connections = count if isinstance(count, int) else 0
                self._greeted.set()
            case "disconnect":
                self.reason = str(message.get("reason", ""))
                self.leaving.set()
            case _:
                if (request := SocketModeRequest.from_dict(message)) is not None:
                    task = asyncio.create_task(self._deliver(request), name="slack-delivery")
                    self._deliveries.add(task)
                    task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, request: SocketModeRequest) -> None:
        started = time.time()
        response = await run_async_bolt_app(self._app, request)
        try:
            await send_async_response(self, request, response, started)
        except (aiohttp.ClientError, OSError):
            # Stored but not acknowledged: Slack delivers again, and the claim says that it is known.
            log.info("not_acknowledged", envelope_id=request.envelope_id)

    async def send_message(self, message: str) -> None:
        if self._socket is None:
            raise ConnectionResetError("no socket")
        await self._socket.send_str(message)

    async def finish(self, grace: float) -> None:
        """Acknowledges what is being stored, for at most `grace` seconds, and closes. Slack delivers the rest again."""
        if self._deliveries and self.alive:
            await asyncio.wait(self._deliveries, timeout=grace)
        await self.close()

    async def close(self) -> None:
        self.closed = True
        await _end([*self._deliveries, *([self._reader] if self._reader else [])])
        if self._socket is not None:
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self._socket.close()
        await self._session.close()


async def _end(tasks: Sequence[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Pauses:
    """Growing pauses between attempts: none, then half a second, doubling with some jitter up to `longest` seconds."""

    FIRST = 0.5

    def __init__(self, longest: float, clock: Clock) -> None:
        self._longest = longest
        self._clock = clock
        self._step = 0

    def reset(self) -> None:
        self._step = 0

    async def wait(self, at_least: float = 0) -> None:
        pause = min(self._longest, self.FIRST * 2 ** (self._step - 1)) if self._step else 0.0
        self._step = min(self._step + 1, 32)
        await self._clock.sleep(max(at_least, pause * random.uniform(0.75, 1)))


class SocketEntrance:
    """Keeps one connection open, and opens the next one before Slack closes it."""

    SILENCE = 4
    """Heartbeats without any frame after which nothing is to be expected any more; slack_sdk judges the same."""

    FINISH_WITHIN = 2.0
    """Seconds that a closing connection waits for deliveries being stored; Slack itself gives up on them after three."""

    def __init__(
        self, open_link: Callable[[], Awaitable[Link]], *, ping_interval: float, pauses: Pauses, clock: Clock
    ) -> None:
        self._open_link = open_link
        self._ping_interval, self._pauses = ping_interval, pauses
        self._clock = clock
        self._link: Link | None = None
        self._switched_off, self._trouble = False, ""

    @property
    def connected(self) -> bool:
        return self._link is not None and self._link.alive

    @property
    def silence(self) -> float:
        """Seconds since Slack last sent anything, its answers to heartbeats included."""
        return self._clock.monotonic() - self._link.heard_at if self._link is not None else 0.0

    @property
    def hearing(self) -> bool:
        return self.connected and self.silence < self.SILENCE * self._ping_interval

    @property
    def trouble(self) -> str:
        """What is wrong, for an operator."""
        if self._switched_off:
            return "Socket Mode is switched off for this Slack app: switch it on under Settings > Socket Mode"
        return self._trouble

    async def run(self) -> None:
        """Until cancelled; the connection then stands until `finish`. Raises `NotAllowed` when Slack refuses the app token."""
        while True:
            await self._renew()
            await self._follow()

    async def finish(self) -> None:
        """Acknowledges what is being stored and closes the connection."""
        if self._link is not None:
            await self._link.finish(self.FINISH_WITHIN)
            self._link = None

    async def _renew(self) -> None:
        """Opens a connection, however long it takes, and only then lets go of the former one."""
        while True:
            try:
                fresh = await self._open_link()
                break
            except NotAllowed as error:
                self._trouble = (
                    f"Slack refuses SLACK_APP_TOKEN ({error.code}); make a token with the scope connections:write under Basic "
                    "Information, App-Level Tokens, switch Socket Mode on and restart."
                )
                raise NotAllowed(self._trouble, code=error.code) from error
            except PlatformError as error:
                self._trouble = f"Slack cannot be reached by Socket Mode ({error})"
                if error.code == TOO_MANY:
                    # There may be no room for two: the former one makes it. Slack delivers again what is not acknowledged.
                    self._trouble = ALL_TAKEN
                    await self.finish()
                log.warning("socket_not_opened", error=str(error), trouble=self._trouble)
                await self._pauses.wait(error.retry_after.total_seconds() if isinstance(error, RateLimited) else 0.0)
        former, self._link = self._link, fresh
        self._switched_off, self._trouble = False, ""
        log.info("socket_open", connections=fresh.connections)
        if fresh.connections >= MOST_SOCKETS:
            # Connections that broke off count too, until Slack has noticed; a press that is sent to one of those is lost.
            log.warning("sockets_all_taken", connections=fresh.connections, fix=ALL_TAKEN)
        if former is not None:
            await former.finish(self.FINISH_WITHIN)

    async def _follow(self) -> None:
        """Waits for the end of the connection, or for Slack's word that it is near, and a pause if it came soon."""
        link = self._link
        if link is None:
            return
        opened_at = self._clock.monotonic()
        await link.leaving.wait()
        log.info("socket_leaving", reason=link.reason or "lost")
        if self._clock.monotonic() - opened_at > self._ping_interval:
            self._pauses.reset()
        if link.reason == LINK_DISABLED:
            self._switched_off = True
            await self._pauses.wait(Pauses.FIRST)
        await self._pauses.wait()


async def open_link(app: AsyncApp, url: str, *, proxy: str | None, ping: float, within: float, clock: Clock) -> Link:
    """A connection that Slack has greeted. Raises `PlatformUnavailable`."""
    link = Link(app, proxy, ping, clock)
    try:
        await link.open(url, within)
    except BaseException:
        await link.close()
        raise
    return link
