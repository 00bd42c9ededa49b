"""What the page is told about files: name, size, and where to get those that were really uploaded."""

import asyncio

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bridge.clock import SystemClock
from bridge.playground.acting import find_attachment, find_slack_file
from bridge.playground.discord import Attachment, DiscordServer
from bridge.playground.discord_view import discord_view
from bridge.playground.slack import File, SlackServer
from bridge.playground.slack_view import slack_view

SOON = 5.0


def cards(view: dict[str, object], channel: str) -> list[dict[str, object]]:
    channels = view["channels"]
    assert isinstance(channels, list)
    (found,) = [one for one in channels if one["id"] == channel]
    return [file for message in found["messages"] for file in message["files"]]


def file_id(card: dict[str, object], platform: str) -> str:
    """Taken from the address that the page gets: its own server's, so that no token is needed for it."""
    _, playground, where, files, found, _ = str(card["url"]).split("/")
    assert (playground, where, files) == ("playground", platform, "files")
    return found


async def test_a_file_in_slack_can_be_had_from_the_page() -> None:
    server = SlackServer()
    server.uploads.share_delay = 0.0
    shared = asyncio.Event()
    server.on_change(shared.set)
    await server.start()
    try:
        client = AsyncWebClient(token=server.bot_token, base_url=server.api_url)
        await client.files_upload_v2(channel="C0GENERAL", content="hello", filename="a.md", title="Answer")
        assert await SystemClock().wait(shared, SOON)
        await server.post_as("U0ADA", "C0GENERAL", "look", files=[File(id="F1", name="mine.pdf", size=7)])
        bots, persons = cards(slack_view(server, lambda *_: None), "C0GENERAL")
        assert (bots["name"], bots["size"]) == ("Answer", 5)
        found = find_slack_file(server, file_id(bots, "slack"))
        assert found is not None
        assert found.content == b"hello"
        assert persons == {"name": "mine.pdf", "size": 7, "image": False, "url": ""}
        assert find_slack_file(server, "F1") is None
    finally:
        await server.stop()


async def test_a_file_in_discord_can_be_had_from_the_page() -> None:
    server = DiscordServer()
    await server.start()
    try:
        form = aiohttp.FormData()
        form.add_field("payload_json", "{}")
        form.add_field("files[0]", b"hello", filename="a.md")
        url = f"{server.api_url}/channels/{server.general}/messages"
        headers = {"Authorization": f"Bot {server.token}"}
        async with aiohttp.ClientSession() as http, http.post(url, data=form, headers=headers) as response:
            assert response.status == 200
        await server.post_as(server.ada, server.general, "look", attachments=[Attachment(filename="mine.pdf", size=7)])
        bots, persons = cards(discord_view(server, lambda *_: None), server.general)
        assert (bots["name"], bots["size"]) == ("a.md", 5)
        found = find_attachment(server, file_id(bots, "discord"))
        assert found is not None
        assert found.content == b"hello"
        assert persons == {"name": "mine.pdf", "size": 7, "image": False, "url": ""}
    finally:
        await server.stop()
