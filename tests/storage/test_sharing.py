"""What holds when several processes work on one record, and what is committed together."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.clock import SystemClock
from bridge.errors import Fenced, StoreUnavailable
from bridge.feedback import aggregate
from bridge.messages import AnswerState, ConversationId, EventId, PartRole, PersonId
from bridge.quotas import Quota, Quotas
from bridge.settings import isolated
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings
from bridge.storage.store import OnWork, SqlStore, open_store
from bridge.storage.tables import metadata
from bridge.store import Accepted, Again, Full, RetryResult, StopResult, Touched
from tests.contracts.store_steps import accept, answered, ask, begin, edited, ids, new, outcome, post, retried, vote
from tests.fakes import values
from tests.fakes.platform import FAKE
from tests.storage.postgres_server import migrated, server

QUOTAS = Quotas(
    per_person=Quota(most=1000, window=timedelta(days=1)), per_channel=Quota(most=1000, window=timedelta(days=1))
)
Open = Callable[[OnWork | None], Awaitable[SqlStore]]


@pytest.fixture(scope="module")
def shared_url() -> Iterator[str]:
    made = server().create(migrated())
    yield made
    server().drop(made)


@pytest.fixture
async def stores(shared_url: str) -> AsyncIterator[list[SqlStore]]:
    """Three processes' stores, on an empty database."""
    settings = isolated(Settings, database_url=shared_url)
    async with AsyncExitStack() as stack:
        opened = [await open_store(settings, SystemClock(), aggregate) for _ in range(3)]
        for one in opened:
            stack.push_async_callback(one.close)
        async with opened[0]._database.writer.begin() as connection:
            await connection.exec_driver_sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE")
        yield opened


async def test_one_delivery_to_each_process_is_one_question(stores: list[SqlStore]) -> None:
    for number in range(10):
        results = await asyncio.gather(*(store.accept(new(number, event=f"e{number}")) for store in stores))
        assert sum(result is not None for result in results) == 1
    assert (await accept(stores[0], new(99))).seq == 11


async def test_a_full_queue_is_claimed_once_whoever_hears_of_it(stores: list[SqlStore]) -> None:
    await accept(stores[0], new(1))
    for number in range(2, 8):
        results = await asyncio.gather(*(store.accept(new(number, most_waiting=0)) for store in stores))
        assert sorted(map(type, results), key=str) == sorted([Full, type(None), type(None)], key=str)


async def test_questions_of_one_thread_have_one_order_whoever_takes_them_in(stores: list[SqlStore]) -> None:
    results = await asyncio.gather(*(accept(stores[number % 3], new(number)) for number in range(30)))
    assert sorted(result.seq for result in results) == list(range(1, 31))


async def test_of_owners_that_begin_at_once_all_but_the_last_are_fenced(stores: list[SqlStore]) -> None:
    conversation = (await accept(stores[0], new(1))).conversation_id
    turns = await asyncio.gather(*(begin(store, conversation) for store in stores))
    assert {turn.answer_id for turn in turns} == {turns[0].answer_id}
    ended = await asyncio.gather(
        *(store.finish(turn, AnswerState.DONE) for store, turn in zip(stores, turns, strict=True)),
        return_exceptions=True,
    )
    assert sum(isinstance(error, Fenced) for error in ended) == 2
    assert await stores[0].begin_next(conversation, None) is None


async def test_a_stop_and_an_end_that_cross_are_told_apart(stores: list[SqlStore]) -> None:
    for number in range(10):
        turn = await ask(stores[0], number, thread=str(number))
        _, stopped = await asyncio.gather(
            stores[0].record_outcome(turn, outcome()),
            stores[1].request_stop(EventId(f"s{number}"), turn.conversation_id),
        )
        noticed = (await begin(stores[2], turn.conversation_id)).stop is not None
        assert noticed is (stopped is StopResult.STOPPING), "recorded if and only if it was told so"


async def test_an_edit_and_the_asking_that_cross_leave_no_gap(stores: list[SqlStore]) -> None:
    for number in range(10):
        turn = await begin(stores[0], (await accept(stores[0], new(number, thread=str(number)))).conversation_id)
        asked, change = await asyncio.gather(
            stores[0].record_asked(turn, 1),
            stores[1].revise(EventId(f"x{number}"), edited(number, "How?"), 1, running=True),
        )
        assert change.touched is Touched.RUNNING
        ordered = (await stores[0].orders(turn)).question
        assert (asked.text == "How?") is (ordered is None), "it was asked as it reads now, or it is to be asked again"


async def test_an_edit_and_the_beginning_that_cross_lose_nothing(stores: list[SqlStore]) -> None:
    for number in range(10):
        conversation = (await accept(stores[0], new(number, thread=str(number)))).conversation_id
        turn, change = await asyncio.gather(
            begin(stores[0], conversation),
            stores[1].revise(EventId(f"x{number}"), edited(number, "How?"), 1, running=False),
        )
        read = (await stores[0].record_asked(turn, 1)).text
        assert (read == "How?") is (change.touched is Touched.WAITING)


async def test_a_deletion_and_the_beginning_that_cross_pass_it_over_or_stop_it(stores: list[SqlStore]) -> None:
    for number in range(10):
        conversation = (await accept(stores[0], new(number, thread=str(number)))).conversation_id
        turn, change = await asyncio.gather(
            stores[0].begin_next(conversation, None),
            stores[1].withdraw(EventId(f"d{number}"), values.ref(f"q{number}")),
        )
        if turn is None:
            assert change.touched is Touched.WAITING
        else:
            assert change.touched is Touched.RUNNING
            assert (await stores[0].orders(turn)).stop is not None


async def test_an_answer_is_retried_once_whoever_is_asked(stores: list[SqlStore]) -> None:
    for number in range(6):
        turn = await answered(stores[0], number, f"a{number}", state=AnswerState.FAILED)
        results = await asyncio.gather(
            *(store.retry(EventId(f"{number} {at}"), values.ref(f"a{number}")) for at, store in enumerate(stores))
        )
        assert sorted(one.result for one in results) == [
            RetryResult.ACCEPTED,
            RetryResult.DUPLICATE,
            RetryResult.DUPLICATE,
        ]
        again = await begin(stores[0], turn.conversation_id)
        await stores[0].finish(again, AnswerState.DONE)
        assert await stores[0].begin_next(turn.conversation_id, None) is None


async def test_votes_and_the_recording_of_their_message_cross_between_processes(stores: list[SqlStore]) -> None:
    for number in range(12):
        turn = await ask(stores[0], number, thread=str(number))
        await stores[0].record_started(turn, ids(f"m{number}"))
        await asyncio.gather(
            post(stores[0], turn, f"a{number}"),
            *(store.record_vote(vote(f"a{number}", who=str(at)), aggregate) for at, store in enumerate(stores)),
        )
    due = await stores[0].due_ratings(values.THEN, 50)
    assert [one.likes for one in due] == [3] * 12


async def test_votes_on_two_messages_of_one_answer_count_whoever_hears_of_them(stores: list[SqlStore]) -> None:
    for number in range(12):
        turn = await answered(stores[0], number, f"a{number}")
        await post(stores[0], turn, f"b{number}", part=1)
        await asyncio.gather(
            *(stores[at].record_vote(vote(f"{of}{number}", who=of), aggregate) for at, of in enumerate("ab", 1))
        )
    assert [one.likes for one in await stores[0].due_ratings(values.THEN, 50)] == [2] * 12


async def test_everything_at_once_on_one_conversation_ends_in_no_deadlock(stores: list[SqlStore]) -> None:
    turn = await answered(stores[0], 0, "a0", thread="1", state=AnswerState.FAILED)
    for number in range(1, 6):
        await accept(stores[0], new(number))
        await asyncio.gather(
            accept(stores[1], replace(new(100 + number), quotas=QUOTAS)),
            begin(stores[0], turn.conversation_id),
            stores[1].revise(EventId(f"x{number}"), edited(number, f"How {number}?"), number, running=True),
            stores[2].withdraw(EventId(f"d{number}"), values.ref(f"q{100 + number - 1}")),
            stores[0].request_stop(EventId(f"s{number}"), turn.conversation_id),
            stores[1].retry(EventId(f"r{number}"), values.ref("a0")),
            stores[0].retry(EventId(f"g{number}"), values.ref("a0"), Again(by=PersonId("ada"), quotas=QUOTAS)),
            stores[2].record_vote(vote("a0", who=str(number)), aggregate),
            stores[2].blank_payloads(values.THEN),
        )


async def test_a_deadlock_is_a_store_that_is_away_for_a_moment(stores: list[SqlStore]) -> None:
    first = await ask(stores[0], 1, thread="1")
    second = await ask(stores[0], 2, thread="2")
    both_hold_one = asyncio.Barrier(2)

    async def take(store: SqlStore, one: ConversationId, other: ConversationId) -> None:
        async with store.writing() as connection:
            lock = text("UPDATE conversation SET epoch = epoch WHERE id = :id")
            await connection.execute(lock, {"id": one})
            await both_hold_one.wait()
            await connection.execute(lock, {"id": other})

    at = first.conversation_id, second.conversation_id
    results = await asyncio.gather(take(stores[0], *at), take(stores[1], *at[::-1]), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["NoneType", "StoreUnavailable"]


# What is committed together


@pytest.fixture(params=["sqlite", "postgresql"])
async def opening(request: pytest.FixtureRequest, tmp_path: Path, shared_url: str) -> AsyncIterator[Open]:
    url = f"sqlite:///{tmp_path}/bridge.db" if request.param == "sqlite" else shared_url
    settings = isolated(Settings, database_url=url)
    await migrate(settings)
    async with AsyncExitStack() as stack:

        async def open_one(on_work: OnWork | None) -> SqlStore:
            store = await open_store(settings, SystemClock(), aggregate, on_work)
            stack.push_async_callback(store.close)
            async with store._database.writer.begin() as connection:
                for table in reversed(metadata.sorted_tables):
                    await connection.execute(table.delete())
            return store

        yield open_one


async def test_new_work_is_told_within_its_transaction_and_only_new_work(opening: Open) -> None:
    told: list[tuple[ConversationId, int]] = []

    async def on_work(connection: AsyncConnection, conversation: ConversationId) -> None:
        waits = await connection.scalar(
            text("SELECT tail - head FROM conversation WHERE id = :id"), {"id": conversation}
        )
        told.append((conversation, int(waits or 0)))

    store = await opening(on_work)
    turn = await answered(store, 1, "a1", thread="1", state=AnswerState.FAILED)
    await accept(store, new(2))
    await retried(store, "a1")
    at = turn.conversation_id
    assert told == [(at, 1), (at, 1), (at, 2)]
    assert await store.accept(new(2)) is None
    assert isinstance(await store.accept(new(3, most_waiting=0)), Full)
    assert (await store.retry(EventId("once more"), values.ref("a1"))).result is RetryResult.DUPLICATE
    await store.withdraw(EventId("d"), values.ref("q2"))
    assert len(told) == 3


async def test_what_cannot_be_told_is_not_accepted(opening: Open) -> None:
    away = False

    async def on_work(_connection: AsyncConnection, _conversation: ConversationId) -> None:
        if away:
            raise StoreUnavailable("the queue is away")

    store = await opening(on_work)
    await answered(store, 1, "a1", thread="1", state=AnswerState.STOPPED)
    away = True
    with pytest.raises(StoreUnavailable):
        await store.accept(new(2))
    with pytest.raises(StoreUnavailable):
        await store.retry(EventId("again"), values.ref("a1"))
    assert await store.waiting_conversations([FAKE]) == []
    away = False
    assert isinstance(await store.accept(new(2)), Accepted), "its redelivery is no duplicate"
    await retried(store, "a1")


async def test_a_message_that_stands_in_two_places_is_refused_and_nothing_changes(opening: Open) -> None:
    store = await opening(None)
    await answered(store, 1, "a1")
    turn = await ask(store, 2)
    with pytest.raises(StoreUnavailable):
        await store.record_posted(turn, 0, "another", PartRole.TEXT, values.ref("a1"), "")
    assert (await begin(store, turn.conversation_id)).parts == ()
