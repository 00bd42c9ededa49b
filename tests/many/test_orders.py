"""Orders that one process hears reach the one that answers: Stop and edits, on either platform, at once."""

from pathlib import Path

import pytest

from tests.many.fleet import Crowd, Fleet, Member, fleet
from tests.recovery import looking
from tests.recovery.rows import NAME
from tests.recovery.test_orders import PLATFORMS, growing, until_offered
from tests.storage.postgres_server import migrated_template, migrated_url

__all__ = ["migrated_template", "migrated_url"]

pytestmark = pytest.mark.process

SOON = 3.0
"""Seconds. Ordinarily a twentieth of one; nobody who waits for the next sweep is so quick."""


async def answering_and_hearing(on: Fleet, exam: Crowd, platform: str) -> tuple[str, Member]:
    """A growing answer in one process, while only another one hears what people do. Returns its thread and who answers."""
    answering = await on.start()
    thread = await growing(exam, on.seats[platform], per_token=0.15)
    other = await on.start()
    assert on.balancer is not None
    on.balancer.ports = [other.port]
    # Whoever hears Discord loses its lease, as if the connection had broken, to the one who waits for it.
    on.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND granted AND application_name LIKE '% lease'"
    )
    await on.until(lambda: bool(other.logged("shard_taken")), "the other one hears Discord")
    await on.until(lambda: len(other.logged("gateway_session_began")) == 1, "and is connected")
    return thread, answering


@PLATFORMS
async def test_stop_reaches_the_app_from_another_process(platform: str, migrated_url: str, tmp_path: Path) -> None:
    async with fleet(tmp_path, migrated_url, over_http=True) as on:
        exam, seat = Crowd(on), on.seats[platform]
        thread, answering = await answering_and_hearing(on, exam, platform)
        pressed = on.clock.monotonic()
        await looking.stop(seat, thread)
        await on.until(lambda: bool(on.dify.stop_log), "Dify is told")
        assert on.clock.monotonic() - pressed < SOON
        [call] = on.dify.stop_log
        [request] = on.dify.requests
        assert (call.task_id, call.user) == (request.task_id, request.user)
        assert on.owner() in (answering, None), "nobody took it away"
        await until_offered(on, seat, thread, "retry")
        shown = exam.shown(seat, thread)
        assert shown == exam.answer(NAME)[: len(shown)]
        await on.end_gently()
        assert exam.times_asked(NAME) == 1
        assert on.unfinished() == []


@PLATFORMS
async def test_an_edit_reaches_the_answer_in_another_process(platform: str, migrated_url: str, tmp_path: Path) -> None:
    async with fleet(tmp_path, migrated_url, over_http=True) as on:
        exam, seat = Crowd(on), on.seats[platform]
        thread, _ = await answering_and_hearing(on, exam, platform)
        edited = on.clock.monotonic()
        await looking.edit(seat, thread, "tell me about qedited")
        await on.until(lambda: exam.times_asked("qedited") == 1, "the new question is asked")
        assert on.clock.monotonic() - edited < SOON
        assert on.dify.stops == [on.dify.requests[0].task_id]
        exam.asked[(platform, thread)] = ["qedited"]
        await exam.settle()
        assert len(seat.answers(thread)) == 1, "in the same message"
        await exam.pass_all(most_asks=1)
