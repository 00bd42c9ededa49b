"""What the stand-in DB-GPT remembers: what it was asked, its conversations and the feedback on them; and what it is to say."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.clock import Clock
from bridge.playground.watching import Watched

Json = dict[str, object]


class Trouble(StrEnum):
    CUT = "cut"
    """The connection breaks after `at` pieces."""
    SILENT = "silent"
    """Headers, then not one byte."""
    SERVER_ERROR = "server_error"
    """A frame that is no JSON, after `at` pieces."""
    AS_TEXT = "as_text"
    """The error is the last piece of the answer, and its round has no answer."""
    MODEL_AS_TEXT = "model_as_text"
    """What the model's provider said is the whole answer, twice."""
    PAGE = "page"
    """A proxy's page instead of everything."""
    BUSY = "busy"
    """A proxy's 429."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer, as it is streamed and as it is kept."""

    pieces: Sequence[str] = ("ok",)
    """For agents (`chat_app`) each is the whole so far."""
    view: str | None = None
    """What the history shows for it; None: what was streamed."""
    notes: str | None = None
    """What the model said, where that is not what is shown."""
    reasoning: str = ""
    """Comes first, beside the text."""
    pause: float = 0.0
    """Seconds between two pieces."""
    trouble: Trouble | None = None
    at: int = 1
    words: str = "the stand-in was told to fail"


class Ended(StrEnum):
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    CLIENT_CLOSED = "client_closed"
    BROKEN = "broken"


@dataclass(slots=True, kw_only=True)
class Asked:
    """One question that arrived, whatever became of it."""

    body: Json
    ended: Ended = Ended.RUNNING

    @property
    def text(self) -> str:
        return str(self.body.get("messages"))

    @property
    def conversation(self) -> str:
        return str(self.body.get("conv_uid"))


@dataclass(slots=True, kw_only=True)
class Round:
    order: int
    human: str
    ai: str | None = None
    view: str | None = None


@dataclass(slots=True, kw_only=True)
class Feedback:
    conv_uid: str
    message_id: str
    user_code: str | None
    feedback_type: str | None
    remark: str | None
    user_name: str | None = None


@dataclass(slots=True, kw_only=True)
class Listings:
    spaces: list[str] = field(default_factory=lambda: ["handbook", "contracts"])
    datasources: list[str] = field(default_factory=lambda: ["sqlite_shop"])
    apps: dict[str, str] = field(default_factory=lambda: {"app-helper": "Helper bot"})
    """Code to name. The built-in ones are there besides."""
    flows: dict[str, str] = field(default_factory=lambda: {"flow-1": "Greeting flow"})
    models: list[str] = field(default_factory=lambda: ["fake", "other-model"])


NATIVE_APPS = {
    "chat_excel": "Chat Excel",
    "chat_dashboard": "Chat Dashboard",
    "chat_with_db_execute": "Chat Data",
    "chat_with_db_qa": "Chat DB",
    "chat_normal": "Chat Normal",
    "chat_knowledge": "Chat Knowledge",
}
"""Stand in every list, and say nothing when they are asked as apps."""

Script = Callable[[str, str], Reply]
"""Chat mode and text in, what to say out."""


def echo(mode: str, text: str) -> Reply:
    return Reply(pieces=["You said: ", text])


class DbgptState(Watched):
    def __init__(self, clock: Clock, api_keys: Sequence[str]) -> None:
        super().__init__()
        self.clock = clock
        self.api_keys = tuple(api_keys)
        self.listings = Listings()
        self.script: Script = echo
        self.requests: list[Asked] = []
        self.conversations: dict[str, list[Round]] = {}
        self.feedback: list[Feedback] = []
        self.calls: list[str] = []
        """Everything but questions, as "GET /api/v2/serve/apps"."""

    def begin_round(self, conversation: str, human: str) -> Round:
        """Numbered, and not yet written down."""
        rounds = self.conversations.get(conversation, [])
        return Round(order=max((one.order for one in rounds), default=0) + 1, human=human)

    def keep(self, conversation: str, one: Round) -> None:
        self.conversations.setdefault(conversation, []).append(one)
        self.changed()
