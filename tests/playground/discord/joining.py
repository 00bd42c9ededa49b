"""A real app in the stand-in, for tests that look at it from outside of this folder."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import discord
import pytest
import yarl

from bridge.playground.discord import DiscordServer
from tests.playground.discord.apps import App
from tests.playground.discord.clients import WAIT


@asynccontextmanager
async def joined(server: DiscordServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[App]:
    """With its commands registered; ends with the block."""
    monkeypatch.setattr(discord.http.Route, "BASE", server.api_url)
    monkeypatch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(server.gateway_url))
    app = App()
    running = asyncio.create_task(app.start(server.token))
    try:
        await app.until(lambda: app.ready_count > 0)
        await app.tree.sync()
        yield app
    finally:
        await app.close()
        async with asyncio.timeout(WAIT):
            await asyncio.gather(running, return_exceptions=True)
