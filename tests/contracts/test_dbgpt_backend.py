"""The backend contract, bound to DB-GPT: streams of pieces and streams of snapshots."""

from collections.abc import AsyncIterator, Sequence
from itertools import accumulate

import pytest

from bridge.backend_api import Backend
from bridge.backends.dbgpt.backend import DbgptBackend
from bridge.clock import SystemClock
from bridge.errors import BackendFailed
from bridge.messages import BackendIds
from bridge.playground.dbgpt import DbgptServer, Ended, Reply, Trouble, messages_block
from tests.backends.dbgpt.asking import make_settings
from tests.contracts.backend_suite import BackendContract, BackendStage, ask, collect
from tests.fakes.ports import free_port

_RATINGS = {"like": "like", "unlike": "dislike", "": None}


class DbgptStage:
    def __init__(self, server: DbgptServer, mode: str) -> None:
        self._server = server
        self._snapshots = mode == "chat_app"
        param = {"chat_app": "app-helper", "chat_knowledge": "handbook"}.get(mode, "")
        settings = make_settings(server.base_url, dbgpt_chat_mode=mode, dbgpt_chat_param=param, dbgpt_max_concurrent=8)
        self.backend: Backend = DbgptBackend(settings, SystemClock())

    def say(self, tokens: Sequence[str], *, pause: float = 0.0, breaks_after: int | None = None) -> None:
        pieces = list(tokens)
        if self._snapshots:
            pieces = [messages_block(("Helper", text)) for text in accumulate(tokens)]
        trouble = None if breaks_after is None else Trouble.CUT
        reply = Reply(pieces=pieces, pause=pause, trouble=trouble, at=breaks_after or 0)
        self._server.script = lambda mode, text: reply

    def asked(self) -> int:
        return len(self._server.requests)

    def rating_of(self, ids: BackendIds) -> str | None:
        order = (ids.message or "").rpartition("/")[2]
        found = [one for one in self._server.feedback if (one.conv_uid, one.message_id) == (ids.conversation, order)]
        return _RATINGS[found[-1].feedback_type or ""] if found else None

    async def noticed_departure(self) -> None:
        await self._server.until(lambda: self._server.requests[-1].ended is Ended.CLIENT_CLOSED)

    async def all_ended(self) -> None:
        await self._server.until(lambda: all(one.ended is not Ended.RUNNING for one in self._server.requests))

    async def another_second(self) -> None:
        """Rounds are counted, not dated."""

    async def go_down(self) -> None:
        await self._server.stop()


async def staged(mode: str) -> AsyncIterator[DbgptStage]:
    server = DbgptServer(SystemClock())
    await server.start(port=free_port())
    stage = DbgptStage(server, mode)
    yield stage
    await stage.backend.close()
    await server.stop()


class TestDbgptBackend(BackendContract):
    @pytest.fixture(params=["chat_normal", "chat_knowledge"])
    async def stage(self, request: pytest.FixtureRequest) -> AsyncIterator[BackendStage]:
        async for stage in staged(request.param):
            yield stage


class TestDbgptAgents(BackendContract):
    @pytest.fixture
    async def stage(self) -> AsyncIterator[BackendStage]:
        async for stage in staged("chat_app"):
            yield stage

    async def test_an_empty_answer_completes(self, stage: BackendStage) -> None:
        """It does not: agents always say something, and what fails among them is told by saying nothing."""
        stage.say([""])

        with pytest.raises(BackendFailed) as caught:
            await collect(stage.backend, ask())

        assert caught.value.code == "nothing_said"
