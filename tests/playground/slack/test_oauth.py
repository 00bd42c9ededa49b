"""OAuth: through bolt's own flow where it has one, and every way in which an exchange is refused."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from aiohttp import ClientSession, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore
from slack_sdk.oauth.token_rotation.async_rotator import AsyncTokenRotator
from slack_sdk.web.async_client import AsyncWebClient

from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault, JsonObject
from tests.fakes.clock import FakeClock
from tests.playground.slack.peers import SOON, error_of, web_client

# slack_sdk 3.47 sends the app's id and secret in a way that aiohttp 3.14 wants to see the end of.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")

SCOPES = ["chat:write", "app_mentions:read", "commands"]
BACK = "https://bridge.example/slack/oauth_redirect"


@pytest.fixture(autouse=True)
def no_retries(server: SlackServer) -> None:
    server.retry_schedule = ()
    server.redirect_urls = ["https://bridge.example/slack"]


def asking(server: SlackServer, **changes: str) -> str:
    query = {"client_id": server.client_id, "scope": ",".join(SCOPES), "state": "s1", "redirect_uri": BACK}
    return f"{server.authorize_url}?{urlencode({**query, **changes})}"


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def anonymous(server: SlackServer) -> AsyncWebClient:
    return AsyncWebClient(base_url=server.api_url, retry_handlers=[], timeout=5)


async def exchange(server: SlackServer, **changes: str) -> JsonObject:
    args = {"client_id": server.client_id, "client_secret": server.client_secret, **changes}
    return cast("JsonObject", (await anonymous(server).oauth_v2_access(**args)).data)


async def installed(server: SlackServer, team_id: str, user_id: str, **changes: str) -> JsonObject:
    code = query_of(await server.install(asking(server, **changes), user_id, team_id))["code"]
    return await exchange(server, code=code, redirect_uri=BACK)


# The consent page


async def _form(session: ClientSession, url: str, **changes: str) -> tuple[int, str]:
    """Presses a button of the consent page. Returns the status and where it leads."""
    fields = {**query_of(url), "team": "T0PLAYGROUND", "user": "U0ADA", "decision": "allow", **changes}
    async with session.post(url.partition("?")[0], data=fields, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", "")


async def test_the_consent_page_shows_what_is_wanted_and_leads_back_with_a_code_or_an_error(
    server: SlackServer,
) -> None:
    url = asking(server, state='"><script>')
    async with ClientSession() as session:
        async with session.get(url) as response:
            page = await response.text()
            assert (response.status, response.content_type) == (200, "text/html")
        assert all(scope in page for scope in SCOPES)
        assert "<script>" not in page
        status, location = await _form(session, url)
        assert (status, location.startswith(f"{BACK}?")) == (302, True)
        assert query_of(location) == {"state": '"><script>', "code": query_of(location)["code"]}
        status, location = await _form(session, url, decision="deny")
        assert (status, query_of(location)) == (302, {"state": '"><script>', "error": "access_denied"})
        assert (await _form(session, url, team="T0NONE"))[0] == 400
        assert (await _form(session, url, user="U0NOBODY"))[0] == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "1.2"}, "invalid_client_id"),
        ({"scope": ""}, "no_scopes"),
        ({"scope": "chat:write,everything"}, "invalid_scope"),
        ({"user_scope": "chat:write"}, "invalid_scope"),
        ({"redirect_uri": "https://elsewhere.example/slack"}, "bad_redirect_uri"),
    ],
)
async def test_there_is_no_consent_page_for_a_wish_that_slack_refuses(
    server: SlackServer, changes: dict[str, str], error: str
) -> None:
    url = asking(server, **changes)
    async with ClientSession() as session, session.get(url) as response:
        assert (response.status, error in await response.text()) == (400, True)
    with pytest.raises(ValueError, match=error):
        await server.install(url, "U0ADA", "T0PLAYGROUND")


async def test_no_redirect_is_accepted_until_one_is_set_up(server: SlackServer) -> None:
    server.redirect_urls = []
    with pytest.raises(ValueError, match="bad_redirect_uri"):
        await server.install(asking(server), "U0ADA", "T0PLAYGROUND")


# The exchange


async def test_a_code_brings_a_token_that_works_in_the_workspace_with_the_scopes_that_were_granted(
    server: SlackServer,
) -> None:
    workspace = server.add_workspace("T0OTHER", "Other", installed=False)
    assert workspace.bot_token == ""
    answer = await installed(server, "T0OTHER", "U1ADA")
    assert answer == {
        "ok": True,
        "app_id": server.app_id,
        "authed_user": {"id": "U1ADA"},
        "scope": ",".join(SCOPES),
        "token_type": "bot",
        "access_token": workspace.bot_token,
        "bot_user_id": "U1BRIDGE",
        "team": {"id": "T0OTHER", "name": "Other"},
        "enterprise": None,
        "is_enterprise_install": False,
    }
    client = web_client(server, str(answer["access_token"]))
    response = await client.auth_test()
    assert (response["team_id"], response.headers["x-oauth-scopes"]) == ("T0OTHER", ",".join(SCOPES))
    assert await error_of(client.chat_postMessage(channel="C1GENERAL", text="x")) == "not_in_channel"
    await server.invite_bot("U1ADA", "C1GENERAL")
    assert await error_of(client.chat_postMessage(channel="C1GENERAL", text="x")) == ""
    assert await error_of(client.chat_postMessage(channel="D1ADA", text="x")) == ""


async def test_a_workspace_without_the_app_tells_it_nothing_and_offers_nothing_of_it(server: SlackServer) -> None:
    server.add_workspace("T0OTHER", "Other", installed=False)
    await server.post_as("U1ADA", "C1GENERAL", "<@U1BRIDGE> hi")
    await server.post_as("U1ADA", "D1ADA", "hi")
    assert server.deliveries == []
    with pytest.raises(ValueError, match="not a valid command"):
        await server.command("U1ADA", "C1GENERAL", "/ask", "x")
    with pytest.raises(ValueError, match="not in T0OTHER"):
        await server.open_home("U1ADA")


async def test_a_code_is_good_once_for_its_redirect_and_with_the_right_secret(server: SlackServer) -> None:
    async def code() -> str:
        return query_of(await server.install(asking(server), "U0ADA", "T0PLAYGROUND"))["code"]

    used = await code()
    await exchange(server, code=used, redirect_uri=BACK)
    refused = {
        "invalid_code": {"code": used, "redirect_uri": BACK},
        "bad_redirect_uri": {"code": await code(), "redirect_uri": "https://bridge.example/slack/other"},
        "bad_client_secret": {"code": await code(), "redirect_uri": BACK, "client_secret": "wrong"},
        "invalid_client_id": {"code": await code(), "redirect_uri": BACK, "client_id": "wrong"},
        "invalid_grant_type": {"code": await code(), "redirect_uri": BACK, "grant_type": "password"},
    }
    for error, changes in refused.items():
        assert await error_of(exchange(server, **changes)) == error
    assert await error_of(exchange(server, code=await code())) == "bad_redirect_uri"  # one was asked with


async def test_the_secret_may_be_sent_as_fields_of_the_form(server: SlackServer) -> None:
    fields = {
        "client_id": server.client_id,
        "client_secret": server.client_secret,
        "redirect_uri": BACK,
        "code": query_of(await server.install(asking(server), "U0ADA", "T0PLAYGROUND"))["code"],
    }
    async with ClientSession() as session, session.post(server.api_url + "oauth.v2.access", data=fields) as response:
        answer = await response.json()
    assert (answer["ok"], answer["access_token"]) == (True, server.bot_token)
    assert "x-oauth-scopes" not in response.headers


@asynccontextmanager
async def at_standstill() -> AsyncIterator[tuple[SlackServer, FakeClock]]:
    """A stand-in whose time moves on only when it is told to."""
    clock = FakeClock()
    server = SlackServer(clock)
    server.retry_schedule = ()
    server.redirect_urls = [BACK]
    await server.start()
    yield server, clock
    await server.stop()


async def test_a_code_must_be_exchanged_within_ten_minutes() -> None:
    async with at_standstill() as (server, clock):
        for seconds, error in ((600.0, ""), (601.0, "invalid_code")):
            code = query_of(await server.install(asking(server), "U0ADA", "T0PLAYGROUND"))["code"]
            await clock.advance(seconds)
            assert await error_of(exchange(server, code=code, redirect_uri=BACK)) == error


async def test_scopes_add_up_while_the_app_stays_and_start_anew_after_it_was_removed(server: SlackServer) -> None:
    server.add_workspace("T0OTHER", "Other", installed=False)
    first = await installed(server, "T0OTHER", "U1ADA", scope="chat:write")
    second = await installed(server, "T0OTHER", "U1ADA", scope="files:read")
    assert second["scope"] == "chat:write,files:read"
    assert second["access_token"] == first["access_token"]
    await server.uninstall("T0OTHER")
    third = await installed(server, "T0OTHER", "U1ADA", scope="files:read")
    assert third["scope"] == "files:read"
    assert third["access_token"] != first["access_token"]


# Rotation


async def test_a_rotated_token_expires_by_the_clock_and_a_refresh_token_works_once() -> None:
    async with at_standstill() as (server, clock):
        server.token_rotation = True
        first = await installed(server, "T0PLAYGROUND", "U0ADA")
        assert first["expires_in"] == 43_200
        await clock.advance(40_000)
        renewed = await _refresh(server, str(first["refresh_token"]))
        assert renewed["access_token"] not in ("", first["access_token"])
        assert renewed["refresh_token"] not in ("", first["refresh_token"])
        assert (renewed["expires_in"], renewed["team"]) == (43_200, {"id": "T0PLAYGROUND", "name": "Playground"})
        assert await error_of(_refresh(server, str(first["refresh_token"]))) == "invalid_refresh_token"
        old, new = (web_client(server, str(one["access_token"])) for one in (first, renewed))
        assert await error_of(old.auth_test()) == ""
        await clock.advance(3_200)
        assert await error_of(old.auth_test()) == "token_expired"
        assert await error_of(new.auth_test()) == ""
        await clock.advance(40_000)
        assert await error_of(new.auth_test()) == "token_expired"


async def _refresh(server: SlackServer, refresh_token: str) -> JsonObject:
    return await exchange(server, grant_type="refresh_token", refresh_token=refresh_token)


async def test_a_renewal_whose_answer_is_lost_has_used_the_refresh_token_up(server: SlackServer) -> None:
    server.token_rotation = True
    first = await installed(server, "T0PLAYGROUND", "U0ADA")
    server.faults.fail_next["oauth.v2.access"] = [Fault.http(500, after_effect=True)]
    with pytest.raises(Exception, match="500"):
        await _refresh(server, str(first["refresh_token"]))
    assert await error_of(_refresh(server, str(first["refresh_token"]))) == "invalid_refresh_token"


# The end of an installation


@pytest.mark.parametrize("by", ["a person", "apps.uninstall", "auth.revoke"])
async def test_an_installation_that_ends_takes_its_token_with_it_and_says_so(
    server: SlackServer, client: AsyncWebClient, by: str
) -> None:
    if by == "a person":
        await server.uninstall()
    elif by == "apps.uninstall":
        await client.apps_uninstall(client_id=server.client_id, client_secret=server.client_secret)
    else:
        assert (await client.auth_revoke(test=True))["revoked"] is False
        assert (await client.auth_revoke())["revoked"] is True
    dead = "token_revoked" if by == "auth.revoke" else "account_inactive"
    assert await error_of(client.auth_test()) == dead
    await server.post_as("U0ADA", "D0ADA", "anybody there?")
    told = {one.type: one.payload for one in server.deliveries}
    assert set(told) == {"tokens_revoked"} | ({"app_uninstalled"} if by != "auth.revoke" else set())
    assert told["tokens_revoked"]["event"]["tokens"] == {"oauth": [], "bot": ["U0BRIDGE"]}  # type: ignore[index]
    for payload in told.values():
        assert (payload["team_id"], "authorizations" in payload) == ("T0PLAYGROUND", False)


async def test_the_end_comes_in_any_order_and_only_to_who_wants_to_know(server: SlackServer) -> None:
    orders = set()
    for _ in range(8):
        before = len(server.deliveries)
        await server.uninstall()
        orders.add(tuple(one.type for one in server.deliveries[before:]))
        await installed(server, "T0PLAYGROUND", "U0ADA")
    assert len(orders) == 2
    server.subscriptions = server.subscriptions - {"tokens_revoked"}
    before = len(server.deliveries)
    await server.uninstall()
    assert [one.type for one in server.deliveries[before:]] == ["app_uninstalled"]
    with pytest.raises(ValueError, match="not in T0PLAYGROUND"):
        await server.uninstall()


async def test_a_bot_that_comes_back_must_be_invited_anew(server: SlackServer, client: AsyncWebClient) -> None:
    await server.uninstall()
    back = web_client(server, str((await installed(server, "T0PLAYGROUND", "U0ADA"))["access_token"]))
    assert (await back.auth_test())["user_id"] == server.bot_user_id
    assert await error_of(back.chat_postMessage(channel="C0GENERAL", text="x")) == "not_in_channel"
    assert await error_of(back.chat_postMessage(channel="D0ADA", text="x")) == ""
    assert await error_of(client.auth_test()) == "account_inactive"  # the old token stays dead


async def test_an_unknown_token_is_told_from_one_that_was_good(server: SlackServer) -> None:
    assert await error_of(web_client(server, "xoxb-never-was").auth_test()) == "invalid_auth"


# Organisations


async def test_an_installation_for_an_organisation_has_no_team(server: SlackServer) -> None:
    sales = server.add_workspace("T0SALES", "Sales", "E0ORG", installed=False)
    legal = server.add_workspace("T0LEGAL", "Legal", "E0ORG", installed=False)
    answer = await installed(server, "E0ORG", "W2ADA")
    assert (answer["team"], answer["enterprise"]) == (None, {"id": "E0ORG", "name": "E0ORG Inc."})
    assert (answer["is_enterprise_install"], answer["bot_user_id"]) == (True, sales.bot_user_id)
    client = web_client(server, str(answer["access_token"]))
    for person, channel, workspace in (("W1ADA", "C1GENERAL", sales), ("W2ADA", "C2GENERAL", legal)):
        assert workspace.installed
        await server.invite_bot(person, channel)
        assert await error_of(client.chat_postMessage(channel=channel, text="x")) == ""
    before = len(server.deliveries)
    await server.uninstall("T0LEGAL")
    assert (sales.installed, legal.installed) == (False, False)
    for one in server.deliveries[before:]:
        assert (one.payload["enterprise_id"], "team_id" in one.payload) == ("E0ORG", False)
    assert await error_of(client.auth_test()) == "account_inactive"
    alone = await installed(server, "T0SALES", "W1ADA")
    assert (alone["is_enterprise_install"], alone["team"]) == (False, {"id": "T0SALES", "name": "Sales"})
    assert not legal.installed


# Bolt's own flow


async def test_bolt_installs_the_app_by_its_own_flow_and_renews_its_token(server: SlackServer, tmp_path: Path) -> None:
    server.token_rotation = True
    server.add_workspace("T0OTHER", "Other", installed=False)
    store = FileInstallationStore(base_dir=str(tmp_path), client_id=server.client_id)
    async with _bolt(server, store, tmp_path) as address:
        server.redirect_urls = [address]
        async with ClientSession() as session:
            async with session.get(f"{address}/slack/install", allow_redirects=False) as response:
                page = await response.text()
                cookie = response.headers["Set-Cookie"].partition(";")[0]
            url = unescape(page.partition('<a href="')[2].partition('"')[0])
            back = await server.install(url, "U1ADA", "T0OTHER")
            async with session.get(back, headers={"Cookie": cookie}) as response:
                assert (response.status, "Thank you" in await response.text()) == (200, True)
    kept = await store.async_find_installation(enterprise_id=None, team_id="T0OTHER")
    assert kept is not None
    assert (kept.bot_token, kept.bot_id) == (server.workspaces["T0OTHER"].bot_token, "B1BRIDGE")
    rotator = AsyncTokenRotator(
        client_id=server.client_id, client_secret=server.client_secret, client=anonymous(server)
    )
    renewed = await rotator.perform_token_rotation(installation=kept, minutes_before_expiration=60 * 24)
    assert renewed is not None
    assert renewed.bot_token == server.workspaces["T0OTHER"].bot_token != kept.bot_token
    await server.idle(SOON)


@asynccontextmanager
async def _bolt(server: SlackServer, store: FileInstallationStore, folder: Path) -> AsyncIterator[str]:
    states = FileOAuthStateStore(expiration_seconds=60, base_dir=str(folder), client_id=server.client_id)
    settings = AsyncOAuthSettings(
        client_id=server.client_id,
        client_secret=server.client_secret,
        scopes=SCOPES,
        installation_store=store,
        state_store=states,
        authorization_url=server.authorize_url,
    )
    app = AsyncApp(
        signing_secret=server.signing_secret,
        client=anonymous(server),
        oauth_flow=AsyncOAuthFlow(client=anonymous(server), settings=settings),
    )

    async def answer(request: web.Request) -> web.StreamResponse:
        flow = app.oauth_flow
        assert flow is not None
        bolt_request = await to_bolt_request(request)
        paths: Mapping[str, object] = {"/slack/install": flow.handle_installation}
        handle = paths.get(request.path, flow.handle_callback)
        return await to_aiohttp_response(await handle(bolt_request))  # type: ignore[operator]

    site = web.Application()
    site.router.add_get("/slack/{page}", answer)
    runner = web.AppRunner(site, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    settings.redirect_uri = f"{address}/slack/oauth_redirect"
    settings.authorize_url_generator.redirect_uri = settings.redirect_uri
    yield address
    await runner.cleanup()
