"""An app whose server remembers nothing is told its own conversation again, out of the bridge's record."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from bridge.backend_api import AnswerCompleted, Question
from bridge.errors import BackendFailed, StoreUnavailable
from bridge.history_api import Exchange, PastTurn
from bridge.messages import AnswerState, Attachment, ButtonAction, Said
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import AbleBackend, FakeBackend, ForgetfulAbleBackend, ForgetfulBackend, say
from tests.fakes.clock import FakeClock
from tests.fakes.events import edited, pressed
from tests.fakes.platform_reading import ReadingPlatform
from tests.fakes.store import FakeStore

PNG = b"\x89PNG"
ABOVE = [Said(who="Ada", text="My name is Ada.")]


@asynccontextmanager
async def talking(backend: FakeBackend | None = None, store: FakeStore | None = None) -> AsyncIterator[Room]:
    clock = FakeClock()
    backend = backend or ForgetfulBackend(clock)
    backend.clock = clock
    async with room(store, ReadingPlatform(clock, said=ABOVE), clock=clock, backend=backend) as at:
        yield at


async def say_all(at: Room, *texts: str, in_thread: bool = False, first: int = 1) -> None:
    for number, text in enumerate(texts, start=first):
        await at.inbox(values.message(text, number=number, in_thread=in_thread))
        await at.clock.advance(10)


def asked(at: Room) -> list[Question]:
    return at.backend.asked


async def test_a_later_question_brings_what_was_said_before() -> None:
    async with talking() as at:
        await say_all(at, "one", "two", "three")

        assert [question.text for question in asked(at)] == ["one", "two", "three"]
        assert asked(at)[0].history == ()
        assert asked(at)[2].history == (
            Exchange(question="one", answer="You said: one"),
            Exchange(question="two", answer="You said: two"),
        )


async def test_no_more_is_brought_than_the_backend_wants() -> None:
    async with talking(ForgetfulBackend(FakeClock(), history_turns=1)) as at:
        await say_all(at, "one", "two", "three")

        assert [len(question.history) for question in asked(at)] == [0, 1, 1]
        assert asked(at)[2].history[0].question == "two"


async def test_a_backend_that_remembers_is_told_nothing_again() -> None:
    async with talking(FakeBackend(FakeClock())) as at:
        await say_all(at, "one", "two")

        assert [question.history for question in asked(at)] == [(), ()]


async def test_another_process_tells_the_same() -> None:
    store = FakeStore(aggregate=lambda votes: None)
    async with talking(store=store) as at:
        await say_all(at, "one")
    async with talking(store=store) as at:
        await say_all(at, "two", first=2)

        assert asked(at)[0].history == (Exchange(question="one", answer="You said: one"),)


async def test_after_a_reset_nothing_is_told_again() -> None:
    async with talking() as at:
        await say_all(at, "one", "/reset", "two", "three")

        assert [[one.question for one in question.history] for question in asked(at)] == [[], [], ["two"]]


async def test_texts_that_were_removed_are_not_told_again() -> None:
    async with talking() as at:
        await say_all(at, "one")
        await at.store.blank_payloads(values.THEN + timedelta(days=365))
        await say_all(at, "two", first=2)

        assert asked(at)[1].history == ()


async def test_the_thread_above_a_first_question_is_told_again_with_it() -> None:
    async with talking() as at:
        await say_all(at, "Who am I?", "And now?", "Sure?", in_thread=True)

        first, second, third = asked(at)
        assert "My name is Ada." in first.text
        assert second.text == "And now?"
        assert [one.question for one in third.history] == [first.text, "And now?"]


async def test_asking_a_first_question_again_tells_the_thread_again() -> None:
    async with talking() as at:
        at.answer_with(lambda question: say("whole") if len(asked(at)) > 1 else [0.0, BackendFailed("500")])
        await say_all(at, "Who am I?", in_thread=True)
        (address,) = at.platform.messages
        await at.inbox(pressed(ButtonAction.RETRY, address))
        await at.clock.advance(10)

        first, again = asked(at)
        assert again.text == first.text
        assert "My name is Ada." in again.text
        assert again.history == ()


async def test_an_edited_question_is_asked_and_kept_as_it_reads_now() -> None:
    async with talking() as at:
        at.answer_with(lambda question: [1000.0] if len(asked(at)) == 1 else say("ok"))
        message = values.message("Who am I?", number=1, in_thread=True)
        await at.inbox(message)
        await at.clock.advance(10)
        await at.inbox(edited(message, "What is my name?", revision=1))
        await at.clock.advance(10)
        await say_all(at, "Sure?", first=2)

        _, anew, following = asked(at)
        assert anew.text.endswith("What is my name?")
        assert [one.question for one in following.history] == [anew.text]


async def test_a_store_that_is_away_costs_the_conversation_and_not_the_answer() -> None:
    class Away(FakeStore):
        async def recent_turns(self, turn: object, limit: int) -> list[PastTurn]:
            raise StoreUnavailable("locked")

    async with talking(store=Away(aggregate=lambda votes: None)) as at:
        await say_all(at, "one", "two")

        assert at.texts[-1] == "You said: two"
        assert asked(at)[1].history == ()


async def test_how_an_answer_ended_stands_below_it_and_is_not_told_again() -> None:
    async with talking() as at:
        at.answer_with(lambda question: [*say("half"), AnswerCompleted(note="It was cut off.")])
        await say_all(at, "one", "two")

        assert at.texts[0] == "half\n\n(It was cut off.)"
        assert at.store.answers[0].state is AnswerState.DONE
        assert asked(at)[1].history == (Exchange(question="one", answer="half"),)


# Files


@asynccontextmanager
async def looking() -> AsyncIterator[tuple[Room, ReadingPlatform, AbleBackend]]:
    clock = FakeClock()
    platform, backend = ReadingPlatform(clock), ForgetfulAbleBackend(clock)
    async with room(None, platform, clock=clock, backend=backend) as at:
        yield at, platform, backend


async def show(at: Room, text: str, *files: Attachment, number: int) -> None:
    await at.inbox(values.message(text, number=number, attachments=files))
    await at.clock.advance(10)


async def test_a_picture_is_shown_again_with_a_later_question() -> None:
    async with looking() as (at, platform, backend):
        await show(at, "What is it?", platform.attach("a.png", PNG), number=1)
        await say_all(at, "What colour?", first=2)

        (past,) = asked(at)[1].history
        assert (past.question, past.files) == ("What is it?", ("1",))
        assert [upload.content for upload in backend.uploads] == [PNG, PNG]
        assert asked(at)[1].files == ()


async def test_no_more_pictures_are_shown_than_the_app_takes_at_once_and_the_newest_first() -> None:
    async with looking() as (at, platform, backend):
        names = [platform.attach(f"{number}.png", PNG) for number in range(6)]
        await show(at, "one", *names[:2], number=1)
        await show(at, "two", *names[2:4], number=2)
        await show(at, "three", names[4], number=3)
        await say_all(at, "four", first=4)

        assert [len(past.files) for past in asked(at)[2].history] == [0, 2]
        assert [len(past.files) for past in asked(at)[3].history] == [0, 2, 1]
        assert backend.rules.most == 3


async def test_a_picture_that_is_gone_is_not_missed() -> None:
    async with looking() as (at, platform, _):
        await show(at, "What is it?", platform.attach("a.png", PNG), number=1)
        platform.contents.clear()
        await say_all(at, "What colour?", first=2)

        assert asked(at)[1].history[0].files == ()
        assert at.texts[-1] == "You said: What colour?"


async def test_pictures_that_take_too_long_are_left_out() -> None:
    async with looking() as (at, platform, _):
        await show(at, "What is it?", platform.attach("a.png", PNG), number=1)
        platform.fetch_seconds = 1000
        await say_all(at, "What colour?", first=2)
        await at.clock.advance(10)

        assert asked(at)[1].history[0].files == ()
        assert at.texts[-1] == "You said: What colour?"
