"""How an installation of ours is spelled: its facts, its secrets, and what Slack's answers to oauth.v2.access make of them.

The id is that of the workspace, or of the organisation where the app was installed for all its workspaces at once. Both are
unique over all of Slack and begin with another letter.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from pydantic import SecretStr

from bridge.errors import PlatformUnavailable
from bridge.installations_api import Installation
from bridge.messages import InstallationId

Answer = Mapping[str, object]
"""What Slack answered: every value is looked at before it is believed."""

TOKEN, REFRESH = "token", "refresh_token"
USER, BOT, APP, SCOPES, INSTALLER = "user", "bot", "app", "scopes", "installed_by"
INSTALLED_AT = "installed_at"
"""Seconds since the epoch, by our clock."""
ORG_WIDE = "org_wide"
"""Anything: installed for a whole organisation."""
TEAMS = "teams"
"""Organisations: workspaces that were heard of, separated by spaces."""


def read_grant(answer: Answer, now: datetime) -> Installation:
    """What somebody allowed. Raises `PlatformUnavailable` when Slack's answer cannot be what it should be."""
    org_wide = answer.get("is_enterprise_install") is True
    place = _object(answer, "enterprise" if org_wide else "team")
    token, id_ = _text(answer, "access_token"), _text(place, "id")
    if not token or not id_ or _text(answer, "token_type") != "bot":
        raise PlatformUnavailable("oauth.v2.access: an answer without a bot's token", code="not_slack")
    facts = {
        USER: _text(answer, "bot_user_id"),
        APP: _text(answer, "app_id"),
        SCOPES: _text(answer, "scope"),
        INSTALLER: _text(_object(answer, "authed_user"), "id"),
        INSTALLED_AT: f"{now.timestamp():.3f}",
        ORG_WIDE: "yes" if org_wide else "",
    }
    return Installation(
        id=InstallationId(id_),
        name=_text(place, "name") or id_,
        facts={name: value for name, value in facts.items() if value},
        secrets=_secrets(answer, {}),
        expires_at=_expiry(answer, now),
    )


def read_renewal(installation: Installation, answer: Answer, now: datetime) -> Installation:
    """The same installation with the tokens that Slack gave in exchange for the refresh token. Raises `PlatformUnavailable`."""
    if not _text(answer, "access_token"):
        raise PlatformUnavailable("oauth.v2.access: an answer without a token", code="not_slack")
    return replace(installation, secrets=_secrets(answer, installation.secrets), expires_at=_expiry(answer, now))


def token_in(installation: Installation) -> str:
    secret = installation.secrets.get(TOKEN)
    return secret.get_secret_value() if secret is not None else ""


def refresh_token_in(installation: Installation) -> str:
    """Empty where tokens do not expire."""
    secret = installation.secrets.get(REFRESH)
    return secret.get_secret_value() if secret is not None else ""


def without_refresh_token(installation: Installation) -> Installation:
    secrets = {name: secret for name, secret in installation.secrets.items() if name != REFRESH}
    return replace(installation, secrets=secrets)


def is_org_wide(installation: Installation) -> bool:
    return bool(installation.facts.get(ORG_WIDE))


def teams_in(installation: Installation) -> frozenset[str]:
    """The workspaces of an organisation that were heard of so far."""
    return frozenset(installation.facts.get(TEAMS, "").split())


def with_facts(installation: Installation, **facts: str) -> Installation:
    return replace(installation, facts={**installation.facts, **facts})


def with_teams(installation: Installation, teams: frozenset[str]) -> Installation:
    return with_facts(installation, **{TEAMS: " ".join(sorted(teams))}) if teams else installation


def installed_at(installation: Installation) -> float:
    """Seconds since the epoch; 0 when that was not kept."""
    try:
        return float(installation.facts.get(INSTALLED_AT, ""))
    except ValueError:
        return 0.0


def _secrets(answer: Answer, before: Mapping[str, SecretStr]) -> dict[str, SecretStr]:
    found = {TOKEN: _text(answer, "access_token"), REFRESH: _text(answer, "refresh_token")}
    return {**before, **{name: SecretStr(value) for name, value in found.items() if value}}


def _expiry(answer: Answer, now: datetime) -> datetime | None:
    """Slack counts in seconds, and says nothing of tokens that do not expire (its page on token rotation)."""
    seconds = answer.get("expires_in")
    return now + timedelta(seconds=seconds) if isinstance(seconds, int) and seconds > 0 else None


def _object(answer: Answer, name: str) -> Answer:
    found = answer.get(name)
    return found if isinstance(found, dict) else {}


def _text(answer: Answer, name: str) -> str:
    found = answer.get(name)
    return found if isinstance(found, str) else ""
