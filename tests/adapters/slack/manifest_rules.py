"""What Slack refuses in a manifest: the fields and lengths of its page on app manifests, and the rules between fields that
people have met at `apps.manifest.validate`. Whatever is not known to be taken is refused."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Check = Callable[[object], str]
"""What is wrong with a value; empty when nothing is."""

SCOPE_OF_EVENT = {
    "app_mention": "app_mentions:read",
    "message.channels": "channels:history",
    "message.groups": "groups:history",
    "message.im": "im:history",
    "message.mpim": "mpim:history",
    "reaction_added": "reactions:read",
    "reaction_removed": "reactions:read",
    "app_context_changed": "assistant:write",
    "agent_session_stopped": "chat:write",
    "app_home_opened": "",
    "app_uninstalled": "",
    "tokens_revoked": "",
}
"""Slack's pages on the events; empty: none is needed."""

AGENT_EVENTS = {"app_home_opened", "app_context_changed", "message.im"}
"""Of Slack's page on agents. That their lack is refused is known of the assistants before them alone."""

BUILT_IN = {
    "/status",
    "/invite",
    "/msg",
    "/me",
    "/mute",
    "/open",
    "/remind",
    "/search",
    "/topic",
    "/who",
    "/leave",
    "/join",
}
"""Some commands of Slack's own, which no app can have."""


def refusals(manifest: Mapping[str, Any]) -> list[str]:
    """Every reason for which Slack would not take it."""
    return [*_shape(manifest, _MANIFEST, ""), *_between(manifest)]


def _text(most: int, pattern: str = r"(?s).+") -> Check:
    def check(value: object) -> str:
        if not isinstance(value, str):
            return "is no text"
        if len(value) > most:
            return f"is longer than {most}"
        return "" if re.fullmatch(pattern, value) else f"is not like {pattern}"

    return check


def _flag(value: object) -> str:
    return "" if isinstance(value, bool) else "is neither true nor false"


def _names(most: int, least: int = 0) -> Check:
    def check(value: object) -> str:
        if not isinstance(value, list) or not all(isinstance(one, str) and 0 < len(one) <= 50 for one in value):
            return "is no list of names"
        if not least <= len(value) <= most:
            return f"has not {least} to {most} items"
        return "" if len(set(value)) == len(value) else "names something twice"

    return check


def _urls(value: object) -> str:
    if not isinstance(value, list) or len(value) > 1_000:
        return "is no list of addresses"
    return next((wrong for one in value if (wrong := _URL(one))), "")


_URL = _text(2_500, r"https?://\S+")

Fields = Mapping[str, object]
"""Name -> Check, Fields of an object, or one Fields in a list for 1 to 50 objects. `!` ends a name that must be there."""

_MANIFEST: Fields = {
    "display_information!": {"name!": _text(35), "description": _text(140)},
    "features": {
        "app_home": {
            "home_tab_enabled": _flag,
            "messages_tab_enabled": _flag,
            "messages_tab_read_only_enabled": _flag,
        },
        "agent_view": {"agent_description!": _text(300)},
        "bot_user": {"display_name!": _text(80), "always_online": _flag},
        "slash_commands": [
            {
                "command!": _text(32, r"/[a-z0-9-]+"),
                "url": _URL,
                "description!": _text(2_000),
                "usage_hint": _text(1_000),
                "should_escape": _flag,
            }
        ],
        "shortcuts": [
            {
                "name!": _text(24),
                "type!": _text(7, "message|global"),
                "callback_id!": _text(255),
                "description!": _text(150),
            }
        ],
    },
    "oauth_config": {"redirect_urls": _urls, "scopes": {"bot": _names(255)}},
    "settings": {
        "event_subscriptions": {"request_url": _URL, "bot_events": _names(100)},
        "interactivity": {"is_enabled!": _flag, "request_url": _URL},
        "org_deploy_enabled": _flag,
        "socket_mode_enabled": _flag,
        "token_rotation_enabled": _flag,
    },
}


def _shape(value: object, fields: Fields, where: str) -> list[str]:
    if not isinstance(value, Mapping):
        return [f"{where} is no object"]
    known = {name.rstrip("!"): kind for name, kind in fields.items()}
    found = [f"{where}/{name} is unknown" for name in value if name not in known]
    found += [f"{where}/{name[:-1]} is missing" for name in fields if name.endswith("!") and name[:-1] not in value]
    for name, inner in value.items():
        found += _one(inner, known.get(name), f"{where}/{name}")
    return found


def _one(value: object, kind: object, where: str) -> list[str]:
    match kind:
        case Mapping():
            return _shape(value, kind, where)
        case [Mapping() as each]:
            if not isinstance(value, list) or not 1 <= len(value) <= 50:
                return [f"{where} is no list with something in it"]
            return [wrong for number, one in enumerate(value) for wrong in _shape(one, each, f"{where}/{number}")]
        case _ if callable(kind):
            return [f"{where} {wrong}"] if (wrong := kind(value)) else []
        case _:
            return []  # unknown, which was said


def _between(manifest: Mapping[str, Any]) -> list[str]:
    return [*_lacking_scopes(manifest), *_lacking_parts(manifest), *_lacking_addresses(manifest)]


def _lacking_scopes(manifest: Mapping[str, Any]) -> list[str]:
    features, scopes = manifest.get("features", {}), _scopes(manifest)
    found = []
    for event in _events(manifest):
        if event not in SCOPE_OF_EVENT:
            found.append(f"{event} is no event that is known here")
        elif SCOPE_OF_EVENT[event] and SCOPE_OF_EVENT[event] not in scopes:
            found.append(f"{event} needs {SCOPE_OF_EVENT[event]}")
    if (features.get("slash_commands") or features.get("shortcuts")) and "commands" not in scopes:
        found.append("slash commands and shortcuts need the scope commands")
    if ("assistant:write" in scopes) is not ("agent_view" in features):
        found.append("assistant:write and agent_view need each other")
    return found


def _lacking_parts(manifest: Mapping[str, Any]) -> list[str]:
    features = manifest.get("features", {})
    found = []
    if _scopes(manifest) and "bot_user" not in features:
        found.append("scopes of a bot need features/bot_user")
    if features.get("shortcuts") and not manifest.get("settings", {}).get("interactivity", {}).get("is_enabled"):
        found.append("shortcuts need interactivity")
    if "agent_view" in features:
        found += [f"agent_view needs {event}" for event in sorted(AGENT_EVENTS - set(_events(manifest)))]
        if not features.get("app_home", {}).get("messages_tab_enabled"):
            found.append("agent_view needs the messages tab")
    found += [f"{one['command']} is Slack's own" for one in _commands(manifest) if one.get("command") in BUILT_IN]
    return found


def _lacking_addresses(manifest: Mapping[str, Any]) -> list[str]:
    settings = manifest.get("settings", {})
    if settings.get("socket_mode_enabled"):
        return []
    found = []
    if _events(manifest) and "request_url" not in settings["event_subscriptions"]:
        found.append("events need an address to be sent to")
    if settings.get("interactivity", {}).get("is_enabled") and "request_url" not in settings["interactivity"]:
        found.append("interactivity needs an address")
    return found + [f"{one['command']} needs an address" for one in _commands(manifest) if "url" not in one]


def _scopes(manifest: Mapping[str, Any]) -> set[str]:
    return set(manifest.get("oauth_config", {}).get("scopes", {}).get("bot", ()))


def _events(manifest: Mapping[str, Any]) -> Sequence[str]:
    found: Sequence[str] = manifest.get("settings", {}).get("event_subscriptions", {}).get("bot_events", ())
    return found


def _commands(manifest: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = manifest.get("features", {}).get("slash_commands", ())
    return found
