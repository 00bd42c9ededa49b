"""Installing the app by Slack's consent page, from the first click to the first answer, over real sockets."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from yarl import URL

from adapters.slack.installs.oauth import MOST_AT_ONCE, STATE_FOR
from adapters.slack.installs.records import token_in
from adapters.slack.installs.scopes import AppFeature
from bridge.messages import InstallationId
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.installing import App, Browser
from tests.fakes.clock import FakeClock

PATIENCE = 5.0


@pytest.fixture
async def app(server: SlackServer) -> AsyncIterator[App]:
    """Nowhere installed yet, while the stand-in has two workspaces without it."""
    server.add_workspace("T0ONE", "One", installed=False)
    server.add_workspace("T0TWO", "Two", installed=False)
    app = App(server)
    async with app:
        server.events_url = f"{app.url}/slack/events"
        yield app


@pytest.fixture
async def browser(app: App) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield browser


def titles(page: str) -> str:
    return " ".join(re.findall(r"<h1>(.*?)</h1>", page))


async def test_two_workspaces_install_the_app_and_each_is_answered_with_its_own_token(
    server: SlackServer, app: App, browser: Browser
) -> None:
    assert (await browser.install("U1ADA", "T0ONE"))[0] == 200
    status, page = await browser.install("U2ADA", "T0TWO")
    assert status == 200
    assert titles(page) == "Installed in Two"
    assert "/invite" in page
    for number, team in ((1, "T0ONE"), (2, "T0TWO")):
        channel, bot = f"C{number}GENERAL", server.workspaces[team].bot_user_id
        await server.invite_bot(f"U{number}ADA", channel)
        await server.post_as(f"U{number}ADA", channel, f"<@{bot}> hello")
    await server.idle(PATIENCE)
    assert {team for team, _ in app.answered} == {"T0ONE", "T0TWO"}
    assert dict(app.answered) == {team: server.workspaces[team].bot_token for team in ("T0ONE", "T0TWO")}
    for number in (1, 2):
        assert [m.text for m in server.messages(f"C{number}GENERAL") if m.is_bot] == ["heard"]


async def test_what_is_kept_says_who_the_bot_is_and_hides_the_token(app: App, browser: Browser) -> None:
    await browser.install("U1ADA", "T0ONE")
    (kept,) = app.installations.shelf.kept.values()
    assert (kept.id, kept.name) == ("T0ONE", "One")
    assert kept.facts["user"] == "U1BRIDGE"
    assert kept.facts["bot"] == "B1BRIDGE"
    assert kept.facts["installed_by"] == "U1ADA"
    assert token_in(kept).startswith("xoxb-")
    assert token_in(kept) not in repr(kept)


async def test_exactly_the_needed_scopes_are_asked_for(server: SlackServer, browser: Browser) -> None:
    asked = URL(await browser.begin()).query
    assert set(asked["scope"].split(",")) >= {"chat:write", "app_mentions:read", "files:read", "commands"}
    async with App(server, slack_features=frozenset({AppFeature.DIRECT})) as plain, Browser(plain) as another:
        asked = URL(await another.begin()).query
        assert asked["scope"] == "app_mentions:read,chat:write,im:history"
        assert asked["redirect_uri"] == f"{plain.url}/slack/oauth_redirect"


async def test_whoever_does_not_allow_it_gets_a_friendly_page(app: App, browser: Browser) -> None:
    state = URL(await browser.begin()).query["state"]
    status, page = await browser.go(f"{app.url}/slack/oauth_redirect?error=access_denied&state={state}")
    assert status == 200
    assert titles(page) == "Nothing was installed"
    assert "/slack/install" in page
    assert app.installations.shelf.states == {}


async def test_a_way_back_works_once(server: SlackServer, app: App, browser: Browser) -> None:
    back = await server.install(await browser.begin(), "U1ADA", "T0ONE")
    cookie = browser.cookie.partition(";")[0]
    assert (await browser.go(back))[0] == 200
    async with Browser(app) as again:
        again._session.headers["Cookie"] = cookie
        status, page = await again.go(back)
    assert status == 400
    assert titles(page) == "Please begin again"


async def test_a_way_back_works_in_the_browser_alone_in_which_it_began(
    server: SlackServer, app: App, browser: Browser
) -> None:
    """A link that somebody sends must not install their workspace in our name, or ours in theirs."""
    back = await server.install(await browser.begin(), "U1ADA", "T0ONE")
    async with Browser(app) as other:
        assert (await other.go(back))[0] == 400
        await other.begin()
        assert (await other.go(back))[0] == 400
    assert app.installations.shelf.kept == {}
    assert (await browser.go(back))[0] == 200


async def test_a_way_back_that_comes_too_late_is_refused(server: SlackServer) -> None:
    clock = FakeClock()
    server.add_workspace("T0ONE", "One", installed=False)
    async with App(server, clock=clock) as app, Browser(app) as browser:
        back = await server.install(await browser.begin(), "U1ADA", "T0ONE")
        await clock.advance((STATE_FOR + timedelta(seconds=1)).total_seconds())
        status, page = await browser.go(back)
        assert (status, titles(page)) == (400, "Please begin again")
        assert app.installations.shelf.kept == {}


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?code=x&state=x", "?error=odd%0Aline&state=x"])
async def test_a_way_back_that_was_not_begun_here_is_refused(app: App, browser: Browser, query: str) -> None:
    status, page = await browser.go(f"{app.url}/slack/oauth_redirect{query}")
    assert (status, titles(page)) == (400, "Please begin again")


async def test_a_code_that_slack_does_not_know_is_a_plain_page(app: App, browser: Browser) -> None:
    state = URL(await browser.begin()).query["state"]
    with capture_logs() as logs:
        status, page = await browser.go(f"{app.url}/slack/oauth_redirect?code=made-up&state={state}")
    assert (status, titles(page)) == (502, "Nothing was installed")
    assert "invalid_code" not in page
    assert [entry["event"] for entry in logs] == ["install_not_exchanged"]


async def test_a_wrong_client_secret_is_told_to_the_operator_alone(server: SlackServer) -> None:
    server.add_workspace("T0ONE", "One", installed=False)
    async with App(server, slack_client_secret="another-made-up-one") as app, Browser(app) as browser:
        with capture_logs() as logs:
            status, page = await browser.install("U1ADA", "T0ONE")
    assert (status, titles(page)) == (502, "Nothing was installed")
    assert "SLACK_CLIENT_SECRET" in logs[-1]["fix"]
    assert "secret" not in page.lower()


async def test_slack_out_of_reach_is_a_plain_page(server: SlackServer, app: App, browser: Browser) -> None:
    server.faults.fail_next["oauth.v2.access"] = [Fault.http(502)]
    status, page = await browser.install("U1ADA", "T0ONE")
    assert (status, titles(page)) == (502, "Slack did not answer")
    assert app.installations.shelf.kept == {}


async def test_a_bot_id_that_is_not_told_hinders_nobody(server: SlackServer, app: App, browser: Browser) -> None:
    server.faults.fail_next["auth.test"] = [Fault.http(502)]
    assert (await browser.install("U1ADA", "T0ONE"))[0] == 200
    assert "bot" not in app.installations.shelf.kept[InstallationId("T0ONE")].facts


async def test_a_store_that_is_down_is_a_plain_page_at_either_end(
    server: SlackServer, app: App, browser: Browser
) -> None:
    back = await server.install(await browser.begin(), "U1ADA", "T0ONE")
    app.installations.down = True
    for url in (back, f"{app.url}/slack/install"):
        status, page = await browser.go(url)
        assert (status, titles(page)) == (503, "Not now")
        assert "database" not in page


async def test_nobody_can_fill_the_store_by_beginning(app: App, browser: Browser) -> None:
    for _ in range(MOST_AT_ONCE):
        await browser.begin()
    status, page = await browser.go(f"{app.url}/slack/install")
    assert (status, titles(page)) == (429, "Just a moment")
    assert len(app.installations.shelf.states) == MOST_AT_ONCE


async def test_the_cookie_is_for_the_server_alone(server: SlackServer, app: App, browser: Browser) -> None:
    await browser.begin()
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in browser.cookie.split(";")}
    secure = App(server, slack_public_url="https://bot.example.com/bridge")
    async with secure:
        async with Browser(secure) as other:
            url = URL(await other.begin())
        assert "Secure" in other.cookie
        assert other.cookie.startswith("__Host-")
        assert url.query["redirect_uri"] == "https://bot.example.com/bridge/slack/oauth_redirect"


async def test_pages_are_kept_by_nobody_and_tell_no_other_site_of_the_code(app: App, browser: Browser) -> None:
    async with browser._session.get(f"{app.url}/slack/oauth_redirect?code=x&state=x") as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]


async def test_the_name_of_a_workspace_is_no_markup(server: SlackServer, app: App, browser: Browser) -> None:
    server.add_workspace("T0ODD", "<script>alert(1)</script>", installed=False)
    _, page = await browser.install("U3ADA", "T0ODD")
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


async def test_no_token_is_seen_in_pages_logs_or_addresses(
    server: SlackServer, app: App, browser: Browser, capsys: pytest.CaptureFixture[str]
) -> None:
    server.token_rotation = True
    with capture_logs() as logs:
        begun = await browser.begin()
        back = await server.install(begun, "U1ADA", "T0ONE")
        _, page = await browser.go(back)
    (kept,) = app.installations.shelf.kept.values()
    secrets = [token_in(kept), kept.secrets["refresh_token"].get_secret_value(), server.client_secret]
    code, state = URL(back).query["code"], URL(back).query["state"]
    captured = capsys.readouterr()
    for secret in secrets:
        assert all(secret not in place for place in (page, begun, back, str(logs), captured.out, captured.err))
    assert all(word not in str(logs) + page for word in (code, state))


async def test_an_organisation_installs_the_app_for_all_its_workspaces(
    server: SlackServer, app: App, browser: Browser
) -> None:
    server.add_workspace("T0NORTH", "North", "E0BIG", installed=False)
    server.add_workspace("T0SOUTH", "South", "E0BIG", installed=False)
    status, page = await browser.install("W3ADA", "E0BIG")
    assert status == 200
    assert "admins choose" in page
    assert list(app.installations.shelf.kept) == ["E0BIG"]
    bot = server.workspaces["T0SOUTH"].bot_user_id
    for number in (3, 4):
        await server.invite_bot(f"W{number}ADA", f"C{number}GENERAL")
        await server.post_as(f"W{number}ADA", f"C{number}GENERAL", f"<@{bot}> hello")
    await server.idle(PATIENCE)
    assert {team for team, _ in app.answered} == {"T0NORTH", "T0SOUTH"}
    assert len({token for _, token in app.answered}) == 1
    assert app.workspaces.team_id("T0SOUTH") == "T0SOUTH"
    assert app.workspaces.team_id("T0ONE") is None
    # A process that has heard nothing yet goes on with work that it finds, which names the workspace alone.
    async with App(server, shelf=app.installations.shelf) as restarted:
        assert await restarted.workspaces.token_of("T0NORTH") == app.answered[0][1]
        assert restarted.workspaces.team_id("T0NORTH") == "T0NORTH"


async def test_what_was_known_of_an_organisation_outlives_its_next_installation(
    server: SlackServer, app: App, browser: Browser
) -> None:
    server.add_workspace("T0NORTH", "North", "E0BIG", installed=False)
    await browser.install("W3ADA", "E0BIG")
    await server.invite_bot("W3ADA", "C3GENERAL")
    await server.post_as("W3ADA", "C3GENERAL", f"<@{server.workspaces['T0NORTH'].bot_user_id}> hello")
    await server.idle(PATIENCE)
    await browser.install("W3ADA", "E0BIG")
    assert app.installations.shelf.kept[InstallationId("E0BIG")].facts["teams"] == "T0NORTH"


async def test_a_workspace_without_the_app_is_not_answered(server: SlackServer, app: App) -> None:
    workspace = server.add_workspace("T0LEFT", "Left")
    await server.post_as("U3ADA", "C3GENERAL", f"<@{workspace.bot_user_id}> hello")
    await server.idle(PATIENCE)
    assert app.answered == []
    assert set(app.ignored) == {"T0LEFT"}
    assert {delivery.outcome for delivery in server.deliveries} == {"acked"}


async def test_bolts_own_use_of_these_variables_does_no_harm(
    server: SlackServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """With both in the environment bolt prepares to keep installations in files of its own."""
    monkeypatch.setenv("SLACK_CLIENT_ID", server.client_id)
    monkeypatch.setenv("SLACK_CLIENT_SECRET", server.client_secret)
    monkeypatch.setenv("HOME", str(tmp_path))
    server.add_workspace("T0ONE", "One", installed=False)
    async with App(server) as app, Browser(app) as browser:
        server.events_url = f"{app.url}/slack/events"
        assert await server.verify_url()
        await browser.install("U1ADA", "T0ONE")
        await server.invite_bot("U1ADA", "C1GENERAL")
        await server.post_as("U1ADA", "C1GENERAL", f"<@{server.workspaces['T0ONE'].bot_user_id}> hello")
        await server.idle(PATIENCE)
        assert [team for team, _ in app.answered] == ["T0ONE"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("query", ["state=x", "state=%ED%A0%80", "state=%FF%00", "state=x&state=y&code=%F0%9F%98%80"])
async def test_bytes_that_are_no_text_are_refused_like_any_other_word(app: App, query: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port)
    head = f"GET /slack/oauth_redirect?{query} HTTP/1.1\r\nHost: bot\r\nConnection: close\r\n".encode()
    writer.write(head + b"Cookie: slack-install=\xff\xfe; __Host-slack-install=\xed\xa0\x80\r\n\r\n")
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"Please begin again" in answer
