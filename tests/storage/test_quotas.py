"""What is counted against a quota, as time goes by and with several processes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.feedback import aggregate
from bridge.messages import ConversationId, EventId, PersonId, Rating
from bridge.quotas import Quota, Quotas
from bridge.settings import isolated
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from bridge.storage.tables import metadata
from bridge.store import Accepted, Again, Limited
from tests.contracts.store_quotas_suite import asked
from tests.contracts.store_steps import IDS, answered, begin, vote
from tests.fakes import values
from tests.fakes.clock import FakeClock
from tests.storage.postgres_server import migrated, server

TWO = Quota(most=2, window=timedelta(minutes=10))
BOTH = Quotas(per_person=TWO, per_channel=Quota(most=3, window=timedelta(minutes=10)))


@pytest.fixture(scope="module")
def shared_url() -> Iterator[str]:
    made = server().create(migrated())
    yield made
    server().drop(made)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", "postgresql"])
async def stores(
    request: pytest.FixtureRequest, tmp_path: Path, shared_url: str, clock: FakeClock
) -> AsyncIterator[list[SqlStore]]:
    """As many processes' stores as there may be, on an empty database."""
    shared = request.param == "postgresql"
    settings = isolated(Settings, database_url=shared_url if shared else f"sqlite:///{tmp_path}/bridge.db")
    if not shared:
        await migrate(settings)
    async with AsyncExitStack() as stack:
        opened = [await open_store(settings, clock, aggregate) for _ in range(3 if shared else 1)]
        for one in opened:
            stack.push_async_callback(one.close)
        if shared:
            async with opened[0].writing() as connection:
                await connection.exec_driver_sql(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE")
        yield opened


async def test_a_question_counts_until_its_while_is_over(stores: list[SqlStore], clock: FakeClock) -> None:
    store, mine = stores[-1], Quotas(per_person=TWO)
    first = clock.now()
    assert isinstance(await stores[0].accept(asked(1, mine)), Accepted)
    await clock.advance(240)
    assert isinstance(await store.accept(asked(2, mine)), Accepted)
    limited = await store.accept(asked(3, mine))
    assert isinstance(limited, Limited)
    assert limited.until == first + TWO.window
    both = await store.accept(asked(33, Quotas(per_person=TWO, per_channel=Quota(most=1, window=TWO.window))))
    assert isinstance(both, Limited)
    assert (both.of_channel, both.until) == (True, first + timedelta(seconds=240) + TWO.window), "the later one"
    await clock.advance(359)
    assert isinstance(await store.accept(asked(4, mine)), Limited)
    await clock.advance(1)
    assert isinstance(await store.accept(asked(5, mine)), Accepted)
    assert isinstance(await store.accept(asked(6, mine)), Limited)


async def test_questions_at_once_in_several_processes_are_counted_exactly(stores: list[SqlStore]) -> None:
    for round_number in range(5):
        questions = [
            asked(10 * round_number + number, BOTH, who=f"{'ab'[number % 2]}{round_number}", channel=f"c{round_number}")
            for number in range(9)
        ]
        results = await asyncio.gather(
            *(stores[number % len(stores)].accept(question) for number, question in enumerate(questions))
        )
        assert sum(isinstance(result, Accepted) for result in results) == 3
        assert sum(isinstance(result, Limited) for result in results) == 6


async def test_votes_that_cross_with_a_further_answer_are_counted_for_one_of_both(stores: list[SqlStore]) -> None:
    for number in range(8):
        turn = await answered(stores[0], number, f"a{number}")
        await stores[0].record_vote(vote(f"a{number}", who="ada"), aggregate)
        await stores[0].rating_sent(turn.answer_id, Rating.LIKE)
        await stores[0].retry(EventId(f"r{number}"), values.ref(f"a{number}"), Again(by=PersonId("ada")))
        begun, *_ = await asyncio.gather(
            begin(stores[0], turn.conversation_id),
            *(
                stores[at % len(stores)].record_vote(vote(f"a{number}", Rating.DISLIKE, who=who, revision=2), aggregate)
                for at, who in enumerate(("ada", "grace", "linus"))
            ),
        )
        await stores[0].record_started(begun, IDS)
        due = {one.answer_id: one.dislikes for one in await stores[0].due_ratings(values.THEN, 10)}
        assert set(due) <= {turn.answer_id, begun.answer_id}
        assert sum(due.values()) >= 3
        for answer in due:
            await stores[0].rating_sent(answer, Rating.DISLIKE)


async def test_a_conversation_that_is_gone_has_no_title(stores: list[SqlStore]) -> None:
    assert not await stores[0].claim_title(ConversationId(77))
