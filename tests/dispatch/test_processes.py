"""Several processes share conversations, and every one of them may die at any moment."""

import random
import signal
import time
from pathlib import Path

from bridge.clock import SystemClock
from bridge.dispatch.procrastinate import FENCED_EXIT
from tests.dispatch.crew import Crew, Line, crew, eventually
from tests.storage.postgres_server import migrated_template, migrated_url, server

__all__ = ["migrated_template", "migrated_url"]


async def started(members: Crew) -> Line:
    """The process that answers the only question."""
    await eventually(lambda: members.count("start") == 1, "somebody starts")
    return members.lines("start")[0]


async def test_nothing_is_lost_doubled_or_reordered_while_processes_are_killed(
    migrated_url: str, tmp_path: Path
) -> None:
    chance = random.Random(4)
    threads, each, kills = 12, 6, 4
    async with crew(migrated_url, tmp_path, 3) as members:
        for question in range(threads * each):
            await members.question(f"{question % threads}", chance.choice([0, 0, 0.02, 0.1]))
            if question % (threads * each // kills) == 10:
                victim = chance.choice([member for member in members.members if member.exitcode is None])
                victim.kill()
                members.hire()
        await members.all_answered()
        await eventually(lambda: members.open_jobs() == 0, "no job is left")
        members.require_once_and_in_order()
        assert [member.exitcode for member in members.members].count(-signal.SIGKILL) == kills
        assert FENCED_EXIT not in [member.exitcode for member in members.members], "killing one must cost no other"


async def test_a_killed_process_is_followed_by_another_in_the_middle_of_an_answer(
    migrated_url: str, tmp_path: Path
) -> None:
    async with crew(migrated_url, tmp_path, 2) as members:
        await members.question("1", 0.5)
        owner = await started(members)
        members.send(owner.pid, signal.SIGKILL)
        killed = time.time()
        await eventually(lambda: members.count("start") == 2, "the other one takes over")
        # 2.5 heartbeats of 0.4 s and a look every 0.2 s; a frozen one would have been given 2 s.
        assert members.lines("start")[1].at - killed < 1.95
        await members.all_answered()
        members.require_once_and_in_order()


async def test_a_frozen_process_is_fenced_when_it_wakes_up(migrated_url: str, tmp_path: Path) -> None:
    async with crew(migrated_url, tmp_path, 2) as members:
        await members.question("1", 1)
        owner = await started(members)
        members.send(owner.pid, signal.SIGSTOP)
        await eventually(lambda: members.count("start") == 2, "the other one takes over")
        assert members.lines("start")[1].at - owner.at > 1.5, "it had its time"
        await members.question("1", 0)
        members.send(owner.pid, signal.SIGCONT)
        await eventually(lambda: members.member(owner.pid).exitcode is not None, "the old owner ends")
        assert members.member(owner.pid).exitcode == FENCED_EXIT
        await members.all_answered()
        members.require_once_and_in_order()
        assert owner.pid not in {line.pid for line in members.lines("end")}


async def test_a_restart_of_the_database_in_mid_turn_costs_no_process_and_no_answer(
    migrated_url: str, tmp_path: Path
) -> None:
    async with crew(migrated_url, tmp_path, 2) as members:
        await members.question("1", 1)
        owner = await started(members)
        server().stop()
        # Longer than the patience with a process that is silent: all of them are.
        await SystemClock().sleep(2.5)
        server().start()
        await members.all_answered()
        await eventually(lambda: members.count("end") == 1, "its end is told")
        assert members.lines("end")[0].pid == owner.pid
        await members.all_up()
        began = time.time()
        await members.question("1", 0)
        await members.all_answered()
        assert members.lines("start")[-1].at - began < 5
        members.require_once_and_in_order()
        assert [member.exitcode for member in members.members] == [None, None]


async def test_a_process_that_is_told_to_end_finishes_what_it_began_and_leaves_the_rest(
    migrated_url: str, tmp_path: Path
) -> None:
    async with crew(migrated_url, tmp_path, 2) as members:
        await members.question("1", 3)
        owner = await started(members)
        await members.question("1", 0)
        members.send(owner.pid, signal.SIGTERM)
        # 3 s is longer than a silent process is given: it must go on giving signs of life.
        await members.all_answered()
        await eventually(lambda: members.count("end") == 2, "both are told")
        first, second = members.lines("end")
        assert (first.pid == owner.pid, second.pid == owner.pid) == (True, False)
        assert members.lines("start")[-1].at - first.at < 0.5
        await eventually(lambda: members.member(owner.pid).exitcode is not None, "it ends")
        assert members.member(owner.pid).exitcode == 0
        assert [line.finished for line in members.lines("drained")] == [True]
        members.require_once_and_in_order()


async def test_what_outlasts_the_grace_is_handed_over_at_once(migrated_url: str, tmp_path: Path) -> None:
    async with crew(migrated_url, tmp_path, 2, grace=0.2) as members:
        await members.question("1", 1.5)
        owner = await started(members)
        members.send(owner.pid, signal.SIGTERM)
        await eventually(lambda: members.count("start") == 2, "the other one goes on")
        [drained] = members.lines("drained")
        assert not drained.finished
        assert members.lines("start")[1].at - drained.at < 0.5
        await members.all_answered()
        members.require_once_and_in_order()
