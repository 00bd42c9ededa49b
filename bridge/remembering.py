"""What a platform may keep in our store."""

from collections.abc import Sequence
from datetime import datetime

from bridge.messages import PlatformName, ReplyTarget
from bridge.store import Store


class StoreMemory:
    """`Memory` of one platform."""

    def __init__(self, store: Store, platform: PlatformName) -> None:
        self._store = store
        self._platform = platform

    async def recall(self, name: str) -> str | None:
        return await self._store.bookmark(self._platform, name)

    async def remember(self, name: str, value: str) -> None:
        await self._store.set_bookmark(self._platform, name, value)

    async def recent_places(self, since: datetime, limit: int) -> Sequence[ReplyTarget]:
        return await self._store.recent_targets(self._platform, since, limit)
