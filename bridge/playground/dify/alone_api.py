"""Asking of apps that hold no conversation at the stand-in Dify: completions and workflow runs."""

from collections.abc import Callable

from aiohttp import web

from bridge.playground.dify.chat import check_inputs, read_body, read_user, relays, stop_task, take
from bridge.playground.dify.state import DifyState
from bridge.playground.dify.wire import Json, Refused


def check_completion(state: DifyState) -> None:
    # Dify has a code for it, and does not use it here (measured).
    if state.mode != "completion":
        raise state.dialect.refuse(400, "app_unavailable", "App unavailable, please check your app configurations.")


def check_workflow(state: DifyState) -> None:
    if state.mode != "workflow":
        raise state.dialect.refuse(
            400, "not_workflow_app", "Please check if your app mode matches the right API route."
        )


async def complete(state: DifyState, request: web.Request) -> web.StreamResponse:
    return await _take(state, request, check_completion)


async def stop_completion(state: DifyState, request: web.Request) -> web.Response:
    return await _stop(state, request, check_completion)


async def run_workflow(state: DifyState, request: web.Request) -> web.StreamResponse:
    return await _take(state, request, check_workflow)


async def stop_workflow(state: DifyState, request: web.Request) -> web.Response:
    return await _stop(state, request, check_workflow)


async def _take(state: DifyState, request: web.Request, check: Callable[[DifyState], None]) -> web.StreamResponse:
    body = await read_body(state, request)
    inputs = body.get("inputs")
    asked = inputs.get(state.takes_question) if isinstance(inputs, dict) else None

    def validate(state: DifyState, body: Json) -> bool:
        check(state)
        return _validate(state, body)

    return await take(state, request, body, str(asked or body.get("query") or ""), validate)


async def _stop(state: DifyState, request: web.Request, check: Callable[[DifyState], None]) -> web.Response:
    body = await read_body(state, request)
    user = read_user(state, body)
    check(state)
    return stop_task(state, request, user)


def _validate(state: DifyState, body: Json) -> bool:
    dialect = state.dialect
    inputs = body.get("inputs")
    if not isinstance(inputs, dict):
        if dialect.is_old:
            words = "Missing required parameter in the JSON body"
            raise Refused(dialect.reply({"code": "invalid_param", "message": words, "params": "inputs"}, 400))
        raise dialect.refuse_param("1 validation error\ninputs\n  Field required [type=missing]")
    if not isinstance(body.get("query", ""), str):
        raise dialect.refuse_param("1 validation error\nquery\n  Input should be a valid string [type=string_type]")
    read_user(state, body)
    mode = body.get("response_mode", "blocking")
    if mode not in ("streaming", "blocking"):
        raise dialect.refuse_param(f"{mode} is not a valid choice")
    relayed = relays(state, mode)
    name = state.takes_question
    check_inputs(state, inputs, [*([name] if name else []), *state.required_inputs], relayed=relayed)
    if name:
        asked = inputs[name]
        if not isinstance(asked, str):
            raise dialect.refuse_param(f"{name} in input form must be a string").in_stream(relayed=relayed)
        most = state.features.longest_question
        if len(asked) > most:
            words = f"{name} in input form must be less than {most} characters"
            raise dialect.refuse_param(words).in_stream(relayed=relayed)
    return mode == "streaming"
