"""What is wanted of a conversation as a whole: quiet, a fresh start, a title. Each function is part of one transaction."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import ConversationId, EventId
from bridge.storage.claims import claim_wish
from bridge.storage.owning import lock_conversation
from bridge.storage.tables import conversation


async def is_muted(connection: AsyncConnection, of: ConversationId) -> bool:
    found = await connection.execute(select(conversation.c.muted).where(conversation.c.id == of))
    return bool(found.scalar_one_or_none())


async def set_muted(
    connection: AsyncConnection, event_id: EventId, of: ConversationId, *, muted: bool, now: datetime
) -> bool:
    """Claimed also when it was so already: told again after somebody wanted the opposite, it must not count."""
    place = await lock_conversation(connection, of)
    if place is None or not await claim_wish(connection, place, event_id, "mute", now) or place.muted == muted:
        return False
    await connection.execute(update(conversation).where(conversation.c.id == of).values(muted=muted))
    return True


async def start_afresh(connection: AsyncConnection, event_id: EventId, of: ConversationId, now: datetime) -> bool:
    place = await lock_conversation(connection, of)
    if place is None or not await claim_wish(connection, place, event_id, "reset", now):
        return False
    # The question being answered is the one behind the head.
    last = place.head if place.active_answer_id is None else place.head + 1
    if last <= place.fresh_after and place.backend_conversation_id is None:
        return False
    await connection.execute(
        update(conversation)
        .where(conversation.c.id == of)
        .values(fresh_after=last, backend_conversation_id=None, poisoned=False, updated_at=now)
    )
    return True


async def lacks_title(connection: AsyncConnection, of: ConversationId) -> bool:
    return (await connection.execute(select(conversation.c.id).where(_lacks_title(of)))).one_or_none() is not None


async def claim_title(connection: AsyncConnection, of: ConversationId) -> bool:
    claimed = await connection.execute(update(conversation).where(_lacks_title(of)).values(titled=True))
    return claimed.rowcount == 1


def _lacks_title(of: ConversationId) -> ColumnElement[bool]:
    return and_(conversation.c.id == of, ~conversation.c.titled, conversation.c.reply_target.is_not(None))
