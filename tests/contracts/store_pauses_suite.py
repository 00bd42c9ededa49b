"""What every store promises of answers that wait for people."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.errors import Fenced
from bridge.messages import AnswerState, EventId, PersonId, Turn
from bridge.pauses import Given, InputAction, InputField, InputRequest, Pause, PauseStep
from bridge.pauses_api import GiveResult
from bridge.store import StopResult, Store, Touched
from tests.contracts import store_steps as steps
from tests.fakes import values

LATER = datetime(2030, 1, 1, tzinfo=UTC)
REQUEST = InputRequest(
    id="form-1",
    token="t",
    title="Review",
    text="Is this right?",
    fields=(InputField(name="why", default="because"),),
    actions=(InputAction(id="yes", title="Approve"), InputAction(id="no", title="Reject")),
    expires_at=LATER,
)
PAUSE = Pause(number=1, request=REQUEST, said="So far.", shown="So far.")
YES = Given(action="yes", values={"why": "so"}, by=PersonId("ada"), name="Ada")
NO = Given(action="no", by=PersonId("bob"), name="Bob")
PLATFORMS = [values.target().platform]


async def pause(store: Store, number: int = 1, *, rests: bool = True) -> Turn:
    turn = await steps.ask(store, number, thread=str(number))
    await store.record_started(turn, steps.ids(f"m{number}", f"c{number}"))
    await steps.post(store, turn, f"out{number}")
    kept = await store.record_paused(turn, PAUSE)
    if rests:
        assert await store.rest(turn, kept, look_at=LATER, remind_at=None)
    return turn


class PausesContract:
    async def test_a_paused_answer_rests_and_nothing_is_begun_behind_it(self, store: Store) -> None:
        turn = await pause(store)
        behind = await steps.accept(store, steps.new(2, thread="1"))
        assert behind.behind_form
        assert await store.waiting_conversations(PLATFORMS) == []
        assert await store.begin_next(turn.conversation_id, None) is None
        assert await store.begin_next(turn.conversation_id, turn.epoch) is None

    async def test_a_question_behind_an_answer_that_is_worked_on_is_not_behind_a_form(self, store: Store) -> None:
        turn = await steps.ask(store, 1, thread="1")
        assert not (await steps.accept(store, steps.new(2, thread="1"))).behind_form
        await store.record_paused(turn, PAUSE)
        assert (await steps.accept(store, steps.new(3, thread="1"))).behind_form, "also just before it rests"
        await store.record_paused(turn, replace(PAUSE, step=PauseStep.RESUMED))
        assert not (await steps.accept(store, steps.new(4, thread="1"))).behind_form

    async def test_what_was_paused_is_read_again_as_it_was(self, store: Store) -> None:
        turn = await pause(store)
        assert await store.pause_of(turn.answer_id) == PAUSE

    async def test_the_first_answer_counts_and_ends_the_rest(self, store: Store) -> None:
        turn = await pause(store)
        gave = await store.give(EventId("g1"), turn.answer_id, 1, YES)
        late = await store.give(EventId("g2"), turn.answer_id, 1, NO)
        assert (gave.result, gave.conversation) == (GiveResult.TAKEN, turn.conversation_id)
        assert (late.result, late.by) == (GiveResult.EARLIER, "Ada")
        assert await store.waiting_conversations(PLATFORMS) == [turn.conversation_id]
        again = await steps.begin(store, turn.conversation_id)
        assert (again.answer_id, again.state, again.epoch) == (turn.answer_id, AnswerState.PAUSED, turn.epoch + 1)
        assert await store.pause_of(turn.answer_id) == replace(PAUSE, step=PauseStep.GIVEN, given=YES)

    async def test_an_answer_that_is_delivered_twice_is_taken_once(self, store: Store) -> None:
        turn = await pause(store)
        first = await store.give(EventId("g1"), turn.answer_id, 1, YES)
        assert await store.give(EventId("g1"), turn.answer_id, 1, YES) == first

    async def test_a_form_that_was_answered_before_is_over(self, store: Store) -> None:
        turn = await pause(store)
        assert (await store.give(EventId("g1"), turn.answer_id, 2, YES)).result is GiveResult.OVER

    async def test_a_late_form_takes_nothing(self, store: Store) -> None:
        turn = await pause(store, rests=False)
        await store.record_paused(turn, replace(PAUSE, is_late=True))
        assert (await store.give(EventId("g1"), turn.answer_id, 1, YES)).result is GiveResult.OVER

    async def test_who_answers_before_the_rest_began_is_not_slept_over(self, store: Store) -> None:
        turn = await pause(store, rests=False)
        await store.give(EventId("g1"), turn.answer_id, 1, YES)
        assert not await store.rest(turn, PAUSE, look_at=LATER, remind_at=None)
        mine = await store.begin_next(turn.conversation_id, turn.epoch)
        assert mine is not None
        assert (mine.answer_id, mine.epoch) == (turn.answer_id, turn.epoch)

    async def test_telling_the_same_pause_again_does_not_take_back_what_was_answered(self, store: Store) -> None:
        turn = await pause(store, rests=False)
        await store.give(EventId("g1"), turn.answer_id, 1, YES)
        kept = await store.record_paused(turn, PAUSE)
        assert (kept.step, kept.given) == (PauseStep.GIVEN, YES)

    async def test_the_next_form_of_the_answer_is_open_again(self, store: Store) -> None:
        turn = await pause(store)
        await store.give(EventId("g1"), turn.answer_id, 1, YES)
        mine = await steps.begin(store, turn.conversation_id)
        second = Pause(number=2, request=replace(REQUEST, id="form-2"), answered=("form-1",))
        await store.record_paused(mine, second)
        assert await store.rest(mine, second, look_at=LATER, remind_at=None)
        assert (await store.give(EventId("g1"), turn.answer_id, 1, YES)).result is GiveResult.OVER
        assert (await store.give(EventId("g2"), turn.answer_id, 2, NO)).result is GiveResult.TAKEN

    async def test_a_stop_ends_the_rest_and_closes_the_form(self, store: Store) -> None:
        turn = await pause(store)
        assert await store.request_stop(EventId("s"), turn.conversation_id) is StopResult.STOPPING
        assert (await store.give(EventId("g1"), turn.answer_id, 1, YES)).result is GiveResult.OVER
        again = await steps.begin(store, turn.conversation_id)
        assert (again.state, again.stop is not None) == (AnswerState.PAUSED, True)

    async def test_an_edit_ends_the_rest(self, store: Store) -> None:
        turn = await pause(store)
        change = await store.revise(EventId("e"), steps.edited(1, "How?"), 1, running=True)
        assert change.touched is Touched.RUNNING
        assert (await steps.begin(store, turn.conversation_id)).superseded

    async def test_a_deletion_ends_the_rest(self, store: Store) -> None:
        turn = await pause(store)
        await store.withdraw(EventId("d"), turn.question.ref)
        assert (await steps.begin(store, turn.conversation_id)).stop is not None

    async def test_a_stopped_answer_does_not_come_to_rest(self, store: Store) -> None:
        turn = await pause(store, rests=False)
        await store.request_stop(EventId("s"), turn.conversation_id)
        assert not await store.rest(turn, PAUSE, look_at=LATER, remind_at=None)

    async def test_the_form_is_found_by_its_message_for_as_long_as_it_is_of_use(self, store: Store) -> None:
        turn = await pause(store)
        found = await store.open_form(values.ref("out1"), values.key("1"))
        assert found is not None
        assert (found.answer, found.conversation, found.pause) == (turn.answer_id, turn.conversation_id, PAUSE)
        assert (found.asker, found.app, found.stopped) == (turn.question.author, turn.app, False)
        assert await store.open_form(values.ref("elsewhere"), values.key("other")) is None
        await store.request_stop(EventId("s"), turn.conversation_id)
        mine = await steps.begin(store, turn.conversation_id)
        await store.record_outcome(mine, steps.outcome(state=AnswerState.STOPPED))
        await store.finish(mine, AnswerState.STOPPED)
        assert await store.open_form(values.ref("out1"), values.key("1")) is None
        assert await store.pause_of(turn.answer_id) is None

    async def test_a_form_is_found_by_its_thread_as_long_as_its_message_is_not_recorded(self, store: Store) -> None:
        turn = await pause(store)
        found = await store.open_form(values.ref("not recorded yet"), values.key("1"))
        assert found is not None
        assert found.answer == turn.answer_id
        old = await steps.answered(store, 7, "old", thread="7")
        assert old is not None
        assert await store.open_form(values.ref("old"), values.key("1")) is None, "that one is known, and was another's"

    async def test_what_is_asked_anew_waits_for_nobody(self, store: Store) -> None:
        turn = await pause(store, rests=False)
        await store.record_asked(turn, 2)
        assert await store.pause_of(turn.answer_id) is None

    async def test_a_run_that_goes_on_is_streaming(self, store: Store) -> None:
        turn = await pause(store, rests=False)
        await store.record_started(turn, steps.ids("m1"))
        mine = await steps.begin(store, turn.conversation_id)
        assert mine.state is AnswerState.STREAMING
        assert await store.pause_of(turn.answer_id) == PAUSE

    async def test_a_former_owner_can_neither_pause_nor_rest(self, store: Store) -> None:
        turn = await pause(store, rests=False)
        await steps.begin(store, turn.conversation_id)
        with pytest.raises(Fenced):
            await store.record_paused(turn, PAUSE)
        with pytest.raises(Fenced):
            await store.rest(turn, PAUSE, look_at=LATER, remind_at=None)

    async def test_each_pause_that_is_due_is_given_to_one_caller(self, store: Store) -> None:
        turn = await pause(store)
        assert await store.due_pauses(PLATFORMS, LATER - timedelta(seconds=1), LATER, 10) == []
        again_at = LATER + timedelta(minutes=1)
        due = await store.due_pauses(PLATFORMS, LATER, again_at, 10)
        assert [(one.answer, one.pause, one.remind) for one in due] == [(turn.answer_id, PAUSE, False)]
        assert (due[0].ids.conversation, due[0].conversation) == ("c1", turn.conversation_id)
        assert await store.due_pauses(PLATFORMS, LATER, again_at, 10) == []
        assert len(await store.due_pauses(PLATFORMS, again_at, again_at + timedelta(minutes=1), 10)) == 1

    async def test_nobody_looks_after_what_does_not_rest(self, store: Store) -> None:
        turn = await pause(store)
        await store.give(EventId("g1"), turn.answer_id, 1, YES)
        assert await store.due_pauses(PLATFORMS, LATER, LATER, 10) == []

    async def test_people_are_reminded_once(self, store: Store) -> None:
        turn = await pause(store, rests=False)
        assert await store.rest(turn, PAUSE, look_at=LATER, remind_at=LATER)
        (due,) = await store.due_pauses(PLATFORMS, LATER, LATER, 10)
        assert due.remind
        (due,) = await store.due_pauses(PLATFORMS, LATER, LATER, 10)
        assert not due.remind
        # Looked at once more, and nothing is new.
        await store.rouse(turn.answer_id)
        mine = await steps.begin(store, turn.conversation_id)
        assert await store.rest(mine, await store.record_paused(mine, PAUSE), look_at=LATER, remind_at=LATER)
        (due,) = await store.due_pauses(PLATFORMS, LATER, LATER, 10)
        assert not due.remind

    async def test_a_resting_answer_can_be_roused(self, store: Store) -> None:
        turn = await pause(store)
        assert await store.rouse(turn.answer_id) == turn.conversation_id
        assert await store.rouse(turn.answer_id) is None
        assert await store.waiting_conversations(PLATFORMS) == [turn.conversation_id]

    async def test_the_next_question_is_begun_once_the_paused_one_has_ended(self, store: Store) -> None:
        turn = await pause(store)
        await steps.accept(store, steps.new(2, thread="1"))
        await store.rouse(turn.answer_id)
        mine = await steps.begin(store, turn.conversation_id)
        await store.finish(mine, AnswerState.DONE)
        assert (await steps.begin(store, turn.conversation_id, mine.epoch)).seq == 2
