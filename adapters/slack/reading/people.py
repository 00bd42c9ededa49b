"""Who we are, and who did something."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.slack.addresses import SLACK
from adapters.slack.installs.identities import addressee_of
from adapters.slack.reading.fields import Json, items_in, text_in
from bridge.messages import Author, InstallationId, Origin, PersonId

EVENT = "event_callback"

ANSWERED_SUBTYPES = frozenset({"", "file_share", "thread_broadcast", "me_message"})
"""Subtypes by which a person says something. All others report that something happened."""

SLACKS_OWN_USERS = frozenset({"USLACK", "USLACKBOT"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who we are in one workspace. Parts that are not known yet are empty and match nothing."""

    team: str
    user: str
    bot: str = ""
    app: str = ""


def identity_in(payload: Json, known: Identity | None) -> Identity | None:
    """Us in the workspace that this was sent for. None when neither the payload nor `known` tells.

    `authorizations[0]` names the installation; the payload's own `team_id` may be another workspace in shared channels. What
    people do with our controls has none, and names in other words where the app is installed.
    """
    if payload.get("type") != EVENT and "event" not in payload:
        installed = addressee_of(payload).team
        return known or (Identity(team=installed, user="") if installed else None)
    first = next(iter(items_in(payload, "authorizations")), {})
    team = text_in(first, "team_id") or text_in(payload, "team_id") or (known.team if known else "")
    user = text_in(first, "user_id") if first.get("is_bot") is True else ""
    if known is not None and known.team == team:
        return Identity(
            team=team, user=user or known.user, bot=known.bot, app=known.app or text_in(payload, "api_app_id")
        )
    if not team or not user:
        return known
    return Identity(team=team, user=user, app=text_in(payload, "api_app_id"))


def origin_of(event: Json, subtype: str, me: Identity) -> Origin:
    user, bot, app = text_in(event, "user"), text_in(event, "bot_id"), text_in(event, "app_id")
    if (user and user == me.user) or (bot and bot == me.bot) or (app and app == me.app):
        return Origin.SELF
    if bot or app or subtype == "bot_message" or user in SLACKS_OWN_USERS:
        return Origin.BOT
    if subtype in ANSWERED_SUBTYPES and user:
        return Origin.PERSON
    return Origin.SYSTEM


def author_of(person: str, names: Mapping[str, str], *, fallback: str = "", home: str = "") -> Author:
    """A person. `fallback`: a name to use when Slack was not asked, or did not tell."""
    return Author(
        platform=SLACK,
        id=PersonId(person),
        display_name=names.get(person) or fallback or person,
        home=InstallationId(home),
    )


def home_of(team: str, me: Identity, *organisations: str) -> str:
    """The workspace of somebody from elsewhere; empty for our own people. `organisations`: ids of ours, in whose workspaces the
    app is not installed but whose people are no strangers."""
    return "" if not team or team == me.team or team in organisations else team
