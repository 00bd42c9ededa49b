"""Two processes on one PostgreSQL: a form is filled in at whichever Slack tells, and noticed where its question waits."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.app import App, build
from bridge.playground.dify.inputs import form_field
from bridge.registry import Configuration
from bridge.settings import Settings, isolated
from bridge.storage.settings import Settings as DatabaseSettings
from tests.fakes.ports import free_port
from tests.integration.slack_world import ADA, GENERAL, PATIENCE, World, living, say
from tests.integration.test_slack_inputs import open_form, send, wanted
from tests.storage.postgres_server import migrated, server


@pytest.fixture
def url() -> Iterator[str]:
    made = server().create(migrated())
    yield made
    server().drop(made)


class SharedWorld(World):
    def __init__(self, folder: Path, url: str) -> None:
        super().__init__(folder)
        self._url = url

    def _configuration(self) -> Configuration:
        core = isolated(Settings, http_port=free_port(), shutdown_grace=5, busy_patience=5)
        database = isolated(DatabaseSettings, database_url=self._url)
        return replace(super()._configuration(), core=core, database=database)

    @asynccontextmanager
    async def another_process(self) -> AsyncIterator[App]:
        """In this process, but with nothing in common with the first."""
        app = await build(self._configuration(), self.clock)
        running = asyncio.create_task(app.run())
        try:
            assert await self.clock.wait(app.supervisor.heard, PATIENCE)
            yield app
        finally:
            app.stop.set()
            await asyncio.wait({running}, timeout=PATIENCE)
            assert running.done()


async def test_what_is_filled_in_at_one_process_is_noticed_at_the_other(tmp_path: Path, url: str) -> None:
    world = SharedWorld(tmp_path, url)
    world.dify.script = lambda query: say(f"re: {query}")
    world.dify.form.append(form_field("text-input", "customer"))
    async with living(world), world.another_process():
        roots = [await world.ask(f"Question {number}?") for number in range(6)]
        for number, root in enumerate(roots):
            view = await open_form(world, await wanted(world, root))
            await send(world, view, {"field:customer": f"customer {number}"}, ADA)
        for number, root in enumerate(roots):
            await world.answered(GENERAL, root, f"re: Question {number}?")
        told = {request.query: request.body["inputs"] for request in world.requests}
        assert told == {f"Question {number}?": {"customer": f"customer {number}"} for number in range(6)}
        assert len(world.requests) == 6
