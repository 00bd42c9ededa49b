"""A bridge process without platforms and backends: it takes conversations from the queue and "answers" through the real store.

A question's text says how many seconds its answer takes. What happens is appended to a journal, one line each.
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bridge import logs
from bridge.clock import SystemClock
from bridge.dispatch.deferring import defer_work
from bridge.dispatch.procrastinate import Limits, ProcrastinateDispatcher, exit_fenced
from bridge.errors import Fenced, StoreUnavailable
from bridge.feedback import aggregate
from bridge.messages import AnswerState, ConversationId, Turn
from bridge.settings import isolated
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from tests.fakes.platform import FAKE

PATIENCE = 60
"""Attempts to record an ending while the database is away."""


class Journal:
    """Lines of processes that may be killed at any moment: each is written at once."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, what: str, **more: object) -> None:
        line = json.dumps({"at": time.time(), "pid": os.getpid(), "what": what, **more})
        os.write(self._file, f"{line}\n".encode())


class Worker:
    def __init__(self, store: SqlStore, journal: Journal) -> None:
        self._store = store
        self._journal = journal
        self._clock = SystemClock()
        self._closing = False
        self._looked: dict[ConversationId, asyncio.Event] = {}

    def close(self) -> None:
        self._closing = True

    async def drain(self, conversation: ConversationId) -> None:
        epoch: int | None = None
        self._journal.write("drain", conversation=conversation)
        while not self._closing:
            try:
                turn = await self._store.begin_next(conversation, epoch)
                if turn is None:
                    return
                epoch = turn.epoch
                await self._answer(turn)
            except Fenced:
                self._journal.write("fenced", conversation=conversation)
                exit_fenced()
            except StoreUnavailable:
                epoch = None
                await self._clock.sleep(0.1)

    async def look(self, conversation: ConversationId) -> None:
        self._journal.write("look", conversation=conversation)
        if conversation in self._looked:
            self._looked[conversation].set()

    async def _answer(self, turn: Turn) -> None:
        where = {"conversation": turn.conversation_id, "seq": turn.seq}
        self._journal.write("start", state=turn.state.value, text=turn.question.text, **where)
        stop = self._looked[turn.conversation_id] = asyncio.Event()
        try:
            stopped = await self._clock.wait(stop, float(turn.question.text))
        finally:
            del self._looked[turn.conversation_id]
        for attempt in range(PATIENCE):
            try:
                await self._store.finish(turn, AnswerState.STOPPED if stopped else AnswerState.DONE)
            except StoreUnavailable:
                self._journal.write("finish_fails", attempt=attempt, **where)
                await self._clock.sleep(0.1)
            else:
                # Only the one owner comes here, so an answer that stands twice would be seen.
                self._journal.write("end", text=turn.question.text, **where)
                return


async def work(settings: Settings, journal: Journal, grace: float, limits: Limits) -> None:
    clock = SystemClock()
    store = await open_store(settings, clock, aggregate, defer_work)
    worker = Worker(store, journal)
    dispatcher = ProcrastinateDispatcher(settings, worker.drain, worker.look, clock, platforms=[FAKE], limits=limits)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    running = asyncio.create_task(dispatcher.run())
    journal.write("up")
    await asyncio.wait({running, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    worker.close()
    finished = await dispatcher.drain(timedelta(seconds=grace))
    journal.write("drained", finished=finished)
    running.cancel()
    await asyncio.wait({running})
    await store.close()
    journal.write("gone")
    if not running.cancelled():
        running.result()


def live(database: dict[str, object], folder: Path, grace: float, limits: Mapping[str, float]) -> None:
    """The whole life of a process."""
    errors = os.open(folder / "stderr", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(errors, sys.stderr.fileno())
    logs.configure("INFO", "json")
    settings = isolated(Settings, **database)
    chosen = replace(Limits(), sweep_every=limits.get("sweep_every", 30.0), poll=limits.get("poll", 1.0))
    asyncio.run(work(settings, Journal(folder / "journal"), grace, chosen))
