"""Puts together which apps there are: those of `bridge.toml`, and the one of the environment. And which answers where."""

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dotenv import dotenv_values
from pydantic_settings import BaseSettings

from bridge.configuring.document import Document, Problem, read_document
from bridge.configuring.limits import LimitsReader, is_secret
from bridge.configuring.reading import Known, Written, WrittenApp, did_you_mean, read_written
from bridge.errors import SettingsError
from bridge.messages import AppName, PersonId
from bridge.quotas import Quotas
from bridge.routing import DEFAULT_APP, AppPolicy, Everywhere, Guests, MayAnswer, Resolver, Route, Routes
from bridge.settings import Settings, read

CONFIG_FILE = Path("bridge.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenApp:
    """How one app's backend is reached."""

    backend: str
    settings: BaseSettings
    spellings: Mapping[str, str] = field(default_factory=dict)
    """Names of variables as the backend knows them -> what the operator has to touch for this app."""


@dataclass(slots=True, kw_only=True)
class Choice:
    """What was found. `routes` is None when `file_problems` or `problems` says why."""

    config_file: str = ""
    """The file that was read, as the operator gave it; empty when there is none."""
    apps: dict[AppName, ChosenApp] = field(default_factory=dict)
    routes: Resolver | None = None
    """May be there although settings of a backend are wrong: it needs none of them."""
    written_routes: Sequence[Route] = ()
    variables: frozenset[str] = frozenset()
    """Those that the file names."""
    file_problems: list[Problem] = field(default_factory=list)
    """Without these nobody can say where which app answers."""
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """What is allowed and probably not meant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where to look."""

    backends: Mapping[str, type[BaseSettings]]
    platforms: Collection[str]
    env_file: Path | None
    config_file: Path | None
    """As the command line has it."""


def choose(core: Settings | None, sources: Sources) -> Choice:
    """`core` is None when it is wrong, which is told already. Raises nothing."""
    choice = Choice()
    defaults = _policy(core)
    others: list[str] = []
    from_environment = _read_environment(sources, choice, others)
    # Where its settings are wrong, there is one all the same, and routes that lead to it are right.
    known = Known(
        platforms=sources.platforms,
        apps={DEFAULT_APP} if choice.problems else from_environment.keys(),
        guests=_guests(core),
        quotas=_quotas(core),
    )
    try:
        document = _find_document(core, sources)
    except SettingsError as error:
        choice.file_problems += [Problem(0, sentence) for sentence in error.problems]
        return choice
    if document is None:
        choice.apps = from_environment
        choice.notices += _not_used(from_environment, others)
        policies = {DEFAULT_APP: defaults} if from_environment else {}
        has_routes = False
    else:
        choice.config_file = document.name
        written = read_written(document, defaults, known)
        choice.file_problems += written.problems
        # What the file says of `default` goes before what the environment makes of it.
        choice.apps = from_environment | _read_apps(document, written, sources, choice)
        policies = dict.fromkeys(from_environment, defaults) | {app.policy.name: app.policy for app in written.apps}
        choice.written_routes = written.routes
        has_routes = written.has_routes
        choice.notices += _own_key(sources, written, from_environment)
    if not choice.file_problems and policies:
        choice.routes = _make_routes(policies, choice, known, has_routes=has_routes)
    choice.notices += _unreachable_apps(policies, choice) if has_routes else []
    return choice


def tell(problems: Iterable[Problem]) -> list[str]:
    """Their sentences in the order of their lines, each once."""
    return list(dict.fromkeys(problem.sentence for problem in sorted(problems, key=lambda one: one.line)))


def _policy(core: Settings | None) -> AppPolicy:
    if core is None:
        return AppPolicy(name=DEFAULT_APP)
    return AppPolicy(
        name=DEFAULT_APP,
        recover=core.recover,
        may_answer=MayAnswer.read(core.human_input, core.human_input_people),
        context_turns=core.context_turns,
        most_waiting=core.most_waiting,
        most_queued=core.most_queued,
    )


def _guests(core: Settings | None) -> Guests:
    if core is None:
        return Guests()
    return Guests(external=core.external_channels, bots=frozenset(PersonId(one) for one in core.allowed_bots))


def _quotas(core: Settings | None) -> Quotas:
    if core is None:
        return Quotas()
    return Quotas(per_person=core.questions_per_person, per_channel=core.questions_per_channel)


def _find_document(core: Settings | None, sources: Sources) -> Document | None:
    asked = sources.config_file
    if asked is None and core is not None:
        asked = core.bridge_config
    elif asked is None and (written := _variables(sources.env_file).get("BRIDGE_CONFIG")):
        asked = Path(written)  # something else is wrong with the settings; that file is meant all the same
    if asked is None:
        return read_document(CONFIG_FILE) if CONFIG_FILE.is_file() else None
    if not asked.is_file():
        raise SettingsError([f"{'--config' if sources.config_file else 'BRIDGE_CONFIG'}: {asked} is not a file."])
    return read_document(asked)


def _read_environment(sources: Sources, choice: Choice, others: list[str]) -> dict[AppName, ChosenApp]:
    """The one app that needs no file. What else could be one is added to `others`."""
    found: dict[AppName, ChosenApp] = {}
    for name, kind in sources.backends.items():
        try:
            settings = read(kind, sources.env_file)
        except SettingsError as error:
            choice.problems += [Problem(0, sentence) for sentence in error.problems]
            continue
        # Some are only for trying out, and must be asked for by name.
        alone = not getattr(settings, "only_named", False)
        if not getattr(settings, "enabled", False) or not alone:
            continue
        if found:
            others.append(name)
        else:
            found[DEFAULT_APP] = ChosenApp(backend=name, settings=settings)
    return found


def _not_used(from_environment: Mapping[AppName, ChosenApp], others: Sequence[str]) -> list[str]:
    names = [app.backend for app in from_environment.values()]
    return [
        f"The environment sets up an app of {other}, too, which is not used: it makes one app, of {names[0]} here. "
        "Write both into bridge.toml (see bridge.toml.example)."
        for other in others
    ]


def _read_apps(document: Document, written: Written, sources: Sources, choice: Choice) -> dict[AppName, ChosenApp]:
    found: dict[AppName, ChosenApp] = {}
    reader = LimitsReader(document, sources.env_file, _variables(sources.env_file))
    for app in written.apps:
        kind = sources.backends.get(app.backend)
        if kind is None:
            words = (
                f"apps.{app.policy.name}.backend must be {' or '.join(sorted(sources.backends))}, but it is {app.backend!r}."
                f"{did_you_mean(app.backend, sources.backends)}"
            )
            choice.problems.append(document.say((*app.place, "backend"), words))
            continue
        read_app = reader.read(app, kind)
        choice.problems += read_app.problems
        choice.variables |= _named_variables(app)
        if read_app.settings is not None:
            found[app.policy.name] = ChosenApp(
                backend=app.backend, settings=read_app.settings, spellings=read_app.spellings
            )
    return found


def _named_variables(app: WrittenApp) -> frozenset[str]:
    return frozenset(str(value) for key, value in app.rest.items() if key.endswith("_env"))


def _variables(env_file: Path | None) -> dict[str, str]:
    try:
        lines = dotenv_values(env_file) if env_file else {}
    except UnicodeDecodeError:
        lines = {}  # told by whoever reads the settings
    return {name: value or "" for name, value in lines.items()} | dict(os.environ)


def _make_routes(
    policies: Mapping[AppName, AppPolicy], choice: Choice, known: Known, *, has_routes: bool
) -> Resolver | None:
    if has_routes:
        return Routes(apps=policies, routes=tuple(choice.written_routes))
    if len(policies) == 1:
        (policy,) = policies.values()
        return Everywhere(app=policy, guests=known.guests, quotas=known.quotas)
    names = ", ".join(sorted(policies))
    hint = " (`default` is the one of the environment)" if DEFAULT_APP in policies else ""
    words = (
        f"{choice.config_file}: there are several apps, {names}{hint}, and no [[routes]] that say which of them answers where. "
        f'Write for example [[routes]] with app = "{min(policies)}" below it, which answers everywhere.'
    )
    choice.file_problems.append(Problem(0, words))
    return None


def _own_key(sources: Sources, written: Written, from_environment: Mapping[AppName, ChosenApp]) -> list[str]:
    """Says what becomes of the environment's own key beside apps of the file."""
    if not (written.apps and from_environment):
        return []
    (app,) = from_environment.values()
    fields = sources.backends[app.backend].model_fields
    keys = {name.upper(): name.removeprefix(f"{app.backend}_") for name, one in fields.items() if is_secret(one)}
    told = f"{' and '.join(keys)} in the environment"
    if DEFAULT_APP not in written.names:
        words = f"is an app too, besides those of the file: it is named {DEFAULT_APP} and answers where a route leads to it."
        return [f"{told} {words} Remove it if it is not meant to be one."]
    own = [
        one
        for one in written.apps
        if one.policy.name == DEFAULT_APP and any(f"{key}_env" in one.rest for key in keys.values())
    ]
    return [f"{told} is not used: apps.{DEFAULT_APP} names another variable."] if own else []


def _unreachable_apps(policies: Mapping[AppName, AppPolicy], choice: Choice) -> list[str]:
    reached = {app for route in choice.written_routes for app in route.leads_to}
    return [
        f"No route leads to the app {name}, so it answers nowhere. "
        f'[[routes]] with app = "{name}" alone lets it answer wherever no other route does.'
        for name in sorted(policies)
        if name not in reached
    ]
