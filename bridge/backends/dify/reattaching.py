"""Goes on hearing a run that waited for people: its stream is opened again, and where that cannot be, the run is looked at.

What Dify publishes while nobody listens may be lost, so the end is compared with what the run says of itself.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from bridge import logs
from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    BackendEvent,
    Fate,
    Question,
    Recovered,
    TextDelta,
    TextReplaced,
)
from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.events import AnswerMachine
from bridge.backends.dify.history import read_run
from bridge.backends.dify.kinds import Kind
from bridge.backends.dify.linking import OwnFiles
from bridge.backends.dify.settings import Settings
from bridge.backends.dify.shaping import shape
from bridge.clock import Clock
from bridge.errors import (
    BackendCut,
    BackendError,
    BackendFailed,
    BackendMisconfigured,
    BackendPaused,
    BackendTimeout,
    BackendUnreachable,
)
from bridge.messages import BackendIds, BackendRunId
from bridge.remote.calling import Answering

_log = logs.get("dify")

Hear = Callable[[Answering, AnswerMachine], AsyncGenerator[BackendEvent, None]]
"""Reads a stream up to the end of the answer."""


Look = Callable[[Question, BackendIds], Awaitable[Recovered]]
"""What became of the run, by what Dify keeps of it."""


class _Telling:
    """What was told of an answer's text, the part before the pause included."""

    def __init__(self, said: str) -> None:
        self._said = said
        self.text = said
        self.moderated = False

    def tell(self, event: BackendEvent) -> BackendEvent | None:
        """None: there is nothing new in it."""
        if isinstance(event, TextDelta):
            self.text += event.text
        elif isinstance(event, TextReplaced):
            return self.tell_all(event.text)
        return event

    def tell_all(self, text: str) -> BackendEvent | None:
        """The whole text as it is now."""
        if text.startswith(self.text):
            more, self.text = text[len(self.text) :], text
            return TextDelta(text=more) if more else None
        if self.text == self._said and self._said.startswith(text):
            # Told once more from the beginning, and not all of it was kept.
            return None
        self.text, self.moderated = text, True
        return TextReplaced(text=text)


@dataclass(slots=True)
class _Going:
    """A run while it is heard again."""

    question: Question
    ids: BackendIds
    run: BackendRunId
    telling: _Telling
    since: float
    """When there was news of it last."""
    may_attach: bool = True
    trouble: BackendError | None = None


class Reattacher:
    """`pause` is waited between two tries."""

    def __init__(
        self,
        client: DifyClient,
        clock: Clock,
        settings: Settings,
        own: OwnFiles,
        *,
        hear: Hear,
        look: Look,
        pause: float,
    ) -> None:
        self._client = client
        self._look_up = look
        self._clock = clock
        self._settings = settings
        self._own = own
        self._hear = hear
        self._pause = pause

    async def resume(
        self, question: Question, ids: BackendIds, said: str, answered: Collection[str]
    ) -> AsyncGenerator[BackendEvent, None]:
        """As `TakesInput.resume`."""
        if not ids.run:
            raise BackendFailed("the run that was paused is not known", code="no_run")
        yield AnswerStarted(ids=ids)
        going = _Going(question, ids, ids.run, _Telling(said), self._clock.monotonic())
        while True:
            machine = AnswerMachine(ids.conversation, self._own, ids=ids, answered=answered, said=going.telling.text)
            machine.kind = Kind.CHAT if ids.message else Kind.WORKFLOW
            async with aclosing(self._hear_on(going, machine)) as events:
                async for event in events:
                    yield event
            if machine.is_over() or machine.is_finishing():
                for event in await self._end(going, machine):
                    yield event
                return
            for event in await self._look(going):
                yield event
                if isinstance(event, AnswerCompleted):
                    return
            if machine.heard_news:
                going.since = self._clock.monotonic()
            if self._clock.monotonic() + self._pause > going.since + self._settings.dify_progress_timeout:
                raise going.trouble or BackendTimeout("the run does not go on", code="no_progress")
            await self._clock.sleep(self._pause)

    async def is_waiting(self, ids: BackendIds) -> bool:
        """What cannot be told is left to the time that the form has."""
        run = await read_run(self._client, ids.run, self._settings.dify_max_event_bytes) if ids.run else None
        return run is None or run.status == "paused"

    async def _hear_on(self, going: _Going, machine: AnswerMachine) -> AsyncGenerator[BackendEvent, None]:
        """Whatever there is to hear, which may be nothing."""
        if not going.may_attach:
            return
        # A pause that is over already is told first when one is quick; the stream then stays open for what follows.
        query = {"user": going.question.user, "include_state_snapshot": "true", "continue_on_pause": "true"}
        try:
            async with (
                self._client.listen(f"/workflow/{going.run}/events", query) as answering,
                aclosing(self._hear(answering, machine)) as events,
            ):
                async for event in events:
                    if (told := going.telling.tell(event)) is not None:
                        yield told
        except (BackendCut, BackendTimeout, BackendUnreachable) as error:
            going.trouble = error
        except BackendMisconfigured as error:
            # Before 1.13, and on servers that only speak like Dify, there is nothing to attach to.
            _log.info("stream_not_reattached", code=error.code, detail=str(error))
            going.may_attach = False

    async def _end(self, going: _Going, machine: AnswerMachine) -> Sequence[BackendEvent]:
        """The last events. Raises `BackendError`."""
        rest = [going.telling.tell(event) for event in (*machine.flush(), *machine.settle(failed=False))]
        end = machine.end()
        if isinstance(end, AnswerCompleted):
            rest.append(await self._missed(going))
        return [*(event for event in rest if event is not None), end]

    async def _missed(self, going: _Going) -> BackendEvent | None:
        """What the run says of its answer beyond what was heard. Not of a text that was taken back: the run keeps that."""
        if going.telling.moderated:
            return None
        try:
            detail = await read_run(self._client, going.run, self._settings.dify_max_event_bytes)
        except BackendError as error:
            _log.info("run_not_read", code=error.code)
            return None
        text, _ = shape(detail.answer or "", self._own) if detail else ("", ())
        more = len(text.strip()) > len(going.telling.text.strip())
        return going.telling.tell_all(text) if more else None

    async def _look(self, going: _Going) -> Sequence[BackendEvent]:
        """How the run ended, if it has; nothing otherwise. Raises `BackendError`."""
        try:
            seen = await self._look_up(going.question, going.ids)
        except (BackendCut, BackendTimeout, BackendUnreachable) as error:
            going.trouble = error
            return ()
        if seen.fate is Fate.FAILED:
            raise BackendFailed(f"the run failed: {seen.detail}", code="workflow_failed")
        if seen.fate is Fate.PAUSED and not going.may_attach:
            raise BackendPaused("the run waits for people, and Dify does not tell for what", code="paused")
        if seen.fate not in (Fate.ANSWERED, Fate.STOPPED):
            return ()
        told = going.telling.tell_all(seen.text) if seen.text else None
        end = AnswerCompleted(stopped=seen.fate is Fate.STOPPED, partial=seen.partial)
        return [end] if told is None else [told, end]
