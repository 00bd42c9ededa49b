"""A whole bridge between a stand-in Slack and a server that says whatever a test wrote down, in the words of any backend."""

from dataclasses import replace
from pathlib import Path

from bridge.registry import Configuration
from tests.contracts.dialects import KEY, Dialect, Limits
from tests.contracts.wire import WireServer
from tests.integration.slack_world import World


class WireWorld(World):
    """As `World`, with `wire` where Dify would be."""

    def __init__(self, folder: Path, dialect: Dialect, limits: Limits) -> None:
        super().__init__(folder)
        self.dialect = dialect
        self.wire = WireServer(dialect.path, dialect.others())
        self._limits = limits

    async def start(self) -> None:
        await self.wire.start()
        await super().start()

    async def stop(self) -> None:
        await super().stop()
        await self.wire.stop()

    def _configuration(self) -> Configuration:
        made = super()._configuration()
        (name,) = made.apps
        return replace(made, apps={name: self.dialect.configure(self.wire.origin, KEY, self._limits)})
