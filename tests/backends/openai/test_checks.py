"""What `check` finds out about a server, and says to its operator."""

import pytest

from bridge.platform_api import Severity
from tests.backends.openai.asking import make_backend
from tests.contracts.wire import JSON, Said, WireServer, listening
from tests.fakes.openai_server import Kind, OpenAIServer


async def findings(server: OpenAIServer | str, **settings: object) -> dict[str, tuple[Severity, str, str]]:
    backend = make_backend(server, **settings)
    try:
        return {one.subject: (one.severity, one.problem, one.fix) for one in await backend.check()}
    finally:
        await backend.close()


@pytest.mark.parametrize("kind", [Kind.OPENAI, Kind.DBGPT])
async def test_a_good_server_is_said_to_have_the_model(kind: Kind) -> None:
    async with OpenAIServer(kind, models=["stand-in", "another"]) as server:
        told = await findings(server)

    assert told["OpenAI API"] == (Severity.OK, f"{server.base_url} speaks it and accepts the key", "")
    assert told["OpenAI model"] == (Severity.OK, "the server has stand-in and 1 more", "")


async def test_a_model_that_is_not_listed_is_told_with_those_that_are() -> None:
    async with OpenAIServer(models=["b", "a"]) as server:
        severity, problem, fix = (await findings(server))["OpenAI model"]

    assert (severity, problem) == (Severity.WARNING, "the server does not list stand-in; it has a, b")
    assert "OPENAI_MODEL" in fix


async def test_a_model_may_be_named_without_its_tag() -> None:
    async with OpenAIServer(models=["stand-in:latest"]) as server:
        assert (await findings(server))["OpenAI model"][0] is Severity.OK


@pytest.mark.parametrize("kind", [Kind.OPENAI, Kind.DBGPT])
async def test_a_wrong_key_is_an_error(kind: Kind) -> None:
    async with OpenAIServer(kind) as server:
        severity, problem, fix = (await findings(server, openai_api_key="sk-wrong-key-1234"))["OpenAI key"]

    assert (severity, fix) == (Severity.ERROR, "Copy the key again into OPENAI_API_KEY.")
    assert "1234" not in problem


async def test_a_server_that_lists_no_models_can_still_be_used() -> None:
    async with OpenAIServer(Kind.HOLYSHEEP) as server:
        severity, problem, _ = (await findings(server))["OpenAI API"]

    assert severity is Severity.WARNING
    assert "does not list its models" in problem


async def test_a_server_that_speaks_difys_api_is_recognised() -> None:
    others = {
        "/v1/models": Said(status=404, headers=JSON, steps=[b'{"code": "not_found", "message": "x"}']),
        "/v1/parameters": Said(headers=JSON, steps=[b'{"user_input_form": []}']),
    }
    async with listening(WireServer("/v1/chat/completions", others)) as server:
        severity, problem, fix = (await findings(f"{server.origin}/v1"))["OpenAI API"]

    assert (severity, fix) == (
        Severity.ERROR,
        'Use backend = "dify" for this address, with the key of a Dify app.',
    )
    assert "speaks Dify's API" in problem


async def test_a_web_page_is_no_server_of_the_kind() -> None:
    async with listening(WireServer("/v1/chat/completions")) as server:
        severity, _, fix = (await findings(f"{server.origin}/v1"))["OpenAI API"]

    assert severity is Severity.ERROR
    assert "OPENAI_BASE_URL" in fix


async def test_what_the_operator_chose_is_repeated_in_words() -> None:
    async with OpenAIServer() as server:
        told = await findings(server, openai_most_images=3, openai_history_turns=0, openai_system_prompt="{tone}")

    assert told["OpenAI images"][1] == "up to 3 with a question"
    assert told["OpenAI history"][1] == "none: each question stands alone"
    assert told["OpenAI inputs"][1] == "the system prompt has places for tone"
