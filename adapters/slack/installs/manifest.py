"""The app's manifest: what an operator pastes at api.slack.com to make the app, with nothing in it that no feature needs.

The shape is that of Slack's page on app manifests; lengths are checked there when it is pasted.
"""

import json
from collections.abc import Mapping, Sequence

from adapters.slack.installs.scopes import PLAIN, AppFeature, needed_events, needed_scopes
from adapters.slack.settings import AppSettings, check_public_url
from bridge.errors import SettingsError

Tree = Mapping[str, object]

EVENTS_PATH = "/slack/events"
"""Where Slack calls the bridge, for events, buttons, forms and commands alike."""

REDIRECT_PATH = "/slack/oauth_redirect"

ASK_MESSAGE = "ask_message"
"""The shortcut's `callback_id`."""

_COMMANDS = {
    "ask": ("Ask a question; the answer comes in a thread", "your question"),
    "reset": ("Begin the conversation anew", ""),
    "app": ("See which app answers you here, and choose", "[name]"),
    "history": ("Go on with an earlier conversation", ""),
    "forget": ("Delete what was said in this conversation", ""),
    "help": ("What this bot can do", ""),
}
"""Command, and what Slack shows beside it: its description and a hint at what follows it."""

_DESCRIPTION = "Answers questions in threads and direct messages"
_AGENT = (
    "Ask a question and follow the answer while it is written. Works in direct messages and in every channel that it is "
    "invited to."
)
"""Slack allows 140 characters, and 300 for an agent."""


def describe_install(settings: AppSettings, *, http_url: str = "", plain: bool = False, as_yaml: bool = False) -> str:
    """The manifest as text. `http_url`: Slack calls the bridge there instead of being called by Socket Mode; `plain`: a bot as
    before there were agents. Raises `SettingsError`."""
    manifest = make_manifest(settings, http_url=http_url, plain=plain)
    return "\n".join(_yaml(manifest)) + "\n" if as_yaml else json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"


def make_manifest(settings: AppSettings, *, http_url: str = "", plain: bool = False) -> Tree:
    """The manifest. Raises `SettingsError` when `http_url` is no address that Slack could call."""
    root = _root(http_url) if http_url else ""
    events_url = {"request_url": root + EVENTS_PATH} if root else {}
    features = settings.slack_features - PLAIN if plain else settings.slack_features
    many = bool(settings.slack_public_url)
    scopes = [need.name for need in needed_scopes(features)]
    return {
        "display_information": {"name": settings.slack_app_name, "description": _DESCRIPTION},
        "features": _features(settings, features, events_url),
        "oauth_config": {
            **({"redirect_urls": [settings.slack_public_url + REDIRECT_PATH]} if many else {}),
            "scopes": {"bot": scopes},
        },
        "settings": {
            "event_subscriptions": {**events_url, "bot_events": [n.name for n in needed_events(features, many=many)]},
            # Stop and Try again are buttons, so this is always on.
            "interactivity": {"is_enabled": True, **events_url},
            # An organisation may then install the app for all its workspaces at once.
            "org_deploy_enabled": many,
            "socket_mode_enabled": not root,
            # It cannot be switched off again (Slack's page on token rotation), so that is for the operator to choose.
            "token_rotation_enabled": False,
        },
    }


def command_names(prefix: str) -> dict[str, str]:
    """Each command as people type it, and which one it is."""
    return {f"/{prefix}{name}": name for name in _COMMANDS}


def _features(settings: AppSettings, features: frozenset[AppFeature], events_url: Mapping[str, str]) -> Tree:
    talks = not features.isdisjoint({AppFeature.DIRECT, AppFeature.AGENT})
    found: dict[str, object] = {}
    if AppFeature.AGENT in features:
        # Questions are suggested while the bridge runs: they are the app's own.
        found["agent_view"] = {"agent_description": _AGENT}
    found["app_home"] = {
        "home_tab_enabled": AppFeature.HOME in features,
        "messages_tab_enabled": talks,
        "messages_tab_read_only_enabled": not talks,
    }
    found["bot_user"] = {"display_name": settings.slack_app_name, "always_online": True}
    if AppFeature.COMMANDS in features:
        url = {"url": events_url["request_url"]} if events_url else {}
        found["slash_commands"] = [
            {
                "command": command,
                **url,
                "description": _COMMANDS[name][0],
                **({"usage_hint": _COMMANDS[name][1]} if _COMMANDS[name][1] else {}),
                # People and channels come as ids, so that a name which two of them share is no riddle.
                "should_escape": True,
            }
            for command, name in command_names(settings.slack_command_prefix).items()
        ]
    if AppFeature.SHORTCUT in features:
        found["shortcuts"] = [
            {
                "name": "Ask about this",
                "type": "message",
                "callback_id": ASK_MESSAGE,
                "description": "Ask a question about this message",
            }
        ]
    return found


def _root(http_url: str) -> str:
    """The bridge's address; people may also give the one that Slack calls."""
    try:
        return check_public_url("--http", http_url).removesuffix(EVENTS_PATH)
    except ValueError as error:
        raise SettingsError([f"{error}."]) from error


def _yaml(value: object, indent: str = "") -> list[str]:
    """Lines of YAML. Texts are written as in JSON, which YAML reads too."""
    lines: list[str] = []
    match value:
        case Mapping():
            for name, inner in value.items():
                lines += _under(f"{indent}{name}:", inner, f"{indent}  ")
        case list() | tuple():
            for inner in value:
                if isinstance(inner, Mapping) and inner:
                    first, *others = _yaml(inner, f"{indent}  ")
                    lines += [f"{indent}- {first.strip()}", *others]
                else:
                    lines += _under(f"{indent}-", inner, f"{indent}  ")
    return lines


def _under(head: str, inner: object, indent: str) -> list[str]:
    if isinstance(inner, Mapping | Sequence) and not isinstance(inner, str) and inner:
        return [head, *_yaml(inner, indent)]
    return [f"{head} {json.dumps(inner, ensure_ascii=False)}"]
