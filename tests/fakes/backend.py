"""A backend that answers from a script and keeps what it was asked.

    backend = FakeBackend(clock, server="dify.example", capacity=2)
    backend.errors["Hi"] = [BackendBusy("full")]            # the first time "Hi" is asked; then the script answers
    backend.script = lambda question: [TextDelta(text="so "), gate, TextDelta(text="so")]   # an Event holds it
    backend.recovered = [Recovered(fate=Fate.RUNNING), Recovered(fate=Fate.ANSWERED, text="found")]
    backend.missing.add(BackendConversationId("c1"))        # the server has forgotten it

`stop` by the user who asked wakes a stream that waits and ends it; by anybody else it does nothing, as with Dify.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass, field

from bridge.backend_api import AnswerCompleted, AnswerStarted, BackendEvent, Fate, Question, Recovered, TextDelta
from bridge.clock import Clock
from bridge.errors import BackendError, BackendFailed, BackendUnreachable, ConversationMissing, QuestionRefused
from bridge.messages import (
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendTaskId,
    BackendUser,
    Rating,
)
from bridge.platform_api import Finding, Severity

Step = BackendEvent | BackendError | float | asyncio.Event
"""An event, a failure to raise, seconds to wait, or something to wait for."""


def say(*tokens: str, pause: float = 0.0) -> list[Step]:
    steps: list[Step] = []
    for token in tokens:
        steps += [pause, TextDelta(text=token)] if pause else [TextDelta(text=token)]
    return steps


def fail_after_start(error: BackendError, *tokens: str) -> list[Step]:
    """Names its ids, says the tokens, then fails. An error as the *first* step comes before the ids."""
    return [0.0, *say(*tokens), error]


def poisoned_failure() -> BackendFailed:
    """How Dify fails when the history has an empty answer in it and the model's provider refuses such a history."""
    error = BackendFailed("the history holds an empty message", code="completion_request_error")
    error.user_message = "The app's model failed while answering."
    return error


@dataclass(slots=True)
class _Running:
    user: BackendUser
    stop: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class FakeBackend:
    """`script` makes the steps for a question; `AnswerStarted` and `AnswerCompleted` are added around them."""

    clock: Clock
    script: Callable[[Question], Iterable[Step]] = lambda question: say(f"You said: {question.text}")
    name: str = "fake"
    capacity: int = 1000
    server: str = "fake.example"
    down: bool = False
    """Nothing can be reached; what runs goes on."""
    errors: dict[str, list[BackendError]] = field(default_factory=dict)
    """By the question's text: each time it is asked takes the first one and raises it before any id is known."""
    missing: set[BackendConversationId] = field(default_factory=set)
    """Conversations that the server does not know (any more)."""
    poisoned: set[BackendConversationId] = field(default_factory=set)
    """Conversations in which every question fails without a word of text."""
    says_stopped: bool = False
    """Chatflows tell that an answer was stopped; chat apps do not."""
    hears_stop: bool = True
    """False: stop calls succeed and end nothing."""
    stop_errors: list[BackendError] = field(default_factory=list)
    recovered: list[Recovered | BackendError] = field(default_factory=list)
    """What the next looks find, one each. When it is empty, `recovers` is asked."""
    recovers: Callable[[Question, BackendIds, BackendMessageId | None], Recovered] = lambda question, ids, last_seen: (
        Recovered(fate=Fate.UNKNOWN, ids=ids)
    )
    asked: list[Question] = field(default_factory=list)
    looks: list[tuple[Question, BackendIds, BackendMessageId | None]] = field(default_factory=list)
    """Every call of `recover`."""
    abandoned: int = 0
    most_at_once: int = 0
    """The most answers that ever ran at the same time."""
    stopped: list[BackendIds] = field(default_factory=list)
    """Every stop call that was not refused, whether or not it ended anything."""
    stopped_by: list[BackendUser] = field(default_factory=list)
    """The users of those calls."""
    ratings: list[tuple[BackendIds, BackendUser, Rating | None, str]] = field(default_factory=list)
    """Every rating that was delivered, in order."""
    rate_errors: list[BackendError] = field(default_factory=list)
    closed: bool = False
    findings: Sequence[Finding] = ()
    _running: dict[BackendTaskId, _Running] = field(default_factory=dict)
    _owners: dict[BackendMessageId, BackendUser] = field(default_factory=dict)

    @property
    def running(self) -> int:
        """Answers under way now."""
        return len(self._running)

    def times_asked(self) -> Counter[str]:
        """By the question's text."""
        return Counter(question.text for question in self.asked)

    async def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        self.asked.append(question)
        self._check_up()
        number = len(self.asked)
        if errors := self.errors.get(question.text):
            raise errors.pop(0)
        if question.conversation in self.missing:
            raise ConversationMissing("Conversation Not Exists.", code="not_found")
        poisoned = question.conversation in self.poisoned
        steps: list[Step] = [0.0, poisoned_failure()] if poisoned else list(self.script(question))
        if steps and isinstance(steps[0], BackendError):
            raise steps[0]
        task, message = BackendTaskId(f"t{number}"), BackendMessageId(f"m{number}")
        self._owners[message] = question.user
        mine = self._running[task] = _Running(question.user)
        self.most_at_once = max(self.most_at_once, len(self._running))
        finished = False
        try:
            yield AnswerStarted(
                ids=BackendIds(
                    conversation=question.conversation or BackendConversationId(f"c{number}"),
                    message=message,
                    task=task,
                )
            )
            for step in steps:
                if mine.stop.is_set():
                    break
                if isinstance(step, BackendError):
                    finished = True
                    raise step
                if isinstance(step, float):
                    await self._wait(mine.stop, step)
                elif isinstance(step, asyncio.Event):
                    await _wait_for_either(mine.stop, step)
                else:
                    yield step
            finished = True
            yield AnswerCompleted(stopped=self.says_stopped and mine.stop.is_set())
        finally:
            self._running.pop(task, None)
            if not finished:
                self.abandoned += 1

    async def stop(self, ids: BackendIds, user: BackendUser) -> None:
        self._check_up()
        if self.stop_errors:
            raise self.stop_errors.pop(0)
        self.stopped.append(ids)
        self.stopped_by.append(user)
        running = self._running.get(ids.task) if ids.task else None
        if running is not None and running.user == user and self.hears_stop:
            running.stop.set()

    async def recover(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        self.looks.append((question, ids, last_seen))
        self._check_up()
        found = self.recovered.pop(0) if self.recovered else self.recovers(question, ids, last_seen)
        if isinstance(found, BackendError):
            raise found
        return found

    async def rate(self, ids: BackendIds, user: BackendUser, rating: Rating | None, content: str) -> None:
        self._check_up()
        if self.rate_errors:
            raise self.rate_errors.pop(0)
        if ids.message and self._owners.get(ids.message, user) != user:
            raise QuestionRefused("Message Not Exists.", code="not_found")
        self.ratings.append((ids, user, rating, content))

    async def check(self) -> Sequence[Finding]:
        if self.down:
            return [Finding(severity=Severity.ERROR, subject="fake", problem="nobody listens", fix="Start it.")]
        return self.findings

    async def close(self) -> None:
        self.closed = True

    def _check_up(self) -> None:
        if self.down:
            raise BackendUnreachable("nobody listens", code="refused")

    async def _wait(self, stop: asyncio.Event, seconds: float) -> None:
        if seconds <= 0:
            await self.clock.sleep(seconds)
        else:
            await self.clock.wait(stop, seconds)


async def _wait_for_either(one: asyncio.Event, other: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
