"""An answer that waits for people: the app has stopped in the middle and goes on once somebody has filled in its form.

What is asked for, what was given, and what is kept of both until the answer has ended. Values only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bridge.messages import (
    AnswerId,
    AppName,
    Author,
    BackendIds,
    BackendUser,
    ConversationId,
    PersonId,
    ReplyTarget,
)

FORMS = "human"
"""Ids of these forms begin with it (see `form_desk`), then comes the number of the pause and that of the action, with colons."""


class FieldKind(StrEnum):
    TEXT = "text"
    PARAGRAPH = "paragraph"
    SELECT = "select"
    OTHER = "other"
    """Something that cannot be filled in from a chat, such as a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputField:
    name: str
    """Unique within its form; also what people read."""
    kind: FieldKind = FieldKind.TEXT
    default: str = ""
    options: tuple[str, ...] = ()
    """Of a `SELECT`, which takes nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputAction:
    """One of the ways to answer: what the app does next depends on it."""

    id: str
    title: str
    """Plain text, as the app's author wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRequest:
    """One form, as a backend wants it answered."""

    id: str
    """The same whenever the backend tells of this form."""
    token: str = ""
    """The backend's own; whoever has it may answer, so it is neither shown nor logged. Empty: it is answered elsewhere only."""
    title: str = ""
    text: str = ""
    """Markdown. Where a field belongs into it, its name stands."""
    fields: tuple[InputField, ...] = ()
    actions: tuple[InputAction, ...] = ()
    """The first is the one that most people will want. Never empty where there is a token."""
    expires_at: datetime | None = None

    @property
    def is_for_chat(self) -> bool:
        """Whether it can be answered from here."""
        can_fill = all(one.kind is not FieldKind.OTHER for one in self.fields)
        return bool(self.token and self.actions) and can_fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What somebody answered."""

    action: str
    """Id of the `InputAction`."""
    values: Mapping[str, str] = field(default_factory=dict)
    """By the name of the field."""
    by: PersonId
    name: str
    """Of that person, for people."""


class PauseStep(StrEnum):
    """How far a pause has come. Stored."""

    WAITING = "waiting"
    """For people."""
    GIVEN = "given"
    """Somebody answered; the backend may not know it yet."""
    RESUMED = "resumed"
    """The backend has it, or does without: the run goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Everything needed to show the form, to take what is answered and to go on from there. Kept until the answer has ended."""

    number: int
    """Of the forms of one answer, from 1; a new one whenever its buttons mean something new."""
    request: InputRequest
    step: PauseStep = PauseStep.WAITING
    given: Given | None = None
    said: str = ""
    """What the app had said of this answer (Markdown), nothing of ours in it."""
    shown: str = ""
    """What stands for that in the answer's messages: what was said, with the forms and what became of them in between."""
    note: str = ""
    """A line of ours below the form."""
    answered: tuple[str, ...] = ()
    """Ids of the forms of this answer that are over."""
    is_late: bool = False
    """Its time is over, which people were told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenForm:
    """A form that stands below a message of ours."""

    answer: AnswerId
    conversation: ConversationId
    app: AppName
    asker: Author
    target: ReplyTarget
    pause: Pause
    stopped: bool = False
    """The answer is to end, so nothing is taken any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePause:
    """A pause that is to be looked after."""

    answer: AnswerId
    conversation: ConversationId
    app: AppName
    backend_user: BackendUser
    ids: BackendIds
    target: ReplyTarget
    pause: Pause
    remind: bool = False
    """People shall be told that it still waits. Told once."""
