"""Asking the backend, and asking again where that is right, until it is settled how an answer ends.

What is shown is a draft's affair; nothing of a platform is known here. Nothing is asked before the store knows that it will be.
"""

from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from bridge import endings, logs
from bridge.backend_api import (
    AnswerCompleted,
    Backend,
    Fate,
    FileProduced,
    InputRequired,
    Recovered,
    SourcesCited,
    TextDelta,
)
from bridge.clock import Clock
from bridge.errors import (
    BackendBusy,
    BackendCut,
    BackendError,
    BackendFailed,
    BackendTimeout,
    BackendUnreachable,
    ConversationMissing,
    StoreUnavailable,
)
from bridge.gathering import Gatherer
from bridge.listening import Listener
from bridge.messages import AnswerState, AppName, AskedQuestion, BackendIds, Outcome, Turn
from bridge.metrics import Metrics, Rescue
from bridge.pausing import PauseLimits, Pausing
from bridge.places import Places
from bridge.preparing import Preparer
from bridge.questions import missing_words
from bridge.resuming import ResumeLimits, Way, decide, look_up
from bridge.routing import AppPolicy
from bridge.running import Running
from bridge.store import Store
from bridge.waiting import Anew, CameTo, Waiting

_log = logs.get("asking")

_NEW_CONVERSATION = "(The app no longer remembered this conversation, so this starts a new one.)"
_ROTATED = "(The app could not go on with this conversation, so this starts a new one.)"
_IN_LINE = "⏳ The app is busy. You are number {number} in line."
_TRYING = "⏳ {why} I keep trying."
_CHANGED = "⏳ The question was changed. I am asking again…"
_READING = "⏳ I am reading what belongs to the question…"
_ANNOTATED = "📌 Answered from what the team has written for questions like this."
_FETCHING = "⏳ I was restarted and am getting your answer back…"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskLimits:
    """Bounds of patience; the operator may change them."""

    busy: timedelta = timedelta(seconds=60)
    """How long a question is tried again that the backend provably did not take."""
    first_pause: timedelta = timedelta(seconds=1)
    """Before the second try; doubles up to `longest_pause`."""
    longest_pause: timedelta = timedelta(seconds=15)
    stop: timedelta = timedelta(seconds=10)
    """How long a stopped answer may take to end before its connection is cut."""
    notice: timedelta = timedelta(seconds=3)
    """After which a member is told that the question waits."""
    store: timedelta = timedelta(seconds=30)
    """How long a question that cannot be recorded as asked is tried. Then it is left to the next sweep, unasked."""
    resume: ResumeLimits = field(default_factory=ResumeLimits)
    pause: PauseLimits = field(default_factory=PauseLimits)


class Asker:
    def __init__(
        self,
        *,
        store: Store,
        backends: Mapping[AppName, Backend],
        policies: Mapping[AppName, AppPolicy],
        places: Places,
        preparer: Preparer,
        gatherer: Gatherer,
        clock: Clock,
        metrics: Metrics,
        limits: AskLimits,
    ) -> None:
        self._store = store
        self._backends = backends
        self._policies = policies
        self._places = places
        self._preparer = preparer
        self._gatherer = gatherer
        self._clock = clock
        self._metrics = metrics
        self._limits = limits
        self._listener = Listener(store=store, backends=backends, clock=clock, metrics=metrics, patience=limits.stop)
        self.waiting = Waiting(
            store=store,
            pausing=Pausing(
                store=store,
                backends=backends,
                policies=policies,
                places=places,
                preparer=preparer,
                listener=self._listener,
                clock=clock,
                limits=limits.pause,
                busy=limits.busy,
            ),
            listener=self._listener,
            clock=clock,
            metrics=metrics,
            busy=limits.busy,
        )

    async def settle(self, running: Running) -> Outcome | None:
        """How the answer ends, once that is known; None when it was handed over instead. Raises `Fenced`."""
        turn = running.turn
        if turn.outcome is not None:
            self._rescued(turn, Rescue.SHOWN)
            return turn.outcome
        if turn.app not in self._backends:
            _log.error("app_missing", app=turn.app, fix="put the app back into the configuration")
            return endings.without_app(running)
        if turn.state in (AnswerState.ASKED, AnswerState.STREAMING, AnswerState.PAUSED):
            running.pause = await self.waiting.find(running)
            if running.pause is None:
                way = await self._resume(running)
            else:
                way = await self._follow(running, await self.waiting.take_up(running))
            if way is not Way.ASK:
                return way
        elif turn.stop is not None:
            return endings.stopped(running)
        elif hint := missing_words(turn.question):
            running.notes = [hint]
            return endings.answered(running)
        return await self._ask(running)

    # What an earlier owner left

    async def _resume(self, running: Running) -> Outcome | Literal[Way.ASK] | None:
        turn, policy = running.turn, self._policies[running.turn.app]
        backend = self._backends[turn.app]
        question = self._preparer.plain(running, turn.question, turn.ids)
        looking = look_up(backend, question, turn, policy.recover, self._clock, self._limits.resume)
        seen = await running.until_woken(looking, self._clock, self._limits.notice, lambda: running.say(_FETCHING))
        if running.handed_over:
            return None
        # None: told to stop, or asked something else, meanwhile.
        seen = seen or Recovered(fate=Fate.UNKNOWN, ids=turn.ids)
        running.ids = seen.ids
        way = Way.ASK_AGAIN if running.revised and running.stop is None else None
        way = way or (Way.STOP if running.stop else decide(turn, seen.fate, policy.recover, self._limits.resume.asks))
        _log.warning("answer_resumed", state=turn.state.value, fate=seen.fate.value, way=way.value, detail=seen.detail)
        match way:
            case Way.SHOW:
                self._rescued(turn, Rescue.FETCHED)
                await self._listener.record_started(running, seen.ids)
                running.draft.restart()
                running.draft.fold(TextDelta(text=seen.text))
                running.draft.fold(SourcesCited(names=seen.sources))
                for file in seen.files:
                    running.draft.fold(FileProduced(file=file))
                if seen.fate is Fate.STOPPED or turn.stop is not None:
                    # What was stopped unheard is kept only in part, and often not at all.
                    return endings.stopped(running, standing=not seen.text.strip() and running.keeps_text)
                return endings.answered(running, partial=seen.partial)
            case Way.ASK:
                return Way.ASK
            case Way.ASK_AGAIN:
                self._rescued(turn, Rescue.REASKED)
                await self._end_lost(running)
                return Way.ASK
            case Way.WAIT:
                return await self._follow(running, await self.waiting.find_out(running))
            case Way.STOP:
                if running.ids.task:
                    await self._listener.stop(running, running.ids)
                return endings.stopped(running, standing=True)
            case Way.APOLOGISE | Way.FAIL:
                self._rescued(turn, Rescue.APOLOGISED)
                await self._note_lost(running)
                return endings.interrupted(running, by_app=way is Way.FAIL)

    async def _follow(self, running: Running, came: CameTo) -> Outcome | Literal[Way.ASK] | None:
        """What comes of an answer that waited, or waits, for people."""
        if isinstance(came, AnswerCompleted):
            return await self._end(running, came) or Way.ASK
        if came is Anew.ANEW:
            await self._end_lost(running)
            return Way.ASK
        return came

    async def _end_lost(self, running: Running) -> None:
        """Notes the run that nobody listens to, and that its empty answer must not spoil what follows."""
        turn = running.turn
        if running.ids.task:
            running.unheard = running.ids
        try:
            if turn.last_seen is None:
                # There is nothing in that conversation that is worth going on with.
                await self._store.forget_backend_conversation(turn)
            else:
                await self._note_lost(running)
        except StoreUnavailable as error:
            self._store_away("forget_backend_conversation", error)
        running.ids = _fresh_ids(turn)
        if turn.superseded or running.revised:
            running.attempt, running.revised = 0, False

    async def _note_lost(self, running: Running) -> None:
        """An answer that the backend did not keep leaves an empty one in its history, which some models refuse later on."""
        running.poisoned = True
        try:
            await self._store.record_lost(running.turn)
        except StoreUnavailable as error:
            self._store_away("record_lost", error)

    # Asking

    async def _ask(self, running: Running) -> Outcome | None:
        deadline: float | None = None
        pause = self._limits.first_pause.total_seconds()
        while True:
            if running.handed_over:
                return None
            if (ended := await self._make_ready(running)) is not None:
                return ended
            if running.woken.is_set():
                continue
            try:
                completed = await self._ask_once(running)
            except BackendError as error:
                if running.woken.is_set():
                    continue
                if await self._heal(running, error):
                    continue
                deadline = deadline or self._clock.monotonic() + self._limits.busy.total_seconds()
                told = error.retry_after.total_seconds() if error.retry_after else 0.0
                wait = max(told, pause)
                self._metrics.backend_failed(running.turn.app, error.code)
                may_pass = isinstance(error, BackendBusy | BackendUnreachable) and not error.accepted
                if not may_pass or self._clock.monotonic() + wait > deadline:
                    if isinstance(error, BackendCut | BackendTimeout):
                        await self._note_lost(running)
                    return endings.failed(running, error)
                _log.warning("asked_again_later", code=error.code, detail=str(error), again_in=wait)
                why = error.user_message.partition(". ")[0].rstrip(".") + "."
                running.say(_TRYING.format(why=why))
                pause = min(pause * 2, self._limits.longest_pause.total_seconds())
                await self._clock.wait(running.woken, wait)
            else:
                came = await self._settle_asked(running, completed)
                if came is not Way.ASK:
                    return came

    async def _settle_asked(
        self, running: Running, completed: AnswerCompleted | InputRequired | None
    ) -> Outcome | Literal[Way.ASK] | None:
        if isinstance(completed, InputRequired) and not running.woken.is_set():
            return await self._follow(running, await self.waiting.begin(running, completed))
        return await self._end(running, completed) or Way.ASK

    async def _make_ready(self, running: Running) -> Outcome | None:
        """An outcome: it need not, or cannot, be asked. None with `woken` set: something else is wanted now."""
        if running.stop is not None:
            await self._end_unheard(running)
            return endings.stopped(running)
        if running.revised:
            self._start_over(running)
        running.woken.clear()
        return await self._gatherer.gather(running)

    async def _end(self, running: Running, completed: AnswerCompleted | InputRequired | None) -> Outcome | None:
        """None: something else is wanted instead, perhaps only since it was asked what could be asked next."""
        if completed is None or isinstance(completed, InputRequired) or running.stop is not None or running.revised:
            return None
        if completed.stopped:
            return endings.stopped(running)
        if completed.annotated:
            running.notes = [*running.notes, _ANNOTATED]
        await self._preparer.suggest(running)
        return None if running.revised else endings.answered(running, partial=completed.partial)

    def _start_over(self, running: Running) -> None:
        """The question was edited: asked anew, in the same messages, as if what was asked had never been."""
        running.revised = False
        running.attempt = 0
        running.suggestions = ()
        running.ids = _fresh_ids(running.turn)
        running.forget_pause()
        running.draft.say_status(_CHANGED)

    async def _ask_once(self, running: Running) -> AnswerCompleted | InputRequired | None:
        """None: something else is wanted now (`woken`)."""
        turn = running.turn
        server = self._backends[turn.app].server

        def tell(number: int) -> None:
            line[0] = number
            if told[0]:
                running.say(_IN_LINE.format(number=number))

        def notice() -> None:
            told[0] = True
            tell(line[0])

        line, told = [1], [False]
        async with AsyncExitStack() as place:
            coming = place.enter_async_context(self._places.take(server, tell))
            if await running.until_woken(_then_true(coming), self._clock, self._limits.notice, notice) is None:
                return None
            asked = await self._record_asked(running)
            if asked is None:
                return None
            await self._end_unheard(running)
            if hint := missing_words(asked):
                running.notes = [hint]
                return AnswerCompleted()
            ready = self._preparer.prepare(running, asked)
            question = await running.until_woken(ready, self._clock, self._limits.notice, lambda: running.say(_READING))
            if running.woken.is_set():
                return None
            if question is None:
                return AnswerCompleted()
            running.asked = True
            try:
                return await self._listener.hear(running, self._backends[turn.app].answer(question))
            finally:
                running.asked = False

    async def _record_asked(self, running: Running) -> AskedQuestion | None:
        """The question as it reads now. None: it was not recorded, so it may not be asked; it is handed over."""
        deadline = self._clock.monotonic() + self._limits.store.total_seconds()
        pause = 0.1
        while True:
            try:
                return await self._store.record_asked(running.turn, running.attempt + 1)
            except StoreUnavailable as error:
                self._store_away("record_asked", error)
                if self._clock.monotonic() > deadline:
                    running.handed_over = True
                if running.handed_over:
                    return None
                await self._clock.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def _end_unheard(self, running: Running) -> None:
        """Not before it is recorded that its answer is not wanted any more: what was stopped looks like a whole answer."""
        if running.unheard is not None:
            ids, running.unheard = running.unheard, None
            await self._listener.stop(running, ids)

    # Healing

    async def _heal(self, running: Running, error: BackendError) -> bool:
        """Leaves a backend conversation that is of no use any more, once. True: ask again, in a new one."""
        missing = isinstance(error, ConversationMissing)
        # Chat apps say that the model refused, chatflows only that a node failed: the code tells nothing.
        poisoned = running.poisoned and isinstance(error, BackendFailed) and not running.draft.text.strip()
        if running.healed or running.turn.ids.conversation is None or not (missing or poisoned):
            return False
        _log.warning("backend_conversation_left", missing=missing, code=error.code, detail=str(error))
        try:
            await self._store.forget_backend_conversation(running.turn)
        except StoreUnavailable as trouble:
            self._store_away("forget_backend_conversation", trouble)
        running.healed = True
        running.ids = BackendIds()
        running.draft.restart()
        running.notes.append(_NEW_CONVERSATION if missing else _ROTATED)
        return True

    def _rescued(self, turn: Turn, how: Rescue) -> None:
        self._metrics.rescued(turn.app, turn.target.platform, how)

    def _store_away(self, doing: str, error: StoreUnavailable) -> None:
        self._metrics.store_unavailable()
        _log.warning("store_unavailable", doing=doing, detail=str(error))


def _fresh_ids(turn: Turn) -> BackendIds:
    """To ask anew with, as if nobody had asked: in the backend's conversation only if an answer before this one stands there."""
    return BackendIds(conversation=turn.ids.conversation if turn.last_seen is not None else None)


async def _then_true(work: Coroutine[None, None, None]) -> bool:
    await work
    return True
