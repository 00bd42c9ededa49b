"""Any number of processes that share the conversations of one PostgreSQL: procrastinate says who works on which, and when.

Its queue is used and its own worker is not. That worker stops its signs of life as soon as it is told to end, long before its
jobs have ended; it ends when one sign of life fails; and it ends jobs that have been given to somebody else meanwhile. What it
would do (take a job, do it, end it) is little, and here each step knows about outages and about being declared dead.

A process that finds out that it was declared dead ends at once (`fenced`), by the record's epoch or by the queue, whichever
notices first: what it was doing is being done by another one.
"""

import asyncio
import os
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

from bridge import logs
from bridge.clock import Clock
from bridge.dispatch.jobs import JobQueue, Settled, Taken
from bridge.dispatch.listening import Ear
from bridge.dispatch.looking import Looks
from bridge.dispatch.pulse import Doing, Pulse, Workload
from bridge.dispatcher import Drain, Look
from bridge.errors import StoreUnavailable
from bridge.messages import ConversationId, PlatformName
from bridge.storage.settings import Settings

FENCED_EXIT = 9

_log = logs.get("dispatch")


def exit_fenced() -> None:
    """Ends this process without another word: nothing that it still does or says is its business any more.

    Whoever watches over it starts it again.
    """
    _log.error("fenced_and_leaving", pid=os.getpid())
    sys.stderr.flush()
    os._exit(FENCED_EXIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    at_once: int = 200
    """Conversations that one process works on. Most of them wait for a backend."""
    poll: float = 1.0
    """Seconds after which the queue is looked at although nobody said anything."""
    sweep_every: float = 30.0
    """Seconds between two searches for conversations whose questions have no job."""
    first_pause: float = 0.5
    """Seconds before a job runs again whose questions could not be answered now; doubles."""
    longest_pause: float = 10.0
    """A job that waits holds up its conversation."""


class ProcrastinateDispatcher:
    """A `Dispatcher`. `platforms`: those whose conversations this process can work on.

    Questions get their jobs from `bridge.dispatch.deferring.defer_work`, in the transaction that records them.
    """

    def __init__(
        self,
        settings: Settings,
        drain: Drain,
        look: Look,
        clock: Clock,
        *,
        platforms: Collection[PlatformName],
        fenced: Callable[[], None] = exit_fenced,
        limits: Limits | None = None,
    ) -> None:
        self._drain = drain
        self._clock = clock
        self._fenced = fenced
        self._limits = limits or Limits()
        self._queue = JobQueue(settings, platforms)
        self._workload = Workload()
        self._pulse = Pulse(settings, self._queue, self._workload, clock, fenced)
        self._ear = Ear(
            settings, platforms, clock, on_job=self._poke, on_nudge=self._look_at, on_gap=self._expect_anything
        )
        self._looks = Looks(look)
        self._nudges: asyncio.Queue[ConversationId] = asyncio.Queue()
        self._places = asyncio.Semaphore(self._limits.at_once)
        self._poked = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False

    def wake(self, conversation: ConversationId) -> None:
        """What was recorded with `defer_work` starts by itself; this is for questions that may have lost their job."""
        self._workload.woken.add(conversation)

    def nudge(self, conversation: ConversationId) -> None:
        self._nudges.put_nowait(conversation)

    async def drain(self, grace: timedelta) -> bool:
        """May be called again. What still runs when `run` is cancelled is handed over: others take it at once."""
        self._draining = True
        self._poke()
        return await self._clock.wait(self._idle, grace.total_seconds())

    async def run(self) -> None:
        try:
            worker = await self._join()
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._ear.run(worker), name="ear")
                    tasks.create_task(self._pulse.run(worker), name="pulse")
                    tasks.create_task(self._pulse.sweep(self._limits.sweep_every), name="sweep")
                    tasks.create_task(self._looks.run(), name="looks")
                    tasks.create_task(self._pass_on_nudges(), name="nudges")
                    await self._take_jobs(worker, tasks)
            finally:
                await self._leave(worker)
        finally:
            await self._queue.close()

    async def _join(self) -> int:
        pause = 0.2
        while True:
            try:
                await self._queue.open()
                worker = await self._queue.join()
            except StoreUnavailable as error:
                _log.warning("store_unavailable", doing="join", detail=str(error))
                await self._clock.sleep(pause)
                pause = min(pause * 2, 5.0)
            else:
                _log.info("joined", worker=worker)
                return worker

    async def _leave(self, worker: int) -> None:
        try:
            await self._queue.leave(worker)
        except StoreUnavailable as error:
            # The others find out by its silence.
            _log.warning("store_unavailable", doing="leave", detail=str(error))

    async def _take_jobs(self, worker: int, tasks: asyncio.TaskGroup) -> None:
        while True:
            await self._places.acquire()
            self._poked.clear()
            taken = None if self._draining else await self._take(worker)
            if taken is None:
                self._places.release()
                await self._clock.wait(self._poked, self._limits.poll)
                continue
            if self._workload.has(taken.conversation):
                # The lock lets nobody have two jobs of a conversation: what runs here was given up for dead.
                _log.error("job_taken_twice", worker=worker, conversation=taken.conversation)
                self._fenced()
            doing = self._workload.jobs[taken.job] = Doing(taken)
            self._idle.clear()
            tasks.create_task(self._work(worker, doing))

    async def _take(self, worker: int) -> Taken | None:
        self._workload.taking_since = self._clock.monotonic()
        try:
            return await self._queue.take(worker)
        except StoreUnavailable as error:
            _log.warning("store_unavailable", doing="take", detail=str(error))
            return None
        finally:
            self._workload.taking_since = None

    async def _work(self, worker: int, doing: Doing) -> None:
        try:
            if not self._draining:
                await self._drain(doing.taken.conversation)
            doing.settling = True
            await self._settle(worker, doing.taken)
        finally:
            del self._workload.jobs[doing.taken.job]
            self._places.release()
            # The conversation is free: its next job may be for us, before anybody says so.
            self._poke()
            if not self._workload.jobs:
                self._idle.set()

    async def _settle(self, worker: int, taken: Taken) -> None:
        limits = self._limits
        retry = 0.1
        while True:
            pause = 0.0 if self._draining else min(limits.first_pause * 2**taken.attempts, limits.longest_pause)
            try:
                settled = await self._queue.settle(worker, taken, pause)
            except StoreUnavailable as error:
                _log.warning("store_unavailable", doing="settle", detail=str(error))
                await self._clock.sleep(retry)
                retry = min(retry * 2, 5.0)
                continue
            match settled:
                case Settled.ENDED:
                    return
                case Settled.AGAIN:
                    _log.info("questions_left", conversation=taken.conversation, again_in=pause)
                    return
                case Settled.LOST:
                    _log.error("job_taken_away", worker=worker, conversation=taken.conversation)
                    self._fenced()
                    return
                case _:
                    assert_never(settled)

    async def _pass_on_nudges(self) -> None:
        while True:
            waiting = {await self._nudges.get()}
            while not self._nudges.empty():
                waiting.add(self._nudges.get_nowait())
            while waiting:
                try:
                    await self._queue.nudge(waiting)
                except StoreUnavailable as error:
                    _log.warning("store_unavailable", doing="nudge", detail=str(error))
                    await self._clock.sleep(self._limits.poll)
                else:
                    waiting.clear()

    def _poke(self) -> None:
        self._poked.set()

    def _look_at(self, conversation: ConversationId) -> None:
        if self._workload.has(conversation):
            self._looks.ask(conversation)

    def _expect_anything(self) -> None:
        """While nobody listened, jobs and nudges may have come."""
        self._poke()
        for doing in self._workload.jobs.values():
            self._looks.ask(doing.taken.conversation)
