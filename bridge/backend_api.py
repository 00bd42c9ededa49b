"""The seam to backends (Dify and the like): a question goes in, a stream of events comes out.

A backend is a folder in `bridge/backends` whose `backend` module offers `Settings` and `create(settings, clock) -> Backend`.
Failure is raised as a `BackendError`, never yielded. Backends never see each other.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Protocol, runtime_checkable

from bridge.history_api import Exchange
from bridge.messages import (
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendUser,
    Inputs,
    ProducedFile,
    Rating,
    Step,
)
from bridge.pauses import InputRequest
from bridge.platform_api import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedFile:
    """A file of a member that the backend has. Good for this `user` only."""

    id: str
    kind: str
    """The backend's own word for what it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    text: str
    """Never empty."""
    user: BackendUser
    conversation: BackendConversationId | None = None
    """None starts a new conversation."""
    inputs: Inputs = field(default_factory=dict)
    files: tuple[UploadedFile, ...] = ()
    sent_at: datetime | None = None
    """When a person sent it, as their platform tells. It cannot have been asked before."""
    choice: str | None = None
    """The `Choice.id` that was chosen for this thread (see `OffersChoices`); None: what the operator set. Given anew with every
    question of a conversation, since the backend keeps none. A backend that offers no choices ignores it."""
    history: tuple[Exchange, ...] = ()
    """What was said before in this conversation, the newest last; only for backends that are `history_api.KeepsNoHistory`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStarted:
    """Always the first event. Comes again, with more ids set, when the backend reveals them later."""

    ids: BackendIds


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta:
    """Text to append to the answer. Never empty."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextReplaced:
    """Discard what came so far and show this instead (moderation)."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """News of a step that a person may know about."""

    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProduced:
    """The app made a file (see `ProducesFiles`)."""

    file: ProducedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesCited:
    """The answer rests on these documents, each once, in the backend's order: their names, with position and score where it tells
    them, and never a word out of them. A later one replaces it."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReported:
    """What asking once has cost, as the backend counts. A later one of the same answer replaces it."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    price: Decimal | None = None
    """None where the backend names none; never a float on its way here."""
    currency: str = ""
    """As the backend names it ("USD"); empty without a price."""
    latency: float | None = None
    """Seconds that the backend says it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCompleted:
    """Always the last event of a generator that ends without raising."""

    stopped: bool = False
    """True when the backend says that it was stopped. Chat apps do not say so."""
    note: str = ""
    """A sentence for the member about how it ended, where there is something to know: it was cut short, say."""
    partial: bool = False
    """True when the backend says that a step failed and it went on without: what there is may not be all."""
    annotated: bool = False
    """People wrote this answer beforehand, for questions like this one."""


class Fate(StrEnum):
    """What became of a question that was asked by somebody who is gone."""

    ANSWERED = "answered"
    """The whole answer is known."""
    STOPPED = "stopped"
    """It was stopped; what there is of it is known."""
    FAILED = "failed"
    """The app failed."""
    RUNNING = "running"
    """It is certainly still being worked on: ask again later."""
    UNSURE = "unsure"
    """The question arrived; no answer is kept (yet). Being worked on and lost look the same."""
    ABSENT = "absent"
    """The question never arrived, so asking it is not asking twice."""
    UNKNOWN = "unknown"
    """This backend cannot tell."""
    PAUSED = "paused"
    """It waits for people: `input_api.TakesInput.resume` tells for what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    fate: Fate
    ids: BackendIds = field(default_factory=BackendIds)
    """As many as are known, the given ones included."""
    text: str = ""
    """The answer, shaped as the events would have shaped it. Set only when `answered` or `stopped`."""
    sources: tuple[str, ...] = ()
    files: tuple[ProducedFile, ...] = ()
    partial: bool = False
    """As of `AnswerCompleted`."""
    detail: str = ""
    """For the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRequired:
    """The app waits for people, and its answer is not over: the last event of a generator instead of `AnswerCompleted`. Only of
    backends that are `input_api.TakesInput`."""

    requests: tuple[InputRequest, ...]
    """Never empty. They may be answered one after the other."""


BackendEvent = (
    AnswerStarted
    | TextDelta
    | TextReplaced
    | Progress
    | FileProduced
    | SourcesCited
    | UsageReported
    | AnswerCompleted
    | InputRequired
)


class Backend(Protocol):
    name: str

    @property
    def capacity(self) -> int:
        """How many answers it may be asked for at once. Questions beyond that wait outside, not in here."""
        ...

    @property
    def server(self) -> str:
        """Names the server that answers. Backends that say the same share their places: the smallest capacity counts."""
        ...

    def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        """Asks once and streams the answer.

        Consume it under `contextlib.aclosing` and in one task: closing it early closes the connection, and with it a Dify
        answer is lost. Order: `AnswerStarted`, then anything, then `AnswerCompleted` or a raised `BackendError`. The request is
        sent a second time only when it provably was not accepted. Waits for a free place among the allowed
        connections before it asks.
        """
        ...

    async def stop(self, ids: BackendIds, user: BackendUser) -> None:
        """Asks the backend to end a running answer; its stream then ends by itself. Raises `BackendError`."""
        ...

    async def recover(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        """Looks once what became of a question that an earlier owner asked. Changes nothing at the backend.

        `ids` are those that were recorded: all of them, some, or none when it died before the first event. Then the question is
        looked for among what came after `last_seen`. Raises `BackendError` when nobody could be asked.
        """
        ...

    async def rate(self, ids: BackendIds, user: BackendUser, rating: Rating | None, content: str) -> None:
        """Sets the one rating of an answer, or takes it away (None). Taking away what is not there is success.

        Raises `BackendError`; when `may_retry` is False the rating can never be delivered.
        """
        ...

    async def check(self) -> Sequence[Finding]:
        """Tries URL, certificate, key and app type for real. Never raises; a failure is a finding."""
        ...

    async def close(self) -> None:
        """Ends every connection. Called once, when no `answer` is running."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """Which files an app takes."""

    most: int = 0
    """With one question; 0: it takes none."""
    largest: Mapping[str, int] = field(default_factory=dict)
    """Bytes, by kind; kinds that are not named are not taken."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """File name extension (lower case, no dot) to kind."""
    media_types: Mapping[str, str] = field(default_factory=dict)
    """Media type, or its part before the slash, to kind, for names that have no known extension."""


@runtime_checkable
class AcceptsFiles(Protocol):
    """The backend takes files of members, where its app does."""

    async def file_rules(self) -> FileRules:
        """What the app takes now; kept for a while. Raises `BackendError`."""
        ...

    async def upload(self, content: Path, name: str, media_type: str, kind: str, user: BackendUser) -> UploadedFile:
        """Hands one file over. `kind` is one of the app's `FileRules`. Raises `BackendError`; `QuestionRefused` when this file
        is not wanted (its `user_message` says why), which says nothing about the question."""
        ...


@runtime_checkable
class ProducesFiles(Protocol):
    """The files of `FileProduced` can be had."""

    async def fetch(self, file: ProducedFile, into: Path, most: int) -> str:
        """Writes its content there, at most `most` bytes, and returns its media type ("" when unknown). Only from the configured
        server, whatever the address says. Raises `BackendError`; `may_retry` is False when it can never be had."""
        ...


@runtime_checkable
class SuggestsQuestions(Protocol):
    async def suggestions(self, ids: BackendIds, user: BackendUser) -> Sequence[str]:
        """Questions that could follow an answer; none where the app does not do that. May take some seconds. Raises
        `BackendError`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How an app introduces itself."""

    text: str = ""
    """Markdown; empty where it says nothing."""
    questions: tuple[str, ...] = ()


@runtime_checkable
class Introduces(Protocol):
    async def opening(self) -> Opening:
        """Kept for a while. Raises `BackendError`."""
        ...


@runtime_checkable
class Transcribes(Protocol):
    """The backend turns speech into text, where its app does."""

    async def transcribes(self) -> bool:
        """Raises `BackendError`."""
        ...

    async def transcribe(self, path: Path, name: str, media_type: str, user: BackendUser) -> str:
        """The words of a recording; "" where none could be made out. Raises `BackendError`, which says in a sentence for
        members what was wrong with the file when its `may_retry` is False."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of several things that can answer within one app: a knowledge space, a data source, a flow, a model."""

    id: str
    """Stable and opaque: at most 40 characters of [A-Za-z0-9:_-]. Kept for a thread and given back in `Question.choice`."""
    label: str
    """For people, plain text in one line, at most 75 characters. Never empty."""
    group: str
    """What kind of thing it is, for people ("Knowledge space"); choices of one group follow each other."""


@runtime_checkable
class OffersChoices(Protocol):
    """Within the app a member may choose what answers."""

    async def choices(self) -> Sequence[Choice]:
        """What there is to choose from now, each id once, in the order to show; kept for a while. Empty where the operator
        allows no choice or the server lists nothing. Raises `BackendError`.

        A choice that has vanished since is refused by `answer` with `QuestionRefused`, code `choice_gone`, before anything
        is asked; its `user_message` says so."""
        ...


@runtime_checkable
class LimitsRatings(Protocol):
    """Not every answer of this backend can be rated."""

    def rates(self, ids: BackendIds) -> bool:
        """Whether this one can, as far as is known without asking. Where it cannot, nobody is offered to, and `rate` raises
        with `may_retry` False."""
        ...


@runtime_checkable
class StandsAlone(Protocol):
    """Of this backend's apps some hold no conversation: each question stands alone."""

    async def stands_alone(self) -> bool:
        """The app remembers no earlier question, and what was said around one must not be told along with it: all that it is
        given, it works on. Kept; False as long as it cannot be told. Never raises."""
        ...
