"""What the stand-in Dify tells about itself, and what concerns one answer of it: suggestions and the rating."""

from aiohttp import web

from bridge.playground.dify.chat import is_uuid, read_body, read_user
from bridge.playground.dify.records import Rating, RatingCall, StoredMessage
from bridge.playground.dify.state import DifyState
from bridge.playground.dify.wire import Json, not_found_page


async def info(state: DifyState, request: web.Request) -> web.Response:
    body: Json = {"name": "Playground", "description": "A stand-in for a Dify app", "tags": []}
    if not state.dialect.is_old:
        body |= {"mode": state.mode, "author_name": "playground"}
    return state.dialect.reply(body)


async def parameters(state: DifyState, request: web.Request) -> web.Response:
    told = state.features.as_parameters(state.required_inputs, state.takes_question)
    form = told["user_input_form"]
    return state.dialect.reply(told | {"user_input_form": [*(form if isinstance(form, list) else []), *state.form]})


async def suggested(state: DifyState, request: web.Request) -> web.Response:
    """Thought of when they are asked for, and only for the message's own user."""
    ident = request.match_info["message_id"]
    if not is_uuid(ident):
        return not_found_page()
    user = read_user(state, request.query)
    message = _find_message(state, ident, user)
    if message is None:
        raise state.dialect.refuse(404, "not_found", "Message Not Exists.")
    if not state.features.suggests:
        raise state.dialect.refuse(400, "bad_request", "Suggested Questions Is Disabled.")
    await state.clock.sleep(state.features.suggest_seconds)
    return state.dialect.reply({"result": "success", "data": list(message.suggestions)})


async def rate(state: DifyState, request: web.Request) -> web.Response:
    """One rating per message, and only by the message's own user."""
    ident = request.match_info["message_id"]
    if not is_uuid(ident):
        return not_found_page()
    body = await read_body(state, request)
    response = _rate(state, ident, body)
    rating = body.get("rating")
    state.rating_log.append(
        RatingCall(
            message_id=ident,
            rating=rating if isinstance(rating, str) else None,
            content=str(body.get("content") or ""),
            user=str(body.get("user") or ""),
            status=response.status,
        )
    )
    state.changed()
    return response


def _rate(state: DifyState, ident: str, body: Json) -> web.Response:
    if state.faults.refuse_feedback > 0:
        state.faults.refuse_feedback -= 1
        return web.Response(status=503, text="feedback is refused", content_type="text/html")
    user = read_user(state, body)
    rating = body.get("rating")
    if rating not in ("like", "dislike", None):
        return state.dialect.refuse_param(f"{rating} is not a valid choice").response
    if _find_message(state, ident, user) is None:
        return state.dialect.refuse(404, "not_found", "Message Not Exists.").response
    if rating is None:
        if state.ratings.pop(ident, None) is None:
            return state.dialect.refuse_param("rating cannot be None when feedback not exists").response
    else:
        # Leaving `content` out of a later call erases it.
        state.ratings[ident] = Rating(rating=str(rating), content=str(body.get("content") or ""), user=user)
    return state.dialect.reply({"result": "success"})


def _find_message(state: DifyState, ident: str, user: str) -> StoredMessage | None:
    return next(
        (
            message
            for conversation in state.conversations.values()
            if conversation.user == user
            for message in conversation.messages
            if message.id == ident
        ),
        None,
    )
