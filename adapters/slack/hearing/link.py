"""One Socket Mode connection, from its opening to its end. Whether there is another one afterwards is decided in `sockets`."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress

import aiohttp
from slack_bolt.adapter.socket_mode.async_internals import send_async_response
from slack_bolt.adapter.socket_mode.internals import build_headers
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from adapters.slack.hearing.doorstep import MALFORMED
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformUnavailable

log = logs.get("slack")


class Link(AsyncBaseSocketModeClient):
    """It never reconnects by itself.

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
                    await end(waits)
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
        except (ValueError, RecursionError):
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
                if isinstance(message.get("payload"), dict) and (request := SocketModeRequest.from_dict(message)):
                    task = asyncio.create_task(self._deliver(request), name="slack-delivery")
                    self._deliveries.add(task)
                    task.add_done_callback(self._deliveries.discard)

    async def _deliver(self, request: SocketModeRequest) -> None:
        started = time.time()
        try:
            delivery = AsyncBoltRequest(mode="socket_mode", body=request.payload, headers=build_headers(request))
        except MALFORMED as error:
            log.warning("delivery_malformed", envelope_id=request.envelope_id, error=type(error).__name__)
            return
        response = await self._app.async_dispatch(delivery)
        if not request.accepts_response_payload:
            response.body = ""
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
        try:
            if self._deliveries and self.alive:
                await asyncio.wait(self._deliveries, timeout=grace)
        finally:
            await self.close()

    async def close(self) -> None:
        self.closed = True
        await end([*self._deliveries, *([self._reader] if self._reader else [])])
        if self._socket is not None:
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self._socket.close()
        await self._session.close()


async def open_link(app: AsyncApp, url: str, *, proxy: str | None, ping: float, within: float, clock: Clock) -> Link:
    """A connection that Slack has greeted. Raises `PlatformUnavailable`."""
    link = Link(app, proxy, ping, clock)
    try:
        await link.open(url, within)
    except BaseException:
        await link.close()
        raise
    return link


async def end(tasks: Sequence[asyncio.Task[object]]) -> None:
    """Cancels them and waits until they are over."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
