"""A running stand-in whose retries come at once."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from tests.fakes.ports import free_port
from tests.playground.slack.peers import web_client


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    server = SlackServer()
    server.ack_timeout = 0.3
    server.retry_schedule = (0.0, 0.02, 0.02)
    server.sockets.disconnect_grace = 0.3
    await server.start(port=free_port())
    yield server
    await server.stop()


@pytest.fixture
def client(server: SlackServer) -> AsyncWebClient:
    """The SDK's client as it is, but without its habit of repeating calls."""
    return web_client(server)
