"""The world that `test_life` lets a bridge live in: a store, a platform and an app that fail in every way that is promised for.

All of them outlive the bridge's processes, as the real ones do, and remember enough to be asked at the end what happened.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    BackendEvent,
    Fate,
    FileProduced,
    Progress,
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
    Address,
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    MessageRef,
    OutgoingMessage,
    ProducedFile,
    ReplyTarget,
    StepState,
)
from bridge.messages import Step as AppStep
from bridge.outgoing_files import OutgoingFile
from tests.fakes.backend import FakeBackend, Step
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform, FindingPlatform, GrowingPlatform
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
class LivingGrower(LivingFinder, GrowingPlatform):
    """Like Slack: messages grow natively, which only the process knows that began them, and files can be posted."""

    known: set[str] = field(default_factory=set)
    refuses: bool = False
    """Messages cannot grow for now."""

    def forget(self) -> None:
        """Another process begins."""
        self.known.clear()

    def may_grow(self, target: ReplyTarget) -> bool:
        return not self.refuses and super().may_grow(target)

    def is_growing(self, ref: MessageRef) -> bool:
        return ref.address in self.known and super().is_growing(ref)

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        if self.refuses or any(shown.nonce == message.nonce for shown in self.messages.values()):
            # What stands is found, and edited; what grows there ends with that.
            for address, shown in self.messages.items():
                if shown.nonce == message.nonce:
                    ref = MessageRef(platform=self.name, address=Address(address))
                    await self.edit(target, ref, replace(message, live=False))
                    return ref
            message = replace(message, live=False)
        ref = await super().send(target, message)
        if ref.address in self.growing:
            self.known.add(ref.address)
        return ref

    async def send_file(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile) -> MessageRef:
        try:
            return await super().send_file(target, message, file)
        except PlatformUnavailable:
            # Where the message stands, so does the file.
            for address, shown in self.messages.items():
                if shown.nonce == message.nonce:
                    self.files.setdefault(address, file)
            raise

    async def edit(self, target: ReplyTarget, ref: MessageRef, message: OutgoingMessage) -> None:
        if ref.address not in self.known:
            self._fail()
            self.growing.pop(ref.address, None)
        await super().edit(target, ref, message)


@dataclass
class Run:
    """One time that the app really worked on a question."""

    question: str
    message: BackendMessageId
    conversation: BackendConversationId
    said: str = ""
    files: tuple[ProducedFile, ...] = ()
    whole: bool = False
    """It came to an end by itself, or because it was told to stop."""


def whole_answer(text: str) -> str:
    """What the app says to a question when nothing goes wrong: the same every time."""
    chance = random.Random(text)
    length = chance.choice((3, 20, 20, 60, 250))
    return " ".join([f"Answer:{text}:", *(f"w{number}" for number in range(length)), "end."])


def made_by(text: str) -> ProducedFile:
    """The file that the app makes of a question, where it makes one."""
    return ProducedFile(name=f"{text}.png", kind="image", address=f"made/{text}")


def says_nothing(text: str) -> bool:
    """Whether a file is all that the app answers to a question, if it makes files at all."""
    return random.Random(f"says {text}").random() < 0.2


def makes_file(text: str) -> bool:
    return says_nothing(text) or random.Random(f"makes {text}").random() < 0.3


class LivingBackend(FakeBackend):
    """Knows what it worked on, tells its steps and makes files.

    Like Dify it forgets an answer whose connection broke, and keeps what was stopped as if it were whole.
    """

    def __init__(
        self, chance: random.Random, clock: FakeClock, capacity: int, *, remembers: bool, able: bool = False
    ) -> None:
        super().__init__(clock, capacity=capacity)
        self.able = able
        """Whether it has steps and makes files."""
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
        if self.able:
            steps = self._with_extras(steps, question.text)
        if self.chance.random() < self.trouble:
            errors = [BackendCut("cut"), BackendTimeout("slow"), BackendFailed("failed")]
            steps = steps[: self.chance.randrange(1, len(steps) + 1)]
            if not any(isinstance(step, TextDelta) for step in steps):
                # Failed without a word, it may be asked once more in another conversation.
                errors.pop()
            steps.append(self.chance.choice(errors))
        elif self.chance.random() < 0.2:
            steps.insert(self.chance.randrange(1, len(steps) + 1), 90.0)
        return steps

    def _with_extras(self, steps: list[Step], text: str) -> list[Step]:
        if says_nothing(text):
            steps = [steps[0]]
        if makes_file(text):
            steps.insert(self.chance.randrange(1, len(steps) + 1), FileProduced(file=made_by(text)))
        told: list[Step] = []
        for number in range(self.chance.choice((0, 0, 2))):
            one = AppStep(id=str(number), title=f"Step {number}")
            told += [
                Progress(step=one),
                self.chance.choice((0.0, 4.0)),
                Progress(step=replace(one, state=StepState.DONE)),
            ]
        return [*told, *steps]

    async def fetch(self, file: ProducedFile, into: Path, most: int) -> str:
        self._check_up()
        await self.clock.sleep(self.chance.choice((0.0, 0.0, 3.0)))
        if self.chance.random() < self.trouble:
            raise BackendFailed("no such file")
        into.write_bytes(file.address.encode())
        return "image/png"

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
                elif run is not None and isinstance(event, FileProduced):
                    run.files = (event.file,)
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
                    return Recovered(fate=Fate.ANSWERED, ids=found, text=run.said, files=run.files)
                return Recovered(fate=Fate.UNSURE, ids=found)
        return Recovered(fate=Fate.ABSENT, ids=ids)
