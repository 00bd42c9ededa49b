"""Faults on demand, as the SDK's clients see them."""

import asyncio

import pytest
from aiohttp import ClientConnectionError, ServerDisconnectedError
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import Fault, SlackServer
from tests.playground.slack.peers import error_of


def _fail(server: SlackServer, fault: Fault, method: str = "chat.postMessage") -> None:
    server.faults.fail_next[method] = [fault]


async def _post(client: AsyncWebClient, text: str = "x") -> None:
    await client.chat_postMessage(channel="C0GENERAL", text=text)


@pytest.mark.parametrize("after_effect", [False, True])
async def test_a_server_error_comes_as_a_page_before_or_after_the_effect(
    server: SlackServer, client: AsyncWebClient, after_effect: bool
) -> None:
    _fail(server, Fault.http(502, after_effect=after_effect))
    with pytest.raises(SlackApiError) as failed:
        await _post(client)
    assert failed.value.response.status_code == 502
    assert len(server.messages("C0GENERAL")) == after_effect
    assert (server.calls[0].ok, server.calls[0].status) == (False, 502)
    await _post(client)


@pytest.mark.parametrize("fault", [Fault.drop(), Fault.effect_then_drop()], ids=["before", "after"])
async def test_a_dropped_connection_leaves_the_caller_in_doubt(
    server: SlackServer, client: AsyncWebClient, fault: Fault
) -> None:
    _fail(server, fault)
    with pytest.raises((ServerDisconnectedError, ClientConnectionError)):
        await _post(client)
    assert len(server.messages("C0GENERAL")) == fault.after_effect
    assert (server.calls[0].error, server.calls[0].status) == ("dropped", 0)


async def test_the_sdks_default_client_posts_twice_when_the_answer_is_lost(server: SlackServer) -> None:
    """Why the bridge must not use it for posting; and that the stand-in would show it."""
    client = AsyncWebClient(token=server.bot_token, base_url=server.api_url)
    _fail(server, Fault.effect_then_drop())
    await _post(client)
    assert len(server.messages("C0GENERAL")) == 2


async def test_a_rate_limit_says_how_long_to_wait(server: SlackServer, client: AsyncWebClient) -> None:
    _fail(server, Fault.rate_limit(7))
    with pytest.raises(SlackApiError) as refused:
        await _post(client)
    assert (refused.value.response.status_code, refused.value.response.headers["Retry-After"]) == (429, "7")
    assert server.messages("C0GENERAL") == []
    assert server.rejected == 1


async def test_the_sdks_retry_handler_waits_out_a_rate_limit(server: SlackServer) -> None:
    client = AsyncWebClient(
        token=server.bot_token, base_url=server.api_url, retry_handlers=[AsyncRateLimitErrorRetryHandler()]
    )
    _fail(server, Fault.rate_limit(0))
    await _post(client)
    assert [call.ok for call in server.calls] == [False, True]


async def test_any_error_code_can_be_asked_for_and_faults_are_used_up_in_order(
    server: SlackServer, client: AsyncWebClient
) -> None:
    server.faults.fail_next["chat.postMessage"] = [Fault.refuse("channel_not_found"), Fault.refuse("is_archived")]
    for error in ("channel_not_found", "is_archived", ""):
        assert await error_of(_post(client)) == error
    assert len(server.messages("C0GENERAL")) == 1


async def test_a_slow_call_takes_effect_at_once_and_is_answered_late(server: SlackServer) -> None:
    client = AsyncWebClient(token=server.bot_token, base_url=server.api_url, retry_handlers=[])
    _fail(server, Fault.slow(0.2))
    changed = asyncio.Event()
    server.on_change(changed.set)
    call = asyncio.create_task(_post(client))
    async with asyncio.timeout(2):
        await changed.wait()
        assert not call.done()
        await call


async def test_latency_comes_before_the_effect(server: SlackServer, client: AsyncWebClient) -> None:
    server.faults.latency = 0.1
    await _post(client)
    appeared = server.messages("C0GENERAL")[0].history[0][0]
    assert appeared - server.calls[0].at >= 0.1


async def test_while_slack_is_down_everything_is_a_page(server: SlackServer, client: AsyncWebClient) -> None:
    server.faults.html_error = True
    with pytest.raises(SlackApiError) as failed:
        await client.auth_test()
    assert failed.value.response.status_code == 503
    server.faults.html_error = False
    await client.auth_test()


async def test_a_restarted_stand_in_still_has_its_messages(server: SlackServer, client: AsyncWebClient) -> None:
    await _post(client, "kept")
    port = int(server.api_url.split(":")[2].split("/")[0])
    await server.stop()
    with pytest.raises(ClientConnectionError):
        await _post(client, "lost")
    await server.start(port=port)
    await _post(client, "again")
    assert [message.text for message in server.messages("C0GENERAL")] == ["kept", "again"]
