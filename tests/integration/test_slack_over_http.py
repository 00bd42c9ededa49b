"""Slack in HTTP mode: the same path, called by Slack instead of calling it."""

import asyncio
from pathlib import Path

import aiohttp

from bridge.app import build
from bridge.clock import SystemClock
from bridge.playground.dify import DifyServer
from bridge.playground.slack import SlackServer
from bridge.registry import Configuration, backend, platform
from bridge.settings import Settings, isolated
from bridge.storage.settings import Settings as DatabaseSettings
from tests.fakes.ports import free_port
from tests.integration.seats import Changes, SlackSeat


async def test_a_mention_over_http_is_answered_and_strangers_are_refused(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/slack/events"
    clock, changes = SystemClock(), Changes()
    slack, dify = SlackServer(clock, events_url=url), DifyServer(clock)
    dify.first_token = dify.per_token = 0.0
    await slack.start()
    await dify.start()
    slack.on_change(changes.notice)
    app = await build(
        Configuration.for_one_app(
            core=isolated(Settings, http_port=port),
            database=isolated(DatabaseSettings, database_url=f"sqlite:///{tmp_path}/bridge.db"),
            platforms=(
                platform(
                    "slack",
                    slack_bot_token=slack.bot_token,
                    slack_signing_secret=slack.signing_secret,
                    slack_api_url=slack.api_url,
                ),
            ),
            app=backend("dify", dify_api_key=dify.api_key, dify_base_url=dify.base_url),
        )
    )
    running = asyncio.ensure_future(app.run())
    try:
        await asyncio.wait_for(app.supervisor.heard.wait(), 10)
        assert await slack.verify_url(), "the address is confirmed"
        seat = SlackSeat(slack)
        slack.faults.duplicate_events = True
        thread = await seat.ask("over http")
        await changes.until(lambda: "over http" in "".join(seat.answers(thread)), "answered")
        await slack.idle(10)
        assert len(dify.requests) == 1
        async with aiohttp.ClientSession() as session:
            async with session.post(url, json={"type": "event_callback"}) as response:
                assert response.status == 401
                assert "Traceback" not in await response.text()
            async with session.get(url) as response:
                assert response.status == 405
    finally:
        app.stop.set()
        assert await asyncio.wait_for(running, 20) == 0
        await slack.stop()
        await dify.stop()
