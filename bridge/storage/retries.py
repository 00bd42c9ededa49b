"""A question once more, answered in the same messages. Each function is part of one transaction."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import (
    AnswerId,
    AnswerState,
    AppName,
    ChannelId,
    ConversationId,
    ConversationKey,
    EventId,
    InstallationId,
    MessageRef,
    PersonId,
    PlatformName,
)
from bridge.storage.claims import ONCE_MORE, claim, conversation_of, is_claimed
from bridge.storage.mapping import AnyRow, load_outcome, load_question, load_target, target_from
from bridge.storage.owning import lock_conversation
from bridge.storage.quotas import find_limit
from bridge.storage.ratings import keep_with, recount
from bridge.storage.tables import answer, conversation, inbound_event, outbound_message
from bridge.store import Again, Aggregate, Limited, Retried, RetryResult

RETRYABLE = (AnswerState.FAILED, AnswerState.STOPPED)
NOTHING = Retried(result=RetryResult.NOTHING)


async def retry(
    connection: AsyncConnection, event_id: EventId, message: MessageRef, again: Again | None, now: datetime
) -> Retried:
    of = await conversation_of(connection, message)
    limited = None if of is None or again is None else await _limit(connection, of, again, now)
    place = None if of is None else await lock_conversation(connection, of)
    if of is None or place is None:
        return NOTHING
    old = await _answer_of(connection, message)
    ended = None if old is None else _ended_as(old)
    if old is None or ended is None or (again is None and ended is AnswerState.DONE):
        return NOTHING
    target = None
    if old.payload:
        target = target_from(place.reply_target, load_question(old.payload))
    elif place.reply_target is not None:
        target = load_target(place.reply_target)

    def come_to(result: RetryResult) -> Retried:
        return Retried(result=result, conversation_id=of, target=target)

    if await is_claimed(connection, place.platform, place.installation, event_id) or await _was_retried(
        connection, old
    ):
        return come_to(RetryResult.DUPLICATE)
    wanted = again if ended is AnswerState.DONE else None
    if wanted is not None and await _is_outdated(connection, old):
        return come_to(RetryResult.OUTDATED)
    if not old.payload:
        return come_to(RetryResult.FORGOTTEN)
    if wanted is not None and limited is not None:
        return replace(come_to(RetryResult.LIMITED), limited=limited)
    claimed = await claim(
        connection,
        platform=old.platform,
        installation=place.installation,
        event_id=event_id,
        message_address=old.message_address,
        kind="retry" if wanted is None else "again",
        revision=old.id,
        conversation_id=of,
        person_id=old.person_id if wanted is None else wanted.by,
        channel_id=place.channel_id,
        seq=place.tail + 1,
        payload=old.payload,
        edit_revision=old.edit_revision,
        state="new",
        received_at=now,
    )
    if not claimed:
        return come_to(RetryResult.DUPLICATE)
    await connection.execute(
        update(conversation).where(conversation.c.id == of).values(tail=place.tail + 1, updated_at=now)
    )
    return come_to(RetryResult.ACCEPTED)


async def take_over(
    connection: AsyncConnection, old: AnswerId, by: AnswerId, aggregate: Aggregate, now: datetime
) -> None:
    """The messages of one answer become those of another, and with them the votes, unless they praised or blamed a whole one."""
    state = (await connection.execute(select(answer.c.state).where(answer.c.id == old))).scalar_one_or_none()
    if state == AnswerState.DONE:
        await keep_with(connection, old)
    await connection.execute(update(outbound_message).where(outbound_message.c.answer_id == old).values(answer_id=by))
    for moved in (by,) if state == AnswerState.DONE else (old, by):
        await recount(connection, moved, aggregate, now)


async def _limit(connection: AsyncConnection, of: ConversationId, again: Again, now: datetime) -> Limited | None:
    """Looked up before the conversation is locked, as for every question."""
    found = await connection.execute(select(conversation).where(conversation.c.id == of))
    row = found.one_or_none()
    if row is None:
        return None
    key = ConversationKey(
        platform=PlatformName(row.platform),
        installation=InstallationId(row.installation),
        channel=ChannelId(row.channel_id),
        person=PersonId(row.user_key),
    )
    return await find_limit(connection, key, AppName(row.app), again.by, again.quotas, now)


async def _answer_of(connection: AsyncConnection, message: MessageRef) -> AnyRow | None:
    """The answer that a message is part of, with its question."""
    found = await connection.execute(
        select(
            answer.c.id,
            answer.c.conversation_id,
            answer.c.seq,
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


def _ended_as(old: AnyRow) -> AnswerState | None:
    """Its end may be shown and not be recorded yet: whoever sees the button may press it."""
    state = AnswerState(old.state)
    if state is AnswerState.FINALISING:
        outcome = load_outcome(old.outcome)
        return None if outcome is None else outcome.state
    return state if state in (*RETRYABLE, AnswerState.DONE) else None


async def _is_outdated(connection: AsyncConnection, old: AnyRow) -> bool:
    """Whether anything else was asked in its conversation since, and not taken back."""
    newer = inbound_event.alias()
    found = await connection.execute(
        select(newer.c.id)
        .where(newer.c.conversation_id == old.conversation_id, newer.c.seq > old.seq, newer.c.state != "withdrawn")
        .limit(1)
    )
    return found.one_or_none() is not None


async def _was_retried(connection: AsyncConnection, old: AnyRow) -> bool:
    found = await connection.execute(
        select(inbound_event.c.id).where(
            inbound_event.c.platform == old.platform,
            inbound_event.c.message_address == old.message_address,
            inbound_event.c.kind.in_(ONCE_MORE),
            inbound_event.c.revision == old.id,
        )
    )
    return found.one_or_none() is not None
