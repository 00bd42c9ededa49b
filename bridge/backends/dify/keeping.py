"""The conversations that Dify keeps: their titles, and their end.

A list that leaves one out does not say that it is gone: rows of one second come in any order, and some are skipped (measured on
both versions).
"""

from collections.abc import Sequence

from bridge.backends.dify.client import DifyClient
from bridge.backends.dify.errors import explain_refusal
from bridge.backends.dify.naming import tidy_name
from bridge.errors import QuestionRefused
from bridge.messages import BackendConversationId, BackendUser
from bridge.past_api import KeptConversation
from bridge.remote.framing import text_of

MOST_LISTED = 100
"""Dify takes no more for one page."""
LIST_BYTES = 1024 * 1024

_NOT_OFFERED = (404, 405, 501)


async def fetch_conversations(client: DifyClient, user: BackendUser, limit: int) -> Sequence[KeptConversation]:
    """As `ListsConversations.conversations`. None on servers that are like Dify and list nothing."""
    query = {"user": user, "limit": str(max(1, min(limit, MOST_LISTED))), "sort_by": "-updated_at"}
    reply = await client.call("GET", "/conversations", query=query, max_bytes=LIST_BYTES)
    if reply.status in _NOT_OFFERED:
        return ()
    if reply.status != 200 or not reply.read():
        raise explain_refusal(reply)
    listed = reply.read().get("data")
    rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    return [
        KeptConversation(id=BackendConversationId(text_of(row, "id")), title=tidy_name(text_of(row, "name")))
        for row in rows
        if text_of(row, "id")
    ]


async def delete_conversation(client: DifyClient, conversation: BackendConversationId, user: BackendUser) -> None:
    """As `DeletesConversations.delete_conversation`. From 1.8 to 1.13 Dify looks neither at the user nor at the app."""
    # Without a body that is JSON it is refused (415).
    reply = await client.call("DELETE", f"/conversations/{conversation}", body={"user": user})
    if reply.status in (200, 204):
        return
    if reply.status == 404 and text_of(reply.read(), "code") == "not_found":
        # Deleted before, which newer versions do not even say.
        return
    if reply.status in _NOT_OFFERED:
        raise QuestionRefused(f"the server deletes no conversations ({reply.status})", code="cannot_delete")
    raise explain_refusal(reply)
