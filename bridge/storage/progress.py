"""What a turn records on its way to its end. Each function is part of one transaction, and refused to a former owner.

Recording twice changes nothing: callers repeat what they could not learn the end of.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, case, literal, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import (
    AnswerState,
    AskedQuestion,
    BackendIds,
    MessageRef,
    Outcome,
    PartRole,
    ReplyTarget,
    Turn,
)
from bridge.storage.claims import key_values
from bridge.storage.mapping import AnyRow, dump_outcome, dump_question, dump_target, load_question
from bridge.storage.owning import RUNNING, UNFINISHED, owned, require_epoch, touch
from bridge.storage.portable import Plain, insert_into
from bridge.storage.resting import forget_pause
from bridge.storage.tables import answer, conversation, inbound_event, outbound_message


async def move_to(connection: AsyncConnection, turn: Turn, target: ReplyTarget, now: datetime) -> None:
    await touch(connection, turn, now, reply_target=dump_target(target))
    # Whether another conversation has the key is known only by trying: it may be in the middle of being made.
    with suppress(IntegrityError):
        async with connection.begin_nested():
            await connection.execute(
                update(conversation)
                .where(conversation.c.id == turn.conversation_id)
                .values(**key_values(target.conversation, turn.app))
            )


async def record_asked(connection: AsyncConnection, turn: Turn, attempt: int, now: datetime) -> AskedQuestion:
    await touch(connection, turn, now)
    found = await connection.execute(
        select(
            conversation.c.backend_conversation_id.label("going_on"),
            inbound_event.c.payload,
            inbound_event.c.edit_revision,
            answer.c.backend_conversation_id,
            answer.c.backend_message_id,
            answer.c.last_seen_message_id,
        )
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .join(
            inbound_event,
            and_(inbound_event.c.conversation_id == answer.c.conversation_id, inbound_event.c.seq == answer.c.seq),
        )
        .where(answer.c.id == turn.answer_id)
    )
    row = found.one()
    await forget_pause(connection, turn.answer_id)
    await connection.execute(
        update(answer)
        .where(answer.c.id == turn.answer_id, answer.c.state.in_(UNFINISHED))
        .values(
            state=AnswerState.ASKED,
            attempt=attempt,
            asked_revision=row.edit_revision,
            outcome="",
            last_seen_message_id=_left_behind(row),
            backend_conversation_id=None,
            backend_message_id=None,
            task_id=None,
            run_id=None,
        )
    )
    return load_question(row.payload)


async def record_started(connection: AsyncConnection, turn: Turn, ids: BackendIds, now: datetime) -> None:
    """Ids that are None leave what is known. After the end of the turn only the conversation learns its id, and not even that
    once it was begun afresh."""
    if ids.conversation is None:
        await touch(connection, turn, now)
    else:
        same = conversation.c.backend_conversation_id.is_not_distinct_from(ids.conversation)
        forgotten = conversation.c.fresh_after >= turn.seq
        await touch(
            connection,
            turn,
            now,
            backend_conversation_id=case(
                (forgotten, conversation.c.backend_conversation_id), else_=literal(ids.conversation, Plain)
            ),
            poisoned=and_(conversation.c.poisoned, or_(forgotten, same)),
        )
    known = {
        "backend_conversation_id": ids.conversation,
        "backend_message_id": ids.message,
        "task_id": ids.task,
        "run_id": ids.run,
    }
    named = {column: value for column, value in known.items() if value is not None}
    mine = answer.c.id == turn.answer_id
    if named:
        await connection.execute(update(answer).where(mine, answer.c.state.in_(UNFINISHED)).values(**named))
    # An answer whose outcome is settled stays so, however late its ids come.
    await connection.execute(
        update(answer).where(mine, answer.c.state.in_(RUNNING)).values(state=AnswerState.STREAMING)
    )


async def record_in_question(connection: AsyncConnection, turn: Turn, now: datetime, **found: str) -> None:
    """`found`: fields of `AskedQuestion`."""
    await touch(connection, turn, now)
    mine = and_(inbound_event.c.conversation_id == turn.conversation_id, inbound_event.c.seq == turn.seq)
    payload = (await connection.execute(select(inbound_event.c.payload).where(mine))).scalar_one_or_none()
    if payload:
        fuller = replace(load_question(payload), **found)  # type: ignore[arg-type]  # all of them are texts
        await connection.execute(update(inbound_event).where(mine).values(payload=dump_question(fuller)))


async def record_lost(connection: AsyncConnection, turn: Turn, now: datetime) -> None:
    await touch(connection, turn, now, poisoned=conversation.c.backend_conversation_id.is_not(None))


async def forget_backend_conversation(connection: AsyncConnection, turn: Turn, now: datetime) -> None:
    await touch(connection, turn, now, backend_conversation_id=None, poisoned=False)


async def record_part(
    connection: AsyncConnection,
    turn: Turn,
    part: int,
    nonce: str,
    role: PartRole,
    ref: MessageRef | None,
    text: str,
    now: datetime,
) -> None:
    """Without `ref` it is only intended. A part that is posted anew (its message was deleted) replaces what was recorded."""
    await touch(connection, turn, now)
    found = await connection.execute(
        select(outbound_message.c.nonce, outbound_message.c.intended_at).where(
            outbound_message.c.answer_id == turn.answer_id, outbound_message.c.part == part
        )
    )
    known = found.one_or_none()
    # The same message again: it may stand since the first time, and that is where to look for it.
    same = known is not None and known.nonce == nonce
    row = {
        "nonce": nonce,
        "role": role,
        "platform": turn.target.platform if ref is None else ref.platform,
        "message_address": None if ref is None else ref.address,
        "state": "intended" if ref is None else "posted",
        "shown_text": text,
        "intended_at": (known.intended_at if known is not None and same else None) or now,
        "posted_at": None if ref is None else now,
    }
    await connection.execute(
        insert_into(connection, outbound_message)
        .values(answer_id=turn.answer_id, part=part, **row)
        .on_conflict_do_update(index_elements=["answer_id", "part"], set_=row)
    )


async def record_shown(connection: AsyncConnection, turn: Turn, part: int, text: str, now: datetime) -> None:
    await touch(connection, turn, now)
    await connection.execute(
        update(outbound_message)
        .where(outbound_message.c.answer_id == turn.answer_id, outbound_message.c.part == part)
        .values(shown_text=text)
    )


async def record_outcome(connection: AsyncConnection, turn: Turn, outcome: Outcome, now: datetime) -> None:
    await touch(connection, turn, now)
    await connection.execute(
        update(answer)
        .where(answer.c.id == turn.answer_id, answer.c.state.in_(UNFINISHED))
        .values(state=AnswerState.FINALISING, outcome=dump_outcome(outcome))
    )


async def finish(connection: AsyncConnection, turn: Turn, state: AnswerState, error: str, now: datetime) -> None:
    ended = await connection.execute(
        update(conversation)
        .where(owned(turn), conversation.c.active_answer_id == turn.answer_id)
        .values(head=turn.seq, active_answer_id=None, resting=False, updated_at=now)
    )
    if ended.rowcount == 0:
        await require_epoch(connection, turn)
        return
    await forget_pause(connection, turn.answer_id)
    await connection.execute(
        update(answer).where(answer.c.id == turn.answer_id).values(state=state, error=error, finished_at=now)
    )
    await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.conversation_id == turn.conversation_id, inbound_event.c.seq == turn.seq)
        .values(state="answered", answer_id=turn.answer_id)
    )


def _left_behind(row: AnyRow) -> str | None:
    """The backend's message of the attempt that is given up, if the next one is asked in the same backend conversation."""
    if row.going_on is None or row.backend_conversation_id not in (None, row.going_on):
        return None
    left: str | None = row.backend_message_id or row.last_seen_message_id
    return left
