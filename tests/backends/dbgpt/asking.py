"""Makes a DB-GPT backend, asks it, and keeps what came."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.backend_api import Question
from bridge.backends.dbgpt.backend import DbgptBackend, Settings
from bridge.clock import SystemClock
from bridge.messages import BackendConversationId, BackendUser
from bridge.playground.dbgpt import DbgptServer
from tests.fakes.ports import free_port

USER = BackendUser("slack:T1:C1:thread")


def make_settings(base_url: str, **settings: object) -> Settings:
    return Settings.model_validate({"dbgpt_base_url": base_url, "dbgpt_api_key": "dbgpt-key", **settings})


def question(
    text: str = "hello", conversation: BackendConversationId | None = None, choice: str | None = None
) -> Question:
    return Question(text=text, user=USER, conversation=conversation, choice=choice)


@asynccontextmanager
async def serving(**settings: object) -> AsyncIterator[tuple[DbgptServer, DbgptBackend]]:
    """A stand-in and a backend for it."""
    server = DbgptServer(SystemClock())
    await server.start(port=free_port())
    backend = DbgptBackend(make_settings(server.base_url, **settings), SystemClock())
    try:
        yield server, backend
    finally:
        await backend.close()
        await server.stop()
