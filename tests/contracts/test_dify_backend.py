"""The backend contract, bound to Dify: every kind of app, as old and as newer servers speak."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import pytest

from bridge.backend_api import Backend
from bridge.backends.dify.backend import DifyBackend
from bridge.clock import SystemClock
from bridge.messages import BackendIds
from bridge.playground.dify import DifyServer, MadeFile, Reply, cut, everything_on
from tests.backends.dify.asking import make_settings
from tests.contracts.backend_extras_suite import BackendExtrasContract, ExtrasStage
from tests.contracts.backend_suite import BackendContract
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
        settings = make_settings(
            server.base_url, dify_api_key=server.api_key, dify_app_type=server.mode, dify_finish_grace=0.5
        )
        self.backend: Backend = DifyBackend(settings, SystemClock(), look_again=0.05)

    def say(self, tokens: Sequence[str], *, pause: float = 0.0, breaks_after: int | None = None) -> None:
        fault = None if breaks_after is None else cut(at=breaks_after)
        self._server.script = lambda query: Reply(tokens=tokens, first_token=0, per_token=pause, fault=fault)

    def offer(
        self, *, steps: Sequence[str] = (), sources: Sequence[str] = (), made: bytes = b"", suggests: Sequence[str] = ()
    ) -> None:
        files = (MadeFile(name="a.png", kind="image", media_type="image/png", content=made),) if made else ()
        self._server.script = lambda query: Reply(
            tokens=["ok"],
            first_token=0,
            nodes=steps,
            tool="current_time" if steps else "",
            sources=sources,
            files=files,
            suggestions=suggests,
        )

    def call_everything(self, title: str) -> None:
        self._server.titles = lambda query: title

    def hear(self, words: str | None) -> None:
        self._server.features.hears = words is not None
        self._server.features.heard = words or ""

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
    params=[
        ("chat", "0.15.3"),
        ("chat", "1.12.1"),
        ("agent-chat", "1.12.1"),
        ("advanced-chat", "1.12.1"),
        ("advanced-chat", "1.13.0"),
        ("advanced-chat", "1.14.0"),
        ("completion", "0.15.3"),
        ("completion", "1.12.1"),
        ("workflow", "0.15.3"),
        ("workflow", "1.12.1"),
        ("workflow", "1.13.0"),
    ],
    ids=lambda param: f"{param[0]}-{param[1]}",
)
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[ExtrasStage]:
    mode, version = request.param
    clock = MovedClock()
    server = DifyServer(clock, mode=mode, version=version)
    server.features = everything_on()
    server.features.speaks = True
    server.features.hear_seconds = server.features.name_seconds = 0
    await server.start(port=free_port())
    stage = DifyStage(server, clock)
    yield stage
    await stage.backend.close()
    await server.stop()


class TestDifyBackend(BackendContract):
    pass


class TestDifyBeyondText(BackendExtrasContract):
    pass
