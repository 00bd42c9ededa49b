"""A question once more, answered in the same messages. Each function is part of one transaction."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import AnswerId, AnswerState, EventId, MessageRef
from bridge.storage.claims import claim, conversation_of, is_claimed
from bridge.storage.mapping import AnyRow, load_outcome, load_question, load_target, target_from
from bridge.storage.owning import lock_conversation
from bridge.storage.ratings import recount
from bridge.storage.tables import answer, conversation, inbound_event, outbound_message
from bridge.store import Aggregate, Retried, RetryResult

RETRYABLE = (AnswerState.FAILED, AnswerState.STOPPED)
NOTHING = Retried(result=RetryResult.NOTHING)


async def retry(connection: AsyncConnection, event_id: EventId, message: MessageRef, now: datetime) -> Retried:
    of = await conversation_of(connection, message)
    place = None if of is None else await lock_conversation(connection, of)
    if of is None or place is None:
        return NOTHING
    old = await _answer_of(connection, message)
    if old is None or not _has_ended_badly(old):
        return NOTHING
    target = None
    if old.payload:
        target = target_from(place.reply_target, load_question(old.payload))
    elif place.reply_target is not None:
        target = load_target(place.reply_target)
    if await is_claimed(connection, place.platform, place.installation, event_id) or await _was_retried(
        connection, old
    ):
        return Retried(result=RetryResult.DUPLICATE, conversation_id=of, target=target)
    if not old.payload:
        return Retried(result=RetryResult.FORGOTTEN, conversation_id=of, target=target)
    claimed = await claim(
        connection,
        platform=old.platform,
        installation=place.installation,
        event_id=event_id,
        message_address=old.message_address,
        kind="retry",
        revision=old.id,
        conversation_id=of,
        person_id=old.person_id,
        seq=place.tail + 1,
        payload=old.payload,
        edit_revision=old.edit_revision,
        state="new",
        received_at=now,
    )
    if not claimed:
        return Retried(result=RetryResult.DUPLICATE, conversation_id=of, target=target)
    await connection.execute(
        update(conversation).where(conversation.c.id == of).values(tail=place.tail + 1, updated_at=now)
    )
    return Retried(result=RetryResult.ACCEPTED, conversation_id=of, target=target)


async def take_over(
    connection: AsyncConnection, old: AnswerId, by: AnswerId, aggregate: Aggregate, now: datetime
) -> None:
    """The messages of one answer become those of another, and with them the votes."""
    await connection.execute(update(outbound_message).where(outbound_message.c.answer_id == old).values(answer_id=by))
    for moved in (old, by):
        await recount(connection, moved, aggregate, now)


async def _answer_of(connection: AsyncConnection, message: MessageRef) -> AnyRow | None:
    """The answer that a message is part of, with its question."""
    found = await connection.execute(
        select(
            answer.c.id,
            answer.c.state,
            answer.c.outcome,
            inbound_event.c.platform,
            inbound_event.c.message_address,
            inbound_event.c.person_id,
            inbound_event.c.payload,
            inbound_event.c.edit_revision,
        )
        .join(outbound_message, outbound_message.c.answer_id == answer.c.id)
        .join(
            inbound_event,
            (inbound_event.c.conversation_id == answer.c.conversation_id) & (inbound_event.c.seq == answer.c.seq),
        )
        .where(outbound_message.c.platform == message.platform, outbound_message.c.message_address == message.address)
    )
    return found.one_or_none()


def _has_ended_badly(old: AnyRow) -> bool:
    """Its end may be shown and not be recorded yet: whoever sees the button may press it."""
    if old.state == AnswerState.FINALISING:
        outcome = load_outcome(old.outcome)
        return outcome is not None and outcome.state in RETRYABLE
    return old.state in RETRYABLE


async def _was_retried(connection: AsyncConnection, old: AnyRow) -> bool:
    found = await connection.execute(
        select(inbound_event.c.id).where(
            inbound_event.c.platform == old.platform,
            inbound_event.c.message_address == old.message_address,
            inbound_event.c.kind == "retry",
            inbound_event.c.revision == old.id,
        )
    )
    return found.one_or_none() is not None
