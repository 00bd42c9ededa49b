"""The echo keeps the contract, as far as something without a server can."""

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from bridge.backend_api import Backend, Question
from bridge.backends.echo.backend import EchoBackend
from bridge.backends.echo.settings import Settings
from bridge.clock import SystemClock
from bridge.errors import BackendCut
from bridge.messages import BackendIds
from bridge.settings import isolated
from tests.contracts.backend_suite import BackendContract


class EchoStage:
    def __init__(self) -> None:
        self._settings = isolated(Settings, echo_pause=0.0)
        self._echo = EchoBackend(self._settings, SystemClock(), words=self._words)
        self.backend: Backend = self._echo
        self._tokens: Sequence[str] = ()
        self._breaks_after: int | None = None
        self._asked = 0

    def _words(self, question: Question) -> Iterable[str]:
        self._asked += 1
        for number, token in enumerate(self._tokens):
            if number == self._breaks_after:
                raise BackendCut("told to break")
            yield token

    def say(self, tokens: Sequence[str], *, pause: float = 0.0, breaks_after: int | None = None) -> None:
        self._tokens, self._settings.echo_pause, self._breaks_after = tokens, pause, breaks_after

    def asked(self) -> int:
        return self._asked

    def rating_of(self, ids: BackendIds) -> str | None:
        rating = self._echo.rating_of(ids)
        return None if rating is None else rating.value

    async def noticed_departure(self) -> None:
        while self._echo.running:  # noqa: ASYNC110  # the suite bounds it
            await asyncio.sleep(0.001)

    async def all_ended(self) -> None:
        await self.noticed_departure()

    async def another_second(self) -> None:
        pass

    async def go_down(self) -> None:
        pytest.skip("an echo has no server that could be gone")


@pytest.fixture
def stage() -> EchoStage:
    return EchoStage()


class TestEchoBackend(BackendContract):
    pass
