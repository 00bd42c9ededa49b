"""Steps of an app as a person may know them: the author's titles, how each ended, and never what went in or came out."""

import pytest

from bridge.backend_api import AnswerCompleted, Progress
from bridge.backends.dify.steps import MOST_STEPS
from bridge.messages import StepState
from tests.backends.dify.asking import Outcome, ask, hear, make_backend
from tests.backends.dify.scripted import (
    IDS,
    MESSAGE_END,
    RUN_STARTED,
    Cut,
    ScriptedServer,
    Step,
    data,
    run_finished,
    said,
)


async def play(*steps: Step) -> Outcome:
    async with ScriptedServer(steps=steps) as server:
        backend = make_backend(server.base_url, dify_finish_grace=0.05)
        outcome = await hear(backend.answer(ask()))
        await backend.close()
    return outcome


def told(outcome: Outcome) -> list[tuple[str, str]]:
    return [(event.step.title, event.step.state) for event in outcome.events if isinstance(event, Progress)]


def node(name: str, title: str, ident: str = "n-1", **fields: object) -> bytes:
    secret = {"inputs": {"prompt": "SECRET"}, "outputs": {"text": "SECRET"}, "process_data": {"p": "SECRET"}}
    about = {"id": f"e-{ident}", "node_id": ident, "node_type": "code", "title": title, "index": 1, **secret, **fields}
    return data(event=name, **IDS, workflow_run_id="r-1", data=about)


@pytest.mark.parametrize("title", ["LLM", "LLM 2", " llm3"])
async def test_a_model_that_its_author_did_not_name_is_no_step(title: str) -> None:
    named = node("node_started", "Write the letter", "n-2", node_type="llm")
    outcome = await play(
        RUN_STARTED, node("node_started", title, node_type="llm"), named, said("a"), run_finished(), MESSAGE_END
    )
    assert {title for title, _ in told(outcome)} == {"Write the letter"}


def thought(ident: str, tool: str = "", observation: str = "", **labels: str) -> bytes:
    return data(
        event="agent_thought",
        **IDS,
        id=ident,
        thought="SECRET",
        tool=tool,
        tool_input="SECRET",
        observation=observation,
        tool_labels={name: {"en_US": label} for name, label in labels.items()},
    )


async def test_a_node_runs_until_it_has_finished_and_nothing_of_its_inside_is_told() -> None:
    outcome = await play(
        RUN_STARTED,
        node("node_started", "Look it up"),
        node("node_started", "Ask  the\nmodel", "n-2"),
        node("node_finished", "Look it up", status="succeeded"),
        node("node_finished", "Ask the model", "n-2", status="exception", error="SECRET"),
        said("a"),
        run_finished(),
        MESSAGE_END,
    )

    assert told(outcome) == [
        ("Look it up", StepState.RUNNING),
        ("Ask the model", StepState.RUNNING),
        ("Look it up", StepState.DONE),
        ("Ask the model", StepState.FAILED),
    ]
    assert "SECRET" not in repr(outcome.events)


async def test_what_is_inside_an_iteration_or_a_loop_is_one_step_with_it() -> None:
    inside = [
        node(name, "Each one", f"n-{number}", iteration_id="i-1")
        for number in range(3)
        for name in ("node_started", "node_finished")
    ]
    outcome = await play(
        RUN_STARTED,
        node("iteration_started", "Every page", "i-1", node_type="iteration"),
        *inside,
        node("iteration_completed", "Every page", "i-1", node_type="iteration", status="succeeded"),
        node("loop_started", "Again", "l-1"),
        node("node_started", "Once", "n-9", loop_id="l-1"),
        node("loop_completed", "Again", "l-1", status="failed"),
        MESSAGE_END,
    )

    assert told(outcome) == [
        ("Every page", StepState.RUNNING),
        ("Every page", StepState.DONE),
        ("Again", StepState.RUNNING),
        ("Again", StepState.FAILED),
    ]


async def test_a_node_that_comes_again_is_another_step_and_the_same_news_again_is_none() -> None:
    once = [node("node_started", "Try"), node("node_finished", "Try", status="succeeded")]
    outcome = await play(RUN_STARTED, once[0], once[0], once[1], once[1], *once, MESSAGE_END)

    assert [state for _, state in told(outcome)] == ["running", "done", "running", "done"]
    ids = [event.step.id for event in outcome.events if isinstance(event, Progress)]
    assert ids[0] == ids[1] != ids[2] == ids[3]


async def test_a_tool_runs_until_its_observation_comes() -> None:
    outcome = await play(
        thought("t-1"),
        thought("t-1", "current_time;web_search", current_time="Current Time", web_search="web_search"),
        thought("t-1", "current_time;web_search", "SECRET", current_time="Current Time", web_search="web_search"),
        thought("t-2", "dataset_0b4c6a1e-3a3f-4a4e-9a0e-3b1f0a1f0a1f"),
        thought("t-3"),
        MESSAGE_END,
    )

    assert told(outcome) == [
        ("Current Time", StepState.RUNNING),
        ("Web search", StepState.RUNNING),
        ("Current Time", StepState.DONE),
        ("Web search", StepState.DONE),
        ("Knowledge", StepState.RUNNING),
        ("Knowledge", StepState.DONE),
    ]
    assert "SECRET" not in repr(outcome.events)


async def test_of_an_agent_nodes_log_only_tool_calls_are_told() -> None:
    def log(ident: str, label: str, status: str) -> bytes:
        about = {"id": ident, "label": label, "status": status, "data": {"output": "SECRET"}, "metadata": {}}
        return data(event="agent_log", **IDS, data=about)

    outcome = await play(
        RUN_STARTED,
        log("1", "ROUND 1", "start"),
        log("2", "gpt-x Thought", "start"),
        log("3", "CALL web_search", "start"),
        log("3", "CALL web_search", "success"),
        log("4", "CALL broken", "error"),
        MESSAGE_END,
    )

    assert told(outcome) == [("Web search", "running"), ("Web search", "done"), ("broken", "failed")]


@pytest.mark.parametrize(
    ("ending", "state"),
    [
        pytest.param([MESSAGE_END], "done", id="the answer completes"),
        pytest.param([run_finished("stopped"), MESSAGE_END], "done", id="the answer is stopped"),
        pytest.param([run_finished("failed", "no")], "failed", id="the run fails"),
        pytest.param([Cut()], "failed", id="the connection breaks"),
    ],
)
async def test_no_step_is_left_running(ending: list[Step], state: str) -> None:
    outcome = await play(RUN_STARTED, node("node_started", "Think"), *ending)

    assert told(outcome) == [("Think", "running"), ("Think", state)]
    if outcome.error is None:
        assert isinstance(outcome.events[-1], AnswerCompleted)


async def test_steps_are_bounded() -> None:
    many = [node("node_started", "x" * 500, f"n-{number}") for number in range(MOST_STEPS + 20)]

    outcome = await play(RUN_STARTED, *many, MESSAGE_END)

    assert len({event.step.id for event in outcome.events if isinstance(event, Progress)}) == MOST_STEPS
    assert {len(title) for title, _ in told(outcome)} == {200}


async def test_a_turned_or_broken_title_is_made_plain() -> None:
    outcome = await play(RUN_STARTED, node("node_started", "A\u202eB\x07C\u2028D  E"), MESSAGE_END)

    assert told(outcome)[0][0] == "AB C D E"
