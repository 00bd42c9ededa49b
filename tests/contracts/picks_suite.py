"""What every store of picks promises. Bound once per database, beside the store's own suite:

class TestSqliteStore(StoreContract, PicksContract): ...
"""

from dataclasses import replace

import pytest

from bridge.clock import SystemClock
from bridge.messages import AppName, ConversationKey, EventId, PersonId
from bridge.picks import Pick, Picks, own_scope
from bridge.storage.picks import SqlPicks
from bridge.storage.store import SqlStore
from bridge.store import NewQuestion
from tests.contracts.store_steps import accept, answered, new
from tests.fakes import values

SALES, TRIAL = AppName("sales"), AppName("trial")
ALL = (values.APP, SALES, TRIAL)
ADA, BOB = PersonId("ada"), PersonId("bob")
HERE, THERE = values.key("1"), values.key("2")
OUTSIDE = values.key("new")
"""Of a question that begins a thread."""


def of(question: NewQuestion, app: AppName, choice: str = "") -> NewQuestion:
    return replace(question, app=app, question=replace(question.question, choice=choice))


class PicksContract:
    @pytest.fixture
    def picks(self, store: SqlStore) -> Picks:
        return SqlPicks(store, SystemClock())

    async def choose(self, picks: Picks, scope: ConversationKey, app: AppName, event: str, choice: str = "") -> bool:
        return await picks.pick(EventId(event), scope, Pick(app=app, choice=choice))

    async def test_where_nothing_was_chosen_or_asked_nothing_holds(self, picks: Picks) -> None:
        assert await picks.find(HERE, ADA, ALL) is None
        assert await picks.begun(HERE, ALL) == []

    async def test_what_is_chosen_in_a_thread_holds_for_everybody_in_it_and_nowhere_else(self, picks: Picks) -> None:
        assert await self.choose(picks, HERE, SALES, "e1", "prices")
        for person in (ADA, BOB):
            assert await picks.find(HERE, person, ALL) == Pick(app=SALES, choice="prices")
            assert await picks.find(THERE, person, ALL) is None

    async def test_what_somebody_chooses_elsewhere_is_their_own_and_is_for_what_begins_anew(
        self, picks: Picks, store: SqlStore
    ) -> None:
        await accept(store, new(1, thread="2"))
        assert await self.choose(picks, own_scope(HERE, ADA), SALES, "e1")
        assert await picks.find(OUTSIDE, ADA, ALL) == Pick(app=SALES)
        assert await picks.find(OUTSIDE, BOB, ALL) is None
        assert await picks.find(replace(OUTSIDE, channel=values.key(channel="other").channel), ADA, ALL) is None
        assert await picks.find(THERE, ADA, ALL) == Pick(app=values.APP), "that thread has an app already"

    async def test_a_thread_goes_on_with_the_app_that_was_asked_last_and_what_it_was_asked_within(
        self, picks: Picks, store: SqlStore
    ) -> None:
        first = await accept(store, of(new(1), SALES, "prices"))
        assert await picks.find(HERE, BOB, ALL) == Pick(app=SALES, choice="prices")
        second = await accept(store, of(new(2), TRIAL))
        assert await picks.find(HERE, BOB, ALL) == Pick(app=TRIAL)
        assert [one.id for one in await picks.begun(HERE, ALL)] == [second.conversation_id, first.conversation_id]
        assert await picks.of(first.conversation_id) == Pick(app=SALES, choice="prices")

    async def test_what_was_chosen_goes_before_what_was_asked_last(self, picks: Picks, store: SqlStore) -> None:
        await accept(store, of(new(1), SALES))
        assert await self.choose(picks, HERE, TRIAL, "e1")
        await accept(store, of(new(2), SALES))
        assert await picks.find(HERE, ADA, ALL) == Pick(app=TRIAL)

    async def test_a_thread_that_was_opened_after_its_question_keeps_the_app_of_that(
        self, picks: Picks, store: SqlStore
    ) -> None:
        turn = await answered(store, 1, "a1", thread="1")
        await store.move_to(turn, values.target("opened"))
        assert await picks.find(values.key("opened"), BOB, ALL) == Pick(app=values.APP)

    async def test_apps_that_may_not_be_chosen_any_more_are_passed_over(self, picks: Picks, store: SqlStore) -> None:
        await accept(store, of(new(1), TRIAL))
        assert await self.choose(picks, HERE, SALES, "e1")
        assert await picks.find(HERE, ADA, (values.APP, TRIAL)) == Pick(app=TRIAL)
        assert await picks.find(HERE, ADA, (values.APP,)) is None
        assert await picks.begun(HERE, (values.APP, SALES)) == []

    async def test_the_latest_choice_holds_and_one_that_is_told_again_does_not_come_back(self, picks: Picks) -> None:
        assert await self.choose(picks, HERE, SALES, "e1", "prices")
        assert await self.choose(picks, HERE, TRIAL, "e2")
        assert not await self.choose(picks, HERE, TRIAL, "e2")
        assert await picks.find(HERE, ADA, ALL) == Pick(app=TRIAL)

    async def test_a_question_that_is_refused_changes_nothing_of_what_a_thread_goes_on_with(
        self, picks: Picks, store: SqlStore
    ) -> None:
        taken = await accept(store, of(new(1), SALES, "prices"))
        await store.accept(replace(of(new(2), SALES, "terms"), most_waiting=-1))
        assert await picks.of(taken.conversation_id) == Pick(app=SALES, choice="prices")
