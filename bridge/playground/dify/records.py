"""What the stand-in Dify remembers and shows to tests and to the page. Values only."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.playground.dify.kept_files import MadeFile, Upload


class Ended(StrEnum):
    """How a chat request ended."""

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    ERROR = "error"
    CUT = "cut"
    CLIENT_CLOSED = "client_closed"
    REFUSED = "refused"
    PAUSED = "paused"
    """Its stream is over, and its run waits for people."""


@dataclass(slots=True, kw_only=True)
class Unheard:
    """A run that goes on although nobody reads its stream any more. Worked out when somebody asks; no task is behind it."""

    due: float
    """`Clock.monotonic` at which the model will have said everything; infinite when its server died."""
    text: str
    error: str = ""
    """What it fails with at `due`, if it does."""
    stopped: bool = False

    def is_running(self, now: float) -> bool:
        return not self.stopped and now < self.due

    def has_succeeded(self, now: float) -> bool:
        return not self.stopped and not self.error and now >= self.due


@dataclass(slots=True, kw_only=True)
class StoredRun:
    """The run of a workflow, or of the one behind a chatflow."""

    id: str
    query: str
    user: str
    created_at: int
    status: str = "running"
    answer: str = ""
    error: str = ""
    outputs: dict[str, object] | None = None
    """A workflow's; a chatflow has its answer among them."""
    outputs_unheard: dict[str, object] | None = None
    """Those that it will have had when nobody listens to its end; None: `result` alone."""
    unheard: Unheard | None = None


@dataclass(slots=True, kw_only=True)
class StoredMessage:
    id: str
    query: str
    answer: str = ""
    """Stored at the end only, as the real one does: a dropped stream leaves it empty for good."""
    status: str = "normal"
    error: str = ""
    created_at: int = 0
    tool: str = ""
    """What an agent called first."""
    step: str = ""
    """What an agent said in its last step; written at the end of the step, and not when it was stopped."""
    unheard: Unheard | None = None
    given: Sequence[tuple[Upload, str]] = ()
    """Files that came with the question, and as what."""
    made: Sequence[MadeFile] = ()
    sources: Sequence[str] = ()
    suggestions: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechCall:
    """Something that was read aloud."""

    user: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteCall:
    """A conversation that was to be deleted."""

    conversation_id: str
    user: str


@dataclass(slots=True, kw_only=True)
class ChatRequest:
    """One question, to whatever kind of app, refused ones included."""

    at: float
    """`Clock.monotonic` when it arrived."""
    user: str
    query: str
    """Of a completion and of a workflow: what the input for it holds."""
    conversation_id: str
    """As it was sent; empty for a new conversation."""
    body: dict[str, object]
    task_id: str = ""
    message_id: str = ""
    """Empty while nothing was made of it; refused questions stay so."""
    ended: Ended = Ended.RUNNING
    stored: StoredMessage | None = None
    """What was made of it, and still is when its conversation was deleted."""
    home: str = ""
    """The conversation that it ended up in."""
    stop_calls: int = 0
    """Stop calls that named its task, whoever made them."""
    stopped: bool = False
    """One of them ended its run, whether or not anybody was still listening."""


@dataclass(slots=True, kw_only=True)
class Conversation:
    id: str
    user: str
    name: str = "New conversation"
    """What it is called until a model has thought of a title, or somebody gave it one (from the source)."""
    messages: list[StoredMessage] = field(default_factory=list)
    created_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    rating: str
    content: str
    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Something spoken, as it was handed over to be turned into text; refused ones left out."""

    user: str
    name: str
    media_type: str
    content: bytes
    text: str
    """What was understood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StopCall:
    """One stop call as it came, refused ones left out."""

    task_id: str
    user: str
    worked: bool
    """It ended a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameCall:
    """One call that gave a conversation its title, refused ones left out."""

    conversation_id: str
    user: str
    name: str
    thought_of: bool
    """The model was asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything that came of one question's text, however often it was asked."""

    posts: int
    """How often it arrived."""
    accepted: int
    """How often something was made of it: each of these cost a run."""
    users: tuple[str, ...]
    conversations: tuple[str, ...]
    """Where it ended up, each once, in order."""
    endings: tuple[str, ...]
    """One for each post."""
    stopped: int
    """Runs of it that a stop call ended."""
    answers: tuple[str, ...]
    """What is stored, one for each that was accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingCall:
    """One feedback call as it came, refused ones included."""

    message_id: str
    rating: str | None
    content: str
    user: str
    status: int
