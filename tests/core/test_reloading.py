"""`bridge.toml` is read again while the bridge runs: all of it holds, or nothing; and what runs is finished first."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
from structlog.testing import capture_logs

from bridge.app import App, assemble
from bridge.apps import LINGER
from bridge.backend_api import Backend
from bridge.backends.echo.settings import Settings as EchoSettings
from bridge.clock import Clock
from bridge.errors import SettingsError
from bridge.feedback import aggregate
from bridge.messages import AppName
from bridge.metrics import Metrics
from bridge.registry import Configuration, Part
from bridge.reloading import Reloading
from bridge.routing import AppPolicy, Route, Routes
from bridge.settings import Settings, isolated
from bridge.storage.settings import Settings as DatabaseSettings
from tests.fakes import values
from tests.fakes.backend import FakeBackend, say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE, FakePlatform
from tests.fakes.store import FakeStore

SUPPORT, SALES = AppName("support"), AppName("sales")
MADE: list[FakeBackend] = []


def create(settings: EchoSettings, clock: Clock) -> FakeBackend:
    if settings.echo_pause > 9:
        raise SettingsError(["apps.support cannot be made"])
    # Each on a server of its own, with as many places as its settings say.
    made = FakeBackend(clock, server=f"server {settings.echo_max_concurrent}", capacity=settings.echo_max_concurrent)
    MADE.append(made)
    return made


def part(**settings: object) -> Part[Backend]:
    return Part("echo", EchoSettings(**settings), __name__)  # type: ignore[arg-type]  # the caller names what it sets


def configuration(apps: Mapping[AppName, Part[Backend]], answers: AppName, core: Settings) -> Configuration:
    policies = {name: AppPolicy(name=name) for name in apps}
    return Configuration(
        core=core,
        database=isolated(DatabaseSettings, database_url="sqlite:///bridge.db"),
        platforms=(),
        apps=apps,
        routes=Routes(apps=policies, routes=(Route(app=answers, line=3),)),
        config_file="bridge.toml",
    )


@dataclass
class House:
    app: App
    clock: FakeClock
    platform: FakePlatform
    store: FakeStore
    reloading: Reloading
    file: Configuration
    """What is read next."""
    problems: list[str] = field(default_factory=list)

    @property
    def texts(self) -> list[str]:
        return self.platform.texts

    async def ask(self, text: str, number: int, thread: str) -> None:
        await self.platform.heard_by[0](values.message(text, number=number, where=values.target(thread)))
        await self.clock.settle()

    async def reload(self, **changes: object) -> list[Mapping[str, object]]:
        """As SIGHUP does it; returns what the log says."""
        self.file = replace(self.file, **changes)  # type: ignore[arg-type]  # the caller names what changes
        with capture_logs() as logs:
            assert await self.reloading.reload() is not bool(self.problems)
        return [one for one in logs if one["event"] not in ("backend_closed",)]


SUPPORT_ALONE = {SUPPORT: part(echo_max_concurrent=2)}


@asynccontextmanager
async def house() -> AsyncIterator[House]:
    MADE.clear()
    clock = FakeClock()
    core = isolated(Settings, http_port=0)
    store, platform = FakeStore(aggregate, clock), FakePlatform(clock)
    first = configuration(SUPPORT_ALONE, SUPPORT, core)
    backends = {name: one.create(clock) for name, one in first.apps.items()}
    app = assemble(core, clock, store, {FAKE: platform}, backends, first.routes)
    at: House

    def load() -> Configuration:
        if at.problems:
            raise SettingsError(at.problems)
        return at.file

    reloading = Reloading(load, first, app.parts.apps, clock, Metrics())
    at = House(app, clock, platform, store, reloading, first)
    running = asyncio.ensure_future(app.run())
    try:
        while app.web.port == 0 and not running.done():
            await clock.settle()
        await clock.advance(0.1)
        yield at
        app.stop.set()
        await clock.settle()
        await clock.advance(100)
        assert await asyncio.wait_for(running, 5) == 0
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert all(one.closed for one in MADE)


async def test_a_file_with_mistakes_changes_nothing_and_says_why() -> None:
    async with house() as at:
        at.problems = [
            "bridge.toml line 4: routes.app must be the name of an app",
            "bridge.toml line 9: x is not known",
        ]
        (line,) = await at.reload()
        assert (line["event"], line["log_level"], line["problems"]) == ("configuration_kept", "error", at.problems)
        await at.ask("hello", 1, "1")
        await at.clock.advance(5)
        assert len(MADE[0].asked) == 1
        assert (await at.app.supervisor.readiness())[0]


async def test_an_app_that_cannot_be_made_changes_nothing_and_leaves_nothing_behind() -> None:
    async with house() as at:
        apps = {SALES: part(echo_max_concurrent=3), SUPPORT: part(echo_pause=10.0)}
        at.file = configuration(apps, SALES, at.file.core)
        assert not await at.reloading.reload()
        kept, half_made = MADE
        assert (kept.closed, half_made.closed) == (False, True)
        await at.ask("hello", 1, "1")
        await at.clock.advance(5)
        assert len(kept.asked) == 1


async def test_a_route_to_another_app_holds_at_once_and_the_log_says_what_changed() -> None:
    async with house() as at:
        apps = {**SUPPORT_ALONE, SALES: part(echo_max_concurrent=3)}
        found = configuration(apps, SALES, at.file.core)
        (line,) = await at.reload(apps=found.apps, routes=found.routes)
        told = {key: line.get(key) for key in ("event", "file", "added", "removed", "changed", "routes")}
        assert told == {
            "event": "configuration_reloaded",
            "file": "bridge.toml",
            "added": ["sales"],
            "removed": None,
            "changed": None,
            "routes": 1,
        }
        await at.ask("hello", 1, "1")
        await at.clock.advance(5)
        support, sales = MADE
        assert (len(support.asked), len(sales.asked)) == (0, 1)
        assert not support.closed, "it is still an app"


async def test_an_app_that_did_not_change_keeps_its_backend() -> None:
    async with house() as at:
        (line,) = await at.reload(apps={SUPPORT: part(echo_max_concurrent=2)})
        assert line["nothing"] == "changed"
        assert len(MADE) == 1
        assert not MADE[0].closed


async def test_an_app_that_vanishes_finishes_what_it_answers_and_is_closed_later() -> None:
    async with house() as at:
        MADE[0].script = lambda _: say("one ", "two ", "three", pause=10.0)
        await at.ask("hello", 1, "1")
        apps = {SALES: part(echo_max_concurrent=3)}
        found = configuration(apps, SALES, at.file.core)
        (line,) = await at.reload(apps=found.apps, routes=found.routes)
        assert (line["added"], line["removed"]) == (["sales"], ["support"])
        seen_off = asyncio.ensure_future(at.app.parts.apps.see_off())
        await at.ask("and now?", 2, "2")
        await at.clock.advance(25)
        assert not MADE[0].closed
        await at.clock.advance(15)
        assert "one two three" in at.texts
        assert len(MADE[1].asked) == 1, "what is asked after that is asked of the other one"
        await at.clock.advance(2 * LINGER.total_seconds())
        await asyncio.wait_for(seen_off, 5)
        assert MADE[0].closed


async def test_what_still_waits_for_an_app_that_vanished_is_told_so() -> None:
    async with house() as at:
        MADE[0].script = lambda _: say("one ", "two", pause=10.0)
        await at.ask("first", 1, "1")
        await at.ask("second", 2, "1")
        found = configuration({SALES: part(echo_max_concurrent=3)}, SALES, at.file.core)
        await at.reload(apps=found.apps, routes=found.routes)
        await at.clock.advance(40)
        assert at.texts[0] == "one two"
        assert "no longer set up" in at.texts[1]
        assert len(MADE[0].asked) == 1


async def test_a_changed_app_is_another_backend_with_its_own_places() -> None:
    async with house() as at:
        (line,) = await at.reload(apps={SUPPORT: part(echo_max_concurrent=5)})
        assert line["changed"] == ["support"]
        for number in range(7):
            MADE[1].script = lambda _: say("word", pause=50.0)
            await at.ask("hello", number, str(number))
        assert len(MADE[1].asked) == 5
        assert at.app.parts.turns.queued(SUPPORT) == 2
        await at.clock.advance(200)
        assert len(MADE[1].asked) == 7


async def test_more_places_are_taken_at_once_by_who_stands_in_line() -> None:
    places_before, places_now = 1, 3
    async with house() as at:
        places = at.app.parts.apps.places
        places.resize({"alone": places_before})
        entered: list[int] = []
        leave = asyncio.Event()

        async def visit(number: int) -> None:
            async with places.take("alone", lambda _: None):
                entered.append(number)
                await leave.wait()

        tasks = [asyncio.ensure_future(visit(number)) for number in range(5)]
        await at.clock.settle()
        assert entered == [0]
        places.resize({"alone": places_now})
        await at.clock.settle()
        assert entered == [0, 1, 2]
        places.resize({"alone": places_before})
        leave.set()
        await asyncio.gather(*tasks)
        assert entered == [0, 1, 2, 3, 4]
        assert places.waiting("alone") == 0


@pytest.mark.parametrize(("changed", "told"), [({"log_level": "DEBUG"}, ["LOG_LEVEL"]), ({"most_waiting": 3}, [])])
async def test_settings_that_only_a_restart_takes_are_named(changed: dict[str, object], told: list[str]) -> None:
    async with house() as at:
        lines = await at.reload(core=isolated(Settings, http_port=0, **changed))
        assert [one["settings"] for one in lines if one["event"] == "restart_needed"] == ([told] if told else [])
