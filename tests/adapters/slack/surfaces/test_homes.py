"""The bot's own page and the questions that it suggests, over both transports."""

import pytest
from structlog.testing import capture_logs

from adapters.slack.installs.scopes import AppFeature
from bridge.errors import PlatformError
from bridge.events import ChatOpened, Command, CommandInvoked, HomeOpened
from bridge.platform_api import Home, ShowsHome, SuggestsPrompts
from bridge.playground.slack.model import Fault
from bridge.playground.slack.views import View
from tests.adapters.slack.peer import asked, calls, question
from tests.adapters.slack.surfaces.conftest import Opening
from tests.adapters.slack.surfaces.hall import Hall, texts_in

HOME = Home(
    greeting="Hello **Grace**, I am <!channel> & co.",
    apps=("**support**: in 2 channels", "**docs**: in direct messages"),
    usage="You have asked 3 questions here.",
    help="**How to ask**\n\n- Mention me\n- Say `stop`",
    may_reset=True,
)

PROMPTS = "assistant.threads.setSuggestedPrompts"


async def show(hall: Hall, home: Home = HOME, person: str = "U0GRACE") -> View:
    before = len(hall.heard(HomeOpened))
    await hall.server.open_home(person)
    opened = await hall.next(HomeOpened, before + 1)
    await hall.platform.show_home(opened.target, opened.author, home)
    return hall.server.workspace.views.homes[person]


async def open_chat(hall: Hall, person: str = "U0GRACE") -> ChatOpened:
    before = len(hall.heard(ChatOpened))
    await hall.server.open_dm(person)
    return await hall.next(ChatOpened, before + 1)


async def test_who_looks_at_the_page_is_heard(hall: Hall) -> None:
    await hall.server.open_home("U0GRACE")
    opened = await hall.next(HomeOpened)
    assert (opened.author.id, opened.target.conversation.person) == ("U0GRACE", "U0GRACE")
    assert opened.target.conversation.installation == hall.server.team_id
    assert hall.heard(ChatOpened) == []


async def test_the_page_tells_what_there_is_to_know(hall: Hall) -> None:
    assert isinstance(hall.platform, ShowsHome)
    text = texts_in(await show(hall)).replace("\u200b", "").replace("\u2060", "")
    for part in ("Hello *Grace*", "*support*: in 2 channels", "*docs*", "3 questions", "*How to ask*", "• Mention me"):
        assert part in text
    assert "&lt;!channel&gt; &amp; co." in text
    assert hall.server.pings == []


async def test_each_look_shows_the_page_anew_and_everybody_has_their_own(hall: Hall) -> None:
    await show(hall)
    await show(hall, Home(greeting="Again", apps=(), usage="", help="", may_reset=False))
    await show(hall, person="U0ADA")
    homes = hall.server.workspace.views.homes
    assert texts_in(homes["U0GRACE"]) == "Again"
    assert "Hello" in texts_in(homes["U0ADA"])


async def test_a_page_with_very_much_on_it_is_taken_by_slack(hall: Hall) -> None:
    much = Home(
        greeting="word " * 3_000,
        apps=tuple(f"**app {number}**: everywhere & nowhere" for number in range(500)),
        usage="",
        help="\n\n".join("A paragraph about something. " * 60 for _ in range(60)),
        may_reset=True,
    )
    view = await show(hall, much)
    assert "app 0" in texts_in(view)
    assert view.blocks[-1]["type"] == "actions"
    assert len(view.blocks) <= 100


async def test_beginning_anew_is_an_order_about_the_persons_own_messages(hall: Hall) -> None:
    view = await show(hall)
    channel = str(view.content["private_metadata"])
    act = await hall.server.press_in_view("U0GRACE", view.id, "bridge:reset")
    order = await hall.next(CommandInvoked)
    assert act.outcome == "acked"
    assert (order.command, order.author.id, order.is_direct) == (Command.RESET, "U0GRACE", True)
    key = order.target.conversation
    assert (key.channel, key.thread, key.person) == (channel, "", "U0GRACE")
    assert order.private is not None
    await hall.platform.send(order.private, question("forgotten"))
    assert [(one.channel, one.person, one.visible_text) for one in hall.server.ephemerals] == [
        (channel, "U0GRACE", "forgotten")
    ]


async def test_beginning_anew_asks_whether_that_is_meant_and_is_offered_only_where_it_means_something(
    hall: Hall,
) -> None:
    elements = (await show(hall)).blocks[-1]["elements"]
    assert "confirm" in elements[0]  # type: ignore[index]
    without = await show(hall, Home(greeting="Hi", apps=(), usage="", help="", may_reset=False))
    assert all(block["type"] != "actions" for block in without.blocks)


async def test_after_a_restart_a_page_that_is_still_open_works(opening: Opening) -> None:
    async with opening() as hall:
        view = await show(hall)
    async with opening() as hall:
        await hall.server.press_in_view("U0GRACE", view.id, "bridge:reset")
        assert (await hall.next(CommandInvoked)).command is Command.RESET


@pytest.mark.parametrize("forged", ["", "C0GENERAL", "D0/../X", "D0 GRACE", "x" * 3_000])
async def test_a_page_that_does_not_know_its_own_place_orders_nothing(hall: Hall, forged: str) -> None:
    view = await show(hall)
    view.content["private_metadata"] = forged
    act = await hall.server.press_in_view("U0GRACE", view.id, "bridge:reset")
    await hall.settle()
    assert (act.outcome, hall.heard(CommandInvoked)) == ("acked", [])


async def test_where_slack_has_no_such_page_that_is_told(hall: Hall) -> None:
    await hall.server.open_home("U0GRACE")
    opened = await hall.next(HomeOpened)
    hall.server.faults.fail_next["views.publish"] = [Fault.refuse("not_enabled")]
    with pytest.raises(PlatformError) as refused:
        await hall.platform.show_home(opened.target, opened.author, HOME)
    assert refused.value.code == "not_enabled"


async def test_who_opens_the_messages_is_suggested_questions_for_the_whole_chat(hall: Hall) -> None:
    assert isinstance(hall.platform, SuggestsPrompts)
    opened = await open_chat(hall)
    assert opened.author.id == "U0GRACE"
    asks = ["What can you do?", "  ", "A long one " * 300, "three", "four", "five"]
    await hall.platform.suggest_prompts(opened.target, "Ask me <!here>", asks)
    (call,) = calls(hall.server, PROMPTS)
    assert call.ok, call.error
    assert "thread_ts" not in call.args, "with it the call is reported to do nothing for an agent"
    assert call.args["channel_id"] == opened.target.conversation.channel
    prompts = call.args["prompts"]
    assert isinstance(prompts, list)
    assert [one["title"][:10] for one in prompts] == ["What can y", "A long one", "three", "four"]
    assert prompts[0]["message"] == "What can you do?"
    assert len(prompts[1]["title"]) <= 75


async def test_without_anything_to_suggest_slack_is_not_asked(hall: Hall) -> None:
    opened = await open_chat(hall)
    await hall.platform.suggest_prompts(opened.target, "Ask", ["", " "])
    assert asked(hall.server, PROMPTS) == 0


@pytest.mark.parametrize("code", ["missing_scope", "feature_not_enabled", "unknown_method", "thread_not_found"])
async def test_where_the_app_is_no_agent_it_tries_once_and_an_operator_is_told(hall: Hall, code: str) -> None:
    opened = await open_chat(hall)
    hall.server.faults.fail_next[PROMPTS] = [Fault.refuse(code)]
    with capture_logs() as logged:
        for _ in range(3):
            await hall.platform.suggest_prompts(opened.target, "Ask", ["What?"])
    assert asked(hall.server, PROMPTS) == 1
    assert [one["code"] for one in logged if one["event"] == "stepped_down"] == [code]
    health = hall.platform.health()
    assert (health.connected, health.hearing) == (True, True)
    assert "no questions are suggested" in health.detail


async def test_a_failure_that_may_pass_is_told_and_tried_again_next_time(hall: Hall) -> None:
    opened = await open_chat(hall)
    hall.server.faults.fail_next[PROMPTS] = [Fault.refuse("internal_error")]
    with pytest.raises(PlatformError):
        await hall.platform.suggest_prompts(opened.target, "Ask", ["What?"])
    await hall.platform.suggest_prompts(opened.target, "Ask", ["What?"])
    assert asked(hall.server, PROMPTS) == 2


async def test_an_app_that_is_meant_to_be_no_agent_suggests_nothing(opening: Opening) -> None:
    features = frozenset(AppFeature) - {AppFeature.AGENT}
    async with opening(slack_features=features) as hall:
        await hall.server.open_dm("U0GRACE")
        await hall.settle()
        assert hall.heard(ChatOpened) == []


async def test_a_chat_of_an_app_from_before_agents_is_suggested_questions_in_its_thread(hall: Hall) -> None:
    channel = await hall.server.open_dm("U0GRACE")
    root = await hall.server.post_as("U0GRACE", channel, "hello")
    thread = {"user_id": "U0GRACE", "channel_id": channel, "thread_ts": root, "context": {}}
    started = {"type": "assistant_thread_started", "assistant_thread": thread, "event_ts": root}
    hall.server.subscriptions.add("assistant_thread_started")
    hall.server.workspace.emit(dict(started), hall.server.workspace.channels[channel])
    opened = await hall.next(ChatOpened, 2)
    assert opened.target.conversation.thread == root
    await hall.platform.suggest_prompts(opened.target, "Ask", ["What?"])
    (call,) = calls(hall.server, PROMPTS)
    assert call.args["thread_ts"] == root
