"""Small work that follows an acknowledgement and that nobody waits for. Each piece has an owner here, and ends with it."""

import asyncio
from collections.abc import Coroutine

from bridge import logs
from bridge.errors import PlatformError, StoreUnavailable

log = logs.get("slack")

MOST = 200
"""Errands at once. One more is dropped: Slack is slow then, and what they are about is over soon."""


class Errands:
    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()

    def start(self, name: str, errand: Coroutine[object, object, None]) -> None:
        """What goes wrong is logged under `name`, and nothing else."""
        if len(self._under_way) >= MOST:
            errand.close()
            log.warning("errand_dropped", errand=name)
            return
        task = asyncio.create_task(_run(name, errand), name=f"slack-{name}")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def finish(self, grace: float) -> None:
        """Lets them end, for at most `grace` seconds."""
        if self._under_way:
            _, late = await asyncio.wait(self._under_way, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


async def _run(name: str, errand: Coroutine[object, object, None]) -> None:
    try:
        await errand
    except (PlatformError, StoreUnavailable) as error:
        log.warning("errand_failed", errand=name, code=getattr(error, "code", ""), error=str(error))
