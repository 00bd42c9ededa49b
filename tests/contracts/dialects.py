"""How a backend's server spells things, for tests that speak with its tongue; and what was heard of an answer."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Protocol

from bridge.backend_api import AnswerCompleted, Backend, BackendEvent, Question, TextDelta, TextReplaced
from bridge.errors import BackendError
from bridge.messages import BackendUser
from bridge.registry import Part
from tests.contracts.wire import Said

PATIENCE = 20.0
"""Seconds after which something that did not happen fails its test."""

KEY = "app-a-key-that-nobody-may-see"
SECRET = "provider acme at 10.0.0.7 said: invalid key sk-123"
"""What a server says for its operator, and no member may read."""

PROXY_PAGE = b"<html><head><title>Sign in</title></head><body>acme gateway nginx at 10.0.0.7</body></html>"

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a backend is told to bear. All times are seconds."""

    idle: float = 5.0
    """Without any byte."""
    progress: float = 5.0
    """Without anything but signs of life."""
    largest_event: int = 16 * MIB
    most: int = 8
    """Answers at once."""


class Dialect(Protocol):
    """One backend and how its server spells things. Bytes are whole events, with what parts them from the next."""

    path: str
    """Where questions are posted."""

    def make_backend(self, origin: str, key: str, limits: Limits) -> Backend:
        """One for the server at `origin`. Tests close it."""
        ...

    def configure(self, origin: str, key: str, limits: Limits) -> Part[Backend]:
        """The same as a part of a whole bridge."""
        ...

    def others(self) -> dict[str, Said]:
        """Calls besides the question without which the backend could not answer; none, mostly."""
        ...

    def said(self, text: str) -> bytes:
        """A piece of the answer."""
        ...

    def ended(self) -> bytes:
        """What tells that the answer is whole."""
        ...

    def bulk(self, size: int) -> bytes:
        """One event of at least `size` bytes in one line, of which nothing is shown."""
        ...

    def ping(self) -> bytes:
        """A sign of life that carries nothing; where the server has none, what the framing allows (a comment)."""
        ...

    def failed(self, words: str) -> bytes:
        """The app failed in the middle of its answer, and these are its words."""
        ...

    def refused(self, status: int, words: str) -> bytes:
        """The body of a refusal, in JSON."""
        ...


@dataclass(slots=True)
class Heard:
    events: list[BackendEvent] = field(default_factory=list)
    text: str = ""
    error: BackendError | None = None

    @property
    def whole(self) -> bool:
        return self.error is None and isinstance(self.events[-1], AnswerCompleted)


async def hear(backend: Backend, text: str = "hello") -> Heard:
    heard = Heard()
    try:
        async with asyncio.timeout(PATIENCE), aclosing(backend.answer(question(text))) as stream:
            async for event in stream:
                heard.events.append(event)
                if isinstance(event, TextDelta):
                    heard.text += event.text
                elif isinstance(event, TextReplaced):
                    heard.text = event.text
    except BackendError as problem:
        heard.error = problem
    return heard


def question(text: str = "hello") -> Question:
    return Question(text=text, user=BackendUser("wire:thread:1"))


def reads_well(error: BackendError | None) -> bool:
    """A member reads a sentence without anything that a server, a proxy or a setting said."""
    assert error is not None
    sentence = error.user_message
    leaks = ("acme", "10.0.0.7", "sk-123", "nginx", "http", "{", "<", KEY, "127.0.0.1")
    return sentence.endswith(".") and " " in sentence and not any(word in sentence.lower() for word in leaks)
