"""Feedback on a round. DB-GPT keeps one for each person, says "unlike", and refuses to be told the same twice.

Its call to take feedback away takes that of everybody, and fails where there is more than one (measured on 0.8.2). So what a
person took back is told as feedback that is neither like nor unlike.
"""

from bridge.backends.dbgpt.client import DbgptClient
from bridge.errors import BackendError
from bridge.messages import BackendConversationId, Rating
from bridge.opinions import Opinions
from bridge.remote.framing import Json, text_of

_PATH = "/api/v1/conv/feedback"
_LONGEST_CODE = 255
"""DB-GPT's column for who gave it."""
_NEITHER = ""
_SPELLINGS = {Rating.LIKE: "like", Rating.DISLIKE: "unlike", None: _NEITHER}


async def send_opinions(
    client: DbgptClient, conversation: BackendConversationId, order: int, opinions: Opinions, *, max_bytes: int
) -> None:
    """Sets what these people think, whatever DB-GPT had of them. Raises `BackendError`."""
    listed = await client.call("GET", f"{_PATH}/list", query={"conv_uid": conversation}, max_bytes=max_bytes)
    kept = {text_of(one, "user_code"): one for one in _objects(listed) if text_of(one, "message_id") == str(order)}
    for person, opinion in opinions.items():
        code = person[:_LONGEST_CODE]
        given: Json = {
            "conv_uid": conversation,
            "message_id": str(order),
            "user_code": code,
            "remark": opinion.comment,
        }
        await _send(client, given, _SPELLINGS[opinion.rating], kept.get(code))


async def _send(client: DbgptClient, given: Json, wanted: str, had: Json | None) -> None:
    remark = text_of(given, "remark")
    if had is None and not wanted and not remark:
        return
    if had is not None and text_of(had, "feedback_type") == wanted:
        if remark in ("", text_of(had, "remark")):
            return
        # The same with other words beside it is refused: it must have been something else in between.
        await _tell(client, given, "like" if wanted != "like" else _NEITHER)
    await _tell(client, given, wanted)


async def _tell(client: DbgptClient, given: Json, feedback: str) -> None:
    try:
        await client.call("POST", f"{_PATH}/update", body={**given, "feedback_type": feedback})
    except BackendError as error:
        # Told at the same time by another process of ours.
        if "do not repeat" not in str(error):
            raise


def _objects(value: object) -> list[Json]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
