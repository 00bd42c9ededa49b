"""The whole platform in many workspaces, by Socket Mode and over HTTP: installed, asked, answered, removed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from adapters.slack.adapter import SlackPlatform
from bridge.errors import NotAllowed
from bridge.events import MessageReceived
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.installing import Browser
from tests.adapters.slack.peer import Bridge, make_platform, question, until
from tests.fakes.installations import FakeInstallations
from tests.fakes.ports import free_port

PATIENCE = 5.0


class Site:
    """A platform whose routes are served."""

    def __init__(self, server: SlackServer, platform: SlackPlatform, url: str) -> None:
        self.server, self.platform, self.url = server, platform, url
        self.installations = FakeInstallations()


@asynccontextmanager
async def served(server: SlackServer, *, http: bool) -> AsyncIterator[Site]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    server.redirect_urls = [url]
    platform = make_platform(
        server,
        http=http,
        slack_bot_token=None,
        slack_client_id=server.client_id,
        slack_client_secret=server.client_secret,
        slack_public_url=url,
    )
    site = Site(server, platform, url)
    app = web.Application()
    for route in platform.web_routes():
        app.router.add_route(route.method, route.path, route.handler)
    platform.use_installations(site.installations)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    if http:
        server.events_url = f"{url}/slack/events"
    try:
        yield site
    finally:
        await runner.cleanup()
        await platform.close()


@pytest.fixture(params=[False, True], ids=["socket", "http"])
async def site(server: SlackServer, request: pytest.FixtureRequest) -> AsyncIterator[Site]:
    server.add_workspace("T0ONE", "One", installed=False)
    server.add_workspace("T0TWO", "Two", installed=False)
    async with served(server, http=bool(request.param)) as site:
        yield site


async def ask(server: SlackServer, number: int, team: str, text: str = "hello") -> str:
    channel, bot = f"C{number}GENERAL", server.workspaces[team].bot_user_id
    if bot not in server.workspaces[team].channels[channel].members:
        await server.invite_bot(f"U{number}ADA", channel)
    return await server.post_as(f"U{number}ADA", channel, f"<@{bot}> {text}")


async def asked(bridge: Bridge, questions: int = 1) -> list[MessageReceived]:
    """So many different ones: a mention comes twice, as Slack tells it."""
    await until(lambda: len({event.ref for event in bridge.inbox.questions}) >= questions, f"{questions} questions")
    return list({event.ref: event for event in bridge.inbox.questions}.values())


async def test_each_workspace_is_heard_and_answered_as_its_own(server: SlackServer, site: Site) -> None:
    async with Bridge(server, site.platform) as bridge, Browser(site) as browser:
        assert "no workspace has installed" in site.platform.health().detail
        assert (await browser.install("U1ADA", "T0ONE"))[0] == 200
        assert (await browser.install("U2ADA", "T0TWO"))[0] == 200
        for number, team in ((1, "T0ONE"), (2, "T0TWO")):
            await ask(server, number, team)
        heard = await asked(bridge, 2)
        assert {event.target.conversation.installation for event in heard} == {"T0ONE", "T0TWO"}
        assert all(event.mentions_bot for event in heard)
        assert site.platform.health().detail == ""
        for event in heard:
            await site.platform.send(event.target, question(f"to {event.target.conversation.installation}"))
    for number, team in ((1, "T0ONE"), (2, "T0TWO")):
        assert [m.text for m in server.messages(f"C{number}GENERAL") if m.is_bot] == [f"to {team}"]
    posts = [call.team for call in server.calls if call.method == "chat.postMessage"]
    assert sorted(posts) == ["T0ONE", "T0TWO"]


async def test_a_workspace_that_removes_the_app_is_neither_heard_nor_written_to(
    server: SlackServer, site: Site
) -> None:
    async with Bridge(server, site.platform) as bridge, Browser(site) as browser:
        await browser.install("U1ADA", "T0ONE")
        await ask(server, 1, "T0ONE")
        (event,) = await asked(bridge)
        await server.uninstall("T0ONE")
        await until(lambda: not site.installations.shelf.kept, "the removal")
        with pytest.raises(NotAllowed) as refused:
            await site.platform.send(event.target, question())
        assert refused.value.code == "not_installed"


async def test_a_restart_goes_on_with_what_was_asked_before(server: SlackServer, site: Site) -> None:
    async with Bridge(server, site.platform) as bridge, Browser(site) as browser:
        await browser.install("U1ADA", "T0ONE")
        await ask(server, 1, "T0ONE")
        (event,) = await asked(bridge)
    async with served(server, http=False) as again:
        again.installations.shelf = site.installations.shelf
        await again.platform.send(event.target, question("after the restart"))
    assert [m.text for m in server.messages("C1GENERAL") if m.is_bot] == ["after the restart"]


async def test_check_looks_at_every_workspace(server: SlackServer, site: Site) -> None:
    async with Bridge(server, site.platform), Browser(site) as browser:
        await browser.install("U1ADA", "T0ONE")
        subjects = [finding.subject for finding in await site.platform.check()]
        assert "Slack workspace One (T0ONE)" in subjects


async def test_one_workspace_needs_none_of_it(server: SlackServer) -> None:
    platform = make_platform(server)
    platform.use_installations(FakeInstallations())
    async with Bridge(server, platform) as bridge:
        await server.post_as("U0ADA", "C0GENERAL", f"<@{server.bot_user_id}> hello")
        assert len(await asked(bridge)) == 1
    await platform.close()
    assert {route.path for route in platform.web_routes()} == set()


async def test_a_token_that_expired_is_renewed_under_way(server: SlackServer, site: Site) -> None:
    server.token_rotation = True
    async with Bridge(server, site.platform) as bridge, Browser(site) as browser:
        await browser.install("U1ADA", "T0ONE")
        await ask(server, 1, "T0ONE")
        (event,) = await asked(bridge)
        server.faults.fail_next["chat.postMessage"] = [Fault.refuse("token_expired")]
        await site.platform.send(event.target, question("with the next one"))
    assert [m.text for m in server.messages("C1GENERAL") if m.is_bot] == ["with the next one"]


async def test_an_organisation_is_answered_in_each_of_its_workspaces(server: SlackServer, site: Site) -> None:
    server.add_workspace("T0NORTH", "North", "E0BIG", installed=False)
    server.add_workspace("T0SOUTH", "South", "E0BIG", installed=False)
    async with Bridge(server, site.platform) as bridge, Browser(site) as browser:
        assert (await browser.install("W3ADA", "E0BIG"))[0] == 200
        for number, team in ((3, "T0NORTH"), (4, "T0SOUTH")):
            channel = f"C{number}GENERAL"
            await server.invite_bot(f"W{number}ADA", channel)
            await server.post_as(f"W{number}ADA", channel, f"<@{server.workspaces[team].bot_user_id}> hello")
        for event in await asked(bridge, 2):
            await site.platform.send(event.target, question(f"to {event.target.conversation.installation}"))
    for number, team in ((3, "T0NORTH"), (4, "T0SOUTH")):
        assert [m.text for m in server.messages(f"C{number}GENERAL") if m.is_bot] == [f"to {team}"]
    assert {call.args.get("team_id") for call in server.calls if call.method == "chat.postMessage"} == {
        "T0NORTH",
        "T0SOUTH",
    }
