"""What the page is told of Slack beyond messages, and what it may do there besides writing."""

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.acting import act_in_slack, post_to_slack
from bridge.playground.bodies import BadBody, Post, Press, SentFile
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject
from bridge.playground.slack_acting import use_slack
from bridge.playground.slack_bodies import (
    Close,
    Command,
    Look,
    PressInView,
    Shortcut,
    SlackAct,
    StopSession,
    Submit,
)
from bridge.playground.slack_view import slack_view
from bridge.playground.view import Json
from tests.playground.slack.apps import modal
from tests.playground.slack.peers import web_client
from tests.playground.test_acting import channel_of, messages_of, unrated


@pytest.fixture
async def slack() -> AsyncIterator[SlackServer]:
    server = SlackServer()
    await server.start()
    yield server
    await server.stop()


PLAIN = {"type": "plain_text", "text": "Again"}
BUTTON: JsonObject = {"type": "button", "action_id": "again", "text": PLAIN, "value": "yes"}
HOME: JsonObject = {"type": "home", "blocks": [{"type": "actions", "elements": [BUTTON]}]}


def listed(shown: Json, name: str) -> list[dict[str, Any]]:
    return cast("list[dict[str, Any]]", shown[name])


def thread_of(shown: Json) -> dict[str, Any]:
    return cast("dict[str, Any]", shown["thread"])


def place(server: SlackServer, channel: str = "C0GENERAL") -> Json:
    return channel_of(slack_view(server, unrated), channel)


async def test_an_open_modal_and_a_home_tab_are_shown_with_whose_they_are(slack: SlackServer) -> None:
    slack.retry_schedule, slack.ack_timeout = (), 0.01
    client = web_client(slack)
    ts = await slack.post_as("U0ADA", "C0GENERAL", "hello")
    act = await slack.shortcut("U0ADA", "ask_message", "C0GENERAL", ts)
    assert isinstance(act.payload["trigger_id"], str)
    opened = await client.views_open(trigger_id=act.payload["trigger_id"], view=modal())
    await client.views_publish(user_id="U0GRACE", view=HOME)
    view = slack_view(slack, unrated)
    [shown] = listed(view, "modals")
    assert (shown["id"], shown["person"]) == (cast("dict[str, Any]", opened["view"])["id"], "U0ADA")
    assert (shown["title"]["text"], shown["submit"]["text"], shown["close"]) == ("Feedback", "Send", None)
    assert (shown["errors"], shown["busy"], shown["trouble"]) == ({}, False, "")
    [home] = listed(view, "homes")
    assert (home["person"], home["blocks"][0]["elements"]) == ("U0GRACE", [BUTTON])
    await use_slack(slack, Submit(person="U0ADA", view=shown["id"], values={"reason": {"why": "because"}}))
    assert listed(slack_view(slack, unrated), "modals")[0]["busy"] is True
    await slack.idle(5)
    assert "Try again" in listed(slack_view(slack, unrated), "modals")[0]["trouble"]
    await use_slack(slack, Close(person="U0ADA", view=shown["id"]))
    assert listed(slack_view(slack, unrated), "modals") == []
    await use_slack(slack, PressInView(person="U0GRACE", view=home["id"], button="again", value=None))
    assert slack.presses[-1].action_id == "again"
    await slack.idle(5)


async def test_what_one_person_alone_sees_stands_where_it_was_said(slack: SlackServer) -> None:
    slack.retry_schedule, slack.ack_timeout = (), 0.01
    client = web_client(slack)
    ts = await slack.post_as("U0ADA", "C0GENERAL", "hello")
    await slack.post_as("U0GRACE", "C0GENERAL", "hi", thread_ts=ts)
    row: JsonObject = {"type": "actions", "elements": [BUTTON]}
    await client.chat_postEphemeral(channel="C0GENERAL", user="U0ADA", text="psst", blocks=[row])
    await client.chat_postEphemeral(channel="C0GENERAL", user="U0ADA", text="psst &amp; psst", thread_ts=ts)
    [outside] = listed(place(slack), "whispers")
    assert (outside["only"], outside["text"], outside["blocks"]) == ("U0ADA", "", [row])
    [root] = messages_of(place(slack))
    [inside] = thread_of(root)["whispers"]
    assert (inside["only"], inside["text"]) == ("U0ADA", "psst &amp; psst")
    await act_in_slack(slack, Press(channel="C0GENERAL", message=outside["id"], person="U0ADA", button="again"))
    await slack.idle(5)
    assert list(listed(place(slack), "whispers")[0]["told"]) == ["U0ADA"]
    with pytest.raises(BadBody):
        await act_in_slack(slack, Press(channel="C0GENERAL", message=outside["id"], person="U0GRACE", button="again"))


async def test_prompts_commands_shortcuts_and_shared_channels_are_told(slack: SlackServer) -> None:
    partners = slack.add_channel("partners").id
    stranger = slack.add_stranger(partners, "Marie")
    prompts = [{"title": "A table", "message": "Show me a table"}]
    await web_client(slack).api_call(
        "assistant.threads.setSuggestedPrompts", json={"channel_id": "D0ADA", "title": "Try", "prompts": prompts}
    )
    view = slack_view(slack, unrated)
    assert channel_of(view, "D0ADA")["prompts"] == {"title": "Try", "prompts": prompts}
    assert channel_of(view, "C0GENERAL")["prompts"] is None
    assert [channel_of(view, one)["shared"] for one in ("C0GENERAL", partners)] == [False, True]
    commands = [one["name"] for one in listed(view, "commands")]
    assert commands == ["/ask", "/reset", "/app", "/history", "/forget", "/help"]
    assert view["shortcuts"] == [{"id": "ask_message", "label": "Ask about this"}]
    outside = {one["id"]: one["outside"] for one in listed(view, "people")}
    assert (outside["U0ADA"], outside[stranger.id]) == (False, True)


async def test_slacks_own_stop_is_offered_while_the_session_works_and_the_app_hears_of_it(slack: SlackServer) -> None:
    slack.retry_schedule = ()
    client = web_client(slack)
    ts = await slack.post_as("U0ADA", "C0GENERAL", "hello")
    stop = StopSession(person="U0ADA", channel="C0GENERAL", thread=ts)
    with pytest.raises(BadBody, match="nothing is being processed"):
        await use_slack(slack, stop)

    async def set_status(status: str) -> dict[str, Any]:
        session = {"channel_id": "C0GENERAL", "thread_ts": ts, "status": status}
        await client.api_call("agents.sessions.setStatus", json=session)
        return thread_of(messages_of(place(slack))[0])

    working = await set_status("processing")
    assert (working["session"], working["stoppable"]) == ("processing", True)
    await use_slack(slack, stop)
    waiting = await set_status("active")
    assert (waiting["session"], waiting["stoppable"]) == ("active", False)
    slack.subscriptions.discard("agent_session_stopped")
    working = await set_status("processing")
    assert working["stoppable"] is False


async def test_a_growing_stream_is_told_from_one_that_has_ended(slack: SlackServer) -> None:
    client: AsyncWebClient = web_client(slack)
    ts = await slack.post_as("U0ADA", "C0GENERAL", "hello")
    whom = {"recipient_user_id": "U0ADA", "recipient_team_id": "T0PLAYGROUND"}
    start = {"channel": "C0GENERAL", "thread_ts": ts, "markdown_text": "Half", **whom}
    started = await client.api_call("chat.startStream", json=start)

    def shown() -> Json:
        return cast("Json", thread_of(messages_of(place(slack))[0])["messages"][0])

    assert shown()["stream"] == "live"
    await client.api_call("chat.stopStream", json={"channel": "C0GENERAL", "ts": started["ts"]})
    assert shown()["stream"] == "stopped"
    assert messages_of(place(slack))[0]["stream"] == ""


async def test_a_message_may_be_nothing_but_its_files(slack: SlackServer) -> None:
    files = (SentFile(name="a.png", media_type="image/png", content=b"png"),)
    for _ in range(2):
        await post_to_slack(slack, Post(channel="C0GENERAL", thread=None, person="U0ADA", text="", files=files))
    first, second = (listed(one, "files") for one in messages_of(place(slack)))
    assert first[0]["image"] is True
    assert first[0]["url"] != second[0]["url"]


@pytest.mark.parametrize(
    ("act", "problem"),
    [
        (Command(person="U0ADA", channel="C0GENERAL", thread=None, name="/no", text=""), "not a valid command"),
        (Command(person="U0ADA", channel="C0GENERAL", thread="1.2", name="/ask", text=""), "not supported in threads"),
        (Command(person="U0ADA", channel="C0NOWHERE", thread=None, name="/ask", text=""), "no channel C0NOWHERE"),
        (Shortcut(person="U0ADA", channel="C0GENERAL", message="1.2", shortcut="ask_message"), "no message"),
        (PressInView(person="U0ADA", view="V0", button="a", value=None), "no view V0"),
        (Submit(person="U0ADA", view="V0", values={}), "no view V0"),
        (Close(person="U0ADA", view="V0"), "no view V0"),
        (Look(person="U0ADA", tab="attic"), "no tab"),
        (Look(person="U0NOBODY", tab="home"), "not in this Slack workspace"),
    ],
)
async def test_what_cannot_be_done_in_slack_is_explained(slack: SlackServer, act: SlackAct, problem: str) -> None:
    with pytest.raises(BadBody, match=problem):
        await use_slack(slack, act)


async def test_who_used_a_command_that_nobody_answered_is_told(slack: SlackServer) -> None:
    slack.ack_timeout = 0.01
    await use_slack(slack, Command(person="U0ADA", channel="C0GENERAL", thread=None, name="/ask", text="hi"))
    await slack.idle(5)
    [warning] = listed(slack_view(slack, unrated), "warnings")
    assert (warning["person"], warning["words"]) == ("U0ADA", "/ask: the app did not answer. Try again.")
