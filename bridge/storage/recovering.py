"""What a start and the housekeeping look for: questions that wait, answers that were cut off, text that may go."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import AnswerState, BackendConversationId, BackendIds, ConversationId, PlatformName
from bridge.storage.mapping import AnyRow, ids_from, ref_from, turn_from
from bridge.storage.tables import answer, conversation, inbound_event, outbound_message
from bridge.store import InterruptedAnswer, PostedPart


async def waiting_conversations(
    connection: AsyncConnection, platforms: Collection[PlatformName]
) -> Sequence[ConversationId]:
    waiting = await connection.execute(
        select(conversation.c.id)
        .join(
            inbound_event,
            and_(
                inbound_event.c.conversation_id == conversation.c.id,
                inbound_event.c.seq == conversation.c.head + 1,
            ),
        )
        .where(conversation.c.head < conversation.c.tail, conversation.c.platform.in_(platforms))
        .order_by(inbound_event.c.id)
    )
    return [ConversationId(row.id) for row in waiting]


async def interrupted_answers(connection: AsyncConnection, now: datetime) -> Sequence[InterruptedAnswer]:
    """Part of one write transaction: whoever owned these before is fenced from its commit on."""
    await connection.execute(
        update(conversation)
        .where(conversation.c.active_answer_id.is_not(None))
        .values(epoch=conversation.c.epoch + 1, updated_at=now)
    )
    rows = (
        await connection.execute(
            select(
                conversation.c.id.label("conversation_id"),
                conversation.c.epoch,
                conversation.c.app,
                conversation.c.backend_user,
                conversation.c.backend_conversation_id.label("current_backend_conversation_id"),
                conversation.c.reply_target,
                inbound_event.c.seq,
                inbound_event.c.payload,
                answer.c.id.label("answer_id"),
                answer.c.state,
                answer.c.backend_conversation_id,
                answer.c.backend_message_id,
                answer.c.task_id,
                answer.c.run_id,
            )
            .join(answer, answer.c.id == conversation.c.active_answer_id)
            .join(
                inbound_event,
                and_(
                    inbound_event.c.conversation_id == answer.c.conversation_id,
                    inbound_event.c.seq == answer.c.seq,
                ),
            )
            .order_by(answer.c.id)
        )
    ).all()
    parts = await _posted_parts(connection) if rows else {}
    return [
        InterruptedAnswer(
            turn=turn_from(row, answer=row.answer_id, epoch=row.epoch, ids=_ids_of(row)),
            state=AnswerState(row.state),
            parts=tuple(parts.get(row.answer_id, ())),
        )
        for row in rows
    ]


async def blank_payloads(connection: AsyncConnection, before: datetime) -> int:
    """Texts of answers, kept for recovery alone, go with those of their questions."""
    over = select(answer.c.id).where(answer.c.finished_at < before)
    blanked = await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.payload != "", inbound_event.c.state == "answered", inbound_event.c.answer_id.in_(over))
        .values(payload="")
    )
    await connection.execute(
        update(outbound_message)
        .where(outbound_message.c.shown_text != "", outbound_message.c.answer_id.in_(over))
        .values(shown_text="")
    )
    return blanked.rowcount


async def _posted_parts(connection: AsyncConnection) -> dict[int, list[PostedPart]]:
    rows = await connection.execute(
        select(
            outbound_message.c.answer_id,
            outbound_message.c.part,
            outbound_message.c.platform,
            outbound_message.c.message_address,
            outbound_message.c.shown_text,
        )
        .join(conversation, conversation.c.active_answer_id == outbound_message.c.answer_id)
        .where(outbound_message.c.message_address.is_not(None))
        .order_by(outbound_message.c.answer_id, outbound_message.c.part)
    )
    parts: dict[int, list[PostedPart]] = defaultdict(list)
    for row in rows:
        ref = ref_from(row.platform, row.message_address)
        parts[row.answer_id].append(PostedPart(part=row.part, ref=ref, text=row.shown_text))
    return parts


def _ids_of(row: AnyRow) -> BackendIds:
    """The answer's own ids; cut off before it had any, the conversation it would have continued."""
    ids = ids_from(row)
    current = row.current_backend_conversation_id
    if ids.conversation is not None or current is None:
        return ids
    return BackendIds(conversation=BackendConversationId(current), message=ids.message, task=ids.task, run=ids.run)
