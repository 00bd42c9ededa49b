"""Modals, the Home tab, and buttons and menus there: what is told to a real bolt app, and what its answer does."""

from collections.abc import Callable

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject
from tests.playground.slack.apps import WAYS, Way, modal, reached
from tests.playground.slack.peers import SOON
from tests.playground.slack.test_interactions import only_action

MENU: JsonObject = {
    "type": "static_select",
    "action_id": "app",
    "options": [{"text": {"type": "plain_text", "text": name}, "value": name.lower()} for name in ("Sales", "Support")],
}
BUTTON: JsonObject = {
    "type": "button",
    "action_id": "bridge:reset",
    "text": {"type": "plain_text", "text": "Reset"},
    "value": "all",
}


DIVIDER: JsonObject = {"type": "divider"}


@pytest.fixture(autouse=True)
def no_retries(server: SlackServer) -> None:
    server.retry_schedule = ()


async def opened(server: SlackServer, client: AsyncWebClient, view: JsonObject | None = None) -> str:
    """A modal on Ada's screen, which she got with a command."""
    act = await server.command("U0ADA", "C0GENERAL", "/help")
    await server.idle(SOON)
    answer = await client.views_open(trigger_id=str(act.payload["trigger_id"]), view=view or modal())
    return str(answer["view"]["id"])


def answering(seen: list[JsonObject], answer: JsonObject | None = None) -> Callable[[AsyncApp], None]:
    async def take(ack: AsyncAck, body: dict[str, object]) -> None:
        seen.append(dict(body))
        await ack(**answer) if answer else await ack()  # type: ignore[arg-type]

    def equip(app: AsyncApp) -> None:
        app.view("explain")(take)
        app.view_closed("explain")(take)
        app.action("bridge:reset")(take)
        app.action("app")(take)

    return equip


@pytest.mark.parametrize("way", WAYS)
async def test_a_submission_brings_what_was_entered_and_closes_the_modal(
    server: SlackServer, client: AsyncWebClient, way: Way
) -> None:
    view_id = await opened(server, client)
    seen: list[JsonObject] = []
    async with reached(server, way, answering(seen)):
        act = await server.submit_view("U0ADA", view_id, {"why": "too long"})
        await server.idle(SOON)
    assert (act.outcome, act.kind, act.view) == ("acked", "view_submission", view_id)
    [payload] = seen
    assert payload == act.payload
    view = payload["view"]
    assert isinstance(view, dict)
    assert view["state"] == {"values": {"reason": {"why": {"type": "plain_text_input", "value": "too long"}}}}
    assert (view["id"], view["private_metadata"], view["callback_id"]) == (view_id, "C0GENERAL/1.2", "explain")
    assert payload["user"]["id"] == "U0ADA"  # type: ignore[index]
    assert "channel" not in payload
    assert server.workspace.views.opened == {}


@pytest.mark.parametrize("way", WAYS)
async def test_errors_keep_the_modal_and_an_update_changes_it_and_clear_closes_it(
    server: SlackServer, client: AsyncWebClient, way: Way
) -> None:
    view_id = await opened(server, client)
    view = server.workspace.views.opened[view_id]
    errors: JsonObject = {"response_action": "errors", "errors": {"reason": "Say more."}}
    async with reached(server, way, answering([], errors)):
        await server.submit_view("U0ADA", view_id, {"why": "x"})
        await server.idle(SOON)
    assert (view.errors, view_id in server.workspace.views.opened) == ({"reason": "Say more."}, True)
    thanks = modal(title={"type": "plain_text", "text": "Thank you"})
    async with reached(server, way, answering([], {"response_action": "update", "view": thanks})):
        await server.submit_view("U0ADA", view_id, {"reason": {"why": "more"}})
        await server.idle(SOON)
    assert view.content["title"] == {"type": "plain_text", "text": "Thank you"}
    assert view.errors == {}
    async with reached(server, way, answering([], {"response_action": "clear"})):
        await server.submit_view("U0ADA", view_id, {"why": "more"})
        await server.idle(SOON)
    assert server.workspace.views.opened == {}


@pytest.mark.parametrize(
    "answer",
    [
        {"response_action": "errors", "errors": {"no such block": "x"}},
        {"response_action": "update", "view": {"type": "home", "blocks": []}},
        {"response_action": "push", "view": {}},
    ],
)
async def test_an_answer_that_slack_cannot_use_leaves_the_modal_and_fails(
    server: SlackServer, client: AsyncWebClient, answer: dict[str, object]
) -> None:
    view_id = await opened(server, client)
    async with reached(server, "socket", answering([], answer)):
        act = await server.submit_view("U0ADA", view_id, {"why": "x"})
        await server.idle(SOON)
    assert (act.outcome, act.error) == ("failed", "invalid_response")
    assert view_id in server.workspace.views.opened


async def test_a_submission_that_nobody_takes_leaves_the_modal_and_what_was_entered_can_be_sent_again(
    server: SlackServer, client: AsyncWebClient
) -> None:
    view_id = await opened(server, client)
    act = await server.submit_view("U0ADA", view_id, {"why": "x"})
    await server.idle(SOON)
    assert (act.outcome, act.error) == ("failed", "dispatch_failed")
    async with reached(server, "socket", answering([])):
        again = await server.submit_view("U0ADA", view_id, {"why": "x"})
        await server.idle(SOON)
    assert again.outcome == "acked"


async def test_a_client_takes_no_entry_that_the_modal_does_not(server: SlackServer, client: AsyncWebClient) -> None:
    view_id = await opened(server, client)
    for user, values, why in (
        ("U0GRACE", {"why": "x"}, "does not see"),
        ("U0ADA", {}, "must be filled in"),
        ("U0ADA", {"why": ""}, "must be filled in"),
        ("U0ADA", {"why": "x" * 21}, "fewer characters"),
        ("U0ADA", {"why": "x", "other": "y"}, "no field other"),
    ):
        with pytest.raises(ValueError, match=why):
            await server.submit_view(user, view_id, values)
    with pytest.raises(ValueError, match="no view"):
        await server.submit_view("U0ADA", "V1", {"why": "x"})
    text: JsonObject = {"type": "section", "text": {"type": "mrkdwn", "text": "Nothing to send"}}
    plain = {key: value for key, value in modal(text).items() if key != "submit"}
    with pytest.raises(ValueError, match="cannot be submitted"):
        await server.submit_view("U0ADA", await opened(server, client, plain), {})


async def test_an_optional_field_left_empty_is_null_and_menus_bring_their_option(
    server: SlackServer, client: AsyncWebClient
) -> None:
    label = {"type": "plain_text", "text": "x"}
    field: JsonObject = {"type": "plain_text_input", "action_id": "why"}
    view = modal(
        {"type": "input", "block_id": "a", "optional": True, "label": label, "element": field},
        {"type": "input", "block_id": "b", "label": label, "element": MENU},
        {"type": "input", "block_id": "c", "label": label, "element": {"type": "users_select", "action_id": "who"}},
    )
    view_id = await opened(server, client, view)
    with pytest.raises(ValueError, match="no option"):
        await server.submit_view("U0ADA", view_id, {"app": "other", "who": "U0GRACE"})
    act = await server.submit_view("U0ADA", view_id, {"app": "sales", "who": "U0GRACE"})
    state = act.payload["view"]["state"]["values"]  # type: ignore[index]
    assert state == {
        "a": {"why": {"type": "plain_text_input", "value": None}},
        "b": {"app": {"type": "static_select", "selected_option": MENU["options"][0]}},  # type: ignore[index]
        "c": {"who": {"type": "users_select", "selected_user": "U0GRACE"}},
    }


@pytest.mark.parametrize("way", WAYS)
async def test_closing_is_told_where_the_app_wants_to_hear_of_it(
    server: SlackServer, client: AsyncWebClient, way: Way
) -> None:
    assert await server.close_view("U0ADA", await opened(server, client)) is None
    view_id = await opened(server, client, modal(notify_on_close=True))
    seen: list[JsonObject] = []
    async with reached(server, way, answering(seen)):
        act = await server.close_view("U0ADA", view_id)
        await server.idle(SOON)
    assert act is not None
    assert (act.outcome, [body["type"] for body in seen]) == ("acked", ["view_closed"])
    assert seen[0]["is_cleared"] is False
    assert server.workspace.views.opened == {}


@pytest.mark.parametrize("way", WAYS)
async def test_a_button_and_a_menu_on_the_home_tab_say_which_view_they_are_in(
    server: SlackServer, client: AsyncWebClient, way: Way
) -> None:
    blocks: list[JsonObject] = [{"type": "actions", "block_id": "row", "elements": [BUTTON, MENU]}]
    published = await client.views_publish(user_id="U0ADA", view={"type": "home", "blocks": blocks})
    view_id = str(published["view"]["id"])
    seen: list[JsonObject] = []
    async with reached(server, way, answering(seen)):
        await server.press_in_view("U0ADA", view_id, "bridge:reset")
        await server.idle(SOON)
        await server.press_in_view("U0ADA", view_id, "app", "support")
        await server.idle(SOON)
    pressed, chosen = seen
    for payload in seen:
        assert payload["container"] == {"type": "view", "view_id": view_id}
        assert payload["view"]["type"] == "home"  # type: ignore[index]
        assert {"message", "channel", "response_url"}.isdisjoint(payload)
    assert only_action(pressed) == {**BUTTON, "block_id": "row", "action_ts": only_action(pressed)["action_ts"]}
    option = MENU["options"][1]  # type: ignore[index]
    assert only_action(chosen)["selected_option"] == option
    assert chosen["view"]["state"]["values"]["row"]["app"]["selected_option"] == option  # type: ignore[index]
    for user, action, value in (("U0ADA", "other", None), ("U0GRACE", "bridge:reset", None), ("U0ADA", "app", None)):
        with pytest.raises(ValueError, match=r"no button|does not see"):
            await server.press_in_view(user, view_id, action, value)


async def test_opening_the_home_tab_tells_what_it_shows_and_the_messages_tab_does_not(
    server: SlackServer, client: AsyncWebClient
) -> None:
    await server.open_home("U0ADA")
    await client.views_publish(user_id="U0ADA", view={"type": "home", "blocks": [DIVIDER]})
    await server.open_home("U0ADA")
    entity: JsonObject = {"type": "slack#/types/channel_id", "value": "C0GENERAL"}
    assert await server.open_dm("U0GRACE", [entity]) not in ("", "D0ADA")
    first, second, messages = (one.payload["event"] for one in server.deliveries)
    assert isinstance(first, dict)
    assert isinstance(second, dict)
    assert isinstance(messages, dict)
    assert {**first, "event_ts": ""} == {
        "type": "app_home_opened",
        "user": "U0ADA",
        "channel": "D0ADA",
        "tab": "home",
        "event_ts": "",
    }
    assert second["view"]["type"] == "home"
    assert (messages["tab"], messages["user"], "view" in messages) == ("messages", "U0GRACE", False)
    assert messages["context"] == {"entities": [entity]}
    assert await server.open_dm("U0GRACE") == messages["channel"]
    with pytest.raises(ValueError, match="no tab"):
        await server.open_home("U0ADA", "about")
