"""One client's session at the gateway: what it asked for, what it was sent, and the connection it has now."""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web

from bridge.playground.discord import limits
from bridge.playground.discord.model import Json

ONCE = frozenset({"READY", "RESUMED", "GUILD_CREATE"})
"""Dispatches that belong to connecting; never duplicated on purpose."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One dispatch as it was sent."""

    seq: int
    name: str
    text: str


class Connection:
    """One websocket. Frames are queued at once and written in order by a task of the gateway."""

    def __init__(self, socket: web.WebSocketResponse, request: web.Request, is_silent: Callable[[], bool]) -> None:
        self.socket = socket
        self.ended = asyncio.Event()
        self.unwritten = 0
        self._request = request
        self._is_silent = is_silent
        self._outbox: deque[str] = deque()
        self._wake = asyncio.Event()

    def push(self, text: str) -> None:
        self._outbox.append(text)
        self.unwritten += 1
        self._wake.set()

    def push_op(self, op: int, data: object = None) -> None:
        self.push(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    async def write(self, written: asyncio.Event) -> None:
        """Until cancelled or disconnected. Sets `written` whenever everything queued so far is out."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._outbox:
                text = self._outbox.popleft()
                if self._is_silent():
                    continue  # swallowed by a dead line: it stays unwritten, and only RESUME brings it
                try:
                    await self.socket.send_str(text)
                except ConnectionError:
                    return
                self.unwritten -= 1
            written.set()

    async def greet(self, milliseconds: int) -> None:
        """HELLO, which even a gateway that will fall silent says."""
        await self.socket.send_str(
            json.dumps({"op": 10, "d": {"heartbeat_interval": milliseconds, "_trace": []}, "s": None, "t": None})
        )

    def cut(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()


@dataclass(slots=True)
class Session:
    intents: int
    shard: tuple[int, int]
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    seq: int = 0
    connection: Connection | None = None
    sent: deque[Frame] = field(default_factory=lambda: deque(maxlen=limits.REPLAYABLE_DISPATCHES))

    def send(self, name: str, data: Json, *, times: int = 1) -> None:
        """Numbers a dispatch, keeps it for RESUME, and queues it if the client is there."""
        self.seq += 1
        text = json.dumps({"op": 0, "t": name, "s": self.seq, "d": data})
        self.sent.append(Frame(self.seq, name, text))
        if self.connection is not None:
            for _ in range(times):
                self.connection.push(text)

    def replay_since(self, seq: int) -> None:
        for frame in tuple(self.sent):
            if frame.seq > seq and self.connection is not None:
                self.connection.push(frame.text)

    def replay_last(self, count: int) -> int:
        """Queues the last `count` dispatches again and returns how many there were."""
        frames = [frame for frame in self.sent if frame.name not in ONCE][-count:] if count > 0 else []
        if self.connection is None:
            return 0
        for frame in frames:
            self.connection.push(frame.text)
        return len(frames)

    def takes(self, intent: int, guild_id: str) -> bool:
        """Whether an event with this intent (0: none is needed) belongs here; direct messages go to shard 0 only."""
        shard, count = self.shard
        own = (int(guild_id) >> 22) % count == shard if guild_id else shard == 0
        return own and (not intent or bool(self.intents & intent))
