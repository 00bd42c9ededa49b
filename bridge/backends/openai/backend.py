"""The backend for servers with OpenAI's API. What the bridge loads is `Settings` and `create`.

These servers remember nothing: the ids of conversations, messages and tasks are made here, and the conversation so far comes with
each question.
"""

import asyncio
import math
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from yarl import URL

from bridge import logs
from bridge.backend_api import AnswerStarted, Backend, BackendEvent, Fate, FileRules, Question, Recovered, UploadedFile
from bridge.backends.openai import pictures
from bridge.backends.openai.asking import Asker
from bridge.backends.openai.checks import check_server
from bridge.backends.openai.chunks import Chunk, ChunkParser, read_reply
from bridge.backends.openai.client import OpenAIClient
from bridge.backends.openai.errors import WRONG_PATH, explain_refusal, fix_for
from bridge.backends.openai.machine import AnswerMachine
from bridge.backends.openai.prompting import find_placeholders
from bridge.backends.openai.sentences import put_in_words
from bridge.backends.openai.settings import Settings
from bridge.clock import Clock
from bridge.errors import BackendCut, BackendError, BackendMisconfigured, BackendTimeout
from bridge.messages import (
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendTaskId,
    BackendUser,
    Rating,
)
from bridge.platform_api import Finding
from bridge.remote.calling import Answering
from bridge.remote.framing import read_object
from bridge.remote.gates import QUEUE_SECONDS, Gate
from bridge.remote.reading import EventReader, NothingMore
from bridge.remote.refusing import Refusal
from bridge.variables_api import InputKind, InputVariable

__all__ = ["OpenAIBackend", "Settings", "create"]

FINISH_GRACE_SECONDS = 2.0
"""For a server that has said why its answer is over: what it has cost and `[DONE]` follow at once, where they follow at all."""

log = logs.get("openai")


def create(settings: Settings, clock: Clock) -> Backend:
    return OpenAIBackend(settings, clock)


@dataclass(slots=True)
class _Running:
    user: BackendUser
    answering: Answering
    stopped: bool = False


class OpenAIBackend:
    """One model on one server."""

    name = "openai"

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        grace: float = FINISH_GRACE_SECONDS,
        queue_timeout: float = QUEUE_SECONDS,
    ) -> None:
        self._settings = settings
        self._grace = grace
        self._client = OpenAIClient(settings, clock)
        self._asker = Asker(self._client, settings)
        self._gate = Gate(settings.openai_max_concurrent, variable="OPENAI_MAX_CONCURRENT", patience=queue_timeout)
        self._running: dict[BackendTaskId, _Running] = {}

    @property
    def capacity(self) -> int:
        return self._settings.openai_max_concurrent

    @property
    def server(self) -> str:
        """Models of one server share its graphics cards, or its account's limits."""
        return str(URL(self._settings.openai_base_url).origin())

    @property
    def history_turns(self) -> int:
        return self._settings.openai_history_turns if self._settings.openai_history_tokens else 0

    async def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        async with self._gate.enter():
            machine = AnswerMachine(self._settings.openai_max_event_bytes)
            try:
                async with self._asked(question) as (ids, running):
                    whole = await self._read_whole(running) if "json" in running.answering.content_type else None
                    yield AnswerStarted(ids=ids)
                    async with aclosing(self._chunks(running, machine, whole)) as chunks:
                        async for chunk in chunks:
                            for event in machine.take(chunk):
                                yield event
                for event in machine.flush():
                    yield event
                for event in machine.end(stopped=running.stopped):
                    yield event
            except BackendError as error:
                for event in machine.flush():
                    yield event
                _explain_fully(error, said=machine.said)
                raise

    async def stop(self, ids: BackendIds, user: BackendUser) -> None:
        """Closes the connection, which is all that there is: most servers then let the model go."""
        running = self._running.get(ids.task) if ids.task else None
        if running is not None and running.user == user and not running.stopped:
            running.stopped = True
            running.answering.end()

    async def recover(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        """Nobody keeps an answer that nobody heard, so there is nobody to ask."""
        return Recovered(fate=Fate.UNKNOWN, ids=ids, detail="the server keeps no answers")

    async def rate(self, ids: BackendIds, user: BackendUser, rating: Rating | None, content: str) -> None:
        """Success without a call: these servers take no ratings. They are kept by the bridge, with those of every backend."""

    async def file_rules(self) -> FileRules:
        return pictures.rules_for(self._settings.openai_most_images, self._settings.openai_largest_image)

    async def upload(self, content: Path, name: str, media_type: str, kind: str, user: BackendUser) -> UploadedFile:
        return await pictures.take(content, self._settings.openai_largest_image)

    async def input_form(self) -> Sequence[InputVariable]:
        """The places in the system prompt. None is required: braces may also be meant as they are."""
        names = find_placeholders(self._settings.openai_system_prompt)
        return [InputVariable(name=name, label=name, kind=InputKind.PARAGRAPH) for name in names]

    async def check(self) -> Sequence[Finding]:
        return await check_server(self._client, self._settings)

    async def close(self) -> None:
        await self._client.close()

    @asynccontextmanager
    async def _asked(self, question: Question) -> AsyncIterator[tuple[BackendIds, _Running]]:
        """The question was accepted, and its answer can be stopped. Leaving the block closes the connection."""
        answering = await self._asker.ask(question)
        running = _Running(question.user, answering)
        task = BackendTaskId(_new_id("task"))
        self._running[task] = running
        try:
            yield (
                BackendIds(
                    conversation=question.conversation or BackendConversationId(_new_id("conversation")),
                    message=BackendMessageId(_new_id("message")),
                    task=task,
                ),
                running,
            )
        finally:
            del self._running[task]
            answering.close()

    async def _chunks(
        self, running: _Running, machine: AnswerMachine, whole: Chunk | None
    ) -> AsyncGenerator[Chunk, None]:
        """Everything up to the end of the answer, as it comes."""
        if whole is not None:
            yield whole
            return
        reader = EventReader(
            running.answering,
            ChunkParser(self._settings.openai_max_event_bytes),
            idle=self._settings.openai_idle_timeout,
            progress=self._settings.openai_progress_timeout,
            is_news=lambda chunk: chunk.is_news,
        )
        loop = asyncio.get_running_loop()
        grace = self._grace
        while not machine.is_over():
            began, finishing = loop.time(), machine.is_finishing()
            try:
                batch = await reader.read(grace if finishing else math.inf)
            except (NothingMore, BackendCut, BackendTimeout):
                # What is whole or no longer wanted loses nothing by that.
                if finishing or running.stopped:
                    return
                raise
            if batch is None:
                return
            if finishing:
                grace = max(0.0, grace - (loop.time() - began))
            for chunk in batch:
                yield chunk
                if machine.is_over():
                    return

    async def _read_whole(self, running: _Running) -> Chunk:
        """The reply of a server that does not stream."""
        limit = self._settings.openai_progress_timeout
        try:
            async with asyncio.timeout(limit):
                raw = await running.answering.read_whole(self._settings.openai_max_event_bytes)
        except TimeoutError as problem:
            raise BackendTimeout(f"the reply was not complete within {limit:g} s", code="no_progress") from problem
        reply = read_object(raw)
        if reply is None:
            raise BackendCut("the reply is no whole JSON object", code="cut")
        chunk = read_reply(reply)
        if chunk.trouble is None and not chunk.answers:
            raise BackendMisconfigured("the reply is no chat completion", code=WRONG_PATH)
        if chunk.trouble is not None:
            raise explain_refusal(Refusal(status=400, headers={"Content-Type": "application/json"}, body=raw))
        # Without a reason it is whole all the same.
        return chunk if chunk.finish else replace(chunk, finish="stop")


def _new_id(what: str) -> str:
    return f"{what}-{secrets.token_hex(12)}"


def _explain_fully(error: BackendError, *, said: bool) -> None:
    """What the operator can do and what the member is told."""
    error.fix = error.fix or fix_for(error.code)
    put_in_words(error, said=said)
