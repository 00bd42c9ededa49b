"""A question as the app hears it: with its files, its thread and what it is about; and what could be asked after the answer."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.backend_api import Fate, FileProduced, Recovered, SourcesCited, TextDelta, UploadedFile
from bridge.errors import BackendBusy, BackendFailed
from bridge.events import MessageEdited, MessageReceived
from bridge.history_api import PastTurn
from bridge.messages import (
    AnswerState,
    Attachment,
    BackendConversationId,
    Button,
    ButtonAction,
    ProducedFile,
    Said,
)
from bridge.questions import LONGEST_CONTEXT, shortened, with_past, with_thread, words_of
from bridge.routing import AppPolicy
from bridge.storage.mapping import dump_outcome, load_outcome
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import AbleBackend, fail_after_start, say
from tests.fakes.clock import FakeClock
from tests.fakes.events import edited, pressed
from tests.fakes.platform_reading import ReadingPlatform
from tests.fakes.store import FakeStore

PNG = b"\x89PNG"


@dataclass
class Reading:
    """A room whose platform can be read, and whose app takes files and suggests questions."""

    room: Room
    platform: ReadingPlatform
    backend: AbleBackend

    async def ask(self, message: MessageReceived, seconds: float = 10) -> None:
        await self.room.inbox(message)
        await self.room.clock.advance(seconds)

    async def ask_otherwise(self, message: MessageEdited, seconds: float = 10) -> None:
        await self.room.inbox(message)
        await self.room.clock.advance(seconds)

    @property
    def asked(self) -> list[str]:
        return [question.text for question in self.backend.asked]

    def buttons(self) -> list[Button]:
        return [button for message in self.platform.messages.values() for button in message.buttons]

    def answer_address(self) -> str:
        return next(iter(self.platform.messages))


@asynccontextmanager
async def reading(
    store: FakeStore | None = None, *, app: AppPolicy | None = None, **has: bool
) -> AsyncIterator[Reading]:
    clock = FakeClock()
    buttons = has.get("buttons", True)
    platform = ReadingPlatform(clock, buttons=buttons, question_buttons=3 if buttons else 0)
    backend = AbleBackend(clock)
    async with room(store, platform, clock=clock, backend=backend, app=app) as made:
        yield Reading(made, platform, backend)


def with_files(*files: Attachment, text: str = "What is that?", number: int = 1) -> MessageReceived:
    return values.message(text, number=number, attachments=files)


def in_thread(
    text: str = "And so?", *, number: int = 1, unseen: bool = False, about: Said | None = None
) -> MessageReceived:
    return replace(values.message(text, number=number, in_thread=True), unseen=unseen, about=about)


# Files


async def test_files_are_asked_about_by_the_user_who_has_them() -> None:
    async with reading() as at:
        await at.ask(with_files(at.platform.attach("a.png", PNG)))

        (question,) = at.backend.asked
        assert (question.text, question.files) == ("What is that?", (UploadedFile(id="0", kind="image"),))
        assert at.backend.uploads[0].user == question.user
        assert at.room.texts == ["You said: What is that?"]


async def test_files_alone_are_asked_about_by_their_names() -> None:
    async with reading() as at:
        await at.ask(with_files(at.platform.attach("a.png", PNG), at.platform.attach("b.png", PNG), text=" "))

        assert at.asked == ["(a.png, b.png)"]
        assert len(at.backend.asked[0].files) == 2


async def test_a_file_that_was_left_out_is_named_below_the_answer_however_it_ends() -> None:
    async with reading() as at:
        at.room.answer_with(lambda question: say("A cat.") if question.files else [BackendFailed("500")])
        await at.ask(with_files(at.platform.attach("a.png", PNG), at.platform.attach("b.exe", b"MZ")))
        await at.ask(replace(with_files(at.platform.attach("c.exe", b"MZ"), number=2), target=values.target("2")))

        assert at.room.texts[0] == "A cat.\n\n📎 b.exe was left out: the app takes no files of this kind."
        assert "📎 c.exe was left out" in at.room.texts[1]
        assert "The app failed" in at.room.texts[1]


async def test_when_nothing_can_be_read_the_member_is_told_and_the_app_is_not_asked() -> None:
    async with reading() as at:
        await at.ask(with_files(at.platform.attach("b.exe", b"MZ"), text=""))

        assert at.asked == []
        (said,) = at.room.texts
        assert said.split("\n\n") == [
            "(There was nothing in it that the app could read.)",
            "📎 b.exe was left out: the app takes no files of this kind.",
        ]
        assert at.room.store.answers[0].state is AnswerState.DONE


async def test_asking_again_hands_nothing_over_twice() -> None:
    async with reading() as at:
        at.backend.errors["What is that?"] = [BackendBusy("429"), BackendBusy("429")]
        await at.ask(with_files(at.platform.attach("a.png", PNG)), 30)

        assert len(at.backend.asked) == 3
        assert len(at.backend.uploads) == 1
        assert {question.files for question in at.backend.asked} == {(UploadedFile(id="0", kind="image"),)}


async def test_an_edited_question_hands_over_only_other_files() -> None:
    async with reading() as at:
        at.room.answer_with(lambda question: [1000.0])
        first, other = at.platform.attach("a.png", PNG), at.platform.attach("b.png", PNG)
        await at.ask(with_files(first))
        await at.ask_otherwise(edited(with_files(first), "And that?", revision=1))
        assert [one.name for one in at.backend.uploads] == ["a.png"]
        await at.ask_otherwise(edited(with_files(other), "And those?", revision=2))

        assert [one.name for one in at.backend.uploads] == ["a.png", "b.png"]
        assert [question.files[0].id for question in at.backend.asked] == ["0", "0", "1"]


async def test_a_question_with_files_waits_for_an_app_that_is_away() -> None:
    async with reading() as at:
        at.backend.down = True
        await at.ask(with_files(at.platform.attach("a.png", PNG)), 5)
        assert at.room.texts == ["⏳ The app cannot be reached right now. I keep trying."]
        at.backend.down = False
        await at.room.clock.advance(30)

        assert at.room.texts == ["You said: What is that?"]
        assert len(at.backend.asked[-1].files) == 1


async def test_stop_does_not_wait_for_files() -> None:
    async with reading() as at:
        at.platform.fetch_seconds = 50
        await at.ask(with_files(at.platform.attach("a.png", PNG)), 10)
        assert at.room.texts == ["⏳ I am reading what belongs to the question…"]
        await at.room.inbox(pressed(ButtonAction.STOP, at.answer_address()))
        await at.room.clock.advance(3)

        assert at.room.texts == ["(Stopped.)"]
        assert at.asked == []
        assert at.room.store.answers[0].state is AnswerState.STOPPED


async def test_who_closes_does_not_wait_for_files_and_the_next_owner_hands_them_over() -> None:
    store = FakeStore(lambda votes: None)
    async with reading(store) as at:
        at.platform.fetch_seconds = 50
        file = at.platform.attach("a.png", PNG)
        await at.ask(with_files(file), 10)
        at.room.turns.close()
        await at.room.clock.advance(1)
        assert not at.room.turns._running
    async with reading(store) as at:
        at.platform.attach("a.png", PNG)
        at.backend.recovered = [Recovered(fate=Fate.ABSENT)]
        await at.room.recovery.start()
        await at.room.clock.advance(10)

        assert [question.files for question in at.backend.asked] == [(UploadedFile(id="0", kind="image"),)]


# The thread, and what it is about


async def test_a_thread_is_told_at_the_first_question_and_never_again() -> None:
    async with reading() as at:
        at.platform.said = [Said(who="Ada", text="It is red."), Said(who="Bob", text="It is not.")]
        await at.ask(in_thread())
        await at.ask(in_thread("Sure?", number=2))

        assert at.asked == [
            "Written before in this thread:\n\nAda: It is red.\nBob: It is not.\n\nNow the question is:\n\nAnd so?",
            "Sure?",
        ]
        assert [before for _, before, _ in at.platform.read] == [values.ref("q1")]


async def test_a_thread_is_read_once_however_often_its_question_is_tried() -> None:
    async with reading() as at:
        at.platform.said = [Said(who="Ada", text="x")]
        at.room.answer_with(lambda question: [BackendBusy("429")] if len(at.asked) < 3 else say("ok"))
        await at.ask(in_thread(), 30)

        assert len(at.asked) == 3
        assert len(set(at.asked)) == len(at.platform.read) == 1


async def test_above_a_question_that_nobody_sees_all_of_the_thread_is_read() -> None:
    async with reading() as at:
        await at.ask(in_thread(unseen=True))
        assert [before for _, before, _ in at.platform.read] == [None]
        assert at.asked == ["And so?"]


async def test_outside_of_threads_nothing_is_read() -> None:
    async with reading() as at:
        await at.ask(values.message())
        assert at.platform.read == []


async def test_what_a_question_is_about_is_told_whether_or_not_the_app_knows_the_thread() -> None:
    async with reading() as at:
        at.platform.said = [Said(who="Ada", text="x")]
        about = Said(who="Bob", text="The price is 3.")
        await at.ask(in_thread("True?", about=about))
        await at.ask(in_thread("Why?", number=2, about=about))

        told = "The question is about this message:\n\nBob: The price is 3.\n\nNow the question is:\n\n"
        assert at.asked == [f"Written before in this thread:\n\nAda: x\n\n{told}True?", f"{told}Why?"]


async def test_an_app_that_forgot_is_told_the_past_and_not_the_thread() -> None:
    async with reading(app=AppPolicy(name=values.APP, context_turns=5)) as at:
        at.platform.said = [Said(who="Ada", text="x")]
        await at.ask(values.message("First"))
        at.backend.missing = {BackendConversationId("c1")}
        await at.ask(in_thread("Second", number=2))

        assert at.asked[-1] == (
            "Earlier in this conversation:\n\nQuestion: First\nAnswer: You said: First\n\nNow the question is:\n\nSecond"
        )
        assert at.platform.read == []


async def test_a_question_is_looked_for_by_its_own_words() -> None:
    store = FakeStore(lambda votes: None)
    async with reading(store) as at:
        at.platform.said = [Said(who="Ada", text="x")]
        at.room.answer_with(lambda question: [1000.0])
        await at.ask(in_thread())
        assert at.asked[0].endswith("\n\nAnd so?")
    async with reading(store) as at:
        at.backend.recovered = [Recovered(fate=Fate.ANSWERED, text="found")]
        await at.room.recovery.start()
        await at.room.clock.advance(10)

        assert [question.text for question, _, _ in at.backend.looks] == ["And so?"]
        assert at.room.texts == ["found"]


@given(
    st.lists(st.builds(Said, who=st.text(), text=st.text())),
    st.none() | st.builds(Said, who=st.text(), text=st.text()),
    st.text(),
)
def test_a_question_stands_last_and_apart_whatever_is_told_before_it(
    said: list[Said], about: Said | None, text: str
) -> None:
    told = with_thread(said, about, text)
    assert told == text or told.endswith(f"\n\n{text}")
    past = with_past([PastTurn(question=one.who, answer=one.text) for one in said], text)
    assert past == text or past.endswith(f"\n\n{text}")


def test_of_a_long_thread_the_newest_messages_are_told_as_far_as_they_fit() -> None:
    said = [Said(who="Ada", text=f"{number} " + "x" * 40) for number in range(300)]
    told = with_thread(said, None, "?").split("\n\n")[1]

    lines = told.split("\n")
    assert LONGEST_CONTEXT - 100 < len(told) <= LONGEST_CONTEXT
    assert lines == [f"Ada: {one.text}" for one in said[-len(lines) :]]


def test_of_a_message_that_is_too_long_by_itself_the_beginning_is_told() -> None:
    said = [Said(who="Ada", text="old"), Said(who="Bob", text="y" * 9_000), Said(who="Bot", text=" \n ")]
    told = with_thread(said, None, "?").split("\n\n")[1]

    assert told.startswith("Bob: yyy")
    assert told.endswith("y…")
    assert len(told) == LONGEST_CONTEXT


def test_what_is_about_nothing_is_the_question_alone() -> None:
    assert with_thread([Said(who="Ada", text=" ")], Said(who="Bob", text=""), "?") == "?"
    assert with_past([], "?") == "?"
    assert words_of(values.question(" a ")) == " a "
    assert shortened(" a\n b ") == "a b"
    assert len(shortened("long " * 1_000)) <= 600


# What could be asked next


async def test_suggestions_are_buttons_that_ask_and_are_kept_with_the_outcome() -> None:
    async with reading() as at:
        at.backend.next_questions = ["Why?", "Since when?", "Who else?", "What else?"]
        await at.ask(values.message())

        asking = [button for button in at.buttons() if button.action is ButtonAction.ASK]
        assert [button.value for button in asking] == ["Why?", "Since when?", "Who else?"]
        assert at.backend.suggested_for[0].message == "m1"
        outcome = at.room.store.answers[0].outcome
        assert outcome is not None
        assert outcome.suggestions == ("Why?", "Since when?", "Who else?", "What else?")


@pytest.mark.parametrize("trouble", ["slow", "failing", "too slow after all"])
async def test_suggestions_that_do_not_come_are_gone_without_and_cost_little_time(trouble: str) -> None:
    async with reading() as at:
        at.backend.next_questions = ["Why?"]
        if trouble == "failing":
            at.backend.suggest_errors = [BackendFailed("500")]
        else:
            at.backend.suggest_seconds = 100 if trouble == "slow" else 3.1
        await at.ask(values.message(), 4)

        assert at.room.texts == ["You said: What is up?"]
        assert at.room.store.answers[0].state is AnswerState.DONE
        assert [button.action for button in at.buttons()] == []
        await at.ask(values.message("Next", number=2), 4)
        assert at.asked == ["What is up?", "Next"]


async def test_suggestions_that_come_in_time_are_waited_for() -> None:
    async with reading() as at:
        at.backend.next_questions, at.backend.suggest_seconds = ["Why?"], 2.5
        await at.ask(values.message(), 4)
        assert [button.value for button in at.buttons()] == ["Why?"]


async def test_who_stops_while_suggestions_are_looked_for_has_the_whole_answer_at_once() -> None:
    async with reading() as at:
        at.backend.next_questions, at.backend.suggest_seconds = ["Why?"], 2.9
        await at.ask(values.message(), 2)
        await at.room.inbox(pressed(ButtonAction.STOP, at.answer_address()))
        await at.room.clock.advance(0.5)

        assert at.room.texts == ["You said: What is up?"]
        assert at.room.store.answers[0].state is AnswerState.DONE
        assert at.buttons() == []


async def test_nothing_is_suggested_where_there_are_no_buttons_or_no_answer() -> None:
    async with reading(buttons=False) as at:
        await at.ask(values.message())
        assert at.backend.suggested_for == []
    async with reading() as at:
        at.room.answer_with(lambda question: [])
        await at.ask(values.message())
        at.room.answer_with(lambda question: fail_after_start(BackendFailed("500"), "Half"))
        await at.ask(values.message("Next", number=2))
        assert at.backend.suggested_for == []


async def test_everything_that_an_answer_has_is_on_record_before_it_is_shown() -> None:
    made = ProducedFile(name="a.png", kind="image", address="made/1", media_type="image/png", size=4)
    async with reading() as at:
        at.backend.made["made/1"] = PNG
        at.backend.next_questions = ["Why?"]
        at.backend.fetch_seconds = 30
        at.room.answer_with(
            lambda question: [TextDelta(text="ok"), SourcesCited(names=("A.pdf",)), FileProduced(file=made)]
        )
        await at.ask(values.message(), 5)

        kept = at.room.store.answers[0]
        assert kept.state is AnswerState.FINALISING
        assert kept.outcome is not None
        outcome = load_outcome(dump_outcome(kept.outcome))
        assert outcome == kept.outcome
        assert (outcome.text, outcome.sources, outcome.suggestions, outcome.files) == (
            "ok",
            ("A.pdf",),
            ("Why?",),
            (made,),
        )
