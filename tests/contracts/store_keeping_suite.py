"""What every store promises about what it keeps, for how long and how faithfully."""

from dataclasses import replace
from datetime import timedelta

from bridge.feedback import aggregate
from bridge.history_api import PastTurn
from bridge.messages import (
    Address,
    AnswerState,
    AppName,
    Attachment,
    EventId,
    InstallationId,
    PersonId,
    PlatformName,
    ProducedFile,
    Rating,
    Said,
)
from bridge.store import Store, Usage
from tests.contracts.store_steps import accept, answered, ask, begin, new, outcome, post, retried, vote
from tests.fakes import values
from tests.fakes.platform import FAKE

LONG_AFTER = values.THEN + timedelta(days=3650)
TEAM = InstallationId("team")
ADA = PersonId("ada")
LONG_BEFORE = values.THEN - timedelta(days=365)


class KeepingContract:
    async def test_the_text_of_old_answered_questions_is_removed_and_only_that(self, store: Store) -> None:
        await answered(store, 1, "a1")
        await accept(store, new(2))
        long_after = values.THEN + timedelta(days=365)
        assert await store.blank_payloads(values.THEN - timedelta(days=365)) == 0
        assert await store.blank_payloads(long_after) == 1
        assert await store.blank_payloads(long_after) == 0

    async def test_with_its_question_an_answer_loses_its_text(self, store: Store) -> None:
        first = await answered(store, 1, "a1", thread="1", state=AnswerState.FAILED)
        await post(store, first, "a2", part=1, text="shown")
        await retried(store, "a1")
        turn = await ask(store, 2)
        assert turn.seq == 2, "the retry"
        await store.record_shown(turn, 0, "kept")
        await store.blank_payloads(LONG_AFTER)
        found = await begin(store, turn.conversation_id)
        assert [part.text for part in found.parts] == ["kept", "shown"], "what is not over keeps everything"
        await store.record_outcome(found, outcome("whole"))
        await store.finish(found, AnswerState.DONE)
        assert await store.blank_payloads(LONG_AFTER) == 1
        following = await begin(store, turn.conversation_id, found.epoch)
        assert await store.recent_turns(following, 5) == []

    async def test_a_blanked_answers_messages_are_still_ours_but_say_nothing(self, store: Store) -> None:
        turn = await answered(store, 1, "a1", state=AnswerState.STOPPED)
        await store.blank_payloads(LONG_AFTER)
        assert await store.conversation_of(values.ref("a1")) == turn.conversation_id

    async def test_what_an_app_has_to_be_told_again_is_kept_for_longer(self, store: Store) -> None:
        first = await answered(store, 1, "a1", text="Q1", said="A1")
        longer = {first.app: values.THEN - timedelta(days=365)}
        assert await store.blank_payloads(LONG_AFTER, longer) == 0
        following = await ask(store, 2, thread="1")
        assert list(await store.recent_turns(following, 5)) == [PastTurn(question="Q1", answer="A1")]
        assert await store.blank_payloads(LONG_AFTER, {AppName("another"): values.THEN}) == 1
        assert list(await store.recent_turns(following, 5)) == []

    async def test_of_an_app_with_a_time_of_its_own_that_time_counts(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        assert await store.blank_payloads(values.THEN - timedelta(days=365), {turn.app: LONG_AFTER}) == 1

    async def test_a_bookmark_is_what_was_kept_last(self, store: Store) -> None:
        assert await store.bookmark(FAKE, "cursor") is None
        await store.set_bookmark(FAKE, "cursor", "1")
        await store.set_bookmark(FAKE, "cursor", "2")
        await store.set_bookmark(FAKE, "other", "3")
        await store.set_bookmark(PlatformName("another"), "cursor", "4")
        assert await store.bookmark(FAKE, "cursor") == "2"
        assert await store.bookmark(FAKE, "other") == "3"
        assert await store.bookmark(PlatformName("another"), "cursor") == "4"

    async def test_the_places_that_were_active_lately_are_known(self, store: Store) -> None:
        await accept(store, new(1, thread="1"))
        opened = values.target("opened")
        moved = await ask(store, 2, thread="2")
        await store.move_to(moved, opened)
        await accept(store, new(3, thread="3"))
        targets = await store.recent_targets(FAKE, LONG_BEFORE, 10)
        assert set(targets) == {values.target("1"), opened, values.target("3")}
        assert len(await store.recent_targets(FAKE, LONG_BEFORE, 2)) == 2
        assert await store.recent_targets(FAKE, LONG_AFTER, 10) == []
        assert await store.recent_targets(PlatformName("another"), LONG_BEFORE, 10) == []

    async def test_a_place_is_where_the_last_question_was_asked(self, store: Store) -> None:
        first = await accept(store, new(1, thread="1"))
        await accept(store, new(2, thread="2", join=first.conversation_id))
        assert list(await store.recent_targets(FAKE, LONG_BEFORE, 10)) == [values.target("2")]

    async def test_a_place_that_is_known_from_texts_alone_is_forgotten_with_them(self, store: Store) -> None:
        await answered(store, 1, "a1")
        await store.blank_payloads(LONG_AFTER)
        assert await store.recent_targets(FAKE, LONG_BEFORE, 10) == []

    async def test_everything_about_a_question_comes_back(self, store: Store) -> None:
        asked = replace(
            new(1).question,
            author=replace(values.person(), home=InstallationId("elsewhere"), roles=("r1",)),
            attachments=(Attachment(name="a.pdf", media_type="application/pdf", size=7, address=Address("F1")),),
            in_thread=True,
            unseen=True,
            about=Said(who="Grace", text='It "broke".'),
        )
        accepted = await accept(store, replace(new(1), question=asked))
        assert (await begin(store, accepted.conversation_id)).question == asked

    async def test_everything_about_an_outcome_comes_back(self, store: Store) -> None:
        turn = await ask(store, 1)
        file = ProducedFile(name="a.png", kind="image", address="/files/1?sign=x", media_type="image/png", size=9)
        settled = replace(
            outcome(), sources=("Handbook", "FAQ"), suggestions=("And then?",), files=(file, replace(file, size=None))
        )
        await store.record_outcome(turn, settled)
        assert (await begin(store, turn.conversation_id)).outcome == settled

    # Usage

    async def test_usage_counts_what_one_person_asked_and_voted_here(self, store: Store) -> None:
        assert await store.usage(FAKE, TEAM, ADA) == Usage()
        await answered(store, 1, "a1")
        await answered(store, 2, "a2", state=AnswerState.STOPPED)
        await ask(store, 3, thread="3")
        await accept(store, new(4, thread="4", who=values.person("grace")))
        await store.record_vote(vote("a1"), aggregate)
        await store.record_vote(vote("a2", who="grace"), aggregate)
        assert await store.usage(FAKE, TEAM, ADA) == Usage(questions=3, answered=1, votes=1)
        assert await store.usage(FAKE, TEAM, PersonId("grace")) == Usage(questions=1, votes=1)
        assert await store.usage(FAKE, InstallationId("other"), ADA) == Usage()
        assert await store.usage(PlatformName("other"), TEAM, ADA) == Usage()

    async def test_a_question_that_is_asked_again_is_one_question(self, store: Store) -> None:
        turn = await answered(store, 1, "a1", state=AnswerState.FAILED)
        await retried(store, "a1")
        again = await begin(store, turn.conversation_id)
        assert await store.usage(FAKE, TEAM, ADA) == Usage(questions=1)
        await store.finish(again, AnswerState.DONE)
        assert await store.usage(FAKE, TEAM, ADA) == Usage(questions=1, answered=1)

    async def test_votes_on_one_answer_are_one_vote_and_those_taken_back_none(self, store: Store) -> None:
        turn = await answered(store, 1, "a1")
        await post(store, turn, "a2", part=1)
        for one in (vote("a1"), vote("a2"), vote("a2", Rating.DISLIKE), vote("nothing of ours")):
            await store.record_vote(one, aggregate)
        assert (await store.usage(FAKE, TEAM, ADA)).votes == 1
        for one in (vote("a1"), vote("a2"), vote("a2", Rating.DISLIKE)):
            await store.record_vote(replace(one, active=False, revision=2), aggregate)
        assert (await store.usage(FAKE, TEAM, ADA)).votes == 0

    async def test_questions_that_were_withdrawn_or_refused_are_not_counted(self, store: Store) -> None:
        await accept(store, new(1))
        await accept(store, new(2))
        await store.withdraw(EventId("deleted"), values.ref("q2"))
        await store.accept(new(3, most_waiting=0))
        assert await store.usage(FAKE, TEAM, ADA) == Usage(questions=1)

    async def test_usage_outlives_the_texts(self, store: Store) -> None:
        await answered(store, 1, "a1")
        await store.blank_payloads(LONG_AFTER)
        assert await store.usage(FAKE, TEAM, ADA) == Usage(questions=1, answered=1)
