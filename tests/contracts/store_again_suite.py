"""What every store promises about a whole answer that is wanted once more, and about what was thought of the one before."""

import asyncio
from datetime import timedelta

from bridge.feedback import aggregate
from bridge.history_api import PastTurn
from bridge.messages import AnswerState, EventId, PersonId, Rating
from bridge.store import Again, Endorsed, Retried, RetryResult, Store
from tests.contracts.store_steps import (
    accept,
    answered,
    ask,
    begin,
    ids,
    new,
    outcome,
    post,
    vote,
)
from tests.fakes import values
from tests.fakes.platform import FAKE

ADA, GRACE = PersonId("ada"), PersonId("grace")
MUCH_LATER = values.THEN + timedelta(days=36_500)
"""After everything was answered, by any clock."""


async def wanted_again(store: Store, address: str, *, event: str = "again", who: PersonId = ADA) -> Retried:
    return await store.retry(EventId(event), values.ref(address), Again(by=who))


class AgainContract:
    async def test_a_whole_answer_is_asked_for_again_in_its_own_messages(self, store: Store) -> None:
        old = await answered(store, 1, "a1", given=ids("m1"))
        retried = await wanted_again(store, "a1")
        assert (retried.result, retried.conversation_id) == (RetryResult.ACCEPTED, old.conversation_id)
        turn = await begin(store, old.conversation_id)
        assert turn.question == old.question
        assert (turn.state, turn.ids.conversation, turn.last_seen) == (AnswerState.PLANNED, "c1", "m1")
        assert [part.ref for part in turn.parts] == [values.ref("a1")]

    async def test_a_whole_answer_is_not_retried_by_who_means_a_failed_one(self, store: Store) -> None:
        await answered(store, 1, "a1")
        assert (await store.retry(EventId("retry"), values.ref("a1"))).result is RetryResult.NOTHING

    async def test_a_failed_answer_is_asked_for_again_as_it_would_be_retried(self, store: Store) -> None:
        old = await answered(store, 1, "a1", state=AnswerState.FAILED)
        await accept(store, new(2, thread="1"))
        assert (await wanted_again(store, "a1")).result is RetryResult.ACCEPTED, "whatever waits"
        assert (await store.retry(EventId("retry"), values.ref("a1"))).result is RetryResult.DUPLICATE
        assert old.conversation_id in await store.waiting_conversations([FAKE])

    async def test_however_often_it_is_wanted_it_is_asked_once(self, store: Store) -> None:
        old = await answered(store, 1, "a1")
        results = await asyncio.gather(*(wanted_again(store, "a1", event=f"press {number}") for number in range(6)))
        assert sorted(one.result.value for one in results) == ["accepted", *["duplicate"] * 5]
        turn = await begin(store, old.conversation_id)
        assert (await wanted_again(store, "a1", event="meanwhile")).result is RetryResult.NOTHING
        await store.record_outcome(turn, outcome())
        await store.finish(turn, AnswerState.DONE)
        assert (await wanted_again(store, "a1", event="press 0")).result is RetryResult.DUPLICATE, "told twice"
        assert await store.begin_next(old.conversation_id, None) is None
        assert (await wanted_again(store, "a1", event="anew")).result is RetryResult.ACCEPTED, "the new one is whole"

    async def test_an_end_that_is_shown_and_not_recorded_yet_counts(self, store: Store) -> None:
        turn = await ask(store, 1)
        await post(store, turn, "a1")
        assert (await wanted_again(store, "a1")).result is RetryResult.NOTHING
        await store.record_outcome(turn, outcome())
        assert (await wanted_again(store, "a1")).result is RetryResult.ACCEPTED
        await store.finish(turn, AnswerState.DONE)
        assert (await begin(store, turn.conversation_id, turn.epoch)).seq == 2

    async def test_only_the_last_answer_of_a_conversation_can_be_had_anew(self, store: Store) -> None:
        old = await answered(store, 1, "a1", thread="1")
        await accept(store, new(2, thread="1"))
        outdated = await wanted_again(store, "a1")
        assert (outdated.result, outdated.target) == (RetryResult.OUTDATED, old.target)
        await store.withdraw(EventId("gone"), values.ref("q2"))
        assert (await wanted_again(store, "a1", event="later")).result is RetryResult.ACCEPTED, "nothing was asked"

    async def test_what_is_forgotten_cannot_be_asked_again(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.move_to(turn, values.target("opened"))
        await store.blank_payloads(MUCH_LATER)
        forgotten = await wanted_again(store, "a1")
        assert (forgotten.result, forgotten.target) == (RetryResult.FORGOTTEN, values.target("opened"))

    async def test_what_was_said_before_it_is_told_once(self, store: Store) -> None:
        old = await answered(store, 1, "a1", thread="1", said="Because.")
        await wanted_again(store, "a1")
        turn = await begin(store, old.conversation_id)
        assert list(await store.recent_turns(turn, 5)) == []
        await store.record_outcome(turn, outcome("Why not."))
        await store.finish(turn, AnswerState.DONE)
        following = await ask(store, 2)
        assert list(await store.recent_turns(following, 5)) == [PastTurn(question="Why?", answer="Why not.")]

    async def test_it_makes_no_further_question_of_anybodys(self, store: Store) -> None:
        old = await answered(store, 1, "a1")
        for who in (ADA, GRACE):
            await wanted_again(store, "a1", event=f"by {who}", who=who)
            await store.finish(await begin(store, old.conversation_id), AnswerState.DONE)
        installation = old.target.conversation.installation
        usage = await store.usage(FAKE, installation, ADA)
        assert (usage.questions, usage.answered) == (1, 1)
        assert (await store.usage(FAKE, installation, GRACE)).questions == 0

    # What was thought of it

    async def test_votes_on_a_whole_answer_stay_with_it(self, store: Store) -> None:
        old = await answered(store, 1, "a1", given=ids("m1"))
        await store.record_vote(vote("a1", Rating.DISLIKE), aggregate)
        await store.record_comment(EventId("c"), values.ref("a1"), ADA, "Too long.", 1)
        await wanted_again(store, "a1")
        turn = await begin(store, old.conversation_id)
        await store.record_asked(turn, 1)
        await store.record_started(turn, ids("m2"))
        [due] = await store.due_ratings(values.THEN, 10)
        assert (due.answer_id, due.ids.message, due.rating) == (old.answer_id, "m1", Rating.DISLIKE)
        assert due.comments == ("Too long.",)
        await store.rating_sent(old.answer_id, Rating.DISLIKE)
        assert await store.due_ratings(values.THEN, 10) == []

    async def test_a_vote_that_is_cast_since_is_about_the_new_answer(self, store: Store) -> None:
        old = await answered(store, 1, "a1", given=ids("m1"))
        await store.record_vote(vote("a1", Rating.LIKE), aggregate)
        await store.rating_sent(old.answer_id, Rating.LIKE)
        await wanted_again(store, "a1")
        turn = await begin(store, old.conversation_id)
        await store.record_asked(turn, 1)
        await store.record_started(turn, ids("m2"))
        await store.record_vote(vote("a1", Rating.DISLIKE, who="grace", revision=3), aggregate)
        [due] = await store.due_ratings(values.THEN, 10)
        assert (due.answer_id, due.ids.message, due.rating) == (turn.answer_id, "m2", Rating.DISLIKE)
        assert (due.likes, due.dislikes) == (0, 1)
        await store.record_comment(EventId("c"), values.ref("a1"), GRACE, "Worse.", 4)
        await store.record_vote(vote("a1", Rating.LIKE, revision=5), aggregate)
        [due] = await store.due_ratings(values.THEN, 10)
        assert (due.answer_id, due.likes, due.dislikes, due.comments) == (turn.answer_id, 1, 1, ("Worse.",))

    async def test_a_comment_that_is_changed_since_is_about_the_new_answer(self, store: Store) -> None:
        old = await answered(store, 1, "a1", given=ids("m1"))
        await store.record_vote(vote("a1", Rating.DISLIKE), aggregate)
        await store.record_comment(EventId("c1"), values.ref("a1"), ADA, "Too long.", 1)
        await store.due_ratings(values.THEN, 10)
        await store.rating_sent(old.answer_id, Rating.DISLIKE)
        await wanted_again(store, "a1")
        turn = await begin(store, old.conversation_id)
        await store.record_started(turn, ids("m2"))
        await store.record_comment(EventId("c2"), values.ref("a1"), ADA, "Too short.", 2)
        [due] = await store.due_ratings(values.THEN, 10)
        assert (due.answer_id, due.rating, due.comments) == (turn.answer_id, None, ("Too short.",))

    async def test_a_vote_that_is_told_again_is_still_about_the_old_answer(self, store: Store) -> None:
        old = await answered(store, 1, "a1", given=ids("m1"))
        await store.record_vote(vote("a1"), aggregate)
        await store.rating_sent(old.answer_id, Rating.LIKE)
        await wanted_again(store, "a1")
        turn = await begin(store, old.conversation_id)
        await store.record_started(turn, ids("m2"))
        assert not await store.record_vote(vote("a1"), aggregate)
        await post(store, turn, "a1b", part=1)
        assert await store.due_ratings(values.THEN, 10) == []

    async def test_votes_on_both_answers_are_two(self, store: Store) -> None:
        old = await answered(store, 1, "a1")
        await store.record_vote(vote("a1", Rating.LIKE), aggregate)
        await wanted_again(store, "a1")
        turn = await begin(store, old.conversation_id)
        await store.record_vote(vote("a1", Rating.DISLIKE, revision=2), aggregate)
        assert (await store.usage(FAKE, turn.target.conversation.installation, ADA)).votes == 2

    # Who asked likes it

    async def test_an_answer_is_endorsed_by_who_asked_and_by_nobody_else(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        assert await store.endorsed(values.ref("a1")) is None
        await store.record_vote(vote("a1", who="grace"), aggregate)
        assert await store.endorsed(values.ref("a1")) is None
        await store.record_vote(vote("a1", who="ada"), aggregate)
        assert await store.endorsed(values.ref("a1")) == Endorsed(target=turn.target)
        assert await store.endorsed(values.ref("somebody else's")) is None

    async def test_what_was_voted_last_counts(self, store: Store) -> None:
        await answered(store, 1, "a1")
        await store.record_vote(vote("a1", Rating.LIKE, revision=1), aggregate)
        await store.record_vote(vote("a1", Rating.DISLIKE, revision=2), aggregate)
        assert await store.endorsed(values.ref("a1")) is None
        await store.record_vote(vote("a1", Rating.DISLIKE, active=False, revision=3), aggregate)
        assert await store.endorsed(values.ref("a1")) is not None

    async def test_it_is_told_where_the_conversation_is_answered_as_far_as_that_is_known(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await store.record_vote(vote("a1"), aggregate)
        await store.blank_payloads(MUCH_LATER)
        assert await store.endorsed(values.ref("a1")) == Endorsed(target=None)
        await store.move_to(turn, values.target("opened"))
        assert await store.endorsed(values.ref("a1")) == Endorsed(target=values.target("opened"))

    async def test_praise_of_the_answer_before_is_none_of_the_new_one(self, store: Store) -> None:
        old = await answered(store, 1, "a1")
        await store.record_vote(vote("a1"), aggregate)
        await wanted_again(store, "a1", who=GRACE)
        turn = await begin(store, old.conversation_id)
        assert await store.endorsed(values.ref("a1")) is None
        await store.record_vote(vote("a1", revision=2), aggregate)
        assert await store.endorsed(values.ref("a1")) == Endorsed(target=turn.target), "Ada asked, whoever asked again"
