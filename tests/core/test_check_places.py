"""`check` has each platform look at the places that routes name on it, once its credentials are good."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from pydantic_settings import BaseSettings

from bridge.check import check_all, configured_places
from bridge.clock import Clock
from bridge.messages import AppName, ChannelId, InstallationId, PlatformName
from bridge.platform_api import ConfiguredPlace, Finding, Platform, Severity
from bridge.registry import Configuration, Part
from bridge.routing import DEFAULT_APP, AppPolicy, Everywhere, Follow, Route, Routes
from bridge.settings import Settings, isolated
from bridge.storage.settings import Settings as DatabaseSettings
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform

HERE = PlatformName("here")
APP = AppPolicy(name=DEFAULT_APP)


def routes(*written: Route) -> Routes:
    return Routes(apps={DEFAULT_APP: APP}, routes=written)


def route(line: int, platform: PlatformName | None = HERE, **asked: object) -> Route:
    return Route(app=AppName(DEFAULT_APP), platform=platform, line=line, **asked)  # type: ignore[arg-type]


def test_only_places_of_this_platform_are_looked_at() -> None:
    found = configured_places(
        routes(
            route(1),
            route(2, channel=ChannelId("C1"), follow=Follow.EVERYTHING),
            route(3, platform=PlatformName("there"), channel=ChannelId("C2")),
            route(4, is_direct=True, installation=InstallationId("S1")),
            route(5, installation=InstallationId("S1"), category=ChannelId("K1")),
            route(6, platform=None),
        ),
        HERE,
    )
    assert found == [
        ConfiguredPlace(where="line 2", channel=ChannelId("C1"), everything=True),
        ConfiguredPlace(where="line 5", installation=InstallationId("S1"), category=ChannelId("K1")),
    ]


def test_without_routes_there_is_no_place_to_look_at() -> None:
    assert configured_places(Everywhere(app=APP), HERE) == []


class Looking(FakePlatform):
    """Finds each place closed."""

    def __init__(self, severity: Severity) -> None:
        super().__init__(FakeClock())
        self.name = HERE
        self._severity = severity

    async def check(self) -> Sequence[Finding]:
        return [Finding(severity=self._severity, subject="token", problem="looked at")]

    async def check_places(self, places: Sequence[ConfiguredPlace]) -> Sequence[Finding]:
        return [Finding(severity=Severity.WARNING, subject=each.where, problem="closed") for each in places]


@dataclass(frozen=True)
class LookingPart(Part[Platform]):
    severity: Severity = field(default=Severity.OK, kw_only=True)

    def create(self, clock: Clock) -> Platform:
        return Looking(self.severity)


@pytest.mark.parametrize(
    ("severity", "subjects"),
    [(Severity.OK, ["token", "line 2"]), (Severity.WARNING, ["token", "line 2"]), (Severity.ERROR, ["token"])],
)
async def test_places_are_looked_at_with_good_credentials(severity: Severity, subjects: list[str]) -> None:
    configuration = Configuration(
        core=isolated(Settings),
        database=isolated(DatabaseSettings),
        platforms=(LookingPart("here", BaseSettings(), "", severity=severity),),
        apps={},
        routes=routes(route(2, channel=ChannelId("C1"))),
    )
    found = await check_all(configuration)
    assert [one.subject for part in found if part.part == "here" for one in part.findings] == subjects
