"""A started stand-in, the library pointed at it, and clients that end with the test."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import discord
import pytest
import yarl

from bridge.playground.discord import DiscordServer
from tests.playground.discord.apps import App
from tests.playground.discord.clients import INTENTS, WAIT, Listener, Raw

Connect = Callable[..., Awaitable[Listener]]


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    server = DiscordServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def pointed(server: DiscordServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real library, with its two addresses changed for this test."""
    monkeypatch.setattr(discord.http.Route, "BASE", server.api_url)
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))


@pytest.fixture
async def connect(server: DiscordServer, pointed: None) -> AsyncIterator[Connect]:
    """Starts clients that are ready when it returns."""
    started: list[tuple[Listener, asyncio.Task[None]]] = []

    async def start(intents: discord.Intents = INTENTS, kind: type[Listener] = Listener) -> Listener:
        client = kind(intents)
        started.append((client, asyncio.create_task(client.start(server.token))))
        await client.until(lambda: client.ready_count > 0)
        return client

    yield start
    for client, task in started:
        await client.close()
        async with asyncio.timeout(WAIT):
            # A test that broke the client on purpose has looked at its error already.
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def client(connect: Connect) -> Listener:
    return await connect()


@pytest.fixture
async def app(connect: Connect) -> App:
    """A client whose commands are registered."""
    app = await connect(kind=App)
    assert isinstance(app, App)
    await app.tree.sync()
    return app


@pytest.fixture
async def raw(server: DiscordServer) -> AsyncIterator[Raw]:
    async with aiohttp.ClientSession() as http:
        yield Raw(server, http)
