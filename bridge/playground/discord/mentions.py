"""What a message mentions and whom it would ping. Pure; knows `allowed_mentions` and Markdown's code spans."""

import re
from collections.abc import Collection
from dataclasses import dataclass

from bridge.playground.discord import limits
from bridge.playground.discord.model import Json
from bridge.playground.discord.refusals import invalid_form

_CODE = re.compile(r"\\.|```.*?```|``.+?``|`[^`\n]+`", re.DOTALL)
"""Code, in which nothing is mentioned. A backslash keeps a backtick from opening any; it does not keep a mention from pinging."""
_USER = re.compile(r"<@!?(\d{15,20})>")
_ROLE = re.compile(r"<@&(\d{15,20})>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")
_KINDS = ("users", "roles", "everyone")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedMentions:
    parse: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    replied_user: bool = False


EVERYTHING = AllowedMentions(parse=frozenset(_KINDS), replied_user=True)
"""Discord's default when the field is missing (docs: resources/message, Allowed Mentions Object)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentioned:
    users: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    everyone: bool = False
    pings: tuple[str, ...] = ()
    """As written in the text ("@everyone", "<@id>", "<@&id>"), or "reply <@id>" for the author replied to."""


def read_allowed(body: Json) -> AllowedMentions:
    """The field of a request body. Raises `Refusal` where Discord finds it contradictory or malformed."""
    raw = body.get("allowed_mentions")
    if raw is None:
        return EVERYTHING
    if not isinstance(raw, dict):
        raise invalid_form("allowed_mentions", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    parse = frozenset(_read_list(raw, "parse"))
    if unknown := parse.difference(_KINDS):
        raise invalid_form("allowed_mentions.parse", "BASE_TYPE_CHOICES", f"{sorted(unknown)} are not among {_KINDS}")
    named = {}
    for kind in ("users", "roles"):
        ids = _read_list(raw, kind)
        if len(ids) > limits.MAX_ALLOWED_MENTION_IDS:
            raise invalid_form(f"allowed_mentions.{kind}", "BASE_TYPE_BAD_LENGTH", "Must be 100 or fewer in length.")
        if not all(one.isascii() and one.isdecimal() for one in ids):
            raise invalid_form(f"allowed_mentions.{kind}", "NUMBER_TYPE_COERCE", "Value is not snowflake.")
        if ids and kind in parse:
            message = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            raise invalid_form("allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE", message)
        named[kind] = frozenset(ids)
    replied_user = raw.get("replied_user", False)
    if not isinstance(replied_user, bool):
        raise invalid_form("allowed_mentions.replied_user", "BOOLEAN_TYPE_CONVERT", "Must be either true or false.")
    return AllowedMentions(parse=parse, users=named["users"], roles=named["roles"], replied_user=replied_user)


def _read_list(raw: Json, key: str) -> list[str]:
    value = raw.get(key)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(one, str | int) for one in value):
        raise invalid_form(f"allowed_mentions.{key}", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    return [str(one) for one in value]


def find(
    content: str,
    allowed: AllowedMentions,
    *,
    author_id: str,
    replied_to: str | None,
    people: Collection[str],
    roles: Collection[str],
) -> Mentioned:
    """Mentions that count. `replied_to` is the author of the message replied to; unknown ids are plain text."""
    text = _CODE.sub(lambda found: found.group()[1:] if found.group().startswith("\\") else " ", content)
    users = [
        one
        for one in dict.fromkeys(_USER.findall(text))
        if one in people and ("users" in allowed.parse or one in allowed.users)
    ]
    named_roles = [
        one
        for one in dict.fromkeys(_ROLE.findall(text))
        if one in roles and ("roles" in allowed.parse or one in allowed.roles)
    ]
    everyone = list(dict.fromkeys(_EVERYONE.findall(text))) if "everyone" in allowed.parse else []
    pings = [*everyone, *(f"<@{one}>" for one in users if one != author_id), *(f"<@&{one}>" for one in named_roles)]
    if replied_to is not None and allowed.replied_user:
        if replied_to not in users:
            users.append(replied_to)
        if replied_to != author_id:
            pings.append(f"reply <@{replied_to}>")
    return Mentioned(users=tuple(users), roles=tuple(named_roles), everyone=bool(everyone), pings=tuple(pings))
