"""What every store promises about what it keeps, for how long and how faithfully."""

from datetime import timedelta

from bridge.messages import AnswerState, PlatformName
from bridge.store import Store
from tests.contracts.store_steps import accept, answered, ask, begin, new, outcome, post, retried
from tests.fakes import values
from tests.fakes.platform import FAKE

LONG_AFTER = values.THEN + timedelta(days=3650)
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
