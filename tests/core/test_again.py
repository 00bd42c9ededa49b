"""Regenerate: a whole answer once more, in the same messages, as long as it is the newest."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.backend_api import FileProduced, TextDelta
from bridge.errors import BackendFailed, StoreUnavailable
from bridge.messages import AnswerState, ButtonAction, EventId, ProducedFile, Rating
from bridge.quotas import Quota, Quotas
from bridge.routing import Access
from tests.core import doings
from tests.core.hall import Hall, hall
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import AbleBackend, fail_after_start, say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FilePlatform
from tests.fakes.store import FakeStore

AGAIN, RETRY = ButtonAction.AGAIN, ButtonAction.RETRY
OUTDATED = "That answer is not the newest any more; ask again below."
HOUR = timedelta(hours=1)


@asynccontextmanager
async def regenerating(store: FakeStore | None = None) -> AsyncIterator[Room]:
    """The app counts its answers."""
    clock = FakeClock()
    platform = FilePlatform(clock, buttons=True, rating_buttons=True, again_button=True)
    backend = AbleBackend(clock)
    async with room(store, platform, clock=clock, backend=backend) as at:
        at.answer_with(lambda question: say(f"Answer {len(at.backend.asked)} to {question.text}"))
        yield at


async def ask(at: Room, text: str = "What is up?", number: int = 1) -> None:
    await at.inbox(values.message(text, number=number))
    await at.clock.advance(5)


async def press(at: Room, action: ButtonAction = AGAIN, *, number: int = 0, revision: int = 1) -> None:
    await at.inbox(doings.press(action, list(at.platform.messages)[number], revision=revision))
    await at.clock.advance(5)


def offered(at: Room, number: int = -1) -> set[ButtonAction]:
    return {button.action for button in list(at.platform.messages.values())[number].buttons}


async def test_a_whole_answer_can_be_had_anew_and_a_failed_one_can_be_retried_never_both() -> None:
    async with regenerating() as at:
        await ask(at)
        assert offered(at) == {ButtonAction.LIKE, ButtonAction.DISLIKE, AGAIN}
        at.answer_with(lambda _: fail_after_start(BackendFailed("500"), "Half"))
        await ask(at, number=2)
        assert offered(at) == {RETRY}


async def test_where_the_platform_has_no_such_button_none_is_shown() -> None:
    clock = FakeClock()
    async with room(platform=FilePlatform(clock, buttons=True), clock=clock) as at:
        await ask(at)
        assert offered(at) == set()


async def test_somebody_who_asked_nothing_can_have_nothing_anew() -> None:
    async with regenerating() as at:
        await ask(at, "")
        assert offered(at) == set()


async def test_the_new_answer_takes_the_place_of_the_old_one() -> None:
    async with regenerating() as at:
        await ask(at)
        await press(at)
        assert at.texts == ["Answer 2 to What is up?"]
        assert [question.text for question in at.backend.asked] == ["What is up?"] * 2
        assert at.backend.asked[1].conversation == at.store.answers[0].ids.conversation
        assert offered(at) == {ButtonAction.LIKE, ButtonAction.DISLIKE, AGAIN}
        await press(at, revision=2)
        assert at.texts == ["Answer 3 to What is up?"]


async def test_presses_while_it_waits_or_runs_are_none() -> None:
    async with regenerating() as at:
        await ask(at)
        at.answer_with(lambda _: [3.0, *say("Slowly.")])
        [address] = at.platform.messages
        for revision in (1, 2):
            await at.inbox(doings.press(AGAIN, address, revision=revision))
        await at.clock.advance(1)
        await at.inbox(doings.press(AGAIN, address, revision=3, author=values.person("grace")))
        await at.clock.advance(10)
        assert at.texts == ["Slowly."]
        assert len(at.backend.asked) == 2


async def test_a_press_that_is_told_twice_counts_once_also_after_the_end() -> None:
    async with regenerating() as at:
        await ask(at)
        await press(at, revision=7)
        await press(at, revision=7)
        assert len(at.backend.asked) == 2


async def test_a_longer_answer_before_it_leaves_no_remains() -> None:
    async with regenerating() as at:
        at.answer_with(lambda _: say("A long story. " * 300))
        await ask(at)
        assert len(at.texts) > 1
        at.answer_with(lambda _: say("In short."))
        await press(at)
        assert at.texts[0] == "In short."
        assert set(at.texts[1:]) == {"(This part was withdrawn.)"}
        assert offered(at, 0) >= {AGAIN}
        assert all(not message.buttons for message in list(at.platform.messages.values())[1:])


async def test_a_file_that_the_new_answer_comes_with_is_posted_and_the_old_one_withdrawn() -> None:
    def picture(number: int) -> ProducedFile:
        return ProducedFile(name=f"{number}.png", kind="image", address=f"made/{number}")

    async with regenerating() as at:
        backend, platform = at.backend, at.platform
        assert isinstance(backend, AbleBackend)
        assert isinstance(platform, FilePlatform)
        backend.made = {f"made/{number}": b"picture" for number in (1, 2)}
        at.answer_with(lambda _: [TextDelta(text="Look:"), FileProduced(file=picture(len(backend.asked)))])
        await ask(at)
        await press(at)
        assert [file.name for file in platform.files.values()] == ["1.png", "2.png"]
        assert at.texts[0] == "Look:"
        assert at.texts[1] == "(This part was withdrawn.)"


async def test_an_older_answer_stays_and_who_wants_it_anew_is_told_in_private() -> None:
    async with regenerating() as at:
        await ask(at)
        await ask(at, "And then?", number=2)
        await press(at, number=0)
        assert at.texts[:2] == ["Answer 1 to What is up?", "Answer 2 to And then?"]
        assert at.texts[2] == OUTDATED
        assert list(at.platform.messages.values())[2].target.private
        await press(at, number=1, revision=2)
        assert at.texts[1] == "Answer 3 to And then?"


async def test_a_failed_second_try_can_be_retried() -> None:
    async with regenerating() as at:
        await ask(at)
        at.answer_with(lambda _: fail_after_start(BackendFailed("500")))
        await press(at)
        assert offered(at) == {RETRY}
        at.answer_with(lambda _: say("At last."))
        await press(at, RETRY, revision=2)
        assert at.texts == ["At last."]


async def test_a_press_before_a_restart_is_answered_after_it() -> None:
    async with regenerating() as at:
        await ask(at)
        [address] = at.platform.messages
        at.answer_with(lambda _: [1000.0])
        await at.inbox(doings.press(AGAIN, address))
        await at.clock.advance(1)
    async with room(at.store, at.platform, clock=at.clock, backend=AbleBackend(at.clock)) as after:
        await after.recovery.start()
        await after.clock.advance(60)
        assert after.texts == ["You said: What is up?"]
        assert [answer.state for answer in at.store.answers] == [AnswerState.DONE, AnswerState.DONE]


async def test_what_was_thought_of_the_old_answer_is_not_thought_of_the_new_one() -> None:
    async with regenerating() as at:
        await ask(at)
        [address] = at.platform.messages
        await at.inbox(doings.press(ButtonAction.DISLIKE, address, revision=1))
        await press(at, revision=2)
        first, second = (answer.ids.message for answer in at.store.answers)
        assert [(ids.message, rating) for ids, _, rating, _ in at.backend.ratings] == [(first, Rating.DISLIKE)]
        await at.inbox(doings.press(ButtonAction.LIKE, address, revision=3))
        await at.clock.advance(5)
        assert [(ids.message, rating) for ids, _, rating, _ in at.backend.ratings[1:]] == [(second, Rating.LIKE)]


# Who may


async def whole(at: Hall) -> str:
    await at.tell(values.message())
    return at.answers[0]


async def test_who_may_not_use_the_bot_may_not_have_an_answer_anew() -> None:
    async with hall() as at:
        address = await whole(at)
        at.resolution = replace(at.resolution, access=Access(users=frozenset({values.person("grace").id})))
        await at.tell(doings.press(AGAIN, address))
        assert len(at.turns.answered) == 1


async def test_it_counts_as_a_question_of_who_presses() -> None:
    async with hall() as at:
        address = await whole(at)
        at.resolution = replace(at.resolution, quotas=Quotas(per_person=Quota(most=1, window=HOUR)))
        await at.tell(doings.press(AGAIN, address))
        assert len(at.turns.answered) == 1, "Ada has asked"
        assert at.notes == [
            (
                "You have asked 1 question in 60 minutes, which is as much as I take from one person. "
                "You can ask again in 60 minutes."
            )
        ]
        await at.tell(doings.press(AGAIN, address, author=values.person("grace")))
        assert len(at.turns.answered) == 2


async def test_a_press_that_could_not_be_recorded_is_not_acknowledged_and_works_when_it_comes_again() -> None:
    async with hall() as at:
        event = doings.press(AGAIN, await whole(at))
        at.store.failures = 1
        with pytest.raises(StoreUnavailable):
            await at.inbox(event)
        await at.tell(event)
        assert len(at.turns.answered) == 2


async def test_a_question_that_is_forgotten_is_not_asked_again() -> None:
    async with hall() as at:
        address = await whole(at)
        await at.store.blank_payloads(at.clock.now() + timedelta(days=1))
        await at.tell(doings.press(AGAIN, address))
        assert at.notes == ["I no longer have that question. Please ask it again."]


async def test_the_reaction_that_retries_does_not_have_a_whole_answer_anew() -> None:
    async with hall() as at:
        await at.tell(
            values.reaction(await whole(at), "🔁"), replace(doings.press(RETRY, at.answers[0]), event_id=EventId("x"))
        )
        assert len(at.turns.answered) == 1
