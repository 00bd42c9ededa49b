"""The same stand-in and adapter, by a clock that stands still until a test moves it."""

from collections.abc import AsyncIterator

import pytest

from adapters.slack.adapter import SlackPlatform
from bridge.playground.slack import SlackServer
from tests.adapters.slack.peer import make_timed_platform
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[SlackServer]:
    """Sends no events: nobody listens here."""
    server = SlackServer(clock=clock)
    server.workspace.emit = lambda event, channel: None
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def platform(server: SlackServer, clock: FakeClock) -> AsyncIterator[SlackPlatform]:
    platform = make_timed_platform(server, clock)
    yield platform
    await platform.close()


@pytest.fixture
async def heir(server: SlackServer, clock: FakeClock) -> AsyncIterator[SlackPlatform]:
    """The process that comes after `platform` and remembers nothing."""
    platform = make_timed_platform(server, clock)
    yield platform
    await platform.close()
