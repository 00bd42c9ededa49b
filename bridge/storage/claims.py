"""Intake: a question is claimed once and gets its place in the conversation. Each function is part of one transaction."""

from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import AppName, ConversationId, ConversationKey, MessageRef
from bridge.storage.mapping import AnyRow, dump_question
from bridge.storage.tables import answer, conversation, inbound_event, outbound_message
from bridge.store import Accepted, NewQuestion

FIRST_GENERATION = 0
"""Which of the conversations with one key is meant. Nothing starts a second one yet."""

KEY_COLUMNS = ("platform", "installation", "channel_id", "thread_id", "user_key", "app", "reset_generation")
_PLACE = (conversation.c.id, conversation.c.tail, conversation.c.head)


async def accept(connection: AsyncConnection, new: NewQuestion, now: datetime) -> Accepted | None:
    """None: claimed before; then the caller must roll back, for the conversation has already been given a new number."""
    place = await _join(connection, new, now)
    claimed = await connection.execute(
        insert(inbound_event)
        .values(
            platform=new.question.ref.platform,
            installation=new.key.installation,
            event_id=new.event_id,
            message_address=new.question.ref.address,
            kind="message",
            conversation_id=place.id,
            seq=place.tail,
            payload=dump_question(new.question),
            state="new",
            received_at=now,
        )
        .on_conflict_do_nothing()
        .returning(inbound_event.c.id)
    )
    if claimed.scalar_one_or_none() is None:
        return None
    return Accepted(conversation_id=ConversationId(place.id), seq=place.tail, waiting=place.tail - place.head - 1)


async def find_conversation(connection: AsyncConnection, key: ConversationKey, app: AppName) -> ConversationId | None:
    values = _key_values(key, app)
    found = await connection.execute(
        select(conversation.c.id).where(and_(*(conversation.c[name] == values[name] for name in KEY_COLUMNS)))
    )
    row = found.one_or_none()
    return None if row is None else ConversationId(row.id)


async def conversation_of(connection: AsyncConnection, message: MessageRef) -> ConversationId | None:
    found = await connection.execute(
        select(answer.c.conversation_id)
        .join(outbound_message, outbound_message.c.answer_id == answer.c.id)
        .where(outbound_message.c.platform == message.platform, outbound_message.c.message_address == message.address)
    )
    row = found.one_or_none()
    return None if row is None else ConversationId(row.conversation_id)


async def _join(connection: AsyncConnection, new: NewQuestion, now: datetime) -> AnyRow:
    """Takes the next number in the conversation, which is made when it is new."""
    if new.join is not None:
        joined = await connection.execute(
            update(conversation)
            .where(conversation.c.id == new.join)
            .values(tail=conversation.c.tail + 1, updated_at=now)
            .returning(*_PLACE)
        )
        place = joined.one_or_none()
        if place is not None:
            return place
        # The row is gone (an older backup was put back): the question is still worth an answer, in its own place.
    row = await connection.execute(
        insert(conversation)
        .values(**_key_values(new.key, new.app), backend_user=new.backend_user, tail=1, created_at=now, updated_at=now)
        .on_conflict_do_update(index_elements=KEY_COLUMNS, set_={"tail": conversation.c.tail + 1, "updated_at": now})
        .returning(*_PLACE)
    )
    return row.one()


def _key_values(key: ConversationKey, app: AppName) -> dict[str, str | int]:
    return {
        "platform": key.platform,
        "installation": key.installation,
        "channel_id": key.channel,
        "thread_id": key.thread,
        "user_key": key.person,
        "app": app,
        "reset_generation": FIRST_GENERATION,
    }
