"""HTTP to one server: connections, time limits, and the translation of everything that can go wrong there.

What is sent and what the bytes of an answer mean is not known here. Nothing is ever repeated, but for one thing: connecting, when
it provably failed before a request had left.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from yarl import URL

from bridge.clock import Clock
from bridge.errors import BackendCut, BackendError, BackendFailed, BackendTimeout, BackendUnreachable
from bridge.remote.connecting import explain_failed_connection, may_pass
from bridge.remote.framing import Json
from bridge.remote.refusing import Refusal

# gunicorn, as Dify's image runs it, closes a connection that was idle for 2 s (measured: reused at 1.9 s, gone at 2.5 s),
# uvicorn after 5 s. A question must not go out on a connection that is just being closed: nobody could say whether it arrived.
KEEP_IDLE_SECONDS = 1.5

# Refusals are below 1 KiB; a proxy's page may be larger and is not worth reading.
REFUSAL_BYTES = 64 * 1024

Form = Callable[[], Awaitable[aiohttp.FormData]]
"""Fills in a form. Called for each attempt, since a form can be sent once only, and a file in it is closed by an attempt that
could not even connect."""


class Answering:
    """A response whose body is being read."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.content_type = response.headers.get("Content-Type", "").lower()

    async def read(self) -> bytes:
        """Whatever has arrived, waiting for it if need be; b"" at the end. Raises `BackendCut`."""
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, ConnectionError) as problem:
            # Once the connection is lost, aiohttp refuses even what it has already received.
            if rest := self._response.content._read_nowait(-1):  # noqa: SLF001  there is no public way to it
                return rest
            raise BackendCut(f"the stream broke off: {type(problem).__name__}", code="cut") from problem

    def close(self) -> None:
        """Closes the connection, unless the response was read to its end."""
        self._response.close()

    def end(self) -> None:
        """Closes the connection. Whoever reads meanwhile reads what has arrived, and then the end."""
        # Closing alone would leave the reader waiting: nobody tells it.
        self._response.content.feed_eof()
        self._response.close()

    async def read_whole(self, max_bytes: int) -> bytes:
        """Everything up to the end. Raises `BackendCut` or, past `max_bytes`, `BackendFailed`."""
        whole = bytearray()
        while chunk := await self.read():
            whole += chunk
            if len(whole) > max_bytes:
                raise BackendFailed(f"the reply is larger than {max_bytes} bytes", code="reply_too_large")
        return bytes(whole)

    async def refusal(self, max_bytes: int = REFUSAL_BYTES) -> Refusal:
        """This response as a refusal, with as much of its body as is worth reading."""
        body = bytearray()
        try:
            while len(body) < max_bytes and (chunk := await self._response.content.readany()):
                body += chunk
        except (aiohttp.ClientError, ConnectionError):
            # Status and headers say enough.
            pass
        return Refusal(status=self._response.status, headers=self._response.headers, body=bytes(body[:max_bytes]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How a server is reached."""

    base_url: str
    key: str
    """For the Authorization header and nothing else; "" sends none."""
    connect_timeout: float
    """Seconds."""
    ca_file: Path | None = None


class Caller:
    """One per backend. Opened by its first call, on the event loop of that call."""

    def __init__(
        self,
        line: Line,
        clock: Clock,
        *,
        connect_attempts: int = 2,
        reconnect_pause: float = 0.3,
        named: Callable[[str], str] = str,
    ) -> None:
        """`named`: a path as errors may name it, without what is secret in it."""
        self._named = named
        self._line = line
        self._clock = clock
        self._connect_attempts = connect_attempts
        self._reconnect_pause = reconnect_pause
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self,
        method: str,
        path: str,
        limit: float,
        *,
        body: Json | None = None,
        form: Form | None = None,
        query: Mapping[str, str] | None = None,
        max_bytes: int = REFUSAL_BYTES,
        code: str = "control_timeout",
    ) -> Refusal:
        """One short call of at most `limit` seconds. Returns whatever the server answered; raises `BackendError` only when
        nothing usable came back, with `code` when it took too long."""
        try:
            async with asyncio.timeout(limit):
                response = await self.send(method, path, limit, body=body, form=form, query=query, replayable=True)
                try:
                    return await Answering(response).refusal(max_bytes)
                finally:
                    response.close()
        except TimeoutError as problem:
            raise BackendTimeout(
                f"no answer to {method} {self._named(path)} within {limit:g} s", code=code
            ) from problem

    async def send(
        self,
        method: str,
        path: str,
        wait: float,
        *,
        body: Json | None = None,
        form: Form | None = None,
        query: Mapping[str, str] | None = None,
        replayable: bool,
    ) -> aiohttp.ClientResponse:
        """Waits at most `wait` seconds for the headers. The caller closes the response. `replayable`: it does no harm when it
        arrives and is made again. Raises `BackendError`."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._send_once(method, path, wait, body, form, query, replayable=replayable)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
                error = explain_failed_connection(problem, str(URL(self._line.base_url).origin()))
                if attempt >= self._connect_attempts or not may_pass(error):
                    raise error from problem
            await self._clock.sleep(self._reconnect_pause)

    async def _send_once(
        self,
        method: str,
        path: str,
        wait: float,
        body: Json | None,
        form: Form | None,
        query: Mapping[str, str] | None,
        *,
        replayable: bool,
    ) -> aiohttp.ClientResponse:
        """Lets through what says that no connection was made; everything else is translated."""
        url = self._line.base_url + path
        try:
            async with asyncio.timeout(wait):
                return await self.session().request(
                    # Dify 1.x refuses a call with the JSON content type and no body; a GET has neither.
                    method,
                    url,
                    json=body,
                    data=await form() if form is not None else None,
                    params=query,
                    headers={"Authorization": f"Bearer {self._line.key}"} if self._line.key else None,
                    allow_redirects=False,
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise
        except TimeoutError as problem:
            detail = f"no answer from {method} {self._named(path)} within {wait:g} s"
            raise BackendTimeout(detail, code="no_answer") from problem
        except (aiohttp.ClientError, ConnectionError) as problem:
            raise _broken(problem, replayable=replayable) from problem

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def session(self) -> aiohttp.ClientSession:
        """For what goes elsewhere than `send`: without the key."""
        if self._session is None:
            trust: ssl.SSLContext | bool = True
            if self._line.ca_file is not None:
                trust = ssl.create_default_context()
                trust.load_verify_locations(cafile=self._line.ca_file)
            self._session = aiohttp.ClientSession(
                # No limit here: places for answers are counted by the backend, and Stop must never wait for one.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_IDLE_SECONDS, ssl=trust),
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=self._line.connect_timeout, sock_connect=None, sock_read=None
                ),
                # The key is not among these: files are fetched without it.
                headers={
                    # A compressing proxy would hold events back until it has a block's worth.
                    "Accept-Encoding": "identity",
                    "User-Agent": "dify-chat-bridge",
                },
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _broken(problem: aiohttp.ClientError | ConnectionError, *, replayable: bool) -> BackendError:
    """The connection broke after it stood: the request may have arrived."""
    detail = f"the connection broke before the answer began: {type(problem).__name__}"
    if replayable:
        return BackendUnreachable(detail, code="broken")
    return BackendCut(detail, code="cut")
