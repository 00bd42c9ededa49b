"""The backend contract, bound to servers with OpenAI's API, as three kinds of them spell it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing

import pytest

from bridge.backend_api import AnswerCompleted, Backend, BackendEvent, Fate
from bridge.messages import BackendIds, BackendUser, Rating
from tests.backends.openai.asking import make_backend
from tests.contracts.backend_extras_suite import BackendExtrasContract, ExtrasStage
from tests.contracts.backend_suite import PATIENCE, USER, BackendContract, BackendStage, ask, collect, ids_of
from tests.fakes.openai_server import Kind, OpenAIServer, Reply, Trouble
from tests.fakes.ports import free_port


class OpenAIStage:
    def __init__(self, server: OpenAIServer) -> None:
        self._server = server
        self.backend: Backend = make_backend(server, openai_most_images=2)

    def say(self, tokens: Sequence[str], *, pause: float = 0.0, breaks_after: int | None = None) -> None:
        trouble = None if breaks_after is None else Trouble.CUT
        self._server.script = lambda text: Reply(tokens=tokens, pause=pause, trouble=trouble, at=breaks_after or 0)

    def offer(
        self, *, steps: Sequence[str] = (), sources: Sequence[str] = (), made: bytes = b"", suggests: Sequence[str] = ()
    ) -> None:
        if sources:
            pytest.skip("cites nothing")
        self.say(["ok"])

    def call_everything(self, title: str) -> None:
        raise NotImplementedError

    def hear(self, words: str | None) -> None:
        raise NotImplementedError

    def asked(self) -> int:
        return len(self._server.asked)

    def rating_of(self, ids: BackendIds) -> str | None:
        return None

    async def noticed_departure(self) -> None:
        await self._server.until(lambda: self._server.asked[-1].ended == "client_closed")

    async def all_ended(self) -> None:
        await self._server.until(lambda: all(one.ended != "running" for one in self._server.asked))

    async def another_second(self) -> None:
        pass

    async def go_down(self) -> None:
        await self._server.stop()


@pytest.fixture(params=list(Kind))
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[ExtrasStage]:
    server = OpenAIServer(request.param)
    await server.start(port=free_port())
    stage = OpenAIStage(server)
    yield stage
    await stage.backend.close()
    await server.stop()


class TestOpenAIBackend(BackendContract):
    """These servers keep neither ratings nor answers, so what holds for those that do is another sentence here."""

    async def test_a_rating_is_set_changed_and_taken_away(self, stage: BackendStage) -> None:
        stage.say(["ok"])
        ids = ids_of(await collect(stage.backend, ask()))

        for rating in (Rating.LIKE, Rating.DISLIKE, None):
            await stage.backend.rate(ids, USER, rating, "Ada: good")

        assert stage.asked() == 1

    async def test_words_without_a_rating_are_no_failure_and_no_rating(self, stage: BackendStage) -> None:
        await stage.go_down()

        await stage.backend.rate(BackendIds(), USER, None, "Ada: not sure")

    async def test_rating_what_does_not_exist_can_never_be_delivered(self, stage: BackendStage) -> None:
        """It is success, like every rating."""
        await stage.backend.rate(BackendIds(), BackendUser("somebody else"), Rating.LIKE, "")

    async def test_ratings_and_stop_get_through_while_every_place_is_taken(self, stage: BackendStage) -> None:
        stage.say(["word "] * 1000, pause=0.02)
        first = asyncio.Event()
        heard: list[list[BackendEvent]] = [[] for _ in range(stage.backend.capacity)]

        async def consume(into: list[BackendEvent]) -> None:
            async with aclosing(stage.backend.answer(ask())) as stream:
                async for event in stream:
                    into.append(event)
                    if all(heard):
                        first.set()

        tasks = [asyncio.create_task(consume(into)) for into in heard]
        try:
            async with asyncio.timeout(PATIENCE):
                await first.wait()
                for into in heard:
                    await stage.backend.stop(ids_of(into), USER)
                await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        assert all(into[-1] == AnswerCompleted(stopped=True) for into in heard)

    async def test_nothing_is_said_about_a_question_when_nobody_can_be_asked(self, stage: BackendStage) -> None:
        stage.say(["ok"])
        ids = ids_of(await collect(stage.backend, ask()))
        await stage.go_down()

        found = await stage.backend.recover(ask(), ids, None)

        assert (found.fate, found.ids, found.text) == (Fate.UNKNOWN, ids, "")


class TestOpenAIBeyondText(BackendExtrasContract):
    pass
