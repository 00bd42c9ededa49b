"""The echo behind the seam. It keeps no conversations: each question is answered with itself, whatever was said before."""

import asyncio
import hashlib
import re
import secrets
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence

from bridge.backend_api import AnswerCompleted, AnswerStarted, BackendEvent, Fate, Question, Recovered, TextDelta
from bridge.backends.echo.settings import Settings
from bridge.clock import Clock
from bridge.errors import QuestionRefused
from bridge.messages import BackendConversationId, BackendIds, BackendMessageId, BackendTaskId, BackendUser, Rating
from bridge.platform_api import Finding, Severity

__all__ = ["EchoBackend", "Settings", "create"]

_WORD = re.compile(r"\S+\s*|\s+")
MOST_RATED = 1_000
"""Answers whose rating is remembered, in this process alone."""

Words = Callable[[Question], Iterable[str]]


def create(settings: Settings, clock: Clock) -> "EchoBackend":
    return EchoBackend(settings, clock)


def words_of(question: Question) -> Iterable[str]:
    """The question in pieces that make it whole again."""
    return _WORD.findall(question.text)


class EchoBackend:
    """Implements `Backend`. Ids say whose they are, so that they hold after a restart."""

    name = "echo"

    def __init__(self, settings: Settings, clock: Clock, words: Words = words_of) -> None:
        """`words`: what is said to a question, piece by piece."""
        self._settings = settings
        self._clock = clock
        self._words = words
        self._running: dict[BackendTaskId, asyncio.Event] = {}
        self._ratings: dict[BackendMessageId, Rating] = {}

    @property
    def capacity(self) -> int:
        return self._settings.echo_max_concurrent

    @property
    def server(self) -> str:
        return "echo"

    @property
    def running(self) -> int:
        """Answers under way."""
        return len(self._running)

    def rating_of(self, ids: BackendIds) -> Rating | None:
        return self._ratings.get(ids.message) if ids.message else None

    async def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        task = BackendTaskId(_new_id(question.user))
        ids = BackendIds(
            conversation=question.conversation or BackendConversationId(_new_id(question.user)),
            message=BackendMessageId(_new_id(question.user)),
            task=task,
        )
        stopped = self._running[task] = asyncio.Event()
        try:
            yield AnswerStarted(ids=ids)
            for word in self._words(question):
                if await self._is_stopped(stopped):
                    break
                if word:
                    yield TextDelta(text=word)
            yield AnswerCompleted(stopped=stopped.is_set())
        finally:
            del self._running[task]

    async def _is_stopped(self, stopped: asyncio.Event) -> bool:
        """After the pause before a word, which a stop cuts short."""
        pause = self._settings.echo_pause
        return await self._clock.wait(stopped, pause) if pause else stopped.is_set()

    async def stop(self, ids: BackendIds, user: BackendUser) -> None:
        running = self._running.get(ids.task) if ids.task else None
        if running is not None and _is_of(ids.task, user):
            running.set()

    async def recover(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        """Nothing is kept anywhere, and nobody can be harmed by asking once more."""
        return Recovered(fate=Fate.UNKNOWN, ids=ids, detail="an echo keeps nothing")

    async def rate(self, ids: BackendIds, user: BackendUser, rating: Rating | None, content: str) -> None:
        if ids.message is None or not _is_of(ids.message, user):
            raise QuestionRefused("this answer was not given to that user", code="not_found")
        self._ratings.pop(ids.message, None)
        if rating is None:
            return
        self._ratings[ids.message] = rating
        if len(self._ratings) > MOST_RATED:
            del self._ratings[next(iter(self._ratings))]

    async def check(self) -> Sequence[Finding]:
        return [Finding(severity=Severity.OK, subject="app", problem="says every question back; for trying out")]

    async def close(self) -> None:
        pass


def _new_id(user: BackendUser) -> str:
    return f"{secrets.token_hex(12)}-{_digest(user)}"


def _is_of(number: str | None, user: BackendUser) -> bool:
    return number is not None and number.endswith(f"-{_digest(user)}")


def _digest(user: BackendUser) -> str:
    return hashlib.sha256(user.encode()).hexdigest()[:12]
