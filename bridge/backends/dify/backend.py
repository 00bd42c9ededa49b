"""The Dify backend: asks, stops, rates and checks over the Service API. What the bridge loads is `Settings` and `create`."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path

from yarl import URL

from bridge import logs
from bridge.backend_api import (
    Backend,
    BackendEvent,
    Fate,
    FileRules,
    Opening,
    Question,
    Recovered,
    SourcesCited,
    TextDelta,
    TextReplaced,
    UploadedFile,
)
from bridge.backends.dify.checks import check_dify
from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import explain_refusal, fix_for
from bridge.backends.dify.events import AnswerMachine
from bridge.backends.dify.fetching import Fetcher
from bridge.backends.dify.file_inputs import find_unfilled, place_files
from bridge.backends.dify.hearing import Hearer
from bridge.backends.dify.keeping import delete_conversation, fetch_conversations
from bridge.backends.dify.kinds import Kind, KindOfApp
from bridge.backends.dify.lacking import Ability, is_absent
from bridge.backends.dify.linking import OwnFiles
from bridge.backends.dify.looking import look_for_ratings
from bridge.backends.dify.naming import fetch_name
from bridge.backends.dify.parameters import KeptParameters
from bridge.backends.dify.people import submit
from bridge.backends.dify.reattaching import Reattacher
from bridge.backends.dify.recovering import LOOK_AGAIN_SECONDS, Seeker
from bridge.backends.dify.sending import FileSender
from bridge.backends.dify.sentences import INPUTS, NEEDS_FILE, NO_RATING, put_in_words
from bridge.backends.dify.settings import Settings
from bridge.backends.dify.speaking import speak
from bridge.backends.dify.streaming import LINGER_SECONDS, AnswerStream
from bridge.backends.dify.suggesting import fetch_suggestions
from bridge.backends.dify.uploading import Uploader
from bridge.backends.dify.wording import Wording
from bridge.clock import Clock
from bridge.errors import (
    BackendError,
    BackendFailed,
    BackendTimeout,
    ConversationMissing,
    QuestionRefused,
)
from bridge.input_api import Submitted
from bridge.messages import (
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendTaskId,
    BackendUser,
    ProducedFile,
    Rating,
)
from bridge.past_api import KeptConversation, Speech
from bridge.pauses import Given, InputRequest
from bridge.platform_api import Finding
from bridge.remote.framing import Json, text_of
from bridge.remote.gates import QUEUE_SECONDS, Gate
from bridge.remote.refusing import Refusal
from bridge.variables_api import InputVariable

__all__ = ["DifyBackend", "Settings", "create"]

KIND_SECONDS = 2.0
"""That a question, or somebody who wants one forgotten, waits to learn what kind of app it is. Measured: 0.02."""

log = logs.get("dify")


def create(settings: Settings, clock: Clock) -> Backend:
    return DifyBackend(settings, clock)


class DifyBackend:
    """One app on one Dify server. Opens its connections with the first call and keeps none idle for as long as Dify does."""

    name = "dify"

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        linger: float = LINGER_SECONDS,
        queue_timeout: float = QUEUE_SECONDS,
        look_again: float = LOOK_AGAIN_SECONDS,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._client = DifyClient(settings, clock)
        self._own = OwnFiles((settings.dify_base_url, settings.dify_files_url or ""))
        self._seeker = Seeker(self._client, clock, settings.dify_max_event_bytes, self._own, look_again=look_again)
        self._parameters = KeptParameters(self._client, clock, settings.dify_parameters_age)
        self._kinds = KindOfApp(self._client, settings.dify_app_type)
        self._wording = Wording(self._kinds, self._parameters, settings.dify_query_input)
        self._stream = AnswerStream(self._client, settings, self._kinds, self._wording, linger=linger)
        sender = FileSender(self._client, settings.dify_file_timeout)
        self._uploader = Uploader(sender)
        self._hearer = Hearer(sender)
        self._fetcher = Fetcher(self._client, settings)
        self._gate = Gate(settings.dify_max_concurrent, variable="DIFY_MAX_CONCURRENT", patience=queue_timeout)
        self._reattacher = Reattacher(
            self._client,
            clock,
            settings,
            self._own,
            hear=self._stream.read,
            look=self._seeker.find_run_of,
            pause=look_again,
        )
        self._rating = asyncio.Lock()
        """Dify checks and then inserts ratings without a lock, so two at once could make two of one."""

    @property
    def capacity(self) -> int:
        return self._settings.dify_max_concurrent

    @property
    def server(self) -> str:
        """Apps of one Dify server share its connections, whatever their keys."""
        return str(URL(self._settings.dify_base_url).origin())

    @property
    def version(self) -> str:
        """Dify's version as its last answer told it; "" before the first."""
        return self._client.version

    async def answer(self, question: Question) -> AsyncGenerator[BackendEvent, None]:
        async with self._gate.enter():
            machine = AnswerMachine(question.conversation, self._own)
            said = False
            try:
                async with aclosing(self._stream.ask(question, machine)) as events:
                    async for event in events:
                        said = said or _has_text(event)
                        yield event
                for event in machine.flush():
                    yield event
                completed = machine.end()
                if machine.lost_its_end() and (names := await self._seeker.find_sources(machine.ids, question.user)):
                    yield SourcesCited(names=names)
                if machine.kind is not Kind.WORKFLOW:
                    await look_for_ratings(self._client)
                for event in (*machine.begin(), *machine.settle(failed=False)):
                    yield event
                yield completed
            except BackendError as error:
                for event in (*machine.flush(), *machine.settle(failed=True)):
                    said = said or _has_text(event)
                    yield event
                better = _explain_fully(await self._understand(error, question, machine), said=said)
                if better is error:
                    raise
                raise better from error

    async def stop(self, ids: BackendIds, user: BackendUser) -> None:
        if not ids.task:
            raise BackendFailed("the answer has no task id yet", code="no_task")
        if Ability.STOP in self._client.lacks:
            raise BackendFailed("this server cannot be told to stop", code="no_stop")
        with _explaining():
            kind = self._kinds.of(ids)
            try:
                await self._stop(kind, ids.task, user)
            except BackendError as error:
                if not await self._kinds.correct(kind, error):
                    raise
                await self._stop(self._kinds.of(ids), ids.task, user)

    async def _stop(self, kind: Kind, task: BackendTaskId, user: BackendUser) -> None:
        reply = await self._client.call("POST", kind.stopping(task), body={"user": user})
        if reply.status != 200 or not reply.is_json:
            raise explain_refusal(reply)

    async def recover(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        with _explaining():
            kind = self._kinds.of(ids)
            if ids.message and not (ids.conversation or question.conversation):
                # No answer of an app with conversations is without one.
                kind = await self._kinds.get()
            if kind is Kind.CHAT:
                try:
                    return await self._seeker.find_fate(question, ids, last_seen)
                except BackendError as error:
                    if not await self._kinds.correct(kind, error):
                        raise
                kind = self._kinds.of(ids)
            match kind:
                case Kind.CHAT | Kind.WORKFLOW:
                    return await self._seeker.find_run(ids)
                case Kind.COMPLETION:
                    return Recovered(fate=Fate.UNKNOWN, ids=ids, detail="Dify tells nothing about earlier completions")

    def rates(self, ids: BackendIds) -> bool:
        """A workflow's run is no message, and Dify rates messages."""
        return bool(ids.message) and Ability.RATE not in self._client.lacks

    async def stands_alone(self) -> bool:
        try:
            async with asyncio.timeout(KIND_SECONDS):
                return await self._kinds.get() is not Kind.CHAT
        except (BackendError, TimeoutError):
            return False

    async def submit(self, request: InputRequest, given: Given, user: BackendUser) -> Submitted:
        with _explaining():
            return await submit(self._client, request, given, user)

    async def resume(
        self, question: Question, ids: BackendIds, said: str, answered: Collection[str]
    ) -> AsyncGenerator[BackendEvent, None]:
        async with self._gate.enter(), aclosing(self._reattacher.resume(question, ids, said, answered)) as events:
            with _explaining():
                async for event in events:
                    yield event

    async def is_waiting(self, ids: BackendIds, user: BackendUser) -> bool:
        with _explaining():
            return await self._reattacher.is_waiting(ids)

    async def rate(self, ids: BackendIds, user: BackendUser, rating: Rating | None, content: str) -> None:
        if not ids.message:
            raise QuestionRefused("the answer has no message id, so it cannot be rated", code="no_message")
        body: Json = {"rating": rating.value if rating else None, "user": user}
        if content and rating is not None:
            body["content"] = content
        elif content:
            # Dify keeps words beside a rating only: without one it refuses them, or deletes what it had. They are told together
            # with the next rating, since the bridge keeps them.
            log.info("comments_without_rating", message=ids.message)
        knew = Ability.RATE in self._client.lacks
        async with self._rating:
            reply = await self._client.call("POST", f"/messages/{ids.message}/feedbacks", body=body)
        if reply.status == 200 and reply.is_json:
            return
        if rating is None and reply.status == 400 and text_of(reply.read(), "code") == "invalid_param":
            # "rating cannot be None when feedback not exists": what was to be taken away is not there.
            return
        raise _explain_refused_rating(reply, known=knew)

    async def file_rules(self) -> FileRules:
        with _explaining():
            rules = (await self._parameters.get()).files
            return FileRules() if Ability.UPLOAD in self._client.lacks else rules

    async def upload(self, content: Path, name: str, media_type: str, kind: str, user: BackendUser) -> UploadedFile:
        with _explaining():
            return await self._uploader.upload(content, name, media_type, kind, user)

    async def fetch(self, file: ProducedFile, into: Path, most: int) -> str:
        with _explaining():
            return await self._fetcher.fetch(file, into, most)

    async def suggestions(self, ids: BackendIds, user: BackendUser) -> Sequence[str]:
        with _explaining():
            limit = self._settings.dify_suggestions_wait
            try:
                async with asyncio.timeout(limit):
                    if (
                        not ids.message
                        or self._kinds.of(ids) is not Kind.CHAT
                        or Ability.SUGGEST in self._client.lacks
                        or not (await self._parameters.get()).suggests
                    ):
                        return ()
                    return await fetch_suggestions(self._client, ids.message, user, limit)
            except TimeoutError as problem:
                raise BackendTimeout(f"no suggestions within {limit:g} s", code="no_suggestions") from problem

    async def opening(self) -> Opening:
        with _explaining():
            return (await self._parameters.get()).opening

    async def input_form(self) -> Sequence[InputVariable]:
        with _explaining():
            taken = await self._wording.variable()
            return tuple(one for one in (await self._parameters.get()).variables if one.name != taken)

    async def name_of(self, conversation: BackendConversationId, user: BackendUser) -> str:
        with _explaining():
            return await fetch_name(self._client, conversation, user)

    async def conversations(self, user: BackendUser, limit: int) -> Sequence[KeptConversation]:
        with _explaining():
            return await fetch_conversations(self._client, user, limit)

    async def delete_conversation(self, conversation: BackendConversationId, user: BackendUser) -> None:
        with _explaining():
            await delete_conversation(self._client, conversation, user)

    async def speaks(self) -> bool:
        with _explaining():
            return (await self._parameters.get()).speaks and Ability.SPEAK not in self._client.lacks

    async def speak(self, ids: BackendIds, text: str, user: BackendUser, most: int) -> Speech:
        with _explaining():
            return await speak(self._client, ids, text, user, most, self._settings.dify_file_timeout)

    async def transcribes(self) -> bool:
        with _explaining():
            return (await self._parameters.get()).hears and Ability.HEAR not in self._client.lacks

    async def transcribe(self, path: Path, name: str, media_type: str, user: BackendUser) -> str:
        with _explaining():
            return await self._hearer.transcribe(path, name, media_type, user)

    async def check(self) -> Sequence[Finding]:
        return await check_dify(self._client, self._settings)

    async def close(self) -> None:
        await self._client.close()
        await self._fetcher.close()

    async def _understand(self, error: BackendError, question: Question, machine: AnswerMachine) -> BackendError:
        """Two failures say too little: a wordless one in a known conversation, and a missing input that is a file."""
        try:
            silent = machine.bare_error or (isinstance(error, BackendTimeout) and not machine.heard)
            if silent and question.conversation:
                # 1.13 and newer start a chatflow before looking for its conversation, and then fail without a word.
                reply = await self._client.call(
                    "GET",
                    "/messages",
                    query={"conversation_id": question.conversation, "user": question.user, "limit": "1"},
                )
                better = explain_refusal(reply, continuing=True) if reply.status == 404 else error
                return better if isinstance(better, ConversationMissing) else error
            if error.user_message == INPUTS:
                told = await self._parameters.get()
                placed = place_files(question.files, told.file_variables, told.with_question)
                if find_unfilled(told.file_variables, {**question.inputs, **placed.inputs}) is not None:
                    error.user_message = NEEDS_FILE
        except BackendError:
            # Asking was only to understand better.
            return error
        return error


def _has_text(event: BackendEvent) -> bool:
    return isinstance(event, TextDelta | TextReplaced) and not (event.text == "" or event.text.isspace())


@contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except BackendError as error:
        _explain_fully(error)
        raise


def _explain_fully(error: BackendError, *, said: bool = False) -> BackendError:
    """The same error, with what the operator can do and what the member is told."""
    error.fix = error.fix or fix_for(error.code)
    put_in_words(error, said=said)
    return error


def _explain_refused_rating(reply: Refusal, *, known: bool) -> BackendError:
    """`known`: the server had no ratings when one was sent before. Once may be a proxy's page, and passes."""
    error = explain_refusal(reply)
    if is_absent(reply):
        error = QuestionRefused(str(error), code="no_ratings", user_message=NO_RATING)
        error.may_retry = not known
        return error
    if reply.status in (400, 404) and reply.read():
        # The message is gone, belongs to somebody else or takes no rating: later is no better.
        return QuestionRefused(str(error), code=error.code, user_message=NO_RATING)
    # A key or an address that the operator mends lets a rating through later.
    error.may_retry = True
    return error
