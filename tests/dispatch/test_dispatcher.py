"""One process of several: what it does with what the queue gives it, and when it gives itself up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import psycopg
import pytest

from bridge.clock import SystemClock
from bridge.dispatch.deferring import defer_work
from bridge.dispatch.procrastinate import Limits, ProcrastinateDispatcher
from bridge.feedback import aggregate
from bridge.messages import AnswerState, ConversationId
from bridge.settings import isolated
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from tests.contracts.store_steps import accept, new
from tests.fakes.platform import FAKE
from tests.storage.postgres_server import migrated_template, migrated_url, server

__all__ = ["migrated_template", "migrated_url"]

PATIENCE = 10.0


class Process:
    """A dispatcher whose drain answers when it is let, and which notes that it would end instead of ending."""

    def __init__(self, url: str, store: SqlStore, limits: Limits | None = None) -> None:
        self.url = url
        self.store = store
        self.drained: list[ConversationId] = []
        self.looks: list[ConversationId] = []
        self.answers = asyncio.Event()
        """Set: questions are answered at once."""
        self.gives_up = False
        """The drain returns with its work undone."""
        self.fenced = asyncio.Event()
        self.dispatcher = ProcrastinateDispatcher(
            isolated(Settings, database_url=url, database_heartbeat=0.2, database_stalled=1),
            self.drain,
            self.look,
            SystemClock(),
            platforms=[FAKE],
            fenced=self.fenced.set,
            limits=limits,
        )

    async def drain(self, conversation: ConversationId) -> None:
        self.drained.append(conversation)
        await self.answers.wait()
        while not self.gives_up and (turn := await self.store.begin_next(conversation, None)) is not None:
            await self.store.finish(turn, AnswerState.DONE)

    async def look(self, conversation: ConversationId) -> None:
        self.looks.append(conversation)

    async def ask(self, number: int = 1, thread: str = "1") -> ConversationId:
        return (await accept(self.store, new(number, thread=thread))).conversation_id

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []

    async def until(self, query: str) -> None:
        """Until a query says true."""
        clock = SystemClock()
        deadline = clock.monotonic() + PATIENCE
        while self.sql(query) != [(True,)]:
            assert clock.monotonic() < deadline, query
            await clock.sleep(0.02)

    async def until_drained(self, times: int) -> None:
        clock = SystemClock()
        deadline = clock.monotonic() + PATIENCE
        while len(self.drained) < times:
            assert clock.monotonic() < deadline, f"drained {self.drained}"
            await clock.sleep(0.02)


@pytest.fixture
async def store(migrated_url: str) -> AsyncIterator[SqlStore]:
    opened = await open_store(isolated(Settings, database_url=migrated_url), SystemClock(), aggregate, defer_work)
    yield opened
    await opened.close()


@asynccontextmanager
async def running(process: Process) -> AsyncIterator[Process]:
    task = asyncio.create_task(process.dispatcher.run())
    try:
        yield process
    finally:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()


NO_JOBS = "SELECT count(*) = 0 FROM procrastinate_jobs"


async def test_what_waited_before_the_start_is_done_and_its_job_ends(migrated_url: str, store: SqlStore) -> None:
    process = Process(migrated_url, store)
    conversation = await process.ask()
    process.answers.set()
    async with running(process):
        await process.until(NO_JOBS)
    assert process.drained == [conversation]
    assert process.sql("SELECT count(*) FROM procrastinate_workers") == [(0,)], "it has left"


async def test_a_question_that_lost_its_job_is_found_by_the_sweep(migrated_url: str, store: SqlStore) -> None:
    process = Process(migrated_url, store, Limits(sweep_every=0.1))
    process.answers.set()
    for number in range(2):
        conversation = await process.ask(number)
        process.sql("DELETE FROM procrastinate_jobs")
        async with running(process):
            await process.until_drained(number + 1)
            await process.until(NO_JOBS)
    assert process.drained == [conversation, conversation]


async def test_a_question_that_lost_its_job_is_found_when_it_is_woken(migrated_url: str, store: SqlStore) -> None:
    process = Process(migrated_url, store, Limits(sweep_every=1000))
    process.answers.set()
    async with running(process):
        await process.until("SELECT count(*) = 1 FROM procrastinate_workers")
        await process.until(NO_JOBS)
        process.answers.clear()
        held = await process.ask(1, thread="held")
        await process.until_drained(1)
        other = await process.ask(2, thread="other")
        await process.until_drained(2)
        process.sql("DELETE FROM procrastinate_jobs WHERE status = 'todo'")
        process.dispatcher.wake(held)
        process.dispatcher.wake(other)
        await process.until("SELECT count(*) = 2 FROM procrastinate_jobs")
        process.answers.set()
        await process.until(NO_JOBS)
    assert process.drained == [held, other], "what is being done needs no second job"


async def test_a_job_is_kept_while_its_question_cannot_be_answered(migrated_url: str, store: SqlStore) -> None:
    process = Process(migrated_url, store, Limits(first_pause=0.05, longest_pause=0.1, poll=0.05))
    process.gives_up = True
    process.answers.set()
    await process.ask()
    async with running(process):
        await process.until_drained(4)
        assert process.sql("SELECT count(*) = 1 FROM procrastinate_jobs") == [(True,)]
        process.gives_up = False
        await process.until(NO_JOBS)


async def test_a_nudge_is_looked_at_where_the_conversation_is_worked_on(migrated_url: str, store: SqlStore) -> None:
    owner, other = Process(migrated_url, store), Process(migrated_url, store)
    conversation = await owner.ask()
    async with running(owner):
        await owner.until_drained(1)
        async with running(other):
            await owner.until("SELECT count(*) = 2 FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'")
            before = len(owner.looks)
            other.dispatcher.nudge(conversation)
            other.dispatcher.nudge(ConversationId(conversation + 1))
            clock = SystemClock()
            deadline = clock.monotonic() + PATIENCE
            while len(owner.looks) == before:
                assert clock.monotonic() < deadline
                await clock.sleep(0.01)
        owner.answers.set()
        await owner.until(NO_JOBS)
    assert set(owner.looks) == {conversation}
    assert other.looks == []


async def test_after_a_gap_everything_that_runs_is_looked_at(migrated_url: str, store: SqlStore) -> None:
    process = Process(migrated_url, store)
    conversation = await process.ask()
    async with running(process):
        await process.until_drained(1)
        await process.until("SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'")
        before = len(process.looks)
        process.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%listener'")
        clock = SystemClock()
        deadline = clock.monotonic() + PATIENCE
        while len(process.looks) == before:
            assert clock.monotonic() < deadline
            await clock.sleep(0.01)
        process.answers.set()
        await process.until(NO_JOBS)
    assert set(process.looks) == {conversation}


async def test_a_process_whose_job_was_given_to_another_gives_itself_up(migrated_url: str, store: SqlStore) -> None:
    process = Process(migrated_url, store)
    await process.ask()
    async with running(process):
        await process.until_drained(1)
        assert not process.fenced.is_set()
        process.sql("INSERT INTO procrastinate_workers DEFAULT VALUES")
        process.sql("UPDATE procrastinate_jobs SET worker_id = worker_id + 1")
        assert await SystemClock().wait(process.fenced, PATIENCE), "although nothing was written"


async def test_a_process_that_nobody_knows_any_more_gives_itself_up(migrated_url: str, store: SqlStore) -> None:
    process = Process(migrated_url, store)
    async with running(process):
        await process.until("SELECT count(*) = 1 FROM procrastinate_workers")
        process.sql("DELETE FROM procrastinate_workers")
        assert await SystemClock().wait(process.fenced, PATIENCE)


async def test_a_job_that_was_given_in_an_answer_that_never_arrived_is_put_back(
    migrated_url: str, store: SqlStore
) -> None:
    process = Process(migrated_url, store)
    process.answers.set()
    async with running(process):
        await process.until("SELECT count(*) = 1 FROM procrastinate_workers")
        with psycopg.connect(migrated_url) as connection:
            # Nobody sees the question before its job is taken.
            connection.execute(
                "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, status, worker_id)"
                " SELECT %s, 'drain', '0', 'doing', id FROM procrastinate_workers",
                [FAKE],
            )
        await process.until(NO_JOBS)
    assert process.drained == [ConversationId(0)]
    assert not process.fenced.is_set()


async def test_draining_starts_nothing_new_and_waits_for_what_runs(migrated_url: str, store: SqlStore) -> None:
    process = Process(migrated_url, store)
    conversation = await process.ask(1)
    async with running(process):
        await process.until_drained(1)
        await process.ask(2, thread="2")
        await process.until_drained(2)
        assert not await process.dispatcher.drain(timedelta(seconds=0.05))
        await process.ask(3, thread="3")
        process.answers.set()
        assert await process.dispatcher.drain(timedelta(seconds=PATIENCE))
    assert len(process.drained) == 2
    assert process.drained[0] == conversation
    assert process.sql("SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'") == [(1,)]


async def test_it_waits_for_a_database_that_is_away_at_the_start(migrated_url: str, store: SqlStore) -> None:
    process = Process(migrated_url, store)
    await process.ask()
    process.answers.set()
    server().stop()
    try:
        async with running(process):
            await SystemClock().sleep(0.3)
            server().start()
            await process.until(NO_JOBS)
    finally:
        server().stop()
        server().start()
    assert len(process.drained) == 1


async def test_it_ends_whenever_it_is_told(migrated_url: str, store: SqlStore) -> None:
    clock = SystemClock()
    for moment in range(25):
        task = asyncio.create_task(Process(migrated_url, store, Limits(poll=0.001)).dispatcher.run())
        await clock.sleep(moment * 0.01)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=PATIENCE)
        assert done, "the driver has lost the cancellation"
