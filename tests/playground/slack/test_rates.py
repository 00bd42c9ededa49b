"""Rate limits, on a clock that stands still until it is told to move."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.errors import SlackApiError

from bridge.playground.slack import SlackServer
from tests.fakes.clock import FakeClock
from tests.playground.slack.peers import error_of, web_client


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[SlackServer]:
    server = SlackServer(clock=clock)
    # Nobody listens here; without scopes for events there is nothing to deliver.
    server.scopes = ["chat:write", "users:read", "reactions:write"]
    await server.start()
    yield server
    await server.stop()


async def test_edits_of_a_workspace_share_fifty_a_minute(server: SlackServer, clock: FakeClock) -> None:
    client = web_client(server)
    here = (await client.chat_postMessage(channel="C0GENERAL", text="x"))["ts"]
    there = (await client.chat_postMessage(channel="C0SUPPORT", text="x"))["ts"]
    for _ in range(25):
        await client.chat_update(channel="C0GENERAL", ts=here, text="y")
    await clock.advance(10)
    for _ in range(25):
        await client.chat_update(channel="C0SUPPORT", ts=there, text="y")
    with pytest.raises(SlackApiError) as refused:
        await client.chat_update(channel="C0GENERAL", ts=here, text="z")
    response = refused.value.response
    assert (response.status_code, response["error"], response.headers["Retry-After"]) == (429, "ratelimited", "50")
    assert server.rejected == 1
    assert server.message("C0GENERAL", here).visible_text == "y"
    await clock.advance(48.5)
    with pytest.raises(SlackApiError) as refused:
        await client.chat_update(channel="C0GENERAL", ts=here, text="z")
    assert refused.value.response.headers["Retry-After"] == "2"  # 1.5, in whole seconds that are enough
    await clock.advance(1.5)
    for _ in range(25):
        await client.chat_update(channel="C0GENERAL", ts=here, text="z")
    assert await error_of(client.chat_update(channel="C0GENERAL", ts=here, text="z")) == "ratelimited"


async def test_refused_arguments_use_up_the_quota_as_well(server: SlackServer) -> None:
    client = web_client(server)
    server.rate_limits["chat.update"] = 2
    for error in ("message_not_found", "message_not_found", "ratelimited"):
        assert await error_of(client.chat_update(channel="C0GENERAL", ts="1.000000", text="y")) == error


async def test_a_channel_takes_a_small_burst_and_then_one_post_a_second(server: SlackServer, clock: FakeClock) -> None:
    client = web_client(server)

    async def post(channel: str = "C0GENERAL") -> str:
        return await error_of(client.chat_postMessage(channel=channel, text="x"))

    assert [await post() for _ in range(6)] == [*[""] * 5, "ratelimited"]
    assert await post("C0SUPPORT") == ""
    await clock.advance(1)
    assert [await post(), await post()] == ["", "ratelimited"]
    assert len(server.messages("C0GENERAL")) == 6


async def test_posts_have_a_cap_for_the_whole_workspace_too(server: SlackServer) -> None:
    client = web_client(server)
    server.rate_limits["chat.postMessage"] = 3
    for channel, error in (("C0GENERAL", ""), ("C0SUPPORT", ""), ("D0ADA", ""), ("G0PRIVATE", "ratelimited")):
        assert await error_of(client.chat_postMessage(channel=channel, text="x")) == error


@pytest.mark.parametrize(("method", "a_minute"), [("users.info", 100), ("reactions.remove", 20), ("bots.info", 50)])
async def test_each_method_has_its_own_tier(server: SlackServer, method: str, a_minute: int) -> None:
    client = web_client(server)
    errors = [await error_of(client.api_call(method, params={})) for _ in range(a_minute + 1)]
    assert errors.count("ratelimited") == 1
    assert errors[-1] == "ratelimited"
    assert await error_of(client.auth_test()) == ""


@pytest.mark.parametrize(
    ("method", "a_minute"),
    [
        ("chat.startStream", 20),
        ("chat.appendStream", 100),
        ("chat.stopStream", 20),
        ("agents.sessions.setStatus", 50),
        ("assistant.threads.setStatus", 100),
        ("views.open", 100),
        ("chat.postEphemeral", 100),
    ],
)
async def test_methods_for_agents_have_tiers_too(server: SlackServer, method: str, a_minute: int) -> None:
    client = web_client(server)
    errors = [await error_of(client.api_call(method, json={})) for _ in range(a_minute + 1)]
    assert errors.count("ratelimited") == 1
    assert errors[-1] == "ratelimited"


async def test_all_streams_of_a_workspace_share_a_hundred_appends_a_minute(
    server: SlackServer, clock: FakeClock
) -> None:
    client = web_client(server)
    root = await server.post_as("U0ADA", "D0ADA", "hi")
    started = [await client.chat_startStream(channel="D0ADA", thread_ts=root) for _ in range(20)]
    with pytest.raises(SlackApiError) as refused:
        await client.chat_startStream(channel="D0ADA", thread_ts=root)
    assert refused.value.response.headers["Retry-After"] == "60"
    for number in range(100):
        await client.chat_appendStream(channel="D0ADA", ts=started[number % 20]["ts"], markdown_text="a")
    last = client.chat_appendStream(channel="D0ADA", ts=started[0]["ts"], markdown_text="a")
    assert await error_of(last) == "ratelimited"
    await clock.advance(60)
    again = client.chat_appendStream(channel="D0ADA", ts=started[0]["ts"], markdown_text="a")
    assert await error_of(again) == ""
