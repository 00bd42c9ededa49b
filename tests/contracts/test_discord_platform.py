"""The platform contract, bound to Discord."""

from collections.abc import AsyncIterator

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from adapters.discord.adapter import create
from adapters.discord.addresses import read_message_address
from adapters.discord.settings import Settings
from bridge.clock import SystemClock
from bridge.messages import MessageRef, NamedPerson, PersonId
from bridge.platform_api import Platform
from bridge.playground.discord import DiscordServer
from tests.contracts.platform_suite import PlatformContract, PlatformStage


class DiscordStage:
    def __init__(self, server: DiscordServer) -> None:
        self._server = server
        self.platform: Platform = self._make(server.token)

    def _make(self, token: str) -> Platform:
        values = {
            "discord_token": token,
            "discord_api_url": self._server.api_url,
            "discord_gateway_url": self._server.gateway_url,
            "discord_identify_gap": 0.05,
            "discord_reconnect_first": 0.02,
            "discord_reconnect_max": 0.2,
            # Else discord.py's own pauses decide how soon a gateway that was gone is found again.
            "discord_deaf_timeout": 0.5,
            "discord_close_timeout": 1.0,
        }
        return create(Settings.model_validate(values), SystemClock())

    async def ask(self, text: str) -> None:
        await self._server.post_as(self._server.ada, self._server.general, f"<@{self._server.bot_id}> {text}")

    def mention(self) -> tuple[str, NamedPerson]:
        return f"<@{self._server.grace}>", NamedPerson(id=PersonId(self._server.grace), name="Grace")

    def files(self) -> list[tuple[str, bytes]]:
        places = [self._server.general, *(thread.id for thread in self._server.threads(self._server.general))]
        messages = [one for place in places for one in self._server.messages(place) if one.is_bot]
        return [(file.filename, file.content or b"") for one in messages for _, file in one.attachments]

    async def visible(self, ref: MessageRef) -> str:
        place = read_message_address(ref.address)
        return self._server.message(str(place.channel), str(place.message)).content

    async def remove(self, ref: MessageRef) -> None:
        place = read_message_address(ref.address)
        await self._server.delete_as(self._server.linus, str(place.channel), str(place.message))

    def pings(self) -> list[str]:
        return [what for _, what in self._server.pings]

    def rejected(self) -> int:
        return self._server.rejected

    async def break_connection(self) -> None:
        self._server.faults.refuse_gateway = True
        await self._server.drop_gateways()

    async def mend_connection(self) -> None:
        self._server.faults.refuse_gateway = False

    async def refused(self) -> Platform:
        return self._make(self._server.token[:-4] + "XXXX")


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PlatformStage]:
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    server = DiscordServer(heartbeat_milliseconds=200)
    await server.start()
    stage = DiscordStage(server)
    yield stage
    await stage.platform.close()
    await server.stop()


class TestDiscordPlatform(PlatformContract):
    pass
