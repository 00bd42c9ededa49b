"""Asks one question over HTTP and reads what comes back to the end of the answer, whatever kind of app gives it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from bridge.backend_api import BackendEvent, Question
from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import WRONG_PATH, explain_refusal
from bridge.backends.dify.events import AnswerMachine
from bridge.backends.dify.kinds import Kind, KindOfApp
from bridge.backends.dify.settings import Settings
from bridge.backends.dify.wording import Wording
from bridge.errors import BackendCut, BackendError, BackendMisconfigured, BackendTimeout
from bridge.remote.calling import Answering
from bridge.remote.framing import EventParser, Json, read_object
from bridge.remote.reading import EventReader, NothingMore
from bridge.remote.refusing import Refusal

# The stream's end follows `message_end` at once (0.1 ms in the recordings) unless spoken audio trails after it.
LINGER_SECONDS = 0.25


class AnswerStream:
    """One per backend. What has come is known to the `AnswerMachine` of each answer."""

    def __init__(
        self, client: DifyClient, settings: Settings, kinds: KindOfApp, wording: Wording, *, linger: float
    ) -> None:
        self._client = client
        self._settings = settings
        self._kinds = kinds
        self._wording = wording
        self._linger = linger

    async def ask(self, question: Question, machine: AnswerMachine) -> AsyncGenerator[BackendEvent, None]:
        """Consume it under `aclosing`: closing it early closes the connection. Raises `BackendError`."""
        async with self._asked(question, machine) as answering, aclosing(self.read(answering, machine)) as events:
            async for event in events:
                yield event

    @asynccontextmanager
    async def _asked(self, question: Question, machine: AnswerMachine) -> AsyncIterator[Answering]:
        """Asks, and once more in another way when the app turns out to be of another kind: it refuses that before anything."""
        machine.kind = self._kinds.known or Kind.CHAT
        async with AsyncExitStack() as opened:
            try:
                answering = await self._post(question, machine.kind, opened)
            except BackendError as error:
                if not await self._kinds.correct(machine.kind, error):
                    raise
                machine.kind = self._kinds.known or Kind.CHAT
                answering = await self._post(question, machine.kind, opened)
            yield answering

    async def _post(self, question: Question, kind: Kind, opened: AsyncExitStack) -> Answering:
        request = await self._wording.put(question, kind)
        return await opened.enter_async_context(self._client.ask(request.path, request.body))

    async def read(self, answering: Answering, machine: AnswerMachine) -> AsyncGenerator[BackendEvent, None]:
        """Everything up to the end of the answer. The connection has been read to its end afterwards if that came soon."""
        if "html" in answering.content_type:
            raise BackendMisconfigured("the server answered with a web page", code=WRONG_PATH)
        if "json" in answering.content_type:
            for event in machine.take_whole(await self._read_reply(answering, machine.kind)):
                yield event
            return
        reader = EventReader(
            answering,
            EventParser(self._settings.dify_max_event_bytes),
            idle=self._settings.dify_idle_timeout,
            progress=self._settings.dify_progress_timeout,
        )
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

    async def _linger_for_end(self, reader: EventReader[Json], machine: AnswerMachine) -> None:
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

    async def _read_reply(self, answering: Answering, kind: Kind) -> Json:
        limit = self._settings.dify_progress_timeout
        try:
            async with asyncio.timeout(limit):
                raw = await answering.read_whole(self._settings.dify_max_event_bytes)
        except TimeoutError as problem:
            raise BackendTimeout(f"the reply was not complete within {limit:g} s", code="no_progress") from problem
        reply = read_object(raw) or {}
        if ("data" if kind is Kind.WORKFLOW else "answer") not in reply:
            status = reply.get("status")
            refusal = Refusal(
                status=status if isinstance(status, int) and status >= 400 else 400,
                headers={"Content-Type": answering.content_type},
                body=raw,
            )
            raise explain_refusal(refusal)
        return reply


async def _read_finishing(reader: EventReader[Json], grace: float) -> list[Json] | None:
    """The next events of a chatflow whose run has finished. None: no more will come.

    The text is complete by then, so a connection that breaks or falls silent takes nothing away from it.
    """
    try:
        return await reader.read(grace)
    except (NothingMore, BackendCut, BackendTimeout):
        return None
