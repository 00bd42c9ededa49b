"""What every store promises about taking questions in."""

from bridge.messages import AppName, BackendIds, PlatformName
from bridge.store import Store
from tests.contracts.store_steps import accept, answered, begin, new
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
