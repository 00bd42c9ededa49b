"""The seam by which a backend tells what its app wants to know besides the question. Optional, as all that backends may offer
besides (see `bridge.backend_api`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class InputKind(StrEnum):
    TEXT = "text"
    PARAGRAPH = "paragraph"
    NUMBER = "number"
    SELECT = "select"
    CHECKBOX = "checkbox"
    FILE = "file"
    FILES = "files"
    OTHER = "other"
    """Something that nobody can be asked for in a chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputVariable:
    """Something that an app wants to know besides the question."""

    name: str
    label: str
    """For people; the name where its author gave none."""
    kind: InputKind = InputKind.TEXT
    required: bool = False
    options: tuple[str, ...] = ()
    most: int | None = None
    """Characters, of text and paragraphs; None: no bound is known."""
    default: str | int | float | bool | None = None
    hidden: bool = False
    """Its author does not want people to be asked for it."""


@runtime_checkable
class DescribesInputs(Protocol):
    """The backend knows which `inputs` its app wants."""

    async def input_form(self) -> Sequence[InputVariable]:
        """In the order of the app's own form, without the variable that the question itself goes into; kept for a while. Raises
        `BackendError`."""
        ...
