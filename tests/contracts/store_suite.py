"""What every store promises. A class of tests; each store binds it with a `store` fixture."""

from datetime import timedelta

import pytest

from bridge.errors import Fenced
from bridge.feedback import aggregate
from bridge.messages import (
    AnswerState,
    AppName,
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendTaskId,
    BackendUser,
    ConversationId,
    EventId,
    NamedPerson,
    PersonId,
    PlatformName,
    Rating,
    Turn,
    Vote,
)
from bridge.store import Accepted, NewQuestion, Store
from tests.fakes import values
from tests.fakes.platform import FAKE

IDS = BackendIds(
    conversation=BackendConversationId("c1"), message=BackendMessageId("m1"), task=BackendTaskId("t1"), run=None
)


def new(
    number: int,
    *,
    thread: str = "1",
    event: str = "",
    join: ConversationId | None = None,
    text: str = "Why?",
    named: tuple[NamedPerson, ...] = (),
) -> NewQuestion:
    where = values.target(thread)
    return NewQuestion(
        event_id=EventId(event or f"e{number}"),
        key=where.conversation,
        app=values.APP,
        backend_user=BackendUser(f"user of {thread}"),
        question=values.question(text, number=number, where=where, named=named),
        join=join,
    )


def vote(
    address: str, rating: Rating = Rating.LIKE, *, who: str = "ada", active: bool = True, revision: int = 1
) -> Vote:
    return Vote(
        message=values.ref(address),
        person=PersonId(who),
        source=rating.value,
        rating=rating,
        active=active,
        revision=revision,
    )


async def accept(store: Store, question: NewQuestion) -> Accepted:
    accepted = await store.accept(question)
    assert accepted is not None
    return accepted


async def begin(store: Store, conversation: ConversationId, epoch: int | None = None) -> Turn:
    turn = await store.begin_next(conversation, epoch)
    assert turn is not None
    return turn


async def answered(store: Store, number: int, address: str) -> Turn:
    """An answer that was posted at `address` and finished."""
    accepted = await accept(store, new(number, thread=str(number)))
    turn = await begin(store, accepted.conversation_id)
    await store.record_started(turn, IDS)
    await store.record_posted(turn, 0, f"nonce {number}", values.ref(address), "")
    await store.finish(turn, AnswerState.DONE)
    return turn


class StoreContract:
    async def test_a_question_comes_back_as_it_was_asked(self, store: Store) -> None:
        question = new(1, text="Grüße 漢字 👩\u200d💻 \u0000 'quoted' \"twice\"", named=(values.GRACE,))
        accepted = await accept(store, question)
        turn = await begin(store, accepted.conversation_id)
        assert turn.question == question.question
        assert (turn.backend_user, turn.app, turn.seq) == ("user of 1", values.APP, 1)
        assert turn.target == question.question.target
        assert turn.ids == BackendIds()

    async def test_an_event_is_claimed_once(self, store: Store) -> None:
        await accept(store, new(1))
        assert await store.accept(new(1)) is None

    async def test_two_deliveries_of_one_message_are_one_question(self, store: Store) -> None:
        first = await accept(store, new(1, event="as mention"))
        assert await store.accept(new(1, event="as message")) is None
        assert (await accept(store, new(2))).seq == first.seq + 1, "a duplicate takes no place in the order"

    async def test_threads_are_separate_conversations_and_a_thread_is_one(self, store: Store) -> None:
        one = await accept(store, new(1, thread="1"))
        other = await accept(store, new(2, thread="2"))
        again = await accept(store, new(3, thread="1"))
        assert one.conversation_id != other.conversation_id
        assert (again.conversation_id, again.seq, again.waiting) == (one.conversation_id, 2, 1)

    async def test_a_conversation_is_found_by_its_key_and_app(self, store: Store) -> None:
        accepted = await accept(store, new(1))
        assert await store.find_conversation(values.key("1"), values.APP) == accepted.conversation_id
        assert await store.find_conversation(values.key("1"), AppName("other")) is None
        assert await store.find_conversation(values.key("2"), values.APP) is None
        assert await store.find_conversation(values.key("1", person="ada"), values.APP) is None

    async def test_a_reply_can_join_a_conversation_of_another_place(self, store: Store) -> None:
        first = await accept(store, new(1, thread="1"))
        joined = await accept(store, new(2, thread="elsewhere", join=first.conversation_id))
        assert joined.conversation_id == first.conversation_id

    async def test_questions_are_begun_in_order_and_one_at_a_time(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        await accept(store, new(2))
        first = await begin(store, conversation)
        assert await store.begin_next(conversation, first.epoch) is None, "the first is not finished"
        await store.finish(first, AnswerState.DONE)
        second = await begin(store, conversation, first.epoch)
        assert [first.question.ref.address, second.question.ref.address] == ["q1", "q2"]
        await store.finish(second, AnswerState.DONE)
        assert await store.begin_next(conversation, second.epoch) is None
        assert await store.waiting_conversations([FAKE]) == []

    async def test_what_waits_is_known(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        assert list(await store.waiting_conversations([FAKE])) == [conversation]

    async def test_what_waits_on_a_platform_that_is_off_is_not_told(self, store: Store) -> None:
        await accept(store, new(1))
        assert await store.waiting_conversations([PlatformName("another")]) == []
        assert await store.waiting_conversations([]) == []

    async def test_a_new_owner_fences_the_old_one(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        await accept(store, new(2))
        old = await begin(store, conversation)
        await store.finish(old, AnswerState.DONE)
        taken = await begin(store, conversation)
        assert taken.epoch > old.epoch
        with pytest.raises(Fenced):
            await store.begin_next(conversation, old.epoch)
        for write in (
            store.record_started(old, IDS),
            store.move_to(old, values.target("9")),
            store.forget_backend_conversation(old),
            store.finish(old, AnswerState.DONE),
        ):
            with pytest.raises(Fenced):
                await write

    async def test_the_backend_conversation_is_kept_for_the_next_question_until_it_is_forgotten(
        self, store: Store
    ) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        for number in (2, 3):
            await accept(store, new(number))
        first = await begin(store, conversation)
        await store.record_started(first, IDS)
        await store.finish(first, AnswerState.DONE)
        second = await begin(store, conversation, first.epoch)
        assert second.ids == BackendIds(conversation=IDS.conversation)
        await store.forget_backend_conversation(second)
        await store.finish(second, AnswerState.FAILED, "gone")
        third = await begin(store, conversation, second.epoch)
        assert third.ids.conversation is None

    async def test_an_opened_thread_is_where_the_conversation_goes_on(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        await accept(store, new(2))
        first = await begin(store, conversation)
        opened = values.target("opened")
        await store.move_to(first, opened)
        await store.finish(first, AnswerState.DONE)
        second = await begin(store, conversation, first.epoch)
        assert second.target == opened
        assert second.question.target == values.target()

    async def test_our_messages_lead_back_to_their_conversation(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        assert await store.conversation_of(values.ref("a1")) == turn.conversation_id
        assert await store.conversation_of(values.ref("someone else's")) is None

    async def test_an_interrupted_answer_is_found_once_more_with_what_was_shown(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        turn = await begin(store, conversation)
        await store.record_started(turn, IDS)
        await store.record_posted(turn, 0, "n0", values.ref("a1"), "first")
        await store.record_posted(turn, 1, "n1", values.ref("a2"), "sec")
        await store.record_shown(turn, 1, "second")
        [found] = await store.interrupted_answers()
        assert (found.state, found.turn.answer_id, found.turn.ids) == (AnswerState.STREAMING, turn.answer_id, IDS)
        assert [(part.ref.address, part.text) for part in found.parts] == [("a1", "first"), ("a2", "second")]
        with pytest.raises(Fenced):
            await store.finish(turn, AnswerState.DONE)
        assert await store.begin_next(conversation, None) is None, "it is not begun again by itself"
        await store.finish(found.turn, AnswerState.FAILED, "interrupted")
        assert await store.interrupted_answers() == []
        assert await store.waiting_conversations([FAKE]) == []

    async def test_an_answer_asked_and_not_shown_is_interrupted_too(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        await begin(store, conversation)
        [found] = await store.interrupted_answers()
        assert (found.state, found.parts) == (AnswerState.ASKED, ())

    async def test_the_text_of_old_answered_questions_is_removed_and_only_that(self, store: Store) -> None:
        await answered(store, 1, "a1")
        await accept(store, new(2))
        long_after = values.THEN + timedelta(days=365)
        assert await store.blank_payloads(values.THEN - timedelta(days=365)) == 0
        assert await store.blank_payloads(long_after) == 1
        assert await store.blank_payloads(long_after) == 0

    # Votes

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
        await store.record_posted(turn, 0, "n0", values.ref("a1"), "")
        await store.record_posted(turn, 1, "n1", values.ref("a2"), "")
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
        await store.record_posted(turn, 0, "n0", values.ref("a1"), "")
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
