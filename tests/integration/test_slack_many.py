"""Many workspaces: the app is installed by OAuth while the bridge runs, and each workspace is answered with its own token."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.integration.slack_world import World, living, say


@pytest.fixture(params=["socket", "http"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path, many=True, http=request.param == "http")) as started:
        started.slack.redirect_urls = [started.url]
        started.dify.script = lambda query: say(f"re: {query}")
        for team, name in (("T0ONE", "One"), ("T0TWO", "Two")):
            started.slack.add_workspace(team, name, installed=False)
        yield started


async def install(world: World, team: str, person: str) -> str:
    """As somebody with a browser does. Returns the page at the end."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(f"{world.url}/slack/install", allow_redirects=False) as response:
            assert response.status == 302
            consent = response.headers["Location"]
        back = await world.slack.install(consent, person, team)
        async with browser.get(back) as response:
            page = await response.text()
            assert response.status == 200, page
            return page


async def test_two_workspaces_install_the_app_and_each_is_answered_with_its_own_token(world: World) -> None:
    for team, person in (("T0ONE", "U1ADA"), ("T0TWO", "U2ADA")):
        await install(world, team, person)
    for channel, person in (("C1GENERAL", "U1ADA"), ("C2GENERAL", "U2ADA")):
        await world.slack.invite_bot(person, channel)
    roots = {
        channel: await world.ask(f"Hello from {channel}", channel=channel, person=person)
        for channel, person in (("C1GENERAL", "U1ADA"), ("C2GENERAL", "U2GRACE"))
    }
    for channel, root in roots.items():
        await world.answered(channel, root, f"re: Hello from {channel}")
    await world.settled()
    written = {
        call.team: str(call.args.get("channel")) for call in world.slack.calls if call.method == "chat.postMessage"
    }
    assert written == {"T0ONE": "C1GENERAL", "T0TWO": "C2GENERAL"}
    first, second = world.requests
    assert first.user != second.user
    assert world.failed_calls() == []


async def test_an_installation_outlives_the_process_and_its_token_is_nowhere_to_be_read(
    world: World, tmp_path: Path
) -> None:
    await install(world, "T0ONE", "U1ADA")
    await world.slack.invite_bot("U1ADA", "C1GENERAL")
    await world.restart()
    root = await world.ask("Still there?", channel="C1GENERAL", person="U1ADA")
    (answer,) = await world.answered("C1GENERAL", root, "re: Still there?")
    await world.press(answer, "like", "U1ADA")
    await world.until(lambda: bool(world.dify.ratings), "rated")
    token = world.slack.workspaces["T0ONE"].bot_token.encode()
    assert token
    await world.stop_bridge()
    assert not any(token in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())


async def test_a_workspace_that_removes_the_app_is_not_answered_until_it_installs_it_again(world: World) -> None:
    await install(world, "T0ONE", "U1ADA")
    await world.slack.uninstall("T0ONE")
    await world.slack.idle(5)
    await install(world, "T0ONE", "U1ADA")
    await world.slack.invite_bot("U1ADA", "C1GENERAL")
    root = await world.ask("Back again?", channel="C1GENERAL", person="U1ADA")
    await world.answered("C1GENERAL", root, "re: Back again?")
    assert {call.args.get("channel") for call in world.calls("chat.postMessage")} == {"C1GENERAL"}


async def test_tokens_that_expire_are_renewed_while_the_bridge_runs(world: World) -> None:
    world.slack.token_rotation = True
    await install(world, "T0ONE", "U1ADA")
    await world.slack.invite_bot("U1ADA", "C1GENERAL")
    root = await world.ask("Hello?", channel="C1GENERAL", person="U1ADA")
    await world.answered("C1GENERAL", root, "re: Hello?")
    await world.restart()
    root = await world.ask("And now?", channel="C1GENERAL", person="U1ADA")
    await world.answered("C1GENERAL", root, "re: And now?")
