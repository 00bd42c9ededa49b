"""Three apps in every place: a Dify app answers until members choose an echo, or one that has something to choose within it."""

import re
from collections.abc import Sequence
from dataclasses import replace

from bridge.backend_api import Backend, Choice, Question
from bridge.backends.echo.backend import EchoBackend
from bridge.backends.echo.settings import Settings
from bridge.clock import Clock
from bridge.messages import AppName
from bridge.registry import Configuration, Part
from bridge.routing import AppPolicy, Route, Routes
from bridge.settings import isolated

SUPPORT, TRIAL, LIBRARY = AppName("support"), AppName("trial"), AppName("library")
APPS = (SUPPORT, TRIAL, LIBRARY)

SHELVES = [
    Choice(id="handbook", label="Handbook", group="Shelf"),
    Choice(id="a very long id with spaces / and signs", label="Law & order", group="Shelf"),
]

MANY = [Choice(id=f"shelf-{number}", label=f"Shelf {number}", group="Shelf") for number in range(30)]


class Library(EchoBackend):
    """Says from which shelf it answers."""

    shelves: Sequence[Choice] = SHELVES

    async def choices(self) -> Sequence[Choice]:
        return self.shelves


def create(settings: Settings, clock: Clock) -> Library:
    return Library(settings, clock, words=_from_the_shelf)


def _from_the_shelf(question: Question) -> list[str]:
    return re.findall(r"\S+\s*", f"from {question.choice or 'the front desk'}: {question.text}")


def with_several(one: Configuration, route: Route | None = None) -> Configuration:
    """The same with three apps, and `route` to them (else everywhere)."""
    (dify,) = one.apps.values()
    quiet = isolated(Settings, echo_pause=0.0)
    echo = Part[Backend]("echo", quiet, "bridge.backends.echo.backend")
    library = Part[Backend]("echo", quiet, "tests.integration.several_apps")
    policies = {name: AppPolicy(name=name) for name in APPS}
    routes = Routes(apps=policies, routes=(route or Route(app=SUPPORT, choices=APPS, line=1),))
    return replace(one, apps={SUPPORT: dify, TRIAL: echo, LIBRARY: library}, routes=routes)
