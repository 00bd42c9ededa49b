"""The backend contract, bound to Dify: every kind of app, as old and as newer servers speak."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest

from bridge.backend_api import Backend
from bridge.backends.dify.backend import DifyBackend
from bridge.clock import SystemClock
from bridge.messages import BackendIds
from bridge.playground.dify import DifyServer, Reply, cut
from tests.backends.dify.asking import make_settings
from tests.contracts.backend_suite import BackendContract, BackendStage
from tests.fakes.ports import free_port


class MovedClock(SystemClock):
    """The real time, and so many seconds more."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


class DifyStage:
    def __init__(self, server: DifyServer, clock: MovedClock) -> None:
        self._server = server
        self._clock = clock
        settings = make_settings(server.base_url, dify_api_key=server.api_key, dify_finish_grace=0.5)
        self.backend: Backend = DifyBackend(settings, SystemClock(), look_again=0.05)

    def say(self, tokens: Sequence[str], *, pause: float = 0.0, breaks_after: int | None = None) -> None:
        fault = None if breaks_after is None else cut(at=breaks_after)
        self._server.script = lambda query: Reply(tokens=tokens, first_token=0, per_token=pause, fault=fault)

    def asked(self) -> int:
        return len(self._server.requests)

    def rating_of(self, ids: BackendIds) -> str | None:
        rating = self._server.ratings.get(ids.message or "")
        return rating.rating if rating else None

    async def noticed_departure(self) -> None:
        await self._server.until(lambda: self._server.requests[-1].ended == "client_closed")

    async def all_ended(self) -> None:
        await self._server.until(lambda: all(request.ended != "running" for request in self._server.requests))

    async def another_second(self) -> None:
        self._clock.ahead += timedelta(seconds=1)

    async def go_down(self) -> None:
        await self._server.stop()


@pytest.fixture(
    params=[("chat", "0.15.3"), ("chat", "1.12.1"), ("agent-chat", "1.12.1"), ("advanced-chat", "1.12.1")],
    ids=lambda param: f"{param[0]}-{param[1]}",
)
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[BackendStage]:
    mode, version = request.param
    clock = MovedClock()
    server = DifyServer(clock, mode=mode, version=version)
    await server.start(port=free_port())
    stage = DifyStage(server, clock)
    yield stage
    await stage.backend.close()
    await server.stop()


class TestDifyBackend(BackendContract):
    pass
