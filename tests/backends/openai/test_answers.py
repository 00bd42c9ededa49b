"""The backend and a server that is as strict as the real ones: what is asked, what is asked again without, how it is stopped."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.backend_api import AnswerCompleted, AnswerStarted, BackendEvent, TextDelta, UsageReported
from bridge.errors import BackendError, BackendMisconfigured, BackendTimeout, QuestionRefused
from bridge.history_api import KeepsNoHistory
from bridge.inspecting import find_gaps
from bridge.messages import AppName, BackendUser
from bridge.routing import AppPolicy
from bridge.variables_api import DescribesInputs
from tests.backends.openai.asking import USER, ask, make_backend
from tests.contracts.backend_suite import collect, ids_of, text_of
from tests.contracts.wire import JSON, PAGE, Hang, Said, WireServer, listening
from tests.fakes.openai_server import Fault, Kind, OpenAIServer, Reply, Trouble

PNG = b"\x89PNG\r\n\x1a\n and so on"


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as server:
        yield server


async def test_a_question_brings_prompt_conversation_and_settings(server: OpenAIServer) -> None:
    backend = make_backend(
        server, openai_system_prompt="Speak {language}.", openai_temperature=0.5, openai_max_tokens=100
    )
    question = ask("and now?", history=(("first", "one"),), inputs={"language": "French"})

    events = await collect(backend, question)
    await backend.close()

    (asked,) = server.asked
    assert asked.said == [
        ("system", "Speak French."),
        ("user", "first"),
        ("assistant", "one"),
        ("user", "and now?"),
    ]
    assert {key: value for key, value in asked.body.items() if key != "messages"} == {
        "model": "stand-in",
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "max_tokens": 100,
    }
    assert text_of(events) == "You said: and now?"


@pytest.mark.parametrize("kind", [Kind.OPENAI, Kind.DBGPT])
async def test_what_an_answer_has_cost_is_told(kind: Kind) -> None:
    async with OpenAIServer(kind) as server:
        server.script = lambda text: Reply(tokens=["a", "b"])
        backend = make_backend(server)
        events = await collect(backend, ask())
        await backend.close()

    (usage,) = [event for event in events if isinstance(event, UsageReported)]
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens > 7
    assert isinstance(events[-1], AnswerCompleted)


@pytest.mark.parametrize("kind", [Kind.OPENAI, Kind.DBGPT])
async def test_a_server_that_does_not_report_usage_is_asked_for_it_once(kind: Kind) -> None:
    async with OpenAIServer(kind) as server:
        server.knows_usage = False
        backend = make_backend(server)
        for _ in range(2):
            assert text_of(await collect(backend, ask("hi"))) == "You said: hi"
        await backend.close()

        assert ["stream_options" in one.body for one in server.asked] == [True, False, False]


async def test_questions_at_the_same_time_learn_the_same(server: OpenAIServer) -> None:
    server.knows_usage = False
    backend = make_backend(server)
    answers = await asyncio.gather(*(collect(backend, ask(str(number))) for number in range(4)))
    await backend.close()

    assert [text_of(events) for events in answers] == [f"You said: {number}" for number in range(4)]


async def test_usage_is_not_asked_for_where_the_operator_does_not_want_it(server: OpenAIServer) -> None:
    backend = make_backend(server, openai_report_usage=False)
    await collect(backend, ask())
    await backend.close()

    assert "stream_options" not in server.asked[0].body


async def test_a_model_that_thinks_has_its_length_under_another_name(server: OpenAIServer) -> None:
    server.thinks = True
    backend = make_backend(server, openai_max_tokens=50)
    for _ in range(2):
        await collect(backend, ask())
    await backend.close()

    assert [one.body.get("max_completion_tokens") for one in server.asked] == [None, 50, 50]


async def test_a_conversation_that_is_too_long_after_all_is_told_in_part(server: OpenAIServer) -> None:
    server.context = 60
    history = tuple((f"question {number}", "answer " * 8) for number in range(10))
    backend = make_backend(server, openai_system_prompt="Be brief.", openai_history_tokens=150)

    events = await collect(backend, ask("now", history=history))
    await backend.close()

    assert text_of(events) == "You said: now"
    told = server.asked[-1].said
    assert told[0] == ("system", "Be brief.")
    assert told[-3][1] == "question 9"
    assert len(told) < len(server.asked[0].said)


async def test_a_question_that_is_too_long_by_itself_is_refused_in_a_sentence(server: OpenAIServer) -> None:
    server.context = 10
    backend = make_backend(server)

    with pytest.raises(QuestionRefused) as caught:
        await collect(backend, ask("word " * 200, history=(("a", "b"),)))
    await backend.close()

    assert "too long" in caught.value.user_message
    assert "OPENAI_HISTORY_TOKENS" in caught.value.fix
    assert 2 <= len(server.asked) <= 4


async def test_thoughts_are_never_shown(server: OpenAIServer) -> None:
    server.script = lambda text: Reply(thoughts=["secret ", "thought"], tokens=["<think>more</think>", "ok"])
    backend = make_backend(server)

    assert text_of(await collect(backend, ask())) == "ok"
    await backend.close()


async def test_a_server_without_keys_is_sent_none() -> None:
    async with OpenAIServer(key="") as server:
        backend = make_backend(server, openai_api_key="")
        assert text_of(await collect(backend, ask("hi"))) == "You said: hi"
        await backend.close()


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_wrong_key_is_told_to_the_operator_and_not_repeated(kind: Kind) -> None:
    async with OpenAIServer(kind) as server:
        backend = make_backend(server, openai_api_key="sk-wrong-key-1234")
        with pytest.raises(BackendMisconfigured) as caught:
            await collect(backend, ask())
        await backend.close()

    assert (caught.value.code, caught.value.fix) == ("unauthorized", "Copy the key again into OPENAI_API_KEY.")
    assert "wrong-key" not in str(caught.value)


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_model_that_the_server_does_not_have_is_told_to_the_operator(kind: Kind) -> None:
    async with OpenAIServer(kind) as server:
        backend = make_backend(server, openai_model="another")
        with pytest.raises(BackendMisconfigured) as caught:
            await collect(backend, ask())
        await backend.close()

    assert caught.value.code == "model_missing"


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_failure_in_the_stream_keeps_what_came(kind: Kind) -> None:
    async with OpenAIServer(kind) as server:
        server.script = lambda text: Reply(tokens=["half ", "never"], trouble=Trouble.EVENT, at=1)
        backend = make_backend(server)
        heard: list[object] = []
        with pytest.raises(BackendError) as caught:
            await collect(backend, ask(), heard)  # type: ignore[arg-type]  # the suite's own recorder takes any event
        await backend.close()

    assert [event.text for event in heard if isinstance(event, TextDelta)] == ["half "]
    assert caught.value.accepted
    assert "LLMServer" not in caught.value.user_message


async def test_a_server_that_does_not_stream_is_understood() -> None:
    reply = {
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "whole"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }
    async with listening(WireServer("/v1/chat/completions")) as server:
        server.answer = Said(headers=JSON, steps=[json.dumps(reply).encode()])
        backend = make_backend(f"{server.origin}/v1")
        events = await collect(backend, ask())
        await backend.close()

    assert isinstance(events[0], AnswerStarted)
    assert text_of(events) == "whole"
    assert events[-2:] == [UsageReported(prompt_tokens=1, completion_tokens=2, total_tokens=3), AnswerCompleted()]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ({"answer": "of a Dify server"}, "wrong_path"),
        ({"error": {"message": "x", "code": "model_not_found"}}, "model_missing"),
    ],
)
async def test_a_reply_that_is_no_completion_is_no_answer(reply: dict[str, object], code: str) -> None:
    async with listening(WireServer("/v1/chat/completions")) as server:
        server.answer = Said(headers=JSON, steps=[json.dumps(reply).encode()])
        backend = make_backend(f"{server.origin}/v1")
        events: list[object] = []
        with pytest.raises(BackendError) as caught:
            await collect(backend, ask(), events)  # type: ignore[arg-type]  # the suite's own recorder takes any event
        await backend.close()

    assert (caught.value.code, events) == (code, [])


async def test_a_web_page_is_a_wrong_address_and_not_an_answer_that_began() -> None:
    async with listening(WireServer("/v1/chat/completions")) as server:
        server.answer = Said(headers=PAGE, steps=[b"<html>Sign in</html>"])
        backend = make_backend(f"{server.origin}/v1")
        events: list[BackendEvent] = []
        with pytest.raises(BackendMisconfigured) as caught:
            await collect(backend, ask(), events)
        await backend.close()

    assert events == []
    assert "OPENAI_BASE_URL" in caught.value.fix


async def test_a_server_that_keeps_the_connection_after_the_end_does_not_hold_the_answer() -> None:
    said = json.dumps({"choices": [{"delta": {"content": "ok"}, "finish_reason": "stop"}]}).encode()
    async with listening(WireServer("/v1/chat/completions")) as server:
        server.answer = Said(steps=[b"data: " + said + b"\n\n", Hang()])
        backend = make_backend(f"{server.origin}/v1", openai_idle_timeout=5)
        assert text_of(await collect(backend, ask())) == "ok"
        await backend.close()
        await server.until(lambda: server.open == 0)


async def test_only_whoever_asked_can_stop_an_answer(server: OpenAIServer) -> None:
    server.script = lambda text: Reply(tokens=["word "] * 20, pause=0.01)
    backend = make_backend(server)
    events = []
    async with aclosing(backend.answer(ask())) as stream:
        async for event in stream:
            events.append(event)
            if isinstance(event, TextDelta):
                await backend.stop(ids_of(events), BackendUser("somebody else"))
    assert text_of(events) == "word " * 20

    events = []
    async with aclosing(backend.answer(ask())) as stream:
        async for event in stream:
            events.append(event)
            if isinstance(event, TextDelta):
                await backend.stop(ids_of(events), USER)
    await backend.close()

    assert events[-1] == AnswerCompleted(stopped=True)
    assert len(text_of(events)) < 20 * 5


async def test_an_answer_can_be_stopped_before_its_first_word(server: OpenAIServer) -> None:
    server.script = lambda text: Reply(trouble=Trouble.SILENT)
    backend = make_backend(server)
    events = []
    async with aclosing(backend.answer(ask())) as stream:
        async for event in stream:
            events.append(event)
            if isinstance(event, AnswerStarted):
                await backend.stop(event.ids, USER)
    await backend.close()

    assert events[-1] == AnswerCompleted(stopped=True)
    await server.until(lambda: server.asked[0].ended == "client_closed")


async def test_a_silent_model_is_given_up(server: OpenAIServer) -> None:
    server.script = lambda text: Reply(trouble=Trouble.SILENT)
    backend = make_backend(server, openai_idle_timeout=0.2, openai_progress_timeout=0.3)

    with pytest.raises(BackendTimeout) as caught:
        await collect(backend, ask())
    await backend.close()

    assert caught.value.user_message == "The app fell silent before it had answered."


async def test_an_image_is_shown_to_the_model(server: OpenAIServer, tmp_path: Path) -> None:
    backend = make_backend(server, openai_most_images=2)
    (tmp_path / "a").write_bytes(PNG)

    image = await backend.upload(tmp_path / "a", "misnamed.gif", "image/gif", "image", USER)
    await collect(backend, replace(ask("what is it?"), files=(image,)))
    await backend.close()

    assert image.id.startswith("data:image/png;base64,")
    assert server.asked[0].said[-1][0] == "user"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"MZ this is a program", "The app looks at images only (PNG, JPEG, GIF or WebP)."),
        (PNG + b"x" * 2000, "It is larger than the app takes."),
    ],
)
async def test_what_is_no_image_or_too_large_is_not_taken(tmp_path: Path, content: bytes, sentence: str) -> None:
    backend = make_backend("http://127.0.0.1:9/v1", openai_most_images=1, openai_largest_image=1000)
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(QuestionRefused) as caught:
        await backend.upload(tmp_path / "a", "a.png", "image/png", "image", USER)

    assert caught.value.user_message == sentence


async def test_a_model_that_sees_nothing_takes_no_files() -> None:
    assert (await make_backend("http://127.0.0.1:9/v1").file_rules()).most == 0


async def test_a_refused_image_is_told_in_a_sentence(server: OpenAIServer, tmp_path: Path) -> None:
    server.sees = False
    backend = make_backend(server, openai_most_images=1)
    (tmp_path / "a").write_bytes(PNG)
    image = await backend.upload(tmp_path / "a", "a.png", "image/png", "image", USER)

    with pytest.raises(QuestionRefused) as caught:
        await collect(backend, replace(ask(), files=(image,)))
    await backend.close()

    assert caught.value.user_message == "The app's model did not accept the images of this question."


async def test_the_places_in_the_system_prompt_are_the_inputs_of_the_app() -> None:
    backend = make_backend("http://127.0.0.1:9/v1", openai_system_prompt='Speak {language}. {"a": {tone}} {language}')

    assert isinstance(backend, DescribesInputs)
    told = await backend.input_form()

    assert [(one.name, one.required) for one in told] == [("language", False), ("tone", False)]
    constants = AppPolicy(name=AppName("a"), inputs={"language": "French", "region": "EU"})
    (gap,) = find_gaps(constants, told)
    assert gap.problem == "apps.a.inputs.region is told to nobody: the app has no input of that name"


async def test_the_limit_of_a_provider_is_passed_on_with_its_time(server: OpenAIServer) -> None:
    server.faults = [Fault(status=429, body={"error": {"message": "slow"}}, headers=(("Retry-After", "3"),))]
    backend = make_backend(server)

    with pytest.raises(BackendError) as caught:
        await collect(backend, ask())
    await backend.close()

    assert caught.value.retry_after is not None
    assert caught.value.retry_after.total_seconds() == 3
    assert not caught.value.accepted


def test_the_conversation_comes_from_the_bridge_unless_nothing_of_it_is_wanted() -> None:
    backend = make_backend("http://127.0.0.1:9/v1", openai_history_turns=7)

    assert isinstance(backend, KeepsNoHistory)
    assert backend.history_turns == 7
    assert make_backend("http://127.0.0.1:9/v1", openai_history_tokens=0).history_turns == 0
