"""What an app's table says for its backend: every setting of the backend's own class, under its name without the prefix.

So `DIFY_MAX_CONCURRENT` is `max_concurrent` in `[apps.NAME]`. What the table leaves out is taken from the environment, as
without a table; keys are not: each app names the variable that its key is in.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import NoneType
from typing import cast, get_args

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from bridge.configuring.document import Document, Problem
from bridge.configuring.reading import WrittenApp, did_you_mean
from bridge.configuring.schema import AppTable
from bridge.routing import DEFAULT_APP
from bridge.settings import explain

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_ENV = "_env"


@dataclass(slots=True, kw_only=True)
class AppSettings:
    """The backend's settings for one app, or what is wrong with them."""

    settings: BaseSettings | None = None
    spellings: dict[str, str] = field(default_factory=dict)
    """What the backend calls a variable -> what the operator has to touch for this app."""
    problems: list[Problem] = field(default_factory=list)


class LimitsReader:
    """Reads one table after the other."""

    def __init__(self, document: Document, env_file: Path | None, variables: Mapping[str, str]) -> None:
        """`variables`: the environment, and under it the lines of `.env`."""
        self._document = document
        self._env_file = env_file
        self._variables = variables

    def read(self, app: WrittenApp, kind: type[BaseSettings]) -> AppSettings:
        found = AppSettings()
        fields = {name.removeprefix(f"{app.backend}_"): name for name in kind.model_fields}
        secrets = {short for short, name in fields.items() if is_secret(kind.model_fields[name])}
        values = self._read_keys(app, {short: fields[short] for short in secrets}, kind, found)
        for key, value in app.rest.items():
            if key in secrets or key in {secret + _ENV for secret in secrets}:
                continue
            if key not in fields:
                possible = {*fields, *AppTable.model_fields} - secrets | {secret + _ENV for secret in secrets}
                meant = did_you_mean(key.lower().removeprefix(f"{app.backend}_"), possible)
                found.problems.append(self._say(app, key, f"is not known.{meant}"))
            elif wrong := _wrong_type(kind.model_fields[fields[key]], value):
                found.problems.append(self._say(app, key, wrong))
            else:
                values[fields[key]] = value
        found.spellings |= self._spell(app, fields, secrets)
        if not found.problems:
            self._make(app, kind, values, found)
        return found

    def _read_keys(
        self, app: WrittenApp, secrets: Mapping[str, str], kind: type[BaseSettings], found: AppSettings
    ) -> dict[str, object]:
        """The values of the secret settings. The environment's own ones are for the environment's own app alone."""
        values: dict[str, object] = {}
        for short, name in secrets.items():
            key = short + _ENV
            example = f"{app.policy.name}_{short}".upper().replace("-", "_")
            if short in app.rest:
                found.problems.append(
                    self._say(
                        app,
                        short,
                        f"must not stand in this file, because it is a secret: set it as {example} in the environment or "
                        f'in .env, and write {key} = "{example}" here.',
                    )
                )
            elif key in app.rest:
                variable = app.rest[key]
                if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
                    # What it is may be the secret itself.
                    words = (
                        f'must be the name of a variable in capital letters, such as "{example}", and not its value.'
                    )
                    found.problems.append(self._say(app, key, words))
                elif not self._variables.get(variable):
                    words = f"is {variable}, but neither the environment nor .env has a {variable}."
                    found.problems.append(self._say(app, key, words))
                else:
                    values[name] = self._variables[variable]
                    found.spellings[name.upper()] = variable
            elif app.policy.name != DEFAULT_APP and not kind.model_fields[name].is_required():
                values[name] = kind.model_fields[name].get_default()
        return values

    def _spell(self, app: WrittenApp, fields: Mapping[str, str], secrets: set[str]) -> dict[str, str]:
        return {
            name.upper(): f"apps.{app.policy.name}.{short}"
            for short, name in fields.items()
            # A variable that is set and that the table leaves alone is what decides.
            if short not in secrets and (short in app.rest or name.upper() not in self._variables)
        }

    def _make(
        self, app: WrittenApp, kind: type[BaseSettings], values: Mapping[str, object], found: AppSettings
    ) -> None:
        try:
            # The library's constructor has many options of its own, with which a setting's name cannot be confused.
            settings = cast("Callable[..., BaseSettings]", kind)(_env_file=self._env_file, **values)
        except UnicodeDecodeError:
            return  # of `.env`; told by whoever reads the other settings
        except ValidationError as error:
            for name, sentence in explain(kind, error):
                short = (name or "").removeprefix(f"{app.backend}_")
                key = short if short in app.rest else short + _ENV
                if name is not None and key not in app.rest:
                    # The environment is wrong, which is told in its own words.
                    found.problems.append(Problem(0, sentence))
                else:
                    place = (*app.place, key) if name is not None else app.place
                    found.problems.append(self._document.say(place, respell(sentence, found.spellings)))
            return
        if not getattr(settings, "enabled", False):
            needed = [
                f'{name.removeprefix(f"{app.backend}_")}{_ENV} = "..."'
                for name, one in kind.model_fields.items()
                if is_secret(one)
            ]
            words = f"apps.{app.policy.name} needs {' and '.join(needed) or 'more settings'}"
            words += ": the name of a variable in the environment or in .env."
            if own := getattr(settings, "needs", ""):
                words = f"apps.{app.policy.name} needs {own}."
            found.problems.append(self._document.say(app.place, words))
            return
        found.settings = settings

    def _say(self, app: WrittenApp, key: str, words: str) -> Problem:
        return self._document.say((*app.place, key), f"apps.{app.policy.name}.{key} {words}")


def is_secret(field: FieldInfo) -> bool:
    return SecretStr in (field.annotation, *get_args(field.annotation))


def respell(sentence: str, spellings: Mapping[str, str]) -> str:
    """The sentence with the names that this app's operator knows."""
    return re.sub(r"\b[A-Z][A-Z0-9_]*\b", lambda found: spellings.get(found[0], found[0]), sentence)


def _wrong_type(field: FieldInfo, value: object) -> str:
    """Settings classes read text from the environment and would take `true` for 1; a file can be held to its types."""
    kinds = {one for one in get_args(field.annotation) if one is not NoneType}
    kind = kinds.pop() if len(kinds) == 1 else field.annotation
    if kind is bool:
        return "" if isinstance(value, bool) else "must be true or false, without quotes."
    if kind in (int, float):
        right = isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
        return "" if right else f"must be a {'whole ' if kind is int else ''}number, without quotes."
    return "" if isinstance(value, str) else "must be a text in quotes."
