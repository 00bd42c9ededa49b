"""One bridge in many workspaces, all of it: installed by people in their browsers, asked, answered, restarted, left.

Its database, keys and web server are the real ones. What single parts do is tested beside the adapter.
"""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from structlog.testing import capture_logs
from yarl import URL

from bridge.check import check_all
from bridge.platform_api import Finding, Severity
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Message
from tests.adapters.slack.installing import Browser
from tests.integration.slack_world import KEY, World, living, say

NEW_KEY = "another key of the tests with more than 32 characters"

ONE, TWO, NORTH, SOUTH = "T0ONE", "T0TWO", "T0NORTH", "T0SOUTH"
NUMBER = {ONE: 1, TWO: 2, NORTH: 3, SOUTH: 4}
"""In the ids of all that is in a workspace. The last two belong to an organisation."""

TRANSPORTS = pytest.mark.parametrize("http", [False, True], ids=["socket", "http"])


class ManyWorlds(World):
    """At a Slack with four workspaces that do not have the app, beside one that has it by other means."""

    def __init__(self, folder: Path, *, http: bool, rotation: bool = False) -> None:
        super().__init__(folder, http=http, many=True)
        self.slack.token_rotation = rotation
        self.slack.redirect_urls = [self.url]
        for team in (ONE, TWO):
            self.slack.add_workspace(team, f"Name of {team}", installed=False)
        for team in (NORTH, SOUTH):
            self.slack.add_workspace(team, f"Name of {team}", "E0BIG", installed=False)
        self.dify.script = lambda query: say("This is ", "the answer ", f"to {query}.")

    @property
    def server(self) -> SlackServer:
        return self.slack

    async def install(self, *teams: str) -> None:
        async with Browser(self) as browser:
            for team in teams:
                status, page = await browser.install(_person(team), team)
                assert status == 200, page

    async def mention(self, team: str, text: str, thread: str | None = None) -> str:
        """In #general of that workspace. Returns the thread."""
        workspace, channel, person = self.slack.workspaces[team], _channel(team), _person(team)
        if workspace.bot_user_id not in workspace.channels[channel].members:
            await self.slack.invite_bot(person, channel)
        return await self.ask(text, channel, person, thread)

    async def answered_in(self, team: str, thread: str, text: str, count: int = 1) -> list[Message]:
        return await self.answered(_channel(team), thread, f"the answer to {text}.", count)

    def writers(self, team: str) -> set[str]:
        """The workspaces whose tokens wrote into #general of this one."""
        return {
            call.team
            for call in self.slack.calls
            if call.method.startswith("chat.") and call.args.get("channel") == _channel(team)
        }


def _person(team: str) -> str:
    return f"{'W' if team in (NORTH, SOUTH, 'E0BIG') else 'U'}{NUMBER.get(team, 3)}ADA"


def _channel(team: str) -> str:
    return f"C{NUMBER[team]}GENERAL"


@TRANSPORTS
async def test_two_workspaces_are_answered_each_with_its_own_token_also_after_a_restart(
    http: bool, tmp_path: Path
) -> None:
    world = ManyWorlds(tmp_path, http=http)
    async with living(world):
        await world.install(ONE, TWO)
        threads = {team: await world.mention(team, f"first of {team}") for team in (ONE, TWO)}
        for team, thread in threads.items():
            await world.answered_in(team, thread, f"first of {team}")
        await world.restart(kill=True)
        for team, thread in threads.items():
            await world.mention(team, f"second of {team}", thread)
            _, answer = await world.answered_in(team, thread, f"second of {team}", count=2)
            await world.press(answer, "like", _person(team))
        await world.until(lambda: len(world.dify.ratings) == 2, "both are rated")
        assert [world.writers(team) for team in (ONE, TWO)] == [{ONE}, {TWO}]
        assert world.failed_calls() == []
        conversations = [request.conversation_id for request in world.requests]
        assert len(conversations) == 4
        assert len(set(conversations[2:])) == 2, "each goes on with its own conversation"
        # A workspace that has the app without us is nobody's business.
        await world.slack.post_as("U0ADA", "C0GENERAL", f"<@{world.slack.bot_user_id}> and here?")
        await world.settled()
        assert len(world.requests) == 4
        assert {delivery.outcome for delivery in world.slack.deliveries} == {"acked"}


@TRANSPORTS
async def test_an_organisation_is_answered_in_each_of_its_workspaces_also_after_a_restart(
    http: bool, tmp_path: Path
) -> None:
    world = ManyWorlds(tmp_path, http=http)
    async with living(world):
        await world.install("E0BIG")
        threads = {team: await world.mention(team, f"first of {team}") for team in (NORTH, SOUTH)}
        for team, thread in threads.items():
            await world.answered_in(team, thread, f"first of {team}")
        await world.restart(kill=True)
        for team, thread in threads.items():
            await world.mention(team, f"second of {team}", thread)
            await world.answered_in(team, thread, f"second of {team}", count=2)
        assert world.failed_calls() == []


@TRANSPORTS
async def test_a_workspace_that_leaves_is_forgotten_and_may_come_back(http: bool, tmp_path: Path) -> None:
    world = ManyWorlds(tmp_path, http=http)
    async with living(world):
        await world.install(ONE, TWO)
        thread = await world.mention(ONE, "before")
        await world.answered_in(ONE, thread, "before")
        await world.settled()
        await world.slack.uninstall(ONE)
        await world.settled()
        subjects = {finding.subject for finding in await check_slack(world)}
        assert any(TWO in subject for subject in subjects)
        assert not any(ONE in subject for subject in subjects)
        await world.install(ONE)
        thread = await world.mention(ONE, "after")
        await world.answered_in(ONE, thread, "after")


async def check_slack(world: World) -> list[Finding]:
    (slack,) = [part for part in await check_all(world._configuration()) if part.part == "slack"]
    return list(slack.findings)


async def test_a_scope_that_one_workspace_lacks_is_told_with_its_name(tmp_path: Path) -> None:
    world = ManyWorlds(tmp_path, http=True)
    async with living(world):
        await world.install(ONE, TWO)
        two = world.slack.workspaces[TWO]
        two.scopes = [scope for scope in two.scopes if scope != "files:read"]
        (lacking,) = [one for one in await check_slack(world) if one.severity is not Severity.OK]
        assert lacking.subject == f"Slack scope files:read in Name of {TWO} ({TWO})"
        assert f"{world.url}/slack/install" in lacking.fix


async def test_the_key_is_changed_without_anybody_installing_again(tmp_path: Path) -> None:
    world = ManyWorlds(tmp_path, http=True)
    async with living(world):
        await world.install(ONE)
        await world.stop_bridge()
        world.database["encryption_key"] = f"{NEW_KEY},{KEY}"
        await world.start_bridge()
        thread = await world.mention(ONE, "with both keys")
        await world.answered_in(ONE, thread, "with both keys")
        assert world.app is not None
        for chore in world.app.supervisor._parts.chores:  # what it does by itself every so often
            await chore()
        await world.stop_bridge()
        world.database["encryption_key"] = NEW_KEY
        await world.start_bridge()
        thread = await world.mention(ONE, "with the new one")
        await world.answered_in(ONE, thread, "with the new one")


async def test_neither_tokens_nor_words_of_the_installation_are_anywhere_to_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    world = ManyWorlds(tmp_path, http=True, rotation=True)
    async with living(world):
        with capture_logs() as logs:
            async with Browser(world) as browser:
                begun = await browser.begin()
                back = await world.slack.install(begun, _person(ONE), ONE)
                status, page = await browser.go(back)
                again = await browser.go(back)
            assert (status, again[0]) == (200, 400)
            thread = await world.mention(ONE, "hello")
            await world.answered_in(ONE, thread, "hello")
            metrics = await _get(f"{world.url}/metrics")
            await world.stop_bridge()
        token = world.slack.workspaces[ONE].bot_token
        assert token.startswith("xoxe.xoxb-1-")
        refresh_token = token.replace("xoxe.xoxb-1-", "xoxe-1-")
        way = [URL(back).query[name] for name in ("code", "state")]
        written, shown = str(logs), capsys.readouterr()
        on_disk = await asyncio.to_thread(_everything_in, tmp_path)
        for secret in (token, refresh_token, world.slack.client_secret):
            assert all(secret not in place for place in (begun, back, page, again[1], metrics, written, *shown))
            assert secret.encode() not in on_disk
        for word in way:
            assert all(word not in place for place in (page, again[1], metrics, written, *shown))
            assert word.encode() not in on_disk


def _everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())


async def _get(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()
