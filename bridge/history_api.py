"""The part of the seam to backends that is about servers that remember nothing: the bridge keeps their conversations."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """An earlier question of a conversation and what was answered."""

    question: str
    answer: str


@runtime_checkable
class KeepsNoHistory(Protocol):
    """The backend's server remembers nothing: what was said before comes with each question (`Question.history`). The ids of
    its conversations are its own inventions."""

    @property
    def history_turns(self) -> int:
        """How many exchanges it wants at most."""
        ...
