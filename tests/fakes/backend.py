"""A backend that answers from a script and keeps what it was asked."""

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bridge.backend_api import AnswerCompleted, AnswerStarted, BackendEvent, Question, TextDelta
from bridge.clock import Clock
from bridge.errors import BackendError
from bridge.messages import (
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendTaskId,
    BackendUser,
    Rating,
)
from bridge.platform_api import Finding

Step = BackendEvent | BackendError | float
"""An event, a failure to raise, or seconds to wait."""


def say(*tokens: str, pause: float = 0.0) -> list[Step]:
    steps: list[Step] = []
    for token in tokens:
        steps += [pause, TextDelta(text=token)] if pause else [TextDelta(text=token)]
    return steps


@dataclass
class FakeBackend:
    """`script` makes the steps for a question; `AnswerStarted` and `AnswerCompleted` are added around them."""

    clock: Clock
    script: Callable[[Question], Iterable[Step]] = lambda question: say(f"You said: {question.text}")
    name: str = "fake"
    capacity: int = 1000
    asked: list[Question] = field(default_factory=list)
    abandoned: int = 0
    stopped: list[BackendIds] = field(default_factory=list)
    ratings: list[tuple[BackendIds, BackendUser, Rating | None, str]] = field(default_factory=list)
    rate_errors: list[BackendError] = field(default_factory=list)
    closed: bool = False
    findings: Sequence[Finding] = ()

    async def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        self.asked.append(question)
        number = len(self.asked)
        steps = list(self.script(question))
        if steps and isinstance(steps[0], BackendError):
            raise steps[0]
        finished = False
        try:
            yield AnswerStarted(
                ids=BackendIds(
                    conversation=question.conversation or BackendConversationId(f"c{number}"),
                    message=BackendMessageId(f"m{number}"),
                    task=BackendTaskId(f"t{number}"),
                )
            )
            for step in steps:
                if any(ids.task == f"t{number}" for ids in self.stopped):
                    break
                if isinstance(step, float):
                    await self.clock.sleep(step)
                elif isinstance(step, BackendError):
                    finished = True
                    raise step
                else:
                    yield step
            finished = True
            yield AnswerCompleted()
        finally:
            if not finished:
                self.abandoned += 1

    async def stop(self, ids: BackendIds, user: BackendUser) -> None:
        self.stopped.append(ids)

    async def rate(self, ids: BackendIds, user: BackendUser, rating: Rating | None, content: str) -> None:
        if self.rate_errors:
            raise self.rate_errors.pop(0)
        self.ratings.append((ids, user, rating, content))

    async def check(self) -> Sequence[Finding]:
        return self.findings

    async def close(self) -> None:
        self.closed = True
