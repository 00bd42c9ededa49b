"""Fetches files that an app made: from the configured server and the hosts that the operator has named, without the key, with
bounds on time and size.

An address comes out of an answer, so out of what a model or a tool said. It is never trusted to name a host. The configured
server may stand in a private network; every other host must be public, whatever its name leads to today.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

import aiohttp
from yarl import URL

from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.settings import Settings
from bridge.errors import BackendError, BackendFailed, BackendTimeout, BackendUnreachable
from bridge.messages import ProducedFile
from bridge.remote.outside import Outside

T = TypeVar("T")

_CHUNK = 64 * 1024
_MOST_REDIRECTS = 3
_WEB_PORTS = frozenset({80, 443})


class Fetcher:
    def __init__(self, client: DifyClient, settings: Settings) -> None:
        self._client = client
        self._outside = Outside(settings.dify_connect_timeout)
        self._hosts = settings.dify_file_hosts
        self._limit = settings.dify_file_timeout
        base = URL(settings.dify_base_url)
        own = URL(settings.dify_files_url) if settings.dify_files_url else None
        self._start = own or base.with_path(base.path.removesuffix("/v1") if base.path.endswith("/v1") else "/")
        """Where relative addresses begin, which Dify gives when it has no FILES_URL: beside the API, not below it."""
        self._places = [place for place in (base, own) if place is not None]

    async def fetch(self, file: ProducedFile, into: Path, most: int) -> str:
        """As `ProducesFiles.fetch`. Leaves nothing at `into` when it fails."""
        whole = False
        try:
            async with asyncio.timeout(self._limit):
                media_type = await self._fetch(file, into, most)
            whole = True
        except TimeoutError:
            raise BackendTimeout(f"a file did not come within {self._limit:g} s", code="file_timeout") from None
        finally:
            if not whole:
                await asyncio.to_thread(into.unlink, missing_ok=True)
        return media_type

    async def close(self) -> None:
        await self._outside.close()

    async def _fetch(self, file: ProducedFile, into: Path, most: int) -> str:
        url = self._resolve(file.address)
        for _ in range(_MOST_REDIRECTS + 1):
            async with self._open(url) as response:
                if 300 <= response.status < 400:
                    url = self._resolve(response.headers.get("Location", ""), url)
                    continue
                _check(response, file, most)
                await _write(response, into, most)
                return _media_type_of(response)
        raise _never("the server redirects without an end", "redirected")

    def _open(self, url: URL) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        own = any(_is_same_place(url, place) for place in self._places)
        return self._client.download(url) if own else self._outside.get(url)

    def _resolve(self, address: str, start: URL | None = None) -> URL:
        """The full address, if it is one of the configured server's or of a host that the operator has named."""
        try:
            url = URL(address)
            if not url.scheme and not url.host and url.path.startswith("/"):
                url = (
                    self._start.joinpath(url.path.lstrip("/")).with_query(url.query)
                    if start is None
                    else start.join(url)
                )
            allowed = url.scheme in ("http", "https") and url.user is None and url.password is None
            own = any(_is_same_place(url, place) for place in self._places)
            allowed = allowed and (own or _is_among(url, self._hosts))
        except (ValueError, TypeError):
            # Not with its cause, which spells the address.
            own = allowed = False
        if not allowed:
            raise _never("not from the configured server", "foreign_file")
        if not own or any(url.origin() == place.origin() for place in self._places):
            return url
        # FILES_URL often keeps its http:// when a proxy in front of Dify speaks TLS. The signature need not travel in the open.
        return next(
            url.with_scheme(place.scheme).with_port(None) for place in self._places if _is_same_place(url, place)
        )


def _is_same_place(url: URL, place: URL) -> bool:
    """The same host and port; plain and encrypted HTTP at their usual ports are one place."""
    if url.host != place.host:
        return False
    return url.port == place.port or {url.port, place.port} <= _WEB_PORTS


def _is_among(url: URL, hosts: frozenset[str]) -> bool:
    """At the usual port, unless the operator has named another."""
    return url.host is not None and (url.host if url.is_default_port() else f"{url.host}:{url.port}") in hosts


def _check(response: aiohttp.ClientResponse, file: ProducedFile, most: int) -> None:
    status = response.status
    if status >= 500 or status == 429:
        raise BackendUnreachable(f"the server answered {status} to a request for a file", code=f"http_{status}")
    if status != 200:
        # 403: the signature has run out (five minutes) or is wrong; asking again with the same one is no better.
        raise _never(f"the server answered {status} to a request for a file", f"http_{status}")
    if (response.content_length or 0) > most:
        raise _too_large(most)
    if _media_type_of(response) == "text/html" and not file.name.lower().endswith((".html", ".htm")):
        # A proxy's page where the file should be, to sign in for instance.
        raise _never("a web page came instead of the file", "not_a_file")


async def _write(response: aiohttp.ClientResponse, into: Path, most: int) -> None:
    size = 0
    out = await _on_disk(lambda: into.open("wb"))
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            size += len(chunk)
            if size > most:
                raise _too_large(most)
            await _on_disk(partial(out.write, chunk))
    finally:
        await asyncio.to_thread(out.close)


async def _on_disk(act: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(act)
    except OSError as problem:
        raise BackendFailed(f"a file cannot be kept: {problem.strerror}", code="disk") from problem


def _media_type_of(response: aiohttp.ClientResponse) -> str:
    return response.content_type if "Content-Type" in response.headers else ""


def _too_large(most: int) -> BackendError:
    return _never(f"the file has more than {most} bytes", "file_too_large")


def _never(detail: str, code: str) -> BackendError:
    error = BackendFailed(detail, code=code)
    error.may_retry = False
    return error
