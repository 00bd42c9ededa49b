"""One question: its answer asked for, shown and recorded, from its beginning or from where an earlier owner left it.

Has the bridge's only `except Exception`: when asking breaks, the member gets an ending; when showing breaks, nothing more can
be shown, and the log and the record say so.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from bridge import endings, logs
from bridge.answers import AnswerWriter, WriterLimits
from bridge.asking import Asker, AskLimits
from bridge.backend_api import Backend
from bridge.clock import Clock
from bridge.composing import NOT_TAKEN
from bridge.drafts import AnswerDraft
from bridge.errors import Fenced, StoreUnavailable
from bridge.gathering import Gatherer, GatherLimits
from bridge.kept_inputs import KeepsInputs
from bridge.labelling import Answered
from bridge.markdown.characters import literally
from bridge.messages import AnswerId, AnswerState, AppName, ConversationId, Outcome, PlatformName, ReplyTarget, Turn
from bridge.metrics import Ending, Metrics
from bridge.outgoing_files import OutgoingFile
from bridge.pacing import Pacer
from bridge.places import Places
from bridge.placing import Placer, PlacingLimits
from bridge.platform_api import EndsActivity, Platform, ReadsBack, SendsFiles
from bridge.preparing import PrepareLimits, Preparer
from bridge.producing import Collector, ProducingLimits
from bridge.questions import lead_of
from bridge.recording import StoreRecorder
from bridge.routing import AppPolicy
from bridge.running import Running
from bridge.store import Store
from bridge.surroundings import SurroundingLimits, Surroundings
from bridge.transcribing import Transcriber

_log = logs.get("turns")

_TRYING_AGAIN = "⏳ Trying again…"


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnLimits:
    writer: WriterLimits = field(default_factory=WriterLimits)
    ask: AskLimits = field(default_factory=AskLimits)
    gather: GatherLimits = field(default_factory=GatherLimits)
    prepare: PrepareLimits = field(default_factory=PrepareLimits)
    surroundings: SurroundingLimits = field(default_factory=SurroundingLimits)
    producing: ProducingLimits = field(default_factory=ProducingLimits)
    store_patience: timedelta = timedelta(minutes=2)
    """How often it is said that a finished answer still waits for a store that is away."""
    placing: PlacingLimits = field(default_factory=PlacingLimits)
    retry_emoji: str = "🔁"
    """The reaction that members are told of where there are no buttons; empty for none."""


@dataclass(slots=True)
class _Work:
    """A running turn with what belongs to showing and recording it."""

    running: Running
    recorder: StoreRecorder
    target: ReplyTarget
    """Where it is answered, as far as is known by now."""
    shown: bool = False
    broken: bool = False


class Turns:
    def __init__(
        self,
        *,
        store: Store,
        platforms: Mapping[PlatformName, Platform],
        backends: Mapping[AppName, Backend],
        policies: Mapping[AppName, AppPolicy],
        places: Places,
        pacer: Pacer,
        clock: Clock,
        metrics: Metrics,
        limits: TurnLimits | None = None,
        inputs: KeepsInputs | None = None,
        label: Callable[[Answered], None] | None = None,
    ) -> None:
        """`label` is told of whole answers, once their end is recorded."""
        self._store = store
        self._platforms = platforms
        self._backends = backends
        self._places = places
        self._pacer = pacer
        self._clock = clock
        self._metrics = metrics
        self._limits = limits or TurnLimits()
        self._label = label
        surroundings = Surroundings(
            platforms=platforms, backends=backends, clock=clock, limits=self._limits.surroundings
        )
        self._asker = Asker(
            store=store,
            backends=backends,
            policies=policies,
            places=places,
            preparer=Preparer(
                store=store,
                backends=backends,
                policies=policies,
                surroundings=surroundings,
                transcriber=Transcriber(
                    platforms=platforms,
                    backends=backends,
                    clock=clock,
                    largest=self._limits.surroundings.largest_file,
                    patience=self._limits.surroundings.file_patience,
                ),
                clock=clock,
                metrics=metrics,
                limits=self._limits.prepare,
            ),
            gatherer=Gatherer(
                kept=inputs,
                platforms=platforms,
                backends=backends,
                policies=policies,
                clock=clock,
                limits=self._limits.gather,
            ),
            clock=clock,
            metrics=metrics,
            limits=self._limits.ask,
        )
        self._placer = Placer(store=store, clock=clock, limits=self._limits.placing)
        self._running: dict[AnswerId, Running] = {}
        self._closing = False

    async def answer(self, turn: Turn) -> bool:
        """Runs one turn to its end. False: it was handed over before that, and is left for whoever takes it next.

        Raises `Fenced` when another owner took over, and nothing else.
        """
        if turn.target.platform not in self._platforms:
            _log.error("platform_missing", platform=turn.target.platform, conversation=turn.conversation_id)
            return False
        with structlog.contextvars.bound_contextvars(
            answer=turn.answer_id, conversation=turn.conversation_id, platform=turn.question.ref.platform
        ):
            work = self._begin(turn)
            running = work.running
            started = self._clock.monotonic()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._guard(work, self._ask, "ask"))
                    tasks.create_task(self._guard(work, self._write, "write"))
            except* Fenced as fenced:
                raise Fenced("another owner took the conversation") from fenced
            finally:
                del self._running[turn.answer_id]
                if running.collector is not None:
                    await running.collector.close()
            if running.handed_over and (running.outcome is None or not work.shown):
                _log.info("turn_handed_over", asked=running.attempt)
                self._metrics.turn_ended(turn.app, turn.target.platform, Ending.HANDED_OVER)
                return False
            if running.rests and work.shown:
                await self._end_activity(work)
                await self._asker.waiting.come_to_rest(running, work.recorder)
                return True
            outcome = endings.recorded(running.outcome, broken=work.broken, shown=work.shown)
            _log.info(
                "turn_ended",
                state=outcome.state.value,
                error=outcome.error or None,
                seconds=round(self._clock.monotonic() - started, 3),
                characters=len(outcome.text),
            )
            await self._end_activity(work)
            await self._finish(work, outcome)
            self._have_labelled(work, outcome)
            self._metrics.turn_ended(turn.app, turn.target.platform, outcome.state)
            return True

    def queued(self, app: AppName) -> int:
        """Questions that wait for a place at the app's server, in this process."""
        return self._places.waiting(self._backends[app].server) if app in self._backends else 0

    async def look(self, conversation: ConversationId) -> None:
        """Does what others want of the turn that runs in this conversation, if it runs here."""
        for running in list(self._running.values()):
            if running.turn.conversation_id == conversation:
                await self._look(running)

    async def look_all(self) -> None:
        """The same for all: somebody may have called while nobody heard."""
        for running in list(self._running.values()):
            await self._look(running)

    async def _look(self, running: Running) -> None:
        try:
            orders = await self._store.orders(running.turn)
        except StoreUnavailable as error:
            self._metrics.store_unavailable()
            _log.warning("store_unavailable", doing="orders", detail=str(error))
            return
        except Fenced:
            # Its own next write meets the same and ends it.
            return
        if running.outcome is not None:
            return
        if orders.stop is not None and running.stop is None:
            _log.info("stopping", answer=running.turn.answer_id, reason=orders.stop.value)
            running.stop = orders.stop
            running.woken.set()
        elif orders.question is not None:
            _log.info("asking_anew", answer=running.turn.answer_id)
            running.revised = True
            running.woken.set()
        elif running.waits:
            running.woken.set()

    def close(self) -> None:
        """From now on no backend is asked any more. What has not been asked yet is handed over at once."""
        self._closing = True
        for running in self._running.values():
            if not running.asked and running.outcome is None:
                self._hand_over(running)

    def hand_over(self) -> None:
        """Leaves every running answer as it stands, for whoever takes it next. The backend is not told: what it goes on
        with can perhaps be fetched, and a stopped answer could be taken for a whole one."""
        for running in self._running.values():
            self._hand_over(running)

    def _hand_over(self, running: Running) -> None:
        running.handed_over = True
        running.draft.abandon()
        running.woken.set()
        if running.collector is not None:
            running.collector.give_up()

    def _begin(self, turn: Turn) -> _Work:
        platform = self._platforms[turn.target.platform]
        buttons = platform.capabilities.buttons
        emoji = self._limits.retry_emoji
        hint = "" if buttons or not emoji else f"(React with {emoji} to try again.)"
        draft = AnswerDraft(lead_of(turn.question))
        running = Running(turn, draft, turn.ids, turn.attempt, retry_hint=hint, poisoned=turn.poisoned)
        running.wants_suggestions = platform.capabilities.question_buttons > 0
        if isinstance(platform, SendsFiles):
            running.collector = Collector(self._backends, turn.app, self._clock, self._limits.producing)
        if turn.parts and turn.state is AnswerState.PLANNED:
            running.draft.say_status(_TRYING_AGAIN)
        self._running[turn.answer_id] = running
        if self._closing:
            self._hand_over(running)
        keeps_text = not isinstance(platform, ReadsBack)
        return _Work(running, StoreRecorder(self._store, turn, self._metrics, keeps_text=keeps_text), turn.target)

    async def _guard(self, work: _Work, step: Callable[[_Work], Coroutine[None, None, None]], name: str) -> None:
        try:
            await step(work)
        except Fenced:
            raise
        except Exception:  # noqa: BLE001  # the one place where it is allowed; see the module's docstring
            # The last line of defence for a member who waits: whatever broke is logged and the turn still ends.
            reference = endings.new_reference()
            _log.exception("turn_broke", step=name, reference=reference)
            work.broken = True
            if not work.running.draft.ended.is_set():
                work.running.outcome = endings.broken(work.running, reference)
                work.running.draft.conclude(work.running.outcome)

    async def _ask(self, work: _Work) -> None:
        running = work.running
        # An order may have come just after the turn was taken and before anybody could have told us.
        await self._look(running)
        outcome = await self._asker.settle(running)
        if outcome is None:
            if not running.rests:
                self._hand_over(running)
            return
        running.outcome = outcome
        if running.turn.outcome is None:
            await self._record_outcome(work, outcome)
        files, lines = await self._collect(running, outcome)
        # A hand-over may have come first; then the next owner shows it.
        if not running.draft.is_abandoned():
            endings.conclude(running, outcome, files, lines, self._backends.get(running.turn.app))

    async def _collect(self, running: Running, outcome: Outcome) -> tuple[Sequence[OutgoingFile], Sequence[str]]:
        """The files of the answer, and lines about those that cannot be shown."""
        if not outcome.files or running.collector is None:
            return (), [NOT_TAKEN.format(name=literally(file.name)) for file in outcome.files]
        if running.stop is not None and running.turn.outcome is None:
            # Whoever stops an answer does not want to wait for its files.
            running.collector.give_up()
        return await running.collector.collect(outcome.files)

    async def _record_outcome(self, work: _Work, outcome: Outcome) -> None:
        try:
            await self._store.record_outcome(work.running.turn, outcome)
        except StoreUnavailable as error:
            # It is shown all the same; should we die before the store is back, the backend is asked for it.
            self._metrics.store_unavailable()
            _log.warning("store_unavailable", doing="record_outcome", detail=str(error))

    # Showing

    async def _write(self, work: _Work) -> None:
        running = work.running
        turn = running.turn
        platform = self._platforms[turn.target.platform]
        began = self._clock.monotonic()
        target = await self._placer.place(running, platform)
        if target is None:
            await running.draft.ended.wait()
            return
        work.target = target
        with self._pacer.answering(target, platform.capabilities) as pace:
            writer = AnswerWriter(
                platform=platform,
                pace=pace,
                clock=self._clock,
                target=target,
                recorder=work.recorder,
                question=turn.question.ref,
                asker=turn.question.author,
                nonce_seed=f"{turn.question.ref.address}:{turn.answer_id}",
                limits=self._limits.writer,
                people=turn.question.people,
                standing=turn.parts,
            )
            work.shown = await writer.run(running.draft)
        if writer.out_of_time:
            # The outcome is on record: the next sweep tries to show it again, for as long as the platform is away.
            running.handed_over = True
        if writer.first_shown_at is not None:
            self._metrics.first_text(turn.app, turn.target.platform, writer.first_shown_at - began)
        if work.shown:
            seconds = self._clock.monotonic() - began
            self._metrics.last_text(turn.app, turn.target.platform, seconds, writes=writer.writes)

    async def _end_activity(self, work: _Work) -> None:
        """Before the end is recorded: whoever takes over a turn takes away what its earlier owner showed."""
        platform = self._platforms[work.target.platform]
        if isinstance(platform, EndsActivity):
            await platform.end_activity(work.target, work.running.turn.question.ref)

    def _have_labelled(self, work: _Work, outcome: Outcome) -> None:
        turn, known = work.running.turn, work.running.ids.conversation
        if self._label is None or known is None or outcome.state is not AnswerState.DONE or not outcome.text.strip():
            return
        self._label(
            Answered(
                conversation=turn.conversation_id,
                app=turn.app,
                backend_conversation=known,
                user=turn.backend_user,
                target=work.target,
            )
        )

    # Recording

    async def _finish(self, work: _Work, outcome: Outcome) -> None:
        running = work.running
        patience = self._limits.store_patience.total_seconds()
        deadline = self._clock.monotonic() + patience
        pause, impatient = 0.1, False
        while True:
            try:
                if not running.ids_recorded:
                    await self._store.record_started(running.turn, running.ids)
                await work.recorder.catch_up(at_any_cost=not impatient)
                await self._store.finish(running.turn, outcome.state, outcome.error)
            except StoreUnavailable as error:
                self._metrics.store_unavailable()
                if self._clock.monotonic() > deadline:
                    # Tried for as long as we live: until it is recorded nothing else in the conversation can begin.
                    _log.error("ending_not_recorded", detail=str(error))
                    deadline += patience
                    # Should it be one of the messages that is never taken, then nothing pressed on it is noticed; that is all.
                    impatient = True
                await self._clock.sleep(pause)
                pause = min(pause * 2, 5.0)
            else:
                return
