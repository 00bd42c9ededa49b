"""The Slack part of `dify-chat-bridge check`: are the tokens good, and what can the bot not do for want of a scope?

What is needed stands in `installs.scopes`. A bot token tells its scopes and nothing else of the app, so the rest can only be
named.
"""

from collections.abc import Sequence

from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.installs.manifest import EVENTS_PATH, REDIRECT_PATH
from adapters.slack.installs.records import refresh_token_in, token_in
from adapters.slack.installs.scopes import AppFeature, Need, needed_events, needed_scopes
from adapters.slack.refusals import REFUSED_CREDENTIALS, ask
from adapters.slack.settings import Mode, Settings
from bridge.errors import NotAllowed, PlatformError
from bridge.installations_api import Installation
from bridge.platform_api import Finding, Severity

MOST_INSTALLATIONS = 50
"""Workspaces that are tried; a problem of the app shows in any of them."""


async def find_problems(
    client: AsyncWebClient, settings: Settings, installations: Sequence[Installation] | None = None
) -> Sequence[Finding]:
    """Asks Slack about all tokens. `installations`: where the app is installed by OAuth; None: that is not known here. Never
    raises a `PlatformError`."""
    if settings.many:
        findings = await _check_installations(client, settings, installations)
    else:
        token = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
        findings = await _check_bot_token(client, settings, token)
    if settings.mode is Mode.SOCKET:
        findings.append(await _check_app_token(client, settings))
    return [*findings, *_unseen(settings)]


async def _check_installations(
    client: AsyncWebClient, settings: Settings, installations: Sequence[Installation] | None
) -> list[Finding]:
    subject = "Slack installations"
    where = f"{settings.slack_public_url}/slack/install"
    if installations is None:
        return [
            Finding(severity=Severity.OK, subject=subject, problem="not looked at.", fix=f"people begin at {where}")
        ]
    if not installations:
        problem = "no workspace has installed the app yet, so nobody is answered"
        return [Finding(severity=Severity.WARNING, subject=subject, problem=problem, fix=f"open {where}")]
    findings = []
    for installation in installations[:MOST_INSTALLATIONS]:
        findings += await _check_installation(client, settings, installation, where)
    if len(installations) > MOST_INSTALLATIONS:
        problem = f"{len(installations) - MOST_INSTALLATIONS} more were not tried"
        findings.append(Finding(severity=Severity.OK, subject=subject, problem=problem))
    return findings


async def _check_installation(
    client: AsyncWebClient, settings: Settings, installation: Installation, where: str
) -> list[Finding]:
    name = f"{installation.name} ({installation.id})"
    subject = f"Slack workspace {name}"
    again = f"install it there again: {where}"
    try:
        return await _look(client, settings, subject, token_in(installation), again, place=f" in {name}")
    except PlatformError as error:
        if error.code == "token_expired" and refresh_token_in(installation):
            problem = "the token is over, and is renewed when the bridge next needs it"
            return [Finding(severity=Severity.OK, subject=subject, problem=problem)]
        return [_failure(subject, error, again)]


async def _check_bot_token(client: AsyncWebClient, settings: Settings, token: str) -> list[Finding]:
    subject = "Slack bot token"
    try:
        return await _look(
            client,
            settings,
            subject,
            token,
            "add it under OAuth & Permissions > Bot Token Scopes, then install the app again",
        )
    except PlatformError as error:
        fix = "set SLACK_BOT_TOKEN to the Bot User OAuth Token under OAuth & Permissions; install the app if there is none"
        return [_failure(subject, error, fix)]


async def _look(
    client: AsyncWebClient, settings: Settings, subject: str, token: str, fix: str, *, place: str = ""
) -> list[Finding]:
    """Who the token is for, and which scopes it lacks. `place`: put behind what is lacking. Raises a `PlatformError`."""
    response = await ask("auth.test", client.auth_test(token=token))
    who = f"signed in as {response.get('user', '?')} in {response.get('team', '?')}"
    ok = Finding(severity=Severity.OK, subject=subject, problem=who)
    granted = next((value for name, value in response.headers.items() if name.lower() == "x-oauth-scopes"), None)
    if granted is None:
        unknown = "Slack did not say which scopes this token has"
        return [
            ok,
            Finding(
                severity=Severity.WARNING, subject=f"Slack scopes{place}", problem=unknown, fix="check them by hand"
            ),
        ]
    names = {scope.strip() for scope in granted.split(",")}
    missing = [need for need in needed_scopes(settings.slack_features) if need.name not in names]
    if not missing:
        return [ok, Finding(severity=Severity.OK, subject=f"Slack scopes{place}", problem="all there")]
    return [ok, *(_missing_scope(need, place, fix) for need in missing)]


def _missing_scope(need: Need, place: str, fix: str) -> Finding:
    return Finding(
        severity=Severity.ERROR if need.required else Severity.WARNING,
        subject=f"Slack scope {need.name}{place}",
        problem=f"missing: {need.without}",
        fix=fix,
    )


async def _check_app_token(client: AsyncWebClient, settings: Settings) -> Finding:
    subject = "Slack app token"
    token = settings.slack_app_token.get_secret_value() if settings.slack_app_token else ""
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


def _unseen(settings: Settings) -> list[Finding]:
    """What no token tells: how the app is set up at Slack. Each with where to see it."""
    http = settings.mode is Mode.HTTP
    address = (settings.slack_public_url or "https://<your host>") + EVENTS_PATH
    command = "dify-chat-bridge manifest slack" + (f" --http {address.removesuffix(EVENTS_PATH)}" if http else "")
    events = ", ".join(need.name for need in needed_events(settings.slack_features, many=settings.many))
    found = [
        (
            "Slack events",
            f"no token tells which ones Slack sends; needed are {events}.",
            f"compare App Manifest with what `{command}` prints" + (f"; Request URL: {address}" if http else ""),
        ),
        (
            "Slack buttons",
            "whether Slack tells of presses (Stop, Retry) can only be seen by pressing.",
            f"Interactivity & Shortcuts > On; {f'Request URL: {address}' if http else 'no address is needed'}",
        ),
    ]
    if AppFeature.AGENT in settings.slack_features:
        found.append(
            (
                "Slack agent",
                "no token tells whether the app is one; if it is not, answers grow and a status is shown all the same.",
                "App Manifest > features > agent_view",
            )
        )
    if settings.many:
        found.append(
            (
                "Slack redirect",
                "no token tells which addresses Slack sends people back to.",
                f"OAuth & Permissions > Redirect URLs: {settings.slack_public_url}{REDIRECT_PATH}",
            )
        )
    return [Finding(severity=Severity.OK, subject=subject, problem=said, fix=fix) for subject, said, fix in found]


def _failure(subject: str, error: PlatformError, fix: str) -> Finding:
    if isinstance(error, NotAllowed) or error.code in REFUSED_CREDENTIALS:
        return Finding(severity=Severity.ERROR, subject=subject, problem=f"refused by Slack: {error.code}", fix=fix)
    return Finding(
        severity=Severity.ERROR,
        subject=subject,
        problem=f"could not be tried ({error})",
        fix="check that this machine reaches Slack (SLACK_API_URL, HTTPS_PROXY) and try again",
    )
