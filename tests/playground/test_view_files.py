"""What the page is told about files: name, size, and where to get those that were really uploaded."""

import asyncio

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from bridge.clock import SystemClock
from bridge.playground.discord import Attachment, DiscordServer
from bridge.playground.slack import File, SlackServer
from bridge.playground.view import discord_view, slack_view

SOON = 5.0


def cards(view: dict[str, object], channel: str) -> list[dict[str, object]]:
    channels = view["channels"]
    assert isinstance(channels, list)
    (found,) = [one for one in channels if one["id"] == channel]
    return [file for message in found["messages"] for file in message["files"]]


async def fetch(url: object) -> bytes:
    async with aiohttp.ClientSession() as http, http.get(str(url)) as response:
        assert response.status == 200
        return await response.read()


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
        assert await fetch(bots["url"]) == b"hello"
        assert persons == {"name": "mine.pdf", "size": 7, "url": ""}
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
        assert await fetch(bots["url"]) == b"hello"
        assert persons == {"name": "mine.pdf", "size": 7, "url": ""}
    finally:
        await server.stop()
