"""The Dify backend: asks, stops, rates and checks over the Service API. What the bridge loads is `Settings` and `create`."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path

from yarl import URL

from bridge import logs
from bridge.backend_api import (
    Backend,
    BackendEvent,
    FileRules,
    KeptConversation,
    Opening,
    Question,
    Recovered,
    Speech,
    TextDelta,
    TextReplaced,
    UploadedFile,
)
from bridge.backends.dify.checks import ask_mode, check_dify
from bridge.backends.dify.client import Answering, DifyClient
from bridge.backends.dify.errors import NOT_CHAT_APP, WRONG_PATH, Refusal, explain_refusal, fix_for
from bridge.backends.dify.events import AnswerMachine
from bridge.backends.dify.fetching import Fetcher
from bridge.backends.dify.framing import Json, read_object, text_of
from bridge.backends.dify.hearing import Hearer
from bridge.backends.dify.keeping import delete_conversation, fetch_conversations
from bridge.backends.dify.linking import OwnFiles
from bridge.backends.dify.naming import fetch_name
from bridge.backends.dify.parameters import KeptParameters
from bridge.backends.dify.reading import EventReader, NothingMore
from bridge.backends.dify.recovering import LOOK_AGAIN_SECONDS, Seeker
from bridge.backends.dify.sending import FileSender
from bridge.backends.dify.sentences import NO_PLACE, NO_RATING, put_in_words
from bridge.backends.dify.settings import Settings
from bridge.backends.dify.speaking import speak
from bridge.backends.dify.suggesting import fetch_suggestions
from bridge.backends.dify.uploading import Uploader
from bridge.clock import Clock
from bridge.errors import (
    BackendBusy,
    BackendCut,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendTimeout,
    ConversationMissing,
    QuestionRefused,
)
from bridge.messages import BackendConversationId, BackendIds, BackendMessageId, BackendUser, ProducedFile, Rating
from bridge.platform_api import Finding

__all__ = ["DifyBackend", "Settings", "create"]

# The stream's end follows `message_end` at once (0.1 ms in the recordings) unless spoken audio trails after it.
LINGER_SECONDS = 0.25

QUEUE_SECONDS = 600.0
"""A last bound: questions wait for one of the `capacity` places before they come here."""

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
        self._linger = linger
        self._queue_timeout = queue_timeout
        self._client = DifyClient(settings, clock)
        self._own = OwnFiles((settings.dify_base_url, settings.dify_files_url or ""))
        self._seeker = Seeker(self._client, clock, settings.dify_max_event_bytes, self._own, look_again=look_again)
        self._parameters = KeptParameters(self._client, clock, settings.dify_parameters_age)
        sender = FileSender(self._client, settings.dify_file_timeout)
        self._uploader = Uploader(sender)
        self._hearer = Hearer(sender)
        self._fetcher = Fetcher(self._client, settings)
        self._places = asyncio.Semaphore(settings.dify_max_concurrent)
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
        async with self._place():
            machine = AnswerMachine(question.conversation, self._own)
            said = False
            try:
                async with (
                    self._client.ask(_request_for(question)) as answering,
                    aclosing(self._events(answering, machine)) as events,
                ):
                    async for event in events:
                        said = said or _has_text(event)
                        yield event
                for event in machine.flush():
                    yield event
                completed = machine.end()
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
        reply = await self._client.call("POST", f"/chat-messages/{ids.task}/stop", body={"user": user})
        if reply.status != 200 or not reply.is_json:
            raise _explain_fully(explain_refusal(reply))

    async def recover(self, question: Question, ids: BackendIds, last_seen: BackendMessageId | None) -> Recovered:
        with _explaining():
            return await self._seeker.find_fate(question, ids, last_seen)

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
        async with self._rating:
            reply = await self._client.call("POST", f"/messages/{ids.message}/feedbacks", body=body)
        if reply.status == 200 and reply.is_json:
            return
        if rating is None and reply.status == 400 and text_of(reply.read(), "code") == "invalid_param":
            # "rating cannot be None when feedback not exists": what was to be taken away is not there.
            return
        raise _explain_refused_rating(reply)

    async def file_rules(self) -> FileRules:
        with _explaining():
            return (await self._parameters.get()).files

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
                    if not ids.message or not (await self._parameters.get()).suggests:
                        return ()
                    return await fetch_suggestions(self._client, ids.message, user, limit)
            except TimeoutError as problem:
                raise BackendTimeout(f"no suggestions within {limit:g} s", code="no_suggestions") from problem

    async def opening(self) -> Opening:
        with _explaining():
            return (await self._parameters.get()).opening

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
            return (await self._parameters.get()).speaks

    async def speak(self, ids: BackendIds, text: str, user: BackendUser, most: int) -> Speech:
        with _explaining():
            return await speak(self._client, ids, text, user, most, self._settings.dify_file_timeout)

    async def transcribes(self) -> bool:
        with _explaining():
            return (await self._parameters.get()).hears

    async def transcribe(self, path: Path, name: str, media_type: str, user: BackendUser) -> str:
        with _explaining():
            return await self._hearer.transcribe(path, name, media_type, user)

    async def check(self) -> Sequence[Finding]:
        return await check_dify(self._client, self._settings)

    async def close(self) -> None:
        await self._client.close()

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """One of the allowed answers at a time. Stop, ratings and checks need none."""
        limit = self._queue_timeout
        try:
            async with asyncio.timeout(limit):
                await self._places.acquire()
        except TimeoutError as problem:
            raise BackendBusy(
                f"no place among DIFY_MAX_CONCURRENT for {limit:g} s", code="no_place", user_message=NO_PLACE
            ) from problem
        try:
            yield
        finally:
            self._places.release()

    async def _events(self, answering: Answering, machine: AnswerMachine) -> AsyncGenerator[BackendEvent, None]:
        """Everything up to the end of the answer. The connection has been read to its end afterwards if that came soon."""
        if "html" in answering.content_type:
            raise BackendMisconfigured("the server answered with a web page", code=WRONG_PATH)
        if "json" in answering.content_type:
            for event in machine.take_whole(await self._read_reply(answering)):
                yield event
            return
        reader = EventReader(answering, self._settings)
        loop = asyncio.get_running_loop()
        grace = self._settings.dify_finish_grace
        while not machine.is_over():
            began, finishing = loop.time(), machine.is_finishing()
            batch = await (_read_finishing(reader, grace) if finishing else reader.read())
            if batch is None:
                return
            if finishing:
                grace = max(0.0, grace - (loop.time() - began))
            for index, raw in enumerate(batch):
                for event in machine.take(raw):
                    yield event
                if machine.is_over():
                    machine.take_late(batch[index + 1 :])
                    break
        await self._linger_for_end(reader, machine)

    async def _linger_for_end(self, reader: EventReader, machine: AnswerMachine) -> None:
        """Lets the server finish its side: cutting it off now would leave its slot for an active request taken for seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._linger
        try:
            while (left := until - loop.time()) > 0:
                late = await reader.read(left)
                if late is None:
                    return
                machine.take_late(late)
        except (NothingMore, BackendError):
            # The answer is whole; how the connection ends no longer matters.
            return

    async def _read_reply(self, answering: Answering) -> Json:
        limit = self._settings.dify_progress_timeout
        try:
            async with asyncio.timeout(limit):
                raw = await answering.read_whole(self._settings.dify_max_event_bytes)
        except TimeoutError as problem:
            raise BackendTimeout(f"the reply was not complete within {limit:g} s", code="no_progress") from problem
        reply = read_object(raw) or {}
        if "answer" not in reply:
            status = reply.get("status")
            refusal = Refusal(
                status=status if isinstance(status, int) and status >= 400 else 400,
                headers={"Content-Type": answering.content_type},
                body=raw,
            )
            raise explain_refusal(refusal)
        return reply

    async def _understand(self, error: BackendError, question: Question, machine: AnswerMachine) -> BackendError:
        """Two failures say less than Dify could tell: a wordless one in a known conversation, and a wrong kind of app."""
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
            if error.code == NOT_CHAT_APP:
                mode = await ask_mode(self._client)
                return BackendMisconfigured(
                    f"the key belongs to a {mode or 'completion or workflow'} app, which cannot hold a conversation",
                    code=NOT_CHAT_APP,
                )
        except BackendError:
            # Asking was only to understand better.
            return error
        return error


async def _read_finishing(reader: EventReader, grace: float) -> list[Json] | None:
    """The next events of a chatflow whose run has finished. None: no more will come.

    The text is complete by then, so a connection that breaks or falls silent takes nothing away from it.
    """
    try:
        return await reader.read(grace)
    except (NothingMore, BackendCut, BackendTimeout):
        return None


def _request_for(question: Question) -> Json:
    body: Json = {
        # Dify refuses a request without `inputs`, and falls back to blocking without `response_mode`.
        "inputs": dict(question.inputs),
        "query": question.text,
        "response_mode": "streaming",
        # Naming costs a second before the first token of every conversation (measured on 1.12.1).
        "auto_generate_name": False,
        "user": question.user,
    }
    if question.conversation:
        body["conversation_id"] = question.conversation
    if question.files:
        body["files"] = [
            {"type": file.kind, "transfer_method": "local_file", "upload_file_id": file.id} for file in question.files
        ]
    return body


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


def _explain_refused_rating(reply: Refusal) -> BackendError:
    error = explain_refusal(reply)
    if reply.status in (400, 404) and reply.read():
        # The message is gone, belongs to somebody else or takes no rating: later is no better.
        return QuestionRefused(str(error), code=error.code, user_message=NO_RATING)
    # A key or an address that the operator mends lets a rating through later.
    error.may_retry = True
    return error
