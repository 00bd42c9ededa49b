"""The queue: who is given which job, who may end it, and who hears that a conversation is free again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest

from bridge.clock import SystemClock
from bridge.dispatch.deferring import defer_work
from bridge.dispatch.jobs import JobQueue, Settled, Taken
from bridge.dispatch.listening import Ear
from bridge.feedback import aggregate
from bridge.messages import AnswerState, ConversationId, PlatformName
from bridge.settings import isolated
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from tests.contracts.store_steps import accept, new
from tests.fakes.platform import FAKE
from tests.storage.postgres_server import migrated_template, migrated_url

__all__ = ["migrated_template", "migrated_url"]


class Place:
    """A store, and two processes that share its queue."""

    def __init__(self, url: str, store: SqlStore, queue: JobQueue, first: int, second: int) -> None:
        self.url = url
        self.store = store
        self.queue = queue
        self.first = first
        self.second = second

    async def ask(self, number: int, thread: str = "1") -> ConversationId:
        return (await accept(self.store, new(number, thread=thread))).conversation_id

    async def answer(self, conversation: ConversationId) -> None:
        turn = await self.store.begin_next(conversation, None)
        assert turn is not None
        await self.store.finish(turn, AnswerState.DONE)

    async def take(self, worker: int) -> Taken:
        taken = await self.queue.take(worker)
        assert taken is not None
        return taken

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            done = connection.execute(statement.encode())
            return done.fetchall() if done.description else []


@asynccontextmanager
async def opened(url: str, *platforms: str) -> AsyncIterator[JobQueue]:
    queue = JobQueue(isolated(Settings, database_url=url), [PlatformName(name) for name in platforms or [FAKE]])
    await queue.open()
    try:
        yield queue
    finally:
        await queue.close()


@pytest.fixture
async def place(migrated_url: str) -> AsyncIterator[Place]:
    store = await open_store(isolated(Settings, database_url=migrated_url), SystemClock(), aggregate, defer_work)
    async with opened(migrated_url) as queue:
        yield Place(migrated_url, store, queue, await queue.join(), await queue.join())
    await store.close()


@asynccontextmanager
async def listening(place: Place) -> AsyncIterator[asyncio.Queue[str]]:
    """What a process hears."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    settings = isolated(Settings, database_url=place.url)
    ear = Ear(
        settings,
        [FAKE],
        SystemClock(),
        on_job=lambda: heard.put_nowait("job"),
        on_nudge=lambda conversation: heard.put_nowait(f"nudge {conversation}"),
        on_gap=lambda: heard.put_nowait("gap"),
    )
    task = asyncio.create_task(ear.run(place.second))
    try:
        assert await hear(heard) == "gap"
        yield heard
    finally:
        task.cancel()
        await asyncio.wait({task})


async def hear(heard: asyncio.Queue[str], within: float = 5.0) -> str:
    async with asyncio.timeout(within):
        return await heard.get()


async def test_a_job_is_committed_with_its_question_and_once(place: Place) -> None:
    conversation = await place.ask(1)
    assert await place.store.accept(new(1)) is None
    taken = await place.take(place.first)
    assert (taken.conversation, taken.attempts) == (conversation, 0)
    assert await place.queue.take(place.first) is None


async def test_a_conversation_is_given_to_one_process_at_a_time(place: Place) -> None:
    busy = await place.ask(1)
    await place.ask(2)
    free = await place.ask(3, thread="2")
    assert (await place.take(place.first)).conversation == busy
    assert (await place.take(place.second)).conversation == free
    assert await place.queue.take(place.second) is None


async def test_jobs_of_other_platforms_are_left_alone(place: Place) -> None:
    await place.ask(1)
    async with opened(place.url, "slack") as other:
        assert await other.take(place.second) is None
    assert await place.queue.take(place.first) is not None


Freeing = Callable[[Place, Taken], object]


async def test_the_next_job_of_a_conversation_is_told_when_the_first_ends(place: Place) -> None:
    conversation = await place.ask(1)
    first = await place.take(place.first)
    await place.ask(2)
    await place.answer(conversation)
    await place.answer(conversation)
    async with listening(place) as heard:
        assert heard.empty()
        began = time.monotonic()
        assert await place.queue.settle(place.first, first, 0) is Settled.ENDED
        assert await hear(heard) == "job"
        assert await place.queue.take(place.second) is not None
        assert time.monotonic() - began < 0.2


async def test_a_job_that_is_put_back_is_told(place: Place) -> None:
    await place.ask(1)
    taken = await place.take(place.first)
    async with listening(place) as heard:
        began = time.monotonic()
        await place.queue.put_back(place.first, None)
        assert await hear(heard) == "job"
        again = await place.take(place.second)
        assert time.monotonic() - began < 0.2
        assert again == taken, "it was not its fault"
