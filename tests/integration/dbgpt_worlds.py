"""The worlds of Slack and Discord with a stand-in DB-GPT as what answers in them."""

from dataclasses import replace
from pathlib import Path

from bridge.clock import SystemClock
from bridge.playground.dbgpt import DbgptServer
from bridge.registry import Configuration, backend
from bridge.routing import DEFAULT_APP
from tests.fakes.ports import free_port
from tests.integration import discord_world, slack_world


def with_dbgpt(one: Configuration, server: DbgptServer, settings: dict[str, object]) -> Configuration:
    part = backend("dbgpt", dbgpt_base_url=server.base_url, dbgpt_api_key=server.api_key, **settings)
    return replace(one, apps={DEFAULT_APP: part})


class SlackAndDbgpt(slack_world.World):
    def __init__(self, folder: Path, **dbgpt: object) -> None:
        """`dbgpt`: settings of the backend beside its address and key."""
        super().__init__(folder)
        self.dbgpt = DbgptServer(SystemClock())
        self.dbgpt_settings = dbgpt

    async def start(self) -> None:
        await self.dbgpt.start(port=free_port())
        self.dbgpt.on_change(self._news.set)
        await super().start()

    async def stop(self) -> None:
        try:
            await super().stop()
        finally:
            await self.dbgpt.stop()

    def _configuration(self) -> Configuration:
        return with_dbgpt(super()._configuration(), self.dbgpt, self.dbgpt_settings)


class DiscordAndDbgpt(discord_world.World):
    def __init__(self, folder: Path, **dbgpt: object) -> None:
        """`dbgpt`: settings of the backend beside its address and key."""
        super().__init__(folder)
        self.dbgpt = DbgptServer(SystemClock())
        self.dbgpt_settings = dbgpt

    async def start(self) -> None:
        await self.dbgpt.start(port=free_port())
        self.dbgpt.on_change(self._news.set)
        await super().start()

    async def stop(self) -> None:
        try:
            await super().stop()
        finally:
            await self.dbgpt.stop()

    def _configuration(self) -> Configuration:
        return with_dbgpt(super()._configuration(), self.dbgpt, self.dbgpt_settings)
