"""What every store promises about what people say of an answer."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from bridge.feedback import aggregate
from bridge.messages import AnswerState, EventId, PersonId, Rating
from bridge.store import Store
from bridge.votes import Vote
from tests.contracts.store_steps import IDS, answered, ask, begin, ids, post, retried, vote
from tests.fakes import values

LONG_AFTER = values.THEN + timedelta(days=3650)


async def comment(store: Store, text: str, *, of: str = "a1", who: str = "ada", revision: int = 10) -> bool:
    return await store.record_comment(EventId(f"{who} {revision}"), values.ref(of), PersonId(who), text, revision)


class CommentsContract:
    async def test_a_comment_goes_with_the_rating(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.record_vote(vote("a1", Rating.DISLIKE), aggregate)
        assert await comment(store, "Too long.")
        [due] = await store.due_ratings(values.THEN, 10)
        assert (due.rating, due.comments) == (Rating.DISLIKE, ("Too long.",))
        await store.rating_sent(turn.answer_id, Rating.DISLIKE)
        assert await store.due_ratings(values.THEN, 10) == []

    async def test_a_comment_makes_a_rating_due_again_that_was_sent_without(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.record_vote(vote("a1", Rating.DISLIKE), aggregate)
        await store.due_ratings(values.THEN, 10)
        await store.rating_sent(turn.answer_id, Rating.DISLIKE)
        await comment(store, "Too long.")
        [due] = await store.due_ratings(values.THEN, 10)
        assert (due.rating, due.dislikes, due.comments) == (Rating.DISLIKE, 1, ("Too long.",))

    async def test_the_newest_comment_of_a_person_counts_whatever_comes_last(self, store: Store) -> None:
        await answered(store, 1, "a1")
        await comment(store, "second", revision=12)
        assert not await comment(store, "first", revision=11)
        assert not await comment(store, "second", revision=12)
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.comments == ("second",)

    async def test_everybody_is_heard_on_any_message_of_the_answer_the_oldest_first(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await post(store, turn, "a2", part=1)
        await comment(store, "of ada, on the first", revision=10)
        await comment(store, "of grace", of="a2", who="grace", revision=30)
        await comment(store, "of linus", who="linus", revision=20)
        await comment(store, "of ada, on the second", of="a2", revision=40)
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.comments == ("of linus", "of grace", "of ada, on the second")

    async def test_a_comment_of_somebody_else_is_news_even_when_it_is_older(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await comment(store, "later", revision=20)
        await store.due_ratings(values.THEN, 10)
        await store.rating_sent(turn.answer_id, None)
        await comment(store, "earlier, and late to arrive", who="grace", revision=10)
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.comments == ("earlier, and late to arrive", "later")

    async def test_a_comment_during_the_delivery_stays_due(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.record_vote(vote("a1"), aggregate)
        await store.due_ratings(values.THEN, 10)
        await comment(store, "Nice.")
        await store.rating_sent(turn.answer_id, Rating.LIKE)
        [due] = await store.due_ratings(values.THEN, 10)
        assert (due.rating, due.comments) == (Rating.LIKE, ("Nice.",))
        await store.rating_sent(turn.answer_id, Rating.LIKE)
        assert await store.due_ratings(values.THEN, 10) == []

    async def test_a_comment_during_the_delivery_stays_due_however_often_it_is_counted(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.record_vote(vote("a1"), aggregate)
        await store.due_ratings(values.THEN, 10)
        await comment(store, "Nice.")
        await store.rating_sent(turn.answer_id, Rating.LIKE)
        await post(store, turn, "a2", part=1)  # upon which everything is counted again
        assert [due.comments for due in await store.due_ratings(values.THEN, 10)] == [("Nice.",)]

    async def test_a_comment_that_came_before_we_knew_our_own_message_counts_once_we_do(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_started(turn, IDS)
        assert await comment(store, "Quick.")
        assert await store.due_ratings(values.THEN, 10) == []
        await post(store, turn, "a1")
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.comments == ("Quick.",)

    async def test_whoever_looks_at_the_votes_sees_why(self, store: Store) -> None:
        await answered(store, 1, "a1")
        seen: list[Vote] = []

        def look(votes: Sequence[Vote]) -> Rating | None:
            seen[:] = votes
            return aggregate(votes)

        await comment(store, "Too long.")
        await store.record_vote(vote("a1", Rating.DISLIKE), look)
        await store.record_vote(vote("a1", Rating.LIKE, who="grace"), look)
        assert {one.person: one.comment for one in seen} == {"ada": "Too long.", "grace": ""}

    async def test_comments_stay_with_the_messages_that_a_retry_takes_over(self, store: Store) -> None:
        old = await answered(store, 1, "a1", state=AnswerState.FAILED, given=ids("m1"))
        await store.record_vote(vote("a1", Rating.DISLIKE), aggregate)
        await comment(store, "It failed.")
        await store.due_ratings(values.THEN, 10)
        await store.rating_sent(old.answer_id, Rating.DISLIKE)
        await retried(store, "a1")
        again = await begin(store, old.conversation_id)
        await store.record_asked(again, 1)
        await store.record_started(again, ids("m2"))
        due = {one.ids.message: (one.rating, one.comments) for one in await store.due_ratings(values.THEN, 10)}
        assert due == {"m1": (None, ()), "m2": (Rating.DISLIKE, ("It failed.",))}

    async def test_comments_that_were_never_told_leave_nothing_to_tell_of_the_old_answer(self, store: Store) -> None:
        old = await answered(store, 1, "a1", state=AnswerState.FAILED, given=ids("m1"))
        await comment(store, "It failed.")
        await retried(store, "a1")
        again = await begin(store, old.conversation_id)
        await store.record_started(again, ids("m2"))
        assert [one.ids.message for one in await store.due_ratings(values.THEN, 10)] == ["m2"]

    async def test_a_comment_is_erased_with_the_texts_once_it_is_delivered(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.record_vote(vote("a1"), aggregate)
        await comment(store, "Nice.")
        await store.blank_payloads(LONG_AFTER)
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.comments == ("Nice.",), "not before"
        await store.rating_sent(turn.answer_id, Rating.LIKE)
        await store.blank_payloads(LONG_AFTER)
        assert await store.due_ratings(values.THEN, 10) == [], "that it is gone is no news"
        await store.record_vote(vote("a1", who="grace"), aggregate)
        await store.record_vote(vote("a1", Rating.DISLIKE, who="grace", revision=2), aggregate)
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.comments == ()

    async def test_an_erased_comment_that_is_told_again_stays_erased(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await comment(store, "Nice.")
        await store.due_ratings(values.THEN, 10)
        await store.rating_sent(turn.answer_id, None)
        await store.blank_payloads(LONG_AFTER)
        assert not await comment(store, "Nice.")
        assert await comment(store, "Really nice.", revision=11)
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.comments == ("Really nice.",)

    async def test_a_comment_that_cannot_be_delivered_is_erased_as_well(self, store: Store) -> None:
        turn = await ask(store, 1)
        await post(store, turn, "a1")
        await comment(store, "on what the backend never named")
        await comment(store, "on nothing of ours", of="a2", who="grace")
        await store.blank_payloads(LONG_AFTER)
        await post(store, turn, "a2", part=1)
        await store.record_started(turn, IDS)
        assert [due.comments for due in await store.due_ratings(values.THEN, 10)] == [()]

    async def test_comments_that_come_at_once_are_all_kept(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await post(store, turn, "a2", part=1)
        told = [comment(store, f"{n}", of=f"a{1 + n % 2}", who=f"p{n}", revision=n + 1) for n in range(10)]
        assert all(await asyncio.gather(*told))
        [due] = await store.due_ratings(values.THEN, 10)
        assert due.comments == tuple(str(n) for n in range(10))
