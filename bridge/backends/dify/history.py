"""What Dify keeps of earlier questions: messages, conversations and runs, read from its replies and narrowed to what matters.

Nothing is judged here. Rows of the same second come in any order (measured on both versions), so order is never relied on.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bridge.backends.dify.citing import read_sources
from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import explain_refusal
from bridge.backends.dify.lacking import is_absent
from bridge.backends.dify.producing import read_files
from bridge.messages import BackendConversationId, BackendMessageId, BackendRunId, BackendUser, ProducedFile
from bridge.remote.framing import Json, object_of, text_of
from bridge.remote.refusing import Refusal

PAGE = 20
"""Rows asked for at once, Dify's own default. The question looked for is among the newest: there is one at a time."""


class NotKept(Exception):
    """This server keeps no history that can be read: it only speaks like Dify."""


class Gone(Exception):
    """Dify does not know this conversation (any more), or not as this user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One message: a question and what is stored of its answer."""

    id: BackendMessageId
    query: str
    answer: str
    """Written once, at the end: empty while it is made, and empty for good when the client went away."""
    status: str
    error: str
    created_at: int
    """Dify keeps whole seconds."""
    steps: tuple[str, ...]
    """What an agent said, step by step. Written at the end of each step, also when the client went away (measured)."""
    steps_done: bool
    """The last of them called no tool and has a text: it was the agent's last."""
    sources: tuple[str, ...] = ()
    files: tuple[ProducedFile, ...] = ()
    """Those of the app. Their addresses were signed afresh for this reply."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedConversation:
    id: BackendConversationId
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDetail:
    status: str
    answer: str | None
    error: str
    files: tuple[ProducedFile, ...]
    outputs: Json | None
    """A workflow's, None where they cannot be read. A chatflow has its answer among them."""
    age: float
    """Seconds since it was created, by the server's own clock. 0 when it cannot be told."""


async def list_messages(
    client: DifyClient, conversation: BackendConversationId, user: BackendUser, max_bytes: int
) -> Sequence[Row]:
    """The newest messages of a conversation, in no order. Raises `Gone`, `NotKept` or `BackendError`."""
    query = {"conversation_id": conversation, "user": user, "limit": str(PAGE)}
    reply = await client.call("GET", "/messages", query=query, max_bytes=max_bytes)
    gone = reply.status == 404 or (reply.status == 400 and text_of(reply.read(), "code") == "invalid_param")
    if gone and reply.is_json and not is_absent(reply):
        raise Gone(f"Dify does not know the conversation {conversation}")
    return [row for item in _read_list(reply) if (row := _read_row(item)) is not None]


async def list_conversations(client: DifyClient, user: BackendUser, max_bytes: int) -> Sequence[ListedConversation]:
    """The newest conversations of a user, in no order. Raises `NotKept` or `BackendError`."""
    query = {"user": user, "sort_by": "-created_at", "limit": str(PAGE)}
    reply = await client.call("GET", "/conversations", query=query, max_bytes=max_bytes)
    return [
        ListedConversation(id=BackendConversationId(text_of(item, "id")), created_at=_whole(item, "created_at"))
        for item in _read_list(reply)
        if text_of(item, "id")
    ]


async def read_run(client: DifyClient, run: BackendRunId, max_bytes: int) -> RunDetail | None:
    """How a workflow run stands. None: this server does not tell (0.15.3 refuses it for chatflows). Raises `BackendError`."""
    reply = await client.call("GET", f"/workflows/run/{run}", max_bytes=max_bytes)
    if reply.status in (400, 404, 405, 501):
        return None
    if reply.status != 200:
        raise explain_refusal(reply)
    # An unknown run is told as 200 with nothing in it: a run without a status, then.
    detail = reply.read()
    told = _outputs(detail)
    outputs = told or {}
    answer = outputs.get("answer")
    return RunDetail(
        status=text_of(detail, "status"),
        answer=text_of(outputs, "answer") if isinstance(answer, str) else None,
        error=text_of(detail, "error"),
        files=read_files(outputs.get("files")),
        outputs=told,
        age=_age(reply, _whole(detail, "created_at")),
    )


def _read_list(reply: Refusal) -> Sequence[Json]:
    if reply.status in (404, 405, 501):
        raise NotKept(f"the server answered {reply.status} to a question for its history")
    if reply.status != 200:
        raise explain_refusal(reply)
    data = reply.read().get("data")
    if not isinstance(data, list):
        if not reply.is_json:
            # Some proxy's login or error page.
            raise explain_refusal(reply)
        raise NotKept("the server's history cannot be read")
    return [item for item in data if isinstance(item, dict)]


def _read_row(item: Json) -> Row | None:
    ident = text_of(item, "id")
    if not ident:
        return None
    raw = item.get("agent_thoughts")
    thoughts = [thought for thought in raw if isinstance(thought, dict)] if isinstance(raw, list) else []
    thoughts.sort(key=lambda thought: _whole(thought, "position"))
    steps = tuple(text_of(thought, "thought") for thought in thoughts)
    return Row(
        id=BackendMessageId(ident),
        query=text_of(item, "query"),
        answer=text_of(item, "answer"),
        status=text_of(item, "status"),
        error=text_of(item, "error"),
        created_at=_whole(item, "created_at"),
        steps=steps,
        steps_done=bool(steps) and steps[-1].strip() != "" and not text_of(thoughts[-1], "tool"),
        sources=read_sources(item.get("retriever_resources")),
        files=read_files(item.get("message_files")),
    )


def _outputs(detail: Json) -> Json | None:
    """The Service API gives a run's outputs as a string of JSON (measured on 1.12.1), other servers as an object."""
    text = text_of(detail, "outputs")
    if not text:
        return object_of(detail, "outputs")
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _age(reply: Refusal, created_at: int) -> float:
    try:
        now = parsedate_to_datetime(reply.headers.get("Date", ""))
    except ValueError:
        return 0.0
    if not created_at:
        return 0.0
    return (now.replace(tzinfo=now.tzinfo or UTC) - datetime.fromtimestamp(created_at, UTC)).total_seconds()


def _whole(item: Json, key: str) -> int:
    value = item.get(key)
    return value if isinstance(value, int) else 0
