"""The gateway door: HELLO, IDENTIFY, RESUME, heartbeats, and dispatches cut to what each session may see.

Docs: topics/gateway. Frames are plain text even when the client asked for compression, which clients must accept.
"""

import asyncio
import json
import math
from collections.abc import Callable
from typing import Final, NoReturn

from aiohttp import WSMsgType, web

from bridge.playground.discord import limits, payloads
from bridge.playground.discord.model import Guild, Json
from bridge.playground.discord.permissions import (
    INTENT_GUILD_MEMBERS,
    INTENT_GUILD_PRESENCES,
    INTENT_GUILDS,
    INTENT_MESSAGE_CONTENT,
    KNOWN_INTENTS,
)
from bridge.playground.discord.sessions import Connection, Session
from bridge.playground.discord.world import Dispatch, World

_HEARTBEAT: Final = 1
_IDENTIFY: Final = 2
_PRESENCE: Final = 3
_VOICE_STATE: Final = 4
_RESUME: Final = 6
_RECONNECT: Final = 7
_REQUEST_MEMBERS: Final = 8
_INVALID_SESSION: Final = 9
_HEARTBEAT_ACK: Final = 11

_CLOSE_SECONDS: Final = 2.0
"""Ours: how long a closed client may take to say goodbye."""


class _Close(Exception):
    """Ends the connection with one of Discord's close codes (docs: topics/opcodes-and-status-codes)."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def _close(code: int, reason: str) -> NoReturn:
    raise _Close(code, reason)


class Gateway:
    def __init__(self, world: World, heartbeat_milliseconds: int = limits.HEARTBEAT_MILLISECONDS) -> None:
        self._world = world
        self._heartbeat_milliseconds = heartbeat_milliseconds
        self._connections: set[Connection] = set()
        self._sessions: dict[str, Session] = {}
        self._written = asyncio.Event()
        self._identified_at = -math.inf
        world.publish = self.publish

    def add_to(self, app: web.Application) -> None:
        # Real ones resume elsewhere too, so that a client which ignores `resume_gateway_url` is found out.
        app.router.add_get("/gateway/", self._serve)
        app.router.add_get("/gateway/resume/", self._serve)

    def live(self) -> list[Session]:
        return [one for one in self._sessions.values() if one.connection is not None]

    # Dispatches

    def publish(self, dispatch: Dispatch) -> None:
        """Sends an event to every session that may have it; those cut off get it when they resume."""
        faults = self._world.faults
        breaks = dispatch.name == "MESSAGE_CREATE" and faults.bad_dispatch_next
        if dispatch.guild_id == self._world.guild_id and self._world.outage:
            return
        for session in self._sessions.values():
            if not session.takes(dispatch.intent, dispatch.guild_id):
                continue
            data = dispatch.make(bool(session.intents & INTENT_MESSAGE_CONTENT))
            if breaks:
                data.pop("content")
                faults.bad_dispatch_next = False
            session.send(dispatch.name, data, times=2 if faults.duplicate_dispatches else 1)

    async def idle(self, timeout: float) -> None:
        """Waits until an identified client is there and all dispatches so far were written to it.

        Raises `TimeoutError` after `timeout` seconds.
        """
        clock = self._world.clock
        until = clock.monotonic() + timeout
        while True:
            live = [one.connection for one in self.live() if one.connection is not None]
            if live and not any(one.unwritten for one in live):
                return
            self._written.clear()
            left = until - clock.monotonic()
            if left <= 0 or not await clock.wait(self._written, left):
                raise TimeoutError("the gateway did not become idle")

    # What tests do to connections

    async def drop(self, *, forget: bool = False) -> None:
        """Cuts every connection without a word; sessions stay and can be resumed unless they are to be forgotten."""
        connections = tuple(self._connections)
        for connection in connections:
            self._detach(connection, ends=forget)
            connection.cut()
        for connection in connections:
            await connection.ended.wait()

    async def close(self, code: int) -> None:
        """Closes every connection with a code. Sessions stay, but not after 1000, 1001, 4007 and 4009."""
        for connection in tuple(self._connections):
            self._detach(connection, ends=code in (1000, 1001, 4007, 4009))
            await connection.socket.close(code=code)

    async def invalidate(self, *, resumable: bool) -> None:
        for session in self.live():
            if session.connection is not None:
                session.connection.push_op(_INVALID_SESSION, data=resumable)
            if not resumable:
                self._sessions.pop(session.id)

    async def ask_reconnect(self) -> None:
        for session in self.live():
            if session.connection is not None:
                session.connection.push_op(_RECONNECT)

    # One connection

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if self._world.faults.refuse_gateway:
            return web.Response(status=503)
        socket = web.WebSocketResponse(compress=False, timeout=_CLOSE_SECONDS)
        await socket.prepare(request)
        connection = Connection(socket, request, lambda: not self._world.faults.heartbeat_acks)
        self._connections.add(connection)
        writer: asyncio.Task[None] | None = None
        try:
            if request.query.get("v") not in ("9", "10"):
                _close(4012, "Invalid API version")
            await connection.greet(self._heartbeat_milliseconds)
            writer = asyncio.create_task(connection.write(self._written))
            await self._read(connection)
        except _Close as ending:
            await socket.close(code=ending.code, message=ending.reason.encode())
        except ConnectionError:
            pass  # the client left while HELLO was on its way
        finally:
            if writer is not None:
                writer.cancel()
                await asyncio.wait([writer])
            # A client that says goodbye with 1000 or 1001 wants no resume.
            self._detach(connection, ends=socket.close_code in (1000, 1001))
            self._connections.discard(connection)
            connection.ended.set()
        return socket

    def _detach(self, connection: Connection, *, ends: bool = False) -> None:
        for session in tuple(self._sessions.values()):
            if session.connection is connection:
                session.connection = None
                if ends:
                    self._sessions.pop(session.id)
        self._written.set()

    async def _read(self, connection: Connection) -> None:
        interval = self._heartbeat_milliseconds / 1000
        grace = max(2 * interval, interval + limits.HEARTBEAT_GRACE_SECONDS)
        opened, count = self._world.clock.monotonic(), 0
        while True:
            try:
                message = await connection.socket.receive(timeout=grace)
            except TimeoutError:
                self._detach(connection, ends=True)
                _close(4009, "Session timed out.")
            if message.type is not WSMsgType.TEXT:
                return
            now = self._world.clock.monotonic()
            if now - opened >= limits.GATEWAY_PAYLOADS.seconds:
                opened, count = now, 0
            count += 1
            if count > limits.GATEWAY_PAYLOADS.limit:
                _close(4008, "You are being rate limited.")
            self._take(connection, _parse(message.data))

    def _take(self, connection: Connection, payload: Json) -> None:
        data = payload.get("d")
        if payload.get("op") == _HEARTBEAT:
            connection.push_op(_HEARTBEAT_ACK)
            return
        known: dict[object, Callable[[Connection, Json], None]] = {_IDENTIFY: self._identify, _RESUME: self._resume}
        identified = any(one.connection is connection for one in self._sessions.values())
        if (act := known.get(payload.get("op"))) is not None:
            if identified:
                _close(4005, "Already authenticated.")
            if not isinstance(data, dict):
                _close(4002, "Error while decoding payload.")
            act(connection, data)
        elif payload.get("op") not in (_PRESENCE, _VOICE_STATE, _REQUEST_MEMBERS):
            _close(4001, "Unknown opcode.")
        elif not identified:
            _close(4003, "Not authenticated.")

    def _identify(self, connection: Connection, data: Json) -> None:
        world = self._world
        if data.get("token") != world.token:
            _close(4004, "Authentication failed.")
        properties, intents = data.get("properties"), data.get("intents")
        if not isinstance(properties, dict):
            _close(4002, "Error while decoding payload.")
        if isinstance(intents, bool) or not isinstance(intents, int) or intents & ~KNOWN_INTENTS or intents < 0:
            _close(4013, "Invalid intent(s).")
        forbidden = INTENT_GUILD_MEMBERS | INTENT_GUILD_PRESENCES
        forbidden |= 0 if world.message_content_allowed else INTENT_MESSAGE_CONTENT
        if intents & forbidden:
            _close(4014, "Disallowed intent(s).")
        if not world.identifies_left():
            # Discord resets the token of a bot that identifies too often (docs: topics/gateway, Session Start Limit).
            _close(4004, "Authentication failed.")
        now = world.clock.monotonic()
        if not world.faults.hurried_identifies and now - self._identified_at < limits.IDENTIFY_SECONDS:
            connection.push_op(_INVALID_SESSION, data=False)
            return
        self._identified_at = now
        session = Session(intents=intents, shard=_read_shard(data), connection=connection)
        world.identifies += 1
        self._sessions[session.id] = session
        guilds = [one for one in world.guilds.values() if one.bot_in and session.takes(0, one.id)]
        session.send("READY", self._ready(session, guilds))
        for guild in guilds:
            if intents & INTENT_GUILDS and not (world.outage and guild.id == world.guild_id):
                session.send("GUILD_CREATE", payloads.guild_create(world, guild))
        world.changed()

    def _ready(self, session: Session, guilds: list[Guild]) -> Json:
        world = self._world
        return {
            "v": 10,
            "user": payloads.self_user(world),
            "guilds": [{"id": one.id, "unavailable": True} for one in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": world.gateway_url + "resume/",
            "shard": list(session.shard),
            "application": {"id": world.application_id, "flags": payloads.application(world)["flags"]},
            "private_channels": [],
            "relationships": [],
            "user_settings": {},
            "_trace": [],
        }

    def _resume(self, connection: Connection, data: Json) -> None:
        if data.get("token") != self._world.token:
            _close(4004, "Authentication failed.")
        session = self._sessions.get(str(data.get("session_id")))
        seq = data.get("seq")
        if session is None:
            connection.push_op(_INVALID_SESSION, data=False)
            return
        if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq <= session.seq:
            self._sessions.pop(session.id)
            _close(4007, "Invalid seq.")
        if session.sent and seq + 1 < session.sent[0].seq:
            self._sessions.pop(session.id)  # too long away: what was missed is no longer kept
            connection.push_op(_INVALID_SESSION, data=False)
            return
        if session.connection is not None:
            session.connection.cut()
        session.connection = connection
        self._world.resumes += 1
        session.replay_since(seq)
        session.send("RESUMED", {"_trace": []})


def _parse(text: str) -> Json:
    try:
        payload = json.loads(text)
    except ValueError:
        _close(4002, "Error while decoding payload.")
    if not isinstance(payload, dict):
        _close(4002, "Error while decoding payload.")
    return payload


def _read_shard(data: Json) -> tuple[int, int]:
    match data.get("shard", [0, 1]):
        case [int() as shard, int() as count] if 0 <= shard < count:
            return shard, count
        case _:
            _close(4010, "Invalid shard.")
