"""What streams, views and files are like where there is more than one workspace, or a guest from another company."""

from collections.abc import AsyncIterator
from typing import cast

import aiohttp
import pytest

from bridge.playground.slack import File, SlackServer
from bridge.playground.slack.model import JsonObject
from tests.fakes.clock import FakeClock
from tests.playground.slack.peers import error_of, web_client


@pytest.fixture
async def server() -> AsyncIterator[SlackServer]:
    server = SlackServer(clock=FakeClock())
    server.scopes = ["chat:write", "files:read"]  # no events: nobody listens
    await server.start()
    yield server
    await server.stop()


async def test_a_guest_is_streamed_to_with_the_id_of_their_own_company(server: SlackServer) -> None:
    client = web_client(server)
    guest = server.add_stranger("C0GENERAL", "Eve", team_id="T0ELSEWHERE")
    root = await server.post_as(guest.id, "C0GENERAL", "hi")
    arguments = {"channel": "C0GENERAL", "thread_ts": root, "recipient_user_id": guest.id, "markdown_text": "a"}
    for team, error in ((server.team_id, "team_not_found"), ("T0ELSEWHERE", "")):
        call = client.api_call("chat.startStream", json={**arguments, "recipient_team_id": team})
        assert await error_of(call) == error


async def test_each_workspace_has_its_own_quota_features_and_views(server: SlackServer) -> None:
    other = server.add_workspace("T0OTHER", "Other")
    first, second = web_client(server), web_client(server, other.bot_token)
    here, there = await server.post_as("U0ADA", "D0ADA", "hi"), await server.post_as("U1ADA", "D1ADA", "hi")
    for _ in range(20):
        await first.chat_startStream(channel="D0ADA", thread_ts=here)
    assert await error_of(first.chat_startStream(channel="D0ADA", thread_ts=here)) == "ratelimited"
    assert await error_of(second.chat_startStream(channel="D1ADA", thread_ts=there)) == ""
    assert await error_of(second.chat_startStream(channel="D0ADA", thread_ts=here)) == "channel_not_found"
    server.lacks["streaming"] = "unknown_method"
    assert await error_of(second.chat_startStream(channel="D1ADA", thread_ts=there)) == ""
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    await second.views_publish(user_id="U1ADA", view=home)
    assert await error_of(second.views_publish(user_id="U0ADA", view=home)) == "invalid_arguments"
    assert server.workspace.views.homes == {}
    shown = server.snapshot("T0OTHER")
    assert shown["team"] == {"id": "T0OTHER", "name": "Other", "installed": True}
    assert [view["person"] for view in cast("dict[str, list[JsonObject]]", shown["views"])["homes"]] == ["U1ADA"]


async def test_a_token_opens_the_files_of_its_own_workspace_only(server: SlackServer) -> None:
    other = server.add_workspace("T0OTHER", "Other")
    await server.post_as("U1ADA", "C1GENERAL", "look", files=[File(id="F1", name="a.txt", content=b"a")])
    url = f"{server.downloads.address}/files-pri/F1/download/a.txt"
    got = []
    async with aiohttp.ClientSession() as session:
        for token in (server.bot_token, other.bot_token):
            async with session.get(url, headers={"Authorization": f"Bearer {token}"}) as answer:
                got.append((answer.status, await answer.read()))
    assert got == [(404, b"no such file"), (200, b"a")]
