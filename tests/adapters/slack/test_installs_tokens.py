"""Tokens that expire, are revoked, or were renewed by another process, at a stand-in that lets each refresh token work once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from adapters.slack.checks import find_problems
from adapters.slack.installs.records import refresh_token_in, token_in
from adapters.slack.installs.tokens import BELIEVED, RENEWAL_PAUSE
from bridge.errors import NotAllowed, PlatformUnavailable
from bridge.installations_api import Installation
from bridge.messages import InstallationId
from bridge.platform_api import Severity
from bridge.playground.slack import SlackServer
from bridge.playground.slack.model import Fault
from tests.adapters.slack.installing import App, Browser
from tests.adapters.slack.peer import asked
from tests.fakes.clock import FakeClock
from tests.fakes.ports import free_port

HOUR = 3_600.0


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def server(clock: FakeClock) -> AsyncIterator[SlackServer]:
    """Its time is the clock's, and its tokens live for twelve hours."""
    server = SlackServer(clock)
    server.token_rotation = True
    server.add_workspace("T0ONE", "One", installed=False)
    await server.start(port=free_port())
    yield server
    await server.stop()


@pytest.fixture
async def app(server: SlackServer, clock: FakeClock) -> AsyncIterator[App]:
    """Installed in one workspace, whose bot is in #general."""
    async with App(server, clock=clock) as app:
        async with Browser(app) as browser:
            assert (await browser.install("U1ADA", "T0ONE"))[0] == 200
        await server.invite_bot("U1ADA", "C1GENERAL")
        yield app


def kept(app: App) -> Installation:
    return app.installations.shelf.kept[InstallationId("T0ONE")]


def renewals(server: SlackServer) -> int:
    """Beside the exchange of the code."""
    return asked(server, "oauth.v2.access") - 1


async def test_a_token_is_renewed_when_less_than_two_hours_are_left(
    server: SlackServer, clock: FakeClock, app: App
) -> None:
    first = await app.answer("T0ONE", "C1GENERAL")
    await clock.advance(9.9 * HOUR)
    assert await app.answer("T0ONE", "C1GENERAL") == first
    assert renewals(server) == 0
    await clock.advance(0.2 * HOUR)
    second = await app.answer("T0ONE", "C1GENERAL")
    assert second != first
    assert token_in(kept(app)) == second
    await clock.advance(11 * HOUR)
    assert await app.answer("T0ONE", "C1GENERAL") not in {first, second}
    assert renewals(server) == 2


async def test_a_bridge_that_was_away_for_a_day_renews_first(server: SlackServer, clock: FakeClock, app: App) -> None:
    await clock.advance(24 * HOUR)
    await app.answer("T0ONE", "C1GENERAL")
    assert renewals(server) == 1
    assert [call.error for call in server.calls if call.method == "chat.postMessage"] == [""]


async def test_many_answers_at_once_renew_once(server: SlackServer, clock: FakeClock, app: App) -> None:
    await clock.advance(11 * HOUR)
    tokens = await asyncio.gather(*(app.workspaces.token_of("T0ONE") for _ in range(20)))
    assert renewals(server) == 1
    assert set(tokens) == {token_in(kept(app))}


async def test_two_processes_that_race_renew_once(server: SlackServer, clock: FakeClock, app: App) -> None:
    async with App(server, shelf=app.installations.shelf, clock=clock) as other:
        both = (app.workspaces, other.workspaces)
        await asyncio.gather(*(one.token_of("T0ONE") for one in both))  # both know the old one
        await clock.advance(11 * HOUR)
        tokens = await asyncio.gather(*(one.token_of("T0ONE") for one in both for _ in range(5)))
    assert renewals(server) == 1
    assert set(tokens) == {token_in(kept(app))}


async def test_a_token_that_slack_calls_expired_is_renewed_and_the_call_made_once_more(
    server: SlackServer, clock: FakeClock, app: App
) -> None:
    """Our clock may be wrong about it."""
    first = await app.workspaces.token_of("T0ONE")
    server.faults.fail_next["chat.postMessage"] = [Fault.refuse("token_expired")]
    assert await app.answer("T0ONE", "C1GENERAL") != first
    assert len([message for message in server.messages("C1GENERAL") if message.is_bot]) == 1
    assert await app.workspaces.refused("T0ONE", first, "token_expired")  # another answer had the old one too
    assert renewals(server) == 1


async def test_slack_out_of_reach_keeps_the_old_token_and_is_asked_again_later(
    server: SlackServer, clock: FakeClock, app: App
) -> None:
    first = await app.workspaces.token_of("T0ONE")
    await clock.advance(10.5 * HOUR)
    server.faults.fail_next["oauth.v2.access"] = [Fault.http(502)]
    with capture_logs() as logs:
        for _ in range(3):
            assert await app.answer("T0ONE", "C1GENERAL") == first
    assert [entry["event"] for entry in logs if entry["log_level"] == "warning"] == ["token_not_renewed"]
    assert renewals(server) == 1
    await clock.advance(RENEWAL_PAUSE.total_seconds() + 1)
    assert await app.answer("T0ONE", "C1GENERAL") != first


async def use_up_refresh_token(server: SlackServer, app: App) -> None:
    """Somebody took it from us, or we died with the answer."""
    await app.client.api_call(
        "oauth.v2.access",
        data={
            "client_id": server.client_id,
            "client_secret": server.client_secret,
            "grant_type": "refresh_token",
            "refresh_token": refresh_token_in(kept(app)),
        },
    )


async def test_a_refresh_token_that_is_used_up_is_told_with_what_to_do(
    server: SlackServer, clock: FakeClock, app: App
) -> None:
    first = await app.workspaces.token_of("T0ONE")
    await use_up_refresh_token(server, app)
    await clock.advance(10.5 * HOUR)
    with capture_logs() as logs:
        assert await app.answer("T0ONE", "C1GENERAL") == first
    assert [entry["event"] for entry in logs] == ["refresh_token_lost"]
    assert f"{app.url}/slack/install" in logs[0]["fix"]
    assert token_in(kept(app)) == first


async def test_an_installation_that_can_be_renewed_no_more_troubles_slack_no_more_and_is_mended_by_installing(
    server: SlackServer, clock: FakeClock, app: App
) -> None:
    first = await app.workspaces.token_of("T0ONE")
    await use_up_refresh_token(server, app)
    before = asked(server, "oauth.v2.access")
    for _ in range(5):
        await clock.advance(4 * HOUR)
        await app.workspaces.token_of("T0ONE")
        await app.workspaces.refused("T0ONE", first, "token_expired")
    assert asked(server, "oauth.v2.access") == before + 1
    (lacking,) = [
        one
        for one in await find_problems(app.client, app.settings, list(app.installations.shelf.kept.values()))
        if one.severity is Severity.ERROR
    ]
    assert "One (T0ONE)" in lacking.subject
    assert f"{app.url}/slack/install" in lacking.fix
    async with Browser(app) as browser:
        assert (await browser.install("U1ADA", "T0ONE"))[0] == 200
    assert await app.answer("T0ONE", "C1GENERAL") != first
    assert refresh_token_in(kept(app))


async def test_a_token_that_is_over_is_not_asked_for_with_every_call_while_slack_is_away(
    server: SlackServer, clock: FakeClock, app: App
) -> None:
    first = await app.workspaces.token_of("T0ONE")
    await clock.advance(13 * HOUR)
    server.faults.fail_next["oauth.v2.access"] = [Fault.http(502)] * 9
    for _ in range(5):
        assert not await app.workspaces.refused("T0ONE", first, "token_expired")
    assert renewals(server) == 1
    server.faults.fail_next.clear()
    await clock.advance(RENEWAL_PAUSE.total_seconds() + 1)
    assert await app.workspaces.refused("T0ONE", first, "token_expired")


async def test_whoever_stops_waiting_does_not_stop_the_renewal(server: SlackServer, clock: FakeClock, app: App) -> None:
    """The answer that nobody took would be the end of the installation."""
    await clock.advance(11 * HOUR)
    before = token_in(kept(app))
    async with app.installations.shelf.locks[InstallationId("T0ONE")]:
        waiting = asyncio.create_task(app.workspaces.token_of("T0ONE"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    await app.workspaces.close()
    assert token_in(kept(app)) != before
    assert await app.workspaces.token_of("T0ONE") == token_in(kept(app))


async def test_new_tokens_that_the_store_does_not_take_are_used_and_saved_later(
    server: SlackServer, clock: FakeClock, app: App
) -> None:
    await clock.advance(11 * HOUR)
    app.installations.full = True
    fresh = await app.workspaces.token_of("T0ONE")
    assert renewals(server) == 1
    assert token_in(kept(app)) != fresh
    assert await app.answer("T0ONE", "C1GENERAL") == fresh
    app.installations.full = False
    await clock.advance(BELIEVED + 1)
    assert await app.answer("T0ONE", "C1GENERAL") == fresh
    assert token_in(kept(app)) == fresh
    assert renewals(server) == 1


async def test_what_is_still_unsaved_is_saved_at_the_end(server: SlackServer, clock: FakeClock, app: App) -> None:
    await clock.advance(11 * HOUR)
    app.installations.full = True
    fresh = await app.workspaces.token_of("T0ONE")
    assert renewals(server) == 1
    app.installations.full = False
    await app.workspaces.close()
    assert token_in(kept(app)) == fresh


async def test_a_store_that_is_down_stops_nobody_whose_token_is_known(clock: FakeClock, app: App) -> None:
    token = await app.workspaces.token_of("T0ONE")
    app.installations.down = True
    await clock.advance(10 * BELIEVED)
    assert await app.workspaces.token_of("T0ONE") == token
    with pytest.raises(PlatformUnavailable):
        await app.workspaces.token_of("T0OTHER")


async def test_the_store_is_not_asked_for_every_call(clock: FakeClock, app: App) -> None:
    before = app.installations.lookups
    for _ in range(50):
        await app.workspaces.token_of("T0ONE")
    assert app.installations.lookups - before <= 1


async def test_where_the_app_is_not_installed_there_is_no_token(app: App) -> None:
    with pytest.raises(NotAllowed) as refused:
        await app.workspaces.token_of("T0NEVER")
    assert refused.value.code == "not_installed"


async def test_a_token_that_another_process_got_by_a_new_installation_is_found(
    server: SlackServer, clock: FakeClock, app: App
) -> None:
    first = await app.workspaces.token_of("T0ONE")
    async with App(server, shelf=app.installations.shelf, clock=clock) as other, Browser(other) as browser:
        await server.uninstall("T0ONE")
        assert (await browser.install("U1ADA", "T0ONE"))[0] == 200
    await server.invite_bot("U1ADA", "C1GENERAL")
    assert await app.answer("T0ONE", "C1GENERAL") not in {first, ""}


async def test_a_token_that_is_found_dead_is_forgotten(server: SlackServer, app: App) -> None:
    await server.uninstall("T0ONE")
    with capture_logs() as logs, pytest.raises(NotAllowed):
        await app.answer("T0ONE", "C1GENERAL")
    assert app.installations.shelf.kept == {}
    assert [entry["event"] for entry in logs] == ["installation_removed"]


async def test_an_address_that_slack_does_not_let_in_costs_no_installation(server: SlackServer, app: App) -> None:
    server.faults.fail_next["chat.postMessage"] = [Fault.refuse("invalid_auth")]
    with pytest.raises(NotAllowed):
        await app.answer("T0ONE", "C1GENERAL")
    assert "T0ONE" in app.installations.shelf.kept
