"""What another process asks the stand-in Dify: which requests came, which ratings it has, what is to go wrong next."""

import json
from dataclasses import asdict

from aiohttp import web

from bridge.playground.dify.faults import NAMED
from bridge.playground.dify.records import Recording
from bridge.playground.dify.state import DifyState
from bridge.playground.dify.wire import Json

MODES = ("chat", "agent-chat", "advanced-chat", "completion", "workflow")

RECENT = 50
"""Requests that the page is shown."""


def snapshot(state: DifyState) -> dict[str, object]:
    """For the page: ratings by message, and the latest requests, oldest first."""
    return {
        "mode": state.mode,
        "version": state.dialect.version,
        "ratings": {ident: asdict(rating) for ident, rating in state.ratings.items()},
        "requests": [
            _request(state, index) for index in range(max(0, len(state.requests) - RECENT), len(state.requests))
        ],
        "uploads": [upload.as_shown() for upload in list(state.uploads.values())[-RECENT:]],
        "recordings": [_recording(one) for one in state.recordings[-RECENT:]],
        "names": {one.id: one.name for one in list(state.conversations.values())[-RECENT:]},
        "downloads": state.downloads[-RECENT:],
        "features": state.features.as_shown(),
        "stops": state.stops[-RECENT:],
        "faults": list(NAMED),
    }


async def show_requests(state: DifyState, request: web.Request) -> web.Response:
    return web.json_response(
        [_request(state, index) | {"at": one.at, "body": one.body} for index, one in enumerate(state.requests)]
    )


async def show_questions(state: DifyState, request: web.Request) -> web.Response:
    return web.json_response({query: asdict(asked) for query, asked in state.questions().items()})


async def show_ratings(state: DifyState, request: web.Request) -> web.Response:
    return web.json_response(
        {
            "ratings": {ident: asdict(rating) for ident, rating in state.ratings.items()},
            "log": [asdict(call) for call in state.rating_log],
        }
    )


async def show_uploads(state: DifyState, request: web.Request) -> web.Response:
    return web.json_response([upload.as_shown() for upload in state.uploads.values()])


async def show_recordings(state: DifyState, request: web.Request) -> web.Response:
    return web.json_response([_recording(one) for one in state.recordings])


async def show_names(state: DifyState, request: web.Request) -> web.Response:
    return web.json_response([asdict(call) for call in state.name_log])


async def show_features(state: DifyState, request: web.Request) -> web.Response:
    return web.json_response(state.features.as_shown() | {"mode": state.mode})


async def set_features(state: DifyState, request: web.Request) -> web.Response:
    """Fields of `Features` by name, and `mode`. 400 names what is wrong."""
    try:
        body: object = json.loads(await request.read())
        if not isinstance(body, dict):
            raise ValueError("an object is needed")  # noqa: TRY004, TRY301  # as everything here
        wanted = {name: value for name, value in body.items() if name != "mode"}
        mode = str(body.get("mode", state.mode))
        if mode not in MODES:
            raise ValueError(f"unknown mode {mode!r}; known are {', '.join(MODES)}")  # noqa: TRY301  # as above
        state.features.change(wanted)
        state.mode = mode
    except ValueError as problem:
        return web.json_response({"problem": str(problem)}, status=400)
    state.changed()
    return await show_features(state, request)


async def show_faults(state: DifyState, request: web.Request) -> web.Response:
    faults = state.faults
    return web.json_response(
        {
            "known": list(NAMED),
            "waiting": len(faults.fail_next),
            "always": faults.always is not None,
            "refuse_feedback": faults.refuse_feedback,
            "refuse_stop": faults.refuse_stop,
            "strict_history": faults.strict_history,
            "max_connections": state.max_connections,
            "first_token": state.first_token,
            "per_token": state.per_token,
        }
    )


async def set_faults(state: DifyState, request: web.Request) -> web.Response:
    """`{"next": [names], "always": name or null, "clear": true, ...}`; every field is optional. 400 names what is wrong."""
    try:
        body: object = json.loads(await request.read())
        apply_faults(state, body if isinstance(body, dict) else {"next": [body]})
    except ValueError as problem:
        return web.json_response({"problem": str(problem)}, status=400)
    state.changed()
    return await show_faults(state, request)


def apply_faults(state: DifyState, body: Json) -> None:
    """Raises `ValueError` before anything was changed."""
    following = body.get("next", [])
    names = [str(name) for name in following] if isinstance(following, list) else []
    always = body.get("always")
    for name in [*names, *([str(always)] if always is not None else [])]:
        if name not in NAMED:
            raise ValueError(f"unknown fault {name!r}; known are {', '.join(NAMED)}")
    numbers: dict[str, float] = {}
    for key in ("refuse_feedback", "refuse_stop", "max_connections", "first_token", "per_token"):
        value = body.get(key)
        if value is None:
            continue
        if not isinstance(value, int | float) or value < 0:
            raise ValueError(f"{key} must be a number from 0")
        numbers[key] = float(value)
    strict = body.get("strict_history", state.faults.strict_history)
    if not isinstance(strict, bool):
        raise ValueError("strict_history must be true or false")  # noqa: TRY004  # as everything here
    if body.get("clear"):
        state.faults.clear()
        strict = bool(body.get("strict_history", False))
    if body.get("forget_conversations"):
        state.conversations.clear()
    state.faults.strict_history = strict
    state.faults.fail_next += [NAMED[name]() for name in names]
    if "always" in body:
        state.faults.always = NAMED[str(always)]() if always is not None else None
    state.faults.refuse_feedback = int(numbers.get("refuse_feedback", state.faults.refuse_feedback))
    state.faults.refuse_stop = int(numbers.get("refuse_stop", state.faults.refuse_stop))
    state.max_connections = int(numbers.get("max_connections", state.max_connections))
    state.first_token = numbers.get("first_token", state.first_token)
    state.per_token = numbers.get("per_token", state.per_token)


def _recording(one: Recording) -> Json:
    return {
        "user": one.user,
        "name": one.name,
        "media_type": one.media_type,
        "size": len(one.content),
        "text": one.text,
    }


def _request(state: DifyState, index: int) -> Json:
    one = state.requests[index]
    return {
        "number": index + 1,
        "user": one.user,
        "query": one.query,
        "conversation_id": one.conversation_id,
        "task_id": one.task_id,
        "message_id": one.message_id,
        "ended": one.ended.value,
        "files": [file.name for file, _ in one.stored.given] if one.stored is not None else [],
    }
