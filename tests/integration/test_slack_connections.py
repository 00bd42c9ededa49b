"""Two Socket Mode connections of one bridge: what comes on both is answered once, and a refresh costs no question."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bridge.app import build
from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer
from bridge.playground.slack import SlackServer
from bridge.registry import Configuration, backend, platform
from bridge.settings import Settings, isolated
from bridge.storage.settings import Settings as DatabaseSettings
from tests.adapters.slack.peer import until
from tests.integration.seats import Changes, SlackSeat


@asynccontextmanager
async def answering(folder: Path) -> AsyncIterator[tuple[SlackServer, DifyServer, Changes]]:
    clock, changes = SystemClock(), Changes()
    slack, dify = SlackServer(clock), DifyServer(clock)
    dify.first_token = dify.per_token = 0.0
    slack.retry_schedule = (0.2, 0.2, 0.2)
    await slack.start()
    await dify.start()
    slack.on_change(changes.notice)
    app = await build(
        Configuration.for_one_app(
            core=isolated(Settings, http_port=0),
            database=isolated(DatabaseSettings, database_url=f"sqlite:///{folder}/bridge.db"),
            platforms=(
                platform(
                    "slack",
                    slack_bot_token=slack.bot_token,
                    slack_app_token=slack.app_token,
                    slack_api_url=slack.api_url,
                    slack_ping_interval=0.5,
                ),
            ),
            app=backend("dify", dify_api_key=dify.api_key, dify_base_url=dify.base_url),
        )
    )
    running = asyncio.ensure_future(app.run())
    try:
        await asyncio.wait_for(app.supervisor.heard.wait(), 10)
        await until(lambda: slack.open_sockets == 2, "two connections")
        yield slack, dify, changes
    finally:
        app.stop.set()
        assert await asyncio.wait_for(running, 20) == 0
        await slack.stop()
        await dify.stop()


async def test_an_event_that_comes_on_both_connections_is_answered_once(tmp_path: Path) -> None:
    async with answering(tmp_path) as (slack, dify, changes):
        seat = SlackSeat(slack)
        thread = await seat.ask("on both")
        links = list(slack.sockets._links)
        assert len(links) == 2
        for number, link in enumerate(links):
            for delivery in slack.deliveries:
                envelope = {"type": "events_api", "envelope_id": f"copy-{delivery.event_id}-{number}"}
                await link.socket.send_str(json.dumps({**envelope, "payload": delivery.payload}))
        await changes.until(lambda: "on both" in "".join(seat.answers(thread)), "answered")
        await slack.idle(10)
        await seat.ask("afterwards")
        await changes.until(lambda: len(dify.requests) == 2, "the next question has come through")
        assert len(seat.answers(thread)) == 1
        assert len(dify.requests) == 2


async def test_questions_during_refreshes_are_all_answered_once(tmp_path: Path) -> None:
    async with answering(tmp_path) as (slack, dify, changes):
        seat = SlackSeat(slack)
        threads = []
        for number in range(6):
            async with asyncio.TaskGroup() as tasks:
                if number % 2:
                    tasks.create_task(slack.disconnect_sockets("refresh_requested"))
                threads.append(await seat.ask(f"question {number}", channel=number % 2))
        await changes.until(lambda: all("question" in "".join(seat.answers(one)) for one in threads), "answered")
        await slack.idle(30)
        assert [len(seat.answers(one)) for one in threads] == [1] * 6
        assert len(dify.requests) == 6
        assert slack.rejected == 0
