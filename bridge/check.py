"""The command `check`: every part is tried for real, and each problem comes with its fix. `check --route` only explains."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bridge.clock import Clock, SystemClock
from bridge.configuring.asking import describe_access, explain_place, read_place
from bridge.configuring.limits import respell
from bridge.errors import StoreError
from bridge.feedback import aggregate
from bridge.inspecting import inspect_inputs
from bridge.installations_api import KeepsInstallations
from bridge.messages import ChannelId, InstallationId, PlatformName
from bridge.places_api import ChecksPlaces, ConfiguredPlace
from bridge.platform_api import Finding, Platform, Severity
from bridge.registry import Configuration, known_platforms, load_routes
from bridge.routing import Answers, Everywhere, Follow, Resolver, Route, Routes
from bridge.storage.folder import folder_trouble
from bridge.storage.installations import KeptInstallations, open_installations
from bridge.storage.migrate import current_revision, head_revision
from bridge.storage.opening import open_to_look
from bridge.storage.settings import Settings as DatabaseSettings
from bridge.storage.store import SqlStore

_MARKS = {Severity.OK: "ok", Severity.WARNING: "warning", Severity.ERROR: "ERROR"}


@dataclass(frozen=True, slots=True)
class PartFindings:
    """What one part of the bridge found out about itself."""

    part: str
    findings: Sequence[Finding]


async def check_all(configuration: Configuration) -> list[PartFindings]:
    """Tries platforms, apps and database one after the other, and lists the routes. Raises nothing: problems are findings."""
    clock = SystemClock()
    found: list[PartFindings] = []
    async with _installations(configuration.database, clock) as kept:
        for part in configuration.platforms:
            platform = part.create(clock)
            if kept is not None and isinstance(platform, KeepsInstallations):
                platform.use_installations(kept.of(PlatformName(part.name)))
            try:
                found.append(PartFindings(part.name, await _check_platform(platform, configuration)))
            finally:
                await platform.close()
    for name, app in configuration.apps.items():
        backend = app.create(clock)
        try:
            findings = [*await backend.check()]
            if configuration.routes is not None and name in configuration.routes.apps:
                findings += await inspect_inputs(configuration.routes.apps[name], backend)
        finally:
            await backend.close()
        found.append(PartFindings(name, [_respell(one, app.spellings) for one in findings]))
    found.append(PartFindings("routes", describe_routes(configuration)))
    found.append(PartFindings("database", [await _check_database(configuration.database)]))
    return found


async def _check_platform(platform: Platform, configuration: Configuration) -> Sequence[Finding]:
    findings = await platform.check()
    places = configured_places(configuration.routes, platform.name)
    # Where not even the credentials are good, every place would only say the same again.
    if not places or not isinstance(platform, ChecksPlaces) or any(one.severity is Severity.ERROR for one in findings):
        return findings
    return [*findings, *await platform.check_places(places)]


def configured_places(routes: Resolver, platform: PlatformName) -> Sequence[ConfiguredPlace]:
    """The places on this platform that routes name, in the order of the file."""
    if not isinstance(routes, Routes):
        return []
    return [
        ConfiguredPlace(
            where=f"line {route.line}",
            installation=route.installation or InstallationId(""),
            channel=route.channel or ChannelId(""),
            category=route.category or ChannelId(""),
            everything=route.follow is Follow.EVERYTHING,
            in_threads=route.answers is Answers.THREAD,
        )
        for route in routes.routes
        if route.platform == platform
        and not route.is_direct
        and (route.installation or route.channel or route.category)
    ]


@asynccontextmanager
async def _installations(settings: DatabaseSettings, clock: Clock) -> AsyncIterator[KeptInstallations | None]:
    """Where the bot is installed, also while the bridge is running. None: nothing is kept, or the database cannot tell, of which
    its own part of the check speaks."""
    try:
        there = await current_revision(settings) == head_revision()
    except StoreError:
        there = False
    if not there:
        yield None
        return
    store = SqlStore(open_to_look(settings), clock, aggregate)
    try:
        yield open_installations(settings, store, clock)
    finally:
        await store.close()


def _respell(finding: Finding, spellings: Mapping[str, str]) -> Finding:
    """Backends know the names of their variables; what an app of `bridge.toml` says stands there under other names."""
    return replace(
        finding,
        subject=respell(finding.subject, spellings),
        problem=respell(finding.problem, spellings),
        fix=respell(finding.fix, spellings),
    )


def describe_routes(configuration: Configuration) -> list[Finding]:
    """Every route, in the order of the file, and what about them is probably not meant."""
    match configuration.routes:
        case Routes(routes=routes):
            found = [
                Finding(
                    severity=Severity.OK,
                    subject=str(route),
                    problem=f"{_apps_of(route)}; follows {route.follow.value}; for {describe_access(route.access)}",
                )
                for route in routes
            ]
        case Everywhere(app=app):
            found = [Finding(severity=Severity.OK, subject="everywhere", problem=f"{app.name}; there are no routes")]
        case _:
            found = []
    return found + [
        Finding(severity=Severity.WARNING, subject=configuration.config_file, problem=notice)
        for notice in configuration.notices
    ]


def _apps_of(route: Route) -> str:
    others = [name for name in route.choices if name != route.app]
    return f"{route.app} (or {', '.join(others)}, as members choose)" if others else str(route.app)


def explain_route(text: str, env_file: Path | None, config_file: Path | None) -> list[str]:
    """The lines that say which app answers in the place of that spelling, and why. Raises `SettingsError`."""
    place = read_place(text, known_platforms())
    return [f"{word:<8} {words}" for word, words in explain_place(place, load_routes(env_file, config_file))]


async def _check_database(settings: DatabaseSettings) -> Finding:
    head = head_revision()
    try:
        revision = await current_revision(settings)
    except StoreError as error:
        return Finding(
            severity=Severity.ERROR,
            subject="revision",
            problem=str(error),
            fix="Check DATABASE_URL, and that the database can be reached or its folder be written.",
        )
    trouble = "" if settings.shared or settings.path.exists() else folder_trouble(settings)
    if trouble:
        return Finding(
            severity=Severity.ERROR, subject="folder", problem=trouble, fix="See DATABASE_URL in .env.example."
        )
    if revision == head:
        return Finding(severity=Severity.OK, subject="revision", problem=f"at {head}, the newest")
    return Finding(
        severity=Severity.WARNING,
        subject="revision",
        problem="not created yet" if revision is None else f"at {revision}, the newest is {head}",
        fix="`dify-chat-bridge run` brings it there by itself, or run `dify-chat-bridge migrate` now.",
    )


_TABLE_WIDTH = 120
"""Columns below which a table of five columns cannot be read; findings are then told one below the other."""


def print_findings(found: Sequence[PartFindings]) -> int:
    """Prints a table, or lines on a narrow terminal. Returns 1 when anything is an error, else 0."""
    # Only this command draws tables; everything else starts without rich.
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    rows = [(part.part, one) for part in found for one in part.findings]
    if console.width >= _TABLE_WIDTH:
        table = Table()
        for title in ("Part", "What", "State", "Finding", "How to mend it"):
            table.add_column(title, overflow="fold")
        for name, one in rows:
            table.add_row(name, one.subject, _MARKS[one.severity], one.problem, one.fix)
        console.print(table)
    else:
        for name, one in rows:
            console.print(f"{_MARKS[one.severity]:<8} {name}, {one.subject}: {one.problem}")
            if one.fix:
                console.print(f"{'':<8} -> {one.fix}")
    failed = any(one.severity is Severity.ERROR for _, one in rows)
    console.print("Some things need mending." if failed else "All is well.")
    return 1 if failed else 0
