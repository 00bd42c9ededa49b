"""Leases among processes: locks that PostgreSQL keeps for a connection and gives to the next one when that falls."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import psycopg
from psycopg import AsyncConnection

from bridge import logs
from bridge.clock import Clock
from bridge.platform_api import Lease, Leases
from bridge.storage.engine import first_line
from bridge.storage.leases import HeldLease
from bridge.storage.postgres import conninfo, pass_on_cancellation
from bridge.storage.settings import Settings

CHECK_EVERY = 2.0
"""Seconds between two looks at the connection of a lease, and the longest that one may take."""

FROZEN_AFTER = 10.0
"""Seconds without a look after which the server drops the connection: its process is frozen, however alive its host is. More than
two looks, so that the holder knows that the lease is not certain before anybody else has it."""

WAIT = 20
"""Seconds that one attempt waits for a lease that somebody has; then the connection is tried again."""

_TAKE = "SELECT pg_advisory_lock(hashtextextended('dify-chat-bridge lease ' || current_schema() || ' ' || %s, 0))"

_log = logs.get("leases")


class PostgresLeases(Leases):
    """Each lease, held or waited for, has a connection of its own. It must be direct: behind a pooler, the lock would belong to
    the pooler's connection."""

    def __init__(
        self, settings: Settings, clock: Clock, *, check_every: float = CHECK_EVERY, frozen_after: float = FROZEN_AFTER
    ) -> None:
        bounds = {"idle_session_timeout": f"{frozen_after * 1000:.0f}", "lock_timeout": f"{WAIT * 1000}"}
        self._address = conninfo(settings, "lease", bounds)
        self._clock = clock
        self._check_every = check_every

    def hold(self, name: str) -> AbstractAsyncContextManager[Lease]:
        return self._hold(name)

    @asynccontextmanager
    async def _hold(self, name: str) -> AsyncIterator[Lease]:
        connection = await self._take(name)
        held = HeldLease()
        watching = asyncio.create_task(_watch(connection, held, name, self._check_every))
        _log.info("lease_taken", name=name)
        try:
            yield held
        finally:
            watching.cancel()
            await asyncio.wait({watching})
            await connection.close()
            _log.info("lease_given_back", name=name)

    async def _take(self, name: str) -> AsyncConnection:
        """Waits as long as it takes. Returns the connection that has the lock."""
        pause = 0.1
        while True:
            connection = None
            try:
                connection = await AsyncConnection.connect(self._address, autocommit=True)
                pause = 0.1
                await _lock(connection, name)
            except psycopg.Error as error:
                if connection is not None:
                    await connection.close()
                _log.warning("lease_not_reachable", name=name, detail=first_line(error), again_in=pause)
            except BaseException:
                if connection is not None:
                    await connection.close()
                raise
            else:
                return connection
            await self._clock.sleep(pause)
            pause = min(pause * 2, self._check_every)


async def _lock(connection: AsyncConnection, name: str) -> None:
    while True:
        try:
            await connection.execute(_TAKE, [name])
        except psycopg.errors.LockNotAvailable:
            pass_on_cancellation()
            continue
        pass_on_cancellation()
        return


async def _watch(connection: AsyncConnection, held: HeldLease, name: str, every: float) -> None:
    """Returns when the connection breaks or does not answer in time."""
    try:
        while True:
            # Nobody tells us anything here; a connection that ends is noticed at once.
            async with aclosing(connection.notifies(timeout=every)) as notices:
                async for _ in notices:
                    pass
            pass_on_cancellation()
            # Ending a statement that hangs takes time of its own, and the lease is uncertain before that.
            late = asyncio.get_running_loop().call_later(every, held.lose)
            try:
                async with asyncio.timeout(every):
                    await connection.execute("SELECT 1")
                    pass_on_cancellation()
            finally:
                late.cancel()
    except (psycopg.Error, TimeoutError) as error:
        _log.warning("lease_lost", name=name, detail=first_line(error))
    finally:
        held.lose()
