"""Questions that could follow an answer. Dify asks its model for them when it is asked, so they cost a call and some seconds."""

from collections.abc import Sequence

from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import explain_refusal
from bridge.backends.dify.parameters import choose_questions
from bridge.messages import BackendMessageId, BackendUser

MOST_SUGGESTIONS = 5
"""Dify gives three."""

# Switched off since the parameters were read (400, newest versions 403), no such message for this user, no such call at all.
_NONE = (400, 403, 404, 405, 501)


async def fetch_suggestions(
    client: DifyClient, message: BackendMessageId, user: BackendUser, limit: float
) -> Sequence[str]:
    """Raises `BackendError`, also when `limit` seconds were not enough."""
    reply = await client.call("GET", f"/messages/{message}/suggested", query={"user": user}, limit=limit)
    if reply.status in _NONE:
        return ()
    if reply.status != 200 or not reply.is_json:
        raise explain_refusal(reply)
    return choose_questions(reply.read().get("data"), MOST_SUGGESTIONS)
