"""Answers that are too long for a few messages: the rest goes into a file, once, or into messages where no file is possible."""

import asyncio
import threading
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bridge.answers import INLINE_WORK, WriterLimits
from bridge.backend_api import TextReplaced
from bridge.composing import FILE_COMMENT, WRITING, Composer, Message
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import MessageRef, OutgoingMessage, ReplyTarget
from bridge.outgoing_files import OutgoingFile
from tests.core.room import room
from tests.core.test_answers import Desk, desk
from tests.fakes import values
from tests.fakes.backend import say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FilePlatform

PARAGRAPHS = [f"{number} " + "x" * 280 for number in range(8)]
LONG = "\n\n".join(PARAGRAPHS)
LIMITS = WriterLimits(most_messages=2)


def files(at: Desk) -> FilePlatform:
    assert isinstance(at.platform, FilePlatform)
    return at.platform


async def grow(at: Desk, paragraphs: list[str] = PARAGRAPHS) -> None:
    for paragraph in paragraphs:
        at.say(paragraph + "\n\n")
        await at.clock.advance(3)


def attached(at: Desk) -> str:
    (file,) = files(at).files.values()
    return file.content.decode()


async def test_a_long_answer_is_announced_and_ends_in_one_file_that_counts_as_a_message_of_it() -> None:
    async with desk(LIMITS, max_text=300, kind=FilePlatform) as at:
        await grow(at)
        assert at.platform.texts == [*PARAGRAPHS[:2], WRITING]
        frozen = [len(message.history) for message in at.platform.messages.values()][:2]
        assert await at.end(notes=("A note.",))
        rest = "\n\n".join(PARAGRAPHS[2:]) + "\n\n"
        assert attached(at) == rest
        *text, about, comment = at.platform.texts
        assert text == PARAGRAPHS[:2]
        assert f"({len(rest):,} characters) is in the attached file" in about
        assert about.endswith("\n\nA note.")
        assert comment == FILE_COMMENT
        assert [len(message.history) for message in at.platform.messages.values()][:2] == frozen
        assert list(files(at).files) == [at.records.parts[3][0].address], "so that a reaction on it counts"
        assert len({message.nonce for message in at.platform.messages.values()}) == 4


async def test_a_long_answer_that_comes_at_once_needs_no_announcement() -> None:
    async with desk(LIMITS, max_text=300, kind=FilePlatform) as at:
        at.say(LONG)
        assert await at.end()
        *text, about = at.platform.texts
        assert text == PARAGRAPHS[:2]
        assert "is in the attached file" in about
        assert attached(at) == "\n\n".join(PARAGRAPHS[2:])
        assert at.writer is not None
        assert at.writer.writes == 3


async def test_a_rest_that_fits_in_one_message_takes_the_place_of_the_announcement() -> None:
    async with desk(LIMITS, max_text=300, kind=FilePlatform) as at:
        ending = "The end. " * 20
        await grow(at, [*PARAGRAPHS[:2], ending])
        assert at.platform.texts[2] == WRITING
        assert await at.end()
        assert at.platform.texts == [*PARAGRAPHS[:2], ending.strip()]
        assert files(at).files == {}


async def test_a_replaced_text_takes_the_announcement_back() -> None:
    async with desk(LIMITS, max_text=300, kind=FilePlatform) as at:
        await grow(at)
        at.draft.fold(TextReplaced(text="Short."))
        assert await at.end()
        assert at.platform.texts == ["Short.", *["(This part was withdrawn.)"] * 2]


@pytest.mark.parametrize("grown", [True, False])
@pytest.mark.parametrize("error", [NotAllowed("no scope", code="missing_scope"), MessageRefused("not this one")])
async def test_where_no_file_is_allowed_the_rest_comes_as_messages(error: PlatformError, grown: bool) -> None:
    async with desk(LIMITS, max_text=300, kind=FilePlatform) as at:
        files(at).file_failures = [error]
        if grown:
            await grow(at)
        else:
            at.say(LONG)
        assert await at.end()
        assert at.platform.texts == PARAGRAPHS


async def test_a_platform_without_files_gets_messages_and_no_announcement() -> None:
    async with desk(LIMITS, max_text=300) as at:
        await grow(at)
        assert WRITING not in at.platform.texts
        assert await at.end()
        assert at.platform.texts == PARAGRAPHS


async def test_a_file_is_tried_again_with_the_same_nonce_and_stands_once() -> None:
    async with desk(LIMITS, max_text=300, kind=FilePlatform) as at:
        files(at).file_failures = [
            PlatformUnavailable("503"),
            RateLimited("wait", retry_after=timedelta(seconds=5)),
            PlatformUnavailable("503"),
        ]
        await grow(at)
        assert await at.end()
        assert len(at.platform.messages) == 4
        assert attached(at).startswith(PARAGRAPHS[2])


async def test_a_file_that_never_goes_through_is_given_up_for_messages() -> None:
    async with desk(LIMITS, max_text=300, kind=FilePlatform) as at:
        files(at).file_failures = [PlatformUnavailable("503")] * 100
        await grow(at)
        assert await at.end(120)
        assert at.platform.texts == PARAGRAPHS
        assert len(files(at).file_failures) == 95


class Forgetful(FilePlatform):
    """Takes every file and never says so."""

    async def send_file(self, target: ReplyTarget, message: OutgoingMessage, file: OutgoingFile) -> MessageRef:
        await super().send_file(target, message, file)
        raise PlatformUnavailable("the answer was lost")


async def test_a_file_that_stands_without_our_knowing_takes_no_message_s_place() -> None:
    async with desk(LIMITS, max_text=300, kind=Forgetful) as at:
        at.say(LONG)
        assert await at.end(120)
        assert len(files(at).files) == 1
        assert [text for text in at.platform.texts if "attached" not in text] == PARAGRAPHS


async def test_when_the_thread_is_gone_the_file_is_not_insisted_on() -> None:
    async with desk(LIMITS, max_text=300, kind=FilePlatform) as at:
        await grow(at)
        files(at).file_failures = [MessageGone("deleted")]
        assert await at.end() is False


async def test_a_stopped_answer_says_so_beside_the_file_and_not_in_it() -> None:
    async with desk(LIMITS, max_text=300, kind=FilePlatform) as at:
        await grow(at)
        assert await at.end(complete=False, notes=("(Stopped.)",))
        assert "(Stopped.)" in at.platform.texts[2]
        assert "(Stopped.)" not in attached(at)


async def test_killed_before_the_file_the_answer_is_asked_again_and_the_file_comes() -> None:
    platform = FilePlatform(FakeClock(), max_text=300)
    async with room(platform=platform, writer=LIMITS) as at:
        at.answer_with(lambda _: [*say(*(one + "\n\n" for one in PARAGRAPHS), pause=2.0), 1000.0])
        await at.inbox(values.message())
        await at.clock.advance(30)
        assert at.texts == [*PARAGRAPHS[:2], WRITING]
    async with room(store=at.store, platform=platform, writer=LIMITS) as after:
        after.answer_with(lambda _: say(*(one + "\n\n" for one in PARAGRAPHS)))
        await after.recovery.start()
        await after.clock.advance(60)
        assert after.texts[:2] == PARAGRAPHS[:2]
        assert after.texts[2].startswith("📄 The rest of this answer")
        assert len(after.texts) == 4
        assert len(platform.files) == 1


async def test_long_texts_are_cut_in_a_thread_and_short_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where work is done is what holds up the event loop."""
    at_work: list[tuple[int, bool]] = []
    compose = Composer.compose

    def watched(
        self: Composer,
        text: str,
        notes: tuple[str, ...],
        *,
        ended: bool,
        complete: bool,
        files: Sequence[OutgoingFile] = (),
    ) -> list[Message]:
        at_work.append((self.work(text), threading.current_thread() is threading.main_thread()))
        return compose(self, text, notes, ended=ended, complete=complete, files=files)

    monkeypatch.setattr(Composer, "compose", watched)
    async with desk(LIMITS, max_text=10_000, kind=FilePlatform) as at:
        at.say("short")
        await at.clock.advance(1)
        at.say("word " * (INLINE_WORK // 5))
        at.draft.end()
        assert at.task is not None
        async with asyncio.timeout(10):
            while not at.task.done():
                await at.clock.advance(1)
        assert at.task.result()
    assert {inline for work, inline in at_work if work <= INLINE_WORK} == {True}
    assert {inline for work, inline in at_work if work > INLINE_WORK} == {False}


async def test_a_text_with_nothing_new_to_show_is_looked_at_now_and_then_only(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = 0
    compose = Composer.compose

    def counted(
        self: Composer,
        text: str,
        notes: tuple[str, ...],
        *,
        ended: bool,
        complete: bool,
        files: Sequence[OutgoingFile] = (),
    ) -> list[Message]:
        nonlocal looks
        looks += 1
        return compose(self, text, notes, ended=ended, complete=complete, files=files)

    monkeypatch.setattr(Composer, "compose", counted)
    async with desk() as at:
        at.say("See [")
        await at.clock.advance(2)
        looks = 0
        for _ in range(100):
            at.say("x")
            await at.clock.advance(0.01)
        assert looks <= 6
        assert await at.end()
