"""Commands and shortcuts: how they reach a real bolt app, what it may answer, when there are none."""

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import Act, Channel, SlackServer
from bridge.playground.slack.model import JsonObject
from tests.playground.slack.apps import WAYS, Way, modal, reached
from tests.playground.slack.peers import SOON, bare_socket
from tests.playground.slack.test_callbacks import listening


@pytest.fixture(autouse=True)
def no_retries(server: SlackServer) -> None:
    server.retry_schedule = ()


def answering(seen: list[JsonObject], answer: object = "") -> Callable[[AsyncApp], None]:
    """Takes /ask and the shortcut, writes down what came, and acknowledges with `answer`."""

    async def take(ack: AsyncAck, body: dict[str, object]) -> None:
        seen.append(dict(body))
        await ack(answer)  # type: ignore[arg-type]

    def equip(app: AsyncApp) -> None:
        app.command("/ask")(take)
        app.shortcut("ask_message")(take)

    return equip


@pytest.mark.parametrize("way", WAYS)
async def test_a_command_reaches_bolt_with_all_its_fields_as_text(server: SlackServer, way: Way) -> None:
    seen: list[JsonObject] = []
    async with reached(server, way, answering(seen)):
        act = await server.command("U0ADA", "G0PRIVATE", "/ask", "  why <@U0GRACE> & not <#C0SUPPORT>? ")
        await server.idle(SOON)
    assert (act.outcome, act.error, act.answer) == ("acked", "", None)
    [fields] = seen
    assert fields["response_url"] == act.payload["response_url"]
    assert all(isinstance(value, str) for value in fields.values())
    assert fields == {
        "token": fields["token"],
        "team_id": "T0PLAYGROUND",
        "team_domain": "playground",
        "channel_id": "G0PRIVATE",
        "channel_name": "privategroup",
        "user_id": "U0ADA",
        "user_name": "ada",
        "command": "/ask",
        "text": "why <@U0GRACE|grace> &amp; not <#C0SUPPORT|support>?",
        "api_app_id": server.app_id,
        "is_enterprise_install": "false",
        "response_url": fields["response_url"],
        "trigger_id": fields["trigger_id"],
    }


async def test_without_should_escape_people_and_channels_are_plain_names(server: SlackServer) -> None:
    server.commands["/ask"] = False
    act = await server.command("U0ADA", "C0GENERAL", "/ask", "<@U0GRACE> in <#C0SUPPORT>")
    assert act.payload["text"] == "@grace in #support"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("answer", ["working on it", {"response_type": "ephemeral", "text": "working on it"}])
async def test_what_an_acknowledgement_says_is_seen_by_who_typed_the_command(
    server: SlackServer, client: AsyncWebClient, way: Way, answer: object
) -> None:
    async with reached(server, way, answering([], answer)):
        await server.command("U0ADA", "C0GENERAL", "/ask", "x")
        await server.idle(SOON)
    [shown] = server.ephemerals
    assert (shown.person, shown.channel, shown.text) == ("U0ADA", "C0GENERAL", "working on it")
    assert (await client.conversations_history(channel="C0GENERAL"))["messages"] == []


@pytest.mark.parametrize("way", WAYS)
async def test_an_acknowledgement_may_speak_to_the_whole_channel(server: SlackServer, way: Way) -> None:
    async with reached(server, way, answering([], {"response_type": "in_channel", "text": "hear me"})):
        await server.command("U0ADA", "C0GENERAL", "/ask", "x")
        await server.idle(SOON)
    [message] = server.messages("C0GENERAL")
    assert (message.text, message.user, server.ephemerals) == ("hear me", server.bot_user_id, [])


async def test_an_answer_that_slack_cannot_show_fails_the_command(server: SlackServer) -> None:
    blocks = [{"type": "no such block"}]
    async with reached(server, "http", answering([], {"text": "x", "blocks": blocks})):
        act = await server.command("U0ADA", "C0GENERAL", "/ask", "x")
        await server.idle(SOON)
    assert (act.outcome, act.error, server.ephemerals) == ("failed", "invalid_response", [])


async def test_a_command_that_is_not_acknowledged_in_time_times_out_and_is_not_repeated(server: SlackServer) -> None:
    server.ack_timeout = 0.1
    async with bare_socket(server) as socket:
        act = await server.command("U0ADA", "C0GENERAL", "/ask", "one")
        envelope = await socket.receive()
        assert (envelope["type"], envelope["accepts_response_payload"]) == ("slash_commands", True)
        assert "retry_attempt" not in envelope
        await server.idle(SOON)
        await socket.ack(envelope)  # too late
        assert (act.outcome, act.error) == ("failed", "operation_timeout")
        again = await server.command("U0ADA", "C0GENERAL", "/ask", "two")
        assert (await socket.receive())["payload"] == again.payload


@pytest.mark.parametrize("listens", [True, False])
async def test_a_command_that_nobody_takes_could_not_be_dispatched(server: SlackServer, listens: bool) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503)

    async with listening(refuse) as url:
        server.events_url = url if listens else None
        act = await server.command("U0ADA", "C0GENERAL", "/ask", "x")
        await server.idle(SOON)
    assert (act.outcome, act.error) == ("failed", "dispatch_failed")


async def test_a_client_offers_no_command_that_is_not_there(server: SlackServer) -> None:
    root = await server.post_as("U0ADA", "C0GENERAL", "hi")
    server.channels["C0OTHER"] = Channel(id="C0OTHER", name="other", members={"U0ADA"})
    refused: list[tuple[Callable[[], Awaitable[Act]], str]] = [
        (lambda: server.command("U0ADA", "C0GENERAL", "/ask", "x", thread_ts=root), "threads"),
        (lambda: server.command("U0ADA", "C0GENERAL", "/other", "x"), "not a valid command"),
        (lambda: server.command("U0GRACE", "D0ADA", "/ask", "x"), "not in D0ADA"),
        (lambda: server.shortcut("U0ADA", "other", "C0GENERAL", root), "no shortcut"),
        (lambda: server.shortcut("U0GRACE", "ask_message", "D0ADA", root), "not in D0ADA"),
        (lambda: server.shortcut("U0ADA", "ask_message", "C0GENERAL", "1.000000"), "no message"),
    ]
    for attempt, why in refused:
        with pytest.raises(ValueError, match=why):
            await attempt()
    # Commands work also where the bot is not.
    assert (await server.command("U0ADA", "C0OTHER", "/help")).channel == "C0OTHER"
    server.scopes = [scope for scope in server.scopes if scope != "commands"]
    with pytest.raises(ValueError, match="not a valid command"):
        await server.command("U0ADA", "C0GENERAL", "/ask", "x")
    with pytest.raises(ValueError, match="no shortcut"):
        await server.shortcut("U0ADA", "ask_message", "C0GENERAL", root)


@pytest.mark.parametrize("way", WAYS)
async def test_a_shortcut_brings_the_message_and_a_trigger_that_opens_a_modal(
    server: SlackServer, client: AsyncWebClient, way: Way
) -> None:
    root = await server.post_as("U0GRACE", "C0GENERAL", "q")
    ts = await server.post_as("U0GRACE", "C0GENERAL", "look at *this*", thread_ts=root)
    await server.idle(SOON)
    seen: list[JsonObject] = []
    async with reached(server, way, answering(seen)):
        act = await server.shortcut("U0ADA", "ask_message", "C0GENERAL", ts)
        await server.idle(SOON)
    [payload] = seen
    assert payload == act.payload
    assert (payload["type"], payload["callback_id"], payload["message_ts"]) == ("message_action", "ask_message", ts)
    message = payload["message"]
    assert isinstance(message, dict)
    assert (message["text"], message["user"], message["thread_ts"]) == ("look at *this*", "U0GRACE", root)
    assert payload["channel"] == {"id": "C0GENERAL", "name": "general"}
    assert payload["user"]["id"] == "U0ADA"  # type: ignore[index]
    opened = await client.views_open(trigger_id=str(payload["trigger_id"]), view=modal())
    view = opened["view"]
    assert server.workspace.views.opened[view["id"]].person == "U0ADA"
