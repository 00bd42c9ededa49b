"""Limits: time, memory, places, connections; and that a question is never asked twice."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress

import aiohttp
import pytest

from bridge.backend_api import Question, TextDelta
from bridge.backends.dify.backend import DifyBackend
from bridge.clock import SystemClock
from bridge.errors import BackendBusy, BackendError, BackendFailed, BackendTimeout, BackendUnreachable
from bridge.messages import BackendIds, BackendMessageId, BackendTaskId, BackendUser, Rating
from bridge.remote.calling import KEEP_IDLE_SECONDS
from tests.backends.dify.asking import Outcome, ask, hear, make_backend, make_settings
from tests.backends.dify.scripted import MESSAGE_END, PING, Cut, Hang, Pause, ScriptedServer, Step, said
from tests.fakes.ports import free_port

IDS = BackendIds(message=BackendMessageId("m-1"), task=BackendTaskId("t-1"))
USER = BackendUser("thread-1")


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer([said("hello"), MESSAGE_END]) as server:
        yield server


async def hear_once(server: ScriptedServer, question: Question | None = None, **settings: object) -> Outcome:
    backend = make_backend(server.base_url, **settings)
    try:
        async with asyncio.timeout(5):
            return await hear(backend.answer(question or ask()))
    finally:
        await backend.close()


async def test_the_request_is_what_dify_needs(server: ScriptedServer) -> None:
    question = Question(text="What?", user=USER, inputs={"team": "blue", "level": 3})
    await hear_once(server, question)
    await hear_once(server, ask(conversation="c-7"))

    assert server.asked[0] == {
        "inputs": {"team": "blue", "level": 3},
        "query": "What?",
        "response_mode": "streaming",
        "auto_generate_name": False,
        "user": "thread-1",
    }
    assert server.asked[1]["conversation_id"] == "c-7"
    assert server.asked[1]["inputs"] == {}


async def test_silence_in_mid_answer_is_given_up_and_keeps_what_came(server: ScriptedServer) -> None:
    server.steps = [said("hello"), Hang()]

    outcome = await hear_once(server, dify_idle_timeout=0.2)

    assert outcome.text == "hello"
    assert isinstance(outcome.error, BackendTimeout)
    assert outcome.error.code == "idle"
    assert server.closed.is_set() or await asyncio.wait_for(server.closed.wait(), 2)


async def test_headers_that_never_come_are_given_up(server: ScriptedServer) -> None:
    server.steps = [Hang()]

    outcome = await hear_once(server, dify_idle_timeout=0.2, dify_connect_timeout=0.1)

    assert isinstance(outcome.error, BackendTimeout)
    assert outcome.error.accepted


async def test_headers_may_take_longer_than_connecting(server: ScriptedServer) -> None:
    server.steps = [Pause(0.3), said("late"), MESSAGE_END]

    outcome = await hear_once(server, dify_idle_timeout=0.6, dify_connect_timeout=0.1)

    assert (outcome.ending, outcome.text) == ("completed", "late")


async def test_pings_are_signs_of_life_but_no_progress(server: ScriptedServer) -> None:
    server.steps = [PING, Pause(0.1)] * 50

    outcome = await hear_once(server, dify_idle_timeout=0.3, dify_progress_timeout=0.5)

    assert isinstance(outcome.error, BackendTimeout)
    assert outcome.error.code == "no_progress"


async def test_pings_keep_a_slow_answer_alive(server: ScriptedServer) -> None:
    pings: list[Step] = [PING, Pause(0.1)] * 5
    server.steps = [*pings, said("slow"), *pings, said(" answer"), MESSAGE_END]

    outcome = await hear_once(server, dify_idle_timeout=0.3, dify_progress_timeout=0.8)

    assert (outcome.ending, outcome.text) == ("completed", "slow answer")


async def test_a_slow_consumer_is_not_mistaken_for_a_silent_server(server: ScriptedServer) -> None:
    server.steps = [said("a"), said("b"), PING, Pause(0.2), said("c"), MESSAGE_END]
    backend = make_backend(server.base_url, dify_idle_timeout=0.3, dify_progress_timeout=0.4)
    text = ""

    async with aclosing(backend.answer(ask())) as stream:
        async for event in stream:
            if isinstance(event, TextDelta):
                text += event.text
                await asyncio.sleep(0.3)
    await backend.close()

    assert text == "abc"


@pytest.mark.parametrize("step", [b"data: " + b"x" * 5000, b"data: x\n" * 1000])
async def test_an_event_larger_than_allowed_fails_the_answer(server: ScriptedServer, step: bytes) -> None:
    server.steps = [said("hello"), step, Hang()]

    outcome = await hear_once(server, dify_max_event_bytes=4000)

    assert isinstance(outcome.error, BackendFailed)
    assert outcome.error.code == "event_too_large"
    assert outcome.text == "hello"


async def test_large_events_pass_below_the_limit(server: ScriptedServer) -> None:
    server.steps = [
        b'data: {"event":"node_finished","data":"' + b"x" * 3_000_000 + b'"}\n\n',
        said("hello"),
        MESSAGE_END,
    ]

    assert (await hear_once(server)).ending == "completed"


async def test_a_reply_in_one_piece_is_bounded_too(server: ScriptedServer) -> None:
    server.headers = {"Content-Type": "application/json"}
    server.steps = [b"x" * 5000]

    outcome = await hear_once(server, dify_max_event_bytes=4000)

    assert isinstance(outcome.error, BackendFailed)


async def test_a_refusal_that_stalls_is_given_up(server: ScriptedServer) -> None:
    server.status = 400
    server.headers = {"Content-Type": "application/json"}
    server.steps = [b'{"code":', Hang()]

    outcome = await hear_once(server, dify_control_timeout=0.2)

    assert outcome.error is not None


@pytest.mark.parametrize(
    "steps",
    [(Cut(),), (Pause(0.05), Cut()), (PING, Cut()), (said("a"), Cut())],
    ids=["at once", "soon", "ping", "text"],
)
async def test_a_question_that_may_have_arrived_is_never_asked_again(
    server: ScriptedServer, steps: tuple[Step, ...]
) -> None:
    server.steps = steps

    outcome = await hear_once(server)

    assert outcome.ending == "BackendCut"
    assert len(server.asked) == 1


class CountingClock(SystemClock):
    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


async def test_connecting_is_tried_twice_and_not_more() -> None:
    clock = CountingClock()
    backend = DifyBackend(make_settings(f"http://127.0.0.1:{free_port()}/v1"), clock)

    outcome = await hear(backend.answer(ask()))
    await backend.close()

    assert isinstance(outcome.error, BackendUnreachable)
    assert outcome.error.code == "refused"
    assert not outcome.error.accepted
    assert len(clock.slept) == 1


async def test_a_server_that_is_up_at_the_second_try_is_asked_once() -> None:
    async with ScriptedServer([said("hello"), MESSAGE_END]) as server:
        gate = asyncio.Event()

        class StartsLate(SystemClock):
            async def sleep(self, seconds: float) -> None:
                proxy.append(await asyncio.start_server(forward, "127.0.0.1", port))
                gate.set()

        async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            host, _, upstream_port = server.base_url.removeprefix("http://").removesuffix("/v1").partition(":")
            upstream_reader, upstream_writer = await asyncio.open_connection(host, int(upstream_port))
            upstream_writer.write(await reader.read(65536))
            while data := await upstream_reader.read(65536):
                writer.write(data)
            writer.close()
            upstream_writer.close()

        proxy: list[asyncio.Server] = []
        port = free_port()
        backend = DifyBackend(make_settings(f"http://127.0.0.1:{port}/v1"), StartsLate())
        outcome = await hear(backend.answer(ask()))
        await backend.close()
        proxy[0].close()

    assert gate.is_set()
    assert (outcome.ending, outcome.text) == ("completed", "hello")
    assert len(server.asked) == 1


async def test_no_more_answers_at_once_than_there_are_places_and_control_calls_need_none(
    server: ScriptedServer,
) -> None:
    server.steps = [said("hello"), Hang()]
    server.others["/v1/chat-messages/t-1/stop"] = (200, {"result": "success"})
    server.others["/v1/messages/m-1/feedbacks"] = (200, {"result": "success"})
    backend = make_backend(server.base_url, dify_max_concurrent=2)
    tasks = [asyncio.create_task(hear(backend.answer(ask()))) for _ in range(5)]
    try:
        async with asyncio.timeout(5):
            await server.asked_times(2)
            await backend.stop(IDS, USER)
            await backend.rate(IDS, USER, Rating.LIKE, "")
            assert len(server.asked) == 2
            tasks[0].cancel()
            await server.asked_times(3)
        assert len(server.asked) == 3
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await backend.close()


async def test_waiting_for_a_place_is_bounded_and_asks_nothing(server: ScriptedServer) -> None:
    server.steps = [said("hello"), Hang()]
    backend = make_backend(server.base_url, dify_max_concurrent=1, queue_timeout=0.2)
    first = asyncio.create_task(hear(backend.answer(ask())))
    try:
        async with asyncio.timeout(5):
            await server.asked_times(1)
            outcome = await hear(backend.answer(ask()))
    finally:
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await backend.close()

    assert isinstance(outcome.error, BackendBusy)
    assert not outcome.error.accepted
    assert len(server.asked) == 1


async def test_a_place_is_free_again_after_every_kind_of_ending(server: ScriptedServer) -> None:
    backend = make_backend(server.base_url, dify_max_concurrent=1, queue_timeout=2)
    endings: list[list[Step]] = [[said("a"), Cut()], [b"data: x", Cut()], [said("a"), MESSAGE_END], [said("a")]]
    for steps in endings:
        server.steps = steps
        await hear(backend.answer(ask()))
        with suppress(BackendError):
            async with aclosing(backend.answer(ask())) as stream:
                async for _ in stream:
                    break
    server.steps = [said("free"), MESSAGE_END]
    outcome = await hear(backend.answer(ask()))
    await backend.close()

    assert outcome.text == "free"


async def test_a_connection_read_to_its_end_is_used_again_at_once(server: ScriptedServer) -> None:
    server.steps = [said("hello"), MESSAGE_END, Pause(0.05)]
    backend = make_backend(server.base_url)
    for _ in range(3):
        assert (await hear(backend.answer(ask()))).ending == "completed"
    await backend.close()

    assert len(set(server.peers)) == 1


async def test_idle_connections_are_kept_for_less_time_than_dify_keeps_them(server: ScriptedServer) -> None:
    # gunicorn closes after 2 s; a question sent into that moment would be lost without anybody knowing.
    assert KEEP_IDLE_SECONDS < 2
    backend = make_backend(server.base_url)
    await hear(backend.answer(ask()))
    connector = backend._client._caller.session().connector
    assert isinstance(connector, aiohttp.TCPConnector)
    assert connector._keepalive_timeout == KEEP_IDLE_SECONDS
    await backend.close()
