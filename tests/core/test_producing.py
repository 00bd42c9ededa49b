"""Files that an app makes: fetched as soon as they are told of, shown after the text, named where they cannot be had."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from tempfile import TemporaryDirectory

import pytest

from bridge import producing
from bridge.backend_api import FileProduced, TextDelta
from bridge.errors import BackendFailed
from bridge.messages import AnswerState, ButtonAction, PartRole, ProducedFile
from bridge.producing import Collector, ProducingLimits
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import AbleBackend, FakeBackend, Step
from tests.fakes.clock import FakeClock
from tests.fakes.events import pressed
from tests.fakes.platform import FakePlatform, FilePlatform
from tests.fakes.store import FakeStore

PNG = b"\x89PNG"


def made(name: str = "a.png", *, media_type: str = "") -> ProducedFile:
    return ProducedFile(name=name, kind="image", address=f"made/{name}", media_type=media_type)


def draws(*names: str, slowly: bool = False) -> list[Step]:
    """An answer with these files; `slowly`: it goes on for a long time after them."""
    files = [FileProduced(file=made(name)) for name in names]
    return [TextDelta(text="Here."), *files, *([1000.0] if slowly else [])]


@asynccontextmanager
async def drawing(
    *names: str, store: FakeStore | None = None, platform: FakePlatform | None = None
) -> AsyncIterator[tuple[Room, AbleBackend, FilePlatform]]:
    """A room whose app has made these files, and says so with every answer."""
    clock = FakeClock()
    backend = AbleBackend(clock, made={f"made/{name}": PNG for name in names})
    taking = platform if isinstance(platform, FilePlatform) else FilePlatform(clock, buttons=True)
    async with room(store, platform or taking, clock=clock, backend=backend) as at:
        at.answer_with(lambda question: draws(*names))
        yield at, backend, taking


async def test_a_file_is_shown_after_the_text() -> None:
    async with drawing("a.png", "b.png") as (at, _, platform):
        await at.inbox(values.message())
        await at.clock.advance(5)

        assert at.texts == ["Here.", "📎 a.png", "📎 b.png"]
        assert [(file.name, file.content, file.media_type) for file in platform.files.values()] == [
            ("a.png", PNG, "image/png"),
            ("b.png", PNG, "image/png"),
        ]
        assert [part.role for part in at.store.answers[0].parts.values()] == [
            PartRole.TEXT,
            PartRole.PRODUCED,
            PartRole.PRODUCED,
        ]


async def test_a_file_is_fetched_at_once_since_its_address_expires() -> None:
    async with drawing() as (at, backend, platform):
        backend.made["made/a.png"] = PNG
        at.answer_with(lambda question: [*draws("a.png"), 400.0, TextDelta(text=" There.")])
        await at.inbox(values.message())
        await at.clock.advance(100)
        assert backend.fetched == ["made/a.png"]
        backend.made.clear()
        await at.clock.advance(400)

        assert at.texts == ["Here. There.", "📎 a.png"]
        assert backend.fetched == ["made/a.png"]
        assert [file.content for file in platform.files.values()] == [PNG]


async def test_files_are_fetched_side_by_side() -> None:
    async with drawing("a.png", "b.png", "c.png") as (at, backend, _):
        backend.fetch_seconds = 20
        await at.inbox(values.message())
        await at.clock.advance(25)
        assert len(at.texts) == 4


async def test_an_answer_may_be_a_file_alone() -> None:
    async with drawing() as (at, backend, _):
        backend.made["made/a.png"] = PNG
        at.answer_with(lambda question: [FileProduced(file=made())])
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert at.texts[-1] == "📎 a.png"
        assert "empty" not in "".join(at.texts)


async def test_who_takes_over_fetches_again_and_asks_nobody() -> None:
    store = FakeStore(lambda votes: None)
    async with drawing("a.png", store=store) as (at, backend, platform):
        backend.fetch_seconds = 50
        await at.inbox(values.message())
        await at.clock.advance(10)
        assert [answer.state for answer in store.answers] == [AnswerState.FINALISING]
    async with drawing("a.png", store=store, platform=platform) as (after, backend, _):
        await after.recovery.start()
        await after.clock.advance(10)

        assert after.texts == ["Here.", "📎 a.png"]
        assert (backend.asked, backend.fetched) == ([], ["made/a.png"])
        assert len(platform.files) == 1
        assert [answer.state for answer in store.answers] == [AnswerState.DONE]


async def test_a_stopped_answer_of_somebody_else_keeps_its_files() -> None:
    store = FakeStore(lambda votes: None)
    async with drawing("a.png", store=store) as (at, _, platform):
        at.answer_with(lambda question: draws("a.png", slowly=True))
        at.platform.latency = 30
        await at.inbox(values.message())
        await at.clock.advance(35)
        await at.inbox(pressed(ButtonAction.STOP, next(iter(at.platform.messages))))
        await at.clock.advance(15)
        assert store.answers[0].state is AnswerState.FINALISING
        assert not platform.files
        platform.latency = 0
    async with drawing("a.png", store=store, platform=platform) as (after, _, _):
        await after.recovery.start()
        await after.clock.advance(10)
        assert len(platform.files) == 1


# What cannot be had


NOT_FETCHED = "Here.\n\n📎 The app made a file, a.png, which could not be fetched."


async def test_a_file_that_cannot_be_had_is_named() -> None:
    async with drawing("a.png", "b.png") as (at, backend, _):
        backend.fetch_errors["a.png"] = [BackendFailed("https://dify.example/files/a?sign=secret")]
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert at.texts == [NOT_FETCHED, "📎 b.png"]


@pytest.mark.parametrize(("seconds", "shown"), [(59, ["Here.", "📎 a.png"]), (61, [NOT_FETCHED])])
async def test_a_file_is_waited_for_a_minute(seconds: float, shown: list[str]) -> None:
    async with drawing("a.png") as (at, backend, _):
        backend.fetch_seconds = seconds
        await at.inbox(values.message())
        await at.clock.advance(70)
        assert at.texts == shown


async def test_an_empty_file_is_as_good_as_none() -> None:
    async with drawing("a.png") as (at, backend, _):
        backend.made["made/a.png"] = b""
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert at.texts == [NOT_FETCHED]


async def test_a_platform_that_takes_no_files_has_them_named_and_none_is_fetched() -> None:
    async with drawing("a.png", platform=FakePlatform(FakeClock())) as (at, backend, _):
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert at.texts == ["Here.\n\n📎 The app made a file, a.png, which could not be sent here."]
        assert backend.fetched == []


async def test_files_of_a_backend_that_gives_none_are_named() -> None:
    clock = FakeClock()
    async with room(platform=FilePlatform(clock), clock=clock, backend=FakeBackend(clock)) as at:
        at.answer_with(lambda question: draws("a.png"))
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert at.texts == [NOT_FETCHED]


async def test_a_disk_without_room_costs_the_file_and_not_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(prefix: str) -> TemporaryDirectory[str]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(producing, "TemporaryDirectory", full)
    async with drawing("a.png") as (at, _, _):
        await at.inbox(values.message())
        await at.clock.advance(5)
        assert at.texts == [NOT_FETCHED]


# Nobody waits


async def test_who_stops_an_answer_does_not_wait_for_its_files() -> None:
    async with drawing() as (at, backend, _):
        backend.made["made/a.png"] = backend.made["made/b.png"] = PNG
        at.answer_with(lambda question: draws("a.png", slowly=True))
        backend.fetch_seconds = 55
        await at.inbox(values.message())
        await at.clock.advance(5)
        await at.inbox(pressed(ButtonAction.STOP, next(iter(at.platform.messages))))
        await at.clock.advance(3)

        assert at.store.answers[0].state is AnswerState.STOPPED
        assert at.texts == [NOT_FETCHED.replace("\n\n", "\n\n(Stopped.)\n\n")]


async def test_what_is_there_when_an_answer_is_stopped_is_shown() -> None:
    async with drawing("a.png") as (at, _, platform):
        at.answer_with(lambda question: draws("a.png", slowly=True))
        await at.inbox(values.message())
        await at.clock.advance(5)
        await at.inbox(pressed(ButtonAction.STOP, next(iter(at.platform.messages))))
        await at.clock.advance(3)
        assert len(platform.files) == 1


async def test_who_hands_over_does_not_wait_for_files() -> None:
    store = FakeStore(lambda votes: None)
    async with drawing("a.png", store=store) as (at, backend, _):
        backend.fetch_seconds = 50
        await at.inbox(values.message())
        await at.clock.advance(5)
        at.turns.hand_over()
        await at.clock.advance(0)

        assert not at.turns._running
        assert store.answers[0].state is AnswerState.FINALISING
        assert "📎" not in "".join(at.texts), "the next owner may have more luck"


# One by one


def collector(backend: AbleBackend, limits: ProducingLimits | None = None) -> Collector:
    return Collector({values.APP: backend}, values.APP, backend.clock, limits or ProducingLimits())


@pytest.mark.parametrize(
    ("file", "media_type"),
    [
        (made("a.png", media_type="image/x"), "image/png"),
        (made("a", media_type="image/x"), "image/x"),
        (made("a"), "application/octet-stream"),
    ],
)
async def test_a_media_type_is_what_was_told_with_the_content_or_with_the_file(
    file: ProducedFile, media_type: str
) -> None:
    backend = AbleBackend(FakeClock(), made={file.address: PNG})
    collecting = collector(backend)
    ((got,), notes) = await collecting.collect([file])
    await collecting.close()
    assert (got.name, got.media_type, notes) == (file.name, media_type, [])


async def test_more_and_larger_files_than_wanted_are_named_in_their_order() -> None:
    files = [made(f"{number}.png") for number in range(4)]
    backend = AbleBackend(FakeClock(), made={file.address: PNG for file in files})
    backend.made["made/1.png"] = PNG * 100
    collecting = collector(backend, ProducingLimits(most=3, largest=10))
    got, notes = await collecting.collect(files)
    await collecting.close()

    assert [file.name for file in got] == ["0.png", "2.png"]
    assert [note.replace("\\", "") for note in notes] == [
        f"📎 The app made a file, {number}.png, which could not be fetched." for number in (1, 3)
    ]
    assert len(backend.fetched) == 3


async def test_a_closed_collector_has_left_nothing_running() -> None:
    backend = AbleBackend(FakeClock(), made={"made/a.png": PNG}, fetch_seconds=50)
    collecting = collector(backend)
    before = asyncio.all_tasks()
    collecting.begin(made())
    await asyncio.sleep(0)
    await collecting.close()
    collecting.begin(made("b.png"))

    assert asyncio.all_tasks() == before
    assert (await collecting.collect([made()]))[0] == []
