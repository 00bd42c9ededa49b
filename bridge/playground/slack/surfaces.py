"""What an app shows besides messages: agent sessions, suggested prompts, what only one person sees. Values only."""

from dataclasses import dataclass, field
from typing import Literal

from bridge.playground.slack import limits
from bridge.playground.slack.content import visible_text
from bridge.playground.slack.model import JsonObject

SessionStatus = Literal["processing", "active", "suspended", "closed"]

Feature = Literal["streaming", "tasks", "agent", "assistant", "home"]
"""What a workspace may lack: streamed messages, tasks and plans in them, agent sessions, the assistant's methods, Home tabs."""


@dataclass(slots=True, kw_only=True)
class Session:
    """An agent session, which belongs to one thread."""

    channel: str
    thread_ts: str
    status: SessionStatus
    at: float
    """Monotonic time of the last change of status."""
    title: str = ""
    initiator: str | None = None

    def status_at(self, now: float) -> SessionStatus:
        overdue = self.status == "processing" and now - self.at >= limits.SESSION_SECONDS
        return "active" if overdue else self.status


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """Suggested prompts of a direct message."""

    channel: str
    thread_ts: str | None
    title: str
    prompts: tuple[tuple[str, str], ...]
    """(title, message) of each."""


@dataclass(slots=True, kw_only=True)
class Ephemeral:
    """What one person sees and nobody reads back."""

    channel: str
    person: str
    ts: str
    text: str
    """Entity-escaped, as on the wire."""
    blocks: list[JsonObject] = field(default_factory=list)
    thread_ts: str | None = None

    @property
    def visible_text(self) -> str:
        return visible_text(self.text, self.blocks)
