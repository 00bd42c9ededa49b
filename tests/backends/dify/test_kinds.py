"""What kind of app a key belongs to: learnt once, without anything being asked of the app."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from bridge.clock import SystemClock
from bridge.messages import BackendIds, BackendMessageId, BackendRunId, BackendTaskId, BackendUser
from bridge.playground.dify import DifyServer, Reply
from tests.backends.dify.asking import ask, hear, make_backend
from tests.backends.dify.test_histories import HistoryServer, load

ALONE = [("completion", "0.15.3"), ("completion", "1.12.1"), ("workflow", "0.15.3"), ("workflow", "1.12.1")]
TALKING = [("chat", "0.15.3"), ("chat", "1.12.1"), ("agent-chat", "1.12.1"), ("advanced-chat", "1.13.0")]


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[DifyServer]:
    mode, version = request.param
    server = DifyServer(SystemClock(), mode=mode, version=version)
    server.first_token = server.per_token = 0.0
    server.script = lambda query: Reply(tokens=["re: ", query])
    await server.start()
    yield server
    await server.stop()


@pytest.mark.parametrize("server", [*ALONE, *TALKING], indirect=True)
async def test_every_kind_of_app_answers_without_being_told_what_it_is(server: DifyServer) -> None:
    backend = make_backend(server.base_url, dify_api_key=server.api_key)
    first, second = await hear(backend.answer(ask("one"))), await hear(backend.answer(ask("two")))
    await backend.close()

    assert (first.ending, first.text) == ("completed", "re: one")
    assert (second.ending, second.text) == ("completed", "re: two")
    # Nothing was run twice, and from the second time on nothing was refused.
    refused = server.mode in ("completion", "workflow")
    assert [(one.query, one.ended) for one in server.requests] == [
        *([("one", "refused")] if refused else []),
        ("one", "finished"),
        ("two", "finished"),
    ]


@pytest.mark.parametrize("server", ALONE, indirect=True)
async def test_an_app_whose_kind_is_set_is_asked_the_right_way_at_once(server: DifyServer) -> None:
    backend = make_backend(server.base_url, dify_api_key=server.api_key, dify_app_type=server.mode)
    outcome = await hear(backend.answer(ask("one")))
    await backend.close()

    assert outcome.text == "re: one"
    assert len(server.requests) == 1


@pytest.mark.parametrize("server", [*ALONE, *TALKING], indirect=True)
@pytest.mark.parametrize("configured", ["chat", "completion", "workflow"])
async def test_a_wrong_setting_is_put_right_by_the_first_refusal(server: DifyServer, configured: str) -> None:
    backend = make_backend(server.base_url, dify_api_key=server.api_key, dify_app_type=configured, dify_query_input="")
    outcome = await hear(backend.answer(ask("one")))
    await backend.close()

    assert (outcome.ending, outcome.text) == ("completed", "re: one")


@pytest.mark.parametrize("server", [*ALONE, *TALKING], indirect=True)
async def test_whether_questions_stand_alone_is_told_without_asking_one(server: DifyServer) -> None:
    backend = make_backend(server.base_url, dify_api_key=server.api_key)
    told = await asyncio.gather(*(backend.stands_alone() for _ in range(3)))
    await backend.close()

    assert told == [server.mode in ("completion", "workflow")] * 3
    assert server.requests == []


async def test_a_server_that_is_away_leaves_it_open_whether_questions_stand_alone() -> None:
    backend = make_backend("http://127.0.0.1:9/v1")
    assert await backend.stands_alone() is False
    await backend.close()


def stopping(kind: str) -> list[dict[str, object]]:
    """What an app of that kind answers to calls that stop a task that does not exist."""
    known = {"chat-messages": "not_chat_app"} | (
        {"workflows/tasks": "not_workflow_app"} if kind == "completion" else {}
    )
    return [
        {
            "path": f"/v1/{way}/00000000-0000-0000-0000-000000000000/stop",
            "status": 400 if way in known else 200,
            "headers": {"Content-Type": "application/json"},
            "body": json.dumps({"code": known[way]} if way in known else {"result": "success"}),
        }
        for way in ("chat-messages", "workflows/tasks")
    ]


@pytest.mark.parametrize("version", ["0.15.3", "1.12.1"])
@pytest.mark.parametrize(("kind", "input_name"), [("workflow", "text"), ("completion", "query")])
async def test_the_recorded_form_names_the_input_for_the_question(version: str, kind: str, input_name: str) -> None:
    replies = (
        [*load(version, f"{kind}_form"), *stopping(kind)] if version == "0.15.3" else load(version, f"{kind}_form")
    )
    async with HistoryServer(replies) as server:
        backend = make_backend(server.base_url, dify_app_type=kind)
        findings = {finding.subject: finding.problem for finding in await backend.check()}
        await backend.close()

    assert f"the input {input_name}" in findings["Dify question"]


@pytest.mark.parametrize("server", ALONE, indirect=True)
async def test_a_backend_that_never_asked_stops_an_answer_of_any_kind(server: DifyServer) -> None:
    server.script = lambda query: Reply(tokens=["word "] * 1000, per_token=0.02)
    asking = make_backend(server.base_url, dify_api_key=server.api_key)
    hearing = asyncio.create_task(hear(asking.answer(ask())))
    await server.until(lambda: bool(server.requests) and server.requests[-1].task_id != "")
    await server.until(lambda: bool(server.runs) or server.requests[-1].message_id != "")
    record = server.requests[-1]
    run = next(iter(server.runs), None)
    message = None if run else BackendMessageId(record.message_id)
    ids = BackendIds(task=BackendTaskId(record.task_id), message=message, run=BackendRunId(run) if run else None)
    other = make_backend(server.base_url, dify_api_key=server.api_key)
    await other.stop(ids, BackendUser("thread-1"))
    outcome = await asyncio.wait_for(hearing, 5)
    await asking.close()
    await other.close()

    assert outcome.ending == ("stopped" if run else "completed")
    assert 0 < len(outcome.text) < 5000
    assert server.stop_log[-1].worked
