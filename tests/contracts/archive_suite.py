"""What the archive promises about earlier conversations, and how what answers cost is added up, on each database."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import insert, select

from bridge.archive import ForgetResult, PastConversation, ResumeResult, Seeker
from bridge.backend_api import UsageReported
from bridge.clock import SystemClock
from bridge.costs import Grouping, Spending
from bridge.feedback import aggregate
from bridge.messages import (
    AnswerId,
    AnswerState,
    BackendUser,
    ConversationId,
    EventId,
    PersonId,
    Rating,
    ReplyTarget,
    Turn,
)
from bridge.storage.archive import SqlArchive
from bridge.storage.inputs import SqlInputs
from bridge.storage.spending import add_up
from bridge.storage.store import SqlStore
from bridge.storage.tables import answer, conversation_input, feedback_comment, inbound_event, outbound_message
from bridge.store import NewQuestion
from tests.contracts.store_steps import accept, begin, ids, outcome, post, vote
from tests.fakes import values

SOON = values.THEN + timedelta(days=3650)


def place(thread: str, *, channel: str = "general", person: str = "") -> ReplyTarget:
    return values.target(thread, channel=channel, person=person)


async def asked(
    store: SqlStore,
    number: int,
    where: ReplyTarget,
    *,
    who: str = "ada",
    within: str = "c1",
    text: str = "Why?",
    finished: bool = True,
) -> Turn:
    """A question that was answered in the backend's conversation `within`."""
    question = replace(values.question(text, number=number, where=where), author=values.person(who))
    accepted = await accept(
        store,
        NewQuestion(
            event_id=EventId(f"e{number}"),
            key=where.conversation,
            app=values.APP,
            backend_user=BackendUser(f"user of {where.address}"),
            question=question,
        ),
    )
    turn = await begin(store, accepted.conversation_id)
    await store.record_asked(turn, 1)
    await store.record_started(turn, ids(f"m{number}", within))
    await post(store, turn, f"a{number}", text=f"Answer {number}")
    await store.record_outcome(turn, outcome(f"Answer {number}"))
    if finished:
        await store.finish(turn, AnswerState.DONE)
    return turn


def seeker(where: ReplyTarget, *, who: str = "ada", open_threads: bool = True) -> Seeker:
    return Seeker(
        person=PersonId(who),
        key=where.conversation,
        app=values.APP,
        backend_user=BackendUser(f"user of {where.address}"),
        open_threads=open_threads,
    )


def named(found: Sequence[PastConversation]) -> list[str]:
    return [one.id for one in found]


async def next_turn(store: SqlStore, number: int, where: ReplyTarget) -> Turn:
    question = values.question("And?", number=number, where=where)
    accepted = await accept(
        store,
        NewQuestion(
            event_id=EventId(f"e{number}"),
            key=where.conversation,
            app=values.APP,
            backend_user=BackendUser(f"user of {where.address}"),
            question=question,
        ),
    )
    return await begin(store, accepted.conversation_id)


class ArchiveContract:
    @pytest.fixture
    def archive(self, store: SqlStore) -> SqlArchive:
        return SqlArchive(store, SystemClock())

    # Who may see what

    async def test_own_conversations_of_the_channel_are_found_the_latest_first(
        self, store: SqlStore, archive: SqlArchive
    ) -> None:
        await asked(store, 1, place("1"), within="c1", text="Why is the sky blue?")
        await asked(store, 2, place("2"), within="c2")
        found = await archive.past(seeker(place("3")), 10)
        assert named(found) == ["c2", "c1"]
        assert [one.question for one in found] == ["Why?", "Why is the sky blue?"]
        assert found[1].user == "user of general/1"
        assert named(await archive.past(seeker(place("3")), 1)) == ["c2"]

    async def test_what_goes_on_here_already_is_not_offered(self, store: SqlStore, archive: SqlArchive) -> None:
        await asked(store, 1, place("1"), within="c1")
        assert await archive.past(seeker(place("1")), 10) == []

    async def test_nobody_finds_what_somebody_else_asked(self, store: SqlStore, archive: SqlArchive) -> None:
        turn = await asked(store, 1, place("1"), who="ada")
        grace = seeker(place("3"), who="grace")
        assert await archive.past(grace, 10) == []
        assert await archive.resume(EventId("r1"), grace, turn.answer_id) is ResumeResult.NOT_YOURS

    async def test_what_several_asked_stays_in_its_thread(self, store: SqlStore, archive: SqlArchive) -> None:
        """Grace may have said there what only those who were there should know."""
        await asked(store, 1, place("1"), who="ada", within="c1")
        turn = await asked(store, 2, place("1"), who="grace", within="c1")
        assert await archive.past(seeker(place("3")), 10) == []
        assert await archive.resume(EventId("r1"), seeker(place("3")), turn.answer_id) is ResumeResult.NOT_YOURS
        await store.start_afresh(EventId("reset"), turn.conversation_id)
        assert named(await archive.past(seeker(place("1")), 10)) == ["c1"], "there both read it"
        assert await archive.past(seeker(place("1"), who="linus"), 10) == [], "who asked nothing"

    async def test_nothing_leaves_its_channel(self, store: SqlStore, archive: SqlArchive) -> None:
        turn = await asked(store, 1, place("1", channel="board"))
        elsewhere = seeker(place("3", channel="general"))
        assert await archive.past(elsewhere, 10) == []
        assert await archive.resume(EventId("r1"), elsewhere, turn.answer_id) is ResumeResult.NOT_YOURS

    async def test_nothing_leaves_direct_messages_and_nothing_comes_in(
        self, store: SqlStore, archive: SqlArchive
    ) -> None:
        direct, channel = place("", channel="general", person="ada"), place("2")
        private = await asked(store, 1, direct, within="private")
        public = await asked(store, 2, channel, within="public")
        assert await archive.past(seeker(place("3")), 10) != []
        assert "private" not in named(await archive.past(seeker(place("3")), 10))
        for where, turn in ((place("3"), private), (direct, public)):
            assert await archive.resume(EventId("r"), seeker(where), turn.answer_id) is ResumeResult.NOT_YOURS

    async def test_direct_messages_are_their_owners_alone(self, store: SqlStore, archive: SqlArchive) -> None:
        direct = place("1", channel="d", person="ada")
        turn = await asked(store, 1, direct)
        there = seeker(direct, who="grace")
        assert await archive.past(there, 10) == []
        assert await archive.resume(EventId("r"), there, turn.answer_id) is ResumeResult.NOT_YOURS

    async def test_where_threads_may_be_closed_only_those_that_the_bot_opened_are_left(
        self, store: SqlStore, archive: SqlArchive
    ) -> None:
        closed = await asked(store, 1, place("1"), within="closed")
        opened = await asked(store, 2, place("2"), within="opened", finished=False)
        await store.move_to(opened, place("2"))
        await store.finish(opened, AnswerState.DONE)
        here = seeker(place("3"), open_threads=False)
        assert named(await archive.past(here, 10)) == ["opened"]
        assert await archive.resume(EventId("r"), here, closed.answer_id) is ResumeResult.NOT_YOURS

    # Going on

    async def test_the_next_question_goes_on_with_it_as_its_own_user(
        self, store: SqlStore, archive: SqlArchive
    ) -> None:
        old = await asked(store, 1, place("1"), within="c1")
        await asked(store, 2, place("2"), within="c2")
        here = seeker(place("2"))
        assert await archive.resume(EventId("r1"), here, old.answer_id) is ResumeResult.RESUMED
        turn = await next_turn(store, 3, place("2"))
        assert (turn.ids.conversation, turn.backend_user) == ("c1", "user of general/1")
        assert turn.last_seen == "m1", "what was asked there comes before it"
        assert await store.recent_turns(turn, 5) == [], "what was asked here before is no part of it"

    async def test_a_thread_in_which_nothing_was_asked_yet_can_take_it(
        self, store: SqlStore, archive: SqlArchive
    ) -> None:
        old = await asked(store, 1, place("1"), within="c1")
        assert await archive.resume(EventId("r1"), seeker(place("9")), old.answer_id) is ResumeResult.RESUMED
        assert (await next_turn(store, 3, place("9"))).ids.conversation == "c1"

    async def test_what_was_filled_in_for_it_goes_along_and_is_forgotten_with_it(
        self, store: SqlStore, archive: SqlArchive
    ) -> None:
        old = await asked(store, 1, place("1"), within="c1")
        async with store.writing() as connection:
            filled = {"conversation_id": old.conversation_id, "seq": 1, "updated_at": values.THEN}
            await connection.execute(insert(conversation_input).values(name="team", value='"red"', **filled))
        await archive.resume(EventId("r1"), seeker(place("2")), old.answer_id)
        inputs = SqlInputs(store, SystemClock())
        turn = await next_turn(store, 3, place("2"))
        assert await inputs.known(turn) == {"team": "red"}
        await store.finish(turn, AnswerState.DONE)
        for number, of in enumerate((old.conversation_id, turn.conversation_id)):
            await archive.forget(EventId(f"f{number}"), of, PersonId("ada"))
        async with store.reading() as connection:
            assert (await connection.execute(select(conversation_input))).all() == []

    async def test_it_goes_on_in_one_place_only(self, store: SqlStore, archive: SqlArchive) -> None:
        """Two questions at once would spoil its memory at the backend."""
        old = await asked(store, 1, place("1"), within="c1")
        await archive.resume(EventId("r1"), seeker(place("2")), old.answer_id)
        turn = await next_turn(store, 3, place("1"))
        assert turn.ids.conversation is None

    async def test_answers_of_before_are_rated_as_who_asked_them(self, store: SqlStore, archive: SqlArchive) -> None:
        old = await asked(store, 1, place("1"), within="c1")
        await asked(store, 2, place("2"), within="c2")
        await archive.resume(EventId("r1"), seeker(place("2")), old.answer_id)
        await store.record_vote(vote("a2", Rating.LIKE), aggregate)
        (pending,) = await store.due_ratings(SOON, 10)
        assert pending.backend_user == "user of general/2"

    async def test_nothing_moves_while_something_is_being_answered(self, store: SqlStore, archive: SqlArchive) -> None:
        old = await asked(store, 1, place("1"), within="c1")
        running = await asked(store, 2, place("2"), within="c2", finished=False)
        here = seeker(place("2"))
        assert await archive.resume(EventId("r1"), here, old.answer_id) is ResumeResult.BUSY
        await store.finish(running, AnswerState.DONE)
        await next_turn(store, 3, place("1"))
        assert await archive.resume(EventId("r1"), here, old.answer_id) is ResumeResult.BUSY, "where it goes on now"

    async def test_the_same_press_counts_once(self, store: SqlStore, archive: SqlArchive) -> None:
        old = await asked(store, 1, place("1"), within="c1")
        here = seeker(place("2"))
        await archive.resume(EventId("r1"), here, old.answer_id)
        assert await archive.resume(EventId("r2"), here, old.answer_id) is ResumeResult.HERE_ALREADY
        conversation = await store.find_conversation(here.key, values.APP)
        assert conversation is not None
        await store.start_afresh(EventId("reset"), conversation)
        assert await archive.resume(EventId("r1"), here, old.answer_id) is ResumeResult.DUPLICATE
        assert await archive.resume(EventId("r3"), here, old.answer_id) is ResumeResult.RESUMED

    async def test_an_answer_that_nobody_knows_is_nobodys(self, store: SqlStore, archive: SqlArchive) -> None:
        assert await archive.resume(EventId("r1"), seeker(place("1")), AnswerId(77)) is ResumeResult.NOT_YOURS
        assert await store.find_conversation(place("1").conversation, values.APP) is None, "and nothing is made"

    # Forgetting

    async def test_what_is_forgotten_is_gone_and_the_backend_is_to_delete_it(
        self, store: SqlStore, archive: SqlArchive
    ) -> None:
        turn = await asked(store, 1, place("1"), within="c1", text="A secret?")
        await store.record_comment(EventId("c"), values.ref("a1"), PersonId("ada"), "secretly", 1)
        forgotten = await archive.forget(EventId("f1"), turn.conversation_id, PersonId("ada"))
        assert forgotten.result is ForgetResult.FORGOTTEN
        (deletion,) = await archive.due_deletions(SOON, 10)
        assert (deletion.app, deletion.conversation, deletion.user) == (values.APP, "c1", "user of general/1")
        assert list(forgotten.deletions) == [deletion.id]
        async with store.reading() as connection:
            for table in (inbound_event, answer, outbound_message, feedback_comment):
                rows = (await connection.execute(select(table))).all()
                assert "secret" not in repr(rows).lower()
                assert "Answer 1" not in repr(rows)
        following = await next_turn(store, 2, place("1"))
        assert (following.ids.conversation, following.last_seen) == (None, None)
        assert await archive.past(seeker(place("2")), 10) == []

    async def test_it_takes_every_conversation_that_was_held_there(self, store: SqlStore, archive: SqlArchive) -> None:
        turn = await asked(store, 1, place("1"), within="c1")
        await store.start_afresh(EventId("reset"), turn.conversation_id)
        await asked(store, 2, place("1"), within="c2")
        await archive.forget(EventId("f1"), turn.conversation_id, PersonId("ada"))
        assert {one.conversation for one in await archive.due_deletions(SOON, 10)} == {"c1", "c2"}

    async def test_what_goes_on_elsewhere_is_forgotten_there(self, store: SqlStore, archive: SqlArchive) -> None:
        old = await asked(store, 1, place("1"), within="c1")
        await archive.resume(EventId("r1"), seeker(place("2")), old.answer_id)
        await asked(store, 2, place("2"), within="c1")
        here = await archive.forget(EventId("f1"), old.conversation_id, PersonId("ada"))
        assert here.result is ForgetResult.FORGOTTEN, "the words that stood here"
        assert await archive.due_deletions(SOON, 10) == []
        there = await store.find_conversation(place("2").conversation, values.APP)
        assert there is not None
        await archive.forget(EventId("f2"), there, PersonId("ada"))
        (deletion,) = await archive.due_deletions(SOON, 10)
        assert (deletion.conversation, deletion.user) == ("c1", "user of general/1")

    async def test_only_who_asked_there_may_forget(self, store: SqlStore, archive: SqlArchive) -> None:
        turn = await asked(store, 1, place("1"), who="ada")
        for person in ("grace", ""):
            assert not await archive.may_forget(turn.conversation_id, PersonId(person))
            forgotten = await archive.forget(EventId("f1"), turn.conversation_id, PersonId(person))
            assert forgotten.result is ForgetResult.NOT_YOURS
        assert await archive.may_forget(turn.conversation_id, PersonId("ada"))
        nobodys = await archive.forget(EventId("f2"), ConversationId(99), PersonId("ada"))
        assert nobodys.result is ForgetResult.NOT_YOURS
        assert await archive.due_deletions(SOON, 10) == []

    async def test_nothing_is_forgotten_while_something_is_being_answered(
        self, store: SqlStore, archive: SqlArchive
    ) -> None:
        turn = await asked(store, 1, place("1"), finished=False)
        busy = await archive.forget(EventId("f1"), turn.conversation_id, PersonId("ada"))
        assert busy.result is ForgetResult.BUSY
        await store.finish(turn, AnswerState.DONE)
        done = await archive.forget(EventId("f1"), turn.conversation_id, PersonId("ada"))
        assert done.result is ForgetResult.FORGOTTEN
        again = await archive.forget(EventId("f2"), turn.conversation_id, PersonId("ada"))
        assert again.result is ForgetResult.NOTHING

    async def test_a_deletion_that_failed_is_due_later_and_one_that_was_done_never(
        self, store: SqlStore, archive: SqlArchive
    ) -> None:
        turn = await asked(store, 1, place("1"))
        (deletion,) = (await archive.forget(EventId("f1"), turn.conversation_id, PersonId("ada"))).deletions
        await archive.not_deleted(deletion, SOON)
        assert await archive.due_deletions(SOON - timedelta(seconds=1), 10) == []
        (later,) = await archive.due_deletions(SOON, 10)
        assert later.attempts == 1
        await archive.deleted(deletion)
        assert await archive.due_deletions(SOON, 10) == []

    # What it cost

    async def test_costs_are_added_up_by_app_person_and_day_and_never_across_currencies(self, store: SqlStore) -> None:
        first = await asked(store, 1, place("1"), who="ada")
        second = await asked(store, 2, place("1"), who="grace")
        tiny = Decimal("0.0000021")
        await store.record_spent(first, 1, UsageReported(total_tokens=99))
        usage = UsageReported(prompt_tokens=1, completion_tokens=2, total_tokens=3, price=tiny, currency="USD")
        await store.record_spent(first, 1, usage)
        await store.record_spent(first, 2, usage)
        await store.record_spent(second, 1, replace(usage, currency="RMB"))
        async with store.reading() as connection:
            by_app = await add_up(connection, Grouping.APP, None)
            by_person = await add_up(connection, Grouping.PERSON, None)
            by_day = await add_up(connection, Grouping.DAY, date(2020, 1, 1))
            later = await add_up(connection, Grouping.DAY, date(2999, 1, 1))
        assert [(one.of, one.currency, one.price, one.answers) for one in by_app] == [
            ("default", "RMB", tiny, 1),
            ("default", "USD", 2 * tiny, 1),
        ]
        assert by_person[0] == Spending(
            of="fake:ada",
            answers=1,
            prompt_tokens=2,
            completion_tokens=4,
            total_tokens=6,
            price=2 * tiny,
            currency="USD",
        )
        assert len(by_day) == 2
        assert later == []

    async def test_costs_outlive_the_words(self, store: SqlStore, archive: SqlArchive) -> None:
        turn = await asked(store, 1, place("1"))
        await store.record_spent(turn, 1, UsageReported(total_tokens=3))
        await archive.forget(EventId("f1"), turn.conversation_id, PersonId("ada"))
        async with store.reading() as connection:
            (kept,) = await add_up(connection, Grouping.PERSON, None)
        assert kept.total_tokens == 3
        assert kept.price is None
