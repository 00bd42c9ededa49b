"""Every recorded exchange of two real Dify servers, played again through a real HTTP server to the real backend.

What is expected is worked out here from the JSON in the plainest way, or written down, never by the code under test.
"""

import asyncio
import json
import re

import pytest

from bridge.backend_api import AnswerStarted, FileProduced, Progress
from bridge.backends.dify import steps as steps_of_an_app
from bridge.messages import StepState
from tests.backends.dify.asking import Outcome, ask, hear, make_backend
from tests.backends.dify.replay import SPEED, Cutter, Exchange, ReplayServer, as_recorded, cut_at_random, load

VERSIONS = ("0.15.3", "1.12.1")

# Streams that do not simply complete. A scenario, or a scenario and the number of the exchange in it.
STREAM_ENDINGS = {
    "disconnect_agent": "BackendCut",
    "disconnect_chat": "BackendCut",
    "disconnect_chatflow": "BackendCut",
    "disconnect_chatflow_run_detail": "BackendCut",
    "disconnect_then_late_stop_chat": "BackendCut",
    "disconnect_then_stop_chat": "BackendCut",
    "disconnect_workflow_run_detail": "BackendCut",
    "file_use/3": "BackendFailed",
    "llmfail_drop_chat": "BackendFailed",
    "llmfail_http429_chat": "BackendFailed",
    "llmfail_http500_chat": "BackendFailed",
    "llmfail_http500_chatflow": "BackendFailed",
    "llmfail_http500_completion": "BackendFailed",
    "llmfail_http500_workflow": "BackendFailed",
    "llmfail_midway_chat/0": "BackendFailed",
    "llmfail_midway_chatflow/0": "BackendFailed",
    "max_active_requests/4": "BackendCut",
    "overload_40_streams": "BackendFailed",
    "overload_40_streams/3": "BackendCut",
    "server_sigkill_midstream": "BackendCut",
    "stop_workflow_same_user": "stopped",
}

# Refusals: by the recorded label in "errors", else by scenario and number.
REFUSALS = {
    "errors/bad key": "BackendMisconfigured unauthorized",
    "errors/no key": "BackendMisconfigured unauthorized",
    "errors/basic auth": "BackendMisconfigured unauthorized",
    "errors/no body": "BackendMisconfigured unsupported_media_type",
    "errors/not json": "QuestionRefused bad_request",
    "errors/wrong ctype": "BackendMisconfigured unsupported_media_type",
    "errors/missing query": "QuestionRefused invalid_param",
    "errors/missing inputs": "QuestionRefused invalid_param",
    "errors/missing user": "QuestionRefused invalid_param",
    "errors/empty query": "QuestionRefused invalid_param",
    "errors/bad mode": "QuestionRefused invalid_param",
    "errors/conv malformed": "ConversationMissing invalid_param",
    "errors/conv unknown": "ConversationMissing not_found",
    "errors/wrong app mode: chat on workflow": "BackendMisconfigured not_chat_app",
    "errors/required missing": "QuestionRefused invalid_param",
    "errors/required too long": "QuestionRefused invalid_param",
    "errors/select not in options": "QuestionRefused invalid_param",
    "errors/number as text": "QuestionRefused invalid_param",
    "errors/input wrong type": "QuestionRefused invalid_param",
    "errors/wrong method": "BackendMisconfigured method_not_allowed",
    "errors_without_conversation/wrong app mode: workflow on chat": "BackendMisconfigured not_workflow_app",
    "errors_without_conversation/wrong app mode: completion on chat": "BackendMisconfigured app_unavailable",
    "errors_without_conversation/workflow required missing": "QuestionRefused invalid_param",
    "errors_without_conversation/workflow bad select": "QuestionRefused invalid_param",
    "errors/big query 300k": "QuestionRefused completion_request_error",
    "agent_blocking/0": "QuestionRefused invalid_param",
    "conversations/4": "ConversationMissing not_found",
    "file_use/2": "QuestionRefused invalid_param",
    "file_use/8": "QuestionRefused invalid_param",
    "llmfail_http500_chat_blocking/0": "BackendFailed completion_request_error",
    "llmfail_http500_chatflow_blocking/0": "BackendFailed invalid_param",
    "max_active_requests/1": "BackendBusy too_many_requests",
    "max_active_requests/2": "BackendBusy too_many_requests",
    "max_active_requests/5": "BackendBusy too_many_requests",
    "ownership/1": "ConversationMissing not_found",
    "ownership/2": "ConversationMissing not_found",
}


def events_of(exchange: Exchange) -> list[dict[str, object]]:
    blocks = exchange.body.decode().split("\n\n")
    # A dead server leaves half an event at the end.
    whole = blocks[:-1] if exchange.broken else blocks
    return [json.loads(block.removeprefix("data: ")) for block in whole if block.startswith("data: ")]


def named(outputs: dict[str, object]) -> str:
    """The recorded workflow has two outputs, and neither of its texts needs anything but its name."""
    (result, style) = outputs.values()
    return f"**result**\n\n{str(result).rstrip()}\n\n**style**: {style}" if style else str(result)


def expected_text(exchange: Exchange) -> str:
    if exchange.kind == "workflow" and not exchange.is_stream:
        return named(json.loads(exchange.body)["data"]["outputs"]) if exchange.status == 200 else ""
    if not exchange.is_stream:
        return str(json.loads(exchange.body)["answer"]) if exchange.status == 200 else ""
    text = ""
    for event in events_of(exchange):
        if event["event"] in ("message", "agent_message", "message_file") and "answer" in event:
            text += str(event["answer"])
        if event["event"] == "message_replace":
            text = str(event["answer"])
        data = event.get("data")
        if event["event"] == "text_chunk" and isinstance(data, dict):
            text += str(data["text"])
        if event["event"] == "workflow_finished" and exchange.kind == "workflow" and isinstance(data, dict):
            text = named(data["outputs"]) if data["outputs"] else text
    return re.sub(r"<think>.*?</think>\s*", "", text, flags=re.DOTALL)


def expected_ending(exchange: Exchange) -> str:
    numbered = f"{exchange.scenario}/{exchange.number}"
    if exchange.status != 200:
        return REFUSALS.get(f"{exchange.scenario}/{exchange.label}") or REFUSALS[numbered]
    return STREAM_ENDINGS.get(numbered) or STREAM_ENDINGS.get(exchange.scenario) or "completed"


def complaints(exchange: Exchange, outcome: Outcome) -> list[str]:
    found: list[str] = []
    ending = outcome.ending
    if exchange.status != 200 and outcome.error is not None:
        ending += f" {outcome.error.code}"
    if ending != expected_ending(exchange):
        found.append(f"{exchange.name}: ended {ending} instead of {expected_ending(exchange)} ({outcome.error})")
    if outcome.text != expected_text(exchange):
        found.append(f"{exchange.name}: {outcome.text[:80]!r} instead of {expected_text(exchange)[:80]!r}")
    if exchange.is_stream and (events := events_of(exchange)):
        first = outcome.events[0] if outcome.events else None
        if not isinstance(first, AnswerStarted) or first.ids.message != events[0].get("message_id"):
            found.append(f"{exchange.name}: began with {first} instead of the ids")
    return found


async def play(exchanges: list[Exchange], cutter: Cutter) -> list[str]:
    async with ReplayServer(exchanges, cutter) as server:
        backends = {
            kind: make_backend(
                server.base_url,
                dify_api_key=f"app-{kind}",
                dify_app_type=kind,
                dify_idle_timeout=60 / SPEED,
                dify_progress_timeout=180 / SPEED,
                dify_finish_grace=2 / SPEED,
                dify_max_concurrent=40,
            )
            for kind in ("chat", "completion", "workflow")
        }

        async def play_one(exchange: Exchange) -> list[str]:
            question = ask(exchange.name, user=exchange.user, conversation=exchange.conversation)
            return complaints(exchange, await hear(backends[exchange.kind].answer(question)))

        try:
            # Those that show that an app is of another kind come last: what they tell is remembered.
            later = [one for one in exchanges if "wrong app mode" in one.label]
            first = [one for one in exchanges if one not in later]
            found = await asyncio.gather(*(play_one(exchange) for exchange in first))
            found += [await play_one(exchange) for exchange in later]
        finally:
            for backend in backends.values():
                await backend.close()
    return [line for lines in found for line in lines]


@pytest.mark.parametrize("cutter", [as_recorded, cut_at_random])
@pytest.mark.parametrize("version", VERSIONS)
async def test_every_recorded_exchange_gives_its_text_and_its_ending(version: str, cutter: Cutter) -> None:
    exchanges = load(version)
    assert len(exchanges) > 100

    assert await play(exchanges, cutter) == []


def test_cutting_at_random_keeps_every_byte_and_cuts_inside_characters() -> None:
    halved = 0
    for exchange in load("1.12.1"):
        pieces = cut_at_random(exchange)
        assert b"".join(piece.data for piece in pieces) == exchange.body
        for piece in pieces:
            try:
                piece.data.decode()
            except UnicodeDecodeError:
                halved += 1
    # Only one recorded answer of this version has anything but ASCII in it; test_framing cuts at every byte.
    assert halved >= 1


async def replay_one(version: str, scenario: str, number: int = 0) -> Outcome:
    (exchange,) = [one for one in load(version) if (one.scenario, one.number) == (scenario, number)]
    async with ReplayServer([exchange], as_recorded) as server:
        backend = make_backend(server.base_url)
        try:
            return await hear(backend.answer(ask(exchange.name)))
        finally:
            await backend.close()


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_agent_tells_its_tool_once_and_never_repeats_its_thoughts(version: str) -> None:
    outcome = await replay_one(version, "agent_tool_stream")

    steps = [event.step for event in outcome.events if isinstance(event, Progress)]
    # Both servers had the tool's answer before they first told about the tool.
    assert [(step.title, step.state) for step in steps] == [("Current Time", StepState.DONE)]
    assert outcome.text.count("Tool said") == 1


async def test_a_file_that_a_tool_made_is_told_with_a_readable_name_and_where_it_is() -> None:
    outcome = await replay_one("0.15.3", "file_download")

    (file,) = [event.file for event in outcome.events if isinstance(event, FileProduced)]
    assert (file.name, file.kind, file.media_type, file.size) == ("image.png", "image", "", None)
    assert file.address.startswith(
        "http://127.0.0.1:5001/files/tools/f2ab0662-5a1e-47d8-871a-5c55c7072641.png?timestamp="
    )


async def test_a_tool_runs_until_its_observation_comes() -> None:
    outcome = await replay_one("0.15.3", "file_download")

    told = [event for event in outcome.events if isinstance(event, Progress | FileProduced)]
    assert [event.step.state if isinstance(event, Progress) else "file" for event in told] == [
        "running",
        "file",
        "done",
    ]
    assert {event.step.title for event in told if isinstance(event, Progress)} == {"Bar Chart"}
    assert len({event.step.id for event in told if isinstance(event, Progress)}) == 1


@pytest.fixture
def every_title_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorded apps have one node beside the first and the last, and its author left it the name that Dify gave it."""
    monkeypatch.setattr(steps_of_an_app, "_NAMELESS_MODEL", re.compile("(?!)"))


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_chatflow_of_nothing_but_a_model_has_no_steps(version: str) -> None:
    outcome = await replay_one(version, "chatflow_stream")
    assert not [event for event in outcome.events if isinstance(event, Progress)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.usefixtures("every_title_counts")
async def test_a_chatflow_tells_its_nodes_by_title_and_its_run_by_id(version: str) -> None:
    outcome = await replay_one(version, "chatflow_stream")

    steps = [event.step for event in outcome.events if isinstance(event, Progress)]
    assert [(step.title, step.state) for step in steps] == [("LLM", StepState.RUNNING), ("LLM", StepState.DONE)]
    started = [event for event in outcome.events if isinstance(event, AnswerStarted)]
    assert len(started) == 1
    assert started[0].ids.run
    assert started[0].ids.task


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.usefixtures("every_title_counts")
async def test_a_node_that_fails_is_told_as_failed_once(version: str) -> None:
    outcome = await replay_one(version, "llmfail_midway_chatflow")

    steps = [event.step for event in outcome.events if isinstance(event, Progress)]
    assert [(step.title, step.state) for step in steps] == [("LLM", StepState.RUNNING), ("LLM", StepState.FAILED)]


async def test_files_of_the_asker_are_not_files_of_the_app() -> None:
    for number in range(9):
        outcome = await replay_one("0.15.3", "file_use", number)
        assert not [event for event in outcome.events if isinstance(event, FileProduced)]


async def test_text_that_comes_as_message_file_is_not_lost() -> None:
    outcome = await replay_one("1.12.1", "file_use")

    assert outcome.text.startswith("Echo")
    assert outcome.ending == "completed"
