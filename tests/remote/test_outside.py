"""Addresses that came out of an answer lead to public places or nowhere."""

import socket
from collections.abc import AsyncIterator, Sequence

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from bridge.errors import BackendError, BackendUnreachable
from bridge.remote import outside
from bridge.remote.outside import NotPublic, Outside, PublicResolver, is_public
from tests.contracts.wire import PAGE, Said, WireServer, listening


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_of_the_world_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "0.0.0.0",  # noqa: S104  nobody listens
        "10.0.0.7",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "2001:db8::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:0001::",
        "localhost",
        "",
    ],
)
def test_addresses_of_ones_own_are_not(address: str) -> None:
    assert not is_public(address)


class Told(AbstractResolver):
    """Names lead where a test says, each time to the next place."""

    def __init__(self, *places: Sequence[str]) -> None:
        self.places = list(places)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = self.places.pop(0) if len(self.places) > 1 else self.places[0]
        return [
            ResolveResult(hostname=host, host=one, port=port, family=socket.AF_INET, proto=0, flags=0) for one in found
        ]

    async def close(self) -> None:
        pass


async def test_a_name_that_leads_home_by_one_of_its_addresses_is_refused() -> None:
    with pytest.raises(NotPublic):
        await PublicResolver(Told(["8.8.8.8", "10.0.0.7"])).resolve("cdn.example.com", 443)


@pytest.fixture
async def server() -> AsyncIterator[WireServer]:
    async with listening(WireServer("/", {"/a.png": Said(headers=PAGE, steps=[b"content"])})) as server:
        yield server


def lead(monkeypatch: pytest.MonkeyPatch, *places: Sequence[str]) -> None:
    told = Told(*places)

    async def resolve(
        _: object, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return await told.resolve(host, port, family)

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", resolve)
    monkeypatch.setattr(aiohttp.DefaultResolver, "resolve", resolve)


async def get(url: URL) -> bytes:
    reaching = Outside(2.0)
    try:
        async with reaching.get(url) as response:
            return await response.read()
    finally:
        await reaching.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "cdn.example.com", "2130706433", "127.1"])
async def test_nothing_is_asked_where_an_address_leads_home(
    monkeypatch: pytest.MonkeyPatch, server: WireServer, host: str
) -> None:
    lead(monkeypatch, ["127.0.0.1"])
    port = URL(server.origin).port

    with pytest.raises(BackendError) as caught:
        await get(URL(f"http://{host}:{port}/a.png?sign=secret"))

    assert caught.value.code == "private_address"
    assert not caught.value.may_retry
    assert "secret" not in str(caught.value)
    assert server.called == []
    assert server.most_open == 0


async def test_a_name_that_leads_elsewhere_the_second_time_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch, server: WireServer
) -> None:
    # As if this machine were a public place; 10.0.0.7 is not.
    monkeypatch.setattr(outside, "is_public", lambda address: address == "127.0.0.1")
    lead(monkeypatch, ["127.0.0.1"], ["10.0.0.7"])
    url = URL(f"http://cdn.example.com:{URL(server.origin).port}/a.png")
    reaching = Outside(2.0)

    async with reaching.get(url) as response:
        assert await response.read() == b"content"
    with pytest.raises(BackendError) as caught:
        async with reaching.get(url):
            pass
    await reaching.close()

    assert caught.value.code == "private_address"
    assert server.called == ["GET /a.png"]


async def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch, server: WireServer) -> None:
    monkeypatch.setattr(outside, "is_public", lambda address: True)
    lead(monkeypatch, ["127.0.0.1"])
    server.others["/b.png"] = Said(status=302, headers={**PAGE, "Location": "/a.png"})
    reaching = Outside(2.0)

    async with reaching.get(URL(f"http://cdn.example.com:{URL(server.origin).port}/b.png")) as response:
        assert response.status == 302
    await reaching.close()

    assert server.called == ["GET /b.png"]


async def test_a_name_that_nobody_knows_may_be_known_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object, **__: object) -> object:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(aiohttp.ThreadedResolver, "resolve", fail)
    monkeypatch.setattr(aiohttp.DefaultResolver, "resolve", fail)

    with pytest.raises(BackendUnreachable):
        await get(URL("https://cdn.example.com/a.png"))
