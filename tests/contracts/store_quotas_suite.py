"""What every store promises about quotas, about what was spoken, and about titles."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from bridge.history_api import PastTurn
from bridge.messages import AnswerState, AppName, EventId, InstallationId, PersonId
from bridge.quotas import Quota, Quotas
from bridge.store import Accepted, Again, Limited, NewQuestion, RetryResult, Store
from tests.contracts.store_steps import accept, answered, ask, begin, edited, new, outcome, retried
from tests.fakes import values
from tests.fakes.platform import FAKE

TWO = Quota(most=2, window=timedelta(days=1))
MINE = Quotas(per_person=TWO)
OURS = Quotas(per_channel=TWO)


def asked(
    number: int, quotas: Quotas, *, who: str = "ada", thread: str = "", channel: str = "general", event: str = ""
) -> NewQuestion:
    """Each in a conversation of its own."""
    question = new(number, thread=thread or str(number), who=values.person(who), event=event)
    where = values.target(thread or str(number), channel=channel)
    return replace(question, key=where.conversation, question=replace(question.question, target=where), quotas=quotas)


async def outcome_of(store: Store, question: NewQuestion) -> type:
    return type(await store.accept(question))


class QuotasContract:
    async def test_one_question_more_than_a_person_may_ask_is_not_taken(self, store: Store) -> None:
        first = await store.accept(asked(1, MINE))
        assert isinstance(first, Accepted)
        assert await outcome_of(store, asked(2, MINE)) is Accepted
        limited = await store.accept(asked(3, MINE))
        assert isinstance(limited, Limited)
        assert (limited.quota, limited.of_channel) == (TWO, False)
        assert await outcome_of(store, asked(4, MINE, who="grace")) is Accepted
        assert await outcome_of(store, asked(5, Quotas())) is Accepted, "where there is no quota"

    async def test_it_is_told_when_the_oldest_of_them_is_over(self, store: Store) -> None:
        await accept(store, asked(1, MINE))
        await accept(store, asked(2, MINE))
        both = await store.accept(asked(3, Quotas(per_person=TWO, per_channel=Quota(most=1, window=TWO.window))))
        first = await store.accept(asked(4, MINE))
        assert isinstance(both, Limited)
        assert isinstance(first, Limited)
        assert both.until >= first.until, "of two quotas the one that is used up for longer"

    async def test_what_is_refused_is_claimed_takes_no_place_and_counts_for_nothing(self, store: Store) -> None:
        one = Quotas(per_person=Quota(most=1, window=TWO.window))
        conversation = (await accept(store, asked(1, one, thread="1"))).conversation_id
        assert await outcome_of(store, asked(2, one, thread="1")) is Limited
        assert await store.accept(asked(2, one, thread="1")) is None, "so that it is told once"
        assert await store.accept(asked(2, one, thread="1", event="as message")) is None
        assert await outcome_of(store, asked(3, MINE, thread="1")) is Accepted, "one was asked, and not two"
        turn = await begin(store, conversation)
        await store.finish(turn, AnswerState.DONE)
        assert (await begin(store, conversation, turn.epoch)).question.ref == values.ref("q3")

    async def test_a_question_that_comes_twice_is_no_second_one(self, store: Store) -> None:
        await accept(store, asked(1, MINE))
        await accept(store, asked(2, MINE))
        assert await store.accept(asked(2, MINE)) is None

    async def test_a_channel_has_a_quota_with_all_its_threads(self, store: Store) -> None:
        await accept(store, asked(1, OURS, who="ada"))
        await accept(store, asked(2, OURS, who="grace"))
        limited = await store.accept(asked(3, OURS, who="linus"))
        assert isinstance(limited, Limited)
        assert limited.of_channel
        assert await outcome_of(store, asked(4, OURS, channel="elsewhere")) is Accepted

    async def test_a_thread_that_was_opened_is_still_in_its_channel(self, store: Store) -> None:
        first = await accept(store, asked(1, OURS, thread="1"))
        await store.move_to(await begin(store, first.conversation_id), values.target("opened"))
        await accept(store, asked(2, OURS, thread="opened"))
        assert await outcome_of(store, asked(3, OURS)) is Limited

    async def test_direct_messages_are_no_channel(self, store: Store) -> None:
        for number in (1, 2, 3):
            question = asked(number, OURS)
            direct = replace(question, key=replace(question.key, person=PersonId("ada")))
            assert await outcome_of(store, direct) is Accepted

    async def test_each_app_has_its_own(self, store: Store) -> None:
        await accept(store, asked(1, MINE))
        await accept(store, asked(2, MINE))
        assert await outcome_of(store, replace(asked(3, MINE), app=AppName("other"))) is Accepted

    async def test_a_person_is_the_same_in_every_installation_and_a_channel_is_not(self, store: Store) -> None:
        for number in (1, 2):
            await accept(store, asked(number, MINE))
        third = asked(3, MINE)
        third = replace(third, key=replace(third.key, installation=InstallationId("another")))
        assert await outcome_of(store, third) is Limited
        fourth = replace(third, event_id=EventId("e4"), quotas=OURS)
        fourth = replace(fourth, question=replace(fourth.question, ref=values.ref("q4")))
        assert await outcome_of(store, fourth) is Accepted

    async def test_what_was_taken_back_before_it_was_begun_does_not_count(self, store: Store) -> None:
        await accept(store, asked(1, MINE))
        await accept(store, asked(2, MINE))
        await store.withdraw(EventId("gone"), values.ref("q2"))
        assert await outcome_of(store, asked(3, MINE)) is Accepted

    async def test_a_retry_and_an_edit_do_not_count(self, store: Store) -> None:
        await answered(store, 1, "a1", state=AnswerState.FAILED)
        await retried(store, "a1")
        await store.revise(EventId("edit"), edited(1, "How?"), 1, running=True)
        assert await outcome_of(store, asked(2, MINE)) is Accepted

    async def test_bots_count_too(self, store: Store) -> None:
        for number in (1, 2):
            question = asked(number, OURS, who="B1")
            bot = replace(question.question.author, is_bot=True)
            await accept(store, replace(question, question=replace(question.question, author=bot)))
        assert await outcome_of(store, asked(3, OURS)) is Limited

    async def test_of_many_at_once_exactly_so_many_are_taken(self, store: Store) -> None:
        both = Quotas(per_person=TWO, per_channel=TWO)
        results = await asyncio.gather(*(store.accept(asked(number, both)) for number in range(8)))
        assert sum(isinstance(result, Accepted) for result in results) == 2
        assert sum(isinstance(result, Limited) for result in results) == 6

    async def test_a_whole_answer_that_is_wanted_again_counts_for_who_wants_it(self, store: Store) -> None:
        grace = Again(by=PersonId("grace"), quotas=MINE)
        await answered(store, 1, "a1")
        await answered(store, 2, "a2")
        for number in (1, 2):
            result = await store.retry(EventId(f"r{number}"), values.ref(f"a{number}"), grace)
            assert result.result is RetryResult.ACCEPTED
        limited = await store.accept(asked(3, MINE, who="grace"))
        assert isinstance(limited, Limited)
        await answered(store, 4, "a4")
        refused = await store.retry(EventId("r4"), values.ref("a4"), grace)
        assert (refused.result, refused.limited) == (RetryResult.LIMITED, limited)
        assert (
            await store.retry(EventId("r4b"), values.ref("a4"), Again(by=PersonId("linus"), quotas=MINE))
        ).result is (RetryResult.ACCEPTED)

    # What was asked where

    async def test_a_question_leads_to_its_conversation(self, store: Store) -> None:
        first = await accept(store, asked(1, Quotas()))
        assert await store.asked_in(values.ref("q1")) == first.conversation_id
        assert await store.asked_in(values.ref("q2")) is None

    # What was spoken

    async def test_what_was_made_out_of_a_recording_is_kept_with_the_question(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_spoken(turn, "How late is it?")
        taken = await begin(store, turn.conversation_id)
        assert taken.question == replace(turn.question, spoken="How late is it?")
        assert taken.question.words == "Why?\n\nHow late is it?"
        await store.revise(EventId("edit"), edited(1, "Well?"), 1, running=True)
        assert (await store.record_asked(taken, 2)).words == "Well?\n\nHow late is it?"
        await store.finish(taken, AnswerState.FAILED)

    async def test_what_the_app_was_told_is_remembered_instead_of_the_question(self, store: Store) -> None:
        turn = await ask(store, 1, text="Why?")
        await store.record_told(turn, "Written before: Hm.\n\nWhy?")
        taken = await begin(store, turn.conversation_id)
        assert taken.question == replace(turn.question, told="Written before: Hm.\n\nWhy?")
        assert taken.question.words == "Why?"
        await store.record_outcome(taken, outcome("Because."))
        await store.finish(taken, AnswerState.DONE)
        following = await ask(store, 2)
        assert list(await store.recent_turns(following, 5)) == [
            PastTurn(question="Written before: Hm.\n\nWhy?", answer="Because.")
        ]

    async def test_an_edited_question_was_told_nothing_yet(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.record_told(turn, "Written before: Hm.\n\nWhy?")
        await store.revise(EventId("edit"), edited(1, "Well?"), 1, running=True)
        assert (await store.record_asked(turn, 2)).told == ""
        await store.finish(turn, AnswerState.FAILED)

    # Titles

    async def test_a_thread_that_was_opened_is_titled_once(self, store: Store) -> None:
        turn = await ask(store, 1)
        assert not await store.claim_title(turn.conversation_id), "it is nobody's but the member's"
        await store.move_to(turn, values.target("opened"))
        assert await store.claim_title(turn.conversation_id)
        assert not await store.claim_title(turn.conversation_id)
        assert list(await store.waiting_conversations([FAKE])) == [turn.conversation_id]

    async def test_of_many_who_would_title_it_one_does(self, store: Store) -> None:
        turn = await ask(store, 1)
        await store.move_to(turn, values.target("opened"))
        claimed = await asyncio.gather(*(store.claim_title(turn.conversation_id) for _ in range(5)))
        assert claimed.count(True) == 1
