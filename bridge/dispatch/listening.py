"""The connection on which a process hears the others, and by which the others see that it is there."""

from collections.abc import Callable, Collection
from contextlib import aclosing

import psycopg
from procrastinate.manager import get_channel_for_queues
from psycopg import AsyncConnection, sql

from bridge import logs
from bridge.clock import Clock
from bridge.dispatch.jobs import ALIVE_CLASS, NUDGES
from bridge.messages import ConversationId, PlatformName
from bridge.storage.engine import first_line
from bridge.storage.postgres import conninfo, pass_on_cancellation
from bridge.storage.settings import Settings

QUIET = 5.0
"""Seconds without a word after which the connection is tried."""

_log = logs.get("dispatch")


class Ear:
    """A direct connection (a pooler between would lose what is said), made anew whenever it breaks.

    on_job: a job may have come. on_nudge: somebody has new orders for a conversation. on_gap: anything may have been missed; also
    called at the first connection.
    """

    def __init__(
        self,
        settings: Settings,
        platforms: Collection[PlatformName],
        clock: Clock,
        *,
        on_job: Callable[[], None],
        on_nudge: Callable[[ConversationId], None],
        on_gap: Callable[[], None],
    ) -> None:
        self._address = conninfo(settings, "listener")
        self._channels = [*get_channel_for_queues(platforms), NUDGES]
        self._clock = clock
        self._on_job = on_job
        self._on_nudge = on_nudge
        self._on_gap = on_gap

    async def run(self, worker: int) -> None:
        """Listens until cancelled."""
        pause = 0.1
        while True:
            try:
                async with await AsyncConnection.connect(self._address, autocommit=True) as connection:
                    # Shared: the server may not have noticed yet that the connection before this one is gone.
                    await connection.execute(
                        "SELECT pg_try_advisory_lock_shared(%s, %s)", [ALIVE_CLASS, worker % 2**31]
                    )
                    for channel in self._channels:
                        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                    pass_on_cancellation()
                    pause = 0.1
                    self._on_gap()
                    await self._hear(connection)
            except psycopg.Error as error:
                _log.warning("listener_broke", detail=first_line(error), again_in=pause)
            await self._clock.sleep(pause)
            pause = min(pause * 2, 2.0)

    async def _hear(self, connection: AsyncConnection) -> None:
        """Until the connection breaks, which raises psycopg's error."""
        while True:
            async with aclosing(connection.notifies(timeout=QUIET)) as notices:
                async for notice in notices:
                    pass_on_cancellation()
                    if notice.channel != NUDGES:
                        self._on_job()
                    elif notice.payload.isdecimal():
                        self._on_nudge(ConversationId(int(notice.payload)))
            pass_on_cancellation()
            await connection.execute("SELECT 1")
            pass_on_cancellation()
