"""The world that `test_life` lets a bridge live in: a store, a platform and an app that fail in every way that is promised for.

All of them outlive the bridge's processes, as the real ones do, and remember enough to be asked at the end what happened.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    BackendEvent,
    Fate,
    Question,
    Recovered,
    TextDelta,
)
from bridge.errors import (
    BackendBusy,
    BackendCut,
    BackendFailed,
    BackendTimeout,
    PlatformUnavailable,
    RateLimited,
    StoreUnavailable,
)
from bridge.feedback import aggregate
from bridge.messages import (
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    MessageRef,
    OutgoingMessage,
    ReplyTarget,
)
from tests.fakes.backend import FakeBackend, Step
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform, FindingPlatform
from tests.fakes.store import FakeStore

_inside: ContextVar[bool] = ContextVar("inside", default=False)


class LivingStore(FakeStore):
    """Each call is one transaction that takes a moment before and after, and may be refused."""

    def __init__(self, chance: random.Random, clock: FakeClock) -> None:
        super().__init__(aggregate, clock)
        self.chance = chance
        self.away = False
        self.flaky = 0.0
        self.unrecorded: set[str] = set()
        """Nonces of messages that were posted although the store could not be told."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_") or not asyncio.iscoroutinefunction(found) or _inside.get():
            return found

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await self._transact(name, found, *args, **kwargs)

        return call

    async def _transact(self, name: str, work: Callable[..., Awaitable[Any]], *args: Any, **kwargs: Any) -> Any:
        await self._linger()
        if self.away or self.chance.random() < self.flaky:
            if name in ("record_intended", "record_posted"):
                self.unrecorded.add(args[2])
            raise StoreUnavailable("the store is away")
        token = _inside.set(True)
        try:
            result = await work(*args, **kwargs)
        finally:
            _inside.reset(token)
        await self._linger()
        return result

    async def _linger(self) -> None:
        for _ in range(self.chance.choice((0, 0, 0, 1, 2, 5))):
            await asyncio.sleep(0)


@dataclass
class LivingPlatform(FakePlatform):
    chance: random.Random = field(default_factory=random.Random)
    away: bool = False
    flaky: float = 0.0
    slow: bool = False

    async def _answer_like_a_platform(self, message: OutgoingMessage) -> str:
        if self.slow:
            await self.clock.sleep(self.chance.choice((0.0, 0.05, 0.4, 2.0)))
        self._fail()
        return await super()._answer_like_a_platform(message)

    def _fail(self) -> None:
        if self.away:
            raise PlatformUnavailable("nobody there")
        if self.chance.random() < self.flaky:
            seconds = self.chance.choice((1, 3, 20))
            raise self.chance.choice(
                (PlatformUnavailable("500"), RateLimited("429", retry_after=timedelta(seconds=seconds)))
            )

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        ref = await super().send(target, message)
        await self._lose_the_answer()
        return ref

    async def edit(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        await super().edit(target, ref, message)
        await self._lose_the_answer()

    async def _lose_the_answer(self) -> None:
        if self.slow:
            await self.clock.sleep(self.chance.choice((0.0, 0.05, 0.4)))
        if self.chance.random() < self.flaky / 2:
            raise PlatformUnavailable("the connection broke")


@dataclass
class LivingFinder(LivingPlatform, FindingPlatform):
    """Like Slack and Discord: what was posted can be found again."""

    async def find_sent(self, target: ReplyTarget, message: OutgoingMessage, since: datetime) -> MessageRef | None:
        if self.slow:
            await self.clock.sleep(0.3)
        self._fail()
        return await super().find_sent(target, message, since)


@dataclass
class LivingReader(LivingFinder):
    """Like Discord: what stands can be read."""

    async def read_back(self, target: ReplyTarget, ref: MessageRef) -> str:
        self._fail()
        return self.messages[ref.address].text


@dataclass
class Run:
    """One time that the app really worked on a question."""

    question: str
    message: BackendMessageId
    conversation: BackendConversationId
    said: str = ""
    whole: bool = False
    """It came to an end by itself, or because it was told to stop."""


def whole_answer(text: str) -> str:
    """What the app says to a question when nothing goes wrong: the same every time."""
    chance = random.Random(text)
    length = chance.choice((3, 20, 20, 60, 250))
    return " ".join([f"Answer:{text}:", *(f"w{number}" for number in range(length)), "end."])


class LivingBackend(FakeBackend):
    """Knows what it worked on.

    Like Dify it forgets an answer whose connection broke, and keeps what was stopped as if it were whole.
    """

    def __init__(self, chance: random.Random, clock: FakeClock, capacity: int, *, remembers: bool) -> None:
        super().__init__(clock, capacity=capacity)
        self.chance = chance
        self.remembers = remembers
        """Whether it can say what became of a question."""
        self.trouble = 0.0
        self.runs: list[Run] = []
        self.script = self._script
        self.recovers = self._recover
        self.says_stopped = chance.random() < 0.5
        self.hears_stop = chance.random() < 0.9

    def accepted(self) -> Counter[str]:
        return Counter(run.question for run in self.runs)

    def _script(self, question: Question) -> Iterable[Step]:
        if self.chance.random() < self.trouble:
            retry_after = self.chance.choice((None, timedelta(seconds=2)))
            return [BackendBusy("full", retry_after=retry_after)]
        return self._work(question)

    def _work(self, question: Question) -> list[Step]:
        words = whole_answer(question.text).split(" ")
        steps: list[Step] = [self.chance.choice((0.0, 0.0, 0.5, 6.0))]
        size = self.chance.choice((1, 10, 100))
        pause = self.chance.choice((0.0, 0.02, 0.3))
        for start in range(0, len(words), size):
            steps += [TextDelta(text=" ".join(words[start : start + size]) + " "), pause]
        if self.chance.random() < self.trouble:
            errors = (BackendCut("cut"), BackendTimeout("slow"), BackendFailed("failed"))
            steps = [*steps[: self.chance.randrange(1, len(steps) + 1)], self.chance.choice(errors)]
        elif self.chance.random() < 0.2:
            steps.insert(self.chance.randrange(1, len(steps) + 1), 90.0)
        return steps

    async def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        run: Run | None = None
        async with aclosing(super().answer(question)) as events:
            async for event in events:
                if isinstance(event, AnswerStarted):
                    assert event.ids.message
                    assert event.ids.conversation
                    run = Run(question.text, event.ids.message, event.ids.conversation)
                    self.runs.append(run)
                elif run is not None and isinstance(event, TextDelta):
                    run.said += event.text
                elif run is not None and isinstance(event, AnswerCompleted):
                    run.whole = True
                yield event

    def _recover(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        if not self.remembers:
            return Recovered(fate=Fate.UNKNOWN, ids=ids)
        known = [run.message for run in self.runs]
        later = self.runs[known.index(last_seen) + 1 :] if last_seen in known else self.runs
        for run in reversed(later):
            if run.message == ids.message or (ids.message is None and run.question == question.text):
                found = BackendIds(conversation=run.conversation, message=run.message, task=ids.task)
                if run.whole:
                    return Recovered(fate=Fate.ANSWERED, ids=found, text=run.said)
                return Recovered(fate=Fate.UNSURE, ids=found)
        return Recovered(fate=Fate.ABSENT, ids=ids)
