"""Finds platforms and backends by the names of their folders, so that a new one touches its own folder only.

`load` makes the whole configuration of them: the environment, `.env` and `bridge.toml`.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Generic, TypeVar, cast

from dotenv import dotenv_values
from pydantic_settings import BaseSettings

from bridge.backend_api import Backend
from bridge.clock import Clock
from bridge.configuring.choosing import Choice, Sources, choose, tell
from bridge.errors import SettingsError
from bridge.markdown.dialect import Dialect
from bridge.messages import AppName
from bridge.platform_api import Platform
from bridge.routing import DEFAULT_APP, AppPolicy, Everywhere, Resolver, Route, Routes
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
    spellings: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """Names of variables as the part knows them -> what the operator has to touch, where that is something else."""

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
    apps: Mapping[AppName, Part[Backend]]
    """Each part's name is that of its backend."""
    routes: Resolver
    """Has the same apps."""
    config_file: str = ""
    """The `bridge.toml` that was read, if any."""
    notices: tuple[str, ...] = ()
    """What is allowed and probably not meant."""

    @classmethod
    def for_one_app(
        cls,
        core: Settings,
        database: DatabaseSettings,
        platforms: tuple[Part[Platform], ...],
        app: Part[Backend],
        others: Mapping[AppName, Part[Backend]] | None = None,
    ) -> "Configuration":
        """One app that answers everywhere, as the environment alone would set it up; until a member chooses one of `others`."""
        apps = {DEFAULT_APP: app, **(others or {})}
        policies = {name: AppPolicy(name=name) for name in apps}
        routes: Resolver = Everywhere(app=policies[DEFAULT_APP])
        if others:
            routes = Routes(apps=policies, routes=(Route(app=DEFAULT_APP, choices=tuple(apps)),))
        return cls(core=core, database=database, platforms=platforms, apps=apps, routes=routes)


def folders(package: str) -> list[str]:
    """Names of the folders in a package, in alphabetical order."""
    found = importlib.import_module(package)
    return sorted(module.name for module in pkgutil.iter_modules(found.__path__) if module.ispkg)


def known_platforms() -> list[str]:
    """Names of platforms, whether or not they are switched on."""
    return folders(_PLATFORMS)


def load(env_file: Path | None, config_file: Path | None = None) -> Configuration:
    """Reads every settings class and `bridge.toml`. Raises `SettingsError` with all problems at once.

    `config_file` goes before `BRIDGE_CONFIG`, and that before a `bridge.toml` in the working directory.
    """
    problems: list[str] = []

    def attempt(kind: type[BaseSettings]) -> BaseSettings | None:
        try:
            return read(kind, env_file)
        except SettingsError as error:
            problems.extend(error.problems)
            return None

    core = cast("Settings | None", attempt(Settings))
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
    problems += _open_secrets(platforms, cast("DatabaseSettings | None", database))
    choice = choose(core, _sources(env_file, config_file))
    wrong_apps = tell([*choice.file_problems, *choice.problems])
    problems += wrong_apps
    if not choice.apps and not wrong_apps:
        problems.append(
            "No app is configured: set DIFY_API_KEY to the API key of a Dify app (its page, API Access), "
            "or write apps into bridge.toml (see bridge.toml.example)."
        )
    problems = [*_typing_errors(env_file, choice.variables), *dict.fromkeys(problems)]
    if problems or choice.routes is None:
        raise SettingsError(problems)
    return Configuration(
        core=cast("Settings", core),
        database=cast("DatabaseSettings", database),
        platforms=tuple(platforms),
        apps={
            name: Part(app.backend, app.settings, f"{_BACKENDS}.{app.backend}.backend", spellings=app.spellings)
            for name, app in choice.apps.items()
        },
        routes=choice.routes,
        config_file=choice.config_file,
        notices=(*choice.notices, *_idle_routes(choice, [part.name for part in platforms])),
    )


def load_routes(env_file: Path | None, config_file: Path | None = None) -> Resolver:
    """Only which app answers where; no token and no key needs to be there. Raises `SettingsError`."""
    try:
        core = read(Settings, env_file)
    except SettingsError:
        core = None  # what is wrong there changes no route
    choice = choose(core, _sources(env_file, config_file))
    if choice.file_problems or choice.routes is None:
        raise SettingsError(tell(choice.file_problems) or ["No app is configured, so none answers anywhere."])
    return choice.routes


def _sources(env_file: Path | None, config_file: Path | None) -> Sources:
    return Sources(
        backends={name: _settings_class(_BACKENDS, name) for name in folders(_BACKENDS)},
        platforms=folders(_PLATFORMS),
        env_file=env_file,
        config_file=config_file,
    )


def _idle_routes(choice: Choice, switched_on: Collection[str]) -> list[str]:
    return [
        f"The route at {route} is about {route.platform}, which is not switched on."
        for route in choice.written_routes
        if route.platform is not None and route.platform not in switched_on
    ]


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
        if _is_on(settings) and not getattr(settings, "only_named", False):
            return Part(name, settings, f"{_BACKENDS}.{name}.backend")
    return None


def describe_install(
    name: str, env_file: Path | None = None, *, http_url: str = "", plain: bool = False, as_yaml: bool = False
) -> str:
    """What is given to a platform's own site to set the app up there, as text. Raises `SettingsError` when there is no such
    platform, or none of that kind."""
    module = _part_of_platform(name, "installs.manifest")
    if module is None:
        raise SettingsError(
            [f"There is nothing to print for {name.capitalize()}: its app is set up by hand, as the README says."]
        )
    settings = read(cast("type[BaseSettings]", module.AppSettings), env_file)
    return cast("str", module.describe_install(settings, http_url=http_url, plain=plain, as_yaml=as_yaml))


def dialect(name: str) -> Dialect:
    """How a platform writes Markdown when nothing is configured. Raises `SettingsError` when there is no such platform."""
    return cast("Dialect", _dialect_module(name).DIALECT)


def fallback_limit(name: str) -> int | None:
    """UTF-8 bytes that a platform takes in the form for when the usual one was refused; None where there is no such form."""
    return cast("int | None", getattr(_dialect_module(name), "PLAIN_BYTES", None))


def _dialect_module(name: str) -> ModuleType:
    return cast("ModuleType", _part_of_platform(name, "dialect"))


def _part_of_platform(name: str, part: str) -> ModuleType | None:
    """None: this platform has no such module. Raises `SettingsError` when there is no such platform."""
    known = folders(_PLATFORMS)
    if name not in known:
        raise SettingsError([f"There is no platform named {name!r}; there are {', '.join(known)}."])
    try:
        return importlib.import_module(f"{_PLATFORMS}.{name}.{part}")
    except ModuleNotFoundError as error:
        if error.name is None or not f"{_PLATFORMS}.{name}.{part}".startswith(error.name):
            raise
        return None


def example() -> str:
    """The text of `.env.example`."""
    sections: dict[str, list[type[BaseSettings]]] = {
        name.capitalize(): [_settings_class(_PLATFORMS, name)] for name in folders(_PLATFORMS)
    }
    sections |= {name.capitalize(): [_settings_class(_BACKENDS, name)] for name in folders(_BACKENDS)}
    sections |= {"Database": [DatabaseSettings], "The bridge itself": [Settings]}
    return describe(sections)


_OURS = (
    *("SLACK_", "DISCORD_", "DIFY_", "DATABASE_", "ENCRYPTION_", "FEEDBACK_", "SHUTDOWN_", "BRIDGE_CONF", "STOP_"),
    *("RETRY_", "FOLLOW_", "RECOVER", "MOST_", "BUSY_", "WAIT_NOT", "CONTEXT_", "MUTE_", "UNMUTE_", "EXTERNAL_"),
    *("QUESTIONS_PER", "ALLOWED_BOT", "BOT_TURN", "ANSWER_", "SUGGESTIONS_", "FILE_PAT"),
    *("FORM_PAT", "HUMAN_IN", "SPEAK_", "ECHO_", "OPENAI_", "DBGPT_", "HISTORY_"),
)
"""In `.env` a name that begins like this is meant for us. (HTTP_ and LOG_ are not: HTTP_PROXY belongs to others.)"""


def _typing_errors(env_file: Path | None, used: Collection[str]) -> list[str]:
    """Names in `.env` that nobody reads, each with the name that was probably meant. `used` is read by `bridge.toml`."""
    classes: list[type[BaseSettings]] = [Settings, DatabaseSettings]
    classes += [_settings_class(package, name) for package in (_PLATFORMS, _BACKENDS) for name in folders(package)]
    known = [field.upper() for kind in classes for field in kind.model_fields]
    errors = []
    for name in _lines_of(env_file):
        if name.upper() in known or name in used or not name.upper().startswith(_OURS):
            continue
        meant = difflib.get_close_matches(name.upper(), known, n=1)
        errors.append(f"{name} in {env_file} is not a setting{f'; did you mean {meant[0]}?' if meant else '.'}")
    return errors


def _lines_of(env_file: Path | None) -> dict[str, str]:
    try:
        return {name: value or "" for name, value in dotenv_values(env_file).items()} if env_file else {}
    except UnicodeDecodeError:
        return {}  # told by whoever reads the settings


def _settings_class(package: str, name: str) -> type[BaseSettings]:
    return cast("type[BaseSettings]", importlib.import_module(f"{package}.{name}.settings").Settings)


def _open_secrets(platforms: Collection[Part[Platform]], database: DatabaseSettings | None) -> list[str]:
    """A token that lay open in the database would be worth stealing."""
    if database is None or database.encryption_keys:
        return []
    return [
        f"{part.name.capitalize()} is to be installed in many places, so ENCRYPTION_KEY must be set, to encrypt their tokens: "
        "make one with `openssl rand -hex 32`."
        for part in platforms
        if getattr(part.settings, "needs_encryption", False)
    ]


def _is_on(settings: BaseSettings | None) -> bool:
    return settings is not None and bool(getattr(settings, "enabled", False))
