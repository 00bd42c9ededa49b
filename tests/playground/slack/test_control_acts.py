"""The acts of people, workspaces and installations as another process does them."""

from collections.abc import AsyncIterator
from typing import cast

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject
from tests.playground.slack.apps import modal
from tests.playground.slack.peers import SOON, error_of, web_client
from tests.playground.slack.test_control import Control
from tests.playground.slack.test_oauth import BACK, asking, query_of


@pytest.fixture
async def control(server: SlackServer) -> AsyncIterator[Control]:
    server.retry_schedule = ()
    async with ClientSession() as session:
        yield Control(server.api_url.replace("/api/", "/control/"), session)


async def _acts(control: Control) -> list[JsonObject]:
    return cast("list[JsonObject]", (await control.get("deliveries"))["acts"])


async def test_commands_shortcuts_and_modals(server: SlackServer, client: AsyncWebClient, control: Control) -> None:
    ts = await server.post_as("U0ADA", "C0GENERAL", "hi")
    await control.post("command", user="U0ADA", channel="C0GENERAL", name="/ask", text="why?")
    await control.post("shortcut", user="U0ADA", callback_id="ask_message", channel="C0GENERAL", ts=ts)
    for act in await _acts(control):
        trigger = cast("JsonObject", act["payload"])["trigger_id"]
        view_id = (await client.views_open(trigger_id=str(trigger), view=modal(notify_on_close=True)))["view"]["id"]
        await control.post("submit", user="U0ADA", view_id=view_id, values={"why": "because"})
    assert (await control.post("close", user="U0ADA", view_id=view_id)) == {"told": True}
    blocks: list[JsonObject] = [
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "A"}}],
        }
    ]
    home = (await client.views_publish(user_id="U0ADA", view={"type": "home", "blocks": blocks}))["view"]["id"]
    await control.post("view_press", user="U0ADA", view_id=home, action_id="a")
    await server.idle(SOON)
    assert [(act["kind"], act["error"]) for act in await _acts(control)] == [
        (kind, "dispatch_failed")
        for kind in (
            *("slash_command", "message_action", "view_submission", "view_submission", "view_closed"),
            "block_actions",
        )
    ]
    refused = await control.post("command", 400, user="U0ADA", channel="C0GENERAL", name="/ask", thread_ts=ts)
    assert "threads" in str(refused["error"])


async def test_homes_direct_messages_and_sessions(
    server: SlackServer, client: AsyncWebClient, control: Control
) -> None:
    await control.post("home", user="U0ADA")
    assert await control.post("dm", user="U0ADA") == {"channel": "D0ADA"}
    await control.post("context", user="U0ADA", entities=[{"type": "x"}])
    root = await server.post_as("U0ADA", "D0ADA", "q")
    where = {"channel_id": "D0ADA", "thread_ts": root}
    await client.api_call("agents.sessions.setStatus", json={**where, "status": "processing"})
    assert await control.post("stop_session", user="U0ADA", channel="D0ADA", thread_ts=root) == {"stopped": []}
    types = [one["type"] for one in cast("list[JsonObject]", (await control.get("deliveries"))["deliveries"])]
    assert types == ["app_home_opened", "app_home_opened", "app_context_changed", "message", "agent_session_stopped"]


async def test_members_strangers_and_workspaces(server: SlackServer, control: Control) -> None:
    await control.post("kick", user="U0ADA", channel="C0GENERAL")
    assert server.bot_user_id not in server.channels["C0GENERAL"].members
    await control.post("invite", user="U0ADA", channel="C0GENERAL")
    assert server.bot_user_id in server.channels["C0GENERAL"].members
    stranger = (await control.post("stranger", channel="C0SUPPORT", name="Zoe"))["id"]
    await control.post("post", user=stranger, channel="C0SUPPORT", text="hi")
    made = await control.post("workspace", team_id="T0OTHER", name="Other")
    assert made["bot_user_id"] == "U1BRIDGE"
    assert {"C1GENERAL", "D1ADA"} <= set(cast("list[str]", made["channels"]))
    client = web_client(server, str(made["bot_token"]))
    assert (await client.auth_test())["team_id"] == "T0OTHER"
    await control.post("post", user="U1ADA", channel="C1GENERAL", text="there")
    shown = await control.get("snapshot", team="T0OTHER")
    assert [message["text"] for message in cast("list[JsonObject]", shown["channels"])[0]["messages"]] == ["there"]  # type: ignore[attr-defined]


async def test_the_app_is_set_up_installed_and_removed(server: SlackServer, control: Control) -> None:
    state = await control.post("app", redirect_urls=[BACK], subscriptions=["message.im"], commands={"/frag": False})
    assert (state["redirect_urls"], state["subscriptions"], state["commands"]) == (
        [BACK],
        ["message.im"],
        {"/frag": False},
    )
    assert "null" in str((await control.post("app", 400, shortcuts=None))["error"])
    answer = await control.post("install", authorize_url=asking(server), user="U0ADA", team_id="T0PLAYGROUND")
    assert query_of(str(answer["location"]))["code"]
    await control.post("uninstall")
    assert await error_of(web_client(server).auth_test()) == "account_inactive"
    assert "not in" in str((await control.post("uninstall", 400))["error"])
