"""What `check` says about tokens and scopes, asked of a real server."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.checks import MOST_INSTALLATIONS, find_problems
from adapters.slack.installs.scopes import SCOPES, AppFeature, Need
from adapters.slack.settings import Settings
from bridge.installations_api import Installation
from bridge.messages import InstallationId
from bridge.platform_api import Finding, Severity
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.peer import Bridge, make_platform, question


async def check(server: SlackServer, *, http: bool = False, **changes: Any) -> list[Finding]:
    platform = make_platform(server, http=http, **changes)
    try:
        return list(await platform.check())
    finally:
        await platform.close()


def problems(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity is not Severity.OK]


async def test_with_everything_in_place_there_is_nothing_to_mend(server: SlackServer) -> None:
    findings = await check(server)
    assert problems(findings) == []
    assert [finding.subject for finding in findings] == [
        "Slack bot token",
        "Slack scopes",
        "Slack app token",
        "Slack events",
        "Slack buttons",
        "Slack agent",
    ]
    assert "Interactivity" in findings[-2].fix
    assert server.open_sockets == 0


async def test_http_mode_says_which_address_slack_needs(server: SlackServer) -> None:
    findings = await check(server, http=True)
    assert problems(findings) == []
    assert [finding.subject for finding in findings if "/slack/events" in finding.fix] == [
        "Slack events",
        "Slack buttons",
    ]


@pytest.mark.parametrize("need", SCOPES, ids=lambda need: need.name)
async def test_a_missing_scope_is_named_with_what_it_disables(server: SlackServer, need: Need) -> None:
    server.scopes = [one for one in server.scopes if one != need.name]
    (finding,) = problems(await check(server))
    assert finding.subject == f"Slack scope {need.name}"
    assert finding.severity is (Severity.ERROR if need.required else Severity.WARNING)
    assert need.without in finding.problem
    assert "install the app again" in finding.fix


@pytest.mark.parametrize("need", [need for need in SCOPES if not need.required], ids=lambda need: need.name)
async def test_the_bot_still_answers_without_a_scope_that_is_not_required(server: SlackServer, need: Need) -> None:
    server.scopes = [one for one in server.scopes if one != need.name]
    platform = make_platform(server)
    async with Bridge(server, platform) as bridge:
        await server.post_as("U0ADA", "C0GENERAL", f"<@{server.bot_user_id}> hello")
        asked = (await bridge.heard(1))[0]
        assert asked.mentions_bot
        await platform.send(asked.target, question("an answer"))
    await platform.close()
    assert any("an answer" in message.text for message in server.messages("C0GENERAL") if message.is_bot)


async def test_scopes_of_features_that_are_switched_off_are_not_missed(server: SlackServer) -> None:
    server.scopes = ["chat:write", "app_mentions:read", "im:history"]
    findings = await check(server, slack_features=frozenset({AppFeature.DIRECT}))
    assert problems(findings) == []
    assert "Slack agent" not in {finding.subject for finding in findings}
    (events,) = [finding for finding in findings if finding.subject == "Slack events"]
    assert "needed are app_mention, message.im." in events.problem


async def test_refused_tokens_are_told_apart(server: SlackServer) -> None:
    (bot,) = problems(await check(server, slack_bot_token="xoxb-wrong"))
    assert (bot.severity, bot.subject) == (Severity.ERROR, "Slack bot token")
    assert "invalid_auth" in bot.problem
    assert "SLACK_BOT_TOKEN" in bot.fix
    (app,) = problems(await check(server, slack_app_token="xapp-wrong"))
    assert (app.severity, app.subject) == (Severity.ERROR, "Slack app token")
    assert "SLACK_APP_TOKEN" in app.fix


async def test_an_unreachable_slack_is_a_finding_not_an_exception(server: SlackServer) -> None:
    await server.stop()
    findings = problems(await check(server))
    assert [finding.severity for finding in findings] == [Severity.ERROR, Severity.ERROR]
    assert all("reaches Slack" in finding.fix for finding in findings)


async def test_an_error_page_is_a_finding(server: SlackServer) -> None:
    server.faults.fail_next["auth.test"] = [Fault.http(502)]
    (finding,) = problems(await check(server))
    assert "502" in finding.problem


# Many workspaces


async def check_many(server: SlackServer, *installations: Installation, known: bool = True) -> list[Finding]:
    settings = Settings.model_validate(
        {
            "slack_client_id": server.client_id,
            "slack_client_secret": server.client_secret,
            "slack_public_url": "https://bot.example.com",
            "slack_signing_secret": server.signing_secret,
            "slack_api_url": server.api_url,
        }
    )
    client = AsyncWebClient(base_url=server.api_url, retry_handlers=[])
    return list(await find_problems(client, settings, installations if known else None))


def installation(token: str, team: str = "T0ONE", **secrets: str) -> Installation:
    return Installation(
        id=InstallationId(team),
        name="One",
        facts={},
        secrets={"token": SecretStr(token), **{name: SecretStr(value) for name, value in secrets.items()}},
    )


async def test_every_workspace_is_tried_with_its_own_token(server: SlackServer) -> None:
    other = server.add_workspace("T0ONE", "One")
    other.scopes = [scope for scope in other.scopes if scope != "files:read"]
    findings = await check_many(
        server,
        installation(server.bot_token, "T0PLAY"),
        installation(other.bot_token),
        installation("xoxb-dead", "T0X"),
    )
    wrong = problems(findings)
    assert [finding.subject for finding in wrong] == [
        "Slack scope files:read in One (T0ONE)",
        "Slack workspace One (T0X)",
    ]
    assert all("https://bot.example.com/slack/install" in finding.fix for finding in wrong)
    assert any("https://bot.example.com/slack/oauth_redirect" in finding.fix for finding in findings)


async def test_an_app_that_is_installed_nowhere_is_a_warning(server: SlackServer) -> None:
    (nowhere,) = problems(await check_many(server))
    assert "no workspace" in nowhere.problem
    assert problems(await check_many(server, known=False)) == []


async def test_a_token_that_is_over_and_can_be_renewed_is_no_problem(server: SlackServer) -> None:
    server.faults.fail_next["auth.test"] = [Fault.refuse("token_expired")] * 2
    over = installation(server.bot_token)
    (problem,) = problems(await check_many(server, over))
    assert "token_expired" in problem.problem
    assert (
        problems(await check_many(server, replace(over, secrets={**over.secrets, "refresh_token": SecretStr("x")})))
        == []
    )


async def test_not_more_workspaces_are_tried_than_anybody_waits_for(server: SlackServer) -> None:
    many = [installation(server.bot_token, f"T{number}") for number in range(MOST_INSTALLATIONS + 3)]
    findings = await check_many(server, *many)
    assert any(finding.problem == "3 more were not tried" for finding in findings)
