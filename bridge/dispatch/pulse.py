"""The signs of life of one process, and what it does about the others when theirs stop."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge import logs
from bridge.clock import Clock
from bridge.dispatch.jobs import JobQueue, Taken
from bridge.errors import StoreUnavailable
from bridge.messages import ConversationId
from bridge.storage.settings import Settings

_BEATS = 2.5
"""Signs of life that a process without a connection may miss before others take over: it was killed, most likely."""

_log = logs.get("dispatch")


@dataclass(slots=True)
class Doing:
    taken: Taken
    settling: bool = False
    """Its end is being recorded."""


@dataclass(slots=True)
class Workload:
    """What a process is doing."""

    jobs: dict[int, Doing] = field(default_factory=dict)
    taking_since: float | None = None
    """When the queue was asked for the next job, while it has not answered."""
    woken: set[ConversationId] = field(default_factory=set)
    """Conversations of which somebody says that questions wait there."""

    def has(self, conversation: ConversationId) -> bool:
        """Whether it is being worked on. (Once the end of a job is being recorded, the next one may be taken.)"""
        return any(doing.taken.conversation == conversation and not doing.settling for doing in self.jobs.values())


class Pulse:
    def __init__(
        self, settings: Settings, queue: JobQueue, workload: Workload, clock: Clock, fenced: Callable[[], None]
    ) -> None:
        self._every = settings.database_heartbeat / 2
        self._stalled = settings.database_stalled
        self._gone = min(settings.database_heartbeat * _BEATS, settings.database_stalled)
        self._queue = queue
        self._workload = workload
        self._clock = clock
        self._fenced = fenced
        self._suspects: frozenset[int] = frozenset()
        self._looked_at = float("-inf")

    async def run(self, worker: int) -> None:
        """Works until cancelled. Also while the process is ending: what it still does would be taken from it otherwise."""
        silent, others_until = False, float("-inf")
        while True:
            try:
                await self._beat(worker)
                if silent:
                    # The database was away, and everybody has been silent. All must have had time to speak again.
                    silent, others_until = False, self._clock.monotonic() + self._stalled
                if self._clock.monotonic() >= others_until:
                    await self._rescue()
                await self._revive_woken()
            except StoreUnavailable as error:
                _log.warning("store_unavailable", doing="heartbeat", detail=str(error))
                silent = True
            await self._clock.sleep(self._every)

    async def sweep(self, every: float) -> None:
        """Finds questions that have lost their job, at once and then every so many seconds. Works until cancelled."""
        while True:
            try:
                made = await self._queue.revive(None)
                if made:
                    _log.warning("jobs_revived", count=made)
                await self._queue.tidy()
            except StoreUnavailable as error:
                _log.warning("store_unavailable", doing="sweep", detail=str(error))
            await self._clock.sleep(every)

    async def _beat(self, worker: int) -> None:
        jobs = self._workload.jobs
        before = [job for job, doing in jobs.items() if not doing.settling]
        mine = await self._queue.beat(worker)
        if mine is None:
            _log.error("declared_dead", worker=worker)
            self._fenced()
            return
        taken_away = [job for job in before if job not in mine and job in jobs and not jobs[job].settling]
        if taken_away:
            _log.error("jobs_taken_away", worker=worker, jobs=taken_away)
            self._fenced()
            return
        await self._put_back_lost(worker, mine - jobs.keys())

    async def _put_back_lost(self, worker: int, unknown: frozenset[int]) -> None:
        """Jobs that the queue gave to this process in an answer that never arrived.

        They are recognised by being unknown at two looks, with no question to the queue open since before the first.
        """
        looked_at, self._looked_at = self._looked_at, self._clock.monotonic()
        since = self._workload.taking_since
        lost = unknown & self._suspects if since is None or since > looked_at else frozenset()
        self._suspects = unknown - lost
        if lost:
            _log.warning("lost_jobs_put_back", worker=worker, jobs=sorted(lost))
            await self._queue.put_back(worker, lost)

    async def _rescue(self) -> None:
        rescued = await self._queue.rescue(stalled=self._stalled, gone=self._gone)
        if rescued:
            _log.warning("jobs_of_a_dead_process_taken_over", jobs=rescued)

    async def _revive_woken(self) -> None:
        woken = frozenset(self._workload.woken)
        if woken:
            made = await self._queue.revive(woken)
            self._workload.woken -= woken
            if made:
                _log.info("jobs_made", count=made)
