"""`bridge.toml` read again while the bridge runs: all of it holds from then on, or nothing of it does."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pydantic_settings import BaseSettings

from bridge import logs
from bridge.apps import Apps
from bridge.backend_api import Backend
from bridge.clock import Clock
from bridge.errors import SettingsError
from bridge.inspecting import SUBJECT as INPUTS
from bridge.inspecting import inspect_inputs
from bridge.messages import AppName
from bridge.metrics import Metrics
from bridge.platform_api import Severity
from bridge.registry import Configuration, Part
from bridge.routing import AppPolicy

_log = logs.get("reloading")

_TAKEN = frozenset(
    {
        *(
            "bridge_config",
            "recover",
            "context_turns",
            "most_waiting",
            "most_queued",
            "external_channels",
            "allowed_bots",
        ),
        *("questions_per_person", "questions_per_channel"),
    }
)
"""Settings of the bridge itself that apps and routes are made of. All others are looked at when it starts."""

Load = Callable[[], Configuration]
"""Raises `SettingsError`."""


class Reloading:
    def __init__(self, load: Load, made: Configuration, apps: Apps, clock: Clock, metrics: Metrics) -> None:
        """`made`: what holds now."""
        self._load = load
        self._made = made
        self._apps = apps
        self._clock = clock
        self._metrics = metrics
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Never blocks. Asked again while it is being done, it is done once more."""
        self._asked.set()

    async def run(self) -> None:
        """Works until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                await self._asked.wait()
                self._asked.clear()
                if await self.reload():
                    tasks.create_task(self._apps.see_off())

    async def reload(self) -> bool:
        """False: something is wrong, which is in the log, and everything stays as it is."""
        try:
            # It reads files, and checks what they say.
            found = await asyncio.to_thread(self._load)
            backends, fresh = await self._make(found)
        except SettingsError as error:
            _log.error("configuration_kept", problems=error.problems, fix="mend this and send SIGHUP again")
            return False
        before, self._made = self._made, found
        self._apps.put(found.routes, backends)
        for name in before.apps.keys() - found.apps.keys():
            self._metrics.waiting(name, 0)
        _log.info("configuration_reloaded", file=found.config_file or None, **_differences(before, found))
        for notice in found.notices:
            _log.warning("probably_not_meant", notice=notice)
        if restart := _needs_restart(before, found):
            _log.warning("restart_needed", settings=restart, why="these are looked at only when the bridge starts")
        await try_backends({name: backends[name] for name in fresh}, found.routes.apps)
        return True

    async def _make(self, found: Configuration) -> tuple[Mapping[AppName, Backend], Sequence[AppName]]:
        """The backends, those that need not change among them, and which are new."""
        backends: dict[AppName, Backend] = {}
        fresh: list[AppName] = []
        try:
            for name, part in found.apps.items():
                if _is_same(self._made.apps.get(name), part):
                    backends[name] = self._apps.backends[name]
                else:
                    backends[name] = part.create(self._clock)
                    fresh.append(name)
        except SettingsError:
            for name in fresh:
                await backends[name].close()
            raise
        return backends, fresh


async def try_backends(backends: Mapping[AppName, Backend], policies: Mapping[AppName, AppPolicy]) -> None:
    """A wrong key or address is told in the log at once, and not only when the first member asks; so is an input of an app that
    nobody gives."""
    for name, backend in backends.items():
        findings = [*await backend.check()]
        if name in policies:
            findings += await inspect_inputs(policies[name], backend)
        for finding in findings:
            told = {"subject": finding.subject, "problem": finding.problem, "fix": finding.fix}
            if finding.severity is Severity.ERROR:
                _log.error("backend_trouble", app=name, **told)
            elif finding.severity is Severity.WARNING and finding.subject == INPUTS:
                _log.warning("inputs_without_source", app=name, **told)


def _is_same(before: Part[Backend] | None, now: Part[Backend]) -> bool:
    return before is not None and (before.name, before.settings) == (now.name, now.settings)


def _differences(before: Configuration, now: Configuration) -> dict[str, object]:
    """For the log: only what did change."""
    both = [name for name in now.apps if name in before.apps]
    earlier, policies = before.routes.apps, now.routes.apps
    changed = [
        name
        for name in both
        if not _is_same(before.apps[name], now.apps[name]) or earlier.get(name) != policies.get(name)
    ]
    found: dict[str, object] = {
        "added": sorted(now.apps.keys() - before.apps.keys()),
        "removed": sorted(before.apps.keys() - now.apps.keys()),
        "changed": sorted(changed),
    }
    told = {what: names for what, names in found.items() if names}
    if _routes_of(before) != _routes_of(now):
        told["routes"] = len(now.routes.routes)
    return told or {"nothing": "changed"}


def _routes_of(configuration: Configuration) -> object:
    # Where a route stands in the file decides nothing.
    return [replace(route, line=0) for route in configuration.routes.routes] or configuration.routes


def _needs_restart(before: Configuration, now: Configuration) -> list[str]:
    """Names of settings that differ and are not taken, as an operator writes them."""
    pairs: list[tuple[BaseSettings, BaseSettings]] = [(before.core, now.core), (before.database, now.database)]
    known = {part.name: part.settings for part in before.platforms}
    pairs += [(known[part.name], part.settings) for part in now.platforms if part.name in known]
    names = {
        field.upper()
        for old, new in pairs
        for field in type(old).model_fields
        if field not in _TAKEN and getattr(old, field) != getattr(new, field, None)
    }
    switched = known.keys() ^ {part.name for part in now.platforms}
    return sorted(names) + [f"{name} (switched on or off)" for name in sorted(switched)]
