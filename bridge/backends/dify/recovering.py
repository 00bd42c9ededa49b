"""What became of a question whose asker is gone: found in Dify's history, and judged. Nothing is changed at Dify.

Dify takes no key that would make a question recognisable, so one whose ids were never recorded is found by its words, its place
and what is known to be older. A wrong answer is worse than none: whenever two explanations are left, the fate is `unsure`.

What can be known (measured on 0.15.3 and 1.12.1): a chat app's answer is lost with its stream and looks like one being made. An
agent's last step is kept. A chatflow of 1.12.1 goes on to its end, and the run tells its text; so does a workflow. Before 1.0 a
run that nobody listens to stays "running" for good. A failure is told. Nothing is told about a completion.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bridge.backend_api import Fate, Question, Recovered
from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.history import (
    Gone,
    ListedConversation,
    NotKept,
    Row,
    RunDetail,
    list_conversations,
    list_messages,
    read_run,
)
from bridge.backends.dify.linking import OwnFiles
from bridge.backends.dify.outputs import show_outputs
from bridge.backends.dify.producing import keep_different
from bridge.backends.dify.shaping import shape
from bridge.clock import Clock
from bridge.errors import BackendError
from bridge.messages import BackendConversationId, BackendIds, BackendMessageId, BackendUser, ProducedFile
from bridge.remote.refusing import shorten

LOOK_AGAIN_SECONDS = 1.0
"""Between the two looks for what was not there, or was only just written. Dify makes the row while it takes the question."""

LONGEST_RUN_SECONDS = 1200.0
"""Dify's APP_MAX_EXECUTION_TIME unless the operator raised it. A run that is older and still "running" died with its server."""

CLOCK_SKEW_SECONDS = 60.0
"""By how much Dify's clock may be behind the chat platform's."""

SOURCES_SECONDS = 3.0
"""That the end of an answer waits for the names of its sources, where they have to be asked for."""

MOST_CONVERSATIONS = 5
"""Conversations of one user that are looked into."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    conversation: BackendConversationId
    row: Row


class _Unclear(Exception):
    """Something was found that may or may not be this question."""


class Seeker:
    """Looks for one question. `max_bytes` bounds each reply that is read."""

    def __init__(
        self,
        client: DifyClient,
        clock: Clock,
        max_bytes: int,
        own: OwnFiles,
        *,
        look_again: float = LOOK_AGAIN_SECONDS,
    ) -> None:
        self._client = client
        self._own = own
        self._clock = clock
        self._max_bytes = max_bytes
        self._look_again = look_again

    async def find_fate(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        """Raises `BackendError` when Dify could not be asked."""
        known = replace(ids, conversation=ids.conversation or question.conversation)
        try:
            if ids.message:
                return await self._look_at_known(question, known, ids.message)
            if ids.run:
                # The message is not known, yet the run is: it says more than the history could.
                return await self._judge_run(known) or _unsure(known, "Dify does not tell about this run")
            return await self._look_for(question, known, last_seen)
        except NotKept as problem:
            return Recovered(fate=Fate.UNKNOWN, ids=known, detail=str(problem))
        except (_Unclear, Gone) as problem:
            # A conversation that is gone may have taken the question with it, or refused it: both look like this. If it was
            # asked, asking again is asking twice, and that is for the app's policy to allow.
            return _unsure(known, str(problem))

    async def find_sources(self, ids: BackendIds, user: BackendUser) -> tuple[str, ...]:
        """What a given answer rests on; nothing where it cannot be told at once."""
        if not ids.conversation or not ids.message:
            return ()
        try:
            async with asyncio.timeout(SOURCES_SECONDS):
                rows = await list_messages(self._client, ids.conversation, user, self._max_bytes)
        except (BackendError, Gone, NotKept, TimeoutError):
            # The answer is there.
            return ()
        return next((row.sources for row in rows if row.id == ids.message), ())

    async def find_run(self, ids: BackendIds) -> Recovered:
        """The same for a workflow app, which keeps runs and no messages. Raises `BackendError`."""
        if not ids.run:
            return Recovered(fate=Fate.UNKNOWN, ids=ids, detail="the workflow's run is not known")
        run = await read_run(self._client, ids.run, self._max_bytes)
        if run is None:
            return Recovered(fate=Fate.UNKNOWN, ids=ids, detail="Dify does not tell about this run")
        if run.status == "running" and self._client.version.startswith("0."):
            return _unsure(ids, "before Dify 1.0 a run stays so when its listener is gone")
        shown = show_outputs(run.outputs or {}, self._own)
        return _judge_detail(run, ids, None if run.outputs is None else shown.text, shown.files)

    async def find_run_of(self, question: Question, ids: BackendIds) -> Recovered:
        """What became of a question whose run is known. Raises `BackendError`."""
        return await (self.find_fate(question, ids, None) if ids.message else self.find_run(ids))

    async def _look_at_known(self, question: Question, ids: BackendIds, message: BackendMessageId) -> Recovered:
        if ids.conversation is None:
            return await self._judge_run(ids) or _unsure(ids, "the conversation is not known")
        try:
            row = await self._find_row(question, ids.conversation, message)
        except Gone:
            # The run needs no conversation.
            if (judged := await self._judge_run(ids)) is not None:
                return judged
            raise
        if row is None:
            return await self._judge_run(ids) or _unsure(ids, "the message is not in its conversation")
        return await self._judge(question, _Found(conversation=ids.conversation, row=row), ids)

    async def _look_for(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        """Looks twice: the row may be made a moment after the first look."""
        for look in range(2):
            if look:
                await self._clock.sleep(self._look_again)
            if ids.conversation is None:
                found = await self._find_started(question, last_seen)
            else:
                found = await self._find_continued(question, ids.conversation, last_seen)
            if found is not None:
                return await self._judge(
                    question, found, replace(ids, conversation=found.conversation, message=found.row.id)
                )
        return Recovered(fate=Fate.ABSENT, ids=ids, detail="Dify has no such question")

    async def _find_continued(
        self, question: Question, conversation: BackendConversationId, last_seen: BackendMessageId | None
    ) -> _Found | None:
        rows = await list_messages(self._client, conversation, question.user, self._max_bytes)
        ours = [row for row in rows if row.id != last_seen and _says(row, question)]
        if not ours:
            return None
        if question.conversation is None:
            # The conversation began with this question, so whatever says the same in it was asked for it.
            return _Found(conversation=conversation, row=_newest(ours))
        before = next((row for row in rows if row.id == last_seen), None)
        if before is None:
            raise _Unclear("the same was asked in this conversation, and which came last is not known")
        later = [row for row in ours if row.created_at > before.created_at]
        if later:
            return _Found(conversation=conversation, row=_newest(later))
        if any(row.created_at == before.created_at for row in ours):
            raise _Unclear("the same was asked within one second, and which came last is not known")
        return None

    async def _find_started(self, question: Question, last_seen: BackendMessageId | None) -> _Found | None:
        """Among conversations that hold nothing but this question.

        `user` is a thread, or a person in direct messages, so there may be older ones that began with the same words.
        """
        listed = await list_conversations(self._client, question.user, self._max_bytes)
        newest = sorted(listed, key=lambda one: one.created_at, reverse=True)[:MOST_CONVERSATIONS]
        alike: list[tuple[ListedConversation, Sequence[Row]]] = []
        older: ListedConversation | None = None
        for one in newest:
            try:
                rows = await list_messages(self._client, one.id, question.user, self._max_bytes)
            except Gone:
                continue
            if any(row.id == last_seen for row in rows):
                older = one
            elif rows and not _is_older(one, question) and all(_says(row, question) for row in rows):
                alike.append((one, rows))
        if older is not None:
            alike = [(one, rows) for one, rows in alike if one.created_at >= older.created_at]
            if any(one.created_at == older.created_at for one, _ in alike):
                raise _Unclear("two conversations began within one second, and one of them with the same question")
        elif alike and len(listed) > 1:
            raise _Unclear("this user has more than one conversation, and one of them began with the same question")
        if not alike:
            return None
        # Several are attempts of one question.
        return max(
            (_Found(conversation=one.id, row=_newest(rows)) for one, rows in alike),
            key=lambda found: (found.row.created_at, found.row.answer != ""),
        )

    async def _find_row(
        self, question: Question, conversation: BackendConversationId, message: BackendMessageId
    ) -> Row | None:
        rows = await list_messages(self._client, conversation, question.user, self._max_bytes)
        return next((row for row in rows if row.id == message), None)

    async def _judge(self, question: Question, found: _Found, ids: BackendIds) -> Recovered:
        judged = await self._judge_text(question, found, ids)
        if judged.fate not in (Fate.ANSWERED, Fate.STOPPED):
            return judged
        # A run tells its files, but neither all of them nor its sources.
        files = keep_different((*found.row.files, *judged.files))
        return replace(judged, sources=found.row.sources, files=files)

    async def _judge_text(self, question: Question, found: _Found, ids: BackendIds) -> Recovered:
        row = found.row
        if row.status == "error":
            return Recovered(fate=Fate.FAILED, ids=ids, detail=shorten(row.error) or "Dify says that it failed")
        if row.status == "paused":
            # Told until the end, also when the run goes on by now.
            judged = await self._judge_run(ids)
            return judged or Recovered(fate=Fate.PAUSED, ids=ids, detail="the chatflow waits for people")
        if row.answer:
            return await self._judge_answer(row.answer, ids)
        if row.steps_done:
            return await self._judge_steps(question, found, ids)
        return await self._judge_run(ids) or _unsure(ids, "no answer is stored")

    async def _judge_answer(self, answer: str, ids: BackendIds) -> Recovered:
        """A stored answer is whole, unless its run says that it was stopped, or that it goes on after a pause."""
        judged = await self._judge_run(ids)
        if judged is not None and judged.fate in (Fate.RUNNING, Fate.PAUSED):
            return judged
        stopped = judged is not None and judged.fate is Fate.STOPPED
        text, files = shape(answer, self._own)
        return Recovered(fate=Fate.STOPPED if stopped else Fate.ANSWERED, ids=ids, text=text, files=files)

    async def _judge_steps(self, question: Question, found: _Found, ids: BackendIds) -> Recovered:
        """An agent writes each step down when it ends. Some kinds write their last one in two goes, moments apart."""
        await self._clock.sleep(self._look_again)
        row = await self._find_row(question, found.conversation, found.row.id)
        if row is None or (row.steps != found.row.steps and not row.answer):
            return _unsure(ids, "the agent is still writing")
        text, files = shape(row.answer or "".join(row.steps), self._own)
        return Recovered(fate=Fate.ANSWERED, ids=ids, text=text, files=files)

    async def _judge_run(self, ids: BackendIds) -> Recovered | None:
        """None: there is no run, or nothing is told about it."""
        if not ids.run:
            return None
        run = await read_run(self._client, ids.run, self._max_bytes)
        if run is None:
            return None
        text, named = shape(run.answer or "", self._own)
        files = keep_different((*run.files, *named))
        return _judge_detail(run, ids, None if run.answer is None else text, files)


def _judge_detail(run: RunDetail, ids: BackendIds, answer: str | None, files: tuple[ProducedFile, ...]) -> Recovered:
    text = answer or ""
    match run.status:
        case "running" if run.age < LONGEST_RUN_SECONDS:
            return Recovered(fate=Fate.RUNNING, ids=ids, detail="the run is under way")
        case "running":
            return _unsure(ids, f"the run has been running for {run.age:.0f} s")
        case "succeeded" | "partial-succeeded" if answer is not None:
            partial = run.status == "partial-succeeded"
            return Recovered(fate=Fate.ANSWERED, ids=ids, text=text, files=files, partial=partial, detail=run.status)
        case "stopped":
            return Recovered(fate=Fate.STOPPED, ids=ids, text=text, files=files)
        case "paused":
            return Recovered(fate=Fate.PAUSED, ids=ids, detail="the run waits for people")
        case "failed":
            return Recovered(fate=Fate.FAILED, ids=ids, detail=shorten(run.error) or "the run is failed")
        case _:
            return _unsure(ids, f"the run is {shorten(run.status) or 'of no known status'} and has no answer")


def _unsure(ids: BackendIds, detail: str) -> Recovered:
    return Recovered(fate=Fate.UNSURE, ids=ids, detail=detail)


def _says(row: Row, question: Question) -> bool:
    """Whether it is the one: alone, or below what the app was told besides, which nobody knows any more."""
    # Dify drops NUL characters from questions (measured).
    words, asked = question.text.replace("\0", "").strip(), row.query.strip()
    before = asked.removesuffix(words)
    return not before or (before != asked and before.rstrip(" ").endswith("\n\n"))


def _newest(rows: Sequence[Row]) -> Row:
    """Of rows of the same second, one with an answer."""
    return max(rows, key=lambda row: (row.created_at, row.answer != ""))


def _is_older(conversation: ListedConversation, question: Question) -> bool:
    """It began before the question was sent, so it began with another one."""
    return question.sent_at is not None and conversation.created_at < question.sent_at.timestamp() - CLOCK_SKEW_SECONDS
