"""Workspaces that remove the app, in whatever order Slack tells of it, and whether or not anybody listened."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
from structlog.testing import capture_logs

from adapters.slack.installs.workspaces import LOOK_EVERY
from bridge.errors import StoreUnavailable
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.installing import App, Browser
from tests.adapters.slack.peer import asked, until
from tests.fakes.clock import FakeClock

PATIENCE = 5.0


@pytest.fixture
async def app(server: SlackServer) -> AsyncIterator[App]:
    """Installed in two workspaces."""
    server.add_workspace("T0ONE", "One", installed=False)
    server.add_workspace("T0TWO", "Two", installed=False)
    async with App(server) as app:
        server.events_url = f"{app.url}/slack/events"
        async with Browser(app) as browser:
            await browser.install("U1ADA", "T0ONE")
            await browser.install("U2ADA", "T0TWO")
        yield app


@asynccontextmanager
async def cared_for(app: App) -> AsyncIterator[None]:
    task = asyncio.create_task(app.workspaces.care())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def gone(team: str, *, at: int, kind: str = "app_uninstalled", **more: object) -> dict[str, object]:
    return {"type": "event_callback", "team_id": team, "event_time": at, "event": {"type": kind, **more}}


NOW, LONG_AGO = 4_000_000_000, 1_000_000_000


async def test_a_workspace_that_removes_the_app_is_forgotten_and_no_other(server: SlackServer, app: App) -> None:
    await server.uninstall("T0ONE")
    await server.idle(PATIENCE)
    assert list(app.installations.shelf.kept) == ["T0TWO"]
    assert {delivery.outcome for delivery in server.deliveries} == {"acked"}


async def test_an_event_that_comes_after_the_next_installation_does_not_undo_it(server: SlackServer, app: App) -> None:
    with capture_logs() as logs:
        assert await app.workspaces.tell(gone("T0ONE", at=NOW))
    assert "T0ONE" in app.installations.shelf.kept
    assert [entry["event"] for entry in logs] == ["installation_stays"]


@pytest.mark.parametrize(("at", "stays"), [(LONG_AGO, True), (NOW, False)])
async def test_while_slack_cannot_be_asked_the_times_decide(
    server: SlackServer, app: App, at: int, stays: bool
) -> None:
    server.faults.fail_next["auth.test"] = [Fault.http(502)]
    assert await app.workspaces.tell(gone("T0ONE", at=at))
    assert ("T0ONE" in app.installations.shelf.kept) is stays


async def test_tokens_of_people_are_none_of_ours(server: SlackServer, app: App) -> None:
    before = asked(server, "auth.test")
    assert await app.workspaces.tell(
        gone("T0ONE", at=NOW, kind="tokens_revoked", tokens={"oauth": ["U1ADA"], "bot": []})
    )
    assert asked(server, "auth.test") == before
    assert "T0ONE" in app.installations.shelf.kept


async def test_a_store_that_is_down_makes_slack_tell_again(server: SlackServer, app: App) -> None:
    await server.uninstall("T0ONE")
    app.workspaces._tokens._known.clear()
    app.installations.down = True
    with pytest.raises(StoreUnavailable):
        await app.workspaces.tell(gone("T0ONE", at=NOW))


async def test_one_workspace_that_leaves_does_not_end_its_organisations_installation(
    server: SlackServer, app: App
) -> None:
    server.add_workspace("T0NORTH", "North", "E0BIG", installed=False)
    async with Browser(app) as browser:
        assert (await browser.install("W3ADA", "E0BIG"))[0] == 200
    server.faults.fail_next["auth.test"] = [Fault.http(502)]
    assert await app.workspaces.tell({**gone("T0NORTH", at=NOW), "enterprise_id": "E0BIG"})
    assert "E0BIG" in app.installations.shelf.kept
    await server.uninstall("T0NORTH")
    await server.idle(PATIENCE)
    assert "E0BIG" not in app.installations.shelf.kept


async def test_what_was_removed_while_nobody_listened_is_noticed_at_the_start_and_daily(server: SlackServer) -> None:
    clock = FakeClock()
    server.add_workspace("T0ONE", "One", installed=False)
    server.add_workspace("T0TWO", "Two", installed=False)
    async with App(server, clock=clock) as app:
        async with Browser(app) as browser:
            await browser.install("U1ADA", "T0ONE")
            await browser.install("U2ADA", "T0TWO")
        await server.uninstall("T0ONE")
        async with cared_for(app):
            await until(lambda: list(app.installations.shelf.kept) == ["T0TWO"], "the first look")
            await server.uninstall("T0TWO")
            await clock.advance(LOOK_EVERY + 1)
            await until(lambda: not app.installations.shelf.kept, "the daily look")


async def test_looking_after_tokens_survives_a_store_and_a_slack_that_are_away(server: SlackServer) -> None:
    clock = FakeClock()
    server.add_workspace("T0ONE", "One", installed=False)
    async with App(server, clock=clock) as app:
        async with Browser(app) as browser:
            await browser.install("U1ADA", "T0ONE")
        app.installations.down = True
        async with cared_for(app):
            await clock.advance(1)
            app.installations.down = False
            server.faults.fail_next["auth.test"] = [Fault.http(502)]
            before = asked(server, "auth.test")
            await clock.advance(LOOK_EVERY)
            await until(lambda: asked(server, "auth.test") > before, "a look")
            assert "T0ONE" in app.installations.shelf.kept


async def test_an_app_that_is_installed_nowhere_says_where_to_begin(server: SlackServer) -> None:
    server.add_workspace("T0ONE", "One", installed=False)
    async with App(server) as app:
        await app.workspaces.sign_in()
        assert app.workspaces.ready
        assert f"{app.url}/slack/install" in app.workspaces.trouble
        async with Browser(app) as browser:
            await browser.install("U1ADA", "T0ONE")
        await app.workspaces.whose({"team_id": "T0ONE"})
        assert app.workspaces.trouble == ""


async def test_a_token_that_is_over_for_good_is_told_daily_with_what_to_do(server: SlackServer) -> None:
    clock = FakeClock()
    server.add_workspace("T0ONE", "One", installed=False)
    async with App(server, clock=clock) as app, Browser(app) as browser:
        await browser.install("U1ADA", "T0ONE")
        server.faults.fail_next["auth.test"] = [Fault.refuse("token_expired")]
        with capture_logs() as logs:
            async with cared_for(app):
                await until(lambda: any(entry["event"] == "token_over" for entry in logs), "the first look")
        assert f"{app.url}/slack/install" in logs[-1]["fix"]
        assert "T0ONE" in app.installations.shelf.kept
