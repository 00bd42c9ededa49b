"""Several real processes on one PostgreSQL, and what their journal says afterwards."""

import json
import multiprocessing
import os
import signal
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

import psycopg

from bridge.clock import SystemClock
from bridge.dispatch.deferring import defer_work
from bridge.feedback import aggregate
from bridge.messages import ConversationId
from bridge.settings import isolated
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from tests.contracts.store_steps import accept, new
from tests.dispatch.worker import live

PATIENCE = 30.0

NURSERY = multiprocessing.get_context("forkserver")
"""Importing takes longer than everything that is tested; so it is done once, and each process is forked from there."""
NURSERY.set_forkserver_preload(["tests.dispatch.worker"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    at: float
    pid: int
    what: str
    conversation: int = 0
    seq: int = 0
    text: str = ""
    state: str = ""
    finished: bool = False
    attempt: int = 0


async def eventually(condition: Callable[[], bool], what: str, within: float = PATIENCE) -> None:
    clock = SystemClock()
    deadline = clock.monotonic() + within
    while not condition():
        assert clock.monotonic() < deadline, f"not within {within} s: {what}"
        await clock.sleep(0.02)


class Crew:
    def __init__(self, url: str, folder: Path, store: SqlStore, *, heartbeat: float, stalled: float) -> None:
        self.url = url
        self.store = store
        self.members: list[BaseProcess] = []
        self._folder = folder
        self._journal = folder / "journal"
        self._database = {"database_url": url, "database_heartbeat": heartbeat, "database_stalled": stalled}
        self._asked = 0

    def hire(self, *, grace: float = 10.0, **limits: float) -> None:
        member = NURSERY.Process(target=live, args=(self._database, self._folder, grace, limits))
        member.start()
        self.members.append(member)

    def member(self, pid: int) -> BaseProcess:
        return next(member for member in self.members if member.pid == pid)

    def send(self, pid: int, number: signal.Signals) -> None:
        os.kill(pid, number)

    async def all_up(self) -> None:
        """Every process listens: its presence is known to the server."""
        alive = [member for member in self.members if member.exitcode is None]
        await eventually(lambda: self.listeners() >= len(alive), "every process listens")

    def listeners(self) -> int:
        query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'"
        [[count]] = self.ask(query)
        return int(str(count))

    def ask(self, query: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    async def question(self, thread: str, seconds: float) -> ConversationId:
        self._asked += 1
        return (await accept(self.store, new(self._asked, thread=thread, text=str(seconds)))).conversation_id

    def lines(self, what: str = "") -> list[Line]:
        if not self._journal.exists():
            return []
        # The last line may be half written.
        whole = self._journal.read_text().rpartition("\n")[0].splitlines()
        found = [Line(**json.loads(line)) for line in whole]
        return [line for line in found if not what or line.what == what]

    def count(self, what: str) -> int:
        return len(self.lines(what))

    def errors(self) -> str:
        return (self._folder / "stderr").read_text()

    def open_jobs(self) -> int:
        [[count]] = self.ask("SELECT count(*) FROM procrastinate_jobs")
        return int(str(count))

    async def all_answered(self, within: float = PATIENCE) -> None:
        await eventually(lambda: self.answered() == self._asked, f"{self._asked} answers", within)

    def answered(self) -> int:
        # The journal alone would miss what was recorded just before its process was killed.
        [[count]] = self.ask("SELECT count(*) FROM answer WHERE state IN ('done', 'stopped')")
        return int(str(count))

    def require_once_and_in_order(self) -> None:
        """Every question answered, none twice, in each conversation one after the other."""
        ends: dict[int, list[int]] = defaultdict(list)
        for line in self.lines("end"):
            ends[line.conversation].append(line.seq)
        assert all(order == sorted(set(order)) for order in ends.values()), f"twice, or out of order: {ends}"
        assert self.answered() == self._asked, "answered twice, or not at all"
        assert self.ask("SELECT id FROM conversation WHERE head < tail OR active_answer_id IS NOT NULL") == []
        assert self.ask("SELECT seq FROM answer WHERE state NOT IN ('done', 'stopped')") == []

    def end(self) -> None:
        for member in self.members:
            member.kill()  # also when it is frozen
            member.join()
            member.close()


@asynccontextmanager
async def crew(
    url: str, folder: Path, size: int, *, heartbeat: float = 0.4, stalled: float = 2.0, **limits: float
) -> AsyncIterator[Crew]:
    """So many processes, all listening."""
    settings = isolated(Settings, database_url=url)
    store = await open_store(settings, SystemClock(), aggregate, defer_work)
    made = Crew(url, folder, store, heartbeat=heartbeat, stalled=stalled)
    try:
        for _ in range(size):
            made.hire(**limits)
        await made.all_up()
        yield made
    finally:
        made.end()
        await store.close()


def gaps(lines: Sequence[Line]) -> list[float]:
    """Seconds between the end of each answer and the beginning of the next one in its conversation."""
    ended: dict[int, float] = {}
    found = []
    for line in sorted(lines, key=lambda line: line.at):
        if line.what == "end":
            ended[line.conversation] = line.at
        elif line.what == "start" and line.conversation in ended:
            found.append(line.at - ended[line.conversation])
    return found
