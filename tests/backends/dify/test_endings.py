"""When an answer is over, and how: the terminal rules of chat, agent and chatflow apps of every version."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import aiohttp
import pytest

from bridge.backend_api import AnswerCompleted, AnswerStarted, Progress, TextReplaced
from bridge.errors import BackendCut
from bridge.remote.calling import Answering
from tests.backends.dify.asking import Outcome, ask, hear, make_backend
from tests.backends.dify.scripted import (
    IDS,
    MESSAGE_END,
    PING,
    RUN_STARTED,
    Cut,
    Hang,
    Pause,
    ScriptedServer,
    Step,
    data,
    run_finished,
    said,
)


async def play(steps: Sequence[Step], *, conversation: str = "", **settings: object) -> Outcome:
    """One answer made of these steps. Fails when it takes longer than any rule allows."""
    async with ScriptedServer(steps) as server:
        backend = make_backend(server.base_url, **{"dify_finish_grace": 0.4, **settings})
        try:
            async with asyncio.timeout(5):
                return await hear(backend.answer(ask(conversation=conversation)))
        finally:
            await backend.close()


ERROR = data(
    event="error", conversation_id="c-1", message_id="m-1", code="invalid_param", status=400, message="Run failed: boom"
)

_ASKED = {
    "form_id": "f-1",
    "form_token": "secret",
    "node_title": "Review",
    "form_content": "Right? {{#$output.why#}}",
    "inputs": [{"type": "text_input", "output_variable_name": "why", "default": {"type": "constant", "value": "yes"}}],
    "actions": [{"id": "ok", "title": "Approve", "button_style": "primary"}],
    "expiration_time": 1900000000,
}
FORM = data(event="human_input_required", **IDS, data=_ASKED)
PAUSED = data(event="workflow_paused", **IDS, data={"reasons": [{"TYPE": "human_input_required", **_ASKED}]})


@pytest.mark.parametrize(
    ("steps", "ending", "text"),
    [
        pytest.param([said("a"), MESSAGE_END], "completed", "a", id="chat"),
        pytest.param([said("a"), MESSAGE_END, Hang()], "completed", "a", id="chat, the server keeps the connection"),
        pytest.param(
            [said("a"), MESSAGE_END, data(event="tts_message", audio="AAAA"), data(event="tts_message_end"), Hang()],
            "completed",
            "a",
            id="chat, spoken audio trails",
        ),
        pytest.param([said("a"), ERROR], "BackendFailed", "a", id="chat fails"),
        pytest.param(
            [said("a"), ERROR, PING, Hang()], "BackendFailed", "a", id="an error is the end though pings go on"
        ),
        pytest.param([said("a")], "BackendCut", "a", id="chat, the stream ends without an ending"),
        pytest.param([said("a"), Cut()], "BackendCut", "a", id="chat, the connection breaks"),
        pytest.param([], "BackendCut", "", id="nothing at all"),
        pytest.param([PING, PING], "BackendCut", "", id="only pings"),
        pytest.param([RUN_STARTED, said("a"), run_finished(), MESSAGE_END], "completed", "a", id="chatflow up to 1.12"),
        pytest.param(
            [RUN_STARTED, said("a"), run_finished(), said("b"), MESSAGE_END],
            "completed",
            "ab",
            id="chatflow, text after its run",
        ),
        pytest.param(
            [RUN_STARTED, said("a"), run_finished()], "completed", "a", id="chatflow 1.13.0: message_end is lost"
        ),
        pytest.param(
            [RUN_STARTED, said("a"), run_finished(), Hang()], "completed", "a", id="chatflow, only the grace ends it"
        ),
        pytest.param(
            [RUN_STARTED, said("a"), run_finished(), *[PING, Pause(0.05)] * 40],
            "completed",
            "a",
            id="pings do not stretch the grace",
        ),
        pytest.param(
            [RUN_STARTED, said("a"), run_finished(), Cut()],
            "completed",
            "a",
            id="chatflow, cut after its run succeeded",
        ),
        pytest.param([RUN_STARTED, said("a"), MESSAGE_END, run_finished()], "completed", "a", id="chatflow after 1.13"),
        pytest.param(
            [RUN_STARTED, said("a"), run_finished("failed", "x"), ERROR], "BackendFailed", "a", id="chatflow fails"
        ),
        pytest.param(
            [RUN_STARTED, said("a"), run_finished("failed", "x")],
            "BackendFailed",
            "a",
            id="chatflow fails, the error is lost",
        ),
        pytest.param(
            [RUN_STARTED, said("a"), run_finished("failed", "x"), Hang()],
            "BackendFailed",
            "a",
            id="chatflow fails, nothing follows",
        ),
        pytest.param(
            [RUN_STARTED, said("a"), run_finished("partial-succeeded"), MESSAGE_END],
            "completed",
            "a",
            id="chatflow, in part",
        ),
        pytest.param(
            [RUN_STARTED, said("a"), run_finished("stopped", "Stopped by user."), MESSAGE_END],
            "stopped",
            "a",
            id="chatflow stopped",
        ),
        pytest.param(
            [RUN_STARTED, said("a"), MESSAGE_END, Pause(0.05), run_finished("stopped")],
            "stopped",
            "a",
            id="chatflow stopped, after 1.13",
        ),
        pytest.param(
            [said("canned"), MESSAGE_END, Hang()], "completed", "canned", id="chatflow, answered by an annotation"
        ),
        pytest.param([RUN_STARTED, said("a"), Cut()], "BackendCut", "a", id="chatflow cut"),
        pytest.param(
            [RUN_STARTED, said("a"), data(event="workflow_paused", **IDS), Hang()],
            "BackendPaused",
            "a",
            id="paused, and not for people",
        ),
        pytest.param([RUN_STARTED, said("a"), FORM, PAUSED, Hang()], "input", "a", id="paused for people"),
        pytest.param([RUN_STARTED, said("a"), PAUSED, Hang()], "input", "a", id="paused, the form's event is lost"),
        pytest.param([RUN_STARTED, said("a"), FORM, Hang()], "input", "a", id="a form, and the pause is lost"),
        pytest.param([RUN_STARTED, said("a"), FORM], "input", "a", id="a form, and the stream ends"),
    ],
)
async def test_an_answer_ends_when_and_as_it_should(steps: Sequence[Step], ending: str, text: str) -> None:
    outcome = await play(steps)

    assert (outcome.ending, outcome.text) == (ending, text)


async def test_a_finished_chatflow_waits_for_the_error_that_may_still_come() -> None:
    outcome = await play([RUN_STARTED, said("a"), run_finished(), Pause(0.15), ERROR])

    assert outcome.ending == "BackendFailed"


@pytest.mark.parametrize("noise", [[Hang()], [PING, Pause(0.05)] * 100, [data(event="x"), Pause(0.05)] * 100])
async def test_the_grace_of_a_finished_chatflow_is_bounded(noise: list[Step]) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await play([RUN_STARTED, said("a"), run_finished(), *noise], dify_finish_grace=0.1)

    assert 0.1 <= loop.time() - began < 1.0


async def test_ids_come_first_and_again_when_the_run_becomes_known() -> None:
    outcome = await play([said("a"), RUN_STARTED, said("b"), MESSAGE_END])

    started = [event.ids for event in outcome.events if isinstance(event, AnswerStarted)]
    assert isinstance(outcome.events[0], AnswerStarted)
    assert [ids.run for ids in started] == [None, "r-1"]
    assert {(ids.conversation, ids.message, ids.task) for ids in started} == {("c-1", "m-1", "t-1")}


async def test_an_error_that_comes_first_still_tells_the_ids() -> None:
    outcome = await play([ERROR])

    (started,) = outcome.events
    assert isinstance(started, AnswerStarted)
    assert started.ids.message == "m-1"


async def test_text_without_any_ids_is_started_all_the_same() -> None:
    outcome = await play([data(event="message", answer="a"), data(event="message_end")])

    assert isinstance(outcome.events[0], AnswerStarted)
    assert outcome.text == "a"


async def test_unknown_events_are_ignored() -> None:
    odd = [
        data(event=name, **IDS, data={"text": "SECRET"}, answer=["SECRET"])
        for name in ("reasoning_chunk", "agent_log", "x", "")
    ]
    outcome = await play([*odd, data(nothing=1), said("a"), *odd, MESSAGE_END])

    assert (outcome.ending, outcome.text) == ("completed", "a")


async def test_a_node_is_told_by_its_title_and_never_by_its_inputs() -> None:
    node = {"node_id": "n-1", "node_type": "llm", "title": "Look it up", "inputs": {"prompt": "SECRET"}}
    plumbing = {"node_id": "start", "node_type": "start", "title": "Start"}
    outcome = await play(
        [
            RUN_STARTED,
            data(event="node_started", **IDS, data=plumbing),
            data(event="node_started", **IDS, data=node),
            data(event="node_finished", **IDS, data=node),
            data(event="iteration_started", **IDS, data={"node_id": "n-2", "title": "Each one"}),
            said("a"),
            MESSAGE_END,
        ]
    )

    told = [event.step.title for event in outcome.events if isinstance(event, Progress)]
    assert list(dict.fromkeys(told)) == ["Look it up", "Each one"]
    assert "SECRET" not in repr(outcome.events)


async def test_a_replaced_answer_replaces_everything_and_may_be_continued() -> None:
    thoughtful = data(event="message_replace", **IDS, answer="<think>x</think>Wait.", reason="output_moderation")
    replace = data(event="message_replace", **IDS, answer="Blocked.", reason="output_moderation")
    outcome = await play([said("bad "), thoughtful, said("<think>half"), replace, said(" Go on."), MESSAGE_END])

    assert [event for event in outcome.events if isinstance(event, TextReplaced)] == [
        TextReplaced(text="Wait."),
        TextReplaced(text="Blocked."),
    ]
    assert outcome.text == "Blocked. Go on."


async def test_a_thought_is_hidden_wherever_the_stream_cuts_it() -> None:
    outcome = await play([*(said(char) for char in "<think>\nhm\n</think>\n\nYes."), MESSAGE_END])

    assert outcome.text == "Yes."


async def test_text_held_back_as_a_possible_tag_comes_before_the_error() -> None:
    outcome = await play([said("a <thi"), Cut()])

    assert (outcome.ending, outcome.text) == ("BackendCut", "a <thi")


async def test_a_closing_message_with_the_whole_text_is_not_said_twice() -> None:
    outcome = await play([said("Hel", "agent_message"), said("lo", "agent_message"), said("Hello"), MESSAGE_END])

    assert outcome.text == "Hello"


async def test_an_answer_in_one_piece_is_understood() -> None:
    async with ScriptedServer(
        [b'{"event": "message", "answer": "whole", ' + b'"conversation_id": "c-1", "message_id": "m-1"}']
    ) as server:
        server.headers = {"Content-Type": "application/json"}
        backend = make_backend(server.base_url)
        outcome = await hear(backend.answer(ask()))
        await backend.close()

    assert (outcome.ending, outcome.text) == ("completed", "whole")
    assert isinstance(outcome.events[0], AnswerStarted)
    assert outcome.events[-1] == AnswerCompleted()


@pytest.mark.parametrize(("status", "ending"), [(404, "ConversationMissing"), (200, "BackendFailed")])
async def test_a_wordless_error_means_a_missing_conversation_only_if_dify_confirms_it(status: int, ending: str) -> None:
    async with ScriptedServer([data(event="error", message="", status=500), PING, Hang()]) as server:
        server.others["/v1/messages"] = (
            status,
            {"code": "not_found", "message": "Conversation Not Exists.", "data": []},
        )
        backend = make_backend(server.base_url)
        outcome = await hear(backend.answer(ask(conversation="c-old", user="thread-9")))
        await backend.close()

    assert outcome.ending == ending
    assert "GET /v1/messages?conversation_id=c-old&user=thread-9&limit=1" in server.called
    assert len(server.asked) == 1


async def test_a_wordless_error_in_a_new_conversation_is_a_failure_and_asks_nothing() -> None:
    async with ScriptedServer([data(event="error", message="", status=500)]) as server:
        backend = make_backend(server.base_url)
        outcome = await hear(backend.answer(ask()))
        await backend.close()

    assert outcome.ending == "BackendFailed"
    assert server.called == ["POST /v1/chat-messages"]


async def test_pings_without_end_in_a_missing_conversation_are_understood() -> None:
    async with ScriptedServer([PING, Hang()]) as server:
        server.others["/v1/messages"] = (404, {"code": "not_found", "message": "Conversation Not Exists."})
        backend = make_backend(server.base_url, dify_idle_timeout=0.2)
        outcome = await hear(backend.answer(ask(conversation="c-old")))
        await backend.close()

    assert outcome.ending == "ConversationMissing"


async def test_a_reader_who_is_slower_than_the_break_gets_every_word_that_arrived() -> None:
    words = [said(f"{number} ") for number in range(20)]
    async with (
        ScriptedServer(steps=[*words, Cut()]) as server,
        aiohttp.ClientSession() as session,
        session.post(f"{server.base_url}/chat-messages", json={}) as response,
        asyncio.timeout(10),
    ):
        while response.content.exception() is None:  # noqa: ASYNC110  aiohttp tells nobody that a connection was lost
            await asyncio.sleep(0)
        answering, heard = Answering(response), b""
        with suppress(BackendCut):
            while chunk := await answering.read():
                heard += chunk
        assert heard == b"".join(words)
        with pytest.raises(BackendCut):
            await answering.read()
