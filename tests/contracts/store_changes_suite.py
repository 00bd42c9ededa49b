"""What every store promises when somebody stops, edits, deletes or retries."""

from datetime import timedelta

from bridge.messages import AnswerState, EventId, MessageRef, Outcome, StopReason, Turn
from bridge.store import Change, Full, Orders, RetryResult, StopResult, Store, Touched
from tests.contracts.store_steps import IDS, accept, answered, ask, begin, edited, new, outcome, post, retried
from tests.fakes import values
from tests.fakes.platform import FAKE

LONG_AFTER = values.THEN + timedelta(days=3650)
NOTHING = Change(touched=Touched.NOTHING)


async def stop(
    store: Store, turn: Turn, event: str = "s1", *, by: MessageRef | None = None, answer: MessageRef | None = None
) -> StopResult:
    return await store.request_stop(EventId(event), turn.conversation_id, by=by, answer=answer)


async def revise(store: Store, text: str, revision: int, *, number: int = 1, running: bool = True) -> Change:
    return await store.revise(EventId(f"edit {number}.{revision}"), edited(number, text), revision, running=running)


async def withdraw(store: Store, number: int = 1, event: str = "deleted") -> Change:
    return await store.withdraw(EventId(event), values.ref(f"q{number}"))


class ChangesContract:
    # Stop

    async def test_a_stop_is_an_order_to_the_running_turn(self, store: Store) -> None:
        turn = await ask(store, 1)
        assert await store.orders(turn) == Orders()
        assert await stop(store, turn) is StopResult.STOPPING
        assert await store.orders(turn) == Orders(stop=StopReason.MEMBER)

    async def test_a_stop_is_known_to_the_next_owner(self, store: Store) -> None:
        turn = await ask(store, 1)
        await stop(store, turn)
        assert (await begin(store, turn.conversation_id)).stop is StopReason.MEMBER

    async def test_a_stop_before_the_backend_was_asked_counts(self, store: Store) -> None:
        turn = await begin(store, (await accept(store, new(1))).conversation_id)
        assert await stop(store, turn) is StopResult.STOPPING
        assert (await store.orders(turn)).stop is StopReason.MEMBER

    async def test_the_same_stop_twice_is_told_as_such(self, store: Store) -> None:
        turn = await ask(store, 1)
        await stop(store, turn)
        assert await stop(store, turn) is StopResult.DUPLICATE
        await store.finish(turn, AnswerState.STOPPED)
        assert await stop(store, turn) is StopResult.DUPLICATE, "also when nothing runs any more"

    async def test_two_people_may_stop_one_answer(self, store: Store) -> None:
        turn = await ask(store, 1)
        await post(store, turn, "a1")
        for event in ("by ada", "by grace"):
            assert await stop(store, turn, event, answer=values.ref("a1")) is StopResult.STOPPING

    async def test_a_message_that_says_stop_is_claimed_as_a_question_would_be(self, store: Store) -> None:
        turn = await ask(store, 1)
        assert await stop(store, turn, "as mention", by=values.ref("q2")) is StopResult.STOPPING
        assert await stop(store, turn, "as message", by=values.ref("q2")) is StopResult.DUPLICATE
        assert await store.accept(new(2)) is None
        await store.finish(turn, AnswerState.STOPPED)
        assert await store.begin_next(turn.conversation_id, None) is None, "it is no question"
        assert await store.waiting_conversations([FAKE]) == []

    async def test_a_question_that_was_accepted_is_no_stop_when_it_comes_again(self, store: Store) -> None:
        turn = await ask(store, 1)
        assert await stop(store, turn, "as message", by=turn.question.ref) is StopResult.DUPLICATE
        assert await store.orders(turn) == Orders()

    async def test_nothing_is_stopped_or_claimed_where_nothing_runs(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.finish(turn, AnswerState.DONE)
        assert await stop(store, turn, "e2", by=values.ref("q2")) is StopResult.NOTHING_RUNS
        assert (await accept(store, new(2))).waiting == 0, "so it is a question"
        assert await stop(store, turn, "s1") is StopResult.NOTHING_RUNS, "what waits does not run"
        assert (await begin(store, turn.conversation_id)).stop is None

    async def test_an_answer_that_shows_its_end_cannot_be_stopped(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_outcome(turn, outcome())
        assert await stop(store, turn) is StopResult.NOTHING_RUNS

    async def test_only_the_answer_that_was_pointed_at_is_stopped(self, store: Store) -> None:
        await answered(store, 1, "a1", thread="1")
        turn = await ask(store, 2)
        await post(store, turn, "a2")
        assert await stop(store, turn, answer=values.ref("a1")) is StopResult.NOTHING_RUNS
        assert await stop(store, turn, answer=values.ref("not ours")) is StopResult.NOTHING_RUNS
        assert await stop(store, turn, answer=values.ref("a2")) is StopResult.STOPPING

    async def test_a_stop_belongs_to_one_answer(self, store: Store) -> None:
        turn = await ask(store, 1)
        await accept(store, new(2))
        await stop(store, turn)
        await store.finish(turn, AnswerState.STOPPED)
        following = await begin(store, turn.conversation_id, turn.epoch)
        assert following.stop is None
        assert await store.orders(following) == Orders()

    # Edits

    async def test_a_waiting_question_is_replaced(self, store: Store) -> None:
        accepted = await accept(store, new(1))
        assert await revise(store, "How?", 5) == Change(
            touched=Touched.WAITING, conversation_id=accepted.conversation_id
        )
        turn = await begin(store, accepted.conversation_id)
        assert (turn.question.text, turn.superseded) == ("How?", False)

    async def test_the_newest_revision_counts_whatever_comes_last(self, store: Store) -> None:
        accepted = await accept(store, new(1))
        await revise(store, "third", 3)
        for revision in (2, 3):
            assert await revise(store, "late", revision) == NOTHING
        await revise(store, "fourth", 4)
        assert (await begin(store, accepted.conversation_id)).question.text == "fourth"

    async def test_an_edit_before_the_backend_is_asked_is_simply_what_is_asked(self, store: Store) -> None:
        turn = await begin(store, (await accept(store, new(1))).conversation_id)
        assert (await revise(store, "How?", 1)).touched is Touched.RUNNING
        assert (await store.orders(turn)).question is None, "nothing was asked yet"
        assert (await store.record_asked(turn, 1)).text == "How?"
        assert (await store.orders(turn)).question is None

    async def test_an_edit_of_what_is_being_answered_is_an_order(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_started(turn, IDS)
        assert await revise(store, "How?", 1) == Change(touched=Touched.RUNNING, conversation_id=turn.conversation_id)
        order = (await store.orders(turn)).question
        assert order is not None
        assert order.text == "How?"
        taken = await begin(store, turn.conversation_id)
        assert (taken.superseded, taken.question.text) == (True, "How?")
        assert (await store.record_asked(taken, 2)).text == "How?"
        assert (await store.orders(taken)).question is None
        assert not (await begin(store, turn.conversation_id)).superseded

    async def test_an_edit_of_what_is_being_answered_is_nothing_where_that_is_not_wanted(self, store: Store) -> None:
        turn = await ask(store, 1)
        assert await revise(store, "How?", 1, running=False) == NOTHING
        assert await store.orders(turn) == Orders()
        assert (await begin(store, turn.conversation_id)).question.text == "Why?"

    async def test_an_edit_comes_too_late_for_what_is_answered_or_shows_its_end(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_outcome(turn, outcome())
        assert await revise(store, "How?", 1) == NOTHING
        await store.finish(turn, AnswerState.DONE)
        assert await revise(store, "How?", 2) == NOTHING

    async def test_an_edit_that_says_the_same_is_nothing(self, store: Store) -> None:
        turn = await ask(store, 1)
        assert await revise(store, "Why?", 5) == NOTHING, "a preview of a link was added"
        assert await store.orders(turn) == Orders()
        assert (await revise(store, "How?", 4)).touched is Touched.RUNNING, "and it leaves no trace"

    async def test_edits_of_other_messages_are_nothing(self, store: Store) -> None:
        turn = await ask(store, 1)
        await post(store, turn, "q5")
        assert await revise(store, "How?", 1, number=5) == NOTHING
        assert await revise(store, "How?", 1, number=6) == NOTHING

    async def test_an_edit_may_name_people_and_move_with_its_message(self, store: Store) -> None:
        accepted = await accept(store, new(1))
        now = values.question("Ask Grace", number=1, named=(values.GRACE,), where=values.target("2"))
        await store.revise(EventId("x"), now, 1, running=False)
        assert (await begin(store, accepted.conversation_id)).question == now

    # Deletions

    async def test_a_withdrawn_question_is_passed_over(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        await accept(store, new(2))
        assert await withdraw(store) == Change(touched=Touched.WAITING, conversation_id=conversation)
        turn = await begin(store, conversation)
        assert (turn.question.ref.address, turn.seq) == ("q2", 2)
        await store.finish(turn, AnswerState.DONE)
        assert await store.begin_next(conversation, turn.epoch) is None
        assert await store.waiting_conversations([FAKE]) == []

    async def test_withdrawn_questions_at_the_end_leave_nothing_waiting(self, store: Store) -> None:
        turn = await ask(store, 1)
        for number in (2, 3):
            await accept(store, new(number))
            await withdraw(store, number, f"d{number}")
        assert (await accept(store, new(4))).waiting == 1, "only the one being answered is before it"
        await withdraw(store, 4, "d4")
        await store.finish(turn, AnswerState.DONE)
        assert await store.begin_next(turn.conversation_id, turn.epoch) is None
        assert await store.waiting_conversations([FAKE]) == []

    async def test_withdrawing_what_is_being_answered_stops_it(self, store: Store) -> None:
        turn = await ask(store, 1)
        for event in ("deleted", "deleted", "told otherwise"):
            assert await withdraw(store, event=event) == Change(
                touched=Touched.RUNNING, conversation_id=turn.conversation_id
            )
        assert await store.orders(turn) == Orders(stop=StopReason.WITHDRAWN)
        assert (await begin(store, turn.conversation_id)).stop is StopReason.WITHDRAWN

    async def test_a_deletion_is_stronger_than_a_stop_and_than_an_edit(self, store: Store) -> None:
        turn = await ask(store, 1)
        await stop(store, turn, "before")
        await withdraw(store)
        assert await stop(store, turn, "after") is StopResult.STOPPING
        assert await revise(store, "How?", 1) == NOTHING
        assert await store.orders(turn) == Orders(stop=StopReason.WITHDRAWN)

    async def test_a_withdrawn_question_cannot_be_edited(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        await withdraw(store)
        assert await revise(store, "How?", 1) == NOTHING
        assert await store.begin_next(conversation, None) is None

    async def test_a_deletion_comes_too_late_for_what_is_answered_or_shows_its_end(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_outcome(turn, outcome())
        assert await withdraw(store) == NOTHING
        await store.finish(turn, AnswerState.DONE)
        assert await withdraw(store) == NOTHING
        assert await store.withdraw(EventId("x"), values.ref("not ours")) == NOTHING

    async def test_a_withdrawn_question_cannot_be_asked_by_delivering_it_again(self, store: Store) -> None:
        await accept(store, new(1))
        await withdraw(store)
        assert await store.accept(new(1, event="again")) is None

    # Retries

    async def test_a_retry_asks_the_same_at_the_end_and_answers_in_the_same_place(self, store: Store) -> None:
        first = await answered(store, 1, "a1", thread="1", state=AnswerState.FAILED, text="What for?")
        await post(store, first, "a1b", part=1, text="second part")
        await accept(store, new(2))
        result = await retried(store, "a1")
        assert (result.conversation_id, result.target) == (first.conversation_id, first.target)
        second = await begin(store, first.conversation_id)
        assert second.question.ref.address == "q2"
        await store.finish(second, AnswerState.DONE)
        third = await begin(store, first.conversation_id, second.epoch)
        assert (third.question, third.state, third.attempt) == (first.question, AnswerState.PLANNED, 0)
        assert third.answer_id != first.answer_id
        assert [(part.part, part.ref, part.text) for part in third.parts] == [
            (0, values.ref("a1"), ""),
            (1, values.ref("a1b"), "second part"),
        ]
        assert third.outcome is None
        assert third.stop is None

    async def test_an_answer_is_retried_once_however_often_it_is_asked_for(self, store: Store) -> None:
        turn = await answered(store, 1, "a1", state=AnswerState.STOPPED)
        await retried(store, "a1", event="first")
        for event in ("first", "second"):
            result = await store.retry(EventId(event), values.ref("a1"))
            assert (result.result, result.conversation_id) == (RetryResult.DUPLICATE, turn.conversation_id)
        again = await begin(store, turn.conversation_id)
        await store.finish(again, AnswerState.DONE)
        assert await store.begin_next(turn.conversation_id, again.epoch) is None

    async def test_what_comes_out_of_a_retry_may_be_retried_again(self, store: Store) -> None:
        turn = await answered(store, 1, "a1", state=AnswerState.FAILED)
        for number in range(3):
            await retried(store, "a1", event=f"again {number}")
            again = await begin(store, turn.conversation_id)
            assert [part.ref for part in again.parts] == [values.ref("a1")]
            await store.finish(again, AnswerState.FAILED)
        await retried(store, "a1", event="at last")
        await store.finish(await begin(store, turn.conversation_id), AnswerState.DONE)
        assert (await store.retry(EventId("more"), values.ref("a1"))).result is RetryResult.NOTHING

    async def test_only_failed_and_stopped_answers_are_retried(self, store: Store) -> None:
        await answered(store, 1, "a1")
        running = await ask(store, 2)
        await post(store, running, "a2")
        for address in ("a1", "a2", "not ours"):
            result = await store.retry(EventId("x"), values.ref(address))
            assert (result.result, result.conversation_id) == (RetryResult.NOTHING, None)

    async def test_an_ending_that_is_shown_and_not_recorded_yet_may_be_retried_when_it_is_a_bad_one(
        self, store: Store
    ) -> None:
        for number, state in enumerate((AnswerState.FAILED, AnswerState.DONE), start=1):
            running = await ask(store, number, thread=str(number))
            await post(store, running, f"a{number}")
            await store.record_outcome(running, Outcome(state=state, text="so far"))
            result = await store.retry(EventId(f"x{number}"), values.ref(f"a{number}"))
            assert result.result is (RetryResult.ACCEPTED if number == 1 else RetryResult.NOTHING)
            await store.finish(running, state)
            again = await store.begin_next(running.conversation_id, running.epoch)
            assert (again is None) is (number == 2)
            if again is not None:
                assert [part.ref for part in again.parts] == [values.ref("a1")]

    async def test_a_retried_answers_messages_are_the_new_answers(self, store: Store) -> None:
        old = await answered(store, 1, "a1", state=AnswerState.FAILED)
        await retried(store, "a1")
        new_one = await begin(store, old.conversation_id)
        assert await store.conversation_of(values.ref("a1")) == old.conversation_id
        assert await stop(store, new_one, answer=values.ref("a1")) is StopResult.STOPPING

    async def test_a_retry_takes_a_place_however_much_waits(self, store: Store) -> None:
        old = await answered(store, 1, "a1", thread="1", state=AnswerState.FAILED)
        await accept(store, new(2, most_waiting=0))
        assert isinstance(await store.accept(new(3, most_waiting=0)), Full)
        await retried(store, "a1")
        assert (await accept(store, new(4))).waiting == 2
        assert await store.conversation_of(values.ref("a1")) == old.conversation_id

    async def test_a_question_that_waits_to_be_asked_again_is_edited_and_withdrawn_like_any_other(
        self, store: Store
    ) -> None:
        turn = await answered(store, 1, "a1", state=AnswerState.FAILED)
        assert await revise(store, "too late", 1) == NOTHING
        await retried(store, "a1", event="first")
        assert (await revise(store, "How?", 2)).touched is Touched.WAITING
        again = await begin(store, turn.conversation_id)
        assert again.question.text == "How?"
        assert (await withdraw(store)).touched is Touched.RUNNING
        await store.finish(again, AnswerState.STOPPED)
        await retried(store, "a1", event="second")
        assert (await withdraw(store, event="twice")).touched is Touched.WAITING
        assert await store.begin_next(turn.conversation_id, None) is None

    async def test_an_opened_thread_is_where_a_retry_is_answered(self, store: Store) -> None:
        turn = await ask(store, 1)
        opened = values.target("opened")
        await store.move_to(turn, opened)
        await post(store, turn, "a1")
        await store.finish(turn, AnswerState.FAILED)
        assert (await retried(store, "a1")).target == opened
        assert (await begin(store, turn.conversation_id)).target == opened

    async def test_a_retry_of_a_forgotten_question_says_so(self, store: Store) -> None:
        turn = await answered(store, 1, "a1", state=AnswerState.FAILED)
        await store.blank_payloads(LONG_AFTER)
        result = await store.retry(EventId("again"), values.ref("a1"))
        assert (result.result, result.conversation_id) == (RetryResult.FORGOTTEN, turn.conversation_id)
        assert result.target is None, "where it was asked went with its text"
        assert await store.begin_next(turn.conversation_id, None) is None

    async def test_where_a_forgotten_question_was_answered_is_known_where_a_thread_was_opened(
        self, store: Store
    ) -> None:
        turn = await ask(store, 1)
        await store.move_to(turn, values.target("opened"))
        await post(store, turn, "a1")
        await store.finish(turn, AnswerState.FAILED)
        await store.blank_payloads(LONG_AFTER)
        result = await store.retry(EventId("again"), values.ref("a1"))
        assert (result.result, result.target) == (RetryResult.FORGOTTEN, values.target("opened"))

    async def test_a_retry_that_waits_survives_the_blanking_of_the_first_answer(self, store: Store) -> None:
        turn = await answered(store, 1, "a1", state=AnswerState.FAILED, text="What for?")
        await retried(store, "a1")
        assert await store.blank_payloads(LONG_AFTER) == 1
        again = await begin(store, turn.conversation_id)
        assert again.question.text == "What for?"
        assert [part.ref for part in again.parts] == [values.ref("a1")]

    async def test_an_event_that_was_a_question_is_no_retry(self, store: Store) -> None:
        await answered(store, 1, "a1", state=AnswerState.FAILED)
        assert (await store.retry(EventId("e1"), values.ref("a1"))).result is RetryResult.DUPLICATE
        await retried(store, "a1")

    async def test_an_outcome_of_a_retry_is_its_own(self, store: Store) -> None:
        turn = await answered(store, 1, "a1", state=AnswerState.FAILED, said="half")
        await retried(store, "a1")
        again = await begin(store, turn.conversation_id)
        await store.record_asked(again, 1)
        await store.record_outcome(again, outcome("whole"))
        found = await begin(store, turn.conversation_id)
        assert found.outcome == Outcome(state=AnswerState.DONE, text="whole")
