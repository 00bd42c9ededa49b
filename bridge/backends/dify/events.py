"""What Dify's events mean: from JSON to the bridge's `BackendEvent`s, and when an answer has ended and how.

One machine serves chat, agent and chatflow apps. It goes by the events that come, not by the configured app type, so that a wrong
setting can neither cut an answer nor make one wait. Unknown events are ignored: nearly every version of Dify adds some.
"""

from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    BackendEvent,
    FileProduced,
    Progress,
    TextDelta,
    TextReplaced,
)
from bridge.backends.dify.errors import explain_error_event, is_bare, shorten
from bridge.backends.dify.framing import Json, object_of, text_of
from bridge.backends.dify.thinking import ThinkFilter
from bridge.errors import BackendCut, BackendError, BackendFailed, BackendPaused
from bridge.messages import (
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendRunId,
    BackendTaskId,
)

MAX_TITLE = 200
"""Characters of a step's title or a file's name that are passed on. Dify sets no limit to either."""

_SILENT_NODES = frozenset({"start", "end", "answer"})
"""Nodes every chatflow has: they say nothing about what is being done."""


class Run(StrEnum):
    """How the workflow behind a chatflow stands, as far as the stream has told."""

    UNSEEN = "unseen"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    FAILED = "failed"


class AnswerMachine:
    """Fed with events in order; gives back what they mean. Once `is_over`, `end` says how it ended."""

    def __init__(self, conversation: BackendConversationId | None) -> None:
        self._ids = BackendIds(conversation=conversation)
        self._started = False
        self._filter = ThinkFilter()
        self._agent_text = ""
        self._tools_told: set[tuple[str, str]] = set()
        self._files_told: set[str] = set()
        self._run_error = ""
        self._failure: BackendError | None = None
        self._message_ended = False
        self.run = Run.UNSEEN
        self.heard = False
        """Whether any event came at all."""
        self.bare_error = False
        """It failed without a word, as newer chatflows do when the conversation does not exist."""

    def is_over(self) -> bool:
        """Nothing that may still come can change the text. A finished workflow alone is not enough: see `is_finishing`."""
        return self._message_ended or self._failure is not None

    def is_finishing(self) -> bool:
        """The workflow has finished and only its `message_end` or `error` is missing, which some versions never send."""
        return self.run is not Run.UNSEEN and not self.is_over()

    def take(self, event: Json) -> list[BackendEvent]:
        self.heard = True
        name = text_of(event, "event")
        out = self._take_ids(event) + self._show(name, event)
        self._note_ending(name, event)
        if out and not self._started:
            # Something to show from a server that names no ids: the promise that this comes first holds all the same.
            return self.begin() + out
        return out

    def _show(self, name: str, event: Json) -> list[BackendEvent]:
        match name:
            case "message":
                return self._take_message(text_of(event, "answer"))
            case "agent_message":
                self._agent_text += text_of(event, "answer")
                return self._append(text_of(event, "answer"))
            case "message_file" if isinstance(event.get("answer"), str):
                # From 1.11.2 on, a chat app sends its text under this name when the question came with a file.
                return self._append(text_of(event, "answer"))
            case "message_file":
                return self._tell_file(event)
            case "message_replace":
                return [self._replace(text_of(event, "answer"))]
            case "message_end":
                return [told for file in _objects(event.get("files")) for told in self._tell_file(file)]
            case "agent_thought":
                return self._tell_tools(event)
            case "node_started" | "iteration_started" | "loop_started":
                return _tell_node(object_of(event, "data"))
            case _:
                return []

    def _note_ending(self, name: str, event: Json) -> None:
        match name:
            case "message_end":
                self._message_ended = True
            case "workflow_finished":
                self._finish_run(object_of(event, "data"))
            case "workflow_paused" | "human_input_required":
                self._failure = BackendPaused("the chatflow waits for human input", code="paused")
            case "error":
                self.bare_error = is_bare(event)
                self._failure = explain_error_event(event)
            case _:
                pass

    def take_late(self, events: Iterable[Json]) -> None:
        """Events after the end of the answer: only a stopped run is still of interest (since 1.13 it is told last)."""
        for event in events:
            if text_of(event, "event") == "workflow_finished":
                self._finish_run(object_of(event, "data"))

    def take_whole(self, reply: Json) -> list[BackendEvent]:
        """A reply in one piece, which some servers give although a stream was asked for."""
        out = self.take({**reply, "event": "message"})
        self._message_ended = True
        return out

    def flush(self) -> list[BackendEvent]:
        """Text that was held back because it might have become a tag. Call once, when no event will come any more."""
        rest = self._filter.flush()
        return [*self.begin(), TextDelta(text=rest)] if rest else []

    def end(self) -> AnswerCompleted:
        """How it ended, after the last event, the end of the stream or the grace. Raises `BackendError`."""
        if self._failure is not None:
            raise self._failure
        match self.run:
            case Run.FAILED:
                raise BackendFailed(f"the workflow failed: {self._run_error}", code="workflow_failed")
            case Run.STOPPED:
                return AnswerCompleted(stopped=True)
            case Run.SUCCEEDED:
                return AnswerCompleted()
            case Run.UNSEEN:
                if not self._message_ended:
                    raise BackendCut("the stream ended without an ending", code="no_ending")
                return AnswerCompleted()

    def begin(self) -> list[BackendEvent]:
        """`AnswerStarted` for an answer that ended well without any event that would have started it."""
        if self._started:
            return []
        self._started = True
        return [AnswerStarted(ids=self._ids)]

    def _take_ids(self, event: Json) -> list[BackendEvent]:
        ids = BackendIds(
            conversation=BackendConversationId(text_of(event, "conversation_id")) or self._ids.conversation,
            message=BackendMessageId(text_of(event, "message_id")) or self._ids.message,
            task=BackendTaskId(text_of(event, "task_id")) or self._ids.task,
            run=BackendRunId(text_of(event, "workflow_run_id")) or self._ids.run,
        )
        if ids == self._ids:
            return []
        self._ids = ids
        self._started = True
        return [AnswerStarted(ids=ids)]

    def _take_message(self, text: str) -> list[BackendEvent]:
        # Apps of the new kind "agent" (1.16) stream `agent_message` and close with one `message` holding the whole answer.
        if self._agent_text and text:
            return [] if text == self._agent_text else [self._replace(text)]
        return self._append(text)

    def _append(self, text: str) -> list[BackendEvent]:
        shown = self._filter.feed(text) if text else ""
        return [TextDelta(text=shown)] if shown else []

    def _replace(self, text: str) -> TextReplaced:
        if self._agent_text:
            self._agent_text = text
        self._filter = ThinkFilter()
        shown = self._filter.feed(text)
        return TextReplaced(text=shown + self._filter.flush())

    def _tell_tools(self, thought: Json) -> list[BackendEvent]:
        """The same thought comes again and again, each time fuller. Its text repeats what was streamed and is left out."""
        labels = object_of(thought, "tool_labels")
        out: list[BackendEvent] = []
        for tool in text_of(thought, "tool").split(";"):
            key = (text_of(thought, "id"), tool)
            if tool and key not in self._tools_told:
                self._tools_told.add(key)
                out.append(Progress(title=(text_of(object_of(labels, tool), "en_US") or tool)[:MAX_TITLE]))
        return out

    def _tell_file(self, file: Json) -> list[BackendEvent]:
        """Name and kind only: the address is signed, so whoever sees it can fetch the file."""
        url, ident = text_of(file, "url"), text_of(file, "id")
        if not url or text_of(file, "belongs_to") == "user":
            return []
        name = text_of(file, "filename") or unquote(_path_of(url).rsplit("/", 1)[-1]) or ident
        if (ident or name) in self._files_told:
            return []
        self._files_told.add(ident or name)
        return [FileProduced(name=name[:MAX_TITLE], kind=text_of(file, "type") or "file")]

    def _finish_run(self, data: Json) -> None:
        match text_of(data, "status"):
            case "stopped":
                self.run = Run.STOPPED
            case "failed":
                self.run = Run.FAILED
                self._run_error = shorten(text_of(data, "error"))
            case _:
                # `partial-succeeded`, and whatever comes: an answer was made.
                self.run = Run.SUCCEEDED


def _tell_node(data: Json) -> list[BackendEvent]:
    title = text_of(data, "title").strip()
    if not title or text_of(data, "node_type") in _SILENT_NODES:
        return []
    return [Progress(title=title[:MAX_TITLE])]


def _objects(value: object) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""
