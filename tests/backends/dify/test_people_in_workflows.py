"""Workflow apps that wait for people: the same as chatflows, with outputs for an answer."""

import asyncio

from bridge.backend_api import InputRequired, TextReplaced
from bridge.messages import BackendIds, BackendRunId
from tests.backends.dify.asking import Outcome, ask, hear, make_backend
from tests.backends.dify.scripted import ScriptedServer, data
from tests.backends.dify.test_workflows import FORM, RUN, STARTED, chunk, finished

ASKED_FOR = data(
    event="human_input_required",
    **RUN,
    data={
        "form_id": "f-1",
        "node_id": "n-1",
        "node_title": "Review",
        "form_content": "Is this right?",
        "inputs": [],
        "actions": [{"id": "approve", "title": "Approve", "button_style": "primary"}],
        "form_token": "token-1",
        "resolved_default_values": {},
        "expiration_time": 4_000_000_000,
    },
)
PAUSED = data(event="workflow_paused", **RUN, data={"reasons": [{"TYPE": "human_input_required", "form_id": "f-1"}]})


async def test_a_run_that_waits_shows_its_form() -> None:
    async with ScriptedServer([STARTED, chunk("A draft."), ASKED_FOR, PAUSED]) as server:
        server.others["/v1/parameters"] = (200, FORM)
        backend = make_backend(server.base_url, dify_app_type="workflow")
        async with asyncio.timeout(5):
            outcome = await hear(backend.answer(ask()))
        await backend.close()

    last = outcome.events[-1]
    assert isinstance(last, InputRequired)
    assert [action.title for action in last.requests[0].actions] == ["Approve"]
    assert outcome.text == "A draft."


async def test_the_run_goes_on_to_its_outputs() -> None:
    ids = BackendIds(run=BackendRunId("r-1"))
    steps = [STARTED, chunk(" And the rest."), finished({"result": "A draft. And the rest."})]
    async with ScriptedServer(steps, streams="/v1/workflow/r-1/events") as server:
        server.others["/v1/workflows/run/r-1"] = (200, {"id": "r-1", "status": "running"})
        backend = make_backend(server.base_url, dify_app_type="workflow", look_again=0.01)
        async with asyncio.timeout(5):
            outcome = await hear(backend.resume(ask(), ids, "A draft.", ["f-1"]))
        await backend.close()

    assert outcome.ending == "completed"
    assert whole("A draft.", outcome) == "A draft. And the rest."


def whole(said: str, outcome: Outcome) -> str:
    """What a member reads in the end."""
    replaced = any(isinstance(event, TextReplaced) for event in outcome.events)
    return outcome.text if replaced else said + outcome.text
