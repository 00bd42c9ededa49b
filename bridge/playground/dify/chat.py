"""POST /chat-messages and its stop call at the stand-in Dify: what is refused, and what an accepted question sets going."""

import asyncio
import json
import math
import uuid
from collections.abc import Callable, Mapping, Sequence

from aiohttp import web

from bridge.playground.dify.faults import Fault, HttpFault, StreamFault, Trouble, error_event
from bridge.playground.dify.files_api import read_given, read_inputs
from bridge.playground.dify.inputs import find_problem
from bridge.playground.dify.kept_files import resources
from bridge.playground.dify.people import Speed
from bridge.playground.dify.records import ChatRequest, Conversation, Ended, StopCall, StoredMessage
from bridge.playground.dify.run import ChatRun, Timing
from bridge.playground.dify.script import Reply
from bridge.playground.dify.spending import usage_of
from bridge.playground.dify.state import DifyState
from bridge.playground.dify.wire import EventStream, Json, Refused
from bridge.playground.dify.workflow_run import WorkflowRun, whole_run

Validate = Callable[[DifyState, Json], bool]
"""Refuses what the real one refuses. True when a stream was asked for."""

CHAT_MODES = ("chat", "agent-chat", "advanced-chat")
# Measured: 255 characters are accepted, 256 are a 500.
MAX_USER = 255


async def read_body(state: DifyState, request: web.Request) -> Json:
    """The JSON body. Raises `Refused` as flask does."""
    if request.content_type != "application/json":
        raise state.dialect.refuse(
            415,
            "unsupported_media_type",
            "Did not attempt to load JSON data because the request Content-Type was not 'application/json'.",
        )
    try:
        body: object = json.loads(await request.read())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise state.dialect.refuse(
            400, "bad_request", "The browser (or proxy) sent a request that this server could not understand."
        )
    return body


def read_user(state: DifyState, fields: Mapping[str, object]) -> str:
    user = fields.get("user")
    if user is None or user == "":
        raise state.dialect.refuse_param("Arg user must be provided.")
    if len(str(user)) > MAX_USER:
        raise state.dialect.refuse(500, "internal_server_error", "Internal Server Error")
    return str(user)


async def ask(state: DifyState, request: web.Request) -> web.StreamResponse:
    """Records the question, whatever becomes of it, and answers it."""
    body = await read_body(state, request)
    return await take(state, request, body, str(body.get("query") or ""), _validate)


async def take(
    state: DifyState, request: web.Request, body: Json, query: str, validate: Validate
) -> web.StreamResponse:
    """The same for a question to any kind of app."""
    record = ChatRequest(
        at=state.clock.monotonic(),
        user=str(body.get("user") or ""),
        query=query,
        conversation_id=str(body.get("conversation_id") or "").strip(),
        body=body,
    )
    state.requests.append(record)
    state.changed()
    try:
        return await _answer(state, request, record, validate)
    except Refused as refused:
        record.ended = Ended.REFUSED
        if not refused.relayed:
            raise
        return await _refuse_in_stream(state, request, refused)
    except (asyncio.CancelledError, ConnectionError):
        if record.ended is Ended.RUNNING:
            record.ended = Ended.CUT if state.stopping else Ended.CLIENT_CLOSED
            if (running := state.running.get(record.task_id)) is not None:
                running.run.leave(server_dies=state.stopping)
        raise
    finally:
        state.end_run(record)
        state.changed()


async def stop(state: DifyState, request: web.Request) -> web.Response:
    """Always a success; it has an effect for the one who asked only (chatflows do not check who)."""
    body = await read_body(state, request)
    user = read_user(state, body)
    check_mode(state)
    return stop_task(state, request, user)


def stop_task(state: DifyState, request: web.Request, user: str) -> web.Response:
    if state.faults.refuse_stop > 0:
        state.faults.refuse_stop -= 1
        return web.Response(status=503, text="stop is refused", content_type="text/html")
    task = request.match_info["task_id"]
    state.stops.append(task)
    state.stop_log.append(StopCall(task_id=task, user=user, worked=_stop_run(state, task, user)))
    state.changed()
    return state.dialect.reply({"result": "success"})


def _stop_run(state: DifyState, task: str, user: str) -> bool:
    """True when this ended a run. What a run has said that nobody listens to is lost all the same (measured)."""
    record = state.by_task.get(task)
    if record is None:
        return False
    record.stop_calls += 1
    if state.mode not in ("advanced-chat", "workflow") and record.user != user:
        return False
    running, unheard = state.running.get(task), state.unheard.get(task)
    resumed = next((one for one in state.waiting_runs.values() if one.task_id == task), None)
    if running is not None:
        running.run.stop.set()
    elif resumed is not None:
        # Nobody listens for it while a run is paused (from the source).
        if not resumed.is_running:
            return False
        resumed.stop.set()
    elif unheard is not None and unheard.is_running(state.clock.monotonic()):
        unheard.stopped = True
    else:
        return False
    record.stopped = True
    return True


async def _answer(
    state: DifyState, request: web.Request, record: ChatRequest, validate: Validate
) -> web.StreamResponse:
    fault = state.faults.take()
    if isinstance(fault, HttpFault):
        return _refusal(state, record, fault)
    streaming = validate(state, record.body)
    conversation = _find_conversation(state, record)
    given = (*read_given(state, record.body, record.user), *read_inputs(state, record.body, record.user))
    reply = state.reply_to(record.query, [message.query for message in conversation.messages], given)
    broken: Fault | None = fault or reply.fault
    if isinstance(broken, HttpFault):
        return _refusal(state, record, broken)
    if isinstance(broken, StreamFault) and broken.kind is Trouble.DROPPED:
        record.ended = Ended.CUT
        if request.transport is not None:
            request.transport.close()
        return web.Response()
    if state.faults.strict_history and any(not message.answer for message in conversation.messages):
        broken = error_event(at=0)
    message = StoredMessage(id=str(uuid.uuid4()), query=record.query, created_at=state.wall_seconds(), given=given)
    conversation.messages.append(message)
    if conversation.id not in state.conversations and record.body.get("auto_generate_name", True) is True:
        conversation.name = state.title_of(conversation)
    if state.mode != "workflow":
        state.conversations[conversation.id] = conversation
    record.message_id, record.task_id = message.id, str(uuid.uuid4())
    record.stored, record.home = message, conversation.id
    if not streaming:
        return await _answer_whole(state, record, conversation, message, reply)
    kind = WorkflowRun if state.mode == "workflow" else ChatRun
    run = kind(
        mode=state.mode,
        dialect=state.dialect,
        record=record,
        conversation_id=conversation.id,
        message=message,
        reply=reply,
        timing=_timing(state, reply),
        fault=broken,
        text_event=_name_of_text(state, message, reply),
        address_of=state.address_of,
        cites=state.features.cites,
        pauses=state.features.asks_people,
        speed=lambda reply: Speed(
            first_token=_timing(state, reply).first_token, per_token=_timing(state, reply).per_token
        ),
        changed=state.changed,
        clock=state.clock,
        began=state.clock.monotonic(),
    )
    state.start_run(record, run)
    state.changed()
    out = EventStream(request, state.dialect, state.clock, state.ping_every)
    await run.stream(out)
    state.changed()
    return out.response


async def _answer_whole(
    state: DifyState, record: ChatRequest, conversation: Conversation, message: StoredMessage, reply: Reply
) -> web.Response:
    timing = _timing(state, reply)
    await state.clock.sleep(timing.first_token + timing.per_token * len(reply.tokens))
    message.answer = "".join(reply.tokens) if reply.replaced_by is None else reply.replaced_by
    message.sources = reply.sources if state.features.cites else ()
    message.suggestions = reply.suggestions
    record.ended = Ended.FINISHED
    if state.mode == "workflow":
        return state.dialect.reply(whole_run(record, reply))
    told: Json = {
        "event": "message",
        "task_id": record.task_id,
        "id": message.id,
        "message_id": message.id,
        "mode": state.mode,
        "answer": message.answer,
        "metadata": {
            "annotation_reply": None,
            "retriever_resources": resources(message.sources),
            "usage": usage_of(len(reply.tokens)),
        },
        "created_at": message.created_at,
    }
    return state.dialect.reply(told if state.mode == "completion" else told | {"conversation_id": conversation.id})


async def _refuse_in_stream(state: DifyState, request: web.Request, refused: Refused) -> web.StreamResponse:
    """As versions that relay: a bare error, and then nothing but pings, for minutes."""
    out = EventStream(request, state.dialect, state.clock, state.ping_every)
    await out.send({"event": "error", "message": refused.words, "status": 500})
    await out.pause_until(math.inf, asyncio.Event())
    return out.response


def _name_of_text(state: DifyState, message: StoredMessage, reply: Reply) -> str:
    """Since 1.11.2 a file that belongs to a message makes a chat app send its text under another name."""
    with_file = bool(message.given or reply.files) and state.mode in ("chat", "completion")
    return "message_file" if with_file and not state.dialect.is_old else "message"


def _timing(state: DifyState, reply: Reply) -> Timing:
    return Timing(
        first_token=state.first_token if reply.first_token is None else reply.first_token,
        per_token=state.per_token * reply.pace if reply.per_token is None else reply.per_token,
    )


def _refusal(state: DifyState, record: ChatRequest, fault: HttpFault) -> web.Response:
    record.ended = Ended.REFUSED
    if fault.html:
        response = web.Response(text=fault.html, status=fault.status, content_type="text/html")
    else:
        response = state.dialect.refuse(fault.status, fault.code, fault.message).response
    response.headers.update(fault.headers)
    return response


def check_mode(state: DifyState) -> None:
    if state.mode not in CHAT_MODES:
        raise state.dialect.refuse(400, "not_chat_app", "Please check if your app mode matches the right API route.")


def _validate(state: DifyState, body: Json) -> bool:
    """Refuses what the real one refuses. True when a stream was asked for."""
    dialect = state.dialect
    for field, kind in (("inputs", dict), ("query", str)):
        if not isinstance(body.get(field), kind):
            if dialect.is_old:
                text = {
                    "code": "invalid_param",
                    "message": "Missing required parameter in the JSON body",
                    "params": field,
                }
                raise Refused(dialect.reply(text, 400))
            raise dialect.refuse_param(
                f"1 validation error for ChatRequestPayload\n{field}\n  Field required [type=missing]"
            )
    read_user(state, body)
    check_mode(state)
    mode = body.get("response_mode", "blocking")
    if mode not in ("streaming", "blocking"):
        raise dialect.refuse_param(f"{mode} is not a valid choice")
    if not body["query"]:
        raise dialect.refuse_param("query is required")
    if mode == "blocking" and state.mode == "agent-chat":
        raise dialect.refuse_param("Agent Chat App does not support blocking mode")
    check_inputs(state, body["inputs"], state.required_inputs, relayed=relays(state, mode))
    return mode == "streaming"


def relays(state: DifyState, response_mode: object) -> bool:
    """What is wrong with such a question is only found out where it runs."""
    return state.dialect.relays and state.mode in ("advanced-chat", "workflow") and response_mode == "streaming"


def check_inputs(state: DifyState, inputs: object, required: Sequence[str], *, relayed: bool) -> None:
    for name in required:
        if not isinstance(inputs, dict) or inputs.get(name) is None:
            raise state.dialect.refuse_param(f"{name} is required in input form").in_stream(relayed=relayed)
    if (problem := find_problem(state.form, inputs)) is not None:
        raise state.dialect.refuse_param(problem).in_stream(relayed=relayed)


def _find_conversation(state: DifyState, record: ChatRequest) -> Conversation:
    """The conversation to continue, or a new one that is not yet kept."""
    ident = record.conversation_id
    if not ident:
        return Conversation(id=str(uuid.uuid4()), user=record.user, created_at=state.wall_seconds())
    if not is_uuid(ident):
        raise state.dialect.refuse_param(f"{ident} is not a valid uuid.")
    conversation = state.conversations.get(ident)
    if conversation is None or conversation.user != record.user:
        refused = state.dialect.refuse(404, "not_found", "Conversation Not Exists.")
        # Where it is found out elsewhere, not a word of why comes back.
        raise refused.in_stream(relayed=relays(state, record.body.get("response_mode")), words="")
    return conversation


def is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
