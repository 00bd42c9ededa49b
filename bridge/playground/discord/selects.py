"""What can be chosen in a string select, below a message or in a form: read as strictly as Discord does.

Docs: components/reference, String Select.
"""

from typing import Final

from bridge.playground.discord import limits
from bridge.playground.discord.model import Json
from bridge.playground.discord.refusals import invalid_form

SELECT: Final = 3
"""Component type."""

MAX_SELECT_PLACEHOLDER: Final = 150


def read_choices(raw: Json, path: str) -> tuple[tuple[str, str], ...]:
    options = raw.get("options")
    if not isinstance(options, list) or not 1 <= len(options) <= limits.MAX_CHOICES:
        raise invalid_form(f"{path}.options", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 25 in length.")
    choices: list[tuple[str, str]] = []
    for index, one in enumerate(options):
        at = f"{path}.options.{index}"
        if not isinstance(one, dict):
            raise invalid_form(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
        choices.append((read_line(one, "value", at, 100), read_line(one, "label", at, 100)))
    if len({value for value, _ in choices}) != len(choices):
        raise invalid_form(f"{path}.options", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The value is used already")
    return tuple(choices)


def read_line(raw: Json, key: str, path: str, most: int, *, needed: bool = True) -> str:
    text = raw.get(key)
    text = "" if text is None else text
    if not isinstance(text, str):
        raise invalid_form(f"{path}.{key}", "STRING_TYPE_CONVERT", "Could not interpret value as string.")
    if len(text) > most or (needed and not text):
        raise invalid_form(f"{path}.{key}", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {most} in length.")
    return text
