"""What every store promises about a turn, from its beginning to its end."""

import pytest

from bridge.errors import Fenced
from bridge.messages import AnswerState, BackendIds
from bridge.store import Store
from tests.contracts.store_steps import IDS, accept, begin, new
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
