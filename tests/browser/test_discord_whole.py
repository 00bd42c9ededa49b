"""Discord's surfaces from the page, the whole way through the bridge and the stand-in Dify, and back."""

import asyncio
import re

import pytest
from playwright.async_api import Page, expect

from bridge.playground.dify import DifyServer
from tests.browser.conftest import PATIENCE
from tests.browser.visiting import DISCORD, answers, write

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)


async def test_a_command_is_answered_in_a_thread_and_a_bad_answer_explained(page: Page, dify: DifyServer) -> None:
    changed = asyncio.Event()
    dify.on_change(changed.set)
    box = page.get_by_test_id("discord-composer")
    await box.click()
    await page.keyboard.type("/")
    await expect(page.get_by_test_id("command")).to_contain_text(["/ask", "/reset", "/stop", "/app", "/help"])
    await page.keyboard.type("help")
    await page.keyboard.press("Enter")
    whisper = page.get_by_test_id(DISCORD).get_by_test_id("message").filter(has_text="Only you can see this")
    await expect(whisper).to_contain_text("Ask about this message")
    await whisper.get_by_test_id("dismiss").click()
    await write(page, "discord-composer", "/ask who are you?")
    await expect(page.get_by_test_id("discord-thread-link")).to_have_attribute("aria-current", "true")
    answer = answers(page, DISCORD).nth(1)
    await expect(answer).to_contain_text("You said: who are you?")
    bad = answer.get_by_role("button", name="Bad answer", exact=True)
    await bad.click()
    modal = page.get_by_test_id("modal")
    await modal.get_by_role("textbox").fill("Too short.")
    await modal.get_by_test_id("modal-submit").click()
    await expect(modal).to_have_count(0)
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await expect(answer.get_by_test_id("rating")).to_have_text("Dify: dislike")
    async with asyncio.timeout(PATIENCE / 1000):
        while all(one.content != "Too short." for one in dify.rating_log):
            changed.clear()
            await changed.wait()
    await answer.get_by_role("button", name="Show me a table").click()
    await expect(answers(page, DISCORD).last).to_contain_text("Jupiter")
    assert [one.query for one in dify.requests] == ["who are you?", "Show me a table"]


async def test_a_forums_post_is_answered_and_a_good_answer_marks_it_as_solved(page: Page) -> None:
    await page.get_by_role("navigation", name="Discord channels").get_by_role("button", name="help").click()
    await page.get_by_test_id("discord-post-title").fill("My bill")
    await page.get_by_test_id("post-tag").filter(has_text="billing").click()
    await write(page, "discord-composer", "@bot the bill is wrong")
    answer = answers(page, DISCORD).first
    good = answer.get_by_role("button", name="Good answer", exact=True)
    await expect(answer).to_contain_text("the bill is wrong")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")
    tags = page.get_by_test_id("discord-tags").get_by_test_id("tag")
    await expect(tags).to_have_text([re.compile("billing"), re.compile("solved")])
