"""Killed at every row of the crash table, on both platforms: nothing is lost, nothing is answered twice.

Of a row with several moments to be killed at, every test run takes one platform for each, in turn; `make soak` takes both.
"""

import os
import signal
from pathlib import Path

import pytest

from tests.recovery import looking
from tests.recovery.rows import NAME, ROWS, Row
from tests.recovery.verdict import Exam
from tests.recovery.world import world

pytestmark = pytest.mark.process


WHOLE = "SOAK_RUNS" in os.environ


def platforms_for(row: Row) -> tuple[str, ...]:
    moments = [one for one in ROWS if one.number == row.number and len(one.platforms) > 1]
    if WHOLE or len(moments) < 2 or row not in moments:
        return tuple(row.platforms)
    return (tuple(row.platforms)[moments.index(row) % 2],)


CASES = [pytest.param(row, name, id=f"{row}-{name}") for row in ROWS for name in platforms_for(row)]


@pytest.mark.parametrize(("row", "platform"), CASES)
async def test_killed_at_a_row_of_the_crash_table_every_question_is_answered_once(
    row: Row, platform: str, tmp_path: Path
) -> None:
    async with world(tmp_path, row.mode, row.version) as on:
        exam = Exam(on)
        exam.lengths[NAME] = row.words[platform]
        if row.slow:
            exam.slow[NAME] = 0.05
        seat = on.seats[platform]
        bystander = next(one for name, one in on.seats.items() if name != platform)
        bridge = await on.start(row.point)
        thread = await exam.ask(seat, name=NAME)
        # Somebody on the other platform is in the middle of an answer too.
        await exam.ask(bystander)
        # And a second one waits behind the first, if there is already a place to write it.
        await on.until(lambda: looking.is_open(seat, thread) or not bridge.alive, "a thread, or the end")
        follows = row.number > 2 and looking.is_open(seat, thread)
        if follows:
            await exam.follow(seat, thread)
        assert await bridge.ended() == -signal.SIGKILL
        await on.start()
        if not follows:
            await on.until(lambda: looking.is_open(seat, thread) and exam.shown(seat, thread) != [], "a first answer")
            await exam.follow(seat, thread)
        # Whoever else was being answered meanwhile is in row 6.
        await exam.pass_all(most_asks=2, asks={NAME: row.asks}, notes=row.notes)
