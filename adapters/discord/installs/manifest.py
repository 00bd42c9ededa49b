"""How to set the app up at Discord, which takes no manifest: the steps in its portal, and links that ask for exactly what the
settings switch on."""

import base64
import binascii
import textwrap
from collections.abc import Sequence

from yarl import URL

from adapters.discord.installs.permissions import COMMANDS, needed_permissions, sum_of
from adapters.discord.settings import AppSettings
from bridge.errors import SettingsError

__all__ = ["AppSettings", "application_in", "describe_install", "invite_link", "own_link", "portal_page"]

PORTAL = "https://discord.com/developers/applications"

_AUTHORIZE = URL("https://discord.com/oauth2/authorize")
_TO_SERVER, _TO_PERSON = "0", "1"
"""Integration types (API reference, Application Object)."""

_UNKNOWN = "APPLICATION_ID"
_WIDTH = 110
_INDENT = "   "


def describe_install(settings: AppSettings, *, http_url: str = "", plain: bool = False, as_yaml: bool = False) -> str:
    """The steps as text. Raises `SettingsError` for what only Slack's manifest has."""
    if http_url or plain or as_yaml:
        raise SettingsError(["--http, --plain and --yaml are for Slack: Discord has no manifest, and calls nobody."])
    application = application_in(settings.token)
    lines = ["Discord takes no manifest. To set the app up there:", ""]
    for number, step in enumerate(_steps(settings, application), start=1):
        lines += [*_wrap(f"{number}. ", step[0]), *(f"{_INDENT}{link}" for link in step[1:]), ""]
    lines += ["Permissions that the first link asks for, and what is missing without each:", ""]
    for need in needed_permissions(settings):
        lines += _wrap(f"{_INDENT}{need.name}: ", f"{need.without}.")
    lines += [
        "",
        *_wrap("", "`dify-chat-bridge check` says where one of them was not given, and which commands are missing."),
    ]
    return "\n".join(lines) + "\n"


def application_in(token: str) -> int | None:
    """The application's id, as far as a token tells it: of those made before 2016 the bot has another one, which only the API
    tells."""
    first, _, _ = token.partition(".")
    try:
        text = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        return None
    return int(text) if text.isdecimal() else None


def portal_page(application: int | None, page: str) -> str:
    """Address of an application's page in the developer portal."""
    return f"{PORTAL}/{application or _UNKNOWN}/{page}"


def invite_link(settings: AppSettings, application: int | None) -> str:
    """Adds the bot to a server, or gives the one that is there already what it lacks."""
    scopes = ["bot", *(["applications.commands"] if settings.discord_commands else [])]
    return str(
        _AUTHORIZE.with_query(
            client_id=str(application or _UNKNOWN),
            permissions=str(sum_of(needed_permissions(settings))),
            integration_type=_TO_SERVER,
            scope=" ".join(scopes),
        )
    )


def own_link(application: int | None) -> str:
    """Adds the app to one's own account."""
    return str(
        _AUTHORIZE.with_query(
            client_id=str(application or _UNKNOWN), integration_type=_TO_PERSON, scope="applications.commands"
        )
    )


def _steps(settings: AppSettings, application: int | None) -> Sequence[Sequence[str]]:
    """Each a sentence or two, and links to put below it."""
    steps: list[list[str]] = []
    if application is None:
        begin = (
            "Create an application; on its page Bot choose Reset Token and set DISCORD_TOKEN to what is shown. Then run this "
            f"again, or put the Application ID of its page General Information where {_UNKNOWN} stands below."
        )
        steps.append([begin, PORTAL])
    bot = portal_page(application, "bot")
    if settings.discord_message_content:
        switch = (
            "Switch on Message Content Intent. Without it the bot does not see messages in its threads that do not mention it, "
            "and does all else (DISCORD_MESSAGE_CONTENT=false: not asked for). Leave the other intents, and Requires OAuth2 "
            "Code Grant, switched off."
        )
    else:
        switch = "Leave all privileged intents, and Requires OAuth2 Code Grant, switched off."
    steps.append([switch, bot])
    steps.append(
        [
            "Leave Interactions Endpoint URL empty: buttons and commands would go there instead of to the bridge.",
            portal_page(application, "information"),
        ]
    )
    ticked = "Guild Install and User Install" if settings.installs_for_people else "Guild Install"
    steps.append([f"Under Installation Contexts have {ticked} ticked.", portal_page(application, "installation")])
    steps.append(["Add the bot to your server:", invite_link(settings, application)])
    if settings.installs_for_people:
        asked = "Whoever wants to ask where the bot is no member adds the app to their own account:"
        steps.append([asked, own_link(application)])
    if settings.discord_commands:
        names = ", ".join(f"/{name}" if name.islower() else f'"{name}"' for name in COMMANDS)
        steps.append([f"Start the bridge. It registers its commands by itself: {names}."])
    else:
        steps.append(["Start the bridge. (It offers no commands: DISCORD_COMMANDS=false.)"])
    return steps


def _wrap(head: str, text: str) -> list[str]:
    indent = " " * len(head) if len(head) <= len(_INDENT) else _INDENT * 2
    return textwrap.wrap(head + text, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
