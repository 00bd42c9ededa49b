"""Everything the stand-in Dify knows, shared by its endpoints. No HTTP here."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.clock import Clock
from bridge.playground.dify.faults import Faults
from bridge.playground.dify.records import ChatRequest, Conversation, Rating, RatingCall
from bridge.playground.dify.run import ChatRun
from bridge.playground.dify.script import Reply, default_reply
from bridge.playground.dify.wire import Dialect


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    user: str
    run: ChatRun


class DifyState:
    def __init__(self, clock: Clock, mode: str, version: str, api_key: str) -> None:
        self.clock = clock
        self.mode = mode
        self.dialect = Dialect(version)
        self.api_key = api_key
        self.first_token = 0.2
        self.per_token = 0.025
        self.ping_every = 10.0
        self.max_connections = 10
        self.required_inputs: list[str] = []
        self.script: Callable[[str], Reply] | None = None
        self.requests: list[ChatRequest] = []
        self.conversations: dict[str, Conversation] = {}
        self.ratings: dict[str, Rating] = {}
        self.rating_log: list[RatingCall] = []
        self.stops: list[str] = []
        self.faults = Faults()
        self.running: dict[str, Running] = {}
        self.stopping = False
        self._callbacks: list[Callable[[], None]] = []
        self._watchers: set[asyncio.Event] = set()

    def reply_to(self, query: str, earlier: Sequence[str]) -> Reply:
        return self.script(query) if self.script is not None else default_reply(query, earlier)

    def start_run(self, record: ChatRequest, run: ChatRun) -> None:
        self.running[record.task_id] = Running(user=record.user, run=run)

    def wall_seconds(self) -> int:
        """Dify keeps times to the second."""
        return int(self.clock.now().timestamp())

    def on_change(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def changed(self) -> None:
        for callback in self._callbacks:
            callback()
        for event in self._watchers:
            event.set()

    async def until(self, condition: Callable[[], bool], timeout: float) -> None:
        """Returns once `condition` holds, looked at after every change. Raises `TimeoutError`."""
        event = asyncio.Event()
        self._watchers.add(event)
        try:
            async with asyncio.timeout(timeout):
                while not condition():
                    await event.wait()
                    event.clear()
        finally:
            self._watchers.discard(event)
