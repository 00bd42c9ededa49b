"""What the stand-in Dify is asked about runs that wait for people: a form, an answer to it, the stream of a run that goes on."""

from aiohttp import web

from bridge.playground.dify.chat import read_body, read_user
from bridge.playground.dify.people import FOREVER, AskedForm, Standing, WaitingRun
from bridge.playground.dify.state import DifyState
from bridge.playground.dify.wire import EventStream, Json, not_found_page

MODES = ("advanced-chat", "workflow")


async def show_form(state: DifyState, request: web.Request) -> web.Response:
    if not state.features.asks_people:
        return not_found_page()
    asked = _active(state, _find(state, request).form)
    told = asked.as_told()
    return state.dialect.reply(
        {
            "form_content": told["form_content"],
            "inputs": told["inputs"],
            "resolved_default_values": {},
            "user_actions": told["actions"],
            "expiration_time": asked.expires,
        }
    )


async def submit_form(state: DifyState, request: web.Request) -> web.Response:
    """Whoever comes first, whatever its `user`."""
    if not state.features.asks_people:
        return not_found_page()
    body = await read_body(state, request)
    user = read_user(state, body)
    inputs, action = body.get("inputs"), body.get("action")
    if not isinstance(inputs, dict) or not isinstance(action, str):
        raise state.dialect.refuse_param("2 validation errors for HumanInputFormSubmitPayload")
    run = _find(state, request)
    asked = _active(state, run.form)
    if action not in dict(asked.form.actions):
        raise state.dialect.refuse(400, "invalid_form_data", f"Invalid action: {action}")
    missing = [one["output_variable_name"] for one in asked.form.inputs if one["output_variable_name"] not in inputs]
    if missing:
        raise state.dialect.refuse(400, "invalid_form_data", f"Missing required inputs: {missing}")
    run.submit(action, {str(name): str(value) for name, value in inputs.items()}, user)
    state.changed()
    return state.dialect.reply({})


async def events(state: DifyState, request: web.Request) -> web.StreamResponse:
    """The stream of a run, for the user who began it. A finished one is told in one event."""
    if not state.features.asks_people:
        return not_found_page()
    if state.mode not in MODES:
        words = "Please check if your app mode matches the right API route."
        raise state.dialect.refuse(400, "not_workflow_app", words)
    user = read_user(state, request.query)
    run = state.waiting_runs.get(request.match_info["run_id"])
    if run is None or run.run.user != user:
        raise state.dialect.refuse(404, "not_found", "Workflow run not found")
    out = EventStream(request, state.dialect, state.clock, state.ping_every)
    if run.run.status not in ("running", "paused"):
        await out.send(run.finished())
        return out.response
    await out.send_ping()
    stays = _flag(request, "continue_on_pause")
    with run.listening() as listener:
        told = run.snapshot() if _flag(request, "include_state_snapshot") else []
        for event in told:
            await out.send(event)
            if _is_last(event, stays=stays):
                return out.response
        while True:
            heard = listener.take()
            if heard is None:
                await out.pause_until(FOREVER, listener.news)
                continue
            await out.send(heard)
            if _is_last(heard, stays=stays):
                return out.response


def _is_last(event: Json, *, stays: bool) -> bool:
    return event["event"] == "workflow_finished" or (event["event"] == "workflow_paused" and not stays)


def _find(state: DifyState, request: web.Request) -> WaitingRun:
    token = request.match_info["token"]
    found = next((run for run in state.waiting_runs.values() for one in run.asked if one.token == token), None)
    if found is None or found.form.form.by_mail:
        raise state.dialect.refuse(404, "not_found", "Form not found")
    if found.form.token != token:
        raise state.dialect.refuse(412, "human_input_form_submitted", "This form has already been submitted")
    return found


def _active(state: DifyState, asked: AskedForm) -> AskedForm:
    if asked.standing is Standing.SUBMITTED:
        words = f"This form has already been submitted by another user, form_id={asked.id}"
        raise state.dialect.refuse(412, "human_input_form_submitted", words)
    if asked.standing is Standing.TIMEOUT or asked.expires <= state.clock.now().timestamp():
        raise state.dialect.refuse(412, "human_input_form_expired", f"This form has expired, form_id={asked.id}")
    return asked


def _flag(request: web.Request, name: str) -> bool:
    return request.query.get(name, "false").lower() == "true"
