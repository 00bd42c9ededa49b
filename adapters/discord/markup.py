"""Text in: mentions become names. And names of threads, in which nothing could ping. Pure. Messages are written in `dialect`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from adapters.discord.capabilities import MAX_THREAD_NAME
from adapters.discord.dialect import neutralise
from bridge.markdown.characters import clean, without_marks

_MENTION = re.compile(
    r"<@!?(?P<user>[0-9]+)>|<@&(?P<role>[0-9]+)>|<#(?P<channel>[0-9]+)>|<a?:(?P<emoji>\w+):[0-9]+>"
    r"|<t:(?P<time>-?[0-9]+)(?::[tTdDfFsSR])?>|</(?P<command>[^:>]+):[0-9]+>",
    re.ASCII,
)
_NAME_LENGTH = 80
"""Soft limit of a thread's name: more is cut off in the channel list anyway."""
_NO_NAME = "Conversation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of what a text mentions, by id. What is not known is spelled with its id."""

    users: Mapping[int, str] = field(default_factory=dict)
    roles: Mapping[int, str] = field(default_factory=dict)
    channels: Mapping[int, str] = field(default_factory=dict)


def without_own_mention(text: str, *, user: int, role: int | None) -> str:
    """Removes our own mention, by name or by our role, from the beginning only."""
    ours = rf"<@!?{user}>" if role is None else rf"<@!?{user}>|<@&{role}>"
    found = re.match(rf"\s*(?:(?:{ours})\s*[,:]?\s*)+", text)
    return text[found.end() :].strip() if found else text.strip()


def readable(text: str, names: Names) -> str:
    """Mentions, emoji and times as a person would read them aloud."""

    def spell(found: re.Match[str]) -> str:
        if user := found["user"]:
            return "@" + names.users.get(int(user), user)
        if role := found["role"]:
            return "@" + names.roles.get(int(role), role)
        if channel := found["channel"]:
            return "#" + names.channels.get(int(channel), channel)
        if emoji := found["emoji"]:
            return f":{emoji}:"
        if command := found["command"]:
            return "/" + command
        return _spell_time(found)

    return _MENTION.sub(spell, text)


def thread_name(title: str) -> str:
    """One line without mentions, cut at a word, never empty and never longer than Discord allows."""
    words = neutralise(" ".join(_MENTION.sub(" ", without_marks(clean(title))).split()))
    if len(words) > _NAME_LENGTH:
        cut = words[:_NAME_LENGTH]
        words = (cut.rsplit(" ", 1)[0] if " " in cut[_NAME_LENGTH // 2 :] else cut).rstrip() + "…"
    return words[:MAX_THREAD_NAME] or _NO_NAME


def plain_emoji(name: str) -> str:
    """An emoji without skin tone and variation selector; the name of one that a server made itself."""
    stripped = re.sub("[\U0001f3fb-\U0001f3ff\ufe0e\ufe0f]", "", name)
    return stripped or name


def _spell_time(found: re.Match[str]) -> str:
    try:
        return datetime.fromtimestamp(int(found["time"]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return found[0]
