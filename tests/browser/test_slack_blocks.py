"""What the bridge's answers do not show of Slack, or not so soon: plans, modals that refuse, apps that are silent."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Page, expect
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bridge.clock import SystemClock
from bridge.playground.discord import DiscordServer
from bridge.playground.server import PageServer
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject
from bridge.playground.slack_acting import use_slack
from bridge.playground.slack_bodies import SlackAct
from tests.browser.conftest import PATIENCE, take_picture
from tests.browser.test_messages import Acting
from tests.browser.visiting import SLACK, SLACK_THREAD
from tests.playground.slack.apps import modal, reached

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE)


class Using(Acting):
    """Both stand-ins, with an app of the test's own instead of the bridge."""

    async def use_slack(self, act: SlackAct) -> None:
        await use_slack(self.slack, act)


@dataclass
class Visit:
    page: Page
    slack: SlackServer
    client: AsyncWebClient
    root: str
    """A message of Ada's."""


@pytest.fixture
async def visit(tab: Page, request: pytest.FixtureRequest) -> AsyncIterator[Visit]:
    slack, discord = SlackServer(), DiscordServer()
    slack.ack_timeout, slack.retry_schedule = 0.3, ()
    await slack.start()
    await discord.start()
    server = PageServer(Using(slack, discord), SystemClock(), port=0)
    slack.on_change(server.changed)
    await server.start()
    root = await slack.post_as("U0ADA", "C0GENERAL", "hello")
    await tab.goto(server.url)
    yield Visit(tab, slack, AsyncWebClient(token=slack.bot_token, base_url=slack.api_url), root)
    await take_picture(tab, request.node.name)
    await tab.goto("about:blank")
    await server.stop()
    await slack.stop()
    await discord.stop()


def task(number: int, title: str, status: str) -> JsonObject:
    return {"type": "task_update", "id": f"t{number}", "title": title, "status": status}


async def test_a_plan_can_be_folded_and_stays_so_while_it_goes_on(visit: Visit) -> None:
    stream: JsonObject = {
        "channel": "C0GENERAL",
        "thread_ts": visit.root,
        "recipient_user_id": "U0ADA",
        "recipient_team_id": "T0PLAYGROUND",
        "task_display_mode": "plan",
        "chunks": [{"type": "plan_update", "title": "On it"}, task(1, "Read", "complete"), task(2, "Think", "error")],
    }
    started = await visit.client.api_call("chat.startStream", json=stream)
    await visit.page.get_by_test_id("open-thread").click()
    plan = visit.page.get_by_test_id(SLACK_THREAD).get_by_test_id("plan")
    await expect(plan.locator("summary")).to_have_text("On it 1 of 2")
    await expect(plan.get_by_test_id("step")).to_have_text(["Read", "Think"])
    await expect(plan.get_by_role("img", name="failed")).to_be_visible()
    await plan.locator("summary").click()
    await expect(plan.get_by_test_id("step").first).to_be_hidden()
    more = {"channel": "C0GENERAL", "ts": started["ts"], "chunks": [task(3, "Write", "in_progress")]}
    await visit.client.api_call("chat.appendStream", json=more)
    await expect(plan.locator("summary")).to_have_text("On it 1 of 3")
    await expect(plan.get_by_test_id("step").first).to_be_hidden()
    await expect(visit.page.get_by_test_id(SLACK_THREAD).get_by_test_id("live")).to_be_visible()


async def test_a_status_line_and_loading_messages_stand_below_the_thread(visit: Visit) -> None:
    await visit.slack.post_as("U0GRACE", "C0GENERAL", "me too", thread_ts=visit.root)
    await visit.page.get_by_test_id("open-thread").click()
    activity = visit.page.get_by_test_id("slack-thread-activity")
    status = {"channel_id": "C0GENERAL", "thread_ts": visit.root, "status": "is thinking..."}
    await visit.client.api_call("assistant.threads.setStatus", json=status)
    await expect(activity).to_have_text("bot is thinking...")
    await visit.client.api_call("assistant.threads.setStatus", json=status | {"loading_messages": ["One…", "Two…"]})
    await expect(activity).to_have_text("One…")
    await expect(activity).to_have_text("Two…")
    await visit.client.api_call("assistant.threads.setStatus", json=status | {"status": ""})
    await expect(activity).to_have_text("")


async def test_a_modal_says_what_is_wrong_and_keeps_what_was_entered(visit: Visit) -> None:
    given_up = asyncio.Event()

    def equip(app: AsyncApp) -> None:
        @app.shortcut("ask_message")
        async def opened(ack, body, client):  # type: ignore[no-untyped-def]  # bolt gives by name
            await ack()
            await client.views_open(trigger_id=body["trigger_id"], view=modal())

        @app.view("explain")
        async def submitted(ack, view):  # type: ignore[no-untyped-def]
            said = view["state"]["values"]["reason"]["why"]["value"]
            if said == "no":
                await ack(response_action="errors", errors={"reason": "Say more than that."})
                return
            if said == "too late":
                await given_up.wait()
            await ack()

    async with reached(visit.slack, "socket", equip):
        message = visit.page.get_by_test_id(SLACK).get_by_test_id("message").first
        await message.hover()
        await message.get_by_test_id("more").click()
        await message.get_by_role("menuitem").click()
        shown = visit.page.get_by_test_id("modal")
        field = shown.get_by_test_id("field-why")
        await field.fill("no")
        await shown.get_by_test_id("modal-submit").click()
        await expect(shown.get_by_test_id("problem")).to_have_text("Say more than that.")
        await expect(field).to_have_value("no")
        await field.fill("too late")
        await shown.get_by_test_id("modal-submit").click()
        await expect(shown.get_by_test_id("trouble")).to_contain_text("trouble connecting")
        given_up.set()
        await field.fill("well, because")
        await shown.get_by_test_id("modal-submit").click()
        await expect(shown).to_have_count(0)
    assert visit.slack.workspace.views.opened == {}


async def test_who_uses_a_command_that_nobody_answers_is_told(visit: Visit) -> None:
    await visit.page.get_by_test_id("slack-composer").fill("/ask anybody?")
    await visit.page.get_by_test_id("slack-send").click()
    await expect(visit.page.get_by_test_id("notice")).to_contain_text("/ask: the app did not answer")
