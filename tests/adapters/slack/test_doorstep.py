"""What becomes of each kind of delivery, through the real slack-bolt, by a socket and over HTTP alike."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.inbound import Ignored, Json
from adapters.slack.transport import PRESS_WITHIN, Doorstep, HttpEntrance, Link, Reply, open_link
from bridge.clock import SystemClock
from bridge.errors import StoreUnavailable
from tests.adapters.slack.peer import PATIENCE, until

SECRET = "0123456789abcdef-doorstep"  # made up

NO_ANSWER = "no answer"
"""Neither acknowledged nor refused, as far as Slack can see."""

COMMAND: dict[str, object] = {
    "command": "/ask",
    "text": "what is a payload?",
    "team_id": "T1",
    "user_id": "U1",
    "channel_id": "C1",
    "is_enterprise_install": "false",
    "trigger_id": "1.2.3",
    "response_url": "https://hooks.slack.example/1",
}
TEAM_AND_USER: dict[str, object] = {"team": {"id": "T1"}, "user": {"id": "U1"}}
INTERACTIONS: dict[str, dict[str, object]] = {
    "press": {"type": "block_actions", **TEAM_AND_USER, "actions": [{"action_id": "a", "value": "v"}]},
    "form": {"type": "view_submission", **TEAM_AND_USER, "view": {"id": "V1", "state": {"values": {}}}},
    "form closed": {"type": "view_closed", **TEAM_AND_USER, "view": {"id": "V1"}, "is_cleared": False},
    "message shortcut": {"type": "message_action", **TEAM_AND_USER, "callback_id": "ask", "trigger_id": "1.2.3"},
    "shortcut": {"type": "shortcut", **TEAM_AND_USER, "callback_id": "ask", "trigger_id": "1.2.3"},
    "command": COMMAND,
}
EVENT: dict[str, object] = {
    "type": "event_callback",
    "event_id": "Ev1",
    "authorizations": [{"team_id": "T1", "user_id": "U0BRIDGE", "is_bot": True}],
    "event": {"type": "message", "channel": "C1", "user": "U1", "text": "hi", "ts": "1.000001"},
}
ERRORS: dict[str, object] = {"response_action": "errors", "errors": {"question": "Please write a question."}}


class Taken:
    """The part behind the doorstep: remembers what it gets, and does as told."""

    def __init__(self) -> None:
        self.payloads: list[Json] = []
        self.outcome: Callable[[], Awaitable[Ignored | Reply | None]] = self.nothing

    async def __call__(self, payload: Json) -> Ignored | Reply | None:
        self.payloads.append(payload)
        return await self.outcome()

    async def nothing(self) -> None:
        return None

    async def ignored(self) -> Ignored:
        return Ignored(reason="not used")

    async def errors(self) -> Reply:
        return Reply(body=ERRORS)

    async def full(self) -> None:
        raise StoreUnavailable("the disk is full")

    async def never(self) -> None:
        await asyncio.Event().wait()


class Way(Protocol):
    async def deliver(self, payload: Mapping[str, object]) -> object:
        """Returns the body with which it was acknowledged, None for an empty one, or `NO_ANSWER`."""
        ...


class ByHttp:
    def __init__(self, url: str) -> None:
        self._url = url

    async def deliver(self, payload: Mapping[str, object]) -> object:
        content_type = "application/x-www-form-urlencoded"
        if payload.get("type") == "event_callback":
            body, content_type = json.dumps(payload).encode(), "application/json"
        elif "command" in payload:
            body = urlencode({name: str(value) for name, value in payload.items()}).encode()
        else:
            body = urlencode({"payload": json.dumps(payload)}).encode()
        stamp = str(int(time.time()))
        digest = hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(self._url, data=body, headers=headers) as response,
        ):
            text = await response.text()
            if response.status != 200:
                assert (response.status, text) == (503, "")
                return NO_ANSWER
            if not text:
                return None
            assert response.content_type == "application/json"
            return json.loads(text)


class BySocket:
    """Slack's end of one connection."""

    def __init__(self) -> None:
        self.link: Link | None = None
        self.accepts_answers = True
        self.answers: dict[str, object] = {}
        self._socket: web.WebSocketResponse | None = None
        self._numbers = 0

    async def accept(self, request: web.Request) -> web.WebSocketResponse:
        self._socket = web.WebSocketResponse()
        await self._socket.prepare(request)
        await self._socket.send_json({"type": "hello", "num_connections": 1})
        async for frame in self._socket:
            answer = json.loads(frame.data)
            self.answers[answer["envelope_id"]] = answer.get("payload")
        return self._socket

    async def send(self, kind: str, payload: object) -> str:
        assert self._socket is not None
        self._numbers += 1
        envelope: dict[str, object] = {"type": kind, "envelope_id": f"envelope-{self._numbers}", "payload": payload}
        envelope["accepts_response_payload"] = self.accepts_answers and kind != "events_api"
        await self._socket.send_json(envelope)
        return f"envelope-{self._numbers}"

    async def deliver(self, payload: Mapping[str, object]) -> object:
        kinds = {"": "slash_commands", "event_callback": "events_api"}
        number = await self.send(kinds.get(str(payload.get("type", "")), "interactive"), payload)
        await self.settled()
        return self.answers.get(number, NO_ANSWER)

    async def settled(self) -> None:
        """Waits until everything that was sent has been dealt with, and an answer to it would have arrived."""
        link = self.link
        assert link is not None
        await self._go_round()
        await until(lambda: not link._deliveries)
        await self._go_round()

    async def _go_round(self) -> None:
        last = await self.send("interactive", {"type": "block_suggestion"})
        await until(lambda: last in self.answers)


@pytest.fixture
async def doorstep() -> Doorstep:
    return Doorstep(AsyncWebClient(token="xoxb-none"), SECRET, accept_within=0.2)


@pytest.fixture
def taken(doorstep: Doorstep) -> Taken:
    taken = Taken()
    doorstep.take = taken
    return taken


@pytest.fixture
async def by_socket(doorstep: Doorstep) -> AsyncIterator[BySocket]:
    slack = BySocket()
    async with serving(web.get("/link", slack.accept)) as address:
        slack.link = await open_link(
            doorstep.app, f"ws://{address}/link", proxy=None, ping=10, within=PATIENCE, clock=SystemClock()
        )
        yield slack
        await slack.link.close()


@pytest.fixture(params=["socket", "http"])
async def way(doorstep: Doorstep, by_socket: BySocket, request: pytest.FixtureRequest) -> AsyncIterator[Way]:
    if request.param == "socket":
        yield by_socket
        return
    async with serving(web.post("/slack/events", HttpEntrance(doorstep, SECRET).receive)) as address:
        yield ByHttp(f"http://{address}/slack/events")


@asynccontextmanager
async def serving(route: web.RouteDef) -> AsyncIterator[str]:
    app = web.Application()
    app.add_routes([route])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("kind", list(INTERACTIONS))
async def test_every_interaction_is_handed_on_whole(way: Way, taken: Taken, kind: str) -> None:
    assert await way.deliver(INTERACTIONS[kind]) is None
    assert taken.payloads == [INTERACTIONS[kind]]


@pytest.mark.parametrize("kind", list(INTERACTIONS))
async def test_an_interaction_may_be_answered(way: Way, taken: Taken, kind: str) -> None:
    taken.outcome = taken.errors
    assert await way.deliver(INTERACTIONS[kind]) == ERRORS


@pytest.mark.parametrize("kind", [*INTERACTIONS, "event"])
async def test_what_was_not_stored_is_not_acknowledged(way: Way, taken: Taken, kind: str) -> None:
    taken.outcome = taken.full
    assert await way.deliver({**INTERACTIONS, "event": EVENT}[kind]) == NO_ANSWER


@pytest.mark.parametrize("kind", ["press", "form", "command", "event"])
async def test_what_was_not_stored_in_time_is_not_acknowledged(way: Way, taken: Taken, kind: str) -> None:
    taken.outcome = taken.never
    assert await way.deliver({**INTERACTIONS, "event": EVENT}[kind]) == NO_ANSWER


async def test_while_nobody_listens_nothing_is_acknowledged(way: Way, doorstep: Doorstep) -> None:
    doorstep.take = None
    assert await way.deliver(COMMAND) == NO_ANSWER
    assert await way.deliver(EVENT) == NO_ANSWER


async def test_what_is_ignored_is_acknowledged(way: Way, taken: Taken) -> None:
    taken.outcome = taken.ignored
    for payload in (*INTERACTIONS.values(), EVENT):
        assert await way.deliver(payload) is None


@pytest.mark.parametrize("payload", [{"type": "block_suggestion"}, {"type": "something_new"}, {"type": 7}])
async def test_a_kind_that_nobody_knows_is_acknowledged_and_not_handed_on(
    way: Way, taken: Taken, payload: dict[str, object]
) -> None:
    assert await way.deliver(payload) is None
    assert taken.payloads == []


async def test_an_event_is_never_answered(way: Way, taken: Taken) -> None:
    taken.outcome = taken.errors
    assert await way.deliver(EVENT) is None


async def test_an_envelope_that_takes_no_answer_is_only_acknowledged(by_socket: BySocket, taken: Taken) -> None:
    by_socket.accepts_answers = False
    taken.outcome = taken.errors
    assert await by_socket.deliver(COMMAND) is None


async def test_a_person_who_waits_is_answered_or_warned_before_slack_gives_up() -> None:
    patient = Doorstep(AsyncWebClient(token="xoxb-none"), SECRET, accept_within=60)
    assert patient._press_within == PRESS_WITHIN < 3


@pytest.mark.parametrize(
    "payload",
    [["a list"], None, 7, {**EVENT, "authorizations": {"0": {}}}, {**EVENT, "authorizations": [7]}],
)
async def test_nonsense_on_a_socket_is_not_acknowledged_and_the_connection_stands(
    by_socket: BySocket, taken: Taken, caplog: pytest.LogCaptureFixture, payload: object
) -> None:
    number = await by_socket.send("events_api", payload)
    await by_socket.settled()
    assert taken.payloads == []
    assert number not in by_socket.answers
    assert await by_socket.deliver(EVENT) is None
    assert "Traceback" not in caplog.text
