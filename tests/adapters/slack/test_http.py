"""HTTP mode inside an aiohttp server like the bridge's own: what is let in, and with which status the rest is turned away."""

import asyncio
import gzip
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web

from adapters.slack.adapter import SlackPlatform
from adapters.slack.transport import BODY_LIMIT, HttpEntrance
from bridge.playground.slack import SlackServer
from bridge.web.routes import HasWebRoutes
from tests.adapters.slack.peer import PATIENCE, Bridge, make_platform, until

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Door:
    """Knocks at the route with whatever a stranger may send."""

    def __init__(self, url: str, secret: str) -> None:
        self.url = url
        self._secret = secret

    def sign(self, body: bytes, *, age: float = 0, secret: str | None = None) -> dict[str, str]:
        stamp = str(int(time.time() - age))
        digest = hmac.new((secret or self._secret).encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=" + digest.hexdigest()}

    async def post(self, body: bytes, headers: Mapping[str, str], content_type: str = JSON) -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.url, data=body, headers={**headers, "Content-Type": content_type}) as response,
        ):
            return response.status, await response.text()


@pytest.fixture
async def platform(server: SlackServer) -> AsyncIterator[SlackPlatform]:
    platform = make_platform(server, http=True)
    yield platform
    await platform.close()


@pytest.fixture
async def door(server: SlackServer, platform: SlackPlatform) -> AsyncIterator[Door]:
    app = web.Application(client_max_size=4 * BODY_LIMIT)
    for route in platform.web_routes():
        app.router.add_route(route.method, route.path, route.handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, lingering_time=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    server.events_url = url
    yield Door(url, server.signing_secret)
    await runner.cleanup()


EVENT: dict[str, object] = {
    "type": "event_callback",
    "event_id": "Ev1",
    "authorizations": [{"team_id": "T1", "user_id": "U0BRIDGE", "is_bot": True}],
    "event": {
        "type": "message",
        "channel": "C1",
        "channel_type": "channel",
        "user": "U1",
        "text": "hi",
        "ts": "1.000001",
    },
}


async def test_a_signed_event_is_stored_and_answered_with_200(door: Door, bridge: Bridge) -> None:
    body = json.dumps(EVENT).encode()
    assert await door.post(body, door.sign(body)) == (200, "")
    assert [message.text for message in bridge.inbox.messages] == ["hi"]


async def test_slack_delivers_over_http_and_both_events_of_a_mention_arrive(door: Door, bridge: Bridge) -> None:
    await bridge.server.post_as("U0ADA", "C0GENERAL", "<@U0BRIDGE> over http")
    first, second = await bridge.heard(2)
    await bridge.server.idle(5)
    assert first.ref == second.ref
    assert {delivery.outcome for delivery in bridge.server.deliveries} == {"acked"}


async def test_the_response_waits_for_the_inbox(door: Door, bridge: Bridge) -> None:
    bridge.inbox.gate.clear()
    body = json.dumps(EVENT).encode()
    posting = asyncio.create_task(door.post(body, door.sign(body)))
    await until(lambda: bridge.inbox.entered == 1)
    assert not posting.done()
    bridge.inbox.gate.set()
    assert (await posting)[0] == 200


async def test_an_event_that_was_not_stored_is_delivered_again(door: Door, bridge: Bridge) -> None:
    bridge.inbox.fail = 2
    await bridge.server.post_as("U0ADA", "C0GENERAL", "again")
    await bridge.server.idle(5)
    assert bridge.server.deliveries[0].attempts == 3
    assert [message.text for message in bridge.inbox.messages] == ["again"]


async def test_a_bug_behind_the_door_shows_the_caller_nothing(door: Door, bridge: Bridge) -> None:
    bridge.inbox.bug = RuntimeError("internal details")
    body = json.dumps(EVENT).encode()
    assert await door.post(body, door.sign(body)) == (500, "")


async def test_the_address_is_verified(door: Door, bridge: Bridge) -> None:
    assert await bridge.server.verify_url()
    assert bridge.inbox.entered == 0


async def test_before_and_after_running_nothing_is_acknowledged(
    door: Door, server: SlackServer, platform: SlackPlatform
) -> None:
    body = json.dumps(EVENT).encode()
    assert (await door.post(body, door.sign(body)))[0] == 503
    async with Bridge(server, platform) as bridge:
        assert (await door.post(body, door.sign(body)))[0] == 200
        await bridge.cancel()
        assert (await door.post(body, door.sign(body)))[0] == 503
        assert len(bridge.inbox.messages) == 1


async def test_an_event_is_taken_while_slack_does_not_let_us_sign_in(
    door: Door, server: SlackServer, platform: SlackPlatform
) -> None:
    server.faults.html_error = True
    async with Bridge(server, platform, wait=False) as bridge:
        await until(lambda: "cannot be reached" in platform.health().detail)
        body = json.dumps(EVENT).encode()
        assert (await door.post(body, door.sign(body)))[0] == 200
        assert len(bridge.inbox.messages) == 1
        nameless = json.dumps({**EVENT, "authorizations": []}).encode()
        assert (await door.post(nameless, door.sign(nameless)))[0] == 503


GOOD = json.dumps(EVENT).encode()


async def test_a_request_without_a_valid_signature_is_turned_away(door: Door, bridge: Bridge) -> None:
    stamp = str(int(time.time()))
    for headers in (
        {},
        door.sign(GOOD, secret="another"),
        door.sign(b"another body"),
        door.sign(GOOD, age=301),
        door.sign(GOOD, age=-301),
        {**door.sign(GOOD), "X-Slack-Request-Timestamp": "yesterday"},
        {**door.sign(GOOD), "X-Slack-Request-Timestamp": ""},
        {**door.sign(GOOD), "X-Slack-Request-Timestamp": "9" * 5000},
        {**door.sign(GOOD), "X-Slack-Request-Timestamp": "-1"},
        {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": "v0=ü"},
        {"X-Slack-Request-Timestamp": stamp},
    ):
        assert (await door.post(GOOD, headers), headers) == ((401, ""), headers)
    broken = b'{"text": "\xff"}'
    assert (await door.post(broken, door.sign(broken)))[0] == 401
    assert bridge.inbox.entered == 0


@pytest.mark.parametrize("body", [b"{not json", b'["a list"]', b"", b'"text"', b"null", b"{" * 100_000])
async def test_a_signed_body_that_is_no_json_object_is_a_bad_request(door: Door, bridge: Bridge, body: bytes) -> None:
    assert await door.post(body, door.sign(body)) == (400, "")


async def test_a_form_with_a_broken_payload_is_a_bad_request(door: Door, bridge: Bridge) -> None:
    body = urlencode({"payload": "{broken"}).encode()
    assert await door.post(body, door.sign(body), FORM) == (400, "")


@pytest.mark.parametrize(
    "fields",
    [
        {"payload": json.dumps({"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1"}})},
        {"command": "/ask", "text": "hi", "team_id": "T1"},
        {"ssl_check": "1", "token": "t"},
    ],
    ids=["button", "command", "ssl check"],
)
async def test_interactions_are_acknowledged_with_an_empty_body(
    door: Door, bridge: Bridge, fields: dict[str, str]
) -> None:
    body = urlencode(fields).encode()
    assert await door.post(body, door.sign(body), FORM) == (200, "")
    assert bridge.inbox.entered == 0


async def test_an_oversized_body_is_turned_away_before_it_is_verified(door: Door, bridge: Bridge) -> None:
    assert (await door.post(b"x" * (BODY_LIMIT + 1), {}))[0] == 413
    assert (await door.post(b"x" * (BODY_LIMIT - 1), {}))[0] == 401

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * (BODY_LIMIT // 10)

    async with aiohttp.ClientSession() as session, session.post(door.url, data=stream()) as response:
        assert response.status == 413


async def test_an_oversized_body_is_turned_away_before_it_is_read(door: Door, bridge: Bridge) -> None:
    """Only announced, never sent."""
    host, port = door.url.split("/")[2].split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST /slack/events HTTP/1.1\r\nHost: {host}\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        assert b" 413 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
async def test_nothing_but_post_is_allowed(door: Door, bridge: Bridge, method: str) -> None:
    async with aiohttp.ClientSession() as session, session.request(method, door.url) as response:
        assert response.status == 405
        assert "Traceback" not in await response.text()


async def test_a_replay_within_five_minutes_is_told_again_with_the_same_id(door: Door, bridge: Bridge) -> None:
    """Whether it is new is decided by the claims in the store."""
    headers = door.sign(GOOD, age=290)
    assert [await door.post(GOOD, headers) for _ in range(2)] == [(200, "")] * 2
    assert [event.event_id for event in bridge.inbox.events] == ["Ev1", "Ev1"]


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/xml", ""])
async def test_a_content_type_that_slack_never_sends_is_turned_away(
    door: Door, bridge: Bridge, content_type: str
) -> None:
    assert await door.post(GOOD, door.sign(GOOD), content_type) == (415, "")
    assert bridge.inbox.entered == 0


async def test_a_content_type_with_a_charset_is_let_in(door: Door, bridge: Bridge) -> None:
    assert await door.post(GOOD, door.sign(GOOD), "application/json; charset=utf-8") == (200, "")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_compressed_body_is_turned_away_unread(door: Door, bridge: Bridge, coding: str) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    assert len(bomb) < 20_000
    status, text = await door.post(bomb, {**door.sign(bomb), "Content-Encoding": coding})
    assert (status, text) == (415, "")
    assert bridge.inbox.entered == 0


async def test_a_form_with_more_fields_than_slack_sends_is_a_bad_request(door: Door, bridge: Bridge) -> None:
    body = urlencode({f"field{number}": "x" for number in range(101)}).encode()
    assert await door.post(body, door.sign(body), FORM) == (400, "")


@pytest.mark.parametrize("authorizations", [{"0": {}}, [7], "T1", 7])
async def test_an_event_of_an_odd_shape_is_a_bad_request(door: Door, bridge: Bridge, authorizations: object) -> None:
    body = json.dumps({**EVENT, "authorizations": authorizations}).encode()
    assert await door.post(body, door.sign(body)) == (400, "")


async def test_a_body_that_comes_too_slowly_is_not_waited_for(server: SlackServer, platform: SlackPlatform) -> None:
    entrance = HttpEntrance(platform._doorstep, server.signing_secret, body_within=0.05)
    app = web.Application()
    app.router.add_post("/slack/events", entrance.receive)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
    writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    async with asyncio.timeout(PATIENCE):
        answer = await reader.read()
    assert b" 408 " in answer.splitlines()[0]
    writer.close()
    await writer.wait_closed()
    await runner.cleanup()


async def test_a_body_that_breaks_off_leaves_no_stack_trace(
    door: Door, bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = door.url.split("/")[2].split(":")
    for rest in (b"Content-Length: 100\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n5\r\n{"):
        _, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + rest)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    assert (await door.post(GOOD, door.sign(GOOD)))[0] == 200
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_only_http_mode_has_a_route(server: SlackServer, platform: SlackPlatform) -> None:
    assert isinstance(platform, HasWebRoutes)
    assert [(route.method, route.path) for route in platform.web_routes()] == [("POST", "/slack/events")]
    by_socket = make_platform(server)
    assert by_socket.web_routes() == ()
    await by_socket.close()
