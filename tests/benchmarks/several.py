"""Several processes on one PostgreSQL, whole: from the platform's event to the app, at rest, and when one of them goes.

The server really writes to its disk here, so the figures depend on that disk.
"""

import signal
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge.settings import isolated
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings
from tests.benchmarks.loads import rest, stage
from tests.benchmarks.processes import bridge
from tests.many.fleet import Crowd, fleet
from tests.storage.postgres_server import PostgresServer

ORDINARY = {"DATABASE_HEARTBEAT": "2", "DATABASE_STALLED": "10"}
"""As when nobody sets them."""

QUIET = 15.0


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    server = PostgresServer(sync=True)
    server.start()
    try:
        yield server
    finally:
        server.remove()


async def migrated(server: PostgresServer) -> str:
    url = server.create()
    await migrate(isolated(Settings, database_url=url))
    return url


@dataclass(frozen=True, slots=True, kw_only=True)
class RestResult:
    cpu_share: float
    """Of the busiest of them."""
    resident: float


async def at_rest(server: PostgresServer, processes: int) -> RestResult:
    """Both platforms connected, and nothing to do."""
    async with stage() as on, AsyncExitStack() as bridges:
        settings = on.settings | {"DATABASE_URL": await migrated(server)}
        running = [await bridges.enter_async_context(bridge(on.folder, settings)) for _ in range(processes)]
        found = [await rest(one, QUIET) for one in running]
    return RestResult(cpu_share=max(share for _, share in found), resident=max(memory for memory, _ in found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Succession:
    """Seconds."""

    answer: float
    """Until another process has the answer that was being given."""
    hearing: float
    """Until another process hears Discord."""


async def succeed(server: PostgresServer, number: signal.Signals) -> Succession:
    """One of two processes hears Discord and answers, and gets the signal. With SIGTERM: after a grace of next to nothing."""
    with TemporaryDirectory(prefix="bench-") as folder:
        async with fleet(Path(folder), await migrated(server)) as on:
            first = await on.start(None, SHUTDOWN_GRACE="0.1", **ORDINARY)
            crowd = Crowd(on, per_token=0.2)
            await crowd.ask(on.seats["slack"])
            await on.until(lambda: on.owner() is first, "it answers")
            heir = await on.start(None, SHUTDOWN_GRACE="0.1", **ORDINARY)
            first.send(number)
            began = on.clock.monotonic()
            heard = answered = 0.0
            while not (heard and answered):
                await on.clock.sleep(0.02)
                past = on.clock.monotonic() - began
                if past > 60:
                    raise RuntimeError("nobody took over")
                if not heard and heir.logged("gateway_session_began"):
                    heard = past
                if not answered and on.owner() is heir:
                    answered = past
            return Succession(answer=answered, hearing=heard)
