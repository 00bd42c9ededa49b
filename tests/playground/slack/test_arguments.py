"""Where arguments may stand, and who may call."""

import json
from collections.abc import Mapping
from typing import cast

import pytest
from aiohttp import ClientSession, FormData
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import Channel, SlackServer
from tests.playground.slack.peers import error_of, web_client


async def _call(
    server: SlackServer, method: str, request: Mapping[str, object], token: str | None = ""
) -> dict[str, object]:
    """`token`: None sends none, "" the bot's own."""
    rest = dict(request)
    headers = dict(cast("dict[str, str]", rest.pop("headers", {})))
    if token is not None:
        headers["Authorization"] = f"Bearer {token or server.bot_token}"
    verb = str(rest.pop("verb", "POST"))
    async with (
        ClientSession() as session,
        session.request(verb, server.api_url + method, headers=headers, **rest) as response,  # type: ignore[arg-type]
    ):
        return cast("dict[str, object]", await response.json())


ARGS = {"channel": "C0GENERAL", "text": "hello"}


@pytest.mark.parametrize(
    "request_",
    [
        {"json": ARGS},
        {"data": ARGS},
        {"params": ARGS},
        {"params": {"channel": "C0GENERAL"}, "data": {"text": "hello"}},
        {"params": ARGS, "verb": "GET"},
        {"data": FormData(ARGS, default_to_multipart=True)},
    ],
    ids=["json", "form", "query of a POST", "query and form", "GET", "multipart"],
)
async def test_arguments_are_found_wherever_slack_looks_for_them(
    server: SlackServer, request_: dict[str, object]
) -> None:
    assert (await _call(server, "chat.postMessage", request_))["ok"] is True
    assert [message.text for message in server.messages("C0GENERAL")] == ["hello"]


async def test_blocks_may_be_json_text_in_a_form_and_must_be_a_list_of_objects(server: SlackServer) -> None:
    blocks = json.dumps([{"type": "markdown", "text": "**bold**"}])
    assert (await _call(server, "chat.postMessage", {"data": ARGS | {"blocks": blocks}}))["ok"] is True
    for bad in ("[", '"text"', "[1]"):
        answer = await _call(server, "chat.postMessage", {"data": ARGS | {"blocks": bad}})
        assert answer["error"] == "invalid_blocks_format"


@pytest.mark.parametrize(
    ("body", "content_type", "error"),
    [
        ("{", "application/json", "invalid_json"),
        ("[]", "application/json", "json_not_object"),
        ("hello", "text/plain", "invalid_post_type"),
        ('{"channel": 7, "text": "x"}', "application/json", "invalid_arguments"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused(
    server: SlackServer, body: str, content_type: str, error: str
) -> None:
    answer = await _call(server, "chat.postMessage", {"data": body, "headers": {"Content-Type": content_type}})
    assert answer["error"] == error


async def test_methods_that_read_do_not_look_into_a_json_body(server: SlackServer) -> None:
    assert (await _call(server, "users.info", {"json": {"user": "U0ADA"}}))["error"] == "user_not_found"
    assert (await _call(server, "users.info", {"data": {"user": "U0ADA"}}))["ok"] is True


async def test_the_sdk_reaches_every_method_with_its_own_encodings(server: SlackServer, client: AsyncWebClient) -> None:
    me = await client.auth_test()
    assert (me["user_id"], me["team_id"], me["bot_id"]) == (server.bot_user_id, server.team_id, server.bot_id)
    assert me.headers["x-oauth-scopes"] == ",".join(server.scopes)
    ts = (await client.chat_postMessage(channel="C0GENERAL", text="one"))["ts"]
    reply = (await client.chat_postMessage(channel="C0GENERAL", text="two", thread_ts=ts))["ts"]
    await client.chat_update(channel="C0GENERAL", ts=reply, text="three")
    await client.reactions_add(channel="C0GENERAL", timestamp=ts, name="eyes")
    got = await client.reactions_get(channel="C0GENERAL", timestamp=ts)
    assert got["message"]["reactions"] == [{"name": "eyes", "users": [server.bot_user_id], "count": 1}]
    await client.reactions_remove(channel="C0GENERAL", timestamp=ts, name="eyes")
    assert (await client.users_info(user="U0ADA"))["user"]["profile"]["display_name"] == "Ada"
    assert (await client.bots_info(bot=server.bot_id))["bot"]["user_id"] == server.bot_user_id
    assert (await client.conversations_info(channel="D0ADA"))["channel"]["user"] == "U0ADA"
    assert (await client.conversations_info(channel="G0PRIVATE"))["channel"]["is_private"] is True
    thread = await client.conversations_replies(channel="C0GENERAL", ts=ts)
    assert [message["text"] for message in thread["messages"]] == ["one", "three"]
    assert thread["messages"][0]["reply_count"] == 1
    history = await client.conversations_history(channel="C0GENERAL")
    assert [message["ts"] for message in history["messages"]] == [ts]
    await client.chat_delete(channel="C0GENERAL", ts=reply)
    assert len(server.messages("C0GENERAL")) == 1
    assert all(call.ok for call in server.calls)


async def test_a_wrong_or_missing_token_is_refused_and_an_app_token_opens_only_sockets(server: SlackServer) -> None:
    for request, token, error in (
        ({}, None, "not_authed"),
        ({}, "xoxb-other", "invalid_auth"),
        ({}, server.app_token, "not_allowed_token_type"),
        ({"data": {"token": server.bot_token}}, None, None),
        ({"params": {"token": server.bot_token}}, None, "not_authed"),
        ({"json": {"token": server.bot_token}}, None, "not_authed"),
    ):
        assert (await _call(server, "auth.test", request, token)).get("error") == error
    assert (await _call(server, "apps.connections.open", {}))["error"] == "not_allowed_token_type"
    assert all("token" not in call.args for call in server.calls)


async def test_a_missing_scope_is_named_and_reading_needs_the_one_for_that_kind_of_channel(
    server: SlackServer, client: AsyncWebClient
) -> None:
    ts = await server.post_as("U0ADA", "G0PRIVATE", "hi")
    server.scopes = ["channels:history", "reactions:read"]
    answer = await _call(server, "chat.postMessage", {"json": ARGS})
    assert (answer["error"], answer["needed"]) == ("missing_scope", "chat:write")
    assert answer["provided"] == "channels:history,reactions:read"
    assert await error_of(client.conversations_replies(channel="G0PRIVATE", ts=ts)) == "missing_scope"
    await client.conversations_history(channel="C0GENERAL")
    assert await error_of(client.conversations_info(channel="C0GENERAL")) == "missing_scope"
    assert await error_of(client.reactions_add(channel="G0PRIVATE", timestamp=ts, name="eyes")) == "missing_scope"


async def test_unknown_methods_are_called_unknown(client: AsyncWebClient) -> None:
    assert await error_of(client.api_call("chat.startStreams", json={})) == "unknown_method"


async def test_channels_without_the_bot_cannot_be_written_and_private_ones_do_not_exist(
    server: SlackServer, client: AsyncWebClient
) -> None:
    server.channels["C0OTHER"] = Channel(id="C0OTHER", name="other", members={"U0ADA"})
    server.channels["G0SECRET"] = Channel(id="G0SECRET", name="secret", kind="group", members={"U0ADA"})
    for channel, error in (
        ("C0OTHER", "not_in_channel"),
        ("G0SECRET", "channel_not_found"),
        ("C0", "channel_not_found"),
    ):
        assert await error_of(client.chat_postMessage(channel=channel, text="hi")) == error
        assert await error_of(client.conversations_history(channel=channel)) == error
    server.scopes = [*server.scopes, "chat:write.public"]
    assert await error_of(client.chat_postMessage(channel="C0OTHER", text="hi")) == ""


async def test_a_client_on_the_app_token_cannot_post(server: SlackServer) -> None:
    client = web_client(server, server.app_token)
    assert await error_of(client.chat_postMessage(channel="C0GENERAL", text="hi")) == "not_allowed_token_type"
