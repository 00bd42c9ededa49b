"""Events over HTTP: signed so that bolt's own verifier accepts them, retried as documented."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from slack_bolt import BoltResponse
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp

from bridge.playground.slack import SlackServer
from tests.playground.slack.peers import SOON, web_client

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def listening(answer: Answer) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/slack/events", answer)
    app.router.add_get("/fine", _fine)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await runner.cleanup()


async def _fine(request: web.Request) -> web.StreamResponse:
    """Where a redirect leads; whoever follows it takes this for an acknowledgement."""
    return web.Response()


def _bolt(server: SlackServer, statuses: list[int]) -> Answer:
    """A bolt app that verifies signatures; `statuses` collects what it answered."""

    async def take(next: Callable[[], Awaitable[BoltResponse]], body: dict[str, object]) -> BoltResponse:  # noqa: A002  # bolt's name
        return await next() if body.get("type") == "url_verification" else BoltResponse(status=200)

    app = AsyncApp(client=web_client(server), signing_secret=server.signing_secret, before_authorize=take)

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await to_aiohttp_response(await app.async_dispatch(await to_bolt_request(request)))
        statuses.append(response.status)
        return response

    return answer


async def test_bolt_accepts_the_signature_and_answers_the_challenge(server: SlackServer) -> None:
    statuses: list[int] = []
    async with listening(_bolt(server, statuses)) as url:
        server.events_url = url
        assert await server.verify_url()
        await server.post_as("U0ADA", "C0GENERAL", "grüße 世界")
        await server.idle(SOON)
    assert statuses == [200, 200]
    assert server.deliveries[0].outcome == "acked"


@pytest.mark.parametrize("skewed", [True, False])
async def test_bolt_refuses_a_stale_or_a_wrong_signature(server: SlackServer, skewed: bool) -> None:
    server.faults.clock_skew = -301 if skewed else 0
    server.faults.bad_signature = not skewed
    statuses: list[int] = []
    async with listening(_bolt(server, statuses)) as url:
        server.events_url = url
        await server.post_as("U0ADA", "C0GENERAL", "hi")
        await server.idle(SOON)
        assert not await server.verify_url()
    assert statuses == [401] * 5
    assert (server.deliveries[0].attempts, server.deliveries[0].outcome) == (4, "gave_up")


async def test_retries_are_numbered_from_one_and_say_why(server: SlackServer) -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = request.headers
        seen.append((headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason")))
        if len(seen) == 1:
            return web.Response(status=500)
        if len(seen) == 2:
            assert request.transport is not None
            request.transport.abort()
        return web.Response()

    async with listening(answer) as url:
        server.events_url = url
        await server.post_as("U0ADA", "C0GENERAL", "hi")
        await server.idle(SOON)
    assert seen == [(None, None), ("1", "http_error"), ("2", "connection_failed")]


async def test_a_slow_answer_and_a_redirect_are_failures(server: SlackServer) -> None:
    server.ack_timeout = 0.05
    server.retry_schedule = (0.0, 0.0)
    seen: list[str | None] = []
    held = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("X-Slack-Retry-Reason"))
        if len(seen) == 1:
            await held.wait()
        raise web.HTTPFound("/fine")

    async with listening(answer) as url:
        server.events_url = url
        await server.post_as("U0ADA", "C0GENERAL", "hi")
        await server.idle(SOON)
        held.set()
    assert seen == [None, "http_timeout", "http_error"]
    assert server.deliveries[0].outcome == "gave_up"


async def test_an_app_may_decline_further_retries(server: SlackServer) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})

    async with listening(answer) as url:
        server.events_url = url
        await server.post_as("U0ADA", "C0GENERAL", "hi")
        await server.idle(SOON)
    assert (server.deliveries[0].attempts, server.deliveries[0].outcome) == (1, "gave_up")


async def test_a_challenge_that_is_not_given_back_is_no_verification(server: SlackServer) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(text="OK")

    async with listening(answer) as url:
        server.events_url = url
        assert not await server.verify_url()
    assert not await server.verify_url()  # nobody there
