"""Modals and the Home tab: what opens them, what may stand in them, how they change."""

from collections.abc import AsyncIterator
from typing import cast

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import JsonObject
from tests.fakes.clock import FakeClock
from tests.playground.slack.peers import error_of


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[SlackServer]:
    server = SlackServer(clock=clock)
    await server.start()
    yield server
    await server.stop()


def plain(text: str) -> JsonObject:
    return {"type": "plain_text", "text": text}


def question(**changes: object) -> JsonObject:
    element = {"type": "plain_text_input", "action_id": "why", "multiline": True, "max_length": 3_000}
    return {"type": "input", "block_id": "reason", "label": plain("Why?"), "element": element, **changes}


def modal(**changes: object) -> JsonObject:
    view: JsonObject = {"type": "modal", "title": plain("Why?"), "submit": plain("Send"), "blocks": [question()]}
    return {name: value for name, value in (view | changes).items() if value is not None}


def home(**changes: object) -> JsonObject:
    return {"type": "home", "blocks": [{"type": "divider"}], **changes}


def menu(**changes: object) -> JsonObject:
    options = [{"text": plain("a" * 75), "value": "v" * 150}]
    return {"type": "static_select", "action_id": "app", "placeholder": plain("App"), "options": options, **changes}


def actions(*elements: JsonObject) -> JsonObject:
    return {"type": "actions", "elements": list(elements)}


def trigger(server: SlackServer, person: str = "U0ADA") -> str:
    return server.workspace.triggers.make(person, server.clock.monotonic())


async def test_a_trigger_opens_one_modal_within_three_seconds(
    server: SlackServer, client: AsyncWebClient, clock: FakeClock
) -> None:
    fresh, late, just = trigger(server), trigger(server), trigger(server)
    opened = await client.views_open(trigger_id=fresh, view=modal(private_metadata="ts", callback_id="why"))
    shown = opened["view"]
    assert (shown["private_metadata"], shown["callback_id"], shown["state"]) == ("ts", "why", {"values": {}})
    view = server.workspace.views.opened[shown["id"]]
    assert (view.person, view.hash, shown["team_id"]) == ("U0ADA", shown["hash"], server.team_id)
    assert await error_of(client.views_open(trigger_id=fresh, view=modal())) == "exchanged_trigger_id"
    assert await error_of(client.views_open(trigger_id="1.2.3", view=modal())) == "invalid_trigger_id"
    assert await error_of(client.views_open(trigger_id="", view=modal())) == "invalid_arguments"
    await clock.advance(3)
    assert await error_of(client.views_open(trigger_id=just, view=modal())) == ""
    await clock.advance(0.001)
    assert await error_of(client.views_open(trigger_id=late, view=modal())) == "expired_trigger_id"


async def test_a_modal_that_is_refused_leaves_the_trigger_as_it_was(
    server: SlackServer, client: AsyncWebClient
) -> None:
    here = trigger(server)
    assert await error_of(client.views_open(trigger_id=here, view=modal(title=None))) == "invalid_arguments"
    assert await error_of(client.views_open(trigger_id=here, view=modal())) == ""


async def test_a_person_has_one_modal_at_a_time(server: SlackServer, client: AsyncWebClient) -> None:
    first = (await client.views_open(trigger_id=trigger(server), view=modal()))["view"]["id"]
    second = (await client.views_open(trigger_id=trigger(server), view=modal()))["view"]["id"]
    other = (await client.views_open(trigger_id=trigger(server, "U0GRACE"), view=modal()))["view"]["id"]
    assert list(server.workspace.views.opened) == [second, other]
    assert await error_of(client.views_update(view_id=first, view=modal())) == "not_found"


async def test_a_modal_is_updated_by_either_id_while_nobody_else_changed_it(
    server: SlackServer, client: AsyncWebClient
) -> None:
    opened = (await client.views_open(trigger_id=trigger(server), view=modal(external_id="mine")))["view"]
    for by in ({"view_id": opened["id"]}, {"external_id": "mine"}):
        changed = await client.views_update(**by, view=modal(title=plain("Thanks"), external_id="mine"))
        assert changed["view"]["title"] == plain("Thanks")
    assert changed["view"]["hash"] != opened["hash"]
    stale = client.views_update(view_id=opened["id"], view=modal(), hash=opened["hash"])
    assert await error_of(stale) == "hash_conflict"
    current = client.views_update(view_id=opened["id"], view=modal(external_id="mine"), hash=changed["view"]["hash"])
    assert await error_of(current) == ""
    again = client.views_open(trigger_id=trigger(server, "U0GRACE"), view=modal(external_id="mine"))
    assert await error_of(again) == "duplicate_external_id"
    assert await error_of(client.views_update(view_id=opened["id"], view=home())) == "invalid_arguments"
    assert await error_of(client.api_call("views.update", json={"view": modal()})) == "invalid_arguments"
    server.workspace.views.close(opened["id"])
    assert await error_of(client.views_update(view_id=opened["id"], view=modal())) == "not_found"


async def test_each_person_has_a_home_tab_that_is_published_anew(server: SlackServer, client: AsyncWebClient) -> None:
    first = (await client.views_publish(user_id="U0ADA", view=home(callback_id="home")))["view"]
    second = (await client.views_publish(user_id="U0ADA", view=home(), hash=first["hash"]))["view"]
    assert (second["id"], second["type"]) == (first["id"], "home")
    stale = client.views_publish(user_id="U0ADA", view=home(), hash=first["hash"])
    assert await error_of(stale) == "hash_conflict"
    assert await error_of(client.views_publish(user_id="U0NOBODY", view=home())) == "invalid_arguments"
    assert await error_of(client.views_publish(user_id="U0ADA", view=modal())) == "invalid_arguments"
    await client.views_update(view_id=first["id"], view=home(private_metadata="x"))
    views = cast("dict[str, list[JsonObject]]", server.snapshot()["views"])
    assert [(one["person"], one["private_metadata"]) for one in views["homes"]] == [("U0ADA", "x")]
    assert views["modals"] == []
    server.lacks["home"] = "not_enabled"
    assert await error_of(client.views_publish(user_id="U0ADA", view=home())) == "not_enabled"


@pytest.mark.parametrize(
    ("view", "why"),
    [
        (modal(type="page"), "type must be modal"),
        (modal(title=None), "missing required field: title"),
        (modal(title=plain("a" * 25)), "1 to 24"),
        (modal(title={"type": "mrkdwn", "text": "a"}), "not a text object"),
        (modal(submit=plain("a" * 25)), "1 to 24"),
        (modal(close=plain("a" * 25)), "1 to 24"),
        (modal(submit=None), "submit is required"),
        (modal(blocks=None), "missing required field: blocks"),
        (modal(blocks=[]), "wrong number of blocks"),
        (modal(blocks=[{"type": "divider"}] * 101), "wrong number of blocks"),
        (modal(blocks=["a"]), "missing required field: blocks"),
        (modal(private_metadata="a" * 3_001), "3000"),
        (modal(private_metadata={"a": 1}), "private_metadata"),
        (modal(callback_id="a" * 256), "255"),
        (modal(external_id="a" * 256), "255"),
        (modal(notify_on_close="yes"), "true or false"),
        (modal(colour="red"), "invalid additional property: colour"),
        (modal(blocks=[{"type": "markdown", "text": "a"}]), "unsupported type: markdown"),
        (modal(blocks=[{"type": "context_actions", "elements": []}]), "unsupported type: context_actions"),
        (modal(blocks=[question(label=None)]), "not a text object"),
        (modal(blocks=[question(element=None)]), "not an element"),
        (modal(blocks=[question(element={"type": "button", "text": plain("a")})]), "unsupported element: button"),
        (modal(blocks=[question(element={"type": "plain_text_input", "max_length": 3_001})]), "max_length"),
        (modal(blocks=[question(element={"type": "plain_text_input", "max_length": 0})]), "max_length"),
        (
            modal(blocks=[question(element={"type": "plain_text_input", "min_length": 5, "max_length": 4})]),
            "min_length is more",
        ),
        (modal(blocks=[question(element={"type": "plain_text_input", "placeholder": plain("a" * 151)})]), "150"),
        (modal(blocks=[question(), question()]), "block_id is used twice"),
        (modal(blocks=[actions(menu(), menu())]), "action_id is used twice"),
        (modal(blocks=[actions(menu(options=[]))]), "wrong number"),
        (modal(blocks=[actions(menu(options=[{"text": plain("a"), "value": "v"}] * 101))]), "wrong number"),
        (modal(blocks=[actions(menu(options=[{"text": plain("a" * 76), "value": "v"}]))]), "75"),
        (modal(blocks=[actions(menu(options=[{"text": plain("a"), "value": "v" * 151}]))]), "150"),
        (modal(blocks=[actions(menu(initial_option={"text": plain("b"), "value": "b"}))]), "initial_option"),
        (modal(blocks=[actions({"type": "datepicker", "action_id": "a"})]), "unsupported element: datepicker"),
    ],
)
async def test_what_may_not_stand_in_a_modal_is_named(
    server: SlackServer, client: AsyncWebClient, view: JsonObject, why: str
) -> None:
    answer = await client.api_call("views.open", json={"trigger_id": trigger(server), "view": modal()})
    for method, by in (
        ("views.open", {"trigger_id": trigger(server)}),
        ("views.update", {"view_id": answer["view"]["id"]}),
    ):
        arguments = {"view": view, **by}
        with pytest.raises(Exception, match="invalid_arguments") as refused:
            await client.api_call(method, json=arguments)
        assert why in str(refused.value)
    assert len(server.workspace.views.opened) == 1


async def test_views_at_their_limits_are_taken(server: SlackServer, client: AsyncWebClient) -> None:
    section: JsonObject = {"type": "section", "text": {"type": "mrkdwn", "text": "a" * 3_000}, "accessory": menu()}
    divider: JsonObject = {"type": "divider"}
    people: JsonObject = {"type": "users_select", "action_id": "who"}
    blocks: list[JsonObject] = [question(), section, actions(menu(), people), *[divider] * 97]
    full = modal(
        title=plain("a" * 24),
        submit=plain("a" * 24),
        close=plain("a" * 24),
        private_metadata="a" * 3_000,
        callback_id="a" * 255,
        blocks=blocks,
    )
    assert await error_of(client.views_open(trigger_id=trigger(server), view=full)) == ""
    assert await error_of(client.views_publish(user_id="U0ADA", view=home(blocks=blocks))) == ""
    large = home(blocks=[{**section, "block_id": str(number)} for number in range(90)])
    assert await error_of(client.views_publish(user_id="U0ADA", view=large)) == "view_too_large"
    assert await error_of(client.views_publish(user_id="U0ADA", view=home(title=plain("a")))) == "invalid_arguments"


async def test_slack_makes_up_the_ids_that_an_app_leaves_out(server: SlackServer, client: AsyncWebClient) -> None:
    nameless: JsonObject = {"type": "input", "label": plain("a"), "element": {"type": "plain_text_input"}}
    button: JsonObject = {"type": "button", "text": plain("a")}
    shown = await client.views_open(trigger_id=trigger(server), view=modal(blocks=[nameless, actions(button)]))
    first, second = shown["view"]["blocks"]
    assert first["block_id"] != second["block_id"]
    assert first["element"]["action_id"] != second["elements"][0]["action_id"]
