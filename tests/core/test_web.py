"""Health over HTTP: alive at once, ready only when questions would be answered."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from bridge.errors import SettingsError
from bridge.messages import PlatformName
from bridge.metrics import Metrics
from bridge.web.routes import WebRoute
from bridge.web.server import WebServer

State = tuple[bool, Mapping[str, object]]


@asynccontextmanager
async def serving(
    state: State, routes: tuple[WebRoute, ...] = (), metrics: Metrics | None = None
) -> AsyncIterator[tuple[WebServer, aiohttp.ClientSession]]:
    async def readiness() -> State:
        return state

    server = WebServer(host="127.0.0.1", port=0, readiness=readiness, routes=routes, metrics=metrics)
    await server.start()
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{server.port}") as session:
            yield server, session
    finally:
        await server.stop()


async def test_alive_does_not_mean_ready_and_readyz_says_why() -> None:
    async with serving((False, {"problems": ["slack is not connected"]})) as (_, session):
        async with session.get("/livez") as response:
            assert (response.status, await response.json()) == (200, {"alive": True})
        async with session.get("/readyz") as response:
            assert response.status == 503
            assert json.loads(await response.text()) == {"ready": False, "problems": ["slack is not connected"]}


async def test_ready_is_200() -> None:
    async with serving((True, {})) as (_, session), session.get("/readyz") as response:
        assert response.status == 200


async def test_routes_of_platforms_are_served_beside() -> None:
    async def hello(_: web.Request) -> web.Response:
        return web.Response(text="hello")

    route = WebRoute(method="POST", path="/fake/events", handler=hello)
    async with serving((True, {}), (route,)) as (_, session):
        async with session.post("/fake/events") as response:
            assert await response.text() == "hello"
        async with session.get("/fake/events") as response:
            assert response.status == 405


async def test_metrics_are_read_as_prometheus_reads_them() -> None:
    metrics = Metrics()
    metrics.retried(PlatformName("slack"))
    async with serving((False, {}), metrics=metrics) as (_, session), session.get("/metrics") as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        lines = (await response.text()).splitlines()
    assert 'bridge_retries_total{platform="slack"} 1.0' in lines
    assert "# TYPE bridge_first_text_seconds histogram" in lines


async def test_a_taken_port_is_named_with_the_fix() -> None:
    async with serving((True, {})) as (server, _):
        second = WebServer(host="127.0.0.1", port=server.port, readiness=server._readiness)
        with pytest.raises(SettingsError, match=rf"HTTP_PORT: port {server.port} .* is taken"):
            await second.start()


async def test_what_is_no_http_is_refused_without_a_stack_trace(caplog: pytest.LogCaptureFixture) -> None:
    async def read(request: web.Request) -> web.Response:
        return web.Response(body=await request.read())

    async with serving((True, {}), (WebRoute(method="POST", path="/slack/events", handler=read),)) as (server, _):
        for nonsense in (
            b"NOT HTTP AT ALL\r\n\r\n",
            b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
            b"POST /slack/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(nonsense)
            async with asyncio.timeout(5):
                assert b" 400 " in await reader.readline()
            writer.close()
            await writer.wait_closed()
    assert [record for record in caplog.records if record.exc_info] == []
