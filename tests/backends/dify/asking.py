"""Asks a backend and keeps what came: every event, the text a member would see, and how it ended."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from bridge.backend_api import AnswerCompleted, BackendEvent, InputRequired, Question, TextDelta, TextReplaced
from bridge.backends.dify.backend import DifyBackend, Settings
from bridge.clock import SystemClock
from bridge.errors import BackendError
from bridge.messages import BackendConversationId, BackendUser
from bridge.remote.gates import QUEUE_SECONDS


@dataclass(slots=True)
class Outcome:
    events: list[BackendEvent] = field(default_factory=list)
    text: str = ""
    error: BackendError | None = None

    @property
    def ending(self) -> str:
        """ "completed", "stopped", "input", or the name of the error's class."""
        if self.error is not None:
            return type(self.error).__name__
        last = self.events[-1]
        if isinstance(last, InputRequired):
            return "input"
        assert isinstance(last, AnswerCompleted)
        return "stopped" if last.stopped else "completed"


async def hear(events: AsyncGenerator[BackendEvent, None]) -> Outcome:
    outcome = Outcome()
    try:
        async with aclosing(events) as stream:
            async for event in stream:
                outcome.events.append(event)
                if isinstance(event, TextDelta):
                    outcome.text += event.text
                elif isinstance(event, TextReplaced):
                    outcome.text = event.text
    except BackendError as error:
        outcome.error = error
    return outcome


def make_settings(base_url: str, **settings: object) -> Settings:
    fields: dict[str, object] = {"dify_base_url": base_url, "dify_api_key": "app-test", **settings}
    return Settings.model_validate(fields)


def make_backend(base_url: str, **settings: object) -> DifyBackend:
    """`queue_timeout` and `look_again` go to the backend itself, everything else is a setting."""
    queue_timeout = settings.pop("queue_timeout", QUEUE_SECONDS)
    look_again = settings.pop("look_again", 0)
    assert isinstance(queue_timeout, int | float)
    assert isinstance(look_again, int | float)
    return DifyBackend(
        make_settings(base_url, **settings), SystemClock(), queue_timeout=queue_timeout, look_again=look_again
    )


def ask(text: str = "hello", *, user: str = "thread-1", conversation: str = "") -> Question:
    return Question(
        text=text,
        user=BackendUser(user),
        conversation=BackendConversationId(conversation) if conversation else None,
    )
