"""Figures of several processes on one PostgreSQL: `python -m tests.benchmarks.dispatching [processes ...]`.

The server really writes to its disk here (`fsync` is on), so the figures depend on that disk. The processes answer through the
real store and have no platform and no backend.
"""

import asyncio
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bridge.clock import SystemClock
from bridge.settings import isolated
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings
from tests.dispatch.crew import Crew, crew, eventually
from tests.storage.postgres_server import PostgresServer

QUESTIONS = 150
IDLE = 20.0


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def quantiles(seconds: Sequence[float]) -> str:
    ordered = sorted(one * 1000 for one in seconds)
    return f"p50 {statistics.median(ordered):.1f} ms, p99 {ordered[int(len(ordered) * 0.99)]:.1f} ms, max {ordered[-1]:.1f} ms"


async def measure_starts(members: Crew) -> None:
    """From the committed question to the beginning of the work on its conversation, one at a time and then all at once."""
    committed: dict[int, float] = {}
    accepting: list[float] = []
    for number in range(QUESTIONS):
        began = time.time()
        conversation = await members.question(f"one by one {number}", 0)
        committed[conversation] = time.time()
        accepting.append(committed[conversation] - began)
        await SystemClock().sleep(0.02)
    await members.all_answered()
    one_by_one = [line.at - committed[line.conversation] for line in members.lines("drain")]
    say(f"  accept (commit with its job): {quantiles(accepting)}")
    say(f"  commit -> work begins: {quantiles(one_by_one)}")
    burst = time.time()
    await asyncio.gather(*(members.question(f"burst {number}", 0) for number in range(QUESTIONS)))
    accepted = time.time() - burst
    await members.all_answered()
    say(f"  {QUESTIONS} at once: accepted in {accepted:.2f} s, answered in {members.lines('end')[-1].at - burst:.2f} s")


async def measure_idle(members: Crew) -> None:
    watched = [psutil.Process(member.pid) for member in members.members]
    before = [sum(process.cpu_times()[:2]) for process in watched]
    await SystemClock().sleep(IDLE)
    used = [sum(process.cpu_times()[:2]) - was for process, was in zip(watched, before, strict=True)]
    memory = [process.memory_info().rss / 2**20 for process in watched]
    say(f"  idle: {max(used) / IDLE:.2%} of a core, {max(memory):.0f} MiB resident")


async def measure_takeover(members: Crew, number: signal.Signals) -> None:
    begun = members.count("start")
    await members.question(f"takeover {number}", 5)
    await eventually(lambda: members.count("start") == begun + 1, "the work begins")
    members.send(members.lines("start")[-1].pid, number)
    sent = time.time()
    await eventually(lambda: members.count("start") > begun + 1, "somebody takes over")
    say(f"  {number.name} -> taken over by another: {members.lines('start')[begun + 1].at - sent:.2f} s")
    await members.all_answered()


async def main() -> None:
    server = PostgresServer(sync=True)
    server.start()
    try:
        for size in [int(one) for one in sys.argv[1:]] or (1, 2, 3):
            url = server.create()
            await migrate(isolated(Settings, database_url=url))
            with tempfile.TemporaryDirectory() as folder:
                say(f"{size} process{'es' if size > 1 else ''}")
                async with crew(url, Path(folder), size, heartbeat=2, stalled=10, grace=0) as members:
                    await measure_starts(members)
                    await measure_idle(members)
                    if size == 3:
                        await measure_takeover(members, signal.SIGKILL)
                        await measure_takeover(members, signal.SIGTERM)
    finally:
        server.remove()


if __name__ == "__main__":
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    asyncio.run(main())
