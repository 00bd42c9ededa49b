"""Makes a backend for a server, and asks it."""

from bridge.backend_api import Question
from bridge.backends.openai.backend import OpenAIBackend, Settings
from bridge.clock import SystemClock
from bridge.history_api import Exchange
from bridge.messages import BackendUser, Inputs
from tests.fakes.openai_server import OpenAIServer

USER = BackendUser("thread-1")


def make_settings(base_url: str, **settings: object) -> Settings:
    fields: dict[str, object] = {"openai_base_url": base_url, "openai_model": "stand-in", **settings}
    return Settings.model_validate(fields)


def make_backend(server: OpenAIServer | str, **settings: object) -> OpenAIBackend:
    base_url = server if isinstance(server, str) else server.base_url
    key = "sk-test-key" if isinstance(server, str) else server.key
    return OpenAIBackend(make_settings(base_url, **{"openai_api_key": key, **settings}), SystemClock(), grace=0.3)


def ask(text: str = "hello", *, history: tuple[tuple[str, str], ...] = (), inputs: Inputs | None = None) -> Question:
    past = tuple(Exchange(question=question, answer=answer) for question, answer in history)
    return Question(text=text, user=USER, history=past, inputs=inputs or {})
