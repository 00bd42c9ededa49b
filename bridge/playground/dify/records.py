"""What the stand-in Dify remembers and shows to tests and to the page. Values only."""

from dataclasses import dataclass, field
from enum import StrEnum


class Ended(StrEnum):
    """How a chat request ended."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    ERROR = "error"
    CUT = "cut"
    CLIENT_CLOSED = "client_closed"
    REFUSED = "refused"


@dataclass(slots=True, kw_only=True)
class ChatRequest:
    """One POST /chat-messages, refused ones included."""

    at: float
    """`Clock.monotonic` when it arrived."""
    user: str
    query: str
    conversation_id: str
    """As it was sent; empty for a new conversation."""
    body: dict[str, object]
    task_id: str = ""
    message_id: str = ""
    ended: Ended = Ended.RUNNING


@dataclass(slots=True, kw_only=True)
class StoredMessage:
    id: str
    query: str
    answer: str = ""
    """Stored at the end only, as the real one does: a dropped stream leaves it empty for good."""
    status: str = "normal"
    error: str = ""
    created_at: int = 0


@dataclass(slots=True, kw_only=True)
class Conversation:
    id: str
    user: str
    messages: list[StoredMessage] = field(default_factory=list)
    created_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    rating: str
    content: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingCall:
    """One feedback call as it came, refused ones included."""

    message_id: str
    rating: str | None
    content: str
    user: str
    status: int
