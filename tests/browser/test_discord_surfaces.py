"""What Discord has besides messages, used from the page. In place of the bridge a real client answers as the test says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
import pytest
from discord import ui
from playwright.async_api import Locator, Page, expect

from bridge.clock import SystemClock
from bridge.playground.acting import act_in_discord, find_attachment, post_to_discord
from bridge.playground.bodies import Act, Post
from bridge.playground.discord import DiscordServer
from bridge.playground.discord_acting import use_discord
from bridge.playground.discord_bodies import DiscordAct
from bridge.playground.server import PageServer, ShownFile
from bridge.playground.slack import SlackServer
from tests.browser.conftest import PATIENCE, take_picture
from tests.browser.test_panes import Platforms
from tests.browser.visiting import DISCORD, write
from tests.playground.discord.apps import MENU, App
from tests.playground.discord.joining import joined

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)


class Acting(Platforms):
    """The page's stage as far as Discord goes, without a bridge."""

    async def post(self, platform: str, post: Post) -> str:
        return await post_to_discord(self.discord, post)

    async def act(self, platform: str, act: Act) -> None:
        await act_in_discord(self.discord, act)

    async def use_discord(self, act: DiscordAct) -> str:
        return await use_discord(self.discord, act)

    def find_file(self, platform: str, file_id: str) -> ShownFile | None:
        return find_attachment(self.discord, file_id)


@dataclass
class Visit:
    page: Page
    server: DiscordServer
    app: App

    @property
    def messages(self) -> Locator:
        return self.page.get_by_test_id(DISCORD).get_by_test_id("message")

    @property
    def modal(self) -> Locator:
        return self.page.get_by_test_id("modal")

    async def write(self, text: str) -> None:
        await write(self.page, "discord-composer", text)

    async def act_as(self, name: str) -> None:
        await self.page.get_by_test_id("discord-person").select_option(label=name)

    async def say(self, text: str, view: ui.View | None = None) -> discord.Message:
        """The app writes in the first channel."""
        channel = self.app.get_partial_messageable(int(self.server.general))
        return await (channel.send(text) if view is None else channel.send(text, view=view))


@pytest.fixture
async def visit(tab: Page, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Visit]:
    server = DiscordServer()
    await server.start()
    await server.add_forum("help", ("billing", "how-to"))
    pages = PageServer(Acting(SlackServer(), server), SystemClock(), port=0)
    server.on_change(pages.changed)
    await pages.start()
    async with joined(server, monkeypatch) as app:
        await tab.goto(pages.url)
        yield Visit(tab, server, app)
        await take_picture(tab, request.node.name)
        await tab.goto("about:blank")
    await pages.stop()
    await server.stop()


def judging(up: discord.ButtonStyle = discord.ButtonStyle.secondary) -> ui.View:
    view = ui.View(timeout=None)
    view.add_item(ui.Button(custom_id="up", emoji="👍", style=up))
    view.add_item(ui.Button(custom_id="down", emoji="👎"))
    view.add_item(ui.Button(custom_id="again", emoji="🔄", label="Regenerate"))
    view.add_item(ui.Button(custom_id="more", label="Tell me more", row=1))
    view.stop()  # the client leaves presses to the test
    return view


class Why(ui.Modal):
    def __init__(self) -> None:
        super().__init__(title="What was wrong?", custom_id="why")
        words = ui.TextInput[Any](custom_id="words", style=discord.TextStyle.long, max_length=200)
        self.add_item(ui.Label(text="In your words", description="It helps.", component=words))


async def test_commands_are_listed_completed_and_answered_in_a_thread_that_opens(visit: Visit, tmp_path: Path) -> None:
    page, app = visit.page, visit.app
    box = page.get_by_test_id("discord-composer")
    await box.click()
    await page.keyboard.type("/")
    await expect(page.get_by_test_id("command")).to_contain_text(["/ask question [file]", "/reset Begin anew"])
    await page.keyboard.type("a")
    await page.keyboard.press("Tab")
    await expect(box).to_have_value("/ask ")
    note = tmp_path / "note.txt"
    note.write_bytes(b"hello")
    await page.get_by_test_id("discord-composer-files").set_input_files(note)
    await expect(page.get_by_test_id("chip")).to_have_count(1)
    await box.click()
    await page.keyboard.type("who are you?")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("chip")).to_have_count(0)
    await app.until(lambda: bool(app.asked))
    interaction, question, file = app.asked[0]
    assert question == "who are you?"
    assert file is not None
    assert await file.read() == b"hello"
    await interaction.response.defer()
    await expect(visit.messages.first.get_by_test_id("over")).to_have_text("Ada used /ask")
    await expect(visit.messages.first.get_by_test_id("thinking")).to_be_visible()
    await interaction.edit_original_response(content="**Ada** asked: who are you?")
    answer = await (await interaction.original_response()).fetch()
    thread = await answer.create_thread(name="who are you?")
    await expect(page.get_by_test_id("discord-thread-link")).to_have_attribute("aria-current", "true")
    await thread.send("The bot.")
    await expect(visit.messages).to_have_count(2)
    await expect(visit.messages.nth(1)).to_contain_text("The bot.")
    await visit.write("/unheard of")
    await expect(visit.messages.nth(2)).to_contain_text("/unheard of")


async def test_one_asks_about_a_message_from_its_menu_by_a_form(visit: Visit) -> None:
    await visit.server.post_as(visit.server.grace, visit.server.general, "The deploy is at noon.")
    message = visit.messages.first
    await message.hover()
    await message.get_by_role("button", name="More actions").click()
    await message.get_by_role("menuitem", name=MENU).click()
    await visit.app.until(lambda: bool(visit.app.pointed))
    interaction, picked = visit.app.pointed[0]
    assert picked.content == "The deploy is at noon."
    await interaction.response.send_modal(Why())
    field = visit.modal.get_by_role("textbox")
    await expect(field).to_be_focused()
    await expect(visit.modal.get_by_role("heading")).to_have_text("What was wrong?")
    await expect(visit.modal).to_contain_text("It helps.")
    await expect(visit.page.locator(".pane.discord .room")).to_have_attribute("inert", "")
    await visit.modal.get_by_test_id("modal-submit").click()
    assert await visit.modal.locator("textarea:invalid").count() == 1, "the browser itself wants it filled in"
    await field.fill("When is it?")
    # What was entered survives that something else changes, and nobody else sees the form.
    await visit.server.post_as(visit.server.grace, visit.server.general, "Or later.")
    await expect(visit.messages).to_have_count(2)
    await expect(field).to_have_value("When is it?")
    await visit.modal.get_by_test_id("modal-submit").click()
    await expect(visit.modal).to_have_count(0)
    await visit.app.until(lambda: len(visit.app.presses) == 2)
    assert "When is it?" in str(visit.app.presses[-1].data)


async def test_what_one_person_alone_sees_is_put_away(visit: Visit) -> None:
    await visit.write("/reset")
    await visit.app.until(lambda: bool(visit.app.reset))
    await visit.app.reset[0].response.send_message("Begun **anew**.", ephemeral=True)
    whisper = visit.messages.filter(has_text="Only you can see this")
    await expect(whisper).to_contain_text("Begun anew.")
    await expect(whisper.get_by_test_id("over")).to_have_text("Ada used /reset")
    await expect(whisper.get_by_test_id("react-up")).to_have_count(0)
    await visit.act_as("Grace")
    await expect(whisper).to_have_count(0)
    await visit.act_as("Ada")
    await whisper.get_by_test_id("dismiss").click()
    await expect(whisper).to_have_count(0)
    assert visit.server.ephemerals() == []


async def test_buttons_stand_in_rows_show_what_was_chosen_and_ask_why(visit: Visit) -> None:
    said = await visit.say("An answer", judging())
    answer = visit.messages.first
    good, bad = (answer.get_by_role("button", name=name, exact=True) for name in ("Good answer", "Bad answer"))
    await expect(answer.locator(".buttons")).to_have_count(2)
    await expect(good).to_have_attribute("aria-pressed", "false")
    plain = await good.evaluate("(one) => getComputedStyle(one).backgroundColor")
    await good.click()
    await visit.app.until(lambda: len(visit.app.presses) == 1)
    await visit.app.presses[0].response.edit_message(view=judging(discord.ButtonStyle.success))
    await expect(good).to_have_attribute("aria-pressed", "true")
    await expect(good).not_to_have_css("background-color", plain)
    await expect(bad).to_have_attribute("aria-pressed", "false")
    await bad.click()
    await visit.app.until(lambda: len(visit.app.presses) == 2)
    await visit.app.presses[1].response.send_modal(Why())
    await expect(visit.modal.get_by_role("textbox")).to_be_focused()
    await visit.page.keyboard.press("Escape")
    await expect(visit.modal).to_have_count(0)
    await answer.get_by_role("button", name="Tell me more").click()
    await visit.app.until(lambda: len(visit.app.presses) == 3)
    assert [one.custom_id for one in visit.server.interactions.values()] == ["up", "down", "more"]
    stopped = ui.View(timeout=None)
    stopped.add_item(ui.Button(custom_id="stop", label="Stopping…", disabled=True))
    await said.edit(view=stopped)
    await expect(answer.get_by_role("button", name="Stopping…")).to_be_disabled()


async def test_a_post_with_a_title_and_tags_opens_in_the_forum(visit: Visit) -> None:
    page = visit.page
    await page.get_by_role("navigation", name="Discord channels").get_by_role("button", name="help").click()
    await visit.write("@bot the bill is wrong")
    await expect(page.get_by_test_id("notice")).to_contain_text("A post needs a title")
    title = page.get_by_test_id("discord-post-title")
    await expect(title).to_be_focused()
    await page.keyboard.type("My bill")
    await page.get_by_test_id("post-tag").filter(has_text="billing").click()
    await page.get_by_test_id("discord-send").click()
    await expect(page.get_by_test_id("discord-thread-link")).to_have_attribute("aria-current", "true")
    await expect(page.get_by_test_id("discord-tags").get_by_test_id("tag")).to_have_text(["billing"])
    await expect(visit.messages.first).to_contain_text("the bill is wrong")
    await expect(title).to_be_hidden()
    await visit.write("It is from May.")
    await expect(visit.messages).to_have_count(2)
    await page.get_by_role("navigation", name="Discord channels").get_by_role("button", name="help").click()
    await expect(visit.messages.first.get_by_role("heading")).to_have_text("My bill")
    await expect(visit.messages.first.get_by_test_id("tag")).to_have_text(["billing"])
    await visit.messages.first.get_by_test_id("open-thread").click()
    await expect(visit.messages).to_have_count(2)
    await expect(title).to_be_hidden()


async def test_one_replies_to_a_message(visit: Visit) -> None:
    await visit.say("An answer to begin with")
    await visit.messages.first.hover()
    for remove in (True, False):
        await visit.messages.first.get_by_role("button", name="Reply to").click()
        await expect(visit.page.get_by_test_id("replying")).to_have_text("Replying to bot×")
        if remove:
            await visit.page.get_by_role("button", name="Do not reply").click()
            await expect(visit.page.get_by_test_id("replying")).to_have_count(0)
    await visit.write("and then?")
    await expect(visit.messages.nth(1).get_by_test_id("over")).to_have_text("@bot An answer to begin with")
    await expect(visit.page.get_by_test_id("replying")).to_have_count(0)
    await visit.app.until(lambda: any(one.reference for one in visit.app.heard))
