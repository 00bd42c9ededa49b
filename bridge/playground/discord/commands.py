"""The commands that the bot registers, checked as strictly as Discord does (docs: interactions/application-commands)."""

import re
from typing import Final

from bridge.playground.discord import limits
from bridge.playground.discord.model import Command, Json, Option
from bridge.playground.discord.reading import read_bool, read_text
from bridge.playground.discord.refusals import (
    invalid_form,
    too_many_commands_today,
    unknown_application,
    unknown_command,
)
from bridge.playground.discord.rest import Answer, Asked, Route
from bridge.playground.discord.world import World

CHAT, USER_MENU, MESSAGE_MENU = 1, 2, 3
"""Command types."""

_NESTED: Final = (1, 2)
"""Option types of sub-commands and their groups."""
TEXT, WHOLE, YES_NO, PERSON, PLACE, ROLE, ANYBODY, NUMBER, FILE = range(3, 12)
"""Option types of values."""

_NAME: Final = re.compile(r"[-_'\w]{1,32}")
"""Docs, Application Command Naming. Python's \\w holds the letters and digits of every script, as the documented pattern does."""

_CONTEXTS: Final = (0, 1, 2)
_INTEGRATIONS: Final = (0, 1)


def put_all(world: World, asked: Asked) -> Answer:
    """Replaces all commands. Those of the same name and type keep their ids; only others count as new."""
    _own(world, asked)
    listed = asked.items
    read = [_read(one, str(index)) for index, one in enumerate(listed)]
    names = [(one.kind, one.name) for one in read]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise invalid_form(
                f"{index}.name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique"
            )
    for kind, most in limits.MAX_COMMANDS.items():
        if sum(each == kind for each, _ in names) > most:
            raise invalid_form("_errors", "APPLICATION_COMMAND_TOO_MANY", f"At most {most} commands of type {kind}.")
    world.command_puts += 1
    known = {(one.kind, one.name): one for one in world.commands}
    now = world.clock.monotonic()
    today = [at for at in world.command_creates if now - at < limits.COMMAND_CREATES_SECONDS]
    new = [name for name in names if name not in known]
    if len(today) + len(new) > limits.COMMAND_CREATES:
        raise too_many_commands_today()
    world.command_creates = [*today, *(now for _ in new)]
    world.commands = [_number(world, one, known.get((one.kind, one.name))) for one in read]
    world.changed()
    return Answer(payload=[_show(world, one) for one in world.commands])


def get_all(world: World, asked: Asked) -> Answer:
    _own(world, asked)
    return Answer(payload=[_show(world, one) for one in world.commands])


def get_one(world: World, asked: Asked) -> Answer:
    _own(world, asked)
    found = next((one for one in world.commands if one.id == asked.ids["command_id"]), None)
    if found is None:
        raise unknown_command()
    return Answer(payload=_show(world, found))


def delete(world: World, asked: Asked) -> Answer:
    _own(world, asked)
    left = [one for one in world.commands if one.id != asked.ids["command_id"]]
    if len(left) == len(world.commands):
        raise unknown_command()
    world.commands = left
    world.changed()
    return Answer(status=204)


def _own(world: World, asked: Asked) -> None:
    if asked.ids["application_id"] != world.application_id:
        raise unknown_application()


def _number(world: World, new: Command, old: Command | None) -> Command:
    """A command that did not change keeps its version too."""
    if old is not None and old.raw == new.raw:
        return old
    version = world.new_id()
    return _with(new, id=version if old is None else old.id, version=version)


def _with(one: Command, *, id: str, version: str) -> Command:  # noqa: A002  # as Discord calls it
    return Command(
        id=id,
        version=version,
        name=one.name,
        kind=one.kind,
        description=one.description,
        options=one.options,
        contexts=one.contexts,
        integration_types=one.integration_types,
        member_permissions=one.member_permissions,
        raw=one.raw,
    )


def _show(world: World, one: Command) -> Json:
    body: Json = {
        "id": one.id,
        "application_id": world.application_id,
        "version": one.version,
        "type": one.kind,
        "name": one.name,
        "description": one.description,
        "default_member_permissions": None if one.member_permissions is None else str(one.member_permissions),
        "dm_permission": True,
        "contexts": None if one.contexts is None else list(one.contexts),
        "integration_types": list(one.integration_types),
        "nsfw": bool(one.raw.get("nsfw")),
    }
    return body | ({"options": one.raw["options"]} if one.options else {})


def _read(raw: object, path: str) -> Command:
    if not isinstance(raw, dict):
        raise invalid_form(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    kind = CHAT if raw.get("type") is None else raw["type"]
    if isinstance(kind, bool) or kind not in limits.MAX_COMMANDS:
        raise invalid_form(f"{path}.type", "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3}.")
    name = _read_name(raw, path, is_menu=kind != CHAT)
    description = read_text(raw, "description") or ""
    if kind != CHAT and (description or raw.get("options")):
        raise invalid_form(
            f"{path}.description", "APPLICATION_COMMAND_DESCRIPTION_INVALID", "Context menu commands cannot have it"
        )
    if kind == CHAT:
        _check_description(description, path)
    options = _read_options(raw, path)
    characters = len(name) + len(description) + sum(_count(one) for one in raw.get("options") or ())
    if characters > limits.MAX_COMMAND_CHARACTERS:
        raise invalid_form(path, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")
    read_bool(raw, "nsfw")
    read_bool(raw, "dm_permission")
    _check_localizations(raw, path)
    contexts = _read_numbers(raw, "contexts", path, _CONTEXTS)
    return Command(
        id="",
        version="",
        name=name,
        kind=kind,
        description=description,
        options=options,
        contexts=contexts,
        integration_types=_read_numbers(raw, "integration_types", path, _INTEGRATIONS) or (0,),
        member_permissions=_read_permissions(raw, path),
        raw=raw,
    )


def _read_name(raw: Json, path: str, *, is_menu: bool) -> str:
    name = read_text(raw, "name") or ""
    if not 1 <= len(name) <= limits.MAX_COMMAND_NAME:
        raise invalid_form(f"{path}.name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")
    if not is_menu and (not _NAME.fullmatch(name) or name != name.lower()):
        raise invalid_form(f"{path}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    return name


def _check_description(description: str, path: str) -> None:
    if not 1 <= len(description) <= limits.MAX_COMMAND_DESCRIPTION:
        raise invalid_form(f"{path}.description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")


def _check_localizations(raw: Json, path: str) -> None:
    for key in ("name_localizations", "description_localizations"):
        value = raw.get(key)
        if value is not None and not (isinstance(value, dict) and all(isinstance(one, str) for one in value.values())):
            raise invalid_form(f"{path}.{key}", "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")


def _read_numbers(raw: Json, key: str, path: str, known: tuple[int, ...]) -> tuple[int, ...] | None:
    value = raw.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or not value or any(isinstance(one, bool) or one not in known for one in value):
        raise invalid_form(f"{path}.{key}", "BASE_TYPE_CHOICES", f"Values must be among {known}, one at least.")
    if len(set(value)) != len(value):
        raise invalid_form(f"{path}.{key}", "SET_TYPE_CONTAINS_DUPLICATES", "Must be unique.")
    return tuple(value)


def _read_permissions(raw: Json, path: str) -> int | None:
    value = raw.get("default_member_permissions")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).isdecimal():
        raise invalid_form(f"{path}.default_member_permissions", "NUMBER_TYPE_COERCE", "Value is not a number.")
    return int(value)


def _count(raw: Json) -> int:
    text = len(str(raw.get("name") or "")) + len(str(raw.get("description") or ""))
    choices = raw.get("choices")
    for one in choices if isinstance(choices, list) else ():
        text += len(str(one.get("name"))) + (len(one["value"]) if isinstance(one.get("value"), str) else 0)
    return text


def _read_options(raw: Json, path: str) -> tuple[Option, ...]:
    listed = raw.get("options")
    if listed is None:
        return ()
    if not isinstance(listed, list) or len(listed) > limits.MAX_COMMAND_OPTIONS:
        raise invalid_form(f"{path}.options", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    options = tuple(_read_option(one, f"{path}.options.{index}") for index, one in enumerate(listed))
    if len({one.name for one in options}) != len(options):
        raise invalid_form(
            f"{path}.options", "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name already exists"
        )
    needed = [one.required for one in options]
    if needed != sorted(needed, reverse=True):
        message = "Required options must be placed before non-required options"
        raise invalid_form(f"{path}.options", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
    return options


def _read_option(raw: object, path: str) -> Option:
    if not isinstance(raw, dict):
        raise invalid_form(path, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
    kind = raw.get("type")
    if kind in _NESTED:
        raise invalid_form(f"{path}.type", "PLAYGROUND_UNSUPPORTED", "This stand-in knows no sub-commands.")
    if isinstance(kind, bool) or not isinstance(kind, int) or not TEXT <= kind <= FILE:
        raise invalid_form(f"{path}.type", "BASE_TYPE_CHOICES", "Value must be one of 1 to 11.")
    if raw.get("autocomplete"):
        raise invalid_form(f"{path}.autocomplete", "PLAYGROUND_UNSUPPORTED", "This stand-in completes nothing.")
    name = _read_name(raw, path, is_menu=False)
    _check_description(read_text(raw, "description") or "", path)
    _check_localizations(raw, path)
    low, high = ("min_length", "max_length") if kind == TEXT else ("min_value", "max_value")
    least, most = (_read_bound(raw, key, path, kind) for key in (low, high))
    if least is not None and most is not None and least > most:
        raise invalid_form(f"{path}.{low}", "APPLICATION_COMMAND_OPTION_BOUNDS", "The least is above the most.")
    return Option(
        name=name,
        kind=kind,
        required=read_bool(raw, "required") or False,
        choices=_read_choices(raw, path, kind),
        least=least,
        most=most,
    )


def _read_bound(raw: Json, key: str, path: str, kind: int) -> float | None:
    value = raw.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or kind not in (TEXT, WHOLE, NUMBER):
        raise invalid_form(f"{path}.{key}", "NUMBER_TYPE_COERCE", "Value is not a number that is wanted here.")
    if kind == TEXT and not 0 <= value <= limits.MAX_OPTION_TEXT:
        raise invalid_form(f"{path}.{key}", "NUMBER_TYPE_MAX", "int value should be between 0 and 6000.")
    return value


def _read_choices(raw: Json, path: str, kind: int) -> tuple[str | int | float, ...]:
    listed = raw.get("choices")
    if not listed:
        return ()
    if not isinstance(listed, list) or len(listed) > limits.MAX_CHOICES or kind not in (TEXT, WHOLE, NUMBER):
        raise invalid_form(f"{path}.choices", "BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length.")
    values: list[str | int | float] = []
    for index, one in enumerate(listed):
        value = one.get("value") if isinstance(one, dict) else None
        wanted = str if kind == TEXT else int if kind == WHOLE else int | float
        if isinstance(value, bool) or not isinstance(value, wanted):
            raise invalid_form(f"{path}.choices.{index}.value", "BASE_TYPE_REQUIRED", "This field is required")
        if not 1 <= len(str(one.get("name") or "")) <= 100 or (isinstance(value, str) and len(value) > 100):
            raise invalid_form(f"{path}.choices.{index}", "BASE_TYPE_BAD_LENGTH", "Must be 1 to 100 in length.")
        values.append(value)
    return tuple(values)


_ALL = "/applications/{application_id}/commands"

ROUTES = [
    Route(method="PUT", template=_ALL, act=put_all, has_body=True, takes_list=True),
    Route(method="GET", template=_ALL, act=get_all),
    Route(method="GET", template=_ALL + "/{command_id}", act=get_one),
    Route(method="DELETE", template=_ALL + "/{command_id}", act=delete),
]
