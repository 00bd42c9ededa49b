"""HTTP to one server with OpenAI's API: its two calls and their time limits."""

import asyncio

from bridge.backends.openai.settings import Settings
from bridge.clock import Clock
from bridge.remote.calling import Answering, Caller, Line
from bridge.remote.framing import Json
from bridge.remote.refusing import Refusal

MODELS_BYTES = 4 * 1024 * 1024
"""Of a list of models. Gateways have some hundreds, with a page of text for each."""


class OpenAIClient:
    """One per backend."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        line = Line(
            base_url=settings.openai_base_url,
            key=settings.api_key,
            connect_timeout=settings.openai_connect_timeout,
            ca_file=settings.openai_ca_file,
        )
        self._caller = Caller(line, clock)

    async def ask(self, body: Json) -> Answering | Refusal:
        """Posts a question and waits for the headers. The caller ends the `Answering`. Raises `BackendError`."""
        wait = self._settings.openai_idle_timeout + self._settings.openai_connect_timeout
        response = await self._caller.send("POST", "/chat/completions", wait, body=body, replayable=False)
        if response.status == 200:
            return Answering(response)
        try:
            # A server that stalls in its refusal must not hold the place for ever.
            async with asyncio.timeout(self._settings.openai_control_timeout):
                return await Answering(response).refusal()
        except TimeoutError:
            return Refusal(status=response.status, headers=response.headers, body=b"")
        finally:
            response.close()

    async def get(self, path: str) -> Refusal:
        """Whatever the server answered. Raises `BackendError`."""
        return await self._caller.call("GET", path, self._settings.openai_control_timeout, max_bytes=MODELS_BYTES)

    async def close(self) -> None:
        await self._caller.close()
