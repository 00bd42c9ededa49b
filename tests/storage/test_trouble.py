"""What must hold when things go wrong between the bridge and its database."""

import asyncio
import sqlite3
import sys
import traceback
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from bridge.clock import SystemClock
from bridge.errors import StoreUnavailable
from bridge.feedback import aggregate
from bridge.messages import AnswerState, EventId, PersonId, Rating
from bridge.settings import isolated
from bridge.storage.migrate import migrate, migrations_folder
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from bridge.storage.tables import UtcDateTime, metadata
from tests.contracts.store_steps import accept, answered, begin, new, post, vote
from tests.fakes import values


def settings_in(folder: Path, **more: object) -> Settings:
    return isolated(Settings, database_url=f"sqlite:///{folder}/bridge.db", **more)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    settings = settings_in(tmp_path, database_busy_timeout=0.2)
    await migrate(settings)
    opened = await open_store(settings, SystemClock(), aggregate)
    yield opened
    await opened.close()


async def test_a_caller_that_is_cancelled_leaves_the_writer_usable(store: SqlStore) -> None:
    for number in range(10):
        task = asyncio.create_task(store.accept(new(number)))
        for _ in range(number):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    for number in range(10):
        await store.accept(new(number))
    conversation = await store.find_conversation(values.key("1"), values.APP)
    assert conversation is not None
    assert (await accept(store, new(99))).seq == 11, "a cancelled question is there whole or not at all"


async def test_what_people_wrote_is_in_no_error(store: SqlStore, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "bridge.db") as broken:
        broken.execute("CREATE TRIGGER refuse BEFORE INSERT ON inbound_event BEGIN SELECT RAISE(ABORT, 'no'); END")
    broken.close()
    wish = " ".join(("my", "secret", "wish"))  # not as one literal: a traceback quotes this file too
    with pytest.raises(StoreUnavailable) as caught:
        await store.accept(new(1, text=wish))
    assert wish not in "".join(traceback.format_exception(caught.value))


async def test_half_an_emoji_does_not_keep_a_question_out(store: SqlStore) -> None:
    accepted = await accept(store, new(1, text="whole \ud83d\ude00, half \ud83d"))
    turn = await begin(store, accepted.conversation_id)
    assert turn.question.text == "whole 😀, half \ufffd"


async def test_nothing_of_what_was_said_is_left_once_it_is_blanked(store: SqlStore, tmp_path: Path) -> None:
    def dump() -> str:
        with closing(sqlite3.connect(tmp_path / "bridge.db")) as file:
            return "\n".join(file.iterdump())

    turn = await answered(store, 1, "a1", state=AnswerState.FAILED, text="a hidden wish", said="a hidden answer")
    await post(store, turn, "a2", part=1, text="a hidden message")
    await accept(store, new(2, text="a hidden text that was deleted"))
    await store.record_comment(EventId("why"), values.ref("a1"), PersonId("ada"), "a hidden reason", 1)
    assert dump().count("hidden") == 5
    await store.withdraw(EventId("deleted"), values.ref("q2"))
    assert dump().count("hidden") == 4, "what its author deletes is gone at once"
    later = SystemClock().now() + timedelta(days=1)
    await store.blank_payloads(later)
    assert dump().count("hidden") == 1, "the reason is still to be delivered"
    await store.due_ratings(later, 10)
    await store.rating_sent(turn.answer_id, None)
    await store.blank_payloads(later)
    assert dump().count("hidden") == 0


async def test_a_rating_that_may_have_arrived_is_taken_back_too(store: SqlStore) -> None:
    turn = await answered(store, 1, "a1")
    await store.record_vote(vote("a1"), aggregate)
    assert await store.due_ratings(values.THEN, 10)
    await store.rating_failed(turn.answer_id, values.THEN)
    await store.record_vote(vote("a1", active=False, revision=2), aggregate)
    [due] = await store.due_ratings(values.THEN, 10)
    assert due.rating is None, "the failed delivery may have reached the backend all the same"


async def test_a_finished_turn_stays_as_it_ended(store: SqlStore) -> None:
    turn = await answered(store, 1, "a1")
    await accept(store, new(2, thread="1"))
    following = await begin(store, turn.conversation_id, turn.epoch)
    await store.finish(turn, AnswerState.DONE)
    found = await begin(store, turn.conversation_id)
    assert found.answer_id == following.answer_id, "ending the first again must not end the second"


async def test_a_closed_store_is_not_opened_again_behind_the_lock(store: SqlStore) -> None:
    await store.close()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.ping()


async def test_opening_waits_for_a_migration_that_is_under_way(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, database_busy_timeout=5)
    await migrate(settings)
    other = sqlite3.connect(settings.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    opening = asyncio.create_task(open_store(settings, SystemClock(), aggregate))
    try:
        done, _ = await asyncio.wait({opening}, timeout=0.15)
        assert not done, "SQLite refuses the switch to WAL at once; we wait instead"
    finally:
        other.execute("ROLLBACK")
        other.close()
        await (await opening).close()


async def test_a_store_that_was_never_migrated_says_so(tmp_path: Path) -> None:
    opened = await open_store(settings_in(tmp_path), SystemClock(), aggregate)
    with pytest.raises(StoreUnavailable, match="no such table"):
        await opened.ping()
    await opened.close()


async def test_the_schema_is_the_same_to_the_letter_whichever_way_it_is_made(tmp_path: Path) -> None:
    await migrate(settings_in(tmp_path))
    engine = create_engine(f"sqlite:///{tmp_path}/created.db")
    metadata.create_all(engine)
    engine.dispose()

    def schema(file: str) -> set[str]:
        with sqlite3.connect(tmp_path / file) as connection:
            rows = connection.execute("SELECT sql FROM sqlite_master WHERE name NOT LIKE '%alembic%' AND sql NOTNULL")
            found = {" ".join(sql.split()) for (sql,) in rows}
        connection.close()
        # The order of constraints inside a table means nothing.
        return {" ".join(sorted(sql.replace(",", " ").replace("(", " ( ").split())) for sql in found}

    assert schema("bridge.db") == schema("created.db")


async def test_alembic_by_hand_reaches_the_same_place(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "alembic", "upgrade", "head"),
        cwd=migrations_folder().parent,
        env={"DATABASE_URL": f"sqlite:///{tmp_path}/new/bridge.db"},
    )
    assert await process.wait() == 0
    by_hand = isolated(Settings, database_url=f"sqlite:///{tmp_path}/new/bridge.db")
    opened = await open_store(by_hand, SystemClock(), aggregate)
    await opened.ping()
    await opened.close()


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), create_engine("sqlite://").dialect)  # noqa: DTZ001  # what is refused


async def test_votes_of_one_person_on_two_reactions_count_by_the_latest(store: SqlStore) -> None:
    await answered(store, 1, "a1")
    await store.record_vote(vote("a1", Rating.LIKE, revision=1), aggregate)
    await store.record_vote(vote("a1", Rating.DISLIKE, revision=2), aggregate)
    [due] = await store.due_ratings(values.THEN, 10)
    assert (due.rating, due.likes, due.dislikes) == (Rating.DISLIKE, 0, 1)
