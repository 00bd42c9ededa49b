"""Buttons over real sockets: below the answer, gone with an edit, and heard through bolt on both transports."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from adapters.slack.adapter import SlackPlatform
from bridge.events import ButtonPressed, MessageReceived
from bridge.markdown.dialect import Rendered
from bridge.messages import Button, ButtonAction, MessageRef, OutgoingMessage, ReplyTarget
from bridge.playground.slack import Press, SlackServer
from bridge.playground.slack.expansion import expand
from bridge.playground.slack.limits import BLOCKS
from bridge.playground.slack.model import Fault, Message
from tests.adapters.slack.peer import Bridge, RecordingInbox, answers, calls, make_platform, question, until

STOP = Button(action=ButtonAction.STOP, label="Stop")
RETRY = Button(action=ButtonAction.RETRY, label="Try again")


def with_buttons(text: str, *buttons: Button, nonce: str = "n1") -> OutgoingMessage:
    return replace(question(text, nonce), buttons=buttons)


def element(button: Button) -> dict[str, object]:
    return {
        "type": "button",
        "action_id": f"bridge:{button.action.value}",
        "text": {"type": "plain_text", "text": button.label, "emoji": True},
        "value": button.action.value,
    }


ROW = {"type": "actions", "elements": [element(STOP)]}


def answer(server: SlackServer, root: str) -> Message:
    (found,) = answers(server, root)
    return found


async def test_buttons_stand_below_the_text(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    assert platform.capabilities.buttons
    await platform.send(target, with_buttons("**half** an answer", STOP, RETRY))
    assert answer(server, root).blocks == [
        {"type": "markdown", "text": "**half** an answer"},
        {"type": "actions", "elements": [element(STOP), element(RETRY)]},
    ]
    assert answer(server, root).text == "half an answer"


async def test_an_edit_shows_exactly_its_own_buttons(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, question("one"))
    for buttons in ((STOP,), (RETRY,), (STOP, RETRY), ()):
        await platform.edit(target, ref, with_buttons("two", *buttons))
        shown = [block["elements"] for block in answer(server, root).blocks if block["type"] == "actions"]
        assert shown == ([[element(one) for one in buttons]] if buttons else [])
        assert answer(server, root).visible_text == "two"


async def test_a_long_label_is_cut_to_what_slack_takes(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    await platform.send(target, with_buttons("x", replace(STOP, label="y" * 200)))
    assert answer(server, root).blocks[1]["elements"][0]["text"]["text"] == "y" * 74 + "…"  # type: ignore[index]


@pytest.mark.parametrize("unit", ["# head\ntext\n", "text\n\n---\n\n", "|a|\n|-|\n\ntext\n\n"])
async def test_the_fullest_message_has_room_for_them(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, unit: str
) -> None:
    def measured(count: int) -> Rendered:
        return platform.dialect.render(unit * count)

    count = 1
    while measured(count + 1).length <= platform.dialect.limit:
        count += 1
    await platform.send(target, with_buttons(unit * count, STOP, RETRY))
    shown = _shown(server, root)
    assert len(shown) > BLOCKS - 4
    assert shown[-1]["type"] == "actions"
    assert [call.error for call in calls(server, "chat.postMessage")] == [""]


def _shown(server: SlackServer, root: str) -> list[dict[str, object]]:
    return expand(answer(server, root).blocks)


async def test_refused_blocks_keep_the_buttons_under_plain_text(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    server.faults.fail_next["chat.postMessage"] = [Fault.refuse("invalid_blocks")]
    ref = await platform.send(target, with_buttons("**bold** & <!channel>", STOP))
    message = answer(server, root)
    assert [block["type"] for block in message.blocks] == ["section", "actions"]
    assert message.visible_text.replace("\u200b", "") == "*bold* & <!channel>"
    assert server.pings == []
    server.faults.fail_next["chat.update"] = [Fault.refuse("invalid_blocks")]
    await platform.edit(target, ref, with_buttons("the end"))
    assert (answer(server, root).blocks, answer(server, root).visible_text) == ([], "the end")


@pytest.mark.parametrize(("text", "refusals"), [("short", 2), ("long " * 700, 1)])
async def test_where_no_block_is_to_be_had_the_text_matters_more_than_the_buttons(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str, text: str, refusals: int
) -> None:
    server.faults.fail_next["chat.postMessage"] = [Fault.refuse("invalid_blocks")] * refusals
    await platform.send(target, with_buttons(text, STOP))
    message = answer(server, root)
    assert (message.blocks, message.visible_text) == ([], text.strip())
    assert len(calls(server, "chat.postMessage")) == refusals + 1


async def test_after_a_refusal_the_simpler_form_is_what_is_tried_again(
    server: SlackServer, platform: SlackPlatform, target: ReplyTarget, root: str
) -> None:
    ref = await platform.send(target, question("one"))
    server.faults.fail_next["chat.update"] = [Fault.refuse("invalid_blocks"), Fault.refuse("internal_error")]
    with pytest.raises(Exception, match="internal_error"):
        await platform.edit(target, ref, with_buttons("two", STOP))
    await platform.edit(target, ref, with_buttons("two", STOP))
    assert [block["type"] for block in answer(server, root).blocks] == ["section", "actions"]
    await platform.edit(target, ref, with_buttons("three", STOP))
    assert [block["type"] for block in answer(server, root).blocks] == ["markdown", "actions"]


class Pressing:
    """A platform that hears, an answer of it with a Stop button, and who presses."""

    def __init__(self, bridge: Bridge, root: str, ref: MessageRef) -> None:
        self.server, self.platform, self.inbox = bridge.server, bridge.platform, bridge.inbox
        self.ref = ref
        self._root = root

    async def press(self, user: str = "U0GRACE") -> Press:
        return await self.server.press(user, "C0GENERAL", answer(self.server, self._root).ts, "bridge:stop")

    @property
    def pressed(self) -> list[ButtonPressed]:
        return [event for event in self.inbox.events if isinstance(event, ButtonPressed)]


@pytest.fixture(params=["socket", "http"])
async def pressing(
    request: pytest.FixtureRequest, server: SlackServer, root: str, target: ReplyTarget
) -> AsyncIterator[Pressing]:
    http = request.param == "http"
    server.ack_timeout = 1.0
    platform = make_platform(server, http=http, slack_accept_timeout=0.8)
    app = web.Application()
    for route in platform.web_routes():
        app.router.add_route(route.method, route.path, route.handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    if http:
        server.events_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    async with Bridge(server, platform) as bridge:
        ref = await platform.send(target, with_buttons("half", STOP))
        await server.idle(5)
        yield Pressing(bridge, root, ref)
    await platform.close()
    await runner.cleanup()


async def test_a_press_is_heard_with_whose_it_was(pressing: Pressing) -> None:
    press = await pressing.press()
    await pressing.server.idle(5)
    (heard,) = pressing.pressed
    assert press.outcome == "acked"
    assert (heard.message, heard.person, heard.action) == (pressing.ref, "U0GRACE", ButtonAction.STOP)
    assert heard.installation == pressing.server.team_id


async def test_a_second_press_is_an_event_of_its_own(pressing: Pressing) -> None:
    await pressing.press("U0ADA")
    await pressing.press("U0ADA")
    await pressing.server.idle(5)
    assert len({one.event_id for one in pressing.pressed}) == 2


def app(number: int) -> Button:
    return Button(action=ButtonAction.APP, label=f"App {number}", value=f"17.25/app-{number}")


@pytest.mark.parametrize(("count", "kind"), [(5, "button"), (6, "static_select"), (120, "static_select")])
async def test_a_few_apps_are_buttons_and_many_a_menu_and_either_says_which_was_chosen(
    pressing: Pressing, target: ReplyTarget, root: str, count: int, kind: str
) -> None:
    server = pressing.server
    await pressing.platform.send(target, with_buttons("which?", *(app(number) for number in range(count)), nonce="n9"))
    shown = answers(server, root)[-1]
    (row,) = [block for block in shown.blocks if block["type"] == "actions"]
    elements = row["elements"]
    assert isinstance(elements, list)
    assert {one["type"] for one in elements} == {kind}
    number = 4 if kind == "button" else 0
    await server.press("U0GRACE", "C0GENERAL", shown.ts, f"bridge:app:{number}", "17.25/app-4")
    await until(lambda: bool(pressing.pressed), "the choice")
    (event,) = pressing.pressed
    assert (event.action, event.value, event.person) == (ButtonAction.APP, "17.25/app-4", "U0GRACE")


async def test_a_press_is_acknowledged_only_once_it_is_stored(pressing: Pressing) -> None:
    pressing.inbox.gate.clear()
    before = pressing.inbox.entered
    press = await pressing.press()
    await until(lambda: pressing.inbox.entered == before + 1)
    assert press.settled_at is None
    pressing.inbox.gate.set()
    await pressing.server.idle(5)
    assert press.outcome == "acked"


@pytest.mark.parametrize("trouble", ["refuses", "is too slow"])
async def test_while_the_store_is_away_who_presses_is_warned_and_may_press_again(
    pressing: Pressing, trouble: str
) -> None:
    inbox: RecordingInbox = pressing.inbox
    if trouble == "refuses":
        inbox.fail = 1
    else:
        inbox.gate.clear()
    press = await pressing.press()
    await pressing.server.idle(5)
    assert (press.outcome, pressing.pressed) == ("failed", [])
    inbox.gate.set()
    again = await pressing.press()
    await pressing.server.idle(5)
    assert (again.outcome, len(pressing.pressed)) == ("acked", 1)


async def test_a_press_does_not_wait_behind_messages_of_its_channel(pressing: Pressing) -> None:
    pressing.inbox.holds = MessageReceived
    pressing.inbox.gate.clear()
    before = pressing.inbox.entered
    await pressing.server.post_as("U0ADA", "C0GENERAL", "a message that is being stored")
    await until(lambda: pressing.inbox.entered == before + 1)
    with capture_logs() as logged:
        press = await pressing.press()
        await until(lambda: press.outcome == "acked")
        assert not [one for one in logged if one["event"] == "event_not_stored_in_time"]
    pressing.inbox.gate.set()
