"""The platform contract, bound to Slack over Socket Mode."""

from collections.abc import AsyncIterator

import pytest

from adapters.slack.addresses import read_address
from bridge.messages import MessageRef, NamedPerson, PersonId
from bridge.platform_api import Platform
from bridge.playground.slack import SlackServer
from tests.adapters.slack.peer import make_platform
from tests.contracts.platform_suite import PlatformContract, PlatformStage


class SlackStage:
    def __init__(self, server: SlackServer) -> None:
        self._server = server
        self.platform: Platform = make_platform(server)

    async def ask(self, text: str) -> None:
        await self._server.post_as("U0ADA", "C0GENERAL", f"<@{self._server.bot_user_id}> {text}")

    def mention(self) -> tuple[str, NamedPerson]:
        return "<@U0GRACE>", NamedPerson(id=PersonId("U0GRACE"), name="Grace")

    def files(self) -> list[tuple[str, bytes]]:
        shared = [file for one in self._server.messages("C0GENERAL") if one.is_bot for file in one.files]
        return [(file.title, self._server.uploads.content(file.id) or b"") for file in shared]

    async def visible(self, ref: MessageRef) -> str:
        place = read_address(ref.address)
        return self._server.message(place.channel, place.ts).visible_text

    async def remove(self, ref: MessageRef) -> None:
        place = read_address(ref.address)
        self._server.workspace.delete(self._server.message(place.channel, place.ts))

    def pings(self) -> list[str]:
        return [token for _, token in self._server.pings]

    def rejected(self) -> int:
        return self._server.rejected

    async def break_connection(self) -> None:
        self._server.refuse_sockets = True
        self._server.drop_sockets()

    async def mend_connection(self) -> None:
        self._server.refuse_sockets = False

    async def refused(self) -> Platform:
        return make_platform(self._server, slack_bot_token="xoxb-refused")


@pytest.fixture
async def stage() -> AsyncIterator[PlatformStage]:
    server = SlackServer()
    server.retry_schedule = (0.05, 0.05, 0.05)
    await server.start()
    stage = SlackStage(server)
    yield stage
    await stage.platform.close()
    await server.stop()


class TestSlackPlatform(PlatformContract):
    pass
