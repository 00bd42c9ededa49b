"""What the release at r0003 wrote, works on after the step to the newest revision, on both databases.

`r0003.json` holds its rows: an answer that is done, in a thread that was opened, with a vote that was delivered; a failed one
with a vote that was not; one that was streaming, with another question behind it; and one whose end was settled.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Boolean, Connection, DateTime, MetaData, Table, inspect, text

from bridge.clock import SystemClock
from bridge.feedback import aggregate
from bridge.history_api import PastTurn
from bridge.messages import (
    AnswerState,
    BackendIds,
    ConversationId,
    EventId,
    InstallationId,
    PartRole,
    PersonId,
    Rating,
)
from bridge.settings import isolated
from bridge.storage.engine import migration_connection
from bridge.storage.folder import prepare_folder
from bridge.storage.migrate import current_revision, head_revision, migrate, migrations_folder
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from bridge.store import Again, RetryResult, Usage
from tests.contracts.store_steps import IDS, ask, begin, ids, post, retried, vote
from tests.fakes import values
from tests.fakes.platform import FAKE
from tests.storage.postgres_server import server

DONE, FAILED, STREAMED, SETTLED = (ConversationId(number) for number in (1, 2, 3, 4))
GONE = {"lease", "process"}


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    url = f"sqlite:///{tmp_path}/bridge.db" if request.param == "sqlite" else server().create()
    settings = isolated(Settings, database_url=url)
    prepare_folder(settings)
    move(settings, "r0003")
    with migration_connection(settings) as connection:
        fill(connection)
    yield settings
    if settings.shared:
        server().drop(url)


@pytest.fixture
async def store(settings: Settings) -> AsyncIterator[SqlStore]:
    assert await current_revision(settings) == "r0003"
    assert await migrate(settings) == head_revision()
    opened = await open_store(settings, SystemClock(), aggregate)
    yield opened
    await opened.close()


def move(settings: Settings, revision: str) -> None:
    with migration_connection(settings) as connection:
        config = Config()
        config.set_main_option("script_location", str(migrations_folder()))
        config.attributes["connection"] = connection
        known = inspect(connection).has_table("alembic_version")
        (command.downgrade if known else command.upgrade)(config, revision)


def fill(connection: Connection) -> None:
    content: dict[str, list[dict[str, object]]] = json.loads((Path(__file__).parent / "r0003.json").read_text())
    for name, rows in content.items():
        table = Table(name, MetaData(), autoload_with=connection)
        for row in rows:
            connection.execute(table.insert().values({key: read(table, key, value) for key, value in row.items()}))
        if connection.dialect.name == "postgresql" and "id" in table.c:
            connection.execute(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {len(rows)})"))


def read(table: Table, column: str, value: object) -> object:
    match table.c[column].type:
        case Boolean():
            return bool(value)
        case DateTime():
            return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
    return value


async def test_what_was_left_is_taken_over(store: SqlStore) -> None:
    assert set(await store.waiting_conversations([FAKE])) == {STREAMED, SETTLED}
    turn = await begin(store, STREAMED)
    assert (turn.state, turn.ids, turn.question.in_thread, turn.question.about) == (
        AnswerState.STREAMING,
        ids("m3", "c3"),
        False,
        None,
    )
    assert [(part.nonce, part.role, part.ref) for part in turn.parts] == [("n3", PartRole.TEXT, None)]
    await store.finish(turn, AnswerState.DONE)
    following = await begin(store, STREAMED, turn.epoch)
    [attached] = following.question.attachments
    assert (following.question.text, attached.name, attached.size, attached.address) == (
        "Who waits?",
        "a.pdf",
        None,
        "",
    )
    assert (following.ids.conversation, following.last_seen) == ("c3", "m3")


async def test_an_outcome_that_was_settled_is_read(store: SqlStore) -> None:
    outcome = (await begin(store, SETTLED)).outcome
    assert outcome is not None
    assert (outcome.text, outcome.sources, outcome.suggestions, outcome.files) == ("All.", (), (), ())


async def test_a_conversation_goes_on_where_it_was_and_may_be_begun_afresh(store: SqlStore) -> None:
    turn = await ask(store, 9)
    assert (turn.conversation_id, turn.ids.conversation, turn.target) == (
        DONE,
        IDS.conversation,
        values.target("opened"),
    )
    assert list(await store.recent_turns(turn, 5)) == [PastTurn(question="Why?", answer="Because.")]
    assert not await store.is_muted(DONE)
    assert await store.start_afresh(EventId("reset"), DONE)
    await store.finish(turn, AnswerState.DONE)
    assert (await ask(store, 10)).ids == BackendIds()


async def test_only_what_was_not_delivered_is_due_and_comments_are_news(store: SqlStore) -> None:
    assert [due.rating for due in await store.due_ratings(values.THEN, 5)] == [Rating.DISLIKE]
    await store.record_comment(EventId("c"), values.ref("a1"), PersonId("ada"), "Nice.", 1)
    due = {one.ids.message: (one.rating, one.comments) for one in await store.due_ratings(values.THEN, 5)}
    assert due == {"m2": (Rating.DISLIKE, ()), "m1": (Rating.LIKE, ("Nice.",))}
    await store.record_vote(vote("a1", revision=2), aggregate)


async def test_who_asked_before_is_not_known_but_from_now_on(store: SqlStore) -> None:
    ada = (FAKE, InstallationId("team"), PersonId("ada"))
    assert await store.usage(*ada) == Usage(votes=1)
    turn = await ask(store, 9)
    await post(store, turn, "a9")
    assert await store.usage(*ada) == Usage(questions=1, votes=1)


async def test_a_failed_answer_is_retried(store: SqlStore) -> None:
    await retried(store, "a2")
    turn = await begin(store, FAILED)
    assert (turn.question.text, turn.parts[0].ref) == ("Who failed?", values.ref("a2"))


async def test_a_thread_that_people_know_by_its_name_keeps_it(store: SqlStore) -> None:
    assert not await store.claim_title(DONE)
    turn = await ask(store, 9, thread="another")
    await store.move_to(turn, values.target("newly opened"))
    assert await store.claim_title(turn.conversation_id)


async def test_a_whole_answer_is_had_anew(store: SqlStore) -> None:
    again = Again(by=PersonId("ada"))
    assert (await store.retry(EventId("again"), values.ref("a1"), again)).result is RetryResult.ACCEPTED
    turn = await begin(store, DONE)
    await store.record_started(turn, ids("m9"))
    assert {due.ids.message for due in await store.due_ratings(values.THEN, 5)} == {"m2"}, (
        "the vote was about the other"
    )


async def test_what_an_earlier_release_does_not_know_waits_there_as_a_retry(settings: Settings) -> None:
    await migrate(settings)
    opened = await open_store(settings, SystemClock(), aggregate)
    await opened.retry(EventId("again"), values.ref("a1"), Again(by=PersonId("ada")))
    await opened.close()
    await asyncio.to_thread(move, settings, "r0004")
    with migration_connection(settings) as connection:
        kinds = connection.execute(text("SELECT kind FROM inbound_event WHERE revision > 0")).scalars().all()
    assert list(kinds) == ["retry"]


async def test_the_step_can_be_taken_back_with_everything_that_was_known_then(settings: Settings) -> None:
    await migrate(settings)
    await asyncio.to_thread(move, settings, "r0003")
    with migration_connection(settings) as connection:
        tables = set(inspect(connection).get_table_names())
        assert tables >= GONE | {"installation"}
        assert connection.scalar(text("SELECT count(*) FROM inbound_event")) == 5
    assert await migrate(settings) == head_revision()
    with migration_connection(settings) as connection:
        assert not GONE & set(inspect(connection).get_table_names())
