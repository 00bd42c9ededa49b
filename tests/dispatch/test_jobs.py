"""The queue: who is given which job, who may end it, and who hears that a conversation is free again."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from bridge.clock import SystemClock
from bridge.dispatch.deferring import defer_work
from bridge.dispatch.jobs import JobQueue, Settled, Taken
from bridge.dispatch.listening import Ear
from bridge.feedback import aggregate
from bridge.messages import AnswerState, ConversationId, EventId, PlatformName
from bridge.settings import isolated
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from tests.contracts.store_pauses_suite import LATER, PAUSE, YES
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

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            done = connection.execute(statement.encode(), values)
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


async def test_a_job_that_leaves_a_question_without_any_runs_again_after_a_pause(place: Place) -> None:
    await place.ask(1)
    taken = await place.take(place.first)
    assert await place.queue.settle(place.first, taken, 60) is Settled.AGAIN
    assert await place.queue.take(place.second) is None, "not yet"
    place.sql("UPDATE procrastinate_jobs SET scheduled_at = now()")
    again = await place.take(place.second)
    assert (again.job, again.attempts) == (taken.job, 1)


async def test_a_question_of_the_last_moment_does_not_wait_for_that_pause(place: Place) -> None:
    conversation = await place.ask(1)
    taken = await place.take(place.first)
    await place.answer(conversation)
    await place.ask(2)
    assert await place.queue.settle(place.first, taken, 60) is Settled.ENDED
    assert await place.queue.take(place.second) is not None


async def test_a_process_ends_no_job_that_is_not_its_own(place: Place) -> None:
    conversation = await place.ask(1)
    taken = await place.take(place.first)
    place.sql("UPDATE procrastinate_jobs SET status = 'todo'")
    assert await place.queue.settle(place.first, taken, 0) is Settled.LOST
    assert await place.take(place.second) == taken
    await place.answer(conversation)
    assert await place.queue.settle(place.first, taken, 0) is Settled.LOST
    assert await place.queue.settle(place.second, taken, 0) is Settled.ENDED
    assert await place.queue.settle(place.second, taken, 0) is Settled.ENDED, "when the first answer was lost"


def make_silent(place: Place, worker: int, seconds: float) -> None:
    place.sql(
        "UPDATE procrastinate_workers SET last_heartbeat = now() - %s * interval '1 s' WHERE id = %s", seconds, worker
    )


async def test_jobs_of_the_silent_are_rescued_sooner_when_they_are_not_connected(place: Place) -> None:
    await place.ask(1)
    taken = await place.take(place.second)
    bounds = {"stalled": 0.5, "gone": 0.2}
    await place.queue.beat(place.second)
    assert await place.queue.rescue(stalled=100, gone=50) == []
    async with listening(place):
        make_silent(place, place.second, 0.3)
        assert await place.queue.rescue(**bounds) == [], "its connection stands"
        make_silent(place, place.second, 0.6)
        assert await place.queue.rescue(**bounds) == [taken.job], "frozen"
    assert await place.take(place.second) is not None
    await place.queue.beat(place.second)
    assert await place.queue.rescue(**bounds) == []
    make_silent(place, place.second, 0.3)
    rescued = await asyncio.gather(*(place.queue.rescue(**bounds) for _ in range(5)))
    assert [jobs for jobs in rescued if jobs] == [[taken.job]], "gone; and by one only"


async def test_right_after_a_start_of_the_server_nobody_is_taken_for_dead(place: Place) -> None:
    await place.ask(1)
    await place.take(place.second)
    make_silent(place, place.second, 86_400)
    assert await place.queue.rescue(stalled=86_000, gone=1) == []


async def test_what_is_rescued_again_and_again_comes_later_and_later(place: Place) -> None:
    await place.ask(1)
    await place.take(place.second)
    place.sql("UPDATE procrastinate_jobs SET attempts = 8")
    make_silent(place, place.second, 10)
    await place.queue.rescue(stalled=0.5, gone=0.2)
    assert place.sql("SELECT scheduled_at - now() > interval '25 s' FROM procrastinate_jobs") == [(True,)]


async def test_a_process_is_told_what_it_is_said_to_do(place: Place) -> None:
    await place.ask(1)
    taken = await place.take(place.first)
    assert await place.queue.beat(place.first) == frozenset({taken.job})
    assert await place.queue.beat(place.second) == frozenset()
    await place.queue.leave(place.first)
    assert await place.queue.beat(place.first) is None
    assert await place.take(place.second) == taken


async def test_questions_without_a_job_get_one(place: Place) -> None:
    lost, kept, done = [await place.ask(number, thread=str(number)) for number in (1, 2, 3)]
    await place.answer(done)
    place.sql("DELETE FROM procrastinate_jobs WHERE lock IN (%s, %s)", str(lost), str(done))
    assert await place.queue.revive([kept, done]) == 0
    async with opened(place.url, "slack") as other:
        assert await other.revive(None) == 0
    assert await place.queue.revive(None) == 1
    assert await place.queue.revive(None) == 0
    assert {(await place.take(place.first)).conversation for _ in range(2)} == {lost, kept}


async def test_a_nudge_reaches_every_process_and_a_broken_connection_is_made_anew(place: Place) -> None:
    async with listening(place) as heard:
        await place.queue.nudge([ConversationId(7)])
        assert await hear(heard) == "nudge 7"
        place.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%%listener'")
        assert await hear(heard) == "gap", "whatever was said meanwhile is lost"
        await place.queue.nudge([ConversationId(8)])
        assert await hear(heard) == "nudge 8"


async def test_what_is_of_no_use_for_an_hour_is_dropped(place: Place) -> None:
    make_silent(place, place.first, 4_000)
    place.sql("INSERT INTO rate_slot VALUES ('old', now() - interval '2 hours'), ('new', now())")
    await place.queue.tidy()
    assert place.sql("SELECT id FROM procrastinate_workers") == [(place.second,)]
    assert place.sql("SELECT key FROM rate_slot") == [("new",)]


async def test_a_conversation_that_waits_for_people_has_no_job_until_somebody_answers(place: Place) -> None:
    conversation = await place.ask(1)
    taken = await place.take(place.first)
    turn = await place.store.begin_next(conversation, None)
    assert turn is not None
    await place.store.record_asked(turn, 1)
    kept = await place.store.record_paused(turn, PAUSE)
    assert await place.store.rest(turn, kept, look_at=LATER, remind_at=None)
    assert await place.queue.settle(place.first, taken, 0) is Settled.ENDED
    assert await place.queue.revive(None) == 0
    gave = await place.store.give(EventId("g"), turn.answer_id, 1, YES)
    assert gave.conversation == conversation
    assert (await place.take(place.second)).conversation == conversation


async def test_a_stop_makes_a_job_for_an_answer_that_waits_for_people(place: Place) -> None:
    conversation = await place.ask(1)
    taken = await place.take(place.first)
    turn = await place.store.begin_next(conversation, None)
    assert turn is not None
    await place.store.record_asked(turn, 1)
    assert await place.store.rest(turn, await place.store.record_paused(turn, PAUSE), look_at=LATER, remind_at=None)
    await place.queue.settle(place.first, taken, 0)
    await place.store.request_stop(EventId("s"), conversation)
    assert (await place.take(place.second)).conversation == conversation
