"""What somebody installed is kept in the real store: encrypted, over restarts, and out of reach of a wrong key."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from bridge.clock import SystemClock
from bridge.errors import NotAllowed
from bridge.feedback import aggregate
from bridge.installations_api import Installations
from bridge.messages import PlatformName
from bridge.playground.slack import SlackServer
from bridge.settings import isolated
from bridge.storage.installations import open_installations
from bridge.storage.migrate import migrate
from bridge.storage.settings import Settings as DatabaseSettings
from bridge.storage.store import open_store
from tests.adapters.slack.installing import App, Browser
from tests.adapters.slack.peer import asked
from tests.fakes.clock import FakeClock
from tests.fakes.ports import free_port
from tests.storage import postgres_server as postgres


@asynccontextmanager
async def database(folder: Path, key: str) -> AsyncIterator[Installations]:
    settings = isolated(
        DatabaseSettings, database_url=SecretStr(f"sqlite:///{folder}/bridge.db"), encryption_key=SecretStr(key)
    )
    await migrate(settings)
    store = await open_store(settings, SystemClock(), aggregate)
    try:
        kept = open_installations(settings, store, SystemClock())
        assert kept is not None
        yield kept.of(PlatformName("slack"))
    finally:
        await store.close()


async def test_an_installation_outlives_a_restart_and_no_token_lies_open(server: SlackServer, tmp_path: Path) -> None:
    server.token_rotation = True
    server.add_workspace("T0ONE", "One", installed=False)
    async with (
        database(tmp_path, "k" * 32) as installations,
        App(server, installations=installations) as app,
        Browser(app) as browser,
    ):
        assert (await browser.install("U1ADA", "T0ONE"))[0] == 200
        token = await app.workspaces.token_of("T0ONE")
    assert token.startswith("xoxe.xoxb-")
    on_disk = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert token.encode() not in on_disk
    assert b"xoxe-1" not in on_disk
    async with database(tmp_path, "k" * 32) as installations, App(server, installations=installations) as app:
        assert await app.workspaces.token_of("T0ONE") == token


async def test_with_another_key_the_app_counts_as_not_installed_and_the_log_says_why(
    server: SlackServer, tmp_path: Path
) -> None:
    server.add_workspace("T0ONE", "One", installed=False)
    async with (
        database(tmp_path, "k" * 32) as installations,
        App(server, installations=installations) as app,
        Browser(app) as browser,
    ):
        await browser.install("U1ADA", "T0ONE")
    async with database(tmp_path, "z" * 32) as installations, App(server, installations=installations) as app:
        with capture_logs() as logs, pytest.raises(NotAllowed):
            await app.workspaces.token_of("T0ONE")
        assert any("ENCRYPTION_KEY" in str(entry) for entry in logs)


# Two processes


@pytest.fixture
def shared_url() -> Iterator[str]:
    made = postgres.server().create(postgres.migrated())
    yield made
    postgres.server().drop(made)


@asynccontextmanager
async def process(url: str) -> AsyncIterator[Installations]:
    settings = isolated(DatabaseSettings, database_url=url, encryption_key="k" * 43 + "=")
    store = await open_store(settings, SystemClock(), aggregate)
    try:
        kept = open_installations(settings, store, SystemClock())
        assert kept is not None
        yield kept.of(PlatformName("slack"))
    finally:
        await store.close()


async def test_two_processes_that_need_the_next_token_at_once_ask_slack_for_it_once(shared_url: str) -> None:
    """A refresh token works once: whoever comes second with it would be told so, and the installation be lost."""
    clock = FakeClock()
    server = SlackServer(clock)
    server.token_rotation = True
    server.add_workspace("T0ONE", "One", installed=False)
    await server.start(port=free_port())
    try:
        async with (
            process(shared_url) as here,
            process(shared_url) as there,
            App(server, installations=here, clock=clock) as one,
            App(server, installations=there, clock=clock) as other,
            Browser(one) as browser,
        ):
            assert (await browser.install("U1ADA", "T0ONE"))[0] == 200
            await server.invite_bot("U1ADA", "C1GENERAL")
            both = (one, other)
            before = {await app.workspaces.token_of("T0ONE") for app in both}
            for hours in (11, 13):  # nearly over, and over
                await clock.advance(hours * 3_600)
                exchanges = asked(server, "oauth.v2.access")
                asking = [app.workspaces.token_of("T0ONE") for app in both for _ in range(4)]
                tokens = set(await asyncio.gather(*asking))
                assert asked(server, "oauth.v2.access") - exchanges == 1
                assert tokens == {await other.answer("T0ONE", "C1GENERAL")}
                assert not before & tokens
                before |= tokens
    finally:
        await server.stop()
