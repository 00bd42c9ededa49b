"""Makes apps and routes of `bridge.toml`. Every problem is told, with its line; nothing is raised for one."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from bridge.configuring.document import Document, Problem, name_place
from bridge.configuring.inputs import read_inputs
from bridge.configuring.lines import Path as Place
from bridge.configuring.schema import APP_NAME, APP_NAME_WORDS, LONGEST_APP_NAME, NO_QUOTA, AppTable, RouteTable
from bridge.messages import AppName, ChannelId, InstallationId, PersonId, PlatformName
from bridge.quotas import Quota, Quotas, read_quota
from bridge.routing import Access, AppPolicy, Guests, MayAnswer, Route, find_twins

TableT = TypeVar("TableT", bound=BaseModel)

_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenApp:
    """One `[apps.NAME]`."""

    policy: AppPolicy
    backend: str
    rest: Mapping[str, object]
    """What is left for the backend's settings; nothing is known about it yet, not even whether it exists."""

    @property
    def place(self) -> Place:
        return ("apps", self.policy.name)


@dataclass(slots=True, kw_only=True)
class Written:
    """What a document says, as far as it is right."""

    apps: list[WrittenApp] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    names: frozenset[AppName] = frozenset()
    """Of all apps that are written, also of those that are wrong."""
    has_routes: bool = False
    """Whether any is written, also a wrong one."""
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a document may name without saying what it is."""

    platforms: Collection[str]
    apps: Collection[AppName]
    """Those that the environment configures."""
    guests: Guests = field(default_factory=Guests)
    """What holds for routes that say nothing of them."""
    quotas: Quotas = field(default_factory=Quotas)
    """Likewise."""


def read_written(document: Document, defaults: AppPolicy, known: Known) -> Written:
    """`defaults` holds where an app says nothing."""
    written = Written()
    for key in document.values.keys() - {"apps", "routes"}:
        written.problems.append(
            document.say((key,), f"{key} is not known here; there are only [apps.NAME] and [[routes]].")
        )
    _read_apps(document, defaults, written)
    _read_routes(document, known, written)
    for earlier, later in find_twins(written.routes):
        written.problems.append(
            document.say_at(
                later.line,
                f"this route is about the same places as the one at line {earlier.line}, so neither can win; "
                "remove one of them.",
            )
        )
    return written


def _read_apps(document: Document, defaults: AppPolicy, written: Written) -> None:
    tables = document.values.get("apps", {})
    if not isinstance(tables, dict):
        written.problems.append(
            document.say(("apps",), "apps must be tables: write [apps.NAME] and what the app needs below it.")
        )
        return
    written.names = frozenset(AppName(name) for name in tables)
    for name, table in tables.items():
        place = ("apps", name)
        if not APP_NAME.fullmatch(name) or len(name) > LONGEST_APP_NAME:
            written.problems.append(
                document.say(place, f"{name_place(place)}: the name of an app must be {APP_NAME_WORDS}.")
            )
            continue
        if not isinstance(table, dict):
            written.problems.append(document.say(place, f"{name_place(place)} must be a table: write [apps.{name}]."))
            continue
        read, _ = _validate(AppTable, table, place, document, written.problems)
        if read is not None:
            inputs = read_inputs(read.inputs, (*place, "inputs"), document)
            written.problems += inputs.problems
            policy = replace(
                defaults,
                name=AppName(name),
                recover=defaults.recover if read.recover is None else read.recover,
                may_answer=_read_may_answer(read, defaults.may_answer, place, document, written.problems),
                context_turns=defaults.context_turns if read.context_turns is None else read.context_turns,
                most_waiting=defaults.most_waiting if read.most_waiting is None else read.most_waiting,
                most_queued=defaults.most_queued if read.most_queued is None else read.most_queued,
                inputs=inputs.constants,
                sourced=inputs.sourced,
                asked=frozenset(inputs.asked),
            )
            written.apps.append(WrittenApp(policy=policy, backend=read.backend, rest=read.model_extra or {}))


def _read_may_answer(
    table: AppTable, default: MayAnswer, place: Place, document: Document, problems: list[Problem]
) -> MayAnswer:
    people = default.people if table.human_input_people is None else frozenset(table.human_input_people)
    if table.human_input is None:
        return replace(default, people=people)
    if table.human_input == "people" and not people:
        where = (*place, "human_input")
        words = f'{name_place(where)} is "people", but human_input_people names nobody; write their ids there.'
        problems.append(document.say(where, words))
    return MayAnswer.read(table.human_input, people)


def _read_routes(document: Document, known: Known, written: Written) -> None:
    tables = document.values.get("routes", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        written.problems.append(
            document.say(("routes",), "routes must be tables in a list: write [[routes]], with two brackets.")
        )
        written.has_routes = True
        return
    written.has_routes = bool(tables)
    known = replace(known, apps=written.names | frozenset(known.apps))
    for position, table in enumerate(tables):
        place: Place = ("routes", position)
        read, whole = _validate(RouteTable, table, place, document, written.problems)
        if read is None:
            continue
        if not {"app", "apps"} & table.keys():
            description = RouteTable.model_fields["app"].description
            written.problems.append(document.say((*place, "app"), f"routes.app is missing; it must be {description}."))
            whole = False
        faults = [document.say(*one) for one in _contradictions(read, place, known)]
        written.problems.extend(faults)
        if whole and not faults:
            written.routes.append(_make_route(read, document.line(place), known))


def _contradictions(route: RouteTable, place: Place, known: Known) -> Iterable[tuple[Place, str]]:
    if route.app is not None and route.app not in known.apps:
        words = f"the name of an app, but there is none named {_show(route.app)}.{did_you_mean(route.app, known.apps)}"
        yield (*place, "app"), f"routes.app must be {words}"
    yield from _wrong_choices(route, place, known)
    if route.platform is not None and route.platform not in known.platforms:
        words = f"{' or '.join(sorted(known.platforms))}, but it is {_show(route.platform)}."
        yield (*place, "platform"), f"routes.platform must be {words}{did_you_mean(route.platform, known.platforms)}"
    if route.workspace is not None and route.server is not None:
        yield (*place, "server"), "routes.server and routes.workspace mean the same; remove one of them."
    if route.direct and route.category is not None:
        yield (
            (*place, "category"),
            "this route can never win: direct messages stand in no category; remove routes.category or routes.direct.",
        )


def _wrong_choices(route: RouteTable, place: Place, known: Known) -> Iterable[tuple[Place, str]]:
    for number, name in enumerate(route.apps):
        if name not in known.apps:
            words = f"names of apps, but there is none named {_show(name)}.{did_you_mean(name, known.apps)}"
            yield (*place, "apps", number), f"routes.apps must be a list of {words}"
        elif name in route.apps[:number]:
            yield (*place, "apps", number), f"routes.apps names {_show(name)} twice; remove one of them."
    if route.apps and route.app is not None and route.app not in route.apps and route.app in known.apps:
        words = f"{_show(route.app)} is missing, which answers until a member chooses another one"
        yield (*place, "apps"), f"routes.apps must have routes.app in it, but {words}."


def _make_route(table: RouteTable, line: int, known: Known) -> Route:
    installation = table.workspace if table.server is None else table.server
    choices = tuple(AppName(name) for name in table.apps)
    return Route(
        # It is one of them, or else told as missing.
        app=AppName(table.app) if table.app is not None else choices[0],
        choices=choices if len(choices) > 1 else (),
        platform=None if table.platform is None else PlatformName(table.platform),
        installation=None if installation is None else InstallationId(installation),
        channel=None if table.channel is None else ChannelId(table.channel),
        category=None if table.category is None else ChannelId(table.category),
        is_direct=bool(table.direct),
        follow=table.follow,
        access=_make_access(table),
        guests=Guests(
            external=known.guests.external if table.external is None else table.external,
            bots=known.guests.bots if table.bots is None else _people(table.bots),
        ),
        answers=table.answers,
        quotas=Quotas(
            per_person=_read_quota(table.questions_per_person, known.quotas.per_person),
            per_channel=_read_quota(table.questions_per_channel, known.quotas.per_channel),
        ),
        line=line,
    )


def _read_quota(written: str | None, default: Quota | None) -> Quota | None:
    if written is None:
        return default
    return None if written.strip().lower() == NO_QUOTA else read_quota(written)


def _make_access(table: RouteTable) -> Access:
    users, roles = _people(table.users), frozenset(table.roles)
    # A bot that is named for this very place is meant to be let in there, beside the people.
    return Access(users=users | _people(table.bots or ()), roles=roles) if users or roles else Access()


def _people(ids: Iterable[str]) -> frozenset[PersonId]:
    return frozenset(PersonId(one) for one in ids)


def _validate(
    kind: type[TableT], table: Mapping[str, object], place: Place, document: Document, problems: list[Problem]
) -> tuple[TableT | None, bool]:
    """The table, and whether it is all there: what is wrong in it is left out, so that the rest can be looked at too."""
    try:
        return kind.model_validate(table), True
    except ValidationError as error:
        # A union tells one error per alternative; the sentence is the same for all of them.
        found = [_explain(kind, (*place, *one["loc"]), one["type"], one["input"], document) for one in error.errors()]
        problems.extend(dict.fromkeys(found))
        wrong = {one["loc"][0] for one in error.errors()}
    try:
        return kind.model_validate({key: value for key, value in table.items() if key not in wrong}), False
    except ValidationError:
        return None, False  # what is needed is missing, which is told already


def _explain(kind: type[BaseModel], place: Place, trouble: str, value: object, document: Document) -> Problem:
    depth = 2
    key = str(place[depth])
    while place not in document.lines and len(place) > depth + 1:
        place = place[:-1]  # the end of it names a type and not a place
    name = name_place(place)
    if trouble == "extra_forbidden":
        return document.say(place, f"{name} is not known.{did_you_mean(key, kind.model_fields)}")
    description = kind.model_fields[key].description
    if trouble == "missing":
        return document.say(place, f"{name} is missing; it must be {description}.")
    if key == "inputs":  # whatever it is, it may be a secret
        return document.say(place, f"{name_place(place[:depth])}.inputs must be {description}.")
    return document.say(place, f"{name} must be {description}, but it is {_show(value)}.")


def _show(value: object) -> str:
    """A wrong value as TOML spells it, shortened."""
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return repr(value)[:_LONGEST_SHOWN]
        case []:
            return "empty"
        case list():
            return "a list"
        case dict():
            return "a table"
        case date() | time():
            return f"the date or time {value}"
        case _:
            return f"a {type(value).__name__}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean X?`, or nothing."""
    meant = difflib.get_close_matches(word.lower(), list(known), n=1)
    return f" Did you mean {meant[0]}?" if meant else ""
