"""Voice messages: their words are the question, where the app can hear; else they are files, or somebody is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from bridge.backend_api import FileRules
from bridge.errors import (
    BackendBusy,
    BackendError,
    BackendFailed,
    BackendUnreachable,
    NotAllowed,
    PlatformUnavailable,
    QuestionRefused,
)
from bridge.messages import AnswerState, Attachment, BackendUser, ButtonAction
from tests.core import doings
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import AbleBackend, FakeBackend, Upload
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform
from tests.fakes.platform_reading import ReadingPlatform
from tests.fakes.store import FakeStore

RECORDINGS = FileRules(most=3, largest={"audio": 10_000_000}, media_types={"audio": "audio"})
NAME = "voice-message.ogg"
USER = BackendUser("fake:team:general:1")
WORDS = "How late is it?"
NOT_HEARD = "⚠️ The voice message could not be turned into text. (Reference "


@dataclass
class Voices:
    room: Room
    platform: ReadingPlatform
    backend: AbleBackend

    def recording(self) -> Attachment:
        made = self.platform.attach(NAME, b"OggS", media_type="audio/ogg", size=4)
        return replace(made, is_voice=True)

    async def say(self, *files: Attachment, text: str = "", seconds: float = 10) -> None:
        await self.room.inbox(values.message(text, attachments=files or (self.recording(),)))
        await self.room.clock.advance(seconds)

    @property
    def asked(self) -> list[str]:
        return [question.text for question in self.backend.asked]

    @property
    def state(self) -> AnswerState:
        return self.room.store.answers[-1].state

    async def press(self, action: ButtonAction) -> None:
        [address] = self.platform.messages
        await self.room.inbox(doings.press(action, address))
        await self.room.clock.advance(10)


@asynccontextmanager
async def voices(store: FakeStore | None = None) -> AsyncIterator[Voices]:
    clock = FakeClock()
    platform, backend = ReadingPlatform(clock, buttons=True), AbleBackend(clock, heard=WORDS)
    async with room(store, platform, clock=clock, backend=backend) as at:
        yield Voices(at, platform, backend)


async def test_what_is_said_is_what_is_asked_and_stands_above_the_answer() -> None:
    async with voices() as at:
        await at.say()
        assert at.asked == ["How late is it?"]
        assert at.backend.recordings == [Upload(NAME, "audio/ogg", "", USER, b"OggS")]
        assert at.backend.uploads == []
        assert at.room.texts == ["> 🎙 How late is it?\n\nYou said: How late is it?"]


async def test_written_words_come_first() -> None:
    async with voices() as at:
        await at.say(text="Please tell me:")
        assert at.asked == ["Please tell me:\n\nHow late is it?"]


async def test_nothing_that_was_said_is_taken_for_markdown_or_a_mention() -> None:
    async with voices() as at:
        at.backend.heard = "*Two*\nlines for @everyone and <@123>"
        await at.say()
        shown = at.room.texts[0].partition("\n\n")[0]
        assert shown.startswith(r"> 🎙 \*Two\* lines for")
        assert "@everyone" not in shown
        assert "<@123>" not in shown
        assert at.asked == [at.backend.heard]


async def test_other_files_go_with_it() -> None:
    async with voices() as at:
        await at.say(at.recording(), at.platform.attach("a.png", b"\x89PNG"))
        assert at.asked == ["How late is it?"]
        assert [one.name for one in at.backend.uploads] == ["a.png"]


# Where it is not heard


async def test_an_app_that_cannot_hear_gets_the_recording_as_a_file_where_it_takes_such() -> None:
    async with voices() as at:
        at.backend.heard, at.backend.rules = None, RECORDINGS
        await at.say()
        assert [one.kind for one in at.backend.uploads] == ["audio"]
        assert at.asked == ["(voice-message.ogg)"]


async def test_where_neither_is_possible_that_is_said() -> None:
    async with voices() as at:
        at.backend.heard = None
        await at.say()
        assert at.asked == []
        assert "🎙 I cannot listen to voice messages here. Please write your question." in at.room.texts[0]
        assert at.state is AnswerState.DONE


@pytest.mark.parametrize("platform", [FakePlatform, ReadingPlatform])
async def test_so_it_is_where_the_platform_or_the_app_knows_nothing_of_files(platform: type[FakePlatform]) -> None:
    clock = FakeClock()
    async with room(platform=platform(clock), clock=clock, backend=FakeBackend(clock)) as at:
        spoken = Attachment(name=NAME, is_voice=True)
        await at.inbox(values.message("", attachments=(spoken,)))
        await at.clock.advance(5)
        assert "🎙 I cannot listen to voice messages here. Please write your question." in at.texts[0]


async def test_written_words_are_asked_without_it() -> None:
    async with voices() as at:
        at.backend.heard = None
        await at.say(text="Hello?")
        assert at.asked == ["Hello?"]
        assert "🎙 I cannot listen" in at.room.texts[0]


async def test_where_no_words_could_be_made_out_that_is_said() -> None:
    async with voices() as at:
        at.backend.heard = " \n"
        await at.say()
        assert at.asked == []
        assert "🎙 The voice message was left out. No words could be made out in it." in at.room.texts[0]


async def test_a_recording_that_the_app_refuses_for_good_goes_as_a_file_or_the_reason_is_told() -> None:
    refused = QuestionRefused("415", user_message="The app cannot listen to Ogg recordings.")
    async with voices() as at:
        at.backend.hear_errors[NAME], at.backend.rules = [refused], RECORDINGS
        await at.say()
        assert len(at.backend.uploads) == 1
    async with voices() as at:
        at.backend.hear_errors[NAME] = [refused]
        await at.say()
        assert "🎙 The voice message was left out. The app cannot listen to Ogg recordings." in at.room.texts[0]


async def test_a_recording_that_is_gone_is_told() -> None:
    async with voices() as at:
        recording = at.recording()
        at.platform.fetch_errors[NAME] = [NotAllowed("it was deleted.")]
        at.platform.contents.clear()
        await at.say(recording)
        assert "🎙 The voice message was left out. It was deleted." in at.room.texts[0]


async def test_an_app_of_which_is_not_known_whether_it_hears_is_taken_for_one_that_does_not() -> None:
    class Unsure(AbleBackend):
        async def transcribes(self) -> bool:
            raise BackendFailed("500")

    clock = FakeClock()
    platform, backend = ReadingPlatform(clock), Unsure(clock, rules=RECORDINGS)
    async with room(platform=platform, clock=clock, backend=backend) as at:
        await Voices(at, platform, backend).say()
        assert len(backend.uploads) == 1


# What goes wrong


@pytest.mark.parametrize("trouble", [BackendFailed("500"), PlatformUnavailable("503"), None])
async def test_what_could_not_be_heard_this_time_is_said_and_may_be_tried_again(
    trouble: BackendError | PlatformUnavailable | None,
) -> None:
    async with voices() as at:
        if isinstance(trouble, BackendError):
            at.backend.hear_errors[NAME] = [trouble]
        elif trouble is not None:
            at.platform.fetch_errors[NAME] = [trouble]
        else:
            at.backend.hear_seconds = 100
        await at.say(seconds=80)
        assert at.asked == []
        assert at.room.texts[0].startswith(NOT_HEARD)
        assert [button.action for message in at.platform.messages.values() for button in message.buttons] == [
            ButtonAction.RETRY
        ]
        at.backend.hear_seconds = 0.0
        await at.press(ButtonAction.RETRY)
        assert at.asked == ["How late is it?"]
        assert at.room.texts == ["> 🎙 How late is it?\n\nYou said: How late is it?"]


async def test_what_the_app_says_of_it_is_told() -> None:
    async with voices() as at:
        at.backend.hear_errors[NAME] = [BackendFailed("500", user_message="The app's speech model is not there.")]
        await at.say()
        assert at.room.texts[0].startswith("⚠️ The app's speech model is not there. (Reference ")


@pytest.mark.parametrize("error", [BackendBusy("full"), BackendUnreachable("down")])
async def test_an_app_that_is_busy_or_away_is_waited_for_as_for_any_question(error: BackendError) -> None:
    async with voices() as at:
        at.backend.hear_errors[NAME] = [error]
        await at.say(seconds=20)
        assert at.asked == ["How late is it?"]


async def test_a_failure_to_hear_says_nothing_about_the_apps_own_conversation() -> None:
    async with voices() as at:
        await at.say()
        at.backend.hear_errors[NAME] = [BackendFailed("500")]
        await at.room.inbox(values.message("", number=2, attachments=(at.recording(),)))
        await at.room.clock.advance(10)
        assert not at.room.store.conversations[0].poisoned


async def test_stop_ends_the_listening() -> None:
    async with voices() as at:
        at.backend.hear_seconds = 40
        await at.say(seconds=5)
        await at.room.inbox(values.message("stop", number=2))
        await at.room.clock.advance(1)
        assert (at.state, at.asked) == (AnswerState.STOPPED, [])


# What is kept


async def test_it_is_heard_once_however_often_the_question_is_asked() -> None:
    async with voices() as at:
        at.backend.errors["How late is it?"] = [BackendFailed("500")]
        await at.say()
        await at.press(ButtonAction.RETRY)
        assert at.asked == ["How late is it?"] * 2
        assert len(at.backend.recordings) == 1
        assert at.room.texts == ["> 🎙 How late is it?\n\nYou said: How late is it?"]


async def test_whoever_takes_over_knows_what_was_said() -> None:
    async with voices() as at:
        at.room.answer_with(lambda _: [1000.0])
        await at.say()
    async with voices(at.room.store) as after:
        await after.room.recovery.start()
        await after.room.clock.advance(300)
        assert after.backend.looks[0][0].text == "How late is it?"
        assert after.asked == ["How late is it?"]
        assert after.backend.recordings == []
        assert after.room.texts[-1].startswith("> 🎙 How late is it?")


async def test_a_store_that_is_away_keeps_nobody_from_asking() -> None:
    class Forgetful(FakeStore):
        async def record_spoken(self, turn: object, words: str) -> None:
            self.failures = 1
            self._work()

    async with voices(Forgetful(lambda _: None)) as at:
        await at.say()
        assert at.asked == ["How late is it?"]
