"""Commands, forms, buttons and pages where the app is installed in many workspaces, also in those of an organisation."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from adapters.slack.surfaces.forms import SHORTCUT
from bridge.events import ButtonPressed, ChatOpened, Command, CommandInvoked, CommentGiven, HomeOpened
from bridge.messages import Button, ButtonAction
from bridge.platform_api import Home
from bridge.playground.slack import SlackServer
from tests.adapters.slack.installing import Browser
from tests.adapters.slack.peer import Bridge, question, target_under
from tests.adapters.slack.surfaces.hall import RATINGS, Hall
from tests.adapters.slack.test_installs_whole import served

ASK = Button(action=ButtonAction.ASK, label="More?", value="More?")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A workspace where the app is installed, and a person there."""

    hall: Hall
    team: str
    person: str
    channel: str

    async def answer(self, root: str) -> str:
        """The timestamp of a message of the bot in that thread."""
        target = target_under(self.hall.server, self.channel, root)
        address = target.address.replace(self.hall.server.team_id, self.team)
        key = replace(target.conversation, installation=type(target.conversation.installation)(self.team))
        target = replace(target, address=type(target.address)(address), conversation=key)
        ref = await self.hall.platform.send(target, replace(question("an answer"), buttons=(*RATINGS, ASK)))
        await self.hall.settle()
        return ref.address.rpartition("/")[2]


@pytest.fixture(
    params=[(team, http) for team in ("T0ONE", "T0SOUTH") for http in (False, True)],
    ids=["workspace-socket", "workspace-http", "organisation-socket", "organisation-http"],
)
async def place(server: SlackServer, request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    team, http = request.param
    server.ack_timeout = 3.0
    server.add_workspace("T0ONE", "One", installed=False)
    server.add_workspace("T0NORTH", "North", "E0BIG", installed=False)
    server.add_workspace("T0SOUTH", "South", "E0BIG", installed=False)
    letter = "U1" if team == "T0ONE" else "W3"
    person, channel = f"{letter}GRACE", f"C{letter[1]}GENERAL"
    async with served(server, http=http) as site, Bridge(server, site.platform) as bridge, Browser(site) as browser:
        allowed = ("U1ADA", "T0ONE") if team == "T0ONE" else ("W2ADA", "E0BIG")
        assert (await browser.install(*allowed))[0] == 200
        await server.invite_bot(person, channel)
        await server.idle(5)
        yield Place(hall=Hall(bridge), team=team, person=person, channel=channel)


async def test_a_command_is_answered_where_it_was_typed(place: Place) -> None:
    await place.hall.server.command(place.person, place.channel, "/ask", "why?")
    heard = await place.hall.next_unseen()
    assert heard.target.conversation.installation == place.team
    assert (heard.is_external, heard.author.home, heard.author.display_name) == (False, "", "Grace")
    thread = await place.hall.platform.open_thread(heard.target, "Grace asks: why?")
    await place.hall.platform.send(thread, question("because"))
    shown = place.hall.server.messages(place.channel, thread.conversation.thread)
    assert [one.visible_text for one in shown] == ["Grace asks: why?", "because"]


async def test_orders_are_about_the_workspace_and_answered_there(place: Place) -> None:
    await place.hall.server.command(place.person, place.channel, "/help")
    order = await place.hall.next(CommandInvoked)
    assert (order.command, order.target.conversation.installation) == (Command.HELP, place.team)
    assert order.private is not None
    await place.hall.platform.send(order.private, question("help"))
    (told,) = place.hall.server.workspaces[place.team].ephemerals
    assert (told.person, told.visible_text) == (place.person, "help")


async def test_ratings_comments_and_suggestions_belong_to_the_workspace(place: Place) -> None:
    server, hall = place.hall.server, place.hall
    root = await server.post_as(place.person, place.channel, "hello")
    ts = await place.answer(root)
    await server.press(place.person, place.channel, ts, "bridge:feedback", "dislike")
    pressed = await hall.next(ButtonPressed)
    assert (pressed.installation, pressed.message.address) == (place.team, f"{place.team}/{place.channel}/{ts}")
    assert pressed.author is not None
    assert pressed.author.home == ""
    views = server.workspaces[place.team].views
    view = await hall.shown_modal(place.person, views)
    await hall.submit(view, "too short", place.person)
    comment = await hall.next(CommentGiven)
    assert (comment.message, comment.text) == (pressed.message, "too short")
    await server.press(place.person, place.channel, ts, "bridge:ask:0")
    heard = await hall.next_unseen()
    assert (heard.text, heard.target.address) == ("More?", f"{place.team}/{place.channel}/{root}")
    assert not heard.is_external


async def test_a_message_of_the_workspace_can_be_asked_about(place: Place) -> None:
    server, hall = place.hall.server, place.hall
    ts = await server.post_as(place.person, place.channel, "the plan is to wait")
    await server.shortcut(place.person, SHORTCUT, place.channel, ts)
    view = await hall.shown_modal(place.person, server.workspaces[place.team].views)
    await hall.submit(view, "why?", place.person)
    heard = await hall.next_unseen()
    assert heard.about is not None
    assert (heard.about.who, heard.about.text) == ("Grace", "the plan is to wait")
    assert heard.target.address == f"{place.team}/{place.channel}/{ts}"


async def test_the_page_and_the_suggestions_are_those_of_the_person_there(place: Place) -> None:
    server, hall = place.hall.server, place.hall
    await server.open_home(place.person)
    opened = await hall.next(HomeOpened)
    home = Home(greeting="Hello", apps=(), usage="", help="", may_reset=True)
    await hall.platform.show_home(opened.target, opened.author, home)
    view = server.workspaces[place.team].views.homes[place.person]
    await server.press_in_view(place.person, view.id, "bridge:reset")
    order = await hall.next(CommandInvoked)
    assert (order.command, order.target.conversation.installation) == (Command.RESET, place.team)
    await server.open_dm(place.person)
    chat = await hall.next(ChatOpened)
    await hall.platform.suggest_prompts(chat.target, "Ask", ["What?"])
    (call,) = [one for one in server.calls if one.method == "assistant.threads.setSuggestedPrompts"]
    assert (call.ok, call.team) == (True, place.team)
