"""Write budgets that several processes share, where two of them can write to one channel.

A row per budget says when the next write is due. Asking moves it on, in one statement, and tells how long to wait: who asks has a
place in line that nobody can take away, and an unused one is lost.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge import logs
from bridge.errors import StoreUnavailable
from bridge.platform_api import WriteBudget
from bridge.storage.engine import translated

BURST = 0.25
"""Share of a budget that may be spent at once after a pause; the rest is spread evenly over the window. Were all of it spent at
once, the window that begins in the middle would see up to twice the budget."""

# The database's clock counts: those of the processes may differ. What a crash of the server forgets here does no harm, so nobody
# waits for the disk; the setting must be read for it to be made.
_BOOK = text("""
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true) AS setting)
INSERT INTO rate_slot AS slot (key, next_at)
    SELECT :key, clock_timestamp() + (:gap - :burst) * interval '1 second' FROM quick WHERE setting = 'off'
    ON CONFLICT (key) DO UPDATE
        SET next_at = greatest(slot.next_at, clock_timestamp() - :burst * interval '1 second') + :gap * interval '1 second'
    RETURNING extract(epoch FROM next_at - clock_timestamp())::float8 - :gap
""")

_BLOCK = text("""
INSERT INTO rate_slot AS slot (key, next_at) VALUES (:key, clock_timestamp() + :seconds * interval '1 second')
    ON CONFLICT (key) DO UPDATE SET next_at = greatest(slot.next_at, excluded.next_at)
""")

_log = logs.get("pacing")


class SharedSlots:
    """`engine`: PostgreSQL, outside of transactions (`Database.readers`)."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def book(self, key: str, budget: WriteBudget) -> float:
        """Books one write and returns the seconds to wait before making it.

        0 when the database does not answer: then each process keeps its own budget, and the platform's word is the last anyway.
        """
        burst = max(1, int(budget.limit * BURST))
        gap = budget.window.total_seconds() / (budget.limit - burst + 1)
        try:
            with translated():
                async with self._engine.connect() as connection:
                    wait = await connection.scalar(_BOOK, {"key": key, "gap": gap, "burst": gap * (burst - 1)})
        except StoreUnavailable as error:
            _log.warning("store_unavailable", doing="book", detail=str(error))
            return 0.0
        return max(float(wait or 0.0), 0.0)

    async def block(self, key: str, seconds: float) -> None:
        """The platform said to wait: nobody is given a place before that. (Who has one already waits for its own.)"""
        try:
            with translated():
                async with self._engine.connect() as connection:
                    await connection.execute(_BLOCK, {"key": key, "seconds": seconds})
        except StoreUnavailable as error:
            _log.warning("store_unavailable", doing="block", detail=str(error))
