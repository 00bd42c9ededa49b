"""Gets what stands at public addresses and nowhere else, for addresses that a model or a tool has named.

A name says nothing: it may lead into the operator's own network, and to another place a second later. So what it leads to is
looked at, and the connection is made to just that.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from socket import AddressFamily

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bridge.errors import BackendError, BackendFailed, BackendUnreachable
from bridge.remote.connecting import explain_failed_connection

_NAT64 = IPv6Network("64:ff9b::/96")
"""Addresses of the other family behind a translator, which may lead home as well."""


class NotPublic(OSError):
    """A name leads to an address that is not everybody's."""


def is_public(address: str) -> bool:
    """Whether everybody in the world means the same by this address."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(one.is_global and not one.is_multicast for one in (ip, *_within(ip)))


def _within(ip: IPv4Address | IPv6Address) -> list[IPv4Address]:
    """The addresses of the other family that one stands for."""
    if isinstance(ip, IPv4Address):
        return []
    inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
    if ip in _NAT64:
        inner.append(IPv4Address(int(ip) & 0xFFFF_FFFF))
    return [one for one in inner if one is not None]


class PublicResolver(AbstractResolver):
    """Resolves names that lead to public addresses alone."""

    def __init__(self, inner: AbstractResolver) -> None:
        self._inner = inner

    async def resolve(
        self, host: str, port: int = 0, family: AddressFamily = AddressFamily.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        if not all(is_public(one["host"]) for one in found):
            raise NotPublic(f"{host} leads into a private network")
        return found

    async def close(self) -> None:
        await self._inner.close()


class Outside:
    """Opened by its first call, on the event loop of that call."""

    def __init__(self, connect_timeout: float) -> None:
        self._connect_timeout = connect_timeout
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def get(self, url: URL) -> AsyncIterator[aiohttp.ClientResponse]:
        """Without following where a redirect leads. The caller bounds the time. What is raised names the host at most, for the
        rest of the address may be a secret. Raises `BackendError`; its `may_retry` is False for an address that is not public."""
        if _is_literal(url) and not is_public(url.host or ""):
            raise _private(url)
        try:
            async with self._opened().get(url, allow_redirects=False) as response:
                yield response
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as problem:
            if isinstance(problem, aiohttp.ClientConnectorError) and isinstance(problem.os_error, NotPublic):
                raise _private(url) from None
            raise explain_failed_connection(problem, str(url.origin())) from problem
        except aiohttp.InvalidURL:
            # Numbers that some would take for an address.
            raise _private(url) from None
        except (aiohttp.ClientError, ConnectionError) as problem:
            # Not with its cause: some of aiohttp's errors spell the address.
            raise BackendUnreachable(
                f"the connection broke while a file came: {type(problem).__name__}", code="broken"
            ) from None

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                # Nothing is remembered: each connection is to an address that was looked at for it.
                connector=aiohttp.TCPConnector(
                    resolver=PublicResolver(aiohttp.DefaultResolver()), use_dns_cache=False, force_close=True
                ),
                timeout=aiohttp.ClientTimeout(total=None, connect=self._connect_timeout),
                headers={"Accept-Encoding": "identity", "User-Agent": "dify-chat-bridge"},
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session


def _is_literal(url: URL) -> bool:
    try:
        ip_address(url.host or "")
    except ValueError:
        return False
    return True


def _private(url: URL) -> BackendError:
    error = BackendFailed(f"{url.host} is no public address", code="private_address")
    error.may_retry = False
    return error
