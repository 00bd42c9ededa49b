"""Budgets: first and final texts find room, progress gives way."""

import itertools
from dataclasses import replace
from datetime import timedelta

from bridge.pacing import AnswerPace, Pacer, Urgency
from bridge.platform_api import PlatformCapabilities, WriteBudget
from tests.fakes import values
from tests.fakes.clock import FakeClock


def capabilities(*, total: int | None = None) -> PlatformCapabilities:
    return PlatformCapabilities(
        post_budget=WriteBudget(limit=5, window=timedelta(seconds=5)),
        edit_budget=WriteBudget(limit=5, window=timedelta(seconds=5)),
        min_edit_interval=timedelta(seconds=1),
        activity_every=timedelta(seconds=8),
        total_budget=WriteBudget(limit=total, window=timedelta(seconds=1)) if total else None,
    )


async def write_progress(clock: FakeClock, pace: AnswerPace, seconds: float) -> list[float]:
    """Edits as often as allowed for so long; returns when the edits went out."""
    written: list[float] = []
    end = clock.monotonic() + seconds
    while True:
        wait = pace.delay("edit", Urgency.PROGRESS)
        if clock.monotonic() + wait > end:
            return written
        if wait > 0:
            await clock.advance(wait)
            continue
        pace.take("edit", Urgency.PROGRESS)
        written.append(clock.monotonic())


async def test_one_answer_edits_about_every_window_divided_by_what_is_left_beside_its_reserve() -> None:
    clock = FakeClock()
    with Pacer(clock).answering(values.target(), capabilities()) as pace:
        written = await write_progress(clock, pace, 10)
    gaps = {round(later - earlier, 6) for earlier, later in itertools.pairwise(written)}
    assert gaps == {1.25}


async def test_what_grows_natively_has_a_pace_of_its_own() -> None:
    quick = replace(
        capabilities(),
        live_budget=WriteBudget(limit=100, window=timedelta(seconds=10)),
        min_live_interval=timedelta(seconds=0.5),
    )
    for can, live in ((quick, 0.5), (replace(quick, min_live_interval=None), 1.0)):
        with Pacer(FakeClock()).answering(values.target(), can) as pace:
            pace.take("post", Urgency.FIRST)
            assert pace.delay("live", Urgency.PROGRESS) == live
            assert pace.delay("edit", Urgency.PROGRESS) == 1.0


async def test_the_end_of_what_grows_is_an_edit_unless_ends_have_a_budget_of_their_own() -> None:
    few = replace(capabilities(), edit_budget=WriteBudget(limit=1, window=timedelta(seconds=5)))
    for can, wait in ((few, 5.0), (replace(few, end_budget=WriteBudget(limit=1, window=timedelta(seconds=9))), 0.0)):
        with Pacer(FakeClock()).answering(values.target(), can) as pace:
            pace.take("edit", Urgency.FINAL)
            assert pace.delay("end", Urgency.FINAL) == wait
            pace.take("end", Urgency.FINAL)
            assert pace.delay("end", Urgency.FINAL) == (wait or 9.0)


async def test_the_final_edit_never_waits_for_progress_that_was_made() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    with (
        pacer.answering(values.target(), capabilities()) as one,
        pacer.answering(values.target(), capabilities()) as two,
    ):
        await write_progress(clock, one, 7)
        await write_progress(clock, two, 7)
        for pace in (one, two):
            assert pace.delay("edit", Urgency.FINAL) == 0
            pace.take("edit", Urgency.FINAL)


async def test_no_window_ever_holds_more_writes_than_the_limit() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    written: list[float] = []
    with pacer.answering(values.target(), capabilities()) as pace:
        for _ in range(30):
            while (wait := pace.delay("edit", Urgency.FINAL)) > 0:
                await clock.advance(wait)
            pace.take("edit", Urgency.FINAL)
            written.append(clock.monotonic())
    for number, start in enumerate(written):
        assert sum(1 for at in written[number:] if at < start + 5) <= 5


async def test_more_answers_than_writes_leave_no_room_for_progress() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    with (
        pacer.answering(values.target(), capabilities()) as one,
        pacer.answering(values.target(), capabilities()),
        pacer.answering(values.target(), capabilities()),
        pacer.answering(values.target(), capabilities()),
        pacer.answering(values.target(), capabilities()),
    ):
        assert one.delay("edit", Urgency.PROGRESS) > 0
        assert one.delay("edit", Urgency.FINAL) == 0


async def test_channels_do_not_slow_each_other() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    with (
        pacer.answering(values.target(channel="a"), capabilities()) as one,
        pacer.answering(values.target(channel="b"), capabilities()) as two,
    ):
        for _ in range(5):
            one.take("edit", Urgency.FINAL)
        assert one.delay("edit", Urgency.FINAL) == 5
        assert two.delay("edit", Urgency.FINAL) == 0


async def test_a_rate_limit_holds_the_whole_group_and_only_that() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    with (
        pacer.answering(values.target(), capabilities()) as one,
        pacer.answering(values.target(), capabilities()) as two,
    ):
        one.penalise("edit", 7)
        assert two.delay("edit", Urgency.FINAL) == 7
        assert two.delay("post", Urgency.FIRST) == 0
        await clock.advance(7)
        assert two.delay("edit", Urgency.FINAL) == 0


async def test_the_platform_wide_budget_binds_every_channel_and_keeps_room_for_endings() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    with (
        pacer.answering(values.target(channel="a"), capabilities(total=10)) as one,
        pacer.answering(values.target(channel="b"), capabilities(total=10)) as two,
    ):
        for _ in range(5):
            one.take("post", Urgency.FIRST)
        for _ in range(2):
            one.take("edit", Urgency.FINAL)
        assert two.delay("edit", Urgency.PROGRESS) > 0
        assert not two.take_extra()
        assert two.delay("edit", Urgency.FINAL) == 0


async def test_quiet_groups_are_forgotten() -> None:
    clock = FakeClock()
    pacer = Pacer(clock)
    for number in range(50):
        with pacer.answering(values.target(channel=str(number)), capabilities()) as pace:
            pace.take("edit", Urgency.FINAL)
    await clock.advance(10)
    with pacer.answering(values.target(), capabilities()):
        pass
    assert not pacer._books
