"""A stand-in Slack and the real adapter, over real sockets."""

from collections.abc import AsyncIterator

import pytest

from adapters.slack.adapter import SlackPlatform
from bridge.messages import ReplyTarget
from bridge.playground.slack import SlackServer
from tests.adapters.slack.peer import Bridge, make_platform, target_under
from tests.fakes.ports import free_port


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    """Retries come at once, so that no test waits for Slack's own minutes."""
    server = SlackServer()
    server.ack_timeout = 0.5
    server.retry_schedule = (0.05, 0.05, 0.05)
    server.sockets.disconnect_grace = 0.3
    await server.start(port=free_port())
    yield server
    await server.stop()


@pytest.fixture
async def platform(server: SlackServer) -> AsyncIterator[SlackPlatform]:
    """Not running yet."""
    platform = make_platform(server)
    yield platform
    await platform.close()


@pytest.fixture
async def bridge(server: SlackServer, platform: SlackPlatform) -> AsyncIterator[Bridge]:
    """The adapter hears by Socket Mode and hands everything to `bridge.inbox`."""
    async with Bridge(server, platform) as bridge:
        yield bridge


@pytest.fixture
async def root(server: SlackServer) -> str:
    """The `ts` of a question in #general, below which a thread may begin."""
    return await server.post_as("U0ADA", "C0GENERAL", "a question")


@pytest.fixture
def target(server: SlackServer, root: str) -> ReplyTarget:
    return target_under(server, "C0GENERAL", root)
