"""What was said before in a conversation: as the store has it, and as backends get it whose servers remember nothing."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bridge.messages import Attachment


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTurn:
    """A question of a conversation and what was answered."""

    question: str
    answer: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """The same, for a backend."""

    question: str
    answer: str
    files: tuple[str, ...] = ()
    """What came with the question, as `AcceptsFiles.upload` named it anew; only the newest of a conversation."""


@runtime_checkable
class KeepsNoHistory(Protocol):
    """The backend's server remembers nothing: what was said before comes with each question (`Question.history`). The ids of
    its conversations are its own inventions."""

    @property
    def history_turns(self) -> int:
        """How many exchanges it wants at most."""
        ...
