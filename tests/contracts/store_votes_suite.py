"""What every store promises about votes."""

import asyncio
from datetime import timedelta

from bridge.feedback import aggregate
from bridge.messages import AnswerState, Rating
from bridge.store import Store
from tests.contracts.store_steps import IDS, accept, answered, ask, begin, ids, new, post, retried, vote
from tests.fakes import values


class VotesContract:
    async def test_a_vote_becomes_a_rating_that_is_due_until_it_is_sent(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        assert await store.record_vote(vote("a1"), aggregate)
        [due] = await store.due_ratings(values.THEN, 10)
        assert (due.rating, due.likes, due.dislikes, due.ids, due.backend_user) == (Rating.LIKE, 1, 0, IDS, "user of 1")
        await store.rating_sent(turn.answer_id, Rating.LIKE)
        assert await store.due_ratings(values.THEN, 10) == []

    async def test_taking_the_only_vote_back_makes_no_rating_due(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.record_vote(vote("a1"), aggregate)
        await store.rating_sent(turn.answer_id, Rating.LIKE)
        assert await store.record_vote(vote("a1", active=False, revision=2), aggregate)
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.rating is None

    async def test_a_vote_taken_back_before_it_was_sent_is_nothing_to_send(self, store: Store) -> None:
        await answered(store, 1, "a1")
        await store.record_vote(vote("a1"), aggregate)
        await store.record_vote(vote("a1", active=False, revision=2), aggregate)
        assert await store.due_ratings(values.THEN, 10) == []

    async def test_late_and_repeated_reactions_change_nothing(self, store: Store) -> None:
        await answered(store, 1, "a1")
        assert await store.record_vote(vote("a1", active=False, revision=5), aggregate)
        assert not await store.record_vote(vote("a1", active=True, revision=4), aggregate)
        assert not await store.record_vote(vote("a1", active=False, revision=5), aggregate)
        assert await store.due_ratings(values.THEN, 10) == []

    async def test_votes_on_any_message_of_an_answer_count_together(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        turn = await begin(store, conversation)
        await store.record_started(turn, IDS)
        await post(store, turn, "a1", part=0)
        await post(store, turn, "a2", part=1)
        await store.record_vote(vote("a1", Rating.LIKE, who="ada"), aggregate)
        await store.record_vote(vote("a2", Rating.DISLIKE, who="grace"), aggregate)
        assert await store.due_ratings(values.THEN, 10) == [], "a tie is no rating"
        await store.record_vote(vote("a2", Rating.DISLIKE, who="linus"), aggregate)
        [due] = await store.due_ratings(values.THEN, 10)
        assert (due.rating, due.likes, due.dislikes) == (Rating.DISLIKE, 1, 2)

    async def test_a_vote_that_came_before_we_knew_our_own_message_counts_once_we_do(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        turn = await begin(store, conversation)
        assert await store.record_vote(vote("a1"), aggregate)
        assert await store.due_ratings(values.THEN, 10) == []
        await post(store, turn, "a1", part=0)
        assert await store.due_ratings(values.THEN, 10) == [], "the backend's message is not known yet"
        await store.record_started(turn, IDS)
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.rating is Rating.LIKE

    async def test_a_failed_delivery_waits_and_counts(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.record_vote(vote("a1"), aggregate)
        later = values.THEN + timedelta(minutes=1)
        await store.rating_failed(turn.answer_id, later)
        assert await store.due_ratings(values.THEN, 10) == []
        [due] = await store.due_ratings(later, 10)
        assert due.attempts == 1

    async def test_a_rating_that_was_given_up_comes_back_with_the_next_vote(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.record_vote(vote("a1"), aggregate)
        await store.rating_failed(turn.answer_id, None)
        assert await store.due_ratings(values.THEN + timedelta(days=1), 10) == []
        await store.record_vote(vote("a1", who="grace"), aggregate)
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.attempts == 0

    async def test_a_vote_during_the_delivery_stays_due(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.record_vote(vote("a1"), aggregate)
        await store.record_vote(vote("a1", active=False, revision=2), aggregate)
        await store.record_vote(vote("a1", Rating.DISLIKE, revision=3), aggregate)
        await store.rating_sent(turn.answer_id, Rating.LIKE)
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.rating is Rating.DISLIKE

    async def test_only_so_many_ratings_are_handed_out(self, store: Store) -> None:
        for number in range(3):
            await answered(store, number, f"a{number}")
            await store.record_vote(vote(f"a{number}"), aggregate)
        assert len(await store.due_ratings(values.THEN, 2)) == 2

    async def test_votes_stay_with_the_messages_that_a_retry_takes_over(self, store: Store) -> None:
        old = await answered(store, 1, "a1", state=AnswerState.FAILED, given=ids("m1"))
        await store.record_vote(vote("a1", Rating.DISLIKE), aggregate)
        assert len(await store.due_ratings(values.THEN, 10)) == 1
        await store.rating_sent(old.answer_id, Rating.DISLIKE)
        await retried(store, "a1")
        again = await begin(store, old.conversation_id)
        await store.record_asked(again, 1)
        await store.record_started(again, ids("m2"))
        ratings = {due.answer_id: (due.rating, due.ids.message) for due in await store.due_ratings(values.THEN, 10)}
        assert ratings == {old.answer_id: (None, "m1"), again.answer_id: (Rating.DISLIKE, "m2")}

    async def test_votes_that_come_at_once_all_count(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await post(store, turn, "a2", part=1)
        people = [vote(f"a{1 + number % 2}", who=f"person {number}") for number in range(10)]
        assert all(await asyncio.gather(*(store.record_vote(one, aggregate) for one in people)))
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.likes == 10

    async def test_a_vote_and_the_recording_of_its_message_may_cross(self, store: Store) -> None:
        for number in range(6):
            turn = await ask(store, number, thread=str(number))
            await store.record_started(turn, IDS)
            both = [post(store, turn, f"a{number}"), store.record_vote(vote(f"a{number}"), aggregate)]
            await asyncio.gather(*(both if number % 2 else both[::-1]))
        assert len(await store.due_ratings(values.THEN, 10)) == 6
