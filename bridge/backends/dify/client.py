"""HTTP to one Dify server: connections, time limits, and the translation of everything that can go wrong there.

What the bytes of an answer mean is not known here. Nothing is ever repeated, but for one thing: connecting, when it provably
failed before a request had left.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from bridge.backends.dify.connecting import explain_failed_connection, may_pass
from bridge.backends.dify.errors import Refusal, explain_refusal
from bridge.backends.dify.framing import Json
from bridge.backends.dify.settings import Settings
from bridge.clock import Clock
from bridge.errors import BackendCut, BackendError, BackendFailed, BackendTimeout, BackendUnreachable

# gunicorn in Dify's image closes a connection that was idle for 2 s (measured: reused at 1.9 s, gone at 2.5 s). A question
# must not go out on a connection that is just being closed, for nobody could say whether it arrived.
KEEP_IDLE_SECONDS = 1.5

# Dify's refusals are below 1 KiB; a proxy's page may be larger and is not worth reading.
REFUSAL_BYTES = 64 * 1024

FORM_PATH = "/form/human_input/"
"""What follows it opens the form to whoever knows it, and is never named."""

Form = Callable[[], Awaitable[aiohttp.FormData]]
"""Fills in a form. Called for each attempt, since a form can be sent once only, and a file in it is closed by an attempt that
could not even connect."""


class Answering:
    """A response of Dify whose body is being read."""

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


class DifyClient:
    """One per backend. Opened by its first call, on the event loop of that call."""

    def __init__(
        self, settings: Settings, clock: Clock, *, connect_attempts: int = 2, reconnect_pause: float = 0.3
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._connect_attempts = connect_attempts
        self._reconnect_pause = reconnect_pause
        self._session: aiohttp.ClientSession | None = None
        self.version = ""
        """Dify's version as its last answer told it; "" before, and behind proxies that drop the header."""

    @asynccontextmanager
    async def ask(self, body: Json) -> AsyncIterator[Answering]:
        """Posts a question and waits for the headers, which come with the first event or ping.

        Leaving the block before the end of the body closes the connection. Raises `BackendError`.
        """
        continuing = bool(body.get("conversation_id"))
        async with self._stream(
            "POST", "/chat-messages", body=body, replayable=False, continuing=continuing
        ) as answering:
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
        response = await self._request(method, path, wait, body=body, query=query, replayable=replayable)
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
        try:
            async with asyncio.timeout(limit):
                response = await self._request(method, path, limit, body=body, query=query, replayable=True)
                try:
                    return await Answering(response).refusal(max_bytes)
                finally:
                    response.close()
        except TimeoutError as problem:
            raise BackendTimeout(
                f"no answer to {method} {_named(path)} within {limit:g} s", code="control_timeout"
            ) from problem

    async def post_form(self, path: str, form: Form, limit: float, max_bytes: int = REFUSAL_BYTES) -> Refusal:
        """Posts what `form` fills in, and returns whatever Dify answered within `limit` seconds. Raises `BackendError`."""
        try:
            async with asyncio.timeout(limit):
                response = await self._request("POST", path, limit, form=form, replayable=True)
                try:
                    return await Answering(response).refusal(max_bytes)
                finally:
                    response.close()
        except TimeoutError as problem:
            raise BackendTimeout(f"POST {path} took longer than {limit:g} s", code="upload_timeout") from problem

    @asynccontextmanager
    async def download(self, url: URL) -> AsyncIterator[aiohttp.ClientResponse]:
        """Gets a file: without the key, and without following where a redirect leads. The caller bounds the time.

        What is raised names the host at most, for the rest of the address is a secret.
        """
        try:
            async with self._opened().get(url, allow_redirects=False) as response:
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
            raise explain_failed_connection(problem, str(url.origin())) from problem
        except (aiohttp.ClientError, ConnectionError) as problem:
            # Not with its cause: some of aiohttp's errors spell the address.
            raise BackendUnreachable(
                f"the connection broke while a file came: {type(problem).__name__}", code="broken"
            ) from None

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _request(
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
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._request_once(method, path, wait, body, form, query, replayable=replayable)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
                error = explain_failed_connection(problem, str(URL(self._settings.dify_base_url).origin()))
                if attempt >= self._connect_attempts or not may_pass(error):
                    raise error from problem
            await self._clock.sleep(self._reconnect_pause)

    async def _request_once(
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
        url = self._settings.dify_base_url + path
        try:
            async with asyncio.timeout(wait):
                response = await self._opened().request(
                    # 1.x refuses a call with the JSON content type and no body; a GET has neither.
                    method,
                    url,
                    json=body,
                    data=await form() if form is not None else None,
                    params=query,
                    headers={"Authorization": f"Bearer {self._settings.api_key}"},
                    allow_redirects=False,
                )
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            raise
        except TimeoutError as problem:
            raise BackendTimeout(
                f"no answer from {method} {_named(path)} within {wait:g} s", code="no_answer"
            ) from problem
        except (aiohttp.ClientError, ConnectionError) as problem:
            raise _broken(problem, replayable=replayable) from problem
        self.version = response.headers.get("X-Version", self.version)[:40]
        return response

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            trust: ssl.SSLContext | bool = True
            if self._settings.dify_ca_file is not None:
                trust = ssl.create_default_context()
                trust.load_verify_locations(cafile=self._settings.dify_ca_file)
            self._session = aiohttp.ClientSession(
                # No limit here: places for answers are counted by the backend, and Stop must never wait for one.
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_IDLE_SECONDS, ssl=trust),
                timeout=aiohttp.ClientTimeout(
                    total=None, connect=self._settings.dify_connect_timeout, sock_connect=None, sock_read=None
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


def _named(path: str) -> str:
    return f"{FORM_PATH}…" if path.startswith(FORM_PATH) else path


def _broken(problem: aiohttp.ClientError | ConnectionError, *, replayable: bool) -> BackendError:
    """The connection broke after it stood: the request may have arrived."""
    detail = f"the connection broke before the answer began: {type(problem).__name__}"
    if replayable:
        return BackendUnreachable(detail, code="broken")
    return BackendCut(detail, code="cut")
