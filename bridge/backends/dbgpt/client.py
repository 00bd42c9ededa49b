"""HTTP to one DB-GPT server: its calls, their time limits and its envelope. What an answer means is not known here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from bridge.backends.dbgpt.errors import explain_refusal
from bridge.backends.dbgpt.settings import Settings
from bridge.clock import Clock
from bridge.remote.calling import REFUSAL_BYTES, Answering, Caller, Line
from bridge.remote.framing import Json
from bridge.remote.refusing import Refusal


class Asked:
    """A question that was taken, and whose answer is being read."""

    def __init__(self, answering: Answering, hang_up: Callable[[], None]) -> None:
        self.answering = answering
        self._hang_up = hang_up
        self.was_cut = False

    def cut(self) -> None:
        """Closes the connection, with which DB-GPT ends the answer. There is no call for that."""
        self.was_cut = True
        self._hang_up()


class DbgptClient:
    """One per backend. Opened by its first call, on the event loop of that call."""

    def __init__(self, settings: Settings, clock: Clock, *, connect_attempts: int = 2, reconnect_pause: float = 0.3):
        self._settings = settings
        line = Line(
            base_url=settings.base_url,
            key=settings.api_key,
            connect_timeout=settings.dbgpt_connect_timeout,
            ca_file=settings.dbgpt_ca_file,
        )
        self._caller = Caller(line, clock, connect_attempts=connect_attempts, reconnect_pause=reconnect_pause)

    @asynccontextmanager
    async def ask(self, body: Json) -> AsyncIterator[Asked]:
        """Posts a question and waits for the headers, which come before the model has said anything.

        Leaving the block before the end of the body closes the connection. Raises `BackendError`.
        """
        wait = self._settings.dbgpt_idle_timeout + self._settings.dbgpt_connect_timeout
        response = await self._caller.send("POST", "/api/v2/chat/completions", wait, body=body, replayable=False)
        try:
            answering = Answering(response)
            if response.status != 200 or "event-stream" not in answering.content_type:
                # A server that stalls in its refusal must not hold the place for ever.
                try:
                    async with asyncio.timeout(self._settings.dbgpt_control_timeout):
                        refusal = await answering.refusal()
                except TimeoutError:
                    refusal = Refusal(status=response.status, headers=response.headers, body=b"")
                raise explain_refusal(refusal)
            yield Asked(answering, response.close)
        finally:
            response.close()

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        max_bytes: int = REFUSAL_BYTES,
    ) -> object:
        """One short call: the `data` of DB-GPT's envelope. Raises `BackendError`, also for `"success": false`."""
        limit = self._settings.dbgpt_control_timeout
        reply = await self._caller.call(method, path, limit, body=body, query=query, max_bytes=max_bytes)
        envelope = reply.read()
        if reply.status != 200 or envelope.get("success") is not True:
            raise explain_refusal(reply)
        return envelope.get("data")

    async def close(self) -> None:
        await self._caller.close()
