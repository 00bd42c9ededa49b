"""A backend that answers from a script and keeps what it was asked.

    backend = FakeBackend(clock, server="dify.example", capacity=2)
    backend.errors["Hi"] = [BackendBusy("full")]            # the first time "Hi" is asked; then the script answers
    backend.script = lambda question: [TextDelta(text="so "), gate, TextDelta(text="so")]   # an Event holds it
    backend.recovered = [Recovered(fate=Fate.RUNNING), Recovered(fate=Fate.ANSWERED, text="found")]
    backend.missing.add(BackendConversationId("c1"))        # the server has forgotten it

`AbleBackend` does besides what only some backends do.

`stop` by the user who asked wakes a stream that waits and ends it; by anybody else it does nothing, as with Dify.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import Path

from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    BackendEvent,
    Fate,
    FileRules,
    Opening,
    Question,
    Recovered,
    TextDelta,
    UploadedFile,
)
from bridge.clock import Clock
from bridge.errors import BackendError, BackendFailed, BackendUnreachable, ConversationMissing, QuestionRefused
from bridge.messages import (
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendTaskId,
    BackendUser,
    ProducedFile,
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


@dataclass
class ForgetfulBackend(FakeBackend):
    """Its server remembers nothing."""

    history_turns: int = 20


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was handed over."""

    name: str
    media_type: str
    kind: str
    user: BackendUser
    content: bytes


PICTURES = FileRules(
    most=3, largest={"image": 10_000_000}, kinds={"png": "image", "jpg": "image"}, media_types={"image": "image"}
)


@dataclass
class AbleBackend(FakeBackend):
    """Takes files of members, has made files, suggests questions, introduces itself, names conversations and hears.

    Errors are kept by the name of the file, and met one at a time. The seconds are what each call takes.
    """

    rules: FileRules = PICTURES
    rule_errors: list[BackendError] = field(default_factory=list)
    uploads: list[Upload] = field(default_factory=list)
    """The id of each is its place in here."""
    upload_errors: dict[str, list[BackendError]] = field(default_factory=dict)
    upload_seconds: float = 0.0
    made: dict[str, bytes] = field(default_factory=dict)
    """What the app has made, by address."""
    fetched: list[str] = field(default_factory=list)
    """Addresses, in the order of the calls."""
    fetch_errors: dict[str, list[BackendError]] = field(default_factory=dict)
    fetch_seconds: float = 0.0
    next_questions: Sequence[str] = ()
    suggest_errors: list[BackendError] = field(default_factory=list)
    suggest_seconds: float = 0.0
    suggested_for: list[BackendIds] = field(default_factory=list)
    """Every call of `suggestions`."""
    introduction: Opening = field(default_factory=Opening)
    title: str = ""
    """What it calls every conversation."""
    name_errors: list[BackendError] = field(default_factory=list)
    name_seconds: float = 0.0
    named: list[tuple[BackendConversationId, BackendUser]] = field(default_factory=list)
    """Every call of `name_of`."""
    heard: str | None = None
    """What it understands in every recording; None: it does not listen to any."""
    hear_errors: dict[str, list[BackendError]] = field(default_factory=dict)
    hear_seconds: float = 0.0
    recordings: list[Upload] = field(default_factory=list)
    """What was turned into text, or was to be; their kind is empty."""
    _homes: dict[BackendConversationId, BackendUser] = field(default_factory=dict)

    async def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        for file in question.files:
            if not file.id.isdecimal() or self.uploads[int(file.id)].user != question.user:
                raise QuestionRefused("Invalid upload file", code="invalid_param")
        async with aclosing(super().answer(question)) as events:
            async for event in events:
                if isinstance(event, AnswerStarted) and event.ids.conversation:
                    self._homes[event.ids.conversation] = question.user
                yield event

    async def file_rules(self) -> FileRules:
        self._check_up()
        if self.rule_errors:
            raise self.rule_errors.pop(0)
        return self.rules

    async def upload(self, content: Path, name: str, media_type: str, kind: str, user: BackendUser) -> UploadedFile:
        self._check_up()
        await self.clock.sleep(self.upload_seconds)
        if errors := self.upload_errors.get(name):
            raise errors.pop(0)
        assert kind in self.rules.largest
        whole = content.read_bytes()
        if len(whole) > self.rules.largest[kind]:
            raise QuestionRefused("413", code="file_too_large", user_message="It is larger than the app takes.")
        self.uploads.append(Upload(name, media_type, kind, user, whole))
        return UploadedFile(id=str(len(self.uploads) - 1), kind=kind)

    async def fetch(self, file: ProducedFile, into: Path, most: int) -> str:
        self._check_up()
        self.fetched.append(file.address)
        await self.clock.sleep(self.fetch_seconds)
        if errors := self.fetch_errors.get(file.name):
            raise errors.pop(0)
        content = self.made.get(file.address)
        if content is None or len(content) > most:
            raise QuestionRefused("no such file, or a larger one", code="no_file")
        into.write_bytes(content)
        return guess_type(file.name)[0] or ""

    async def suggestions(self, ids: BackendIds, user: BackendUser) -> Sequence[str]:
        self._check_up()
        self.suggested_for.append(ids)
        await self.clock.sleep(self.suggest_seconds)
        if self.suggest_errors:
            raise self.suggest_errors.pop(0)
        if ids.message is None or self._owners.get(ids.message) != user:
            raise QuestionRefused("Message Not Exists.", code="not_found")
        lines = [" ".join(one.split()) for one in self.next_questions]
        return [line for line in lines if 0 < len(line) <= 200][:5]

    async def opening(self) -> Opening:
        self._check_up()
        return self.introduction

    async def name_of(self, conversation: BackendConversationId, user: BackendUser) -> str:
        self._check_up()
        self.named.append((conversation, user))
        await self.clock.sleep(self.name_seconds)
        if self.name_errors:
            raise self.name_errors.pop(0)
        if conversation in self.missing or self._homes.get(conversation, user) != user:
            raise ConversationMissing("Conversation Not Exists.", code="not_found")
        return " ".join(self.title.split())[:100].rstrip()

    async def transcribes(self) -> bool:
        self._check_up()
        return self.heard is not None

    async def transcribe(self, path: Path, name: str, media_type: str, user: BackendUser) -> str:
        self._check_up()
        self.recordings.append(Upload(name, media_type, "", user, path.read_bytes()))
        await self.clock.sleep(self.hear_seconds)
        if errors := self.hear_errors.get(name):
            raise errors.pop(0)
        if self.heard is None:
            raise QuestionRefused("off", code="disabled", user_message="The app does not listen to recordings.")
        if not media_type.startswith("audio/"):
            raise QuestionRefused("415", code="audio_type", user_message="The app cannot listen to this recording.")
        return self.heard.strip()


@dataclass
class ForgetfulAbleBackend(AbleBackend):
    history_turns: int = 20


async def _wait_for_either(one: asyncio.Event, other: asyncio.Event) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in (one, other)]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
