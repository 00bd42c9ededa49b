"""What `check` prints can be read on a wide terminal and on a narrow one, and its exit code says whether to worry."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from bridge.backend_api import Backend
from bridge.check import PartFindings, check_all, describe_routes, print_findings
from bridge.clock import Clock, SystemClock
from bridge.feedback import aggregate
from bridge.installations_api import Installations
from bridge.messages import AppName, ChannelId, PersonId, PlatformName
from bridge.platform_api import Finding, Platform, Severity
from bridge.registry import Configuration, Part
from bridge.routing import DEFAULT_APP, Access, AppPolicy, Everywhere, Follow, Resolver, Route, Routes
from bridge.settings import Settings, isolated
from bridge.storage.installations import open_installations
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings as DatabaseSettings
from bridge.storage.store import open_store
from tests.contracts.store_installations_suite import installed
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform

FINE = Finding(severity=Severity.OK, subject="token", problem="accepted")
ODD = Finding(
    severity=Severity.WARNING, subject="scope", problem="reactions:read is missing", fix="Add it and reinstall."
)
WRONG = Finding(severity=Severity.ERROR, subject="key", problem="refused [x]", fix="Copy DIFY_API_KEY again.")


@pytest.mark.parametrize("columns", ["80", "200"])
def test_every_finding_and_fix_is_readable_at_any_width(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert print_findings([PartFindings("slack", [FINE, ODD]), PartFindings("dify", [WRONG])]) == 1
    out = capsys.readouterr().out
    for words in ("accepted", "reactions:read is missing", "refused [x]", "Copy DIFY_API_KEY again.", "ERROR"):
        assert words in out


def test_warnings_alone_are_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert print_findings([PartFindings("slack", [FINE, ODD])]) == 0
    assert "All is well." in capsys.readouterr().out


class Complaining(FakeBackend):
    async def check(self) -> Sequence[Finding]:
        return [
            WRONG,
            Finding(severity=Severity.WARNING, subject="DIFY_IDLE_TIMEOUT", problem="short", fix="DIFY_IDLE_TIMEOUT"),
        ]


@dataclass(frozen=True)
class FakePart(Part[Backend]):
    def create(self, clock: Clock) -> Backend:
        return Complaining(FakeClock())


SUPPORT = AppName("support")


def configuration(tmp_path: Path, routes: Resolver, *apps: AppName, notices: tuple[str, ...] = ()) -> Configuration:
    spellings = {"DIFY_API_KEY": "SUPPORT_KEY", "DIFY_IDLE_TIMEOUT": "apps.support.idle_timeout"}
    return Configuration(
        core=isolated(Settings),
        database=isolated(DatabaseSettings, database_url=f"sqlite:///{tmp_path}/bridge.db"),
        platforms=(),
        apps={
            name: FakePart("dify", BaseSettings(), "", spellings=spellings if name == SUPPORT else {}) for name in apps
        },
        routes=routes,
        config_file="bridge.toml",
        notices=notices,
    )


class Installed(FakePlatform):
    """Tells in its check where it is installed."""

    kept: Installations | None = None

    def use_installations(self, installations: Installations) -> None:
        self.kept = installations

    async def check(self) -> Sequence[Finding]:
        names = "nobody knows" if self.kept is None else ", ".join(one.name for one in await self.kept.all())
        return [Finding(severity=Severity.OK, subject="installed in", problem=names)]


@dataclass(frozen=True)
class InstalledPart(Part[Platform]):
    def create(self, clock: Clock) -> Platform:
        return Installed(clock)


async def test_installations_are_looked_at_while_the_bridge_is_running_and_not_before_there_is_a_database(
    tmp_path: Path,
) -> None:
    clock = SystemClock()
    asked = replace(
        configuration(tmp_path, Everywhere(app=AppPolicy(name=SUPPORT)), SUPPORT),
        database=isolated(
            DatabaseSettings, database_url=f"sqlite:///{tmp_path}/bridge.db", encryption_key=SecretStr("A" * 43 + "=")
        ),
        platforms=(InstalledPart("fake", BaseSettings(), ""),),
    )
    before = await check_all(asked)
    assert before[0].findings[0].problem == "nobody knows"
    assert not (tmp_path / "bridge.db").exists(), "whoever looks makes nothing"
    await migrate(asked.database)
    running = await open_store(asked.database, clock, aggregate)
    kept = open_installations(asked.database, running, clock)
    assert kept is not None
    await kept.of(PlatformName("fake")).save(installed())
    found = await check_all(asked)
    await running.close()
    assert found[0].findings[0].problem == "Acme"


async def test_every_app_is_tried_under_its_own_name_and_told_in_the_words_of_its_operator(tmp_path: Path) -> None:
    policies = {name: AppPolicy(name=name) for name in (SUPPORT, DEFAULT_APP)}
    found = await check_all(configuration(tmp_path, Routes(apps=policies, routes=()), SUPPORT, DEFAULT_APP))
    parts = {part.part: part.findings for part in found}
    assert list(parts) == ["support", "default", "routes", "database"]
    assert [one.fix for one in parts["support"]] == ["Copy SUPPORT_KEY again.", "apps.support.idle_timeout"]
    assert parts["support"][1].subject == "apps.support.idle_timeout"
    assert [one.fix for one in parts["default"]] == ["Copy DIFY_API_KEY again.", "DIFY_IDLE_TIMEOUT"]


def test_every_route_is_listed_with_what_it_does_and_what_is_odd_is_a_warning(tmp_path: Path) -> None:
    route = Route(
        app=SUPPORT,
        platform=PlatformName("slack"),
        channel=ChannelId("C1"),
        follow=Follow.MENTION,
        access=Access(users=frozenset({PersonId("U1")}), roles=frozenset({"R1"})),
        line=7,
    )
    routes = Routes(apps={SUPPORT: AppPolicy(name=SUPPORT)}, routes=(route,))
    listed, odd = describe_routes(configuration(tmp_path, routes, SUPPORT, notices=("Odd.",)))
    assert (listed.severity, listed.subject) == (Severity.OK, "line 7 (slack, channel C1)")
    assert listed.problem == "support; follows mention; for only person U1, role R1"
    assert (odd.severity, odd.subject, odd.problem) == (Severity.WARNING, "bridge.toml", "Odd.")


def test_without_routes_the_one_app_is_listed(tmp_path: Path) -> None:
    (listed,) = describe_routes(configuration(tmp_path, Everywhere(app=AppPolicy(name=SUPPORT)), SUPPORT))
    assert (listed.subject, listed.problem) == ("everywhere", "support; there are no routes")
