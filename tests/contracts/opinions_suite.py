"""What is promised of opinions, whatever the database: each vote is told once, to backends that keep them apart."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from bridge.feedback import aggregate
from bridge.messages import AppName, EventId, PersonId, Rating
from bridge.opinions import DueOpinions, Opinion, OpinionStore
from bridge.storage.opinions import SqlOpinions
from bridge.storage.store import SqlStore
from bridge.store import Store
from tests.contracts.store_steps import IDS, accept, answered, begin, new, post, vote
from tests.fakes import values

APPS = [values.APP]


@dataclass(frozen=True, slots=True)
class Both:
    store: Store
    opinions: OpinionStore

    async def due(self) -> list[DueOpinions]:
        return list(await self.opinions.due(APPS, values.THEN + timedelta(days=3650), 10))


class OpinionsContract:
    @pytest.fixture
    def both(self, store: SqlStore) -> Both:
        return Both(store, SqlOpinions(store))

    async def test_everybody_who_voted_is_told_by_platform_and_id(self, both: Both) -> None:
        await answered(both.store, 1, "a1")
        await both.store.record_vote(vote("a1", Rating.LIKE, who="ada"), aggregate)
        await both.store.record_vote(vote("a1", Rating.DISLIKE, who="grace"), aggregate)

        [due] = await both.due()

        platform = values.ref("a1").platform
        assert due.opinions == {
            f"{platform}:ada": Opinion(rating=Rating.LIKE),
            f"{platform}:grace": Opinion(rating=Rating.DISLIKE),
        }
        assert (due.ids, due.backend_user) == (IDS, "user of 1")

    async def test_what_was_told_is_not_due_and_the_next_vote_is(self, both: Both) -> None:
        await answered(both.store, 1, "a1")
        await both.store.record_vote(vote("a1", who="ada"), aggregate)
        [due] = await both.due()
        await both.opinions.told(due.answer_id, due.mark)
        assert await both.due() == []

        await both.store.record_vote(vote("a1", who="grace"), aggregate)

        [again] = await both.due()
        assert len(again.opinions) == 2, "the sum stayed the same, and yet there is news"

    async def test_an_opinion_that_came_during_the_delivery_stays_due(self, both: Both) -> None:
        await answered(both.store, 1, "a1")
        await both.store.record_vote(vote("a1", who="ada"), aggregate)
        [due] = await both.due()
        await both.store.record_vote(vote("a1", who="grace"), aggregate)
        await both.opinions.told(due.answer_id, due.mark)

        assert len(await both.due()) == 1

    async def test_what_was_taken_back_is_told_as_nothing(self, both: Both) -> None:
        await answered(both.store, 1, "a1")
        await both.store.record_vote(vote("a1", who="ada"), aggregate)
        await both.store.record_vote(vote("a1", who="ada", active=False, revision=2), aggregate)

        [due] = await both.due()

        assert [one.rating for one in due.opinions.values()] == [None]

    async def test_words_go_with_the_vote_of_who_wrote_them(self, both: Both) -> None:
        await answered(both.store, 1, "a1")
        await both.store.record_vote(vote("a1", Rating.DISLIKE, who="ada"), aggregate)
        [due] = await both.due()
        await both.opinions.told(due.answer_id, due.mark)
        await both.store.record_comment(EventId("e"), values.ref("a1"), PersonId("ada"), "Too long.", 10)

        [again] = await both.due()

        assert list(again.opinions.values()) == [Opinion(rating=Rating.DISLIKE, comment="Too long.")]

    async def test_a_failed_delivery_waits_and_counts_and_may_be_given_up(self, both: Both) -> None:
        await answered(both.store, 1, "a1")
        await both.store.record_vote(vote("a1", who="ada"), aggregate)
        [due] = await both.due()
        later = values.THEN + timedelta(days=4000)
        await both.opinions.failed(due.answer_id, due.mark, later)
        assert await both.due() == []
        [again] = await both.opinions.due(APPS, later, 10)
        assert again.attempts == 1

        await both.opinions.failed(again.answer_id, again.mark, None)

        assert await both.opinions.due(APPS, later, 10) == []
        await both.store.record_vote(vote("a1", who="grace"), aggregate)
        assert len(await both.due()) == 1

    async def test_votes_of_other_apps_and_of_answers_without_a_name_are_not_due(self, both: Both) -> None:
        conversation = (await accept(both.store, new(1))).conversation_id
        turn = await begin(both.store, conversation)
        await post(both.store, turn, "a1", part=0)
        await both.store.record_vote(vote("a1"), aggregate)
        assert await both.due() == [], "the backend's message is not known yet"
        await both.store.record_started(turn, IDS)

        assert len(await both.due()) == 1
        assert await both.opinions.due([AppName("another")], values.THEN, 10) == []
        assert await both.opinions.due([], values.THEN, 10) == []
