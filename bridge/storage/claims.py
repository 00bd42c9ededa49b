"""Intake: a question is claimed once and gets its place in the conversation. Each function is part of one transaction."""

from datetime import datetime

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import AppName, ConversationId, ConversationKey, EventId, MessageRef, PlatformName
from bridge.storage.mapping import AnyRow, dump_question
from bridge.storage.owning import RUNNING
from bridge.storage.portable import insert_into
from bridge.storage.quotas import find_limit
from bridge.storage.resting import waits_for_people
from bridge.storage.tables import answer, conversation, inbound_event, input_request, outbound_message
from bridge.store import Accepted, Full, Limited, NewQuestion

FIRST_GENERATION = 0
"""Which of the conversations with one key is meant. Nothing starts a second one yet."""

ONCE_MORE = ("retry", "again")
"""Kinds of claims that ask a question again whose answer has ended."""

KEY_COLUMNS = ("platform", "installation", "channel_id", "thread_id", "user_key", "app", "reset_generation")
_PLACE = (
    conversation.c.id,
    conversation.c.tail,
    conversation.c.head,
    conversation.c.bots_in_a_row,
    conversation.c.choice,
    conversation.c.active_answer_id,
)


async def accept(connection: AsyncConnection, new: NewQuestion, now: datetime) -> Accepted | Full | Limited | None:
    """None: claimed before; then the caller must roll back, for the conversation has already been given a new number."""
    author = new.question.author
    limited = await find_limit(connection, new.key, new.app, author.id, new.quotas, now)
    place = await _join(connection, new, now)
    waiting = await _count_waiting(connection, place)
    by_bots = author.is_bot and new.most_by_bots is not None and place.bots_in_a_row >= new.most_by_bots
    full = by_bots or (new.most_waiting is not None and waiting > new.most_waiting)
    refused = full or limited is not None
    bots_in_a_row = place.bots_in_a_row + 1 if author.is_bot else 0
    if refused:
        await _put(connection, place, tail=place.tail - 1)
    elif (bots_in_a_row, new.question.choice) != (place.bots_in_a_row, place.choice):
        await _put(connection, place, bots_in_a_row=bots_in_a_row, choice=new.question.choice)
    claimed = await claim(
        connection,
        platform=new.question.ref.platform,
        installation=new.key.installation,
        event_id=new.event_id,
        message_address=new.question.ref.address,
        kind="message",
        conversation_id=place.id,
        person_id=author.id,
        channel_id=new.key.channel,
        seq=None if refused else place.tail,
        payload="" if refused else dump_question(new.question),
        state="refused" if refused else "new",
        received_at=now,
    )
    if not claimed:
        return None
    if full:
        return Full(waiting=waiting, by_bots=by_bots)
    if limited is not None:
        return limited
    behind_form = waiting > 0 and (
        await waits_for_people(connection, place.active_answer_id) or await _asks_for_inputs(connection, place)
    )
    return Accepted(conversation_id=ConversationId(place.id), seq=place.tail, waiting=waiting, behind_form=behind_form)


async def _asks_for_inputs(connection: AsyncConnection, place: AnyRow) -> bool:
    """Whether the question being answered waits for its asker to fill in what the app wants to know."""
    found = await connection.execute(
        select(answer.c.id)
        .join(input_request, input_request.c.answer_id == answer.c.id)
        .where(answer.c.conversation_id == place.id, answer.c.state.in_(RUNNING))
        .limit(1)
    )
    return found.one_or_none() is not None


async def claim(connection: AsyncConnection, **values: object) -> bool:
    """Writes the row of an event. False: the event, or the message as this kind and revision, was claimed before."""
    claimed = await connection.execute(
        insert_into(connection, inbound_event).values(**values).on_conflict_do_nothing().returning(inbound_event.c.id)
    )
    return claimed.scalar_one_or_none() is not None


async def claim_wish(connection: AsyncConnection, place: AnyRow, event_id: EventId, kind: str, now: datetime) -> bool:
    """The same for what has no message of its own, so that its address is made of the event. `place`: the conversation."""
    return await claim(
        connection,
        platform=place.platform,
        installation=place.installation,
        event_id=event_id,
        message_address=f"{place.installation}/{event_id}",
        kind=kind,
        conversation_id=place.id,
        payload="",
        state="handled",
        received_at=now,
    )


async def is_claimed(connection: AsyncConnection, platform: PlatformName, installation: str, event_id: EventId) -> bool:
    found = await connection.execute(
        select(inbound_event.c.id).where(
            inbound_event.c.platform == platform,
            inbound_event.c.installation == installation,
            inbound_event.c.event_id == event_id,
        )
    )
    return found.one_or_none() is not None


async def find_conversation(connection: AsyncConnection, key: ConversationKey, app: AppName) -> ConversationId | None:
    values = key_values(key, app)
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


async def asked_in(connection: AsyncConnection, message: MessageRef) -> ConversationId | None:
    found = await connection.execute(
        select(inbound_event.c.conversation_id).where(
            inbound_event.c.platform == message.platform,
            inbound_event.c.message_address == message.address,
            inbound_event.c.kind == "message",
            inbound_event.c.seq.is_not(None),
        )
    )
    row = found.one_or_none()
    return None if row is None else ConversationId(row.conversation_id)


async def _join(connection: AsyncConnection, new: NewQuestion, now: datetime) -> AnyRow:
    """Takes the next number in the conversation, which is made when it is new. Its row is locked from here on."""
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
        insert_into(connection, conversation)
        .values(**key_values(new.key, new.app), backend_user=new.backend_user, tail=1, created_at=now, updated_at=now)
        .on_conflict_do_update(index_elements=KEY_COLUMNS, set_={"tail": conversation.c.tail + 1, "updated_at": now})
        .returning(*_PLACE)
    )
    return row.one()


async def _count_waiting(connection: AsyncConnection, place: AnyRow) -> int:
    """Questions that are not answered, the one being answered included and withdrawn ones not."""
    if place.tail == place.head + 1:
        return 0
    waiting = await connection.execute(
        select(func.count())
        .select_from(inbound_event)
        .where(
            inbound_event.c.conversation_id == place.id,
            inbound_event.c.seq > place.head,
            inbound_event.c.state == "new",
        )
    )
    number: int = waiting.scalar_one()
    return number


async def _put(connection: AsyncConnection, place: AnyRow, **values: object) -> None:
    await connection.execute(update(conversation).where(conversation.c.id == place.id).values(**values))


def key_values(key: ConversationKey, app: AppName) -> dict[str, str | int]:
    return {
        "platform": key.platform,
        "installation": key.installation,
        "channel_id": key.channel,
        "thread_id": key.thread,
        "user_key": key.person,
        "app": app,
        "reset_generation": FIRST_GENERATION,
    }
