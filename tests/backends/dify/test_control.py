"""Stop, ratings, and what is learned about the server on the way."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from bridge.clock import SystemClock
from bridge.errors import BackendError, BackendFailed, BackendTimeout, QuestionRefused
from bridge.messages import BackendIds, BackendMessageId, BackendTaskId, BackendUser, Rating
from bridge.playground.dify import DifyServer
from tests.backends.dify.asking import Outcome, ask, hear, make_backend
from tests.backends.dify.scripted import MESSAGE_END, ScriptedServer, said
from tests.contracts.backend_suite import ids_of

IDS = BackendIds(message=BackendMessageId("m-1"), task=BackendTaskId("t-1"))
USER = BackendUser("thread-1")


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer([said("hello"), MESSAGE_END]) as server:
        yield server


async def hear_once(server: ScriptedServer) -> Outcome:
    backend = make_backend(server.base_url)
    try:
        async with asyncio.timeout(5):
            return await hear(backend.answer(ask()))
    finally:
        await backend.close()


async def test_stop_names_the_task_and_the_user(server: ScriptedServer) -> None:
    server.others["/v1/chat-messages/t-1/stop"] = (200, {"result": "success"})
    backend = make_backend(server.base_url)
    await backend.stop(IDS, USER)
    with pytest.raises(BackendFailed):
        await backend.stop(BackendIds(), USER)
    await backend.close()

    assert server.called == ["POST /v1/chat-messages/t-1/stop"]


async def test_a_control_call_that_hangs_is_given_up() -> None:
    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    hanging = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = hanging.sockets[0].getsockname()[1]
    backend = make_backend(f"http://127.0.0.1:{port}/v1", dify_control_timeout=0.2)
    with pytest.raises(BackendTimeout):
        await backend.rate(IDS, USER, Rating.LIKE, "")
    await backend.close()
    hanging.close()


@pytest.mark.parametrize(
    ("status", "body", "may_retry"),
    [
        (404, {"code": "not_found", "message": "Message Not Exists."}, False),
        (400, {"code": "invalid_param", "message": "x"}, False),
        (401, {"code": "unauthorized"}, True),
        (403, {"code": "forbidden"}, True),
        (404, {}, True),
        (500, {"code": "internal_server_error"}, True),
        (503, {"message": "later"}, True),
    ],
)
async def test_a_rating_is_given_up_only_when_it_can_never_be_delivered(
    server: ScriptedServer, status: int, body: dict[str, object], may_retry: bool
) -> None:
    server.others["/v1/messages/m-1/feedbacks"] = (status, body)
    backend = make_backend(server.base_url)
    with pytest.raises(BackendError) as caught:
        await backend.rate(IDS, USER, Rating.LIKE, "")
    await backend.close()

    assert caught.value.may_retry is may_retry


async def test_words_are_told_to_dify_beside_a_rating_only() -> None:
    server = DifyServer(SystemClock(), mode="chat")
    server.first_token = server.per_token = 0
    await server.start()
    backend = make_backend(server.base_url, dify_api_key=server.api_key)
    ids = ids_of((await hear(backend.answer(ask()))).events)

    for rating in (None, Rating.DISLIKE, None, None, Rating.LIKE):
        await backend.rate(ids, USER, rating, "Ada: not sure")
    await backend.close()
    await server.stop()

    assert [(call.rating, call.content, call.status) for call in server.rating_log] == [
        (None, "", 400),
        ("dislike", "Ada: not sure", 200),
        (None, "", 200),
        (None, "", 400),
        ("like", "Ada: not sure", 200),
    ]


async def test_an_answer_without_a_message_id_can_never_be_rated(server: ScriptedServer) -> None:
    backend = make_backend(server.base_url)
    with pytest.raises(QuestionRefused) as caught:
        await backend.rate(BackendIds(), USER, Rating.LIKE, "")

    assert not caught.value.may_retry
    assert server.called == []


async def test_the_version_is_learned_from_any_answer(server: ScriptedServer) -> None:
    server.headers = {"Content-Type": "text/event-stream", "X-Version": "1.12.1"}
    backend = make_backend(server.base_url)
    assert backend.version == ""
    await hear(backend.answer(ask()))
    await backend.close()

    assert backend.version == "1.12.1"


async def test_the_wrong_kind_of_app_is_explained_by_its_name(server: ScriptedServer) -> None:
    server.status, server.headers = 400, {"Content-Type": "application/json"}
    server.steps = [json.dumps({"code": "not_chat_app", "message": "Please check", "status": 400}).encode()]
    server.others["/v1/info"] = (200, {"name": "x", "mode": "rag-pipeline"})

    outcome = await hear_once(server)

    assert outcome.ending == "BackendMisconfigured"
    assert "rag-pipeline app" in str(outcome.error)


async def test_a_web_page_instead_of_an_answer_is_a_wrong_address(server: ScriptedServer) -> None:
    server.headers = {"Content-Type": "text/html"}
    server.steps = [b"<html>Dify</html>"]

    outcome = await hear_once(server)

    assert outcome.ending == "BackendMisconfigured"
    assert outcome.error is not None
    assert outcome.error.code == "wrong_path"


async def test_a_redirect_is_not_followed_with_the_key(server: ScriptedServer) -> None:
    server.status, server.headers = 301, {"Location": "http://127.0.0.1:1/elsewhere?x=1"}
    server.steps = []

    outcome = await hear_once(server)

    assert outcome.error is not None
    assert outcome.error.code == "redirected"
    assert len(server.called) == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://api.dify.ai/v1", "https://API.dify.ai:443/other/v1", True),
        ("http://dify:5001/v1", "http://dify:5001/v1", True),
        ("http://dify:5001/v1", "http://dify:5002/v1", False),
        ("http://dify/v1", "https://dify/v1", False),
    ],
)
def test_apps_share_their_places_when_one_server_answers_for_both(one: str, other: str, same: bool) -> None:
    first, second = make_backend(one), make_backend(other, dify_api_key="app-another")

    assert (first.server == second.server) is same
