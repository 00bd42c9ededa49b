"""Socket Mode: tickets, connections, envelopes and their acknowledgements."""

import asyncio
import json
from dataclasses import dataclass, field
from random import Random

from aiohttp import ClientError, WSMsgType, web

from bridge.clock import Clock
from bridge.playground.slack import limits
from bridge.playground.slack.delivery import Offer
from bridge.playground.slack.events import APP_ID
from bridge.playground.slack.model import DisconnectReason, JsonObject
from bridge.playground.slack.payloads import carrier, takes_answer

_LOST = Offer(acked=False, reason="timeout")


@dataclass(slots=True, eq=False)
class _Pending:
    """An envelope that waits for its acknowledgement."""

    settled: asyncio.Event = field(default_factory=asyncio.Event)
    acked: bool = False
    answer: JsonObject | None = None


@dataclass(slots=True, eq=False)
class _Link:
    """One connection. Draining: Slack has said goodbye on it and sends no more events there."""

    socket: web.WebSocketResponse
    transport: asyncio.Transport | None
    draining: bool = False
    pending: dict[str, _Pending] = field(default_factory=dict)
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Sockets:
    """All Socket Mode connections of the app."""

    def __init__(self, clock: Clock, shuffle: Random) -> None:
        self.ack_timeout = limits.ACK_SECONDS
        self.disconnect_grace = 1.0
        """Seconds that a client has to close a connection by itself after `disconnect`."""
        self.refuse = False
        self._clock = clock
        self._shuffle = shuffle
        self._links: list[_Link] = []
        self._tickets: set[str] = set()
        self._numbers = 0

    @property
    def open_count(self) -> int:
        return len(self._links)

    def make_ticket(self) -> str:
        """Good for one connection."""
        ticket = f"ticket-{self._number():08d}"
        self._tickets.add(ticket)
        return ticket

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Serves one connection until it ends."""
        ticket = request.query.get("ticket", "")
        if self.refuse:
            raise web.HTTPServiceUnavailable
        if ticket not in self._tickets:
            raise web.HTTPForbidden
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        if len(self._links) >= limits.SOCKETS:
            await socket.send_str(_disconnect_frame("too_many_websockets"))
            await socket.close()
            return socket
        transport = request.transport if isinstance(request.transport, asyncio.Transport) else None
        link = _Link(socket, transport)
        self._links.append(link)
        try:
            await socket.send_str(self._hello())
            async for frame in socket:
                if frame.type == WSMsgType.TEXT:
                    _acknowledge(link, str(frame.data))
        except (ClientError, ConnectionError):
            pass  # the client went away in the middle of a frame; that is what `finally` is for
        finally:
            self._links.remove(link)
            for pending in link.pending.values():
                pending.settled.set()
            link.gone.set()
        return socket

    async def offer(self, payload: JsonObject, attempt: int, reason: str) -> Offer:
        """Sends the event or act to one of the connections, as Slack does, and waits."""
        links = [link for link in self._links if not link.draining]
        if not links:
            return _LOST
        link = self._shuffle.choice(links)
        envelope_id = f"envelope-{self._number():08d}"
        answerable = takes_answer(payload)
        envelope: JsonObject = {"envelope_id": envelope_id, "payload": payload, "accepts_response_payload": answerable}
        envelope["type"] = carrier(payload)
        if envelope["type"] == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        pending = link.pending[envelope_id] = _Pending()
        try:
            await link.socket.send_str(json.dumps(envelope))
            await self._clock.wait(pending.settled, self.ack_timeout)
        except (ClientError, ConnectionError):
            return _LOST
        finally:
            # A later acknowledgement finds nothing: the retry is already on its way.
            link.pending.pop(envelope_id, None)
        if pending.acked:
            return Offer(acked=True, answer=pending.answer if answerable else None)
        return Offer(acked=False, reason="timeout", timed_out=link in self._links)

    async def disconnect(self, reason: DisconnectReason, which: int | None = None) -> None:
        """Says goodbye on every connection, or on one of them, counted from the oldest (`which`, from 0; -1 is the newest).

        Only a "warning" leaves it standing; else it is closed after the grace. Raises `IndexError` when there is no such one.
        """
        links = list(self._links) if which is None else [self._links[which]]
        await asyncio.gather(*(self._disconnect(link, reason) for link in links))

    def drop(self) -> None:
        """Cuts every connection without a word."""
        for link in list(self._links):
            if link.transport is not None:
                link.transport.abort()

    async def close(self) -> None:
        await asyncio.gather(*(link.socket.close() for link in list(self._links)))

    async def _disconnect(self, link: _Link, reason: DisconnectReason) -> None:
        link.draining = reason != "warning"
        try:
            await link.socket.send_str(_disconnect_frame(reason))
        except (ClientError, ConnectionError):
            return
        if link.draining:
            await self._clock.wait(link.gone, self.disconnect_grace)
            await link.socket.close()

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _hello(self) -> str:
        return json.dumps(
            {
                "type": "hello",
                "num_connections": len(self._links),
                "debug_info": {
                    "host": "applink-playground",
                    "build_number": 1,
                    "approximate_connection_time": limits.SOCKET_LIFETIME_SECONDS,
                },
                "connection_info": {"app_id": APP_ID},
            }
        )


def _disconnect_frame(reason: str) -> str:
    return json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-playground"}})


def _acknowledge(link: _Link, frame: str) -> None:
    """Anything that is not `{"envelope_id": ...}` for an envelope that waits on this connection acknowledges nothing."""
    try:
        parsed: object = json.loads(frame)
    except ValueError:
        return
    match parsed:
        case {"envelope_id": str(envelope_id), **rest} if envelope_id in link.pending:
            said = rest.get("payload")
            link.pending[envelope_id].answer = said if isinstance(said, dict) else None
            link.pending[envelope_id].acked = True
            link.pending[envelope_id].settled.set()
        case _:
            pass
