"""The draft grows, the writer shows it: few calls, nothing lost, the end always lands."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from bridge.answers import AnswerWriter, WriterLimits
from bridge.backend_api import TextDelta, TextReplaced
from bridge.drafts import AnswerDraft
from bridge.errors import MessageGone, MessageRefused, NotAllowed, PlatformError, PlatformUnavailable, RateLimited
from bridge.messages import AnswerState, MessageRef, Outcome, PartRole, SentPart
from bridge.pacing import Pacer, WriteKind
from tests.fakes import values
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform


class Records:
    def __init__(self) -> None:
        self.parts: dict[int, tuple[MessageRef, str]] = {}
        self.waits = 0

    async def intending(self, part: int, nonce: str, role: PartRole, text: str) -> None:
        pass

    async def posted(self, part: int, nonce: str, role: PartRole, ref: MessageRef, text: str) -> None:
        self.parts[part] = (ref, text)

    async def may_adopt(self, ref: MessageRef) -> bool:
        return True

    def limited(self, kind: WriteKind) -> None:
        self.waits += 1

    async def showing(self, part: int, text: str) -> None:
        self.parts[part] = (self.parts[part][0], text)


class Desk:
    """A writer at work on a draft."""

    def __init__(
        self,
        platform: FakePlatform,
        clock: FakeClock,
        limits: WriterLimits,
        standing: Sequence[SentPart] = (),
        number: int = 1,
    ) -> None:
        self.platform, self.clock, self.draft, self.records = platform, clock, AnswerDraft(), Records()
        self._limits = limits
        self._standing = standing
        self._number = number
        for sent in standing:
            if sent.ref is not None:
                self.records.parts[sent.part] = (sent.ref, sent.text)
        self.writer: AnswerWriter | None = None
        self.task: asyncio.Task[bool] | None = None

    async def write(self) -> bool:
        with Pacer(self.clock).answering(values.target(), self.platform.capabilities) as pace:
            self.writer = AnswerWriter(
                platform=self.platform,
                pace=pace,
                clock=self.clock,
                target=values.target(),
                recorder=self.records,
                nonce_seed=f"q1:{self._number}",
                question=values.question().ref,
                limits=self._limits,
                standing=self._standing,
            )
            return await self.writer.run(self.draft)

    def say(self, text: str) -> None:
        self.draft.fold(TextDelta(text=text))

    async def end(self, seconds: float = 60, *, complete: bool = True, notes: tuple[str, ...] = ()) -> bool:
        """`notes` come below those that the draft has made of events."""
        state = AnswerState.DONE if complete else AnswerState.STOPPED
        all_notes = (*self.draft.notes, *notes)
        self.draft.conclude(Outcome(state=state, text=self.draft.text, notes=all_notes, complete=complete))
        await self.clock.advance(seconds)
        assert self.task is not None
        assert self.task.done()
        return self.task.result()


@asynccontextmanager
async def desk(
    limits: WriterLimits | None = None,
    max_text: int = 2000,
    kind: type[FakePlatform] = FakePlatform,
    earlier: Desk | None = None,
    standing: Sequence[SentPart] = (),
    number: int = 1,
) -> AsyncIterator[Desk]:
    """`earlier`: whose platform and clock it has. `number`: of the answer."""
    clock = earlier.clock if earlier else FakeClock()
    platform = earlier.platform if earlier else kind(clock, max_text=max_text)
    made = Desk(platform, clock, limits or WriterLimits(), standing, number)
    made.task = asyncio.ensure_future(made.write())
    try:
        await clock.settle()
        yield made
    finally:
        made.task.cancel()
        await asyncio.gather(made.task, return_exceptions=True)


async def test_the_first_text_is_shown_almost_at_once_and_then_grows_in_the_same_message() -> None:
    async with desk() as at:
        at.say("Once")
        await at.clock.advance(0.1)
        assert at.platform.texts == ["Once"]
        at.say(" upon")
        await at.clock.advance(0.5)
        at.say(" a time")
        await at.clock.advance(1)
        assert at.platform.texts == ["Once upon a time"]
        assert await at.end()
        history = [text for _, text in next(iter(at.platform.messages.values())).history]
        assert history[0] == "Once"
        assert history[-1] == "Once upon a time"


async def test_a_quick_short_answer_takes_one_call() -> None:
    async with desk() as at:
        at.say("42")
        assert await at.end()
        assert at.writer is not None
        assert (at.platform.texts, at.writer.writes) == (["42"], 1)


async def test_slow_platforms_mean_fewer_edits_and_never_a_backlog() -> None:
    async with desk() as at:
        at.platform.latency = 2.0
        for number in range(100):
            at.say(f"{number} ")
            await at.clock.advance(0.1)
        assert await at.end(10)
        assert at.writer is not None
        assert at.writer.writes <= 7
        assert at.platform.texts[0].endswith("98 99")


async def test_the_final_text_goes_out_when_the_answer_ends_and_not_at_the_next_interval() -> None:
    async with desk() as at:
        at.say("a")
        await at.clock.advance(0.2)
        at.say("b")
        assert await at.end(0.01)
        assert at.platform.texts == ["ab"]


async def test_activity_is_shown_until_the_first_text_and_not_after() -> None:
    async with desk() as at:
        await at.clock.advance(20)
        assert at.platform.activity == [0, 8, 16]
        at.say("text")
        await at.clock.advance(30)
        assert at.platform.activity == [0, 8, 16]


async def test_a_long_answer_becomes_several_messages_in_order() -> None:
    async with desk(max_text=100) as at:
        paragraphs = [f"{number} " + "x" * 85 for number in range(5)]
        for paragraph in paragraphs:
            at.say(paragraph + "\n\n")
            await at.clock.advance(3)
        assert await at.end()
        assert at.platform.texts == paragraphs
        assert sorted(at.records.parts) == [0, 1, 2, 3, 4]


async def test_every_message_has_its_own_nonce_and_a_repeated_post_the_same() -> None:
    async with desk(max_text=100) as at:
        at.platform.failures = [PlatformUnavailable("gone"), None]
        at.say("x" * 150)
        assert await at.end()
        assert len({message.nonce for message in at.platform.messages.values()}) == 2


async def test_a_replaced_text_takes_back_what_was_shown_in_further_messages() -> None:
    async with desk(max_text=100) as at:
        at.say("x" * 90 + "\n\n" + "y" * 90)
        await at.clock.advance(5)
        assert len(at.platform.texts) == 2
        at.draft.fold(TextReplaced(text="I cannot say that."))
        assert await at.end()
        assert at.platform.texts == ["I cannot say that.", "(This part was withdrawn.)"]


async def test_a_post_that_stood_after_all_ends_with_the_whole_text() -> None:
    async with desk() as at:
        at.platform.lost_answers = 1
        at.say("Hello ")
        await at.clock.advance(0.2)
        at.say("world.")
        assert await at.end()
        assert at.platform.texts == ["Hello world."]


async def test_a_post_that_may_stand_is_taken_back_like_any_other() -> None:
    async with desk(max_text=100) as at:
        at.say("x" * 90)
        await at.clock.advance(5)
        at.platform.lost_answers = 1
        at.say("\n\n" + "y" * 90)
        while len(at.platform.texts) < 2:
            await at.clock.advance(0.1)
        at.draft.fold(TextReplaced(text="I cannot say that."))
        assert await at.end()
        assert at.platform.texts == ["I cannot say that.", "(This part was withdrawn.)"]


async def test_notes_stand_below_the_text_and_outside_an_open_fence() -> None:
    async with desk() as at:
        at.say("```python\nprint(1)")
        assert await at.end(notes=("It broke.",))
        assert at.platform.texts == ["```python\nprint(1)\n```\n\nIt broke."]


async def test_after_a_rate_limit_the_writer_waits_as_told_and_the_text_lands() -> None:
    async with desk() as at:
        at.platform.failures = [RateLimited("slow down", retry_after=timedelta(seconds=20))]
        at.say("text")
        at.draft.end()
        await at.clock.advance(19)
        assert at.platform.texts == []
        await at.clock.advance(2)
        assert at.platform.texts == ["text"]


async def test_network_trouble_is_waited_out() -> None:
    async with desk() as at:
        at.platform.failures = [PlatformUnavailable("503")] * 4
        at.say("text")
        assert await at.end(30)
        assert at.platform.texts == ["text"]


@pytest.mark.parametrize("error", [MessageGone("deleted"), NotAllowed("kicked out")])
async def test_when_the_message_is_gone_the_writer_ends_quietly_with_the_answer(error: PlatformError) -> None:
    async with desk() as at:
        at.say("text")
        await at.clock.advance(0.1)
        at.platform.failures = [error]
        at.say(" more")
        await at.clock.advance(5)
        assert at.task is not None
        assert not at.task.done(), "the turn is not over before the upstream answer is"
        assert await at.end() is False


async def test_a_refused_message_is_tried_smaller() -> None:
    async with desk(max_text=1000) as at:
        at.platform.failures = [MessageRefused("too long")]
        at.say("x" * 900)
        assert await at.end()
        assert [len(text) for text in at.platform.texts] == [500, 400]


async def test_what_is_always_refused_is_given_up_after_a_few_tries() -> None:
    async with desk(max_text=1000) as at:
        at.platform.failures = [MessageRefused("never")] * 50
        at.say("x")
        assert await at.end() is False
        assert len(at.platform.failures) > 40


async def test_a_platform_that_stays_away_is_given_up_when_time_is_up() -> None:
    async with desk(WriterLimits(delivery=timedelta(seconds=30))) as at:
        at.platform.failures = [PlatformUnavailable("down")] * 1000
        at.say("x")
        assert await at.end(90) is False


async def test_a_text_is_recorded_before_it_is_shown_so_that_a_crash_never_takes_text_back() -> None:
    async with desk() as at:
        at.say("first")
        await at.clock.advance(0.2)
        at.platform.latency = 5.0
        at.say(" second")
        await at.clock.advance(2)
        assert at.platform.texts == ["first"], "the edit is still on its way"
        assert at.records.parts[0][1] == "first second"
