"""For how long it is believed that nobody from elsewhere reads along."""

from collections.abc import AsyncIterator

import pytest

from adapters.slack.outbound import Outbound
from adapters.slack.settings import Settings
from adapters.slack.surfaces.sharing import BELIEVED, BELIEVED_ALONE, Sharing
from bridge.playground.slack import SlackServer
from tests.adapters.slack.peer import asked
from tests.fakes.clock import FakeClock

GENERAL = "C0GENERAL"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def sharing(server: SlackServer, clock: FakeClock) -> AsyncIterator[Sharing]:
    values = {"slack_bot_token": server.bot_token, "slack_app_token": server.app_token, "slack_api_url": server.api_url}
    outbound = Outbound(Settings.model_validate(values), clock)
    yield Sharing(outbound.clients, clock)
    await outbound.close()


async def test_that_a_channel_is_our_own_is_soon_looked_up_again(
    server: SlackServer, sharing: Sharing, clock: FakeClock
) -> None:
    for _ in range(2):
        assert not await sharing.is_shared(server.team_id, GENERAL)
    assert asked(server, "conversations.info") == 1
    server.add_stranger(GENERAL, "Eve")
    await clock.advance(BELIEVED_ALONE + 1)
    assert await sharing.is_shared(server.team_id, GENERAL)
    await clock.advance(BELIEVED_ALONE + 1)
    assert await sharing.is_shared(server.team_id, GENERAL)
    assert asked(server, "conversations.info") == 2


async def test_that_it_is_shared_is_believed_for_longer_but_not_for_ever(
    server: SlackServer, sharing: Sharing, clock: FakeClock
) -> None:
    sharing.note(server.team_id, {"is_ext_shared_channel": True, "event": {"channel": GENERAL}})
    await clock.advance(BELIEVED - 1)
    assert await sharing.is_shared(server.team_id, GENERAL)
    await clock.advance(2)
    assert not await sharing.is_shared(server.team_id, GENERAL)


async def test_what_was_shared_stays_so_where_slack_cannot_be_asked_again(
    server: SlackServer, sharing: Sharing, clock: FakeClock
) -> None:
    sharing.note(server.team_id, {"is_ext_shared_channel": True, "event": {"channel": GENERAL}})
    await clock.advance(BELIEVED + 1)
    server.scopes = ["chat:write"]
    assert await sharing.is_shared(server.team_id, GENERAL)


async def test_direct_messages_are_not_looked_up(server: SlackServer, sharing: Sharing) -> None:
    assert not await sharing.is_shared(server.team_id, "D0ADA")
    assert asked(server, "conversations.info") == 0
