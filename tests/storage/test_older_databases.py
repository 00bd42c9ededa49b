"""A database of an earlier release works on. `r0001.sql` is the dump of one that that release wrote and left in the middle.

In it: an answer with a vote that is not delivered, a failed one, one that was asked and has another question behind it, one that
was streaming in two messages (with a vote), and a vote on a message that nobody knows.
"""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.clock import SystemClock
from bridge.feedback import aggregate
from bridge.messages import AnswerState, BackendIds, ConversationId, EventId, PartRole, Rating
from bridge.settings import isolated
from bridge.storage.migrate import current_revision, head_revision, migrate
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from bridge.store import Touched
from tests.contracts.store_steps import IDS, accept, begin, edited, ids, new, outcome, retried
from tests.fakes import values
from tests.fakes.platform import FAKE

STREAMED, FAILED, ASKED = (ConversationId(number) for number in (1, 2, 3))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqlStore]:
    with closing(sqlite3.connect(tmp_path / "bridge.db")) as file:
        file.executescript((Path(__file__).parent / "r0001.sql").read_text())
    settings = isolated(Settings, database_url=f"sqlite:///{tmp_path}/bridge.db")
    assert await current_revision(settings) == "r0001"
    assert await migrate(settings) == head_revision()
    opened = await open_store(settings, SystemClock(), aggregate)
    yield opened
    await opened.close()


async def test_what_was_left_unfinished_waits_and_nothing_else(store: SqlStore) -> None:
    assert list(await store.waiting_conversations([FAKE])) == [ASKED, STREAMED]


async def test_an_answer_that_was_asked_is_taken_over_as_asked_once(store: SqlStore) -> None:
    turn = await begin(store, ASKED)
    assert (turn.state, turn.attempt, turn.superseded, turn.stop) == (AnswerState.ASKED, 1, False, None)
    assert (turn.question.text, turn.ids, turn.parts) == ("Who asks?", BackendIds(), ())
    await store.record_asked(turn, 2)
    await store.finish(turn, AnswerState.DONE)
    following = await begin(store, ASKED, turn.epoch)
    assert (following.question.text, following.state) == ("Who waits?", AnswerState.PLANNED)


async def test_an_answer_that_was_streaming_is_taken_over_with_its_messages(store: SqlStore) -> None:
    turn = await begin(store, STREAMED)
    assert (turn.state, turn.attempt, turn.ids.message, turn.ids.task) == (AnswerState.STREAMING, 1, "m5", "t5")
    assert (turn.ids.conversation, turn.last_seen) == (IDS.conversation, "m1")
    assert turn.target == values.target("opened")
    assert [(part.ref, part.text, part.role, part.intended_at) for part in turn.parts] == [
        (values.ref("a5"), "first", PartRole.TEXT, values.THEN),
        (values.ref("a5b"), "sec", PartRole.TEXT, values.THEN),
    ]


async def test_its_question_may_still_be_edited_and_withdrawn(store: SqlStore) -> None:
    changed = await store.revise(EventId("x"), edited(5, "What streams?"), 1, running=True)
    assert changed.touched is Touched.RUNNING
    assert (await begin(store, STREAMED)).superseded
    assert (await store.withdraw(EventId("y"), values.ref("q4"))).touched is Touched.WAITING


async def test_votes_are_still_to_be_delivered_and_count_on(store: SqlStore) -> None:
    due = {one.ids.message: one.rating for one in await store.due_ratings(values.THEN, 10)}
    assert due == {"m1": Rating.LIKE, "m5": Rating.DISLIKE}
    turn = (await accept(store, new(9, thread="9"))).conversation_id
    begun = await begin(store, turn)
    await store.record_started(begun, ids("m9", "c9"))
    await store.record_posted(begun, 0, "nonce 9", PartRole.TEXT, values.ref("a9"), "")
    assert len(await store.due_ratings(values.THEN, 10)) == 3


async def test_an_answer_that_failed_then_is_retried_now(store: SqlStore) -> None:
    await retried(store, "a2")
    turn = await begin(store, FAILED)
    assert (turn.question.text, turn.state, turn.last_seen) == ("Who failed?", AnswerState.PLANNED, "m2")
    assert [(part.ref, part.nonce, part.text) for part in turn.parts] == [(values.ref("a2"), "nonce 2", "half")]
    await store.record_outcome(turn, outcome())
    await store.finish(turn, AnswerState.DONE)
    assert await store.blank_payloads(values.THEN + timedelta(days=1)) == 2, "what ended then; the retry ended today"
