"""Files as the page shows them, in real Chromium: a card with name and size, and the file itself behind it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Locator, Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.server import PageServer
from bridge.playground.stage import Stage
from tests.browser.conftest import PATIENCE, take_picture

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)

CONTENT = "# The whole answer\n" + "Grüße, 漢字. " * 200


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    stage = Stage(database=tmp_path / "playground.db", grace=5.0)
    await stage.start()
    yield stage
    await stage.stop(kill=True)


@pytest.fixture
async def page(stage: Stage, tab: Page, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    server = PageServer(stage, stage.clock, port=0)
    stage.on_change(server.changed)
    await server.start()
    await tab.goto(server.url)
    yield tab
    await take_picture(tab, request.node.name)
    await server.stop()


async def see_and_download(page: Page, card: Locator, name: str) -> None:
    await expect(card).to_contain_text(name)
    await expect(card).to_contain_text("3.3 kB")
    async with page.expect_download() as started:
        await card.click()
    download = await started.value
    assert download.suggested_filename == name
    assert (await download.path()).read_text(encoding="utf-8") == CONTENT


async def test_a_file_is_a_card_that_leads_to_it(page: Page, stage: Stage) -> None:
    slack, discord = stage.slack, stage.discord
    client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
    await client.files_upload_v2(channel="C0GENERAL", content=CONTENT, filename="answer.md")
    card = page.get_by_test_id("slack-messages").get_by_test_id("file")
    await see_and_download(page, card, "answer.md")

    form = aiohttp.FormData()
    form.add_field("payload_json", json.dumps({"content": "The rest is **attached**."}))
    form.add_field("files[0]", CONTENT.encode(), filename="answer.md")
    url = f"{discord.api_url}/channels/{discord.general}/messages"
    headers = {"Authorization": f"Bot {discord.token}"}
    async with aiohttp.ClientSession() as http, http.post(url, data=form, headers=headers) as response:
        assert response.status == 200
    card = page.get_by_test_id("discord-messages").get_by_test_id("file")
    await see_and_download(page, card, "answer.md")
