"""How large a file may be in each server: boosted ones take more."""

import discord

from adapters.discord.capabilities import MAX_FILE_BYTES, MAX_REQUEST_BYTES
from adapters.discord.rest.client import Rest
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError
from bridge.messages import InstallationId

log = logs.get("discord")

LOOK_AGAIN = 600.0
"""Seconds for which a server's limit is remembered."""

MOST_KNOWN = 1_000

_ENVELOPE = 64 * 1024
"""Bytes of a request that are not the file."""


class FileLimits:
    def __init__(self, rest: Rest, clock: Clock, *, within: float) -> None:
        """`within`: seconds that asking for a limit may take."""
        self._rest = rest
        self._clock = clock
        self._within = within
        self._known: dict[int, tuple[int, float]] = {}

    async def largest(self, server: InstallationId | None, size: int) -> int:
        """Most bytes of a file there. Discord is asked only when `size` is more than every server takes. Never raises a
        `PlatformError`."""
        if size <= MAX_FILE_BYTES or server is None or not server.isdecimal():
            return MAX_FILE_BYTES
        number = int(server)
        limit, until = self._known.get(number, (0, 0.0))
        if limit and self._clock.monotonic() < until:
            return limit

        async def ask(client: discord.Client) -> int:
            return (await client.fetch_guild(number, with_counts=False)).filesize_limit

        try:
            limit = await self._rest.call(ask, within=self._within)
        except PlatformError as error:
            log.info("file_limit_unknown", code=error.code)
            return MAX_FILE_BYTES
        limit = min(limit, MAX_REQUEST_BYTES - _ENVELOPE)
        self._known.pop(number, None)
        self._known[number] = limit, self._clock.monotonic() + LOOK_AGAIN
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        return limit
