"""What every store promises about what members fill in for an app; each binds it with its fixtures."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from bridge.archive import ForgetResult
from bridge.forms_api import FieldKind, Form, FormField
from bridge.kept_inputs import UNUSED_FOR, InputRequest, KeepsInputs
from bridge.messages import AnswerId, AnswerState, ConversationId, EventId, PersonId, Turn
from bridge.storage.archive import SqlArchive
from bridge.storage.store import SqlStore
from bridge.storage.tables import conversation_input
from bridge.store import Store
from tests.contracts.store_steps import accept, answered, ask, begin, new, outcome
from tests.fakes.clock import FakeClock

CUSTOMER = FormField(name="customer", label="Customer", hint="As on the “bill”")
PLAN = FormField(name="plan", label="Plan", kind=FieldKind.SELECT, options=("Gold", "Silver"), default="Gold")
NOBODY = AnswerId(99)


@dataclass(frozen=True)
class Archive:
    store: Store
    inputs: KeepsInputs
    clock: FakeClock


def request(turn: Turn, clock: FakeClock, *fields: FormField, minutes: int = 10) -> InputRequest:
    return InputRequest(
        answer_id=turn.answer_id,
        person=PersonId("ada"),
        form=Form(id=f"inputs:{turn.answer_id}", title="Before I ask", fields=fields or (CUSTOMER, PLAN)),
        expires_at=clock.now() + timedelta(minutes=minutes),
    )


class InputsContract:
    async def test_what_is_asked_for_is_found_as_it_was_asked(self, archive: Archive) -> None:
        turn = await ask(archive.store, 1)
        wanted = request(turn, archive.clock)
        assert await archive.inputs.asked(turn.answer_id) is None
        assert await archive.inputs.ask(wanted) == wanted
        assert await archive.inputs.asked(turn.answer_id) == wanted
        assert await archive.inputs.asked(NOBODY) is None

    async def test_asking_again_changes_what_is_asked_for_and_not_until_when(self, archive: Archive) -> None:
        turn = await ask(archive.store, 1)
        first = await archive.inputs.ask(request(turn, archive.clock))
        later = request(turn, archive.clock, PLAN, minutes=20)
        standing = await archive.inputs.ask(later)
        assert (standing.form, standing.expires_at) == (later.form, first.expires_at)
        assert await archive.inputs.asked(turn.answer_id) == standing

    async def test_what_was_filled_in_is_known_to_every_question_of_its_conversation(self, archive: Archive) -> None:
        store, inputs = archive.store, archive.inputs
        turn = await ask(store, 1)
        await accept(store, new(2))
        other = await ask(store, 3, thread="other")
        await inputs.ask(request(turn, archive.clock))
        given = {"customer": "ÄCME “1”", "plan": "Gold"}
        assert await inputs.fill_in(turn.answer_id, given) == turn.conversation_id
        assert await inputs.known(turn) == given
        await store.finish(turn, AnswerState.DONE)
        assert await inputs.known(await begin(store, turn.conversation_id)) == given
        assert await inputs.known(other) == {}

    async def test_values_come_back_as_what_they_were(self, archive: Archive) -> None:
        turn = await ask(archive.store, 1)
        fields = [FormField(name=name, label=name) for name in "abcdef"]
        given: dict[str, str | int | float | bool] = {"a": 3, "b": 2.5, "c": True, "d": "", "e": "3", "f": "true"}
        await archive.inputs.ask(request(turn, archive.clock, *fields))
        await archive.inputs.fill_in(turn.answer_id, given)
        known = await archive.inputs.known(turn)
        assert {name: (value, type(value)) for name, value in known.items()} == {
            name: (value, type(value)) for name, value in given.items()
        }

    async def test_the_rest_of_a_form_stays_asked_for(self, archive: Archive) -> None:
        turn = await ask(archive.store, 1)
        await archive.inputs.ask(request(turn, archive.clock))
        assert await archive.inputs.fill_in(turn.answer_id, {"customer": "ACME"})
        left = await archive.inputs.asked(turn.answer_id)
        assert left is not None
        assert left.form.fields == (PLAN,)
        assert await archive.inputs.fill_in(turn.answer_id, {"plan": "Gold"})
        assert await archive.inputs.asked(turn.answer_id) is None

    async def test_only_what_is_asked_for_is_taken(self, archive: Archive) -> None:
        turn = await ask(archive.store, 1)
        assert await archive.inputs.fill_in(turn.answer_id, {"customer": "ACME"}) is None
        assert await archive.inputs.fill_in(NOBODY, {"customer": "ACME"}) is None
        await archive.inputs.ask(request(turn, archive.clock, PLAN))
        await archive.inputs.fill_in(turn.answer_id, {"customer": "ACME", "plan": "Gold"})
        assert await archive.inputs.known(turn) == {"plan": "Gold"}

    async def test_two_that_fill_in_the_same_form_at_once_count_once(self, archive: Archive) -> None:
        turn = await ask(archive.store, 1)
        await archive.inputs.ask(request(turn, archive.clock, PLAN))
        both = await asyncio.gather(
            archive.inputs.fill_in(turn.answer_id, {"plan": "Gold"}),
            archive.inputs.fill_in(turn.answer_id, {"plan": "Silver"}),
        )
        assert sorted(both, key=str) == [turn.conversation_id, None]

    async def test_once_an_answer_has_ended_nothing_is_asked_for_it(self, archive: Archive) -> None:
        turn = await ask(archive.store, 1)
        await archive.inputs.ask(request(turn, archive.clock))
        await archive.store.record_outcome(turn, outcome(state=AnswerState.STOPPED))
        assert await archive.inputs.asked(turn.answer_id) is None, "its end is being shown"
        await archive.store.finish(turn, AnswerState.STOPPED)
        assert await archive.inputs.asked(turn.answer_id) is None
        assert await archive.inputs.fill_in(turn.answer_id, {"plan": "Gold"}) is None

    async def test_who_asks_behind_a_form_is_known_to_do_so(self, archive: Archive) -> None:
        turn = await ask(archive.store, 1)
        assert not (await accept(archive.store, new(2))).behind_form
        await archive.inputs.ask(request(turn, archive.clock, PLAN))
        assert (await accept(archive.store, new(3))).behind_form
        assert not (await accept(archive.store, new(4, thread="other"))).behind_form
        await archive.inputs.fill_in(turn.answer_id, {"plan": "Gold"})
        assert not (await accept(archive.store, new(5))).behind_form

    async def test_what_was_filled_in_later_counts(self, archive: Archive) -> None:
        first = await answered(archive.store, 1, "a1", thread="1")
        second = await ask(archive.store, 2)
        for plan in ("Gold", "Silver"):
            await archive.inputs.ask(request(second, archive.clock, PLAN))
            await archive.inputs.fill_in(second.answer_id, {"plan": plan})
        assert first.conversation_id == second.conversation_id
        assert await archive.inputs.known(second) == {"plan": "Silver"}

    async def test_a_fresh_start_forgets_it_for_later_questions_alone(self, archive: Archive) -> None:
        store, inputs = archive.store, archive.inputs
        turn = await ask(store, 1)
        await accept(store, new(2))
        await store.start_afresh(EventId("reset"), turn.conversation_id)
        await inputs.ask(request(turn, archive.clock, PLAN))
        await inputs.fill_in(turn.answer_id, {"plan": "Gold"})
        assert await inputs.known(turn) == {"plan": "Gold"}, "it was begun before"
        await store.finish(turn, AnswerState.DONE)
        assert await inputs.known(await begin(store, turn.conversation_id)) == {}

    async def test_inputs_of_conversations_that_nobody_uses_are_forgotten_in_time(self, archive: Archive) -> None:
        turn = await ask(archive.store, 1)
        await archive.inputs.ask(request(turn, archive.clock))
        await archive.inputs.fill_in(turn.answer_id, {"plan": "Gold"})
        await archive.inputs.keep_house()
        assert await archive.inputs.asked(turn.answer_id) is not None
        await archive.clock.advance((UNUSED_FOR + timedelta(days=1)).total_seconds())
        await archive.inputs.keep_house()
        assert await archive.inputs.asked(turn.answer_id) is None
        assert await archive.inputs.known(turn) == {"plan": "Gold"}, "a question is being answered there"
        await archive.store.finish(turn, AnswerState.DONE)
        await archive.inputs.keep_house()
        assert await archive.inputs.known(turn) == {"plan": "Gold"}, "it was used just now"
        await archive.clock.advance((UNUSED_FOR + timedelta(days=1)).total_seconds())
        await archive.inputs.keep_house()
        assert await archive.inputs.known(turn) == {}


class SqlInputsContract(InputsContract):
    async def test_who_has_a_conversation_forgotten_has_forgotten_what_was_filled_in_there(
        self, archive: Archive
    ) -> None:
        store, inputs = archive.store, archive.inputs
        assert isinstance(store, SqlStore)
        for number, thread in ((1, "1"), (2, "other")):
            turn = await ask(store, number, thread=thread)
            await inputs.ask(request(turn, archive.clock, PLAN))
            await inputs.fill_in(turn.answer_id, {"plan": "Gold"})
            await store.finish(turn, AnswerState.DONE)
        forgotten = await SqlArchive(store, archive.clock).forget(EventId("forget"), ConversationId(1), PersonId("ada"))
        assert forgotten.result is ForgetResult.FORGOTTEN
        async with store.reading() as connection:
            left = await connection.execute(select(conversation_input.c.conversation_id))
            assert left.scalars().all() == [2]
