"""What a visitor does to messages: presses buttons, edits and deletes their own, by mouse and by keyboard, in both panes."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest
from playwright.async_api import Locator, Page, expect
from slack_sdk.web.async_client import AsyncWebClient

from bridge.clock import SystemClock
from bridge.playground.acting import act_in_discord, act_in_slack
from bridge.playground.bodies import Act
from bridge.playground.discord import DiscordServer
from bridge.playground.server import PageServer
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject
from tests.browser.conftest import PATIENCE, take_picture
from tests.browser.test_panes import Platforms

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)


class Acting(Platforms):
    async def act(self, platform: str, act: Act) -> None:
        await (act_in_slack(self.slack, act) if platform == "slack" else act_in_discord(self.discord, act))


@dataclass
class Visit:
    page: Page
    slack: SlackServer
    discord: DiscordServer
    platform: str
    asked: str
    """Ada's own message; Grace's stands below it, and an answer with two buttons last."""
    answer: str

    def message(self, index: int) -> Locator:
        return self.page.get_by_test_id(f"{self.platform}-messages").get_by_test_id("message").nth(index)

    def text_of_own(self) -> str:
        if self.platform == "slack":
            return self.slack.message("C0GENERAL", self.asked).text
        return self.discord.message(self.discord.general, self.asked).content

    def pressed(self) -> list[tuple[str, str]]:
        if self.platform == "slack":
            return [(one.person, one.action_id) for one in self.slack.presses]
        return [(one.user_id, one.custom_id) for one in self.discord.interactions.values()]

    @property
    def ada(self) -> str:
        return "U0ADA" if self.platform == "slack" else self.discord.ada


async def write_in_slack(server: SlackServer) -> tuple[str, str]:
    asked = await server.post_as("U0ADA", "C0GENERAL", f"<@{server.bot_user_id}> is 1 &lt; 2?")
    await server.post_as("U0GRACE", "C0GENERAL", "hello")
    elements: list[JsonObject] = [
        {"type": "button", "action_id": f"bridge:{label.lower()}", "text": {"type": "plain_text", "text": label}}
        for label in ("Stop", "Retry")
    ]
    blocks: list[JsonObject] = [
        {"type": "markdown", "text": "An **answer**, half of it"},
        {"type": "actions", "elements": elements},
    ]
    client = AsyncWebClient(token=server.bot_token, base_url=server.api_url)
    posted = await client.chat_postMessage(channel="C0GENERAL", text="x", blocks=blocks)
    return asked, str(posted["ts"])


async def write_in_discord(server: DiscordServer) -> tuple[str, str]:
    asked = await server.post_as(server.ada, server.general, f"<@{server.bot_id}> is 1 < 2?")
    await server.post_as(server.grace, server.general, "hello")
    buttons = [
        {"type": 2, "style": style, "label": label, "custom_id": f"bridge:{label.lower()}"}
        for style, label in ((4, "Stop"), (2, "Retry"))
    ]
    body = {"content": "An **answer**, half of it", "components": [{"type": 1, "components": buttons}]}
    headers = {"Authorization": f"Bot {server.token}"}
    address = f"{server.api_url}/channels/{server.general}/messages"
    async with aiohttp.ClientSession() as http, http.post(address, json=body, headers=headers) as answer:
        assert answer.status == 200
        return asked, str((await answer.json())["id"])


@pytest.fixture(params=["slack", "discord"])
async def visit(tab: Page, request: pytest.FixtureRequest) -> AsyncIterator[Visit]:
    slack, discord = SlackServer(), DiscordServer()
    slack.ack_timeout, slack.retry_schedule = 0.1, ()
    await slack.start()
    await discord.start()
    server = PageServer(Acting(slack, discord), SystemClock(), port=0)
    slack.on_change(server.changed)
    discord.on_change(server.changed)
    await server.start()
    in_slack, in_discord = await write_in_slack(slack), await write_in_discord(discord)
    asked, answer = in_slack if request.param == "slack" else in_discord
    await tab.goto(server.url)
    yield Visit(tab, slack, discord, request.param, asked, answer)
    await take_picture(tab, request.node.name)
    await tab.goto("about:blank")
    await server.stop()
    await slack.stop()
    await discord.stop()


async def test_a_button_under_an_answer_can_be_pressed(visit: Visit) -> None:
    stop = visit.message(2).get_by_role("button", name="Stop")
    await stop.click()
    await expect(visit.message(2).get_by_test_id("press")).to_have_text(["Stop", "Retry"])
    assert visit.pressed() == [(visit.ada, "bridge:stop")]
    await stop.focus()
    await visit.page.keyboard.press("Tab")
    await visit.page.keyboard.press("Enter")
    await expect(visit.message(2).get_by_test_id("told")).to_have_count(1)
    assert visit.pressed() == [(visit.ada, "bridge:stop"), (visit.ada, "bridge:retry")]


async def test_who_pressed_in_vain_is_told_and_nobody_else(visit: Visit) -> None:
    await visit.message(2).get_by_role("button", name="Stop").click()
    told = visit.message(2).get_by_test_id("told")
    await expect(told).to_contain_text("did not answer" if visit.platform == "slack" else "interaction failed")
    await visit.page.get_by_test_id(f"{visit.platform}-person").select_option(label="Grace")
    await expect(told).to_have_count(0)


async def test_one_edits_ones_own_message_with_the_mouse(visit: Visit) -> None:
    own = visit.message(0)
    await own.hover()
    await own.get_by_role("button", name="Edit your message").click()
    editor = own.get_by_test_id("editor")
    await expect(editor).to_have_value("@bot is 1 < 2?")
    await expect(editor).to_be_focused()
    await editor.fill("@bot is 2 < 3?")
    await own.get_by_role("button", name="Save").click()
    await expect(own.get_by_test_id("text")).to_contain_text("is 2 < 3?")
    await expect(own.locator(".edited")).to_have_text("(edited)")
    bot = visit.slack.bot_user_id if visit.platform == "slack" else visit.discord.bot_id
    assert visit.text_of_own() == f"<@{bot}> is 2 {'&lt;' if visit.platform == 'slack' else '<'} 3?"


async def test_one_edits_ones_own_message_with_the_keyboard_while_others_write(visit: Visit) -> None:
    own = visit.message(0)
    await own.get_by_test_id("edit").focus()
    await expect(own.locator(".own")).to_have_css("opacity", "1")
    await visit.page.keyboard.press("Enter")
    await visit.page.keyboard.type(" Or")
    if visit.platform == "slack":
        await visit.slack.react("U0GRACE", "C0GENERAL", visit.asked, "+1")
    else:
        await visit.discord.react(visit.discord.grace, visit.discord.general, visit.asked, "👍")
    await expect(own.get_by_role("button", name="👍 by Grace")).to_have_count(1)
    await expect(own.get_by_test_id("editor")).to_be_focused()
    await visit.page.keyboard.type(" not?")
    await visit.page.keyboard.press("Enter")
    await expect(own.get_by_test_id("text")).to_contain_text("is 1 < 2? Or not?")
    await expect(own.get_by_test_id("edit")).to_be_focused()


@pytest.mark.parametrize("visit", ["slack"], indirect=True)
async def test_an_edit_can_be_given_up(visit: Visit) -> None:
    own, before = visit.message(0), visit.text_of_own()
    for end in ("Escape", "Cancel"):
        await own.get_by_test_id("edit").focus()
        await visit.page.keyboard.press("Enter")
        await own.get_by_test_id("editor").fill("something else")
        if end == "Escape":
            await visit.page.keyboard.press("Escape")
        else:
            await own.get_by_role("button", name="Cancel").click()
        await expect(own.get_by_test_id("editor")).to_have_count(0)
    assert visit.text_of_own() == before


async def test_one_deletes_ones_own_message_and_not_that_of_others(visit: Visit) -> None:
    for index in (1, 2):
        await expect(visit.message(index).get_by_test_id("delete")).to_have_count(0)
    own = visit.message(0)
    await own.hover()
    await own.get_by_test_id("delete").click()
    await expect(visit.message(0)).to_contain_text("hello")
    await visit.page.get_by_test_id(f"{visit.platform}-person").select_option(label="Grace")
    await expect(visit.message(0).get_by_test_id("delete")).to_have_count(1)


@pytest.mark.parametrize("visit", ["slack"], indirect=True)
async def test_the_controls_are_seen_when_they_are_wanted(visit: Visit) -> None:
    controls = visit.message(0).locator(".own")
    await visit.message(2).hover()
    await expect(controls).to_have_css("opacity", "0")
    await visit.message(0).hover()
    await expect(controls).to_have_css("opacity", "1")
