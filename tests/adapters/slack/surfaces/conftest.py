"""The adapter, heard by both transports, and people who use what it shows."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp import web

from bridge.playground.slack import SlackServer
from tests.adapters.slack.peer import Bridge, make_platform
from tests.adapters.slack.surfaces.hall import Hall

Opening = Callable[..., AbstractAsyncContextManager[Hall]]


@pytest.fixture(params=["socket", "http"])
def opening(request: pytest.FixtureRequest, server: SlackServer) -> Opening:
    """Opens a hall with other settings."""

    @asynccontextmanager
    async def open_hall(**changes: object) -> AsyncIterator[Hall]:
        http = request.param == "http"
        server.ack_timeout = 3.0
        platform = make_platform(server, http=http, **changes)
        app = web.Application()
        for route in platform.web_routes():
            app.router.add_route(route.method, route.path, route.handler)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        if http:
            server.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        async with Bridge(server, platform) as bridge:
            yield Hall(bridge)
        await platform.close()
        await runner.cleanup()

    return open_hall


@pytest.fixture
async def hall(opening: Opening) -> AsyncIterator[Hall]:
    async with opening() as hall:
        yield hall
