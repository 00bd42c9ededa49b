"""What stands beside a conversation: the status line, agent sessions, suggested prompts, titles."""

from collections.abc import AsyncIterator
from typing import cast

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject
from tests.fakes.clock import FakeClock
from tests.playground.slack.peers import error_of

PROMPTS = [{"title": "Hello", "message": "Say hello"}]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[SlackServer]:
    server = SlackServer(clock=clock)
    server.scopes = ["chat:write", "assistant:write"]  # no events: nobody listens
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def root(server: SlackServer) -> str:
    return await server.post_as("U0ADA", "C0GENERAL", "hi")


@pytest.fixture
async def direct(server: SlackServer) -> str:
    return await server.post_as("U0ADA", "D0ADA", "hi")


async def refused(client: AsyncWebClient, method: str, **arguments: object) -> str:
    return await error_of(client.api_call(method, json={"channel_id": "C0GENERAL", **arguments}))


async def test_a_status_goes_with_the_answer_with_time_or_when_it_is_taken_back(
    server: SlackServer, client: AsyncWebClient, root: str, clock: FakeClock
) -> None:
    async def think(status: str = "is thinking", **more: object) -> str:
        return await refused(client, "assistant.threads.setStatus", thread_ts=root, status=status, **more)

    assert await think(loading_messages=["one"] * 10) == ""
    assert server.statuses["C0GENERAL", root].loading_messages == ("one",) * 10
    assert await think("") == ""
    assert server.statuses == {}
    await think()
    await clock.advance(119)
    assert server.statuses != {}
    await clock.advance(1)
    assert server.statuses == {}
    await think()
    recipient = {"recipient_user_id": "U0ADA", "recipient_team_id": "T0PLAYGROUND"}
    await client.chat_startStream(channel="C0GENERAL", thread_ts=root, **recipient)  # type: ignore[arg-type]
    assert server.statuses == {}
    for wrong in (["one"] * 11, "one", [1], [""]):
        assert await think(loading_messages=wrong) == "invalid_arguments"
    server.lacks["assistant"] = "method_deprecated"
    assert await think() == "method_deprecated"


async def test_a_session_is_made_by_its_first_status_and_stays_when_the_answer_comes(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    first = await client.agents_sessions_setStatus(
        channel_id="C0GENERAL", thread_ts=root, status="processing", title="Hello", initiator_user_id="U0ADA"
    )
    assert (first["agent_status"], first["title"]) == ("processing", "Hello")
    await client.chat_postMessage(channel="C0GENERAL", thread_ts=root, text="the answer")
    session = server.workspace.sessions["C0GENERAL", root]
    assert (session.status, session.initiator) == ("processing", "U0ADA")
    for status in ("suspended", "active", "closed"):
        await client.agents_sessions_setStatus(channel_id="C0GENERAL", thread_ts=root, status=status, title="Other")
        assert session.status == status
    assert session.title == "Hello"
    await client.agents_sessions_rename(channel_id="C0GENERAL", thread_ts=root, title="a" * 200)
    assert session.title == "a" * 200


async def test_a_session_that_nobody_could_stop_brings_a_warning(
    server: SlackServer, client: AsyncWebClient, root: str
) -> None:
    where = {"channel_id": "C0GENERAL", "thread_ts": root}
    assert "warning" not in (await client.agents_sessions_setStatus(**where, status="processing")).data
    server.workspace.subscriptions.discard("agent_session_stopped")
    answer = await client.agents_sessions_setStatus(**where, status="processing")
    assert answer["warning"] == "missing_agent_session_stopped_event_subscription"


async def test_a_session_that_nobody_ends_is_over_after_an_hour(
    server: SlackServer, client: AsyncWebClient, root: str, clock: FakeClock
) -> None:
    def shown() -> object:
        channels = cast("list[JsonObject]", server.snapshot()["channels"])
        return cast("list[JsonObject]", channels[0]["messages"])[0]["session"]

    assert shown() is None
    await client.agents_sessions_setStatus(channel_id="C0GENERAL", thread_ts=root, status="processing")
    await clock.advance(3_599)
    assert shown() == {"status": "processing", "title": "", "initiator": None}
    await clock.advance(1)
    assert shown() == {"status": "active", "title": "", "initiator": None}


async def test_what_is_wrong_about_a_session_is_refused(server: SlackServer, client: AsyncWebClient, root: str) -> None:
    status, rename = "agents.sessions.setStatus", "agents.sessions.rename"
    right = {"thread_ts": root, "status": "processing"}
    for method, arguments, error in (
        (status, right | {"channel_id": "C0NOWHERE"}, "channel_not_found"),
        (status, {"status": "processing"}, "invalid_thread_ts"),
        (status, right | {"thread_ts": "1.000000"}, "thread_not_found"),
        (status, right | {"status": "thinking"}, "invalid_arguments"),
        (status, {"thread_ts": root}, "invalid_arguments"),
        (status, right | {"title": "a" * 201}, "invalid_arguments"),
        (status, right | {"initiator_user_id": "U0NOBODY"}, "user_not_in_channel"),
        (rename, {"thread_ts": root, "title": "a"}, "session_not_found"),
        (status, right, ""),
        (rename, {"thread_ts": root, "title": "a" * 201}, "invalid_arguments"),
        (rename, {"thread_ts": root}, "invalid_arguments"),
    ):
        assert await refused(client, method, **arguments) == error, arguments
    server.is_agent = False
    assert await refused(client, status, **right) == "feature_disabled"
    assert await refused(client, rename, thread_ts=root, title="a") == "feature_disabled"
    server.is_agent = True
    server.scopes = ["assistant:write"]
    assert await refused(client, status, **right) == "missing_scope"


async def test_an_agents_prompts_stand_in_its_direct_message_and_vanish_silently_with_a_thread(
    server: SlackServer, client: AsyncWebClient, direct: str
) -> None:
    def shown() -> object:
        channels = cast("list[JsonObject]", server.snapshot()["channels"])
        return next(one["prompts"] for one in channels if one["id"] == "D0ADA")

    await client.assistant_threads_setSuggestedPrompts(channel_id="D0ADA", thread_ts=direct, prompts=PROMPTS)
    assert shown() is None
    assert [one.thread_ts for one in server.workspace.ignored_prompts] == [direct]
    await client.assistant_threads_setSuggestedPrompts(channel_id="D0ADA", prompts=PROMPTS, title="Try")
    assert shown() == {"title": "Try", "prompts": PROMPTS}
    server.is_agent = False
    await client.assistant_threads_setSuggestedPrompts(channel_id="D0ADA", thread_ts=direct, prompts=PROMPTS * 4)
    assert shown() == {"title": "", "prompts": PROMPTS * 4}
    assert len(server.workspace.ignored_prompts) == 1


async def test_prompts_and_titles_are_for_direct_messages_and_need_their_scope(
    server: SlackServer, client: AsyncWebClient, root: str, direct: str
) -> None:
    method = "assistant.threads.setSuggestedPrompts"
    wrong_prompts: list[object] = [None, [], {}, PROMPTS * 5, ["a"], [{"title": "a"}], [{"title": "", "message": "a"}]]
    for prompts in wrong_prompts:
        assert await refused(client, method, channel_id="D0ADA", prompts=prompts) == "invalid_arguments"
    assert await refused(client, method, prompts=PROMPTS) == "channel_not_found"
    assert await error_of(client.assistant_threads_setTitle(channel_id="D0ADA", thread_ts=direct, title="A")) == ""
    assert server.workspace.titles == {("D0ADA", direct): "A"}
    title = client.assistant_threads_setTitle
    assert await error_of(title(channel_id="D0ADA", thread_ts="1.000000", title="A")) == "thread_not_found"
    assert await error_of(title(channel_id="D0ADA", thread_ts=direct, title="")) == "invalid_arguments"
    assert await error_of(title(channel_id="C0GENERAL", thread_ts=root, title="A")) == "channel_not_found"
    server.scopes = ["chat:write"]
    assert await refused(client, method, channel_id="D0ADA", prompts=PROMPTS) == "missing_scope"
    assert await error_of(title(channel_id="D0ADA", thread_ts=direct, title="A")) == "missing_scope"
