"""The Slack part of `dify-chat-bridge check`: are the tokens good, and what can the bot not do for want of a scope?"""

from collections.abc import Sequence

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.refusals import REFUSED_CREDENTIALS, ask
from adapters.slack.settings import Mode, Settings
from bridge.errors import NotAllowed, PlatformError
from bridge.platform_api import Finding, Severity

REQUIRED_SCOPES = {
    "chat:write": "the bot cannot answer at all",
    "app_mentions:read": "the bot does not hear when it is mentioned",
}
"""Scope, and what is missing without it (Slack's pages on each scope and event)."""

USEFUL_SCOPES = {
    "channels:history": "follow-ups without a mention, edits and deletions are not heard in public channels",
    "groups:history": "follow-ups without a mention, edits and deletions are not heard in private channels",
    "im:history": "direct messages are not heard",
    "mpim:history": "follow-ups without a mention, edits and deletions are not heard in group messages",
    "files:write": "long answers come as many messages instead of a few and a file",
    "reactions:read": "reactions do not become feedback",
    "users:read": "people who are mentioned appear by their id instead of their name",
}

_ADD_SCOPE = "add it under OAuth & Permissions > Bot Token Scopes, then install the app again"


async def find_problems(client: AsyncWebClient, settings: Settings) -> Sequence[Finding]:
    """Asks Slack about both tokens. Never raises a `PlatformError`."""
    findings = await _check_bot_token(client)
    match settings.mode:
        case Mode.SOCKET:
            token = settings.slack_app_token.get_secret_value() if settings.slack_app_token else ""
            findings.append(await _check_app_token(client, token))
            findings.append(_buttons("no address is needed"))
        case Mode.HTTP:
            findings.append(
                Finding(
                    severity=Severity.OK,
                    subject="Slack events",
                    problem="HTTP mode. Slack must be able to reach this bridge.",
                    fix="Event Subscriptions > Request URL: https://<your host>/slack/events",
                )
            )
            findings.append(_buttons("Request URL: https://<your host>/slack/events"))
    return findings


def _buttons(address: str) -> Finding:
    """Slack tells nobody but the person who presses that an app may not hear of it."""
    return Finding(
        severity=Severity.OK,
        subject="Slack buttons",
        problem="whether Slack tells of presses (Stop, Retry) can only be seen by pressing.",
        fix=f"Interactivity & Shortcuts > On; {address}",
    )


async def _check_bot_token(client: AsyncWebClient) -> list[Finding]:
    subject = "Slack bot token"
    try:
        response = await ask("auth.test", client.auth_test())
    except PlatformError as error:
        return [
            _failure(
                subject,
                error,
                "set SLACK_BOT_TOKEN to the Bot User OAuth Token under OAuth & Permissions; install the app if there is none",
            )
        ]
    who = f"signed in as {response.get('user', '?')} in {response.get('team', '?')}"
    ok = Finding(severity=Severity.OK, subject=subject, problem=who)
    granted = next((value for name, value in response.headers.items() if name.lower() == "x-oauth-scopes"), None)
    if granted is None:
        unknown = "Slack did not say which scopes this token has"
        return [
            ok,
            Finding(severity=Severity.WARNING, subject="Slack scopes", problem=unknown, fix="check them by hand"),
        ]
    return [ok, *_missing_scopes({scope.strip() for scope in granted.split(",")})]


def _missing_scopes(granted: set[str]) -> list[Finding]:
    found = [
        Finding(severity=severity, subject=f"Slack scope {scope}", problem=f"missing: {without}", fix=_ADD_SCOPE)
        for severity, scopes in ((Severity.ERROR, REQUIRED_SCOPES), (Severity.WARNING, USEFUL_SCOPES))
        for scope, without in scopes.items()
        if scope not in granted
    ]
    return found or [Finding(severity=Severity.OK, subject="Slack scopes", problem="all there")]


async def _check_app_token(client: AsyncWebClient, token: str) -> Finding:
    subject = "Slack app token"
    try:
        await ask("apps.connections.open", client.apps_connections_open(app_token=token))
    except PlatformError as error:
        return _failure(
            subject,
            error,
            "set SLACK_APP_TOKEN to an App-Level Token (Basic Information) with the scope connections:write, and switch on "
            "Settings > Socket Mode",
        )
    return Finding(severity=Severity.OK, subject=subject, problem="Socket Mode can be opened")


def _failure(subject: str, error: PlatformError, fix: str) -> Finding:
    if isinstance(error, NotAllowed) or error.code in REFUSED_CREDENTIALS:
        return Finding(severity=Severity.ERROR, subject=subject, problem=f"refused by Slack: {error.code}", fix=fix)
    return Finding(
        severity=Severity.ERROR,
        subject=subject,
        problem=f"could not be tried ({error})",
        fix="check that this machine reaches Slack (SLACK_API_URL, HTTPS_PROXY) and try again",
    )
