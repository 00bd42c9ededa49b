"""Which of Dify's three ways of asking an app takes: as a conversation, for one completion, or as a workflow run.

Every key belongs to one app, and an app never becomes one of another kind; so what was learnt once is kept.
"""

import asyncio
from enum import StrEnum

from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import NO_QUERY_INPUT, NOT_CHAT_APP, explain_refusal
from bridge.backends.dify.lacking import is_absent
from bridge.backends.dify.settings import AppType, find_app_type
from bridge.errors import BackendError, BackendMisconfigured
from bridge.messages import BackendIds, BackendTaskId
from bridge.remote.framing import text_of

_NO_TASK = BackendTaskId("00000000-0000-0000-0000-000000000000")
_PROBE_USER = "dify-chat-bridge-check"


class Kind(StrEnum):
    CHAT = "chat"
    """Chat, agent and chatflow apps: they hold conversations."""
    COMPLETION = "completion"
    WORKFLOW = "workflow"

    @property
    def asking(self) -> str:
        """Where a question is posted to."""
        return _ASKING[self]

    def stopping(self, task: BackendTaskId) -> str:
        return _STOPPING[self].format(task=task)


_ASKING = {
    Kind.CHAT: "/chat-messages",
    Kind.COMPLETION: "/completion-messages",
    Kind.WORKFLOW: "/workflows/run",
}
_STOPPING = {
    Kind.CHAT: "/chat-messages/{task}/stop",
    Kind.COMPLETION: "/completion-messages/{task}/stop",
    Kind.WORKFLOW: "/workflows/tasks/{task}/stop",
}
_KINDS = {AppType.COMPLETION: Kind.COMPLETION, AppType.WORKFLOW: Kind.WORKFLOW}

_WRONG_WAY = {
    Kind.CHAT: frozenset({NOT_CHAT_APP}),
    # What every other app says there (measured), and also a completion app that is not published.
    Kind.COMPLETION: frozenset({"not_completion_app", "app_unavailable", NO_QUERY_INPUT}),
    Kind.WORKFLOW: frozenset({"not_workflow_app", NO_QUERY_INPUT}),
}


def kind_of(app_type: AppType) -> Kind:
    return _KINDS.get(app_type, Kind.CHAT)


async def ask_mode(client: DifyClient) -> str:
    """The app's mode as `GET /info` tells it since 1.0; "" before, and where a server only speaks like Dify. Raises
    `BackendError`."""
    reply = await client.call("GET", "/info")
    if is_absent(reply):
        return ""
    if reply.status != 200 or not reply.read():
        raise explain_refusal(reply)
    return text_of(reply.read(), "mode")


async def probe(client: DifyClient) -> Kind | None:
    """Stopping a task that does not exist succeeds for an app of the right kind and is refused for all others. None: this server
    does neither. Raises `BackendError`."""
    for kind in (Kind.CHAT, Kind.WORKFLOW):
        reply = await client.call("POST", kind.stopping(_NO_TASK), body={"user": _PROBE_USER})
        if reply.status == 200:
            return kind
        if text_of(reply.read(), "code") not in _WRONG_WAY[kind]:
            return None
    return Kind.COMPLETION


class KindOfApp:
    """Learnt when it is first needed, from the setting, from the app itself or by trial."""

    def __init__(self, client: DifyClient, configured: AppType | None) -> None:
        self._client = client
        self._known = kind_of(configured) if configured is not None else None
        self._asking = asyncio.Lock()

    @property
    def known(self) -> Kind | None:
        return self._known

    async def get(self) -> Kind:
        """Raises `BackendError`."""
        async with self._asking:
            if self._known is None:
                self._known = await self._ask()
            return self._known

    def of(self, ids: BackendIds) -> Kind:
        """The kind of the app that gave an answer these ids, without asking anybody. Only a chatflow has a run and a message."""
        if ids.run and not ids.message:
            return Kind.WORKFLOW
        return self._known or Kind.CHAT

    async def correct(self, assumed: Kind, error: BackendError) -> bool:
        """What is known was wrong, as this refusal of a question shows, and is right now. Raises `BackendMisconfigured` when the
        app is of a kind that nobody here can ask."""
        if error.code not in _WRONG_WAY[assumed]:
            return False
        async with self._asking:
            try:
                self._known = await self._ask()
            except BackendError as problem:
                if problem.code == NOT_CHAT_APP:
                    raise
                # Asking was only to do better.
                return False
            return self._known is not assumed

    async def _ask(self) -> Kind:
        mode = await ask_mode(self._client)
        if not mode:
            return await probe(self._client) or self._known or Kind.CHAT
        app_type = find_app_type(mode)
        if app_type is None:
            raise BackendMisconfigured(
                f"the key belongs to a {mode[:40]} app, which cannot be asked from a chat", code=NOT_CHAT_APP
            )
        return kind_of(app_type)
