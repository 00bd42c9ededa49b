"""A backend whose app waits for people in the middle of an answer.

backend = WaitingBackend(clock)
backend.script = lambda question: [TextDelta(text="So far."), InputRequired(requests=(REQUEST,))]
backend.then = lambda given: [TextDelta(text=" The rest.")]        # or another InputRequired
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from bridge.backend_api import AnswerCompleted, AnswerStarted, BackendEvent, InputRequired, Question, TextDelta
from bridge.errors import BackendError
from bridge.input_api import Submitted
from bridge.messages import BackendIds, BackendUser
from bridge.pauses import Given, InputRequest
from tests.fakes.backend import FakeBackend, Step


@dataclass
class WaitingBackend(FakeBackend):
    then: Callable[[Given], Iterable[Step]] = lambda given: [TextDelta(text=f"It was {given.action}.")]
    submitted: list[tuple[InputRequest, Given, BackendUser]] = field(default_factory=list)
    """Every answer that was taken."""
    submit_results: list[Submitted | BackendError] = field(default_factory=list)
    """What the next calls come to."""
    elsewhere: Given | None = None
    """Somebody answered elsewhere."""
    resume_errors: list[BackendError] = field(default_factory=list)
    resumed: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """What was said and which forms were over, of every call of `resume`."""
    _open: InputRequest | None = None
    _given: Given | None = None

    async def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        async with aclosing(super().answer(question)) as events:
            async for event in events:
                if isinstance(event, InputRequired):
                    self._open, self._given = event.requests[0], None
                    self.abandoned -= 1
                    yield event
                    return
                yield event

    async def submit(self, request: InputRequest, given: Given, user: BackendUser) -> Submitted:
        self._check_up()
        result = self.submit_results.pop(0) if self.submit_results else Submitted.TAKEN
        if isinstance(result, BackendError):
            raise result
        if self._given is not None:
            return Submitted.EARLIER
        if result is Submitted.TAKEN:
            self.submitted.append((request, given, user))
            self._given = given
        return result

    async def resume(
        self, question: Question, ids: BackendIds, said: str, answered: Collection[str]
    ) -> AsyncGenerator[BackendEvent, None]:
        self.resumed.append((said, tuple(answered)))
        self._check_up()
        if self.resume_errors:
            raise self.resume_errors.pop(0)
        yield AnswerStarted(ids=ids)
        given = self._given or self.elsewhere
        if given is None:
            assert self._open is not None
            yield InputRequired(requests=(self._open,))
            return
        for step in self.then(given):
            if isinstance(step, BackendError):
                raise step
            if isinstance(step, float):
                await self.clock.sleep(step)
            elif isinstance(step, asyncio.Event):
                await step.wait()
            else:
                yield step
                if isinstance(step, InputRequired):
                    self._open, self._given = step.requests[0], None
                    return
        yield AnswerCompleted()

    async def is_waiting(self, ids: BackendIds, user: BackendUser) -> bool:
        self._check_up()
        return self._given is None and self.elsewhere is None
