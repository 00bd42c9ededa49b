"""What `check` says about tokens and scopes, asked of a real server."""

import pytest

from adapters.slack.checks import REQUIRED_SCOPES, USEFUL_SCOPES
from bridge.platform_api import Finding, Severity
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.peer import make_platform


async def check(server: SlackServer, *, http: bool = False, **changes: object) -> list[Finding]:
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
        "Slack buttons",
    ]
    assert "Interactivity" in findings[-1].fix
    assert server.open_sockets == 0


async def test_http_mode_says_which_address_slack_needs(server: SlackServer) -> None:
    findings = await check(server, http=True)
    assert problems(findings) == []
    assert [finding.subject for finding in findings if "/slack/events" in finding.fix] == [
        "Slack events",
        "Slack buttons",
    ]


@pytest.mark.parametrize("scope", [*REQUIRED_SCOPES, *USEFUL_SCOPES])
async def test_a_missing_scope_is_named_with_what_it_disables(server: SlackServer, scope: str) -> None:
    server.scopes = [one for one in server.scopes if one != scope]
    (finding,) = problems(await check(server))
    assert scope in finding.subject
    assert finding.severity is (Severity.ERROR if scope in REQUIRED_SCOPES else Severity.WARNING)
    assert (REQUIRED_SCOPES | USEFUL_SCOPES)[scope] in finding.problem
    assert "install the app again" in finding.fix


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
