"""What comes with a question: attached files are handed to the app or named with the reason, and its thread is read once."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bridge import surroundings
from bridge.backend_api import FileRules
from bridge.errors import BackendFailed, BackendUnreachable, NotAllowed, PlatformUnavailable, QuestionRefused
from bridge.messages import Attachment, Said
from bridge.platform_api import FetchesFiles, Platform, ReadsThreads
from bridge.surroundings import HandedOver, SurroundingLimits, Surroundings, in_words, kind_of
from tests.fakes import values
from tests.fakes.backend import AbleBackend, FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE, FakePlatform
from tests.fakes.platform_reading import ReadingPlatform

PNG = b"\x89PNG"


class Around:
    def __init__(
        self,
        *,
        platform: FakePlatform | None = None,
        backend: FakeBackend | None = None,
        limits: SurroundingLimits | None = None,
    ) -> None:
        self.clock = FakeClock()
        self.platform = ReadingPlatform(self.clock)
        self.backend = AbleBackend(self.clock)
        self.surroundings = Surroundings(
            platforms={FAKE: platform or self.platform},
            backends={values.APP: backend or self.backend},
            clock=self.clock,
            limits=limits or SurroundingLimits(),
        )

    def picture(self, name: str = "a.png", content: bytes = PNG, *, size: int | None = None) -> Attachment:
        return self.platform.attach(name, content, size=size)

    async def hand_over(self, *files: Attachment) -> HandedOver:
        asked = values.question(attachments=files)
        going = asyncio.ensure_future(self.surroundings.hand_over(values.turn(asked), asked))
        await self.clock.advance(1000)
        return await going

    async def why_not(self, *files: Attachment) -> list[str]:
        """The reasons that the member reads, one for each file that was left out."""
        notes = (await self.hand_over(*files)).notes
        return [note.partition("left out: ")[2] for note in notes]


@pytest.fixture
def around() -> Around:
    return Around()


async def test_a_file_is_handed_over_whole_for_the_user_of_the_conversation(around: Around) -> None:
    handed = await around.hand_over(around.picture("a.png", b"one"), around.picture("b.JPG", b"two"))

    assert [(file.id, file.kind) for file in handed.files] == [("0", "image"), ("1", "image")]
    assert handed.notes == ()
    assert [(one.name, one.content, one.user) for one in around.backend.uploads] == [
        ("a.png", b"one", "fake:team:general:1"),
        ("b.JPG", b"two", "fake:team:general:1"),
    ]


async def test_a_media_type_is_the_message_s_own_or_else_what_was_told_with_the_content(around: Around) -> None:
    named, told = around.platform.attach("a.png", PNG, media_type="image/x"), around.picture("b.png")
    around.platform.told_types = {named.address: "image/png", told.address: "image/png"}

    await around.hand_over(named, told)

    assert [one.media_type for one in around.backend.uploads] == ["image/x", "image/png"]


async def test_nothing_of_a_file_stays_on_the_disk(around: Around, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[Path] = []

    class Watched(TemporaryDirectory[str]):
        def __enter__(self) -> str:
            folders.append(Path(super().__enter__()))
            return str(folders[-1])

    monkeypatch.setattr(surroundings, "TemporaryDirectory", Watched)
    around.backend.upload_errors["bad.png"] = [BackendFailed("500")]
    await around.hand_over(around.picture(), around.picture("bad.png"))

    assert len(folders) == 2
    assert not any(folder.exists() for folder in folders)


# What is left out


async def test_where_files_cannot_be_read_each_is_named() -> None:
    around = Around(platform=FakePlatform(FakeClock()))
    handed = await around.hand_over(Attachment(name="a.png"), Attachment(name="*b*.png"))

    assert handed.files == ()
    assert handed.notes == (
        r"📎 a\.png was left out: I cannot read files from here.",
        r"📎 \*b\*\.png was left out: I cannot read files from here.",
    )


async def test_an_app_that_takes_no_files_is_not_given_any(around: Around) -> None:
    plain = Around(backend=FakeBackend(FakeClock()))
    assert await plain.why_not(plain.picture()) == ["the app takes no files."]
    assert plain.platform.fetched == []

    around.backend.rules = FileRules()
    assert await around.why_not(around.picture()) == ["the app takes no files."]
    assert around.platform.fetched == []


async def test_rules_that_cannot_be_had_leave_all_files_out(around: Around) -> None:
    around.backend.rule_errors = [BackendFailed("500")]
    assert await around.why_not(around.picture(), around.picture()) == ["the app did not take it."] * 2


async def test_files_of_other_kinds_are_not_even_fetched(around: Around) -> None:
    reasons = await around.why_not(around.picture("a.exe"), around.picture("a.png"))

    assert reasons == ["the app takes no files of this kind."]
    assert around.platform.fetched == ["a.png"]


@pytest.mark.parametrize(
    ("size", "content", "fetched"), [(10_000_001, b"x", []), (None, b"x" * 10_000_001, ["a.png"]), (1, PNG, ["a.png"])]
)
async def test_a_file_is_too_large_by_what_the_platform_says_or_by_what_comes(
    around: Around, size: int | None, content: bytes, fetched: list[str]
) -> None:
    reasons = await around.why_not(around.picture(content=content, size=size))

    assert reasons == (["it is larger than 10 MB."] if content != PNG else [])
    assert around.platform.fetched == fetched


async def test_the_operator_s_limit_counts_where_it_is_the_smaller_one() -> None:
    around = Around(limits=SurroundingLimits(largest_file=3_000, most_files=1))
    reasons = await around.why_not(around.picture(size=3_001), around.picture(size=4), around.picture(size=4))

    assert reasons == ["it is larger than 3 kB.", "the app takes at most 1 at once."]


async def test_only_files_that_the_app_got_count(around: Around) -> None:
    around.backend.upload_errors["bad.png"] = [BackendFailed("500")]
    files = [around.picture(name) for name in ("bad.png", "a.png", "b.png", "c.png", "d.png")]

    handed = await around.hand_over(*files)

    assert len(handed.files) == 3
    assert handed.notes == (
        r"📎 bad\.png was left out: the app did not take it.",
        r"📎 d\.png was left out: the app takes at most 3 at once.",
    )


async def test_an_app_that_is_away_is_not_asked_without_the_files(around: Around) -> None:
    around.backend.upload_errors["a.png"] = [BackendUnreachable("refused")]
    with pytest.raises(BackendUnreachable):
        await around.hand_over(around.picture())
    around.backend.down = True
    with pytest.raises(BackendUnreachable):
        await around.hand_over(around.picture())


async def test_a_refusal_is_told_in_the_app_s_words(around: Around) -> None:
    around.backend.upload_errors["a.png"] = [QuestionRefused("415", user_message="It is broken.")]
    assert await around.why_not(around.picture()) == ["It is broken."]


async def test_what_the_platform_does_not_give_is_told_with_its_reason_if_there_is_one(around: Around) -> None:
    around.platform.fetch_errors = {
        "a.png": [NotAllowed("it was deleted.")],
        "b.png": [PlatformUnavailable("https://files.example?token=secret")],
    }
    reasons = await around.why_not(*map(around.picture, ("a.png", "b.png")), Attachment(name="c.png"))

    assert reasons == ["it was deleted.", "it could not be read.", "it could not be read."]
    assert around.platform.fetched == ["a.png", "b.png"], "what has no address is not asked for"


@pytest.mark.parametrize("slow", ["platform", "app"])
async def test_a_file_that_takes_too_long_is_left_out_and_the_others_are_not(around: Around, slow: str) -> None:
    if slow == "platform":
        around.platform.fetch_seconds = 61
    else:
        around.backend.upload_seconds = 61
    asked = values.question(attachments=(around.picture("a.png"), around.picture("b.png")))
    going = asyncio.ensure_future(around.surroundings.hand_over(values.turn(asked), asked))

    await around.clock.advance(59)
    around.platform.fetch_seconds = around.backend.upload_seconds = 0
    assert not going.done()
    await around.clock.advance(2)

    handed = await going
    assert [note.partition("left out: ")[2] for note in handed.notes] == ["reading it took too long."]
    assert [one.name for one in around.backend.uploads] == ["b.png"]


async def test_a_disk_without_room_costs_the_file_and_not_the_answer(
    around: Around, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(prefix: str) -> TemporaryDirectory[str]:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(surroundings, "TemporaryDirectory", full)
    assert await around.why_not(around.picture()) == ["it could not be read."]


@pytest.mark.parametrize(
    ("name", "media_type", "kind"),
    [
        ("a.png", "", "image"),
        ("A.PNG", "application/pdf", "image"),
        ("a", "image/heic", "image"),
        ("a.bin", "Image/PNG; charset=x", "image"),
        ("a.mp3", "", None),
        ("a", "text/plain", "document"),
        ("a.txt", "", None),
        ("", "", None),
    ],
)
def test_a_kind_goes_by_the_name_and_then_by_the_media_type(name: str, media_type: str, kind: str | None) -> None:
    rules = FileRules(
        most=1,
        largest={"image": 1, "document": 1},
        kinds={"png": "image", "mp3": "audio"},
        media_types={"image": "image", "text/plain": "document"},
    )
    assert kind_of(Attachment(name=name, media_type=media_type), rules) == kind


@pytest.mark.parametrize(
    ("size", "words"), [(1, "1 kB"), (999_999, "999 kB"), (15_000_000, "15 MB"), (2_500_000, "2.5 MB")]
)
def test_sizes_are_told_in_words(size: int, words: str) -> None:
    assert in_words(size) == words


# The thread


async def read(around: Around, *, in_thread: bool = True, unseen: bool = False) -> list[Said]:
    asked = replace(values.question(), in_thread=in_thread, unseen=unseen)
    going = asyncio.ensure_future(around.surroundings.thread(values.turn(asked), asked))
    await around.clock.advance(100)
    return list(await going)


async def test_a_thread_is_read_up_to_the_question(around: Around) -> None:
    around.platform.said = [Said(who="Ada", text=str(number)) for number in range(40)]

    assert await read(around) == around.platform.said[-30:]
    assert around.platform.read == [(values.target(), values.ref("q1"), 30)]


async def test_above_a_question_that_stands_nowhere_all_of_the_thread_is_read(around: Around) -> None:
    await read(around, unseen=True)
    assert [before for _, before, _ in around.platform.read] == [None]


async def test_no_thread_is_read_where_there_is_none_or_none_is_wanted(around: Around) -> None:
    assert await read(around, in_thread=False) == []
    unwanted = Around(limits=SurroundingLimits(thread_messages=0))
    assert await read(unwanted) == []
    assert around.platform.read == unwanted.platform.read == []
    assert await read(Around(platform=FakePlatform(FakeClock()))) == []


async def test_a_thread_that_cannot_be_read_or_not_in_time_is_gone_without(around: Around) -> None:
    around.platform.said = [Said(who="Ada", text="x")]
    around.platform.thread_errors = [NotAllowed("missing_scope")]
    assert await read(around) == []
    around.platform.thread_seconds = 11
    assert await read(around) == []
    around.platform.thread_seconds = 9
    assert await read(around) == around.platform.said


def test_the_reading_platform_has_both_abilities_and_the_plain_one_none() -> None:
    checks: list[Callable[[Platform], bool]] = [
        lambda platform: isinstance(platform, FetchesFiles),
        lambda platform: isinstance(platform, ReadsThreads),
    ]
    assert all(check(ReadingPlatform(FakeClock())) for check in checks)
    assert not any(check(FakePlatform(FakeClock())) for check in checks)


def test_patience_is_some_seconds_by_default() -> None:
    assert SurroundingLimits().file_patience == timedelta(seconds=60)
