"""Answers that wait for people. Each function is part of one transaction.

A conversation whose unfinished answer has nothing to be done about it is marked as resting; everything that looks for work
passes it by. Its row is the lock, as for everything else.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import (
    AnswerId,
    AnswerState,
    AppName,
    BackendUser,
    ConversationId,
    ConversationKey,
    EventId,
    MessageRef,
    PlatformName,
    Turn,
)
from bridge.pauses import DuePause, Given, OpenForm, Pause, PauseStep
from bridge.pauses_api import Gave, GiveResult
from bridge.storage.mapping import (
    AnyRow,
    conversation_in,
    dump_pause,
    ids_from,
    is_superseded,
    load_pause,
    load_question,
    target_from,
)
from bridge.storage.owning import UNFINISHED, lock_conversation, touch
from bridge.storage.portable import insert_into
from bridge.storage.tables import answer, conversation, inbound_event, outbound_message, pause

_OVER = Gave(result=GiveResult.OVER)


async def pause_of(connection: AsyncConnection, of: AnswerId) -> Pause | None:
    found = await connection.execute(select(pause.c.payload).where(pause.c.answer_id == of))
    payload: str | None = found.scalar_one_or_none()
    return None if payload is None else load_pause(payload)


async def waits_for_people(connection: AsyncConnection, of: int | None) -> bool:
    found = None if of is None else await pause_of(connection, AnswerId(of))
    return found is not None and found.step is PauseStep.WAITING


async def record_paused(connection: AsyncConnection, turn: Turn, wanted: Pause, now: datetime) -> Pause:
    await touch(connection, turn, now, resting=False)
    known = await pause_of(connection, turn.answer_id)
    if (
        known is not None
        and known.number == wanted.number
        and known.step is PauseStep.GIVEN
        and wanted.step is PauseStep.WAITING
    ):
        # Somebody answered while this was on its way to be told again.
        wanted = replace(wanted, step=known.step, given=known.given)
    kept = {"number": wanted.number, "payload": dump_pause(wanted), "updated_at": now}
    again = {**kept, "event_id": ""} if known is not None and known.number != wanted.number else kept
    if known is None or known.number != wanted.number:
        again["remind_at"], again["reminded"] = None, False
    await connection.execute(
        insert_into(connection, pause)
        .values(answer_id=turn.answer_id, **kept)
        .on_conflict_do_update(index_elements=["answer_id"], set_=again)
    )
    await connection.execute(
        update(answer)
        .where(answer.c.id == turn.answer_id, answer.c.state.in_(UNFINISHED))
        .values(state=AnswerState.PAUSED)
    )
    return wanted


async def forget_pause(connection: AsyncConnection, of: AnswerId) -> None:
    await connection.execute(delete(pause).where(pause.c.answer_id == of))


async def rest(
    connection: AsyncConnection,
    turn: Turn,
    seen: Pause,
    *,
    look_at: datetime,
    remind_at: datetime | None,
    now: datetime,
) -> bool:
    await touch(connection, turn, now)
    row = await _question_and_answer(connection, turn.answer_id)
    known = await _row_of(connection, turn.answer_id)
    if row is None or known is None or row.state != AnswerState.PAUSED:
        return False
    kept = load_pause(known.payload)
    if row.stop_reason is not None or is_superseded(row) or (kept.number, kept.step) != (seen.number, seen.step):
        return False
    await connection.execute(
        update(pause)
        .where(pause.c.answer_id == turn.answer_id)
        .values(look_at=look_at, remind_at=None if known.reminded else known.remind_at or remind_at)
    )
    await connection.execute(update(conversation).where(conversation.c.id == turn.conversation_id).values(resting=True))
    return True


async def open_form(connection: AsyncConnection, message: MessageRef, within: ConversationKey) -> OpenForm | None:
    found = await connection.execute(
        select(outbound_message.c.answer_id).where(
            outbound_message.c.platform == message.platform, outbound_message.c.message_address == message.address
        )
    )
    of = found.scalar_one_or_none()
    if of is None:
        place = (
            conversation.c.platform == within.platform,
            conversation.c.installation == within.installation,
            conversation.c.channel_id == within.channel,
            conversation.c.thread_id == within.thread,
            conversation.c.user_key == within.person,
        )
        there = select(conversation.c.active_answer_id).join(
            pause, pause.c.answer_id == conversation.c.active_answer_id
        )
        of = (await connection.execute(there.where(*place).limit(1))).scalar_one_or_none()
    if of is None:
        return None
    row, waits_for = await _question_and_answer(connection, AnswerId(of)), await pause_of(connection, AnswerId(of))
    if row is None or waits_for is None or not row.payload or row.state not in UNFINISHED:
        return None
    question = load_question(row.payload)
    return OpenForm(
        answer=AnswerId(of),
        conversation=ConversationId(row.conversation_id),
        app=AppName(row.app),
        asker=question.author,
        target=target_from(row.reply_target, question),
        pause=waits_for,
        stopped=row.stop_reason is not None,
    )


async def give(
    connection: AsyncConnection, event_id: EventId, of: AnswerId, number: int, given: Given, now: datetime
) -> Gave:
    found = await connection.execute(select(answer.c.conversation_id).where(answer.c.id == of))
    within = found.scalar_one_or_none()
    place = None if within is None else await lock_conversation(connection, ConversationId(within))
    if place is None or place.active_answer_id != of:
        return _OVER
    row = await _question_and_answer(connection, of)
    known = await _row_of(connection, of)
    if row is None or known is None or known.number != number or row.stop_reason is not None:
        return _OVER
    where = ConversationId(place.id)
    kept = load_pause(known.payload)
    if kept.step is not PauseStep.WAITING:
        if known.event_id == event_id:
            return Gave(result=GiveResult.TAKEN, conversation=where)
        return Gave(result=GiveResult.EARLIER, conversation=where, by=kept.given.name if kept.given else "")
    if kept.is_late:
        return _OVER
    taken = replace(kept, step=PauseStep.GIVEN, given=given)
    await connection.execute(
        update(pause)
        .where(pause.c.answer_id == of)
        .values(payload=dump_pause(taken), event_id=event_id, remind_at=None, updated_at=now)
    )
    return Gave(result=GiveResult.TAKEN, conversation=where)


async def conversation_of_resting(connection: AsyncConnection, of: AnswerId) -> ConversationId | None:
    found = await connection.execute(
        select(conversation.c.id).where(conversation.c.active_answer_id == of, conversation.c.resting)
    )
    value: int | None = found.scalar_one_or_none()
    return None if value is None else ConversationId(value)


async def end_rest(connection: AsyncConnection, of: ConversationId) -> bool:
    """False: it did not rest."""
    ended = await connection.execute(
        update(conversation).where(conversation.c.id == of, conversation.c.resting).values(resting=False)
    )
    return ended.rowcount > 0


async def due_pauses(
    connection: AsyncConnection, platforms: Collection[PlatformName], now: datetime, again_at: datetime, limit: int
) -> Sequence[DuePause]:
    """Taken by moving their time: whoever comes second finds them not due."""
    resting = (
        select(answer.c.id)
        .join(conversation, conversation.c.active_answer_id == answer.c.id)
        .where(conversation.c.resting, conversation.c.platform.in_(platforms))
    )
    chosen = (
        select(pause.c.answer_id)
        .where(pause.c.look_at <= now, pause.c.answer_id.in_(resting))
        .order_by(pause.c.look_at)
        .limit(limit)
    )
    taken = await connection.execute(
        update(pause)
        .where(pause.c.answer_id.in_(chosen), pause.c.look_at <= now)
        .values(look_at=again_at)
        .returning(pause.c.answer_id, pause.c.payload, pause.c.remind_at, pause.c.reminded)
    )
    due: list[DuePause] = []
    for one in taken.all():
        remind = one.remind_at is not None and one.remind_at <= now and not one.reminded
        if remind:
            await connection.execute(update(pause).where(pause.c.answer_id == one.answer_id).values(reminded=True))
        row = await _question_and_answer(connection, AnswerId(one.answer_id))
        if row is None or not row.payload:
            continue
        ids = ids_from(row)
        due.append(
            DuePause(
                answer=AnswerId(one.answer_id),
                conversation=ConversationId(row.conversation_id),
                app=AppName(row.app),
                backend_user=BackendUser(row.backend_user),
                ids=ids if ids.conversation is not None else replace(ids, conversation=conversation_in(row)),
                target=target_from(row.reply_target, load_question(row.payload)),
                pause=load_pause(one.payload),
                remind=remind,
            )
        )
    return due


async def is_any_due(connection: AsyncConnection, now: datetime) -> bool:
    found = await connection.execute(select(pause.c.answer_id).where(pause.c.look_at <= now).limit(1))
    return found.first() is not None


async def _row_of(connection: AsyncConnection, of: AnswerId) -> AnyRow | None:
    return (await connection.execute(select(pause).where(pause.c.answer_id == of))).one_or_none()


async def _question_and_answer(connection: AsyncConnection, of: AnswerId) -> AnyRow | None:
    found = await connection.execute(
        select(
            conversation.c.app,
            conversation.c.backend_user,
            conversation.c.backend_conversation_id.label("going_on"),
            conversation.c.reply_target,
            inbound_event.c.payload,
            inbound_event.c.edit_revision,
            answer.c.conversation_id,
            answer.c.state,
            answer.c.asked_revision,
            answer.c.stop_reason,
            answer.c.backend_conversation_id,
            answer.c.backend_message_id,
            answer.c.task_id,
            answer.c.run_id,
        )
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .join(
            inbound_event,
            (inbound_event.c.conversation_id == answer.c.conversation_id) & (inbound_event.c.seq == answer.c.seq),
        )
        .where(answer.c.id == of)
    )
    return found.one_or_none()
