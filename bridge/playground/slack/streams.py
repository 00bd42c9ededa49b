"""A streamed message: what it is made of, how chunks change it, whether it still grows. Pure."""

from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Literal, assert_never

from bridge.playground.slack.content import live_mentions
from bridge.playground.slack.model import JsonObject

TaskStatus = Literal["pending", "in_progress", "complete", "error"]
DisplayMode = Literal["timeline", "plan", "dense"]
StreamState = Literal["live", "stopped", "expired", "stopped_by_user"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextChunk:
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskChunk:
    id: str
    title: str
    status: TaskStatus
    details: str = ""
    output: str = ""
    sources: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChunk:
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocksChunk:
    blocks: tuple[JsonObject, ...]


Chunk = TextChunk | TaskChunk | PlanChunk | BlocksChunk


@dataclass(slots=True, kw_only=True)
class Task:
    id: str
    title: str
    status: TaskStatus
    details: str = ""
    output: str = ""
    sources: list[JsonObject] = field(default_factory=list)

    def texts(self) -> list[str]:
        return [self.title, self.details, self.output, *(str(source.get("text", "")) for source in self.sources)]


@dataclass(slots=True, kw_only=True)
class Content:
    """What a stream shows, in the order in which it came."""

    parts: list[str | Task | tuple[JsonObject, ...]] = field(default_factory=list)
    """Runs of Markdown, tasks where they first appeared, and blocks."""
    plan: str = ""
    """Title of the task list."""

    @property
    def text(self) -> str:
        return "".join(part for part in self.parts if isinstance(part, str))

    @property
    def tasks(self) -> list[Task]:
        return [part for part in self.parts if isinstance(part, Task)]

    @property
    def given_blocks(self) -> list[JsonObject]:
        return [block for part in self.parts if isinstance(part, tuple) for block in part]

    def with_chunks(self, chunks: Sequence[Chunk]) -> "Content":
        """A copy that has grown."""
        grown = deepcopy(self)
        for chunk in chunks:
            grown.add(chunk)
        return grown

    def add(self, chunk: Chunk) -> None:
        match chunk:
            case TextChunk(text=text):
                # Reported: white space at the front of a chunk vanishes. Whoever relies on it sees words run together.
                text = text.lstrip()
                if text and self.parts and isinstance(self.parts[-1], str):
                    self.parts[-1] += text
                elif text:
                    self.parts.append(text)
            case TaskChunk():
                self._update_task(chunk)
            case PlanChunk(title=title):
                self.plan = title
            case BlocksChunk(blocks=blocks):
                self.parts.append(blocks)
            case _:
                assert_never(chunk)

    def _update_task(self, chunk: TaskChunk) -> None:
        known = next((task for task in self.tasks if task.id == chunk.id), None)
        if known is None:
            known = Task(id=chunk.id, title=chunk.title, status=chunk.status)
            self.parts.append(known)
        known.title, known.status = chunk.title, chunk.status
        # Reported: details add up, where title and status are replaced.
        known.details += chunk.details
        known.output = chunk.output or known.output
        known.sources = list(chunk.sources) or known.sources

    def as_blocks(self, mode: DisplayMode) -> list[JsonObject]:
        """As blocks of a message. In a plan all tasks stand together where the first one was."""
        blocks: list[JsonObject] = []
        tasks = self.tasks
        for part in self.parts:
            match part:
                case str(text):
                    blocks.append({"type": "markdown", "text": text})
                case Task() if mode != "plan":
                    blocks.append(_task_card(part))
                case Task():
                    if part is tasks[0]:
                        cards = [_task_card(task) for task in tasks]
                        blocks.append({"type": "plan", "title": self.plan, "tasks": cards})
                case _:
                    blocks += deepcopy(list(part))
        return blocks

    def live_mentions(self) -> Counter[str]:
        """Everything that would notify somebody. Text is judged as a whole: a mention may come in two chunks."""
        texts = [self.text, self.plan, *(text for task in self.tasks for text in task.texts())]
        blocks: list[JsonObject] = [{"type": "markdown", "text": text} for text in texts]
        return Counter(live_mentions("", [*blocks, *self.given_blocks], link_names=False))


@dataclass(slots=True, kw_only=True)
class Stream:
    """Of a message that was streamed: how it stands. Remembered after its end, for the sake of what later calls are told."""

    channel: str
    ts: str
    thread_ts: str
    expires_at: float
    """Monotonic time."""
    recipient_user: str | None = None
    recipient_team: str | None = None
    mode: DisplayMode = "timeline"
    way: Literal["text", "chunks"] | None = None
    """How its content comes; decided by the first call that has any."""
    ended: Literal["stopped", "stopped_by_user"] | None = None
    content: Content = field(default_factory=Content)
    pinged: Counter[str] = field(default_factory=Counter)

    def state(self, now: float) -> StreamState:
        if self.ended is not None:
            return self.ended
        return "live" if now < self.expires_at else "expired"


def _task_card(task: Task) -> JsonObject:
    card: JsonObject = {"type": "task_card", "task_id": task.id, "title": task.title, "status": task.status}
    for name, text in (("details", task.details), ("output", task.output)):
        if text:
            section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
            card[name] = {"type": "rich_text", "elements": [section]}
    if task.sources:
        card["sources"] = deepcopy(task.sources)
    return card
