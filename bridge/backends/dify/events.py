"""What Dify's events mean: from JSON to the bridge's `BackendEvent`s, and when an answer has ended and how.

One machine serves all kinds of app. It goes by the events that come, not by the configured app type, so that a wrong setting can
neither cut an answer nor make one wait; only that an answer comes from the call that runs workflows is known (`kind`). Unknown
events are ignored: nearly every version of Dify adds some.
"""

from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum

from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    BackendEvent,
    FileProduced,
    InputRequired,
    SourcesCited,
    TextDelta,
    TextReplaced,
)
from bridge.backends.dify.citing import read_sources
from bridge.backends.dify.errors import explain_error_event, explain_failed_run, is_bare
from bridge.backends.dify.kinds import Kind
from bridge.backends.dify.linking import OwnFiles
from bridge.backends.dify.outputs import show_outputs
from bridge.backends.dify.people import join_requests, read_reasons, read_request
from bridge.backends.dify.producing import MOST_FILES, identify, read_file, read_files
from bridge.backends.dify.shaping import TextShaper
from bridge.backends.dify.spending import read_run_usage, read_usage
from bridge.backends.dify.steps import StepTeller
from bridge.errors import BackendCut, BackendError, BackendPaused
from bridge.messages import (
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendRunId,
    BackendTaskId,
    ProducedFile,
)
from bridge.pauses import InputRequest
from bridge.remote.framing import Json, object_of, text_of
from bridge.remote.refusing import shorten

_STANDING = frozenset({"workflow_started", "message_replace", "node_started", "node_finished", "workflow_paused"})
"""What is told again, as a picture of the run, to whoever goes on hearing it."""


_ID_FIELDS = ("conversation_id", "message_id", "task_id", "workflow_run_id")


class Run(StrEnum):
    """How a workflow, or the one behind a chatflow, stands, as far as the stream has told."""

    UNSEEN = "unseen"
    SUCCEEDED = "succeeded"
    STOPPED = "stopped"
    FAILED = "failed"


class AnswerMachine:
    """Fed with events in order; gives back what they mean. Once `is_over`, `end` says how it ended."""

    def __init__(
        self,
        conversation: BackendConversationId | None,
        own: OwnFiles,
        *,
        ids: BackendIds | None = None,
        answered: Collection[str] = (),
        said: str = "",
    ) -> None:
        """`ids`, `answered` (forms that are over) and `said` are those of a run that goes on after a pause."""
        self._own = own
        self._ids = ids or BackendIds(conversation=conversation)
        self._answered = answered
        self._requests: tuple[InputRequest, ...] = ()
        self._paused = False
        self._ids_told: list[object] = []
        """By the last event."""
        self._started = False
        self._shaper = TextShaper(self._own)
        self._agent_text = ""
        self._chunks = [said]
        """What a workflow has said so far, as it was shown."""
        self._partial = False
        self._steps = StepTeller()
        self._files_told: set[str] = set()
        self._sources: tuple[str, ...] = ()
        self._run_error = ""
        self._failure: BackendError | None = None
        self._message_ended = False
        self.kind = Kind.CHAT
        """Of the call that the events answer."""
        self._annotated = False
        self.run = Run.UNSEEN
        self.heard = False
        """Whether any event came at all."""
        self.heard_news = False
        """Whether any came that tells more than how things stand."""
        self.bare_error = False
        """It failed without a word, as newer chatflows do when the conversation does not exist."""

    def is_over(self) -> bool:
        """Nothing that may still come can change the text. A finished workflow alone is not enough: see `is_finishing`."""
        ended = self._message_ended or (self.kind is Kind.WORKFLOW and self.run is not Run.UNSEEN)
        return ended or self._paused or self._failure is not None

    def is_finishing(self) -> bool:
        """The workflow has finished and only its `message_end` or `error` is missing, which some versions never send. Or it asks
        people, and only says so as yet."""
        return (self.run is not Run.UNSEEN or bool(self._requests)) and not self.is_over()

    def lost_its_end(self) -> bool:
        """A chatflow's run succeeded and its `message_end` never came, which tells what the answer rests on (1.13)."""
        return self.kind is Kind.CHAT and self.run is Run.SUCCEEDED and not self.is_over()

    @property
    def ids(self) -> BackendIds:
        return self._ids

    def take(self, event: Json) -> list[BackendEvent]:
        self.heard = True
        name = text_of(event, "event")
        self.heard_news = self.heard_news or name not in _STANDING
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
                file = read_file(event)
                return self._tell_files((file,) if file else ())
            case "text_chunk":
                return self._take_chunk(text_of(object_of(event, "data"), "text"))
            case "text_replace":
                replaced = self._replace(text_of(object_of(event, "data"), "text"))
                self._chunks = [replaced.text]
                return [replaced]
            case "message_replace":
                return [self._replace(text_of(event, "answer"))]
            case "message_end":
                return self._tell_files(read_files(event.get("files"))) + self._take_metadata(event)
            case "workflow_finished":
                data = object_of(event, "data")
                told = self._tell_files(read_files(data.get("files")))
                told += self._take_outputs(data) if self.kind is Kind.WORKFLOW else []
                # A chatflow's `message_end` knows more, where it comes.
                usage = read_run_usage(data)
                return [*told, usage] if usage else told
            case _:
                return [*self._show_step(name, event)]

    def _show_step(self, name: str, event: Json) -> Sequence[BackendEvent]:
        data = object_of(event, "data")
        match name:
            case "agent_thought":
                return self._steps.take_thought(event)
            case "node_started" | "iteration_started" | "loop_started":
                return self._steps.start_node(data)
            case "node_finished" | "iteration_completed" | "loop_completed":
                return self._steps.finish_node(data)
            case "agent_log":
                return self._steps.take_log(data)
            case _:
                return []

    def _note_ending(self, name: str, event: Json) -> None:
        match name:
            case "message_end":
                self._message_ended = True
            case "workflow_finished":
                self._finish_run(object_of(event, "data"))
            case "human_input_required":
                self._require([read_request(object_of(event, "data"))])
            case "workflow_paused":
                self._pause(object_of(event, "data"))
            case "error":
                self.bare_error = is_bare(event)
                self._failure = explain_error_event(event)
            case _:
                pass

    def _require(self, told: Iterable[InputRequest | None]) -> None:
        wanted = [one for one in told if one is not None and one.id not in self._answered]
        self._requests = join_requests(self._requests, wanted)

    def _pause(self, data: Json) -> None:
        reasons = read_reasons(data)
        self._require(reasons)
        self._paused = bool(self._requests)
        if not reasons and not self._requests and not self._answered:
            self._failure = BackendPaused("the workflow is paused, and not for people", code="paused")

    def take_late(self, events: Iterable[Json]) -> None:
        """Events after the end of the answer: only a stopped run is still of interest (since 1.13 it is told last)."""
        for event in events:
            if text_of(event, "event") == "workflow_finished":
                self._finish_run(object_of(event, "data"))

    def take_whole(self, reply: Json) -> list[BackendEvent]:
        """A reply in one piece, which some servers give although a stream was asked for."""
        if self.kind is Kind.WORKFLOW:
            return self.take({**reply, "event": "workflow_finished"})
        out = self.take({**reply, "event": "message"})
        self._message_ended = True
        return out + self._take_metadata(reply)

    def flush(self) -> list[BackendEvent]:
        """What was held back: text that might have become a tag or a link, and files that are named in the text and that no event
        has told of. (Those that one tells of later have better names there.) Call once, when no event will come any more."""
        rest = self._shaper.flush()
        out: list[BackendEvent] = [TextDelta(text=rest)] if rest else []
        out += self._tell_files(self._shaper.files)
        return [*self.begin(), *out] if out else []

    def settle(self, *, failed: bool) -> Sequence[BackendEvent]:
        """The end of every step that has not told its own."""
        return self._steps.settle(failed=failed)

    def end(self) -> AnswerCompleted | InputRequired:
        """How it ended, after the last event, the end of the stream or the grace. Raises `BackendError`."""
        if self._failure is not None:
            raise self._failure
        if self._requests and self.run is Run.UNSEEN and not self._message_ended:
            return InputRequired(requests=self._requests)
        match self.run:
            case Run.FAILED:
                raise explain_failed_run(
                    f"the workflow failed: {shorten(self._run_error)}", "workflow_failed", self._run_error
                )
            case Run.STOPPED:
                return AnswerCompleted(stopped=True)
            case Run.SUCCEEDED:
                return AnswerCompleted(partial=self._partial, annotated=self._annotated)
            case Run.UNSEEN:
                if not self._message_ended:
                    raise BackendCut("the stream ended without an ending", code="no_ending")
                return AnswerCompleted(annotated=self._annotated)

    def begin(self) -> list[BackendEvent]:
        """`AnswerStarted` for an answer that ended well without any event that would have started it."""
        if self._started:
            return []
        self._started = True
        return [AnswerStarted(ids=self._ids)]

    def _take_ids(self, event: Json) -> list[BackendEvent]:
        told = [event.get(name) for name in _ID_FIELDS]
        if told == self._ids_told:
            # Nearly every event repeats them.
            return []
        self._ids_told = told
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
        shown = self._shaper.feed(text) if text else ""
        return [TextDelta(text=shown)] if shown else []

    def _take_chunk(self, text: str) -> list[BackendEvent]:
        out = self._append(text)
        self._chunks += [event.text for event in out if isinstance(event, TextDelta)]
        return out

    def _take_outputs(self, data: Json) -> list[BackendEvent]:
        """A workflow's outputs are its answer. What was streamed of them is not said twice, and gives way where it is not all:
        some versions stream one output, others several in a row without their names (measured)."""
        if text_of(data, "status") in ("failed", "stopped"):
            return []
        shown = show_outputs(object_of(data, "outputs"), self._own)
        out: list[BackendEvent] = []
        if rest := self._shaper.flush():
            self._chunks.append(rest)
            out.append(TextDelta(text=rest))
        out += self._tell_files((*shown.files, *self._shaper.files))
        self._shaper = TextShaper(self._own)
        said = "".join(self._chunks)
        if shown.text.strip() in ("", said.strip()):
            return out
        if shown.text.startswith(said):
            return [*out, TextDelta(text=shown.text[len(said) :])]
        return [*out, TextReplaced(text=shown.text)]

    def _replace(self, text: str) -> TextReplaced:
        if self._agent_text:
            self._agent_text = text
        self._shaper = TextShaper(self._own)
        shown = self._shaper.feed(text)
        return TextReplaced(text=shown + self._shaper.flush())

    def _tell_files(self, files: Iterable[ProducedFile]) -> list[BackendEvent]:
        """The same file is told by its event, at the run's end and at the message's end."""
        out: list[BackendEvent] = []
        for file in files:
            if identify(file) not in self._files_told and len(self._files_told) < MOST_FILES:
                self._files_told.add(identify(file))
                out.append(FileProduced(file=file))
        return out

    def _take_metadata(self, event: Json) -> list[BackendEvent]:
        """What the answer rests on, and what it cost."""
        metadata = object_of(event, "metadata")
        usage = read_usage(object_of(metadata, "usage"))
        # Chatflows leave it out.
        self._annotated = self._annotated or bool(object_of(metadata, "annotation_reply"))
        return [*self._cite(metadata), *([usage] if usage else [])]

    def _cite(self, metadata: Json) -> list[BackendEvent]:
        names = read_sources(metadata.get("retriever_resources"))
        if not names or names == self._sources:
            return []
        self._sources = names
        return [SourcesCited(names=names)]

    def _finish_run(self, data: Json) -> None:
        match text_of(data, "status"):
            case "stopped":
                self.run = Run.STOPPED
            case "failed":
                self.run = Run.FAILED
                self._run_error = text_of(data, "error")
            case status:
                # `partial-succeeded`, and whatever comes: an answer was made.
                self.run = Run.SUCCEEDED
                self._partial = status == "partial-succeeded"
