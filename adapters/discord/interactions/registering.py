"""Tells Discord which commands the app has: once per start, and only where it knows others. Discord takes 200 new ones a day."""

import discord

from adapters.discord.interactions.commands import Json, are_registered, wanted
from adapters.discord.outbound import Rest
from adapters.discord.settings import Settings
from adapters.discord.transport import Pauses
from bridge import logs
from bridge.clock import Clock
from bridge.errors import PlatformError, PlatformUnavailable, RateLimited

log = logs.get("discord")


class Registering:
    """Any number of processes may do it: they ask for the same."""

    def __init__(self, settings: Settings, clock: Clock, rest: Rest) -> None:
        self._settings = settings
        self._clock = clock
        self._rest = rest
        self.detail = ""
        """What is wrong, for operators."""

    async def run(self) -> None:
        """Returns when it is done, or cannot be. Never raises a `PlatformError`."""
        pauses = Pauses(self._settings.discord_reconnect_first, self._settings.discord_reconnect_max)
        while True:
            try:
                await self._register()
            except (PlatformUnavailable, RateLimited) as error:
                self.detail = f"the commands are not registered yet: {error}"
                log.warning("commands_not_registered", code=error.code, again=True)
                least = error.retry_after.total_seconds() if isinstance(error, RateLimited) else 0.0
                await self._clock.sleep(max(pauses.take(), least))
            except PlatformError as error:
                self.detail = f"the commands could not be registered: {error}"
                log.warning("commands_not_registered", code=error.code, again=False)
                return
            else:
                self.detail = ""
                return

    async def _register(self) -> None:
        commands = wanted(self._settings)
        application = (await self._rest.log_in()).application

        async def ask(client: discord.Client) -> list[Json]:
            return [dict(each) for each in await client.http.get_global_commands(application)]

        async def put(client: discord.Client) -> None:
            await client.http.bulk_upsert_global_commands(application, [dict(each) for each in commands])

        if are_registered(commands, await self._rest.call(ask)):
            log.debug("commands_stand")
            return
        await self._rest.call(put)
        log.info("commands_registered", count=len(commands))
