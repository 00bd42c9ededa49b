"""Finds platforms and backends by the names of their folders, so that a new one touches its own folder only."""

import difflib
import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar, cast

from dotenv import dotenv_values
from pydantic_settings import BaseSettings

from bridge.backend_api import Backend
from bridge.clock import Clock
from bridge.errors import SettingsError
from bridge.markdown.dialect import Dialect
from bridge.platform_api import Platform
from bridge.settings import Settings, describe, isolated, read
from bridge.storage.settings import Settings as DatabaseSettings

_PLATFORMS = "adapters"
_BACKENDS = "bridge.backends"

PartT = TypeVar("PartT")


@dataclass(frozen=True)  # no slots: a generic class notes its type arguments on the instance
class Part(Generic[PartT]):
    """A platform or backend folder whose settings were read."""

    name: str
    settings: BaseSettings
    module: str

    def create(self, clock: Clock) -> PartT:
        """Makes the part. Its SDK is imported only now, so a platform that is off costs nothing."""
        make = cast("Callable[[BaseSettings, Clock], PartT]", importlib.import_module(self.module).create)
        return make(self.settings, clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Everything that was configured and switched on."""

    core: Settings
    database: DatabaseSettings
    platforms: tuple[Part[Platform], ...]
    backend: Part[Backend]


def folders(package: str) -> list[str]:
    """Names of the folders in a package, in alphabetical order."""
    found = importlib.import_module(package)
    return sorted(module.name for module in pkgutil.iter_modules(found.__path__) if module.ispkg)


def load(env_file: Path | None) -> Configuration:
    """Reads every settings class. Raises `SettingsError` with all problems at once."""
    problems: list[str] = []

    def attempt(kind: type[BaseSettings]) -> BaseSettings | None:
        try:
            return read(kind, env_file)
        except SettingsError as error:
            problems.extend(error.problems)
            return None

    core = attempt(Settings)
    database = attempt(DatabaseSettings)
    wrong = len(problems)
    platforms = [
        Part[Platform](name, settings, f"{_PLATFORMS}.{name}.adapter")
        for name in folders(_PLATFORMS)
        if _is_on(settings := attempt(_settings_class(_PLATFORMS, name))) and settings is not None
    ]
    if not platforms and len(problems) == wrong:
        problems.append(
            "No chat platform is configured: set SLACK_BOT_TOKEN and SLACK_APP_TOKEN for Slack, or DISCORD_TOKEN for Discord "
            "(`dify-chat-bridge playground` needs neither)."
        )
    wrong = len(problems)
    backends = [
        Part[Backend](name, settings, f"{_BACKENDS}.{name}.backend")
        for name in folders(_BACKENDS)
        if _is_on(settings := attempt(_settings_class(_BACKENDS, name))) and settings is not None
    ]
    if not backends and len(problems) == wrong:
        problems.append("No app is configured: set DIFY_API_KEY to the API key of a Dify app (its page, API Access).")
    problems = [*_typing_errors(env_file), *dict.fromkeys(problems)]
    if problems:
        raise SettingsError(problems)
    return Configuration(
        core=cast("Settings", core),
        database=cast("DatabaseSettings", database),
        platforms=tuple(platforms),
        backend=backends[0],
    )


def platform(name: str, **values: object) -> Part[Platform]:
    """A platform with exactly these settings, whatever the environment says (for the playground and tests)."""
    return Part(name, isolated(_settings_class(_PLATFORMS, name), **values), f"{_PLATFORMS}.{name}.adapter")


def backend(name: str, **values: object) -> Part[Backend]:
    """A backend with exactly these settings."""
    return Part(name, isolated(_settings_class(_BACKENDS, name), **values), f"{_BACKENDS}.{name}.backend")


def configured_backend(env_file: Path | None) -> Part[Backend] | None:
    """The backend that the environment switches on, if any. Raises `SettingsError`."""
    for name in folders(_BACKENDS):
        settings = read(_settings_class(_BACKENDS, name), env_file)
        if _is_on(settings):
            return Part(name, settings, f"{_BACKENDS}.{name}.backend")
    return None


def dialect(name: str) -> Dialect:
    """How a platform writes Markdown when nothing is configured. Raises `SettingsError` when there is no such platform."""
    return cast("Dialect", _dialect_module(name).DIALECT)


def fallback_limit(name: str) -> int | None:
    """UTF-8 bytes that a platform takes in the form for when the usual one was refused; None where there is no such form."""
    return cast("int | None", getattr(_dialect_module(name), "PLAIN_BYTES", None))


def _dialect_module(name: str) -> ModuleType:
    known = folders(_PLATFORMS)
    if name not in known:
        raise SettingsError([f"There is no platform named {name!r}; there are {', '.join(known)}."])
    return importlib.import_module(f"{_PLATFORMS}.{name}.dialect")


def example() -> str:
    """The text of `.env.example`."""
    sections: dict[str, list[type[BaseSettings]]] = {
        name.capitalize(): [_settings_class(_PLATFORMS, name)] for name in folders(_PLATFORMS)
    }
    sections |= {name.capitalize(): [_settings_class(_BACKENDS, name)] for name in folders(_BACKENDS)}
    sections |= {"Database": [DatabaseSettings], "The bridge itself": [Settings]}
    return describe(sections)


_OURS = ("SLACK_", "DISCORD_", "DIFY_", "DATABASE_", "FEEDBACK_", "SHUTDOWN_")
"""In `.env` a name that begins like this is meant for us. (HTTP_ and LOG_ are not: HTTP_PROXY belongs to others.)"""


def _typing_errors(env_file: Path | None) -> list[str]:
    """Names in `.env` that nobody reads, each with the name that was probably meant."""
    if env_file is None:
        return []
    try:
        written = dotenv_values(env_file)
    except UnicodeDecodeError:
        return []  # told already
    classes: list[type[BaseSettings]] = [Settings, DatabaseSettings]
    classes += [_settings_class(package, name) for package in (_PLATFORMS, _BACKENDS) for name in folders(package)]
    known = [field.upper() for kind in classes for field in kind.model_fields]
    errors = []
    for name in written:
        if name.upper() in known or not name.upper().startswith(_OURS):
            continue
        meant = difflib.get_close_matches(name.upper(), known, n=1)
        errors.append(f"{name} in {env_file} is not a setting{f'; did you mean {meant[0]}?' if meant else '.'}")
    return errors


def _settings_class(package: str, name: str) -> type[BaseSettings]:
    return cast("type[BaseSettings]", importlib.import_module(f"{package}.{name}.settings").Settings)


def _is_on(settings: BaseSettings | None) -> bool:
    return settings is not None and bool(getattr(settings, "enabled", False))
