"""What every store promises about a turn, from its beginning to its end."""

import asyncio

import pytest

from bridge.errors import Fenced
from bridge.history_api import PastTurn
from bridge.messages import (
    AnswerState,
    BackendConversationId,
    BackendIds,
    BackendTaskId,
    ConversationId,
    Outcome,
    PartRole,
)
from bridge.store import Store
from tests.contracts.store_steps import IDS, accept, answered, ask, begin, ids, new, outcome, post, retried
from tests.fakes import values
from tests.fakes.platform import FAKE


class TurnsContract:
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
            store.orders(old),
            store.record_asked(old, 1),
            store.record_started(old, IDS),
            store.record_lost(old),
            store.record_intended(old, 0, "n", PartRole.TEXT, ""),
            store.record_posted(old, 0, "n", PartRole.TEXT, values.ref("a1"), ""),
            store.record_shown(old, 0, ""),
            store.record_outcome(old, outcome()),
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

    async def test_a_turn_begins_as_planned_and_is_as_nobody_had_touched_it(self, store: Store) -> None:
        turn = await begin(store, (await accept(store, new(1))).conversation_id)
        assert (turn.state, turn.attempt, turn.parts, turn.outcome) == (AnswerState.PLANNED, 0, (), None)
        assert (turn.stop, turn.superseded, turn.poisoned, turn.last_seen) == (None, False, False, None)

    async def test_a_conversation_that_nobody_knows_has_nothing_to_begin(self, store: Store) -> None:
        assert await store.begin_next(ConversationId(77), None) is None

    # Taking over

    async def test_an_unfinished_answer_is_taken_over_just_as_it_was_left(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        await accept(store, new(2))
        planned = await begin(store, conversation)
        asked = await begin(store, conversation)
        assert (asked.answer_id, asked.state) == (planned.answer_id, AnswerState.PLANNED)
        await store.record_asked(asked, 1)
        streaming = await begin(store, conversation)
        assert (streaming.state, streaming.attempt, streaming.ids) == (AnswerState.ASKED, 1, BackendIds())
        await store.record_started(streaming, IDS)
        finalising = await begin(store, conversation)
        assert (finalising.state, finalising.ids) == (AnswerState.STREAMING, IDS)
        said = Outcome(
            state=AnswerState.STOPPED, text="half", notes=("one", "two"), complete=False, error="cut", may_retry=True
        )
        await store.record_outcome(finalising, said)
        last = await begin(store, conversation)
        assert (last.state, last.outcome) == (AnswerState.FINALISING, said)
        epochs = [turn.epoch for turn in (planned, asked, streaming, finalising, last)]
        assert epochs == sorted(set(epochs)), "every owner is a new one"
        await store.finish(last, AnswerState.STOPPED, "cut")
        following = await begin(store, conversation, last.epoch)
        assert (following.question.ref.address, following.state) == ("q2", AnswerState.PLANNED)

    async def test_an_unfinished_answer_waits_for_somebody(self, store: Store) -> None:
        turn = await ask(store, 1)
        assert list(await store.waiting_conversations([FAKE])) == [turn.conversation_id]
        await store.record_outcome(turn, outcome())
        assert list(await store.waiting_conversations([FAKE])) == [turn.conversation_id]
        await store.finish(turn, AnswerState.DONE)
        assert await store.waiting_conversations([FAKE]) == []

    async def test_of_two_that_begin_at_once_the_last_one_owns_the_turn(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        await accept(store, new(2))
        both = await asyncio.gather(*(begin(store, conversation) for _ in range(4)))
        assert {turn.answer_id for turn in both} == {both[0].answer_id}, "no second answer to one question"
        assert len({turn.epoch for turn in both}) == 4
        ended = await asyncio.gather(*(store.finish(turn, AnswerState.DONE) for turn in both), return_exceptions=True)
        assert sorted(type(error).__name__ for error in ended) == ["Fenced", "Fenced", "Fenced", "NoneType"]
        following = await begin(store, conversation)
        assert following.seq == 2

    async def test_ending_what_has_ended_changes_nothing(self, store: Store) -> None:
        first = await ask(store, 1)
        await accept(store, new(2))
        await store.finish(first, AnswerState.DONE)
        second = await begin(store, first.conversation_id, first.epoch)
        await store.finish(first, AnswerState.FAILED)
        await store.record_asked(first, 9)
        await store.record_outcome(first, outcome())
        assert (await begin(store, first.conversation_id)).answer_id == second.answer_id

    # Asking

    async def test_asking_again_counts_and_forgets_the_ids_of_the_attempt_before(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_started(turn, IDS)
        assert (await store.record_asked(turn, 2)) == turn.question
        taken = await begin(store, turn.conversation_id)
        assert (taken.state, taken.attempt) == (AnswerState.ASKED, 2)
        assert taken.ids == BackendIds(conversation=IDS.conversation), "only where the conversation goes on is known"

    async def test_ids_come_one_by_one(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_started(turn, BackendIds(task=BackendTaskId("t1")))
        await store.record_started(turn, ids("m1"))
        assert (await begin(store, turn.conversation_id)).ids == IDS

    async def test_ids_that_come_late_leave_the_outcome_settled(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_outcome(turn, outcome())
        await store.record_started(turn, IDS)
        taken = await begin(store, turn.conversation_id)
        assert (taken.state, taken.ids, taken.outcome) == (AnswerState.FINALISING, IDS, outcome())

    async def test_the_backends_last_message_is_that_of_the_newest_earlier_answer(self, store: Store) -> None:
        for number in (1, 2):
            await answered(store, number, f"a{number}", thread="1", given=ids(f"m{number}"))
        turn = await ask(store, 3)
        assert turn.last_seen == "m2"
        await store.record_started(turn, ids("m3"))
        assert (await begin(store, turn.conversation_id)).last_seen == "m2", "and never its own"

    async def test_messages_of_another_backend_conversation_were_not_seen_in_this_one(self, store: Store) -> None:
        first = await answered(store, 1, "a1", thread="1", given=ids("m1"))
        turn = await ask(store, 2)
        assert (first.conversation_id, turn.last_seen) == (turn.conversation_id, "m1")
        await store.forget_backend_conversation(turn)
        assert (await begin(store, turn.conversation_id)).last_seen is None
        turn = await begin(store, turn.conversation_id)
        await store.record_started(turn, ids("m2", "c2"))
        await store.finish(turn, AnswerState.DONE)
        assert (await ask(store, 3)).last_seen == "m2"

    async def test_in_a_new_backend_conversation_nothing_was_seen(self, store: Store) -> None:
        await answered(store, 1, "a1", thread="1", given=ids("m1"))
        turn = await ask(store, 2)
        await store.record_started(turn, BackendIds(conversation=BackendConversationId("c2")))
        assert (await begin(store, turn.conversation_id)).last_seen is None

    async def test_what_an_earlier_attempt_left_at_the_backend_was_seen(self, store: Store) -> None:
        await answered(store, 1, "a1", thread="1", given=ids("m1"))
        turn = await ask(store, 2)
        await store.record_started(turn, ids("m2"))
        await store.record_asked(turn, 2)
        assert (await begin(store, turn.conversation_id)).last_seen == "m2", (
            "so it is not taken for the second attempt's"
        )

    async def test_a_lost_turn_poisons_the_backend_conversation_until_it_is_forgotten(self, store: Store) -> None:
        await answered(store, 1, "a1", thread="1")
        turn = await ask(store, 2)
        await store.record_lost(turn)
        await store.record_started(turn, IDS)
        assert (await begin(store, turn.conversation_id)).poisoned, "the same conversation is as bad as it was"
        turn = await begin(store, turn.conversation_id)
        await store.forget_backend_conversation(turn)
        assert not (await begin(store, turn.conversation_id)).poisoned

    async def test_another_backend_conversation_is_a_clean_one(self, store: Store) -> None:
        await answered(store, 1, "a1", thread="1")
        turn = await ask(store, 2)
        await store.record_lost(turn)
        await store.record_started(turn, ids("m9", "c9"))
        await store.finish(turn, AnswerState.DONE)
        following = await ask(store, 3)
        assert (following.poisoned, following.ids.conversation) == (False, "c9")

    async def test_what_never_began_poisons_nothing(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_lost(turn)
        assert not (await begin(store, turn.conversation_id)).poisoned

    # Messages

    async def test_messages_come_back_with_what_stands_and_what_may_stand(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_intended(turn, 0, "n0", PartRole.TEXT, "first")
        await store.record_posted(turn, 0, "n0", PartRole.TEXT, values.ref("a1"), "first")
        await store.record_shown(turn, 0, "first, longer")
        await post(store, turn, "a2", part=1, text="second", nonce="n1")
        await store.record_intended(turn, 2, "n2", PartRole.FILE, "")
        parts = (await begin(store, turn.conversation_id)).parts
        assert [(part.part, part.nonce, part.role, part.ref, part.text) for part in parts] == [
            (0, "n0", PartRole.TEXT, values.ref("a1"), "first, longer"),
            (1, "n1", PartRole.TEXT, values.ref("a2"), "second"),
            (2, "n2", PartRole.FILE, None, ""),
        ]
        assert all(part.intended_at.utcoffset() is not None for part in parts)

    async def test_a_message_intended_again_may_stand_since_the_first_time(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_intended(turn, 0, "n0", PartRole.TEXT, "first")
        [before] = (await begin(store, turn.conversation_id)).parts
        turn = await begin(store, turn.conversation_id)
        await store.record_intended(turn, 0, "n0", PartRole.TEXT, "first and more")
        await store.record_posted(turn, 0, "n0", PartRole.TEXT, values.ref("a1"), "first and more")
        [after] = (await begin(store, turn.conversation_id)).parts
        assert (after.intended_at, after.text) == (before.intended_at, "first and more")

    async def test_a_message_that_was_deleted_is_replaced_by_the_one_posted_instead(self, store: Store) -> None:
        turn = await ask(store, 1)
        await post(store, turn, "a1", nonce="n0")
        await store.record_intended(turn, 0, "n0 again", PartRole.ANNOUNCEMENT, "new")
        [part] = (await begin(store, turn.conversation_id)).parts
        assert (part.nonce, part.role, part.ref) == ("n0 again", PartRole.ANNOUNCEMENT, None)
        assert await store.conversation_of(values.ref("a1")) is None
        turn = await begin(store, turn.conversation_id)
        await post(store, turn, "a9", nonce="n0 again")
        assert await store.conversation_of(values.ref("a9")) == turn.conversation_id

    async def test_recording_a_message_twice_changes_nothing(self, store: Store) -> None:
        turn = await ask(store, 1)
        for _ in range(2):
            await post(store, turn, "a1", text="first")
        assert len((await begin(store, turn.conversation_id)).parts) == 1

    async def test_an_outcome_of_a_megabyte_comes_back_whole(self, store: Store) -> None:
        turn = await ask(store, 1)
        said = outcome('Grüße "漢字" \\ \n 👩 \0 ' * 50_000)
        await store.record_outcome(turn, said)
        assert (await begin(store, turn.conversation_id)).outcome == said

    # What was said before

    async def test_the_last_answers_are_remembered_in_order(self, store: Store) -> None:
        for number in range(1, 5):
            await answered(store, number, f"a{number}", thread="1", text=f"Q{number}", said=f"A{number}")
        await answered(store, 7, "a7", text="elsewhere")
        turn = await ask(store, 5, text="Q5")
        await accept(store, new(6, text="Q6"))
        assert await store.recent_turns(turn, 2) == [PastTurn(question=f"Q{n}", answer=f"A{n}") for n in (3, 4)]
        assert len(await store.recent_turns(turn, 10)) == 4
        assert await store.recent_turns(turn, 0) == []

    async def test_only_what_was_answered_is_remembered(self, store: Store) -> None:
        await answered(store, 1, "a1", thread="1", state=AnswerState.STOPPED, text="stopped", said="half")
        await answered(store, 2, "a2", thread="1", state=AnswerState.FAILED, text="failed", said="")
        await answered(store, 3, "a3", thread="1", state=AnswerState.FAILED, text="again", said="nearly")
        silent = await ask(store, 4, text="without an outcome")
        await store.finish(silent, AnswerState.DONE)
        await retried(store, "a3")
        again = await begin(store, silent.conversation_id)
        assert await store.recent_turns(again, 10) == [PastTurn(question="stopped", answer="half")]
        await store.record_outcome(again, outcome("whole"))
        await store.finish(again, AnswerState.DONE)
        turn = await ask(store, 5)
        assert list(await store.recent_turns(turn, 1)) == [PastTurn(question="again", answer="whole")]
