"""What every store promises about taking questions in."""

import asyncio
from dataclasses import replace

from bridge.feedback import aggregate
from bridge.messages import AnswerState, AppName, BackendIds, BackendUser, EventId, Outcome, PartRole, PlatformName
from bridge.store import Accepted, Change, Full, StopResult, Store, Touched
from tests.contracts.store_steps import accept, answered, begin, edited, ids, new, retried, vote
from tests.fakes import values
from tests.fakes.platform import FAKE


class IntakeContract:
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

    async def test_what_waits_is_known(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        assert list(await store.waiting_conversations([FAKE])) == [conversation]

    async def test_what_waits_on_a_platform_that_is_off_is_not_told(self, store: Store) -> None:
        await accept(store, new(1))
        assert await store.waiting_conversations([PlatformName("another")]) == []
        assert await store.waiting_conversations([]) == []

    async def test_our_messages_lead_back_to_their_conversation(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        assert await store.conversation_of(values.ref("a1")) == turn.conversation_id
        assert await store.conversation_of(values.ref("someone else's")) is None

    async def test_a_full_queue_refuses_and_claims_what_it_refuses(self, store: Store) -> None:
        first = await accept(store, new(1, most_waiting=1))
        await begin(store, first.conversation_id)
        await accept(store, new(2, most_waiting=1))
        assert await store.accept(new(3, event="e3", most_waiting=1)) == Full(waiting=2)
        assert await store.accept(new(3, event="e3", most_waiting=1)) is None, "so that it is told once"
        assert await store.accept(new(3, event="as message")) is None, "whichever delivery comes, and whenever"
        assert (await accept(store, new(4))).seq == 3, "what was refused takes no place in the order"

    async def test_the_question_that_comes_first_does_not_count_as_waiting_even_before_it_is_begun(
        self, store: Store
    ) -> None:
        await accept(store, new(1, most_waiting=0))
        assert await store.accept(new(2, most_waiting=0)) == Full(waiting=1)

    async def test_a_queue_has_room_again_once_something_is_answered(self, store: Store) -> None:
        first = await accept(store, new(1))
        turn = await begin(store, first.conversation_id)
        assert await store.accept(new(2, most_waiting=0)) == Full(waiting=1)
        await store.finish(turn, AnswerState.DONE)
        assert (await accept(store, new(3, most_waiting=0))).waiting == 0

    async def test_what_is_always_refused_is_claimed_and_makes_no_work(self, store: Store) -> None:
        assert await store.accept(new(1, most_waiting=-1)) == Full(waiting=0)
        assert await store.accept(new(1)) is None
        assert await store.waiting_conversations([FAKE]) == []
        assert (await accept(store, new(2))).seq == 1

    async def test_a_refused_question_is_not_begun_edited_or_withdrawn(self, store: Store) -> None:
        turn = await begin(store, (await accept(store, new(1))).conversation_id)
        await store.accept(new(2, most_waiting=0))
        assert await store.revise(EventId("x"), edited(2, "How?"), 1, running=True) == Change(touched=Touched.NOTHING)
        assert await store.withdraw(EventId("y"), values.ref("q2")) == Change(touched=Touched.NOTHING)
        await store.finish(turn, AnswerState.DONE)
        assert await store.begin_next(turn.conversation_id, turn.epoch) is None

    async def test_many_deliveries_at_once_are_one_question(self, store: Store) -> None:
        results = await asyncio.gather(*(store.accept(new(1, event=f"e{number % 2}")) for number in range(8)))
        assert sum(result is not None for result in results) == 1

    async def test_questions_that_come_at_once_get_a_place_each(self, store: Store) -> None:
        results = await asyncio.gather(*(accept(store, new(number)) for number in range(12)))
        assert sorted(result.seq for result in results) == list(range(1, 13))
        assert len({result.conversation_id for result in results}) == 1

    async def test_a_full_queue_is_exact_when_many_come_at_once(self, store: Store) -> None:
        results = await asyncio.gather(*(store.accept(new(number, most_waiting=3)) for number in range(10)))
        assert sorted(result.seq for result in results if isinstance(result, Accepted)) == [1, 2, 3, 4]
        assert sum(isinstance(result, Full) for result in results) == 6

    async def test_text_that_a_database_refuses_is_taken_and_found_all_the_same(self, store: Store) -> None:
        odd = "\0 \ud83d\ude00 \ud83d \udc00 end"
        question = replace(new(1, text=odd, event=odd), backend_user=BackendUser(odd))
        question = replace(question, question=replace(question.question, ref=values.ref(odd)))
        accepted = await accept(store, question)
        assert await store.accept(question) is None
        turn = await begin(store, accepted.conversation_id)
        assert turn.question.text.endswith(" end")
        await store.record_asked(turn, 1)
        await store.record_started(turn, ids(odd, odd))
        await store.record_intended(turn, 0, odd, PartRole.TEXT, odd)
        await store.record_posted(turn, 0, odd, PartRole.TEXT, values.ref(f"answer {odd}"), odd)
        await store.record_shown(turn, 0, odd)
        assert await store.conversation_of(values.ref(f"answer {odd}")) == accepted.conversation_id
        assert await store.record_vote(vote(f"answer {odd}", who=odd), aggregate)
        assert len(await store.due_ratings(values.THEN, 5)) == 1
        edit = replace(question.question, text=odd + odd)
        assert (await store.revise(EventId(odd + "1"), edit, 1, running=True)).touched is Touched.RUNNING
        assert await store.request_stop(EventId(odd + "2"), accepted.conversation_id) is StopResult.STOPPING
        await store.record_outcome(turn, Outcome(state=AnswerState.FAILED, text=odd, notes=(odd,), error=odd))
        found = await begin(store, accepted.conversation_id)
        assert found.outcome is not None
        assert found.outcome.text.endswith(" end")
        await store.finish(found, AnswerState.FAILED, odd)
        await retried(store, f"answer {odd}", event=odd + "3")
        await store.set_bookmark(FAKE, odd, odd)
        assert (await store.bookmark(FAKE, odd) or "").endswith(" end")
