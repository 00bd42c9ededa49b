"""One question asked, answered and recorded.

Has the bridge's only `except Exception`: when asking breaks, the member gets an ending; when showing breaks, nothing more can
be shown, and the log and the record say so.
"""

import asyncio
import secrets
from collections.abc import Callable, Coroutine, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from bridge import logs
from bridge.answers import AnswerDraft, AnswerWriter, WriterLimits
from bridge.backend_api import AnswerCompleted, AnswerStarted, Backend, Question
from bridge.clock import Clock
from bridge.errors import BackendCut, BackendError, ConversationMissing, Fenced, PlatformError, StoreUnavailable
from bridge.messages import AnswerId, AnswerState, AppName, BackendIds, MessageRef, PlatformName, ReplyTarget, Turn
from bridge.pacing import Pacer
from bridge.platform_api import OpensThreads, Platform, ReadsBack
from bridge.store import Store

_log = logs.get("turns")

_SAY_SOMETHING = "Hi! Write your question after my name, and I will pass it on."
_NO_FILES = "I cannot read attached files yet. Please put what matters into words."
_FILES_LEFT_OUT = "(I cannot read attached files yet; this answers the text alone.)"
_NOTHING_SAID = "The app gave an empty answer."
_NEW_CONVERSATION = "(The app no longer remembered this conversation, so this starts a new one.)"
_INTERRUPTED = "I was restarted while answering, so this answer is incomplete. Please ask again."
_BROKEN = "Something went wrong in the bot itself."
_STOPPED = "(Stopped.)"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnLimits:
    writer: WriterLimits = field(default_factory=WriterLimits)
    store_patience: timedelta = timedelta(minutes=2)
    """How long a finished answer waits for a store that is away before its ending is left to the next start."""
    longest_title: int = 80


def new_reference() -> str:
    """A short word that stands in the chat and in the log, so that an operator finds the one from the other."""
    return secrets.token_hex(3).upper()


@dataclass(slots=True)
class _Running:
    """What is known of a turn while it runs."""

    turn: Turn
    draft: AnswerDraft
    ids: BackendIds
    ids_recorded: bool = True
    unrecorded: dict[int, tuple[str, MessageRef, str]] = field(default_factory=dict)
    """Messages that stand and that the store does not know yet."""
    broken: bool = False
    interrupted: bool = False
    state: AnswerState = AnswerState.DONE
    error: str = ""


class _Recorder:
    def __init__(self, store: Store, running: _Running, *, keeps_text: bool) -> None:
        self._store = store
        self._turn = running.turn
        self._unrecorded = running.unrecorded
        self._keeps_text = keeps_text

    async def posted(self, part: int, nonce: str, ref: MessageRef, text: str) -> None:
        kept = text if self._keeps_text else ""
        try:
            await self._store.record_posted(self._turn, part, nonce, ref, kept)
        except StoreUnavailable as error:
            self._unrecorded[part] = (nonce, ref, kept)
            _log.warning("store_unavailable", doing="record_posted", detail=str(error))

    async def showing(self, part: int, text: str) -> None:
        if not self._keeps_text:
            return
        try:
            await self._store.record_shown(self._turn, part, text)
        except StoreUnavailable as error:
            _log.warning("store_unavailable", doing="record_shown", detail=str(error))


class Turns:
    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        pacer: Pacer,
        clock: Clock,
        limits: TurnLimits | None = None,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._backends = backends
        self._pacer = pacer
        self._clock = clock
        self._limits = limits or TurnLimits()
        self._running: dict[AnswerId, _Running] = {}

    async def answer(self, turn: Turn, asked: Callable[[], Coroutine[None, None, None]]) -> None:
        """Runs one turn to its end; calls `asked` when the backend is no longer needed.

        Raises `Fenced` when another owner took over, and nothing else.
        """
        with structlog.contextvars.bound_contextvars(
            answer=turn.answer_id, conversation=turn.conversation_id, platform=turn.question.ref.platform
        ):
            running = _Running(turn, AnswerDraft(), turn.ids)
            self._running[turn.answer_id] = running
            started = self._clock.monotonic()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._ask_then(running, asked))
                    tasks.create_task(self._guard(running, self._write, "write"))
            except* Fenced as fenced:
                raise Fenced("another owner took the conversation") from fenced
            finally:
                del self._running[turn.answer_id]
            if running.broken:
                running.state, running.error = AnswerState.FAILED, "internal"
            _log.info(
                "turn_ended",
                state=running.state.value,
                error=running.error or None,
                seconds=round(self._clock.monotonic() - started, 3),
                characters=len(running.draft.text),
            )
            await self._finish(running)

    async def interrupt(self) -> None:
        """Ends every running answer now, kindly: the backend is told to stop, and each message says that it is incomplete."""
        running = list(self._running.values())
        for one in running:
            one.interrupted = True
        async with asyncio.TaskGroup() as tasks:
            for one in running:
                tasks.create_task(self._stop(one))

    async def _stop(self, one: _Running) -> None:
        try:
            # A stopped stream ends by itself, and only so does Dify keep what was said.
            await self._backends[one.turn.app].stop(one.ids, one.turn.backend_user)
        except BackendError as error:
            _log.warning("stop_failed", answer=one.turn.answer_id, code=error.code, detail=str(error))

    async def _guard(
        self, running: _Running, step: Callable[[_Running], Coroutine[None, None, None]], name: str
    ) -> None:
        try:
            await step(running)
        except Fenced:
            raise
        except Exception:  # noqa: BLE001  # the one place where it is allowed; see the module's docstring
            # The last line of defence for a member who waits: whatever broke is logged and the turn still ends.
            reference = new_reference()
            _log.exception("turn_broke", step=name, reference=reference)
            running.broken = True
            if not running.draft.ended.is_set():
                running.draft.add_note(f"⚠️ {_BROKEN} (Reference {reference})")
                running.draft.end(complete=False)

    # Asking

    async def _ask_then(self, running: _Running, asked: Callable[[], Coroutine[None, None, None]]) -> None:
        await self._guard(running, self._ask, "ask")
        await asked()

    async def _ask(self, running: _Running) -> None:
        question = running.turn.question
        draft = running.draft
        if not question.text.strip():
            draft.add_note(_NO_FILES if question.attachments else _SAY_SOMETHING)
            draft.end()
            return
        if question.attachments:
            draft.add_note(_FILES_LEFT_OUT)
        try:
            await self._stream(running)
        except BackendError as error:
            self._fail(running, error)
        if running.interrupted:
            running.state, running.error = AnswerState.FAILED, "interrupted"
            draft.add_note(f"⚠️ {_INTERRUPTED}")
        elif running.state is AnswerState.STOPPED:
            draft.add_note(_STOPPED)
        elif running.state is AnswerState.DONE and not draft.text.strip():
            draft.add_note(_NOTHING_SAID)
        draft.end(complete=running.state is AnswerState.DONE)

    async def _stream(self, running: _Running) -> None:
        try:
            await self._stream_once(running, running.turn.ids)
        except ConversationMissing as error:
            if running.turn.ids.conversation is None:
                raise
            _log.warning("backend_conversation_missing", code=error.code, detail=str(error))
            await self._store.forget_backend_conversation(running.turn)
            running.draft.restart()
            running.draft.add_note(_NEW_CONVERSATION)
            await self._stream_once(running, BackendIds())

    async def _stream_once(self, running: _Running, ids: BackendIds) -> None:
        turn = running.turn
        question = Question(text=turn.question.text, user=turn.backend_user, conversation=ids.conversation)
        completed = False
        async with aclosing(self._backends[turn.app].answer(question)) as events:
            async for event in events:
                if isinstance(event, AnswerStarted):
                    await self._record_started(running, event.ids)
                    if running.interrupted:
                        await self._stop(running)
                elif isinstance(event, AnswerCompleted):
                    completed = True
                    running.state = AnswerState.STOPPED if event.stopped else AnswerState.DONE
                running.draft.fold(event)
        if not completed:
            raise BackendCut("the backend's stream ended without AnswerCompleted")

    async def _record_started(self, running: _Running, ids: BackendIds) -> None:
        running.ids, running.ids_recorded = ids, False
        try:
            await self._store.record_started(running.turn, ids)
        except StoreUnavailable as error:
            # The answer goes on from memory; the ids are written again when it ends.
            _log.warning("store_unavailable", doing="record_started", detail=str(error))
        else:
            running.ids_recorded = True

    def _fail(self, running: _Running, error: BackendError) -> None:
        reference = new_reference()
        running.state, running.error = AnswerState.FAILED, error.code
        _log.warning(
            "answer_failed",
            reference=reference,
            kind=type(error).__name__,
            code=error.code,
            detail=str(error),
            fix=error.fix or None,
            characters=len(running.draft.text),
        )
        if running.interrupted:
            return
        cut = "" if not running.draft.text.strip() or isinstance(error, BackendCut) else " This answer is incomplete."
        running.draft.add_note(f"⚠️ {error.user_message}{cut} (Reference {reference})")

    # Showing

    async def _write(self, running: _Running) -> None:
        turn = running.turn
        platform = self._platforms[turn.target.platform]
        target = await self._place(turn, platform, running.draft)
        with self._pacer.answering(target, platform.capabilities) as pace:
            writer = AnswerWriter(
                platform=platform,
                pace=pace,
                clock=self._clock,
                target=target,
                recorder=_Recorder(self._store, running, keeps_text=not isinstance(platform, ReadsBack)),
                nonce_seed=f"{turn.question.ref.address}:{turn.answer_id}",
                limits=self._limits.writer,
                people=turn.question.people,
            )
            shown = await writer.run(running.draft)
        if not shown and running.state is AnswerState.DONE:
            running.state, running.error = AnswerState.FAILED, "not shown"

    async def _place(self, turn: Turn, platform: Platform, draft: AnswerDraft) -> ReplyTarget:
        """Where the answer goes. Opens the thread while the backend is already thinking."""
        target = turn.target
        if not target.opens_thread or not isinstance(platform, OpensThreads):
            return target
        title = " ".join(turn.question.text.split())[: self._limits.longest_title] or turn.question.author.display_name
        try:
            opened = await platform.open_thread(target, title)
        except PlatformError as error:
            _log.warning("thread_not_opened", code=error.code, detail=str(error))
            return target
        if not opened.opens_thread and opened.address != target.address:
            try:
                await self._store.move_to(turn, opened)
            except StoreUnavailable as error:
                # This answer goes there all the same; the next question there brings its own target.
                _log.warning("store_unavailable", doing="move_to", detail=str(error))
        return opened

    # Recording

    async def _finish(self, running: _Running) -> None:
        deadline = self._clock.monotonic() + self._limits.store_patience.total_seconds()
        pause = 0.1
        while True:
            try:
                if not running.ids_recorded:
                    await self._store.record_started(running.turn, running.ids)
                for part, (nonce, ref, text) in list(running.unrecorded.items()):
                    await self._store.record_posted(running.turn, part, nonce, ref, text)
                    del running.unrecorded[part]
                await self._store.finish(running.turn, running.state, running.error)
            except StoreUnavailable as error:
                if self._clock.monotonic() > deadline:
                    # Tried for as long as we live: until it is recorded nothing else in the conversation can begin.
                    _log.error("ending_not_recorded", detail=str(error))
                    deadline += self._limits.store_patience.total_seconds()
                await self._clock.sleep(pause)
                pause = min(pause * 2, 5.0)
            else:
                return
