"""A turn that waits for people, from wherever an earlier owner left it: it rests, goes on, or ends."""

from datetime import timedelta
from enum import Enum

from bridge import endings, logs
from bridge.backend_api import AnswerCompleted, InputRequired
from bridge.clock import Clock
from bridge.errors import BackendBusy, BackendError, BackendPaused, BackendUnreachable, StoreUnavailable
from bridge.listening import Listener
from bridge.messages import Outcome
from bridge.metrics import Metrics
from bridge.pauses import Pause
from bridge.pausing import Expired, Pausing, Way
from bridge.recording import StoreRecorder
from bridge.running import Running
from bridge.store import Store

_log = logs.get("waiting")


class Anew(Enum):
    ANEW = "anew"
    """The question was edited meanwhile: it is asked as it reads now."""


CameTo = Outcome | AnswerCompleted | Anew | None
"""How it ended, that it was heard to its end, or nothing: it rests (`Running.rests`) or was handed over."""


class Waiting:
    def __init__(
        self, *, store: Store, pausing: Pausing, listener: Listener, clock: Clock, metrics: Metrics, busy: timedelta
    ) -> None:
        """`busy`: how long a run is tried to be heard again whose backend cannot be reached."""
        self._store = store
        self._pausing = pausing
        self._listener = listener
        self._clock = clock
        self._metrics = metrics
        self._busy = busy

    async def find(self, running: Running) -> Pause | None:
        """What an earlier owner left."""
        return await self._pausing.find(running)

    async def begin(self, running: Running, required: InputRequired) -> CameTo:
        """The app asks people. Raises `Fenced`, as all methods."""
        if not self._pausing.takes_input(running):
            return endings.failed(running, BackendPaused("the app waits for people", code="paused"))
        self._pausing.begin(running, required)
        return await self._rest(running)

    async def find_out(self, running: Running) -> CameTo:
        """It waits for people, and nobody noted for what."""
        if not self._pausing.takes_input(running):
            return endings.interrupted(running, by_app=True)
        running.draft.restart()
        return await self._go_on(running)

    async def take_up(self, running: Running) -> CameTo:
        """It waits for people, or waited and went on since (`Running.pause`)."""
        if running.handed_over:
            return None
        if running.stop is not None or running.turn.stop is not None:
            return await self._end_stopped(running)
        if running.turn.superseded or running.revised:
            running.forget_pause()
            return Anew.ANEW
        try:
            way = await self._pausing.take_up(running)
        except Expired as expired:
            return endings.refused(running, str(expired), "form_expired", may_retry=True)
        except BackendError as error:
            return endings.failed(running, error)
        except StoreUnavailable as error:
            # Nothing is lost: whoever takes it next does the same.
            self._leave(running, "take_up", error)
            return None
        return await (self._rest(running) if way is Way.REST else self._go_on(running))

    async def _end_stopped(self, running: Running) -> Outcome:
        self._pausing.stand(running)
        if running.ids.task:
            # It is told, though nothing listens there while a run is paused: its form then lasts until its time is over.
            await self._listener.stop(running, running.ids)
        return endings.stopped(running)

    async def _go_on(self, running: Running) -> CameTo:
        deadline = self._clock.monotonic() + self._busy.total_seconds()
        pause = 1.0
        while not (running.handed_over or running.stop is not None or running.revised):
            running.woken.clear()
            try:
                completed = await self._pausing.resume(running)
            except BackendError as error:
                if running.woken.is_set():
                    continue
                self._metrics.backend_failed(running.turn.app, error.code)
                may_pass = isinstance(error, BackendBusy | BackendUnreachable)
                if not may_pass or self._clock.monotonic() + pause > deadline:
                    return endings.failed(running, error)
                _log.warning("heard_again_later", code=error.code, detail=str(error), again_in=pause)
                await self._clock.wait(running.woken, pause)
                pause = min(pause * 2, 15.0)
                continue
            if isinstance(completed, InputRequired):
                return await self.begin(running, completed)
            if completed is not None:
                return completed
        if running.stop is not None:
            return endings.stopped(running)
        if running.revised:
            running.forget_pause()
            return Anew.ANEW
        return None

    async def come_to_rest(self, running: Running, recorder: StoreRecorder) -> None:
        """What it waits for is shown: nothing is to be done until somebody answers. Raises `Fenced`."""
        try:
            # Nobody finds a form below a message that is not known as ours.
            await recorder.catch_up(at_any_cost=True)
            rests = await self._pausing.rest(running)
        except StoreUnavailable as error:
            # The next sweep finds it, and shows the same once more.
            self._metrics.store_unavailable()
            _log.warning("store_unavailable", doing="rest", detail=str(error))
        else:
            _log.info("waits_for_people", answer=running.turn.answer_id, rests=rests)

    async def _rest(self, running: Running) -> CameTo:
        try:
            if not running.ids_recorded:
                await self._store.record_started(running.turn, running.ids)
                running.ids_recorded = True
            if not await self._pausing.record(running):
                return await self.take_up(running)
        except StoreUnavailable as error:
            # Found by whoever takes it next as one that was interrupted.
            self._leave(running, "record_paused", error)
            return None
        self._pausing.show(running)
        running.rests = True
        return None

    def _leave(self, running: Running, doing: str, error: StoreUnavailable) -> None:
        self._metrics.store_unavailable()
        _log.warning("store_unavailable", doing=doing, detail=str(error))
        running.handed_over = True
