"""What shall be forgotten for good: here at once, at the backend as soon as it can be told. Each function is part of one
transaction."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.archive import Deletion, ForgetResult, Forgotten
from bridge.messages import AppName, BackendConversationId, BackendUser, ConversationId, EventId, PersonId
from bridge.storage.claims import claim_wish
from bridge.storage.mapping import AnyRow
from bridge.storage.owning import lock_conversation
from bridge.storage.past import ASKED_AS, is_busy
from bridge.storage.portable import insert_into
from bridge.storage.tables import (
    answer,
    conversation,
    conversation_input,
    feedback_comment,
    inbound_event,
    input_request,
    outbound_message,
    unwanted,
)


async def may_forget(connection: AsyncConnection, of: ConversationId, person: PersonId) -> bool:
    """Also of what they asked and took back."""
    found = await connection.execute(
        select(inbound_event.c.id)
        .where(
            inbound_event.c.conversation_id == of,
            inbound_event.c.person_id == person,
            inbound_event.c.seq.is_not(None),
        )
        .limit(1)
    )
    return bool(person) and found.one_or_none() is not None


async def forget(
    connection: AsyncConnection, event_id: EventId, of: ConversationId, person: PersonId, now: datetime
) -> Forgotten:
    place = await lock_conversation(connection, of)
    if place is None or not await may_forget(connection, of, person):
        return Forgotten(result=ForgetResult.NOT_YOURS)
    if is_busy(place):
        return Forgotten(result=ForgetResult.BUSY)
    held = await _held(connection, place)
    if not held and not await _says_anything(connection, of):
        return Forgotten(result=ForgetResult.NOTHING)
    if not await claim_wish(connection, place, event_id, "forget", now):
        return Forgotten(result=ForgetResult.DUPLICATE)
    deletions = [await _order(connection, place, one, user, now) for one, user in sorted(held.items())]
    await _blank(connection, of, list(held))
    await connection.execute(delete(conversation_input).where(conversation_input.c.conversation_id == of))
    await connection.execute(
        update(conversation)
        .where(conversation.c.id == of)
        .values(backend_conversation_id=None, poisoned=False, fresh_after=place.head, updated_at=now)
    )
    return Forgotten(result=ForgetResult.FORGOTTEN, deletions=deletions)


async def due(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[Deletion]:
    rows = await connection.execute(
        select(unwanted)
        .where(or_(unwanted.c.retry_at.is_(None), unwanted.c.retry_at <= now))
        .order_by(unwanted.c.id)
        .limit(limit)
    )
    return [
        Deletion(
            id=row.id,
            app=AppName(row.app),
            conversation=BackendConversationId(row.backend_conversation_id),
            user=BackendUser(row.backend_user),
            attempts=row.attempts,
        )
        for row in rows
    ]


async def deleted(connection: AsyncConnection, number: int) -> None:
    await connection.execute(delete(unwanted).where(unwanted.c.id == number))


async def not_deleted(connection: AsyncConnection, number: int, retry_at: datetime) -> None:
    await connection.execute(
        update(unwanted).where(unwanted.c.id == number).values(attempts=unwanted.c.attempts + 1, retry_at=retry_at)
    )


async def _held(connection: AsyncConnection, place: AnyRow) -> dict[str, str]:
    """The backend's conversations that were held here, and their users; without those that go on elsewhere by now, which whoever
    asks there may forget."""
    other = conversation.alias()
    rows = await connection.execute(
        select(answer.c.backend_conversation_id.label("id"), ASKED_AS.label("user"))
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .where(
            answer.c.conversation_id == place.id,
            answer.c.backend_conversation_id.is_not(None),
            ~exists().where(
                other.c.backend_conversation_id == answer.c.backend_conversation_id, other.c.id != place.id
            ),
        )
        .distinct()
    )
    held = {str(row.id): str(row.user) for row in rows}
    if place.backend_conversation_id is not None:
        held[place.backend_conversation_id] = place.backend_user
    return held


async def _says_anything(connection: AsyncConnection, of: ConversationId) -> bool:
    """Also in what was filled in for the app."""
    asked = select(inbound_event.c.id).where(inbound_event.c.conversation_id == of, inbound_event.c.payload != "")
    filled_in = select(conversation_input.c.seq).where(conversation_input.c.conversation_id == of)
    return bool((await connection.execute(select(or_(asked.exists(), filled_in.exists())))).scalar_one())


async def _order(connection: AsyncConnection, place: AnyRow, backend_id: str, user: str, now: datetime) -> int:
    made = await connection.execute(
        insert_into(connection, unwanted)
        .values(app=place.app, backend_user=user, backend_conversation_id=backend_id, created_at=now)
        # Wanted once more: it is tried at once.
        .on_conflict_do_update(
            index_elements=["app", "backend_conversation_id"], set_={"retry_at": None, "backend_user": user}
        )
        .returning(unwanted.c.id)
    )
    return int(made.scalar_one())


async def _blank(connection: AsyncConnection, of: ConversationId, backend_ids: Sequence[str]) -> None:
    """Texts, what was filled in, and what leads to the backend: of all that was said here, and elsewhere in the same
    conversations of the backend."""
    concerned = or_(answer.c.conversation_id == of, answer.c.backend_conversation_id.in_(backend_ids))
    answers = select(answer.c.id).where(concerned).scalar_subquery()
    its_question = exists().where(
        concerned,
        answer.c.conversation_id == inbound_event.c.conversation_id,
        answer.c.seq == inbound_event.c.seq,
    )
    await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.payload != "", or_(inbound_event.c.conversation_id == of, its_question))
        .values(payload="")
    )
    await connection.execute(
        update(feedback_comment)
        .where(
            exists().where(
                outbound_message.c.platform == feedback_comment.c.platform,
                outbound_message.c.message_address == feedback_comment.c.message_address,
                outbound_message.c.answer_id.in_(answers),
            )
            | feedback_comment.c.past_answer_id.in_(answers)
        )
        .values(text="")
    )
    await connection.execute(
        update(outbound_message).where(outbound_message.c.answer_id.in_(answers)).values(shown_text="")
    )
    await connection.execute(delete(conversation_input).where(conversation_input.c.conversation_id == of))
    await connection.execute(delete(input_request).where(input_request.c.answer_id.in_(answers)))
    # Last: by these ids they were found.
    await connection.execute(
        update(answer)
        .where(concerned)
        .values(
            outcome="",
            backend_conversation_id=None,
            backend_message_id=None,
            last_seen_message_id=None,
            task_id=None,
            run_id=None,
        )
    )
