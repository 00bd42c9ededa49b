"""The fake backend keeps the contract that it stands in for."""

from collections.abc import Sequence

import pytest

from bridge.backend_api import (
    AcceptsFiles,
    Backend,
    FileProduced,
    Introduces,
    Opening,
    ProducesFiles,
    Progress,
    SourcesCited,
    SuggestsQuestions,
    TextDelta,
    Transcribes,
)
from bridge.clock import SystemClock
from bridge.errors import BackendCut
from bridge.messages import BackendIds, ProducedFile, StepState
from bridge.messages import Step as AppStep
from bridge.past_api import NamesConversations
from tests.contracts.backend_extras_suite import BackendExtrasContract, ExtrasStage
from tests.contracts.backend_suite import BackendContract
from tests.fakes.backend import AbleBackend, FakeBackend, Step


class FakeStage:
    def __init__(self, fake: FakeBackend | None = None) -> None:
        self._fake = fake or FakeBackend(SystemClock())
        self.backend: Backend = self._fake

    def say(self, tokens: Sequence[str], *, pause: float = 0.0, breaks_after: int | None = None) -> None:
        steps: list[Step] = [0.0]
        for token in tokens[:breaks_after]:
            steps += [pause, TextDelta(text=token)] if token else [pause]
        if breaks_after is not None:
            steps.append(BackendCut("told to break"))
        self._fake.script = lambda question: steps

    def offer(
        self, *, steps: Sequence[str] = (), sources: Sequence[str] = (), made: bytes = b"", suggests: Sequence[str] = ()
    ) -> None:
        said: list[Step] = [
            Progress(step=AppStep(id=title, title=title, state=state))
            for title in steps
            for state in (StepState.RUNNING, StepState.DONE)
        ]
        said.append(TextDelta(text="ok"))
        if sources:
            said.append(SourcesCited(names=tuple(dict.fromkeys(sources))))
        if made and isinstance(self._fake, AbleBackend):
            self._fake.made["made/1"] = made
            said.append(FileProduced(file=ProducedFile(name="a.png", kind="image", address="made/1")))
        if isinstance(self._fake, AbleBackend):
            self._fake.next_questions = suggests
        self._fake.script = lambda question: said

    def call_everything(self, title: str) -> None:
        if isinstance(self._fake, AbleBackend):
            self._fake.title = title

    def hear(self, words: str | None) -> None:
        if isinstance(self._fake, AbleBackend):
            self._fake.heard = words

    def asked(self) -> int:
        return len(self._fake.asked)

    def rating_of(self, ids: BackendIds) -> str | None:
        latest = next((rating for of, _, rating, _ in reversed(self._fake.ratings) if of == ids), None)
        return latest.value if latest else None

    async def noticed_departure(self) -> None:
        assert self._fake.abandoned

    async def all_ended(self) -> None:
        assert not self._fake.running

    async def another_second(self) -> None:
        pass

    async def go_down(self) -> None:
        self._fake.down = True


@pytest.fixture
def stage() -> ExtrasStage:
    return FakeStage()


class TestFakeBackend(BackendContract):
    pass


class TestAbleBackend(BackendContract, BackendExtrasContract):
    @pytest.fixture
    def stage(self) -> ExtrasStage:
        return FakeStage(AbleBackend(SystemClock(), introduction=Opening(text="Hello", questions=("How?",))))


def test_the_plain_fake_is_plain() -> None:
    plain = FakeBackend(SystemClock())
    able = AbleBackend(SystemClock())
    for ability in (AcceptsFiles, ProducesFiles, SuggestsQuestions, Introduces, NamesConversations, Transcribes):
        assert isinstance(able, ability)
        assert not isinstance(plain, ability)
