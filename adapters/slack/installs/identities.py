"""For which installation Slack sent something. Pure; the spelling differs with every kind of payload."""

from collections.abc import Mapping
from dataclasses import dataclass

Json = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Parts that a payload does not tell are empty."""

    team: str
    """The workspace in which it happened, as seen by this installation."""
    enterprise: str
    org_wide: bool
    """The app was installed for the whole organisation."""
    bot_user: str
    """Who we are there. Only events tell."""


def addressee_of(payload: Json) -> Addressee:
    """Of an event, a press, a command, a shortcut or a form.

    In a channel that two companies share, `team_id` may name the other one; `authorizations[0]` is ours (Slack's page on the
    Events API). A modal that was opened there names us as `app_installed_team_id`. With an installation for a whole
    organisation `team` may be null, and the workspace stands beside the person or the view.
    """
    first = _first(payload, "authorizations")
    view, user, team = _object(payload, "view"), _object(payload, "user"), _object(payload, "team")
    return Addressee(
        team=next(
            filter(
                None,
                (
                    _text(first, "team_id"),
                    _text(view, "app_installed_team_id"),
                    _text(team, "id"),
                    _text(payload, "context_team_id") if first else "",
                    _text(payload, "team_id"),
                    _text(user, "team_id"),
                    _text(view, "team_id"),
                ),
            ),
            "",
        ),
        enterprise=_text(first, "enterprise_id")
        or _text(_object(payload, "enterprise"), "id")
        or _text(payload, "enterprise_id")
        or _text(team, "enterprise_id"),
        # A command says it in words, everything else as a boolean.
        org_wide=(first or payload).get("is_enterprise_install") in (True, "true"),
        bot_user=_text(first, "user_id") if first.get("is_bot") is True else "",
    )


def _first(payload: Json, name: str) -> Json:
    found = payload.get(name)
    first = found[0] if isinstance(found, list) and found else None
    return first if isinstance(first, dict) else {}


def _object(payload: Json, name: str) -> Json:
    found = payload.get(name)
    return found if isinstance(found, dict) else {}


def _text(payload: Json, name: str) -> str:
    found = payload.get(name)
    return found if isinstance(found, str) else ""
