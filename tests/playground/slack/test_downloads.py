"""Files of people: who gets the bytes, what stands there instead, and where a token must not go."""

from collections.abc import AsyncIterator
from typing import cast

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import File, SlackServer
from bridge.playground.slack.downloads import ForeignHost
from bridge.playground.slack.model import JsonObject
from tests.playground.slack.peers import error_of

PICTURE = File(id="F1", name="a b.png", mimetype="image/png", content=b"picture")


@pytest.fixture
async def foreign() -> AsyncIterator[ForeignHost]:
    foreign = ForeignHost(content=b"elsewhere")
    yield foreign
    await foreign.stop()


async def fetch(url: object, token: str = "") -> tuple[int, str, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.ClientSession() as session, session.get(str(url), headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


async def attach(server: SlackServer, client: AsyncWebClient, file: File, channel: str = "C0GENERAL") -> JsonObject:
    """The file as the bot reads it on the message."""
    ts = await server.post_as("U0ADA", channel, "look", files=[file])
    read = await client.conversations_replies(channel=channel, ts=ts)
    return cast("JsonObject", read["messages"][0]["files"][0])


async def test_a_file_is_handed_out_to_the_bots_token(server: SlackServer, client: AsyncWebClient) -> None:
    file = await attach(server, client, PICTURE)
    assert (file["name"], file["size"], file["mode"], file["file_access"]) == ("a b.png", 7, "hosted", "visible")
    for name in ("url_private", "url_private_download"):
        assert await fetch(file[name], server.bot_token) == (200, "image/png", b"picture")
    assert "/download/" in str(file["url_private_download"])
    assert server.downloads.fetched == ["F1", "F1"]
    (delivery,) = [one for one in server.deliveries if one.type == "message"]
    event = cast("dict[str, list[JsonObject]]", delivery.payload["event"])
    assert event["files"][0]["url_private_download"] == file["url_private_download"]


async def test_without_a_token_that_may_read_files_a_page_to_sign_in_comes(
    server: SlackServer, client: AsyncWebClient
) -> None:
    file = await attach(server, client, PICTURE)
    for token in ("", "xoxb-other", server.app_token):
        status, kind, body = await fetch(file["url_private_download"], token)
        assert (status, kind) == (200, "text/html")
        assert b"Sign in" in body
    assert (await fetch(f"{file['url_private']}?token={server.bot_token}"))[1] == "text/html"
    server.scopes = [scope for scope in server.scopes if scope != "files:read"]
    assert (await fetch(file["url_private_download"], server.bot_token))[1] == "text/html"
    assert await error_of(client.files_info(file="F1")) == "missing_scope"
    assert server.downloads.fetched == []


async def test_another_companys_file_is_a_stub_until_it_is_asked_for(
    server: SlackServer, client: AsyncWebClient
) -> None:
    file = await attach(server, client, File(id="F2", name="x.txt", content=b"x", file_access="check_file_info"))
    assert file == {"id": "F2", "file_access": "check_file_info"}
    known = (await client.files_info(file="F2"))["file"]
    assert (known["name"], known["size"], known["file_access"]) == ("x.txt", 1, "visible")
    assert (await fetch(known["url_private_download"], server.bot_token))[2] == b"x"


async def test_a_file_that_slack_does_not_keep_has_no_address_there(
    server: SlackServer, client: AsyncWebClient
) -> None:
    gone = await attach(server, client, File(id="F3", name="x", mode="tombstone"))
    hidden = await attach(server, client, File(id="F4", name="x", mode="hidden_by_limit"))
    external = File(id="F5", name="x", mode="external", url_private="https://drive.example/x")
    shown = await attach(server, client, external)
    assert gone == {"id": "F3", "mode": "tombstone"}
    assert hidden == {"id": "F4", "mode": "hidden_by_limit"}
    assert (shown["is_external"], shown["url_private"]) == (True, "https://drive.example/x")
    assert "url_private_download" not in shown
    assert await error_of(client.files_info(file="F3")) == "file_deleted"
    for number in ("F3", "F4", "F5"):
        assert (await fetch(f"{server.downloads.address}/files-pri/{number}/x", server.bot_token))[0] == 404


async def test_files_of_conversations_without_the_bot_are_not_found(
    server: SlackServer, client: AsyncWebClient
) -> None:
    file = await attach(server, client, PICTURE, channel="G0PRIVATE")
    server.channels["G0PRIVATE"].members.discard(server.bot_user_id)
    assert await error_of(client.files_info(file="F1")) == "file_not_found"
    assert await error_of(client.files_info(file="F9")) == "file_not_found"
    assert (await fetch(file["url_private"], server.bot_token))[0] == 404


async def test_downloads_go_wrong_on_demand(server: SlackServer, client: AsyncWebClient) -> None:
    file = await attach(server, client, PICTURE)
    server.downloads.cut_to = 3
    assert await fetch(file["url_private"], server.bot_token) == (200, "image/png", b"pic")
    server.downloads.answer_with = 503
    assert (await fetch(file["url_private"], server.bot_token))[0] == 503


async def test_a_foreign_host_tells_which_tokens_it_was_sent(
    server: SlackServer, client: AsyncWebClient, foreign: ForeignHost
) -> None:
    file = await attach(server, client, PICTURE)
    server.downloads.redirect_to = f"{await foreign.start()}/picture"
    assert await fetch(file["url_private"], server.bot_token) == (200, "application/octet-stream", b"elsewhere")
    await fetch(server.downloads.redirect_to, "careless")
    assert foreign.authorizations == [None, "Bearer careless"]


async def test_a_snapshot_has_no_bytes_in_it(server: SlackServer, client: AsyncWebClient) -> None:
    file = await attach(server, client, PICTURE)
    channels = cast("list[JsonObject]", server.snapshot()["channels"])
    (described,) = cast("list[JsonObject]", cast("list[JsonObject]", channels[0]["messages"])[0]["files"])
    assert described["url_private"] == file["url_private"]
    assert "content" not in described
