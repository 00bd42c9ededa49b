"""The stand-in's history and feedback. No call of these looks at a key, as with the real one."""

from aiohttp import web

from bridge.playground.dbgpt.records import DbgptState, Feedback, Json, Round
from bridge.playground.dbgpt.spelling import fail, refuse, succeed


async def history(state: DbgptState, request: web.Request) -> web.StreamResponse:
    conversation = _query(request, "con_uid")
    messages = [
        {
            "role": role,
            "context": text,
            "order": one.order,
            "time_stamp": None,
            "model_name": "fake",
            "feedback": _latest_feedback(state, conversation, one),
        }
        for one in state.conversations.get(conversation, [])
        for role, text in (("human", one.human), ("ai", one.ai), ("view", one.view))
        if text is not None
    ]
    return succeed(messages)


async def list_conversations(state: DbgptState, request: web.Request) -> web.StreamResponse:
    """Everybody's, whatever name is sent: the real one files them under a name of its own."""
    page, size = int(request.query.get("page", "1")), int(request.query.get("page_size", "10"))
    latest = list(reversed(state.conversations.items()))[(page - 1) * size : page * size]
    return succeed(
        [
            {
                "conv_uid": name,
                "user_input": rounds[-1].human if rounds else "",
                "chat_mode": "chat_normal",
                "app_code": None,
                "select_param": "",
                "model_name": "fake",
                "user_name": None,
                "sys_code": None,
            }
            for name, rounds in latest
        ]
    )


async def delete(state: DbgptState, request: web.Request) -> web.StreamResponse:
    state.conversations.pop(_query(request, "con_uid"), None)
    state.changed()
    return succeed(None)


async def list_feedback(state: DbgptState, request: web.Request) -> web.StreamResponse:
    wanted = request.query.get("conv_uid")
    return succeed([_tell(one) for one in state.feedback if wanted in (None, one.conv_uid)])


async def update_feedback(state: DbgptState, request: web.Request) -> web.StreamResponse:
    """Adds or replaces what one person thinks of one round; refuses to be told the same again."""
    body = await _body(request)
    given = Feedback(
        conv_uid=str(body.get("conv_uid")),
        message_id=str(body.get("message_id")),
        user_code=_text(body, "user_code"),
        feedback_type=_text(body, "feedback_type"),
        remark=_text(body, "remark"),
        user_name=_text(body, "user_name"),
    )
    key = (given.conv_uid, given.message_id, given.user_code)
    had = next((one for one in state.feedback if (one.conv_uid, one.message_id, one.user_code) == key), None)
    if had is not None:
        if had.feedback_type == given.feedback_type:
            return fail("E000X", "update question error: Please do not repeat feedback", status=200)
        state.feedback.remove(had)
    state.feedback.append(given)
    state.changed()
    return succeed(_tell(given))


async def cancel_feedback(state: DbgptState, request: web.Request) -> web.StreamResponse:
    body = await _body(request)
    if not (body.get("conv_uid") and body.get("message_id")):
        return fail("E000X", "cancel_feedback error: cancel feedback参数缺失异常.", status=200)
    found = [one for one in state.feedback if (one.conv_uid, one.message_id) == (body["conv_uid"], body["message_id"])]
    if len(found) > 1:
        words = f"cancel_feedback error: Delete request should return one result, but got {len(found)}"
        return fail("E000X", words, status=200)
    for one in found:
        state.feedback.remove(one)
    state.changed()
    return succeed([])


def _latest_feedback(state: DbgptState, conversation: str, one: Round) -> Json:
    found = [kept for kept in state.feedback if (kept.conv_uid, kept.message_id) == (conversation, str(one.order))]
    return _tell(found[-1]) if found else {}


def _tell(one: Feedback) -> Json:
    return {
        "id": 1,
        "conv_uid": one.conv_uid,
        "message_id": one.message_id,
        "user_code": one.user_code,
        # Kept, and never told.
        "user_name": None,
        "feedback_type": one.feedback_type,
        "remark": one.remark,
        "reason_types": [],
        "reason": [],
    }


def _query(request: web.Request, key: str) -> str:
    if key not in request.query:
        raise refuse("E0001", f"query.{key}:Field required;")
    return request.query[key]


async def _body(request: web.Request) -> Json:
    try:
        body: object = await request.json()
    except ValueError as problem:
        raise refuse("E0001", "body.1:JSON decode error;") from problem
    if not isinstance(body, dict):
        raise refuse("E0001", "body:Input should be a valid dictionary or object to extract fields from;")
    for key in ("conv_uid", "message_id", "user_code", "feedback_type", "remark"):
        if body.get(key) is not None and not isinstance(body[key], str):
            raise refuse("E0001", f"body.{key}:Input should be a valid string;")
    return body


def _text(body: Json, key: str) -> str | None:
    value = body.get(key)
    return value if isinstance(value, str) else None
