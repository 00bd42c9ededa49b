"""A turn from its beginning to its end. Each function is part of one transaction that holds the write lock.

A conversation has at most one unfinished answer (`active_answer_id`). While there is one, nothing new begins, whoever asks:
either its owner is still at work, or it died and recovery takes the answer over and finishes it first. So no question is ever
begun twice, and none is passed over.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge import logs
from bridge.errors import Fenced, StoreUnavailable
from bridge.messages import (
    AnswerState,
    BackendConversationId,
    BackendIds,
    ConversationId,
    MessageRef,
    ReplyTarget,
    Turn,
)
from bridge.storage.mapping import dump_target, storable, turn_from
from bridge.storage.tables import answer, conversation, inbound_event, outbound_message

UNFINISHED = (AnswerState.ASKED, AnswerState.STREAMING)

_log = logs.get("store")


async def begin_next(
    connection: AsyncConnection, conversation_id: ConversationId, epoch: int | None, now: datetime
) -> Turn | None:
    found = await connection.execute(
        select(
            conversation.c.id.label("conversation_id"),
            conversation.c.epoch,
            conversation.c.head,
            conversation.c.tail,
            conversation.c.active_answer_id,
            conversation.c.app,
            conversation.c.backend_user,
            conversation.c.backend_conversation_id,
            conversation.c.reply_target,
            inbound_event.c.seq,
            inbound_event.c.payload,
        )
        .outerjoin(
            inbound_event,
            and_(
                inbound_event.c.conversation_id == conversation.c.id,
                inbound_event.c.seq == conversation.c.head + 1,
            ),
        )
        .where(conversation.c.id == conversation_id)
    )
    row = found.one_or_none()
    if row is None:
        return None
    if epoch is not None and row.epoch != epoch:
        raise _fenced(conversation_id, epoch)
    if row.active_answer_id is not None:
        _log.info("unfinished_answer_comes_first", conversation=conversation_id, answer=row.active_answer_id)
        return None
    if row.seq is None:
        if row.head < row.tail:
            raise StoreUnavailable(f"question {row.head + 1} of conversation {conversation_id} is missing")
        return None
    mine = row.epoch + 1 if epoch is None else epoch
    backend_conversation = row.backend_conversation_id
    turn = turn_from(
        row,
        answer=await _insert_answer(connection, conversation_id, row.seq, mine, now),
        epoch=mine,
        ids=BackendIds(
            conversation=None if backend_conversation is None else BackendConversationId(backend_conversation)
        ),
    )
    await connection.execute(
        update(conversation)
        .where(conversation.c.id == conversation_id)
        .values(epoch=mine, active_answer_id=turn.answer_id, updated_at=now)
    )
    return turn


async def move_to(connection: AsyncConnection, turn: Turn, target: ReplyTarget, now: datetime) -> None:
    await _touch(connection, turn, now, reply_target=dump_target(target))


async def record_started(connection: AsyncConnection, turn: Turn, ids: BackendIds, now: datetime) -> None:
    """Ids that are None leave what is known. After the end of the turn only the conversation learns its id."""
    await _touch(
        connection,
        turn,
        now,
        backend_conversation_id=func.coalesce(ids.conversation, conversation.c.backend_conversation_id),
    )
    await connection.execute(
        update(answer)
        .where(answer.c.id == turn.answer_id, answer.c.state.in_(UNFINISHED))
        .values(
            state=AnswerState.STREAMING,
            backend_conversation_id=func.coalesce(ids.conversation, answer.c.backend_conversation_id),
            backend_message_id=func.coalesce(ids.message, answer.c.backend_message_id),
            task_id=func.coalesce(ids.task, answer.c.task_id),
            run_id=func.coalesce(ids.run, answer.c.run_id),
        )
    )


async def forget_backend_conversation(connection: AsyncConnection, turn: Turn, now: datetime) -> None:
    await _touch(connection, turn, now, backend_conversation_id=None)


async def record_posted(
    connection: AsyncConnection, turn: Turn, part: int, nonce: str, ref: MessageRef, text: str, now: datetime
) -> None:
    """A part that was posted anew (its first message was deleted) replaces what was recorded for it."""
    await _touch(connection, turn, now)
    posted = {
        "nonce": nonce,
        "platform": ref.platform,
        "message_address": ref.address,
        "state": "posted",
        "shown_text": storable(text),
        "posted_at": now,
    }
    await connection.execute(
        upsert(outbound_message)
        .values(answer_id=turn.answer_id, part=part, **posted)
        .on_conflict_do_update(index_elements=["answer_id", "part"], set_=posted)
    )


async def record_shown(connection: AsyncConnection, turn: Turn, part: int, text: str, now: datetime) -> None:
    await _touch(connection, turn, now)
    await connection.execute(
        update(outbound_message)
        .where(outbound_message.c.answer_id == turn.answer_id, outbound_message.c.part == part)
        .values(shown_text=storable(text))
    )


async def finish(connection: AsyncConnection, turn: Turn, state: AnswerState, error: str, now: datetime) -> None:
    """Finishing what is finished changes nothing: the caller repeats this when it could not learn how a commit ended."""
    ended = await connection.execute(
        update(conversation)
        .where(_owned(turn), conversation.c.active_answer_id == turn.answer_id)
        .values(head=turn.seq, active_answer_id=None, updated_at=now)
    )
    if ended.rowcount == 0:
        await _require_epoch(connection, turn)
        return
    await connection.execute(
        update(answer).where(answer.c.id == turn.answer_id).values(state=state, error=storable(error), finished_at=now)
    )
    await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.conversation_id == turn.conversation_id, inbound_event.c.seq == turn.seq)
        .values(state="answered", answer_id=turn.answer_id)
    )


async def _insert_answer(
    connection: AsyncConnection, conversation_id: ConversationId, seq: int, epoch: int, now: datetime
) -> int:
    made = await connection.execute(
        insert(answer)
        .values(
            conversation_id=conversation_id,
            seq=seq,
            attempt=1,
            epoch=epoch,
            state=AnswerState.ASKED,
            created_at=now,
        )
        .returning(answer.c.id)
    )
    number: int = made.scalar_one()
    return number


def _owned(turn: Turn) -> ColumnElement[bool]:
    return and_(conversation.c.id == turn.conversation_id, conversation.c.epoch == turn.epoch)


async def _touch(connection: AsyncConnection, turn: Turn, now: datetime, **values: object) -> None:
    """Writes to the conversation and by that checks, in the same statement, that it is still the turn's own."""
    touched = await connection.execute(update(conversation).where(_owned(turn)).values(updated_at=now, **values))
    if touched.rowcount == 0:
        raise _fenced(turn.conversation_id, turn.epoch)


async def _require_epoch(connection: AsyncConnection, turn: Turn) -> None:
    owned = await connection.execute(select(conversation.c.id).where(_owned(turn)))
    if owned.one_or_none() is None:
        raise _fenced(turn.conversation_id, turn.epoch)


def _fenced(conversation_id: ConversationId, epoch: int) -> Fenced:
    return Fenced(f"conversation {conversation_id} has another owner than epoch {epoch}")
