"""Response addresses: five messages in half an hour, to one person or to all, in place of what was there or not."""

import pytest
from aiohttp import ClientSession
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject
from tests.fakes.clock import FakeClock
from tests.playground.slack.peers import SOON
from tests.playground.slack.test_interactions import BUTTON, only_action, post_with_button

ACTIONS: JsonObject = {"type": "actions", "elements": [BUTTON]}


@pytest.fixture(autouse=True)
def no_retries(server: SlackServer) -> None:
    server.retry_schedule = ()


async def commanded(server: SlackServer) -> AsyncWebhookClient:
    act = await server.command("U0ADA", "C0GENERAL", "/ask", "x")
    await server.idle(SOON)
    return AsyncWebhookClient(str(act.payload["response_url"]), retry_handlers=[])


async def test_an_answer_is_seen_by_who_acted_unless_it_is_for_the_channel(server: SlackServer) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "hi")
    webhook = await commanded(server)
    assert (await webhook.send(text="for you")).status_code == 200
    assert (await webhook.send(text="for all", response_type="in_channel")).body == "ok"
    await webhook.send_dict({"text": "in a thread", "response_type": "in_channel", "thread_ts": root})
    [shown] = server.ephemerals
    assert (shown.text, shown.person, shown.thread_ts) == ("for you", "U0ADA", None)
    assert [(message.text, message.thread_ts) for message in server.messages("C0GENERAL")[1:]] == [
        ("for all", None),
        ("in a thread", root),
    ]


async def test_an_address_is_good_for_five_answers(server: SlackServer) -> None:
    webhook = await commanded(server)
    statuses = [(await webhook.send(text=str(number))).status_code for number in range(6)]
    assert statuses == [200] * 5 + [404]
    assert "used_url" in (await webhook.send(text="x")).body
    assert len(server.ephemerals) == 5


async def test_an_address_is_good_for_half_an_hour() -> None:
    clock = FakeClock()
    server = SlackServer(clock)
    await server.start()
    try:
        act = await server.command("U0ADA", "C0GENERAL", "/ask", "x")
        webhook = AsyncWebhookClient(str(act.payload["response_url"]), retry_handlers=[])
        await clock.advance(1_800)
        assert (await webhook.send(text="x")).status_code == 200
        await clock.advance(1)
        late = await webhook.send(text="x")
        assert (late.status_code, "expired_url" in late.body) == (404, True)
    finally:
        await server.stop()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"text": ""}, "no_text"),
        ({"text": "x" * 4_001}, "msg_too_long"),
        ({"blocks": [{"type": "other"}]}, "invalid_blocks"),
        ({"text": 7}, "invalid_payload"),
        ({"text": "x", "replace_original": True}, "invalid_payload"),
        ({"text": "x", "response_type": "in_channel", "thread_ts": "1.000000"}, "thread_not_found"),
    ],
)
async def test_what_cannot_be_shown_is_refused_and_costs_no_use(
    server: SlackServer, body: dict[str, object], error: str
) -> None:
    webhook = await commanded(server)
    refused = [await webhook.send_dict(body) for _ in range(6)]
    assert {one.status_code for one in refused} == {400}
    assert error in refused[-1].body
    assert (await webhook.send(text="x")).status_code == 200


async def test_an_unknown_address_a_get_and_junk_are_refused(server: SlackServer) -> None:
    url = (await commanded(server)).url
    async with ClientSession() as session:
        async with session.get(url) as response:
            assert response.status == 405
        async with session.post(url, data=b"{") as response:
            assert (response.status, (await response.json())["error"]) == (400, "invalid_payload")
        async with session.post(f"{url}0", json={"text": "x"}) as response:
            assert response.status == 404


async def test_a_press_may_replace_or_remove_the_message_that_it_was_on(
    server: SlackServer, client: AsyncWebClient
) -> None:
    ts = await post_with_button(server, client)
    webhooks = []
    for _ in range(2):
        press = await server.press("U0ADA", "C0GENERAL", ts, "bridge:stop")
        webhooks.append(AsyncWebhookClient(str(press.payload["response_url"]), retry_handlers=[]))
    await server.idle(SOON)
    await webhooks[0].send(text="replaced", replace_original=True)
    assert (server.message("C0GENERAL", ts).text, server.ephemerals) == ("replaced", [])
    await webhooks[1].send(delete_original=True)
    assert server.messages("C0GENERAL") == []


async def test_a_button_on_what_one_person_sees_works_for_that_person_only(
    server: SlackServer, client: AsyncWebClient
) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "hi")
    await server.post_as("U0ADA", "C0GENERAL", "there", thread_ts=root)
    await client.chat_postEphemeral(
        channel="C0GENERAL", user="U0ADA", thread_ts=root, text="Stop it?", blocks=[ACTIONS]
    )
    [shown] = server.ephemerals
    with pytest.raises(ValueError, match="no message"):
        await server.press("U0GRACE", "C0GENERAL", shown.ts, "bridge:stop")
    press = await server.press("U0ADA", "C0GENERAL", shown.ts, "bridge:stop")
    await server.idle(SOON)
    assert press.payload["container"] == {
        "type": "message",
        "message_ts": shown.ts,
        "channel_id": "C0GENERAL",
        "is_ephemeral": True,
        "thread_ts": root,
    }
    assert "message" not in press.payload
    webhook = AsyncWebhookClient(str(press.payload["response_url"]), retry_handlers=[])
    await webhook.send(text="Stopped.", replace_original=True)
    assert [one.visible_text for one in server.ephemerals] == ["Stopped."]
    await webhook.send(delete_original=True)
    assert server.ephemerals == []


async def test_of_feedback_buttons_the_value_says_which_was_pressed(
    server: SlackServer, client: AsyncWebClient
) -> None:
    pair: JsonObject = {
        "type": "feedback_buttons",
        "action_id": "vote",
        "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up"},
        "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down"},
    }
    trash: JsonObject = {
        "type": "icon_button",
        "action_id": "delete",
        "icon": "trash",
        "text": {"type": "plain_text", "text": "Delete"},
        "value": "it",
    }
    blocks: list[JsonObject] = [
        {"type": "markdown", "text": "an answer"},
        {"type": "context_actions", "block_id": "foot", "elements": [pair, trash]},
    ]
    ts = (await client.chat_postMessage(channel="C0GENERAL", text="an answer", blocks=blocks))["ts"]
    with pytest.raises(ValueError, match="say which"):
        await server.press("U0ADA", "C0GENERAL", ts, "vote")
    with pytest.raises(ValueError, match="no button"):
        await server.press("U0ADA", "C0GENERAL", ts, "vote", "sideways")
    down = only_action((await server.press("U0ADA", "C0GENERAL", ts, "vote", "down")).payload)
    down.pop("action_ts")
    assert down == {"type": "feedback_buttons", "action_id": "vote", "block_id": "foot", "value": "down"}
    deleted = only_action((await server.press("U0ADA", "C0GENERAL", ts, "delete")).payload)
    assert (deleted["type"], deleted["value"]) == ("icon_button", "it")
    await server.idle(SOON)
