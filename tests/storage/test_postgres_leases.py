"""One holder among all processes, and another one within seconds when it is gone."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import psycopg

from bridge.clock import SystemClock
from bridge.platform_api import Leases
from bridge.settings import isolated
from bridge.storage.leases import LocalLeases, open_leases
from bridge.storage.settings import Settings
from tests.storage.postgres_server import postgres_url, server

__all__ = ["postgres_url"]

NAME = "discord gateway 0"

HOLD = """
import asyncio
from bridge.clock import SystemClock
from bridge.storage.postgres_leases import PostgresLeases
from bridge.storage.settings import Settings
async def main():
    async with PostgresLeases(Settings(), SystemClock(), check_every=0.2, frozen_after=1).hold("discord gateway 0") as lease:
        print("held", flush=True)
        await lease.lost()
        print("lost", flush=True)
asyncio.run(main())
"""


def leases_at(url: str) -> Leases:
    return open_leases(isolated(Settings, database_url=url), SystemClock())


@contextmanager
def holder(url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the lease. It says `held`, and later `lost`."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "DATABASE_URL": url},
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            read_until(process, "held\n")
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    assert line in iter(process.stdout.readline, ""), "it ended without a word"


@asynccontextmanager
async def waiting(leases: Leases) -> AsyncIterator[tuple[asyncio.Event, asyncio.Event]]:
    """Somebody who waits for the lease: whether it was taken, and whether it was lost."""
    taken, lost = asyncio.Event(), asyncio.Event()

    async def take() -> None:
        async with leases.hold(NAME) as lease:
            taken.set()
            await lease.lost()
            lost.set()

    task = asyncio.create_task(take())
    try:
        yield taken, lost
    finally:
        task.cancel()
        await asyncio.wait({task})


async def set_within(event: asyncio.Event, seconds: float) -> bool:
    return await SystemClock().wait(event, seconds)


async def test_with_one_process_everything_is_held_at_once_and_never_lost() -> None:
    leases = open_leases(isolated(Settings), SystemClock())
    assert isinstance(leases, LocalLeases)
    async with leases.hold(NAME) as first, leases.hold(NAME) as second:
        lost = [asyncio.create_task(lease.lost()) for lease in (first, second)]
        done, pending = await asyncio.wait(lost, timeout=0.02)
        assert not done
        for task in pending:
            task.cancel()


async def test_one_holds_it_and_the_next_has_it_when_it_is_given_back(postgres_url: str) -> None:
    leases = leases_at(postgres_url)
    async with AsyncExitStack() as first:
        await first.enter_async_context(leases.hold(NAME))
        async with waiting(leases) as (taken, lost):
            async with leases.hold("another name"):
                assert not await set_within(taken, 0.1)
            await first.aclose()
            assert await set_within(taken, 1)
            assert not lost.is_set()


async def test_a_killed_holder_is_followed_at_once(postgres_url: str) -> None:
    with holder(postgres_url) as process:
        async with waiting(leases_at(postgres_url)) as (taken, _):
            assert not await set_within(taken, 0.1)
            process.send_signal(signal.SIGKILL)
            began = time.monotonic()
            assert await set_within(taken, 10)
            assert time.monotonic() - began < 2


async def test_a_holder_whose_connection_ends_knows_it_at_once(postgres_url: str) -> None:
    async with waiting(leases_at(postgres_url)) as (taken, lost):
        assert await set_within(taken, 10)
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%lease'")
        assert await set_within(lost, 1)


async def test_a_frozen_holder_loses_it_and_knows_when_it_wakes_up(postgres_url: str) -> None:
    with holder(postgres_url) as process:
        process.send_signal(signal.SIGSTOP)
        async with waiting(leases_at(postgres_url)) as (taken, lost):
            assert await set_within(taken, 5)
            process.send_signal(signal.SIGCONT)
            await asyncio.to_thread(read_until, process, "lost\n")
            assert not lost.is_set()


async def test_it_waits_for_a_database_that_is_away(postgres_url: str) -> None:
    server().stop()
    try:
        async with waiting(leases_at(postgres_url)) as (taken, lost):
            assert not await set_within(taken, 0.1)
            server().start()
            assert await set_within(taken, 10)
            server().stop()
            assert await set_within(lost, 5)
    finally:
        server().stop()
        server().start()
