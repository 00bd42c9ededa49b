"""Who may write to a conversation. Its row is the lock: whatever touches one conversation takes it first, so none wait in a ring.

Recording a turn's progress is checked by the epoch; what anybody may do (accept, stop, edit) needs only the lock.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.errors import Fenced
from bridge.messages import AnswerState, ConversationId, Turn
from bridge.storage.mapping import AnyRow
from bridge.storage.tables import conversation

RUNNING = (AnswerState.PLANNED, AnswerState.ASKED, AnswerState.STREAMING, AnswerState.PAUSED)
"""An answer in these states can still be stopped and its question be changed."""
UNFINISHED = (*RUNNING, AnswerState.FINALISING)


async def lock_conversation(connection: AsyncConnection, of: ConversationId) -> AnyRow | None:
    """Its row, which nobody else can change before this transaction ends."""
    found = await connection.execute(select(conversation).where(conversation.c.id == of).with_for_update())
    return found.one_or_none()


async def touch(connection: AsyncConnection, turn: Turn, now: datetime, **values: object) -> None:
    """Writes to the conversation and by that checks, in the same statement, that it is still the turn's own, and locks it."""
    touched = await connection.execute(update(conversation).where(owned(turn)).values(updated_at=now, **values))
    if touched.rowcount == 0:
        raise fenced(turn.conversation_id, turn.epoch)


async def require_epoch(connection: AsyncConnection, turn: Turn) -> None:
    found = await connection.execute(select(conversation.c.id).where(owned(turn)))
    if found.one_or_none() is None:
        raise fenced(turn.conversation_id, turn.epoch)


def owned(turn: Turn) -> ColumnElement[bool]:
    return and_(conversation.c.id == turn.conversation_id, conversation.c.epoch == turn.epoch)


def fenced(conversation_id: ConversationId, epoch: int) -> Fenced:
    return Fenced(f"conversation {conversation_id} has another owner than epoch {epoch}")
