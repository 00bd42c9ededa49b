"""What the stand-in Dify tells about the past: messages, conversations, and how a chatflow's run stands."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from aiohttp import web

from bridge.playground.dify.chat import check_mode, is_uuid, read_body, read_user
from bridge.playground.dify.kept_files import history_file, resources
from bridge.playground.dify.records import Conversation, DeleteCall, NameCall, StoredMessage, StoredRun
from bridge.playground.dify.state import DifyState
from bridge.playground.dify.wire import Json, not_found_page

_NO_PARENT = "00000000-0000-0000-0000-000000000000"
_SORTS = ("created_at", "-created_at", "updated_at", "-updated_at")


async def messages(state: DifyState, request: web.Request) -> web.Response:
    """The newest page, oldest first. Rows of one second come in any order: here by id, which is as good as none."""
    check_mode(state)
    user = request.query.get("user", "DEFAULT-USER")
    ident = request.query.get("conversation_id", "")
    if not is_uuid(ident):
        raise state.dialect.refuse_param(f"{ident} is not a valid uuid.")
    conversation = state.conversations.get(ident)
    if conversation is None or conversation.user != user:
        raise state.dialect.refuse(404, "not_found", "Conversation Not Exists.")
    limit = _limit(state, request)
    rows = sorted(conversation.messages, key=lambda message: (message.created_at, message.id))
    if first := request.query.get("first_id"):
        before = next((row for row in rows if row.id == first), None)
        if before is None:
            raise state.dialect.refuse(404, "not_found", "First Message Not Exists.")
        # The real one goes by the second too, and so may skip one.
        rows = [row for row in rows if row.created_at < before.created_at]
    data = [_message(state, ident, message) for message in rows[-limit:]]
    return state.dialect.reply({"limit": limit, "has_more": len(rows) > limit, "data": data})


async def conversations(state: DifyState, request: web.Request) -> web.Response:
    check_mode(state)
    user = request.query.get("user", "DEFAULT-USER")
    sort = request.query.get("sort_by", "-updated_at")
    if sort not in _SORTS:
        raise state.dialect.refuse_param(f"{sort} is not a valid choice")
    limit = _limit(state, request)
    mine = [conversation for conversation in state.conversations.values() if conversation.user == user]
    by_update = sort.endswith("updated_at")
    mine.sort(key=lambda one: (_updated_at(one) if by_update else one.created_at, one.id), reverse=sort[0] == "-")
    data = [_conversation(one) for one in mine[:limit]]
    return state.dialect.reply({"limit": limit, "has_more": len(mine) > limit, "data": data})


async def rename(state: DifyState, request: web.Request) -> web.Response:
    """A title that somebody gives, or one that the model thinks of. What the model is shown is the first question alone."""
    ident = request.match_info["conversation_id"]
    if not is_uuid(ident):
        return not_found_page()
    body = await read_body(state, request)
    user = read_user(state, body)
    check_mode(state)
    name, auto = body.get("name"), body.get("auto_generate", False)
    if not isinstance(auto, bool) or not (name is None or isinstance(name, str)):
        raise state.dialect.refuse_param("1 validation error for ConversationRenamePayload")
    if not auto and not (name or "").strip():
        if state.dialect.is_old:
            return state.dialect.reply({"message": "Internal Server Error", "code": "unknown"}, 500)
        words = "Value error, name is required when auto_generate is false [type=value_error]"
        raise state.dialect.refuse_param(f"1 validation error for ConversationRenamePayload\n  {words}")
    conversation = state.conversations.get(ident)
    if conversation is None or conversation.user != user:
        raise state.dialect.refuse(404, "not_found", "Conversation Not Exists.")
    if auto:
        await state.clock.sleep(state.features.name_seconds)
        conversation.name = state.title_of(conversation)
    else:
        conversation.name = name or ""
    state.name_log.append(NameCall(conversation_id=ident, user=user, name=conversation.name, thought_of=auto))
    state.changed()
    return state.dialect.reply(_conversation(conversation))


async def delete(state: DifyState, request: web.Request) -> web.Response:
    """1.8 to 1.13 ask neither whose it is nor whether it is there (both seen with 1.12.1); 0.15 does."""
    ident = request.match_info["conversation_id"]
    if not is_uuid(ident):
        return not_found_page()
    if state.faults.refuse_deletions > 0:
        state.faults.refuse_deletions -= 1
        return web.Response(status=503, text="deletions are refused", content_type="text/html")
    user = read_user(state, await read_body(state, request))
    check_mode(state)
    conversation = state.conversations.get(ident)
    if state.dialect.is_old and (conversation is None or conversation.user != user):
        raise state.dialect.refuse(404, "not_found", "Conversation Not Exists.")
    state.conversations.pop(ident, None)
    state.delete_log.append(DeleteCall(conversation_id=ident, user=user))
    state.changed()
    return state.dialect.reply({"result": "success"}) if state.dialect.is_old else web.Response(status=204)


async def run_detail(state: DifyState, request: web.Request) -> web.Response:
    """Old versions refuse it for everything but workflow apps; new ones tell nothing but nulls about an unknown run."""
    allowed = ("workflow",) if state.dialect.is_old else ("workflow", "advanced-chat")
    if state.mode not in allowed:
        raise state.dialect.refuse(
            400, "not_workflow_app", "Please check if your app mode matches the right API route."
        )
    run = state.runs.get(request.match_info["run_id"])
    if run is None:
        fields = ("id", "workflow_id", "status", "inputs", "outputs", "error", "created_at", "finished_at")
        return state.dialect.reply(dict.fromkeys(fields))
    status, answer, error = _standing(run, state.clock.monotonic())
    if state.dialect.is_old and run.unheard is not None:
        # Whoever keeps the run's record is gone with its listener (measured).
        status, answer, error = "running", "", ""
    # Both are strings of JSON (measured on both versions), not objects as the documentation has it.
    outputs = json.dumps(_outputs(state, run, status, answer))
    return state.dialect.reply(
        {
            "id": run.id,
            "workflow_id": _NO_PARENT,
            "status": status,
            "inputs": json.dumps({"sys.query": run.query, "sys.user_id": run.user, "sys.workflow_run_id": run.id}),
            "outputs": outputs,
            "error": error or None,
            "total_steps": 0 if status == "running" else 3,
            "total_tokens": 0,
            "created_at": _moment(state, run.created_at),
            "finished_at": None if status in ("running", "paused") else _moment(state, state.wall_seconds()),
            "elapsed_time": 0.0,
        }
    )


def _conversation(one: Conversation) -> Json:
    return {
        "id": one.id,
        "name": one.name,
        "inputs": {},
        "status": "normal",
        "introduction": "",
        "created_at": one.created_at,
        "updated_at": _updated_at(one),
    }


def _moment(state: DifyState, seconds: int) -> int | str:
    """Old versions write out the moments of a run (recorded)."""
    return (
        datetime.fromtimestamp(seconds, UTC).strftime("%a, %d %b %Y %H:%M:%S -0000")
        if state.dialect.is_old
        else seconds
    )


def _outputs(state: DifyState, run: StoredRun, status: str, answer: str) -> Json:
    if state.mode == "workflow":
        if run.unheard is None:
            return run.outputs or {}
        return (run.outputs_unheard or {"result": answer}) if status == "succeeded" else {}
    return {"answer": answer, "files": []} if status in ("succeeded", "partial-succeeded") or answer else {}


def _standing(run: StoredRun, now: float) -> tuple[str, str, str]:
    """Status, answer and error, also of a run that went on alone."""
    alone = run.unheard
    if alone is None:
        return run.status, run.answer, run.error
    if alone.stopped:
        return "stopped", "", "Stopped by user."
    if alone.is_running(now):
        return "running", "", ""
    return ("failed", "", alone.error) if alone.error else ("succeeded", alone.text, "")


def _message(state: DifyState, conversation_id: str, message: StoredMessage) -> Json:
    rating = state.ratings.get(message.id)
    return {
        "id": message.id,
        "conversation_id": conversation_id,
        "parent_message_id": _NO_PARENT,
        "inputs": {},
        "query": message.query,
        "answer": _kept(state, message),
        "feedback": {"rating": rating.rating} if rating else None,
        "retriever_resources": resources(message.sources),
        "created_at": message.created_at,
        "agent_thoughts": _thoughts(state, message) if state.mode == "agent-chat" else [],
        "message_files": [
            *(history_file(file, kind, state.address_of(file.path)) for file, kind in message.given),
            *(history_file(file, file.kind, state.address_of(file.path)) for file in message.made),
        ],
        "status": message.status,
        "error": message.error or None,
    }


def _kept(state: DifyState, message: StoredMessage) -> str:
    """An answer that nobody heard to its end is kept where it was made elsewhere (from the source of the relays)."""
    alone = message.unheard
    relayed = state.dialect.relays and state.mode == "advanced-chat"
    if relayed and alone is not None and alone.has_succeeded(state.clock.monotonic()):
        return alone.text
    return message.answer


def _thoughts(state: DifyState, message: StoredMessage) -> Sequence[Json]:
    """An agent's steps. The last one is written down at its end even when nobody listens any more (measured on both)."""
    alone = message.unheard
    done_alone = alone is not None and alone.has_succeeded(state.clock.monotonic())
    step = alone.text if alone is not None and done_alone else message.step
    told = [("", message.tool), (step, "")] if message.tool else [(step, "")]
    return [
        {
            "id": f"{message.id}-{position}",
            "chain_id": None,
            "message_id": message.id,
            "position": position,
            "thought": thought,
            "tool": tool,
            "tool_labels": {},
            "tool_input": "",
            "created_at": message.created_at,
            "observation": "",
            "files": [],
        }
        for position, (thought, tool) in enumerate(told, 1)
    ]


def _updated_at(conversation: Conversation) -> int:
    return max((message.created_at for message in conversation.messages), default=conversation.created_at)


def _limit(state: DifyState, request: web.Request) -> int:
    text = request.query.get("limit", "20")
    if not text.isdigit() or not 1 <= int(text) <= 100:
        raise state.dialect.refuse_param("limit must be from 1 to 100")
    return int(text)
