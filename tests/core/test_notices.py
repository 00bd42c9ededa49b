"""Lines of our own: told soon, told once, given up in time, and never at the cost of anybody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from bridge.errors import NotAllowed, PlatformUnavailable, RateLimited
from bridge.messages import MessageRef, OutgoingMessage, ReplyTarget
from bridge.metrics import Metrics
from bridge.notices import Lately, NoticeLimits, Notices
from bridge.pacing import Pacer
from bridge.platform_api import PlatformCapabilities, WriteBudget
from tests.core import doings
from tests.core.hall import StallingPlatform
from tests.fakes import values
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE, FakePlatform

HERE = values.target()
ELSEWHERE = values.target("2", channel="random")


class Board:
    def __init__(self, platform: FakePlatform | None, limits: NoticeLimits | None) -> None:
        self.clock = FakeClock()
        self.platform = platform or FakePlatform(self.clock)
        self.platform.clock = self.clock
        self.metrics = Metrics()
        self.notices = Notices(
            platforms={FAKE: self.platform},
            pacer=Pacer(self.clock),
            clock=self.clock,
            limits=limits,
            metrics=self.metrics,
        )

    @property
    def posted(self) -> list[tuple[float, str]]:
        return [message.history[0] for message in self.platform.messages.values()]


@asynccontextmanager
async def board(platform: FakePlatform | None = None, limits: NoticeLimits | None = None) -> AsyncIterator[Board]:
    made = Board(platform, limits)
    running = asyncio.ensure_future(made.notices.run())
    try:
        yield made
        assert not running.done(), "it works until it is cancelled"
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_notice_is_posted_where_it_was_meant_also_when_it_was_told_early() -> None:
    async with board() as at:
        at.notices.tell(HERE, "Sorry.")
        at.notices.tell(ELSEWHERE, "Sorry, too.")
        assert at.platform.messages == {}
        await at.clock.advance(0)
        assert [(one.target, one.text) for one in at.platform.messages.values()] == [
            (HERE, "Sorry."),
            (ELSEWHERE, "Sorry, too."),
        ]
        at.notices.tell(HERE, "And this.")
        await at.clock.advance(0)
        assert at.platform.texts == ["Sorry.", "Sorry, too.", "And this."]


async def test_notices_about_the_same_are_one_while_they_wait_and_the_latest_counts() -> None:
    async with board() as at:
        for number in range(5):
            at.notices.tell(HERE, f"{number} wait.", about="waiting")
        at.notices.tell(ELSEWHERE, "9 wait.", about="waiting")
        await at.clock.advance(0)
        assert at.platform.texts == ["4 wait.", "9 wait."]


async def test_what_was_just_said_is_said_again_after_a_minute_and_not_before() -> None:
    async with board() as at:
        at.notices.tell(HERE, "Sorry.")
        await at.clock.advance(10)
        for _ in range(20):
            at.notices.tell(HERE, "Sorry.")
        await at.clock.advance(49)
        assert at.platform.texts == ["Sorry."]
        await at.clock.advance(2)
        assert at.platform.texts == ["Sorry.", "Sorry."], "whoever came meanwhile reads it, too"
        await at.clock.advance(300)
        assert len(at.platform.texts) == 2


async def test_a_notice_that_has_to_wait_for_its_minute_holds_up_no_other() -> None:
    async with board() as at:
        at.notices.tell(HERE, "Sorry.")
        await at.clock.advance(1)
        at.notices.tell(HERE, "Sorry.")
        await at.clock.advance(1)
        at.notices.tell(HERE, "Something else.")
        await at.clock.advance(0)
        assert at.platform.texts == ["Sorry.", "Something else."]


async def test_what_is_told_while_it_is_being_written_is_told_again() -> None:
    async with board() as at:
        at.platform.latency = 5
        at.notices.tell(HERE, "1 waits.", about="waiting")
        await at.clock.advance(1)
        at.notices.tell(HERE, "2 wait.", about="waiting")
        await at.clock.advance(100)
        assert at.platform.texts == ["1 waits.", "2 wait."]


async def test_notices_pay_for_their_posts_like_everybody_else() -> None:
    async with board() as at:
        at.platform.post_limit = 1
        for number in range(3):
            at.notices.tell(HERE, f"Line {number}.")
        await at.clock.advance(60)
        assert [when for when, _ in at.posted] == [0, 5, 10]


async def test_a_platform_that_says_wait_is_asked_again_then() -> None:
    async with board() as at:
        at.platform.failures = [RateLimited("wait", retry_after=timedelta(seconds=30))]
        at.notices.tell(HERE, "Sorry.")
        await at.clock.advance(29)
        assert at.posted == []
        await at.clock.advance(2)
        assert at.posted == [(30, "Sorry.")]
        assert at.metrics.read("bridge_rate_limited_total", platform=FAKE, call="other") == 1


async def test_while_a_channel_has_to_wait_nobody_else_posts_there_and_telling_it_again_hastens_nothing() -> None:
    async with board() as at:
        at.platform.failures = [RateLimited("wait", retry_after=timedelta(seconds=30))]
        at.notices.tell(HERE, "1 waits.", about="waiting")
        await at.clock.advance(5)
        at.notices.tell(HERE, "2 wait.", about="waiting")
        at.notices.tell(values.target("2"), "Sorry.")
        at.notices.tell(ELSEWHERE, "Sorry.")
        await at.clock.advance(60)
        assert at.posted == [(5, "Sorry."), (30, "2 wait."), (30, "Sorry.")]


async def test_what_is_told_while_a_try_fails_is_what_is_tried_next() -> None:
    async with board() as at:
        at.platform.latency = 5
        at.platform.failures = [PlatformUnavailable("away")]
        at.notices.tell(HERE, "1 waits.", about="waiting")
        await at.clock.advance(1)
        at.notices.tell(HERE, "2 wait.", about="waiting")
        await at.clock.advance(200)
        assert at.posted == [(11, "2 wait.")]


async def test_a_post_of_unknown_outcome_is_tried_again_as_the_same_message() -> None:
    async with board() as at:
        at.platform.lost_answers = 1
        at.notices.tell(HERE, "Sorry.")
        await at.clock.advance(10)
        assert at.platform.texts == ["Sorry."]
        (message,) = at.platform.messages.values()
        assert [when for when, _ in message.history] == [0, 1]


async def test_a_platform_that_is_away_is_tried_for_a_while_with_growing_pauses_and_then_given_up() -> None:
    async with board() as at:
        at.platform.failures = [PlatformUnavailable("away")] * 1000
        at.notices.tell(HERE, "Sorry.")
        await at.clock.advance(600)
        assert 1000 - len(at.platform.failures) == 7, "at 0, 1, 3, 7, 15, 31 and 63 seconds; 127 would be too late"
        at.platform.failures = []
        at.notices.tell(HERE, "Something new.")
        await at.clock.advance(1)
        assert at.platform.texts == ["Something new."]


async def test_a_place_where_the_bot_may_not_write_costs_one_try() -> None:
    async with board() as at:
        at.platform.failures = [NotAllowed("no"), None]
        at.notices.tell(HERE, "Sorry.")
        at.notices.tell(ELSEWHERE, "Sorry.")
        await at.clock.advance(300)
        assert [one.target for one in at.platform.messages.values()] == [ELSEWHERE]


async def test_a_channel_that_stands_still_holds_up_no_other() -> None:
    async with board(StallingPlatform(FakeClock(), stalled={"general"})) as at:
        for number in range(10):
            at.notices.tell(HERE, f"Line {number}.")
        at.notices.tell(ELSEWHERE, "Sorry.")
        await at.clock.advance(1)
        assert at.posted == [(0, "Sorry.")]


async def test_only_so_many_wait_and_the_rest_is_dropped() -> None:
    async with board(limits=NoticeLimits(most_waiting=10)) as at:
        for number in range(50):
            at.notices.tell(HERE, f"Line {number}.", about=str(number))
        at.notices.tell(HERE, "Line 9, as it is now.", about="9")
        await at.clock.advance(100)
        assert at.platform.texts == [*(f"Line {number}." for number in range(9)), "Line 9, as it is now."]
        at.notices.tell(HERE, "There is room again.")
        await at.clock.advance(1)
        assert at.platform.texts[-1] == "There is room again."


async def test_nothing_is_kept_of_lines_that_were_said() -> None:
    async with board() as at:
        for number in range(30):
            at.notices.tell(values.target(str(number), channel=str(number)), "Sorry.")
        await at.clock.advance(10)
        assert len(at.posted) == 30
        assert at.notices._lanes == {}


async def test_private_lines_take_no_room_in_the_channel_and_wait_for_none() -> None:
    async with board(FakePlatform(FakeClock(), post_limit=1)) as at:
        at.notices.tell(HERE, "For everybody.")
        at.notices.tell(HERE, "For everybody, later.")
        for who in ("ada", "grace", "linus"):
            at.notices.tell(doings.aside(who), "For you.")
        await at.clock.advance(0)
        assert sorted(at.posted) == [(0, "For everybody."), *[(0, "For you.")] * 3]
        await at.clock.advance(6)
        assert len(at.posted) == 5, "and the second for everybody has waited for its own kind alone"


async def test_private_lines_are_said_to_each_and_as_often_as_they_are_asked_for() -> None:
    async with board() as at:
        shared = doings.aside()  # an address that does not name its reader
        for _ in range(2):
            at.notices.tell(shared, "Sorry.", about="the same")
        await at.clock.advance(0)
        at.notices.tell(shared, "Sorry.", about="the same")
        await at.clock.advance(0)
        assert at.posted == [(0, "Sorry.")] * 3


async def test_a_private_line_that_is_refused_for_now_holds_up_nobody_and_is_said_later() -> None:
    async with board() as at:
        at.platform.failures = [RateLimited("later", retry_after=timedelta(seconds=7))]
        at.notices.tell(doings.aside(), "For you.")
        await at.clock.advance(0)
        at.notices.tell(HERE, "For everybody.")
        await at.clock.advance(10)
        assert at.posted == [(0, "For everybody."), (7, "For you.")]


async def test_a_channel_that_stands_still_does_not_hold_up_what_one_person_reads_there() -> None:
    class Stuck(FakePlatform):
        async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
            if not target.private:
                await asyncio.Event().wait()
            return await super().send(target, message)

    async with board(Stuck(FakeClock())) as at:
        at.notices.tell(HERE, "For everybody.")
        await at.clock.advance(0)
        at.notices.tell(doings.aside(), "For you.")
        await at.clock.advance(1)
        assert at.posted == [(0, "For you.")]


async def test_private_lines_count_where_a_platform_counts_everything() -> None:
    class Strict(FakePlatform):
        @property
        def capabilities(self) -> PlatformCapabilities:
            return replace(super().capabilities, total_budget=WriteBudget(limit=10, window=timedelta(seconds=5)))

    async with board(Strict(FakeClock())) as at:
        for number in range(10):
            at.notices.tell(doings.aside(), f"Line {number}.")
        await at.clock.advance(1)
        assert len(at.posted) == 7, "the rest is kept for answers"
        await at.clock.advance(10)
        assert len(at.posted) == 10


async def test_lately_forgets_with_time_and_beyond_its_size() -> None:
    clock = FakeClock()
    lately = Lately(clock, timedelta(seconds=10), most=3)
    lately.note("a")
    assert lately.seconds_left("a") == 10
    assert lately.seconds_left("b") == 0
    await clock.advance(4)
    assert lately.seconds_left("a") == 6
    await clock.advance(7)
    assert lately.seconds_left("a") == 0
    for name in "bacd":
        lately.note(name)
    assert lately.seconds_left("b") == 0
    assert all(lately.seconds_left(name) == 10 for name in "acd")
