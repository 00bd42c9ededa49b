"""What every store promises about a conversation as a whole: quiet, a fresh start, another place, and bots that keep talking."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from bridge.history_api import PastTurn
from bridge.messages import AnswerState, AppName, BackendIds, ConversationId, EventId, PersonId
from bridge.store import Full, Store
from tests.contracts.store_steps import IDS, accept, answered, ask, begin, ids, new, retried
from tests.fakes import values

LONG_AFTER = values.THEN + timedelta(days=3650)
BOT = replace(values.person("robot"), is_bot=True)
NOWHERE = ConversationId(99)


async def mute(store: Store, conversation: ConversationId, event: str, *, muted: bool = True) -> bool:
    return await store.set_muted(EventId(event), conversation, muted=muted)


async def forget(store: Store, conversation: ConversationId, event: str = "reset") -> bool:
    return await store.start_afresh(EventId(event), conversation)


class WishesContract:
    # Quiet

    async def test_a_conversation_is_muted_until_it_is_not(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        other = (await accept(store, new(2, thread="2"))).conversation_id
        assert not await store.is_muted(conversation)
        assert await mute(store, conversation, "m1")
        assert not await mute(store, conversation, "m2"), "it was so already"
        assert [await store.is_muted(one) for one in (conversation, other)] == [True, False]
        assert await mute(store, conversation, "m3", muted=False)
        assert not await store.is_muted(conversation)

    async def test_a_wish_that_is_told_again_does_not_come_back(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        await mute(store, conversation, "m1")
        await mute(store, conversation, "m2")
        await mute(store, conversation, "m3", muted=False)
        for event in ("m1", "m2"):
            assert not await mute(store, conversation, event)
        assert not await store.is_muted(conversation)

    async def test_what_nobody_knows_is_neither_muted_nor_begun_afresh(self, store: Store) -> None:
        assert not await store.is_muted(NOWHERE)
        assert not await mute(store, NOWHERE, "m1")
        assert not await forget(store, NOWHERE)

    # A fresh start

    async def test_after_a_fresh_start_the_next_question_begins_at_nothing(self, store: Store) -> None:
        turn = await answered(store, 1, "a1", thread="1")
        assert await forget(store, turn.conversation_id)
        fresh = await ask(store, 2)
        assert (turn.fresh, fresh.fresh) == (False, True)
        assert (fresh.conversation_id, fresh.ids, fresh.last_seen) == (turn.conversation_id, BackendIds(), None)
        await store.record_started(fresh, ids("m2", "c2"))
        await store.finish(fresh, AnswerState.DONE)
        following = await ask(store, 3)
        assert (following.ids.conversation, following.last_seen) == ("c2", "m2")

    async def test_there_is_nothing_to_forget_twice_or_where_nothing_was_asked(self, store: Store) -> None:
        conversation = (await accept(store, new(1))).conversation_id
        assert not await forget(store, conversation, "too early")
        turn = await begin(store, conversation)
        await store.record_started(turn, IDS)
        await store.finish(turn, AnswerState.DONE)
        assert await forget(store, conversation, "first")
        assert not await forget(store, conversation, "second")

    async def test_a_reset_that_is_told_again_forgets_nothing_more(self, store: Store) -> None:
        turn = await answered(store, 1, "a1", thread="1")
        await forget(store, turn.conversation_id)
        await answered(store, 2, "a2", thread="1", given=ids("m2", "c2"))
        assert not await forget(store, turn.conversation_id)
        assert (await ask(store, 3)).ids.conversation == "c2"

    async def test_what_a_running_answer_reveals_after_a_reset_is_not_kept(self, store: Store) -> None:
        turn = await ask(store, 1)
        await accept(store, new(2))
        assert await forget(store, turn.conversation_id), "it may have begun something there"
        await store.record_started(turn, IDS)
        found = await begin(store, turn.conversation_id)
        assert found.ids == IDS, "the answer itself knows what it needs to be stopped"
        assert not found.fresh, "it was asked before that"
        await store.finish(found, AnswerState.DONE)
        waiting = await begin(store, turn.conversation_id, found.epoch)
        assert (waiting.question.ref, waiting.ids, waiting.last_seen) == (values.ref("q2"), BackendIds(), None)
        await store.record_started(waiting, ids("m2", "c2"))
        await store.finish(waiting, AnswerState.DONE)
        assert (await ask(store, 3)).ids.conversation == "c2"

    async def test_ids_that_come_after_the_end_do_not_bring_the_old_conversation_back(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.finish(turn, AnswerState.STOPPED)
        await forget(store, turn.conversation_id)
        await store.record_started(turn, IDS)
        assert (await ask(store, 2)).ids == BackendIds()

    async def test_a_running_answer_that_is_asked_again_after_a_reset_leaves_no_trace_either(
        self, store: Store
    ) -> None:
        turn = await ask(store, 1)
        await store.record_started(turn, IDS)
        await forget(store, turn.conversation_id)
        await store.record_asked(turn, 2)
        await store.record_started(turn, ids("m9", "c9"))
        await store.finish(turn, AnswerState.DONE)
        following = await ask(store, 2)
        assert (following.ids, following.last_seen) == (BackendIds(), None)

    async def test_a_fresh_start_is_not_poisoned_by_what_went_before(self, store: Store) -> None:
        await answered(store, 1, "a1", thread="1")
        turn = await ask(store, 2)
        await store.record_lost(turn)
        await forget(store, turn.conversation_id)
        assert not (await begin(store, turn.conversation_id)).poisoned

    async def test_what_is_lost_after_a_fresh_start_does_not_poison_it(self, store: Store) -> None:
        await answered(store, 1, "a1", thread="1")
        turn = await ask(store, 2)
        await forget(store, turn.conversation_id)
        await store.record_lost(turn)
        await store.finish(turn, AnswerState.FAILED)
        assert not (await ask(store, 3)).poisoned

    async def test_what_was_said_before_a_fresh_start_is_not_told_again(self, store: Store) -> None:
        await answered(store, 1, "a1", thread="1", text="Q1", said="A1")
        running = await ask(store, 2, text="Q2")
        await forget(store, running.conversation_id)
        assert list(await store.recent_turns(running, 5)) == [PastTurn(question="Q1", answer="A1")], "it is not touched"
        await store.finish(running, AnswerState.DONE)
        await answered(store, 3, "a3", thread="1", text="Q3", said="A3")
        turn = await ask(store, 4)
        assert list(await store.recent_turns(turn, 5)) == [PastTurn(question="Q3", answer="A3")]

    async def test_a_retry_after_a_fresh_start_is_part_of_the_new_beginning(self, store: Store) -> None:
        turn = await answered(store, 1, "a1", thread="1", state=AnswerState.FAILED)
        await forget(store, turn.conversation_id)
        await retried(store, "a1")
        assert (await begin(store, turn.conversation_id)).ids == BackendIds()

    # Another place

    async def test_what_is_said_in_the_opened_thread_belongs_to_the_conversation(self, store: Store) -> None:
        turn = await ask(store, 1, thread="asked here")
        opened = values.target("opened")
        for _ in range(2):
            await store.move_to(turn, opened)
        assert await store.find_conversation(opened.conversation, values.APP) == turn.conversation_id
        assert await store.find_conversation(values.key("asked here"), values.APP) is None
        assert await store.find_conversation(opened.conversation, AppName("other")) is None
        followed = await accept(store, new(2, thread="opened"))
        assert (followed.conversation_id, followed.seq) == (turn.conversation_id, 2)
        await store.finish(turn, AnswerState.DONE)
        following = await begin(store, turn.conversation_id, turn.epoch)
        assert (following.target, following.backend_user) == (opened, turn.backend_user)

    async def test_a_thread_that_another_conversation_has_stays_with_it(self, store: Store) -> None:
        first = (await accept(store, new(1, thread="taken"))).conversation_id
        turn = await ask(store, 2, thread="2")
        await store.move_to(turn, values.target("taken"))
        assert await store.find_conversation(values.key("taken"), values.APP) == first
        assert await store.find_conversation(values.key("2"), values.APP) == turn.conversation_id
        assert (await begin(store, turn.conversation_id)).target == values.target("taken"), "but it is answered there"

    async def test_of_a_move_and_a_question_that_cross_each_finds_its_conversation(self, store: Store) -> None:
        for number in range(6):
            turn = await ask(store, number, thread=f"asked {number}")
            opened = values.target(f"opened {number}")
            both = [store.move_to(turn, opened), store.accept(new(100 + number, thread=f"opened {number}"))]
            await asyncio.gather(*(both if number % 2 else both[::-1]))
            assert await store.find_conversation(opened.conversation, values.APP) is not None
            assert (await begin(store, turn.conversation_id)).target == opened

    # Bots

    async def test_bots_may_ask_so_many_in_a_row(self, store: Store) -> None:
        for number in (1, 2):
            await accept(store, new(number, who=BOT, most_by_bots=2))
        assert await store.accept(new(3, who=BOT, most_by_bots=2)) == Full(waiting=2, by_bots=True)
        assert await store.accept(new(3, who=BOT, most_by_bots=2)) is None, "claimed, so that it is told once"
        elsewhere = await accept(store, new(4, thread="2", who=BOT, most_by_bots=2))
        assert elsewhere.waiting == 0, "each conversation has its own count"

    async def test_a_question_by_a_person_lets_bots_ask_again(self, store: Store) -> None:
        await accept(store, new(1, who=BOT, most_by_bots=1))
        assert await store.accept(new(2, who=BOT, most_by_bots=1)) == Full(waiting=1, by_bots=True)
        assert (await accept(store, new(3, most_by_bots=1))).seq == 2, "people are not counted"
        await accept(store, new(4, who=BOT, most_by_bots=1))
        assert await store.accept(new(5, who=BOT, most_by_bots=1)) == Full(waiting=3, by_bots=True)

    async def test_which_bot_it_was_does_not_matter(self, store: Store) -> None:
        await accept(store, new(1, who=BOT, most_by_bots=1))
        another = replace(BOT, id=PersonId("another"))
        assert await store.accept(new(2, who=another, most_by_bots=1)) == Full(waiting=1, by_bots=True)

    async def test_bots_that_were_answered_and_forgotten_count_on(self, store: Store) -> None:
        conversation = (await accept(store, new(1, who=BOT, most_by_bots=1))).conversation_id
        turn = await begin(store, conversation)
        await store.finish(turn, AnswerState.DONE)
        await store.blank_payloads(LONG_AFTER)
        assert await store.accept(new(2, who=BOT, most_by_bots=1)) == Full(waiting=0, by_bots=True)

    async def test_what_was_refused_or_claimed_before_does_not_count(self, store: Store) -> None:
        await accept(store, new(1, who=BOT))
        assert await store.accept(new(1, who=BOT)) is None
        assert await store.accept(new(2, who=BOT, most_waiting=0)) == Full(waiting=1)
        await accept(store, new(3, who=BOT, most_by_bots=2))
        assert await store.accept(new(4, most_waiting=0)) == Full(waiting=2), "a person who was refused"
        assert await store.accept(new(5, who=BOT, most_by_bots=2)) == Full(waiting=2, by_bots=True)
        await accept(store, new(6, who=BOT))

    async def test_a_full_queue_and_too_many_bots_are_told_as_too_many_bots(self, store: Store) -> None:
        await accept(store, new(1, who=BOT))
        refused = await store.accept(new(2, who=BOT, most_by_bots=1, most_waiting=0))
        assert refused == Full(waiting=1, by_bots=True)

    async def test_the_count_is_exact_when_many_come_at_once(self, store: Store) -> None:
        results = await asyncio.gather(*(store.accept(new(n, who=BOT, most_by_bots=3)) for n in range(8)))
        assert sum(isinstance(result, Full) for result in results) == 5
