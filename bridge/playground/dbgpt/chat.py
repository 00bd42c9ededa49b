"""POST /api/v2/chat/completions of the stand-in: what it refuses, and what it streams in each chat mode."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator

from aiohttp import web

from bridge.playground.dbgpt.records import NATIVE_APPS, Asked, DbgptState, Ended, Json, Reply, Round, Trouble
from bridge.playground.dbgpt.spelling import DONE, PAGE, Refused, frame, piece, refuse, refuse_with_detail, whole

_STREAMS = {"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
_PLAIN = ("chat_normal", "chat_knowledge", "chat_data", "chat_with_db_qa", "chat_dashboard")
_PROVIDER = "**LLMServer Generate Error, Please CheckErrorInfo.**: "


class Broken(Exception):
    """The connection is to break here."""


async def ask(state: DbgptState, request: web.Request) -> web.StreamResponse:
    body = await _read_body(request)
    asked = Asked(body=body)
    state.requests.append(asked)
    state.changed()
    try:
        reply = _check(state, body)
        return await _stream(state, request, asked, reply)
    except Refused:
        asked.ended = Ended.REFUSED
        raise
    finally:
        state.changed()


async def _read_body(request: web.Request) -> Json:
    try:
        body = json.loads(await request.text())
    except ValueError as problem:
        raise refuse("E0001", "body.1:JSON decode error;") from problem
    if not isinstance(body, dict):
        raise refuse("E0001", "body:Input should be a valid dictionary or object to extract fields from;")
    missing = [f"body.{key}:Field required;" for key in ("model", "messages") if key not in body]
    if missing:
        raise refuse("E0001", "".join(missing))
    for key in ("model", "conv_uid", "chat_mode", "chat_param", "user_name"):
        if key in body and not isinstance(body[key], str):
            raise refuse("E0001", f"body.{key}:Input should be a valid string;")
    return body


def _check(state: DbgptState, body: Json) -> Reply:
    mode = str(body.get("chat_mode", "chat_normal"))
    param = body.get("chat_param")
    if mode != "chat_normal" and param is None:
        raise refuse_with_detail(400, "invalid_chat_param", "chat param is None")
    if mode == "chat_app" and not body.get("stream", False):
        raise refuse_with_detail(400, "invalid_request_error", "chat app now not support no stream")
    if mode not in (*_PLAIN, "chat_app", "chat_flow"):
        words = "chat mode now only support chat_normal, chat_app, chat_flow, chat_knowledge, chat_data, chat_dashboard"
        raise refuse_with_detail(400, "invalid_chat_mode", words)
    if mode == "chat_knowledge" and param not in state.listings.spaces:
        raise refuse("E0003", f"have not found knowledge space:{param}")
    if mode in ("chat_data", "chat_with_db_qa", "chat_dashboard") and param not in state.listings.datasources:
        raise refuse("E0003", f"Database config not found for: {param}")
    if not body.get("stream", False):
        raise refuse("E0003", "the stand-in only streams")
    reply = state.script(mode, _text_of(body))
    if reply.trouble is Trouble.PAGE:
        raise Refused(web.Response(status=502, text=PAGE, content_type="text/html"))
    if reply.trouble is Trouble.BUSY:
        raise Refused(web.Response(status=429, text=PAGE, content_type="text/html", headers={"Retry-After": "1"}))
    return reply


def _text_of(body: Json) -> str:
    """Of a list of messages the real one answers the first."""
    messages = body["messages"]
    if isinstance(messages, list):
        first = messages[0] if messages and isinstance(messages[0], dict) else {}
        return str(first.get("content"))
    return str(messages)


async def _stream(state: DbgptState, request: web.Request, asked: Asked, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(headers=_STREAMS)
    await response.prepare(request)
    conversation = str(asked.body.get("conv_uid") or uuid.uuid4())
    one = state.begin_round(conversation, _text_of(asked.body))
    mode = asked.body.get("chat_mode", "chat_normal")
    try:
        async for raw in _say(state, asked.body, conversation, one, reply):
            await response.write(raw)
    except Broken:
        asked.ended = Ended.BROKEN
        if request.transport is not None:
            request.transport.abort()
    except (asyncio.CancelledError, ConnectionError):
        asked.ended = Ended.CLIENT_CLOSED
        if mode == "chat_app":
            # Agents write their round down whatever happens; of the others nothing is left.
            state.keep(conversation, Round(order=one.order, human=one.human))
        raise
    else:
        asked.ended = Ended.DONE
    return response


async def _say(state: DbgptState, body: Json, conversation: str, one: Round, reply: Reply) -> AsyncIterator[bytes]:
    mode, model = str(body.get("chat_mode", "chat_normal")), str(body["model"])
    if model and model not in state.listings.models and mode in _PLAIN:
        yield f"data: [SERVER_ERROR]Cound not found worker instances for model name {model} and worker type llm\n\n".encode()
        yield DONE
        return
    if mode == "chat_app":
        async for raw in _say_app(state, body, conversation, one, reply):
            yield raw
        return
    if mode == "chat_flow":
        opening = {"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}
        yield frame({"id": conversation, "model": model, "choices": [opening]})
        if body.get("chat_param") not in state.listings.flows:
            yield frame({"error_code": 1, "text": f"Flow {body.get('chat_param')} not found", "incremental": True})
            yield DONE
            return
    # Its own id, which tells nothing about the conversation.
    ident = conversation if mode == "chat_flow" else f"chatcmpl-{uuid.uuid1()}"
    async for raw in _say_pieces(state, ident, model, reply, incremental=bool(body.get("incremental", True))):
        yield raw
    if reply.trouble in (Trouble.AS_TEXT, Trouble.MODEL_AS_TEXT):
        state.keep(conversation, one)
    elif mode != "chat_flow":
        said = "".join(reply.pieces)
        one.ai = reply.notes if reply.notes is not None else said
        one.view = reply.view if reply.view is not None else said
        state.keep(conversation, one)
    if body.get("incremental", True):
        yield DONE


async def _say_pieces(
    state: DbgptState, ident: str, model: str, reply: Reply, *, incremental: bool
) -> AsyncIterator[bytes]:
    if reply.trouble is Trouble.SILENT:
        await asyncio.Event().wait()
    if reply.reasoning:
        yield piece(ident, model, None, reply.reasoning)
    so_far = ""
    pieces = list(reply.pieces)
    if reply.trouble is Trouble.MODEL_AS_TEXT:
        pieces = [_PROVIDER + reply.words, f"Model server error!code=1, error msg is {_PROVIDER}{reply.words}"]
    for index, text in enumerate(pieces):
        if reply.trouble is Trouble.CUT and index >= reply.at:
            raise Broken
        if reply.trouble is Trouble.SERVER_ERROR and index >= reply.at:
            yield f"data: [SERVER_ERROR]{reply.words}\n\n".encode()
            return
        so_far += text
        yield piece(ident, model, text) if incremental else whole(ident, model, so_far)
        await state.clock.sleep(reply.pause)
    if incremental and reply.trouble is not Trouble.MODEL_AS_TEXT:
        yield piece(ident, model, "")
        yield piece(ident, model, reply.words if reply.trouble is Trouble.AS_TEXT else "")


async def _say_app(state: DbgptState, body: Json, conversation: str, one: Round, reply: Reply) -> AsyncIterator[bytes]:
    code, model = body.get("chat_param"), str(body["model"])
    if code in NATIVE_APPS:
        state.keep(conversation, one)
        yield DONE
        return
    if code not in state.listings.apps:
        raise Broken
    if reply.trouble is Trouble.SILENT:
        await asyncio.Event().wait()
    shown = ""
    for index, snapshot in enumerate(reply.pieces):
        if reply.trouble is Trouble.CUT and index >= reply.at:
            raise Broken
        delta = {"role": "assistant", "content": snapshot}
        # News of how full the context is arrive without content.
        empty = {"role": "assistant", "content": None}
        for one_delta in (delta, empty):
            yield frame(
                {"id": conversation, "created": 1, "model": model, "choices": [{"index": 0, "delta": one_delta}]}
            )
        shown = snapshot
        await state.clock.sleep(reply.pause)
    one.view = reply.view if reply.view is not None else shown
    state.keep(conversation, one)
    yield DONE
