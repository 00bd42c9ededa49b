"""What members order (stop, edits, deletions, Retry) survives a kill: it is carried out after the restart, once."""

import signal
from pathlib import Path

import pytest

from bridge.playground.dify import error_event
from tests.integration.seats import Seat
from tests.recovery import looking
from tests.recovery.points import Point, after, before
from tests.recovery.rows import NAME
from tests.recovery.verdict import Exam
from tests.recovery.world import Bridge, World, world

pytestmark = pytest.mark.process

PLATFORMS = pytest.mark.parametrize("platform", ["slack", "discord"])


async def growing(exam: Exam, seat: Seat, *, per_token: float = 0.05) -> str:
    """An answer of which something is shown, with seconds to go."""
    exam.slow[NAME] = per_token
    thread = await exam.ask(seat, name=NAME)
    # Edited once: so the bridge knows the message too, and not only whoever looks at the platform.
    await exam.world.until(lambda: bool(seat.answers(thread)) and len(seat.growth(thread)) >= 2, "it grows")
    return thread


async def dead(bridge: Bridge) -> None:
    assert await bridge.ended() == -signal.SIGKILL


async def until_offered(on: World, seat: Seat, thread: str, *words: str) -> None:
    """Until exactly these buttons stand there."""

    def offered() -> bool:
        found = looking.buttons(seat, thread)
        return len(found) == len(words) and all(word in button for word, button in zip(words, found, strict=True))

    try:
        await on.until(offered, f"buttons {words}")
    except AssertionError:
        texts = [*seat.answers(thread), str(looking.buttons(seat, thread))]
        pytest.fail("\n".join([f"no buttons {words}:", *texts, *on.last_words()]))


STOPS = (
    after("store.request_stop"),
    before("backend.stop"),
    after("backend.stop"),
    before("store.record_outcome", NAME),
    after("store.record_outcome", NAME),
    before("store.finish", NAME),
)


@PLATFORMS
@pytest.mark.parametrize("point", STOPS, ids=str)
async def test_killed_while_stopping_the_answer_ends_as_stopped_and_is_never_asked_again(
    point: Point, platform: str, tmp_path: Path
) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        bridge = await on.start(point)
        thread = await growing(exam, seat)
        seen = exam.shown(seat, thread)
        await looking.stop(seat, thread)
        await dead(bridge)
        await on.start()
        await until_offered(on, seat, thread, "retry")
        shown = exam.shown(seat, thread)
        assert shown == exam.answer(NAME)[: len(shown)], "what stands is the beginning of the answer"
        assert len(seen) <= len(shown) < len(exam.answer(NAME)), "and nothing that was seen is gone"
        assert exam.times_asked(NAME) == 1
        assert on.dify.stops == [on.dify.requests[0].task_id] * len(on.dify.stops)
        await exam.follow(seat, thread, name="qnext")
        await on.until(lambda: exam.shown(seat, thread)[len(shown) :] == exam.answer("qnext"), "the next is answered")
        await on.end_gently()
        assert on.unfinished() == []


@PLATFORMS
async def test_killed_after_an_edit_was_recorded_the_new_question_is_answered_in_the_same_message(
    platform: str, tmp_path: Path
) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        bridge = await on.start(after("store.revise"))
        thread = await growing(exam, seat)
        await looking.edit(seat, thread, "tell me about qedited")
        await dead(bridge)
        await on.start()
        exam.asked[(platform, thread)] = ["qedited"]
        await exam.pass_all(most_asks=2)
        assert len(seat.answers(thread)) == 1
        assert exam.times_asked(NAME) == 1


@PLATFORMS
async def test_killed_after_a_deletion_was_recorded_the_question_is_not_asked_again(
    platform: str, tmp_path: Path
) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        bridge = await on.start(after("store.withdraw"))
        thread = await growing(exam, seat)
        await looking.delete(seat, thread)
        await dead(bridge)
        await on.start()
        await on.until(lambda: not looking.is_growing(seat, thread), "it has an end")
        await on.end_gently()
        assert exam.times_asked(NAME) == 1
        assert len(exam.shown(seat, thread)) < len(exam.answer(NAME))
        assert on.unfinished() == []


RETRIES = (after("store.retry"), after("store.begin_next", NAME, nth=2), after("store.record_asked", NAME, nth=2))


@PLATFORMS
@pytest.mark.parametrize("point", RETRIES, ids=str)
async def test_killed_after_retry_was_pressed_the_answer_comes_in_the_place_of_the_failed_one(
    point: Point, platform: str, tmp_path: Path
) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        on.dify.faults.fail_next = [error_event(3)]
        bridge = await on.start(point)
        thread = await exam.ask(seat, name=NAME)
        await until_offered(on, seat, thread, "retry")
        await looking.press(seat, thread, "retry")
        await dead(bridge)
        await on.start()
        await exam.pass_all(most_asks=3)
        assert len(seat.answers(thread)) == 1, "in the same message"


@PLATFORMS
async def test_an_app_that_must_not_run_twice_is_not_asked_again_by_itself(platform: str, tmp_path: Path) -> None:
    async with world(tmp_path) as on:
        exam, seat = Exam(on), on.seats[platform]
        bridge = await on.start(RECOVER="fetch")
        thread = await growing(exam, seat)
        seen = exam.shown(seat, thread)
        await bridge.kill()
        await on.start(RECOVER="fetch", RECOVER_PATIENCE="1")
        await until_offered(on, seat, thread, "retry")
        assert exam.times_asked(NAME) == 1
        shown = exam.shown(seat, thread)
        assert shown[: len(seen)] == seen, "what was shown stays"
        await looking.press(seat, thread, "retry")
        await exam.pass_all(most_asks=2)
        assert len(seat.answers(thread)) == 1
