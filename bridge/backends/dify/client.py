"""HTTP to one Dify server: its calls and their time limits. What the bytes of an answer mean is not known here."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from bridge.backends.dify.errors import explain_refusal
from bridge.backends.dify.lacking import Lacks
from bridge.backends.dify.settings import Settings
from bridge.clock import Clock
from bridge.errors import BackendUnreachable
from bridge.remote.calling import REFUSAL_BYTES, Answering, Caller, Form, Line
from bridge.remote.connecting import explain_failed_connection
from bridge.remote.framing import Json
from bridge.remote.refusing import Refusal

FORM_PATH = "/form/human_input/"
"""What follows it opens the form to whoever knows it, and is never named."""


class DifyClient:
    """One per backend. Opened by its first call, on the event loop of that call."""

    def __init__(
        self, settings: Settings, clock: Clock, *, connect_attempts: int = 2, reconnect_pause: float = 0.3
    ) -> None:
        self._settings = settings
        line = Line(
            base_url=settings.dify_base_url,
            key=settings.api_key,
            connect_timeout=settings.dify_connect_timeout,
            ca_file=settings.dify_ca_file,
        )
        self._caller = Caller(
            line, clock, connect_attempts=connect_attempts, reconnect_pause=reconnect_pause, named=_named
        )
        self.version = ""
        """Dify's version as its last answer told it; "" before, and behind proxies that drop the header."""
        self.lacks = Lacks(clock)

    @asynccontextmanager
    async def ask(self, path: str, body: Json) -> AsyncIterator[Answering]:
        """Posts a question and waits for the headers, which come with the first event or ping.

        Leaving the block before the end of the body closes the connection. Raises `BackendError`.
        """
        continuing = bool(body.get("conversation_id"))
        async with self._stream("POST", path, body=body, replayable=False, continuing=continuing) as answering:
            yield answering

    @asynccontextmanager
    async def listen(self, path: str, query: Mapping[str, str]) -> AsyncIterator[Answering]:
        """The stream of something that goes on by itself. As `ask`."""
        async with self._stream("GET", path, query=query, replayable=True) as answering:
            yield answering

    @asynccontextmanager
    async def _stream(
        self,
        method: str,
        path: str,
        *,
        body: Json | None = None,
        query: Mapping[str, str] | None = None,
        replayable: bool,
        continuing: bool = False,
    ) -> AsyncIterator[Answering]:
        wait = self._settings.dify_idle_timeout + self._settings.dify_connect_timeout
        response = await self._caller.send(method, path, wait, body=body, query=query, replayable=replayable)
        self._note_version(response.headers)
        try:
            answering = Answering(response)
            if response.status != 200:
                # A server that stalls in its refusal must not hold the place for ever.
                try:
                    async with asyncio.timeout(self._settings.dify_control_timeout):
                        refusal = await answering.refusal()
                except TimeoutError:
                    refusal = Refusal(status=response.status, headers=response.headers, body=b"")
                raise explain_refusal(refusal, continuing=continuing)
            yield answering
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
        limit: float | None = None,
    ) -> Refusal:
        """One short call. Returns whatever Dify answered; raises `BackendError` only when nothing usable came back.

        It may take `limit` seconds, DIFY_CONTROL_TIMEOUT unless told otherwise.
        """
        limit = self._settings.dify_control_timeout if limit is None else limit
        reply = await self._caller.call(method, path, limit, body=body, query=query, max_bytes=max_bytes)
        self._note_version(reply.headers)
        self.lacks.note(path, reply)
        return reply

    async def post_form(self, path: str, form: Form, limit: float, max_bytes: int = REFUSAL_BYTES) -> Refusal:
        """Posts what `form` fills in, and returns whatever Dify answered within `limit` seconds. Raises `BackendError`."""
        reply = await self._caller.call("POST", path, limit, form=form, max_bytes=max_bytes, code="upload_timeout")
        self._note_version(reply.headers)
        self.lacks.note(path, reply)
        return reply

    @asynccontextmanager
    async def download(self, url: URL) -> AsyncIterator[aiohttp.ClientResponse]:
        """Gets a file: without the key, and without following where a redirect leads. The caller bounds the time.

        What is raised names the host at most, for the rest of the address is a secret.
        """
        try:
            async with self._caller.session().get(url, allow_redirects=False) as response:
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
            raise explain_failed_connection(problem, str(url.origin())) from problem
        except (aiohttp.ClientError, ConnectionError) as problem:
            # Not with its cause: some of aiohttp's errors spell the address.
            raise BackendUnreachable(
                f"the connection broke while a file came: {type(problem).__name__}", code="broken"
            ) from None

    async def close(self) -> None:
        await self._caller.close()

    def _note_version(self, headers: Mapping[str, str]) -> None:
        self.version = headers.get("X-Version", self.version)[:40]


def _named(path: str) -> str:
    return f"{FORM_PATH}…" if path.startswith(FORM_PATH) else path
