"""How a turn begins, or is taken over. Each function is part of one transaction.

A conversation has at most one unfinished answer (`active_answer_id`). While there is one nothing new begins, whoever asks:
either its owner is still at work, or it died and the next owner takes the answer over and finishes it first. So no question
is ever begun twice, and none is passed over but withdrawn ones.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, case, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.errors import StoreUnavailable
from bridge.history_api import PastTurn
from bridge.messages import AnswerId, AnswerState, BackendMessageId, ConversationId, SentPart, Turn
from bridge.storage.claims import ONCE_MORE
from bridge.storage.mapping import AnyRow, is_superseded, load_outcome, load_question, part_from, stop_from, turn_from
from bridge.storage.owning import UNFINISHED, fenced, lock_conversation
from bridge.storage.retries import take_over
from bridge.storage.tables import answer, conversation, inbound_event, outbound_message
from bridge.store import Aggregate, Orders

_ITS_QUESTION = and_(inbound_event.c.conversation_id == answer.c.conversation_id, inbound_event.c.seq == answer.c.seq)


async def begin_next(
    connection: AsyncConnection, of: ConversationId, epoch: int | None, aggregate: Aggregate, now: datetime
) -> Turn | None:
    place = await lock_conversation(connection, of)
    if place is None:
        return None
    if epoch is not None and place.epoch != epoch:
        raise fenced(of, epoch)
    mine = place.epoch + 1 if epoch is None else epoch
    if place.active_answer_id is not None:
        if place.resting or (epoch is not None and not await _is_paused(connection, place.active_answer_id)):
            return None
        await _put(connection, of, now, epoch=mine)
        return await load_turn(connection, AnswerId(place.active_answer_id))
    following = await _following(connection, place)
    if following is None:
        if place.head < place.tail:
            await _put(connection, of, now, head=place.tail)
        return None
    begun = await _insert_answer(connection, of, following.seq, mine, now)
    await _put(connection, of, now, epoch=mine, head=following.seq - 1, active_answer_id=begun)
    if following.kind in ONCE_MORE:
        await take_over(connection, AnswerId(following.revision), begun, aggregate, now)
    return await load_turn(connection, begun)


async def load_turn(connection: AsyncConnection, of: AnswerId) -> Turn:
    """The turn of an unfinished answer, as it is recorded now."""
    found = await connection.execute(
        select(
            conversation.c.id.label("conversation_id"),
            conversation.c.epoch,
            conversation.c.app,
            func.coalesce(answer.c.backend_user, conversation.c.backend_user).label("backend_user"),
            conversation.c.backend_conversation_id.label("going_on"),
            conversation.c.poisoned,
            and_(conversation.c.fresh_after > 0, conversation.c.fresh_after < answer.c.seq).label("fresh"),
            conversation.c.reply_target,
            inbound_event.c.payload,
            inbound_event.c.edit_revision,
            answer.c.id.label("answer_id"),
            answer.c.seq,
            answer.c.state,
            answer.c.attempt,
            answer.c.asked_revision,
            answer.c.last_seen_message_id,
            answer.c.backend_conversation_id,
            answer.c.backend_message_id,
            answer.c.task_id,
            answer.c.run_id,
            answer.c.stop_reason,
            answer.c.outcome,
        )
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .join(inbound_event, _ITS_QUESTION)
        .where(answer.c.id == of)
    )
    row = found.one_or_none()
    if row is None:
        raise StoreUnavailable(f"the question of answer {of} is missing")
    return turn_from(row, await _parts_of(connection, of), await _last_seen(connection, row))


async def find_orders(connection: AsyncConnection, turn: Turn) -> Orders:
    found = await connection.execute(
        select(
            conversation.c.epoch,
            inbound_event.c.payload,
            inbound_event.c.edit_revision,
            answer.c.state,
            answer.c.asked_revision,
            answer.c.stop_reason,
        )
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .join(inbound_event, _ITS_QUESTION)
        .where(answer.c.id == turn.answer_id)
    )
    row = found.one_or_none()
    if row is None or row.epoch != turn.epoch:
        raise fenced(turn.conversation_id, turn.epoch)
    wanted = load_question(row.payload) if is_superseded(row) and row.payload else None
    return Orders(stop=stop_from(row.stop_reason), question=wanted)


async def recent_turns(connection: AsyncConnection, turn: Turn, limit: int) -> Sequence[PastTurn]:
    """Answers that were asked for again do not count: what was said then is in the newer one. Nor does what was forgotten on
    purpose, except to a turn that was begun before."""
    again = inbound_event.alias()
    fresh_after = (
        select(case((conversation.c.fresh_after < turn.seq, conversation.c.fresh_after), else_=0))
        .where(conversation.c.id == turn.conversation_id)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(inbound_event.c.payload, answer.c.outcome)
        .join(answer, _ITS_QUESTION)
        .where(
            answer.c.conversation_id == turn.conversation_id,
            answer.c.seq < turn.seq,
            answer.c.seq > fresh_after,
            answer.c.state.not_in(UNFINISHED),
            answer.c.outcome != "",
            # In JSON a quotation mark within a text is escaped, so this is the field and nothing that was said.
            ~answer.c.outcome.contains('"text":""', autoescape=True),
            inbound_event.c.payload != "",
            ~exists().where(
                again.c.platform == inbound_event.c.platform,
                again.c.message_address == inbound_event.c.message_address,
                again.c.kind.in_(ONCE_MORE),
                again.c.revision == answer.c.id,
            ),
        )
        .order_by(answer.c.seq.desc())
        .limit(limit)
    )
    past = [(load_question(row.payload), load_outcome(row.outcome)) for row in rows]
    return [
        PastTurn(question=asked.told or asked.words, answer=said.text, attachments=asked.attachments)
        for asked, said in reversed(past)
        if said is not None
    ]


async def _is_paused(connection: AsyncConnection, of: int) -> bool:
    found = await connection.execute(select(answer.c.state).where(answer.c.id == of))
    return bool(found.scalar_one_or_none() == AnswerState.PAUSED)


async def _following(connection: AsyncConnection, place: AnyRow) -> AnyRow | None:
    found = await connection.execute(
        select(inbound_event.c.seq, inbound_event.c.kind, inbound_event.c.revision)
        .where(
            inbound_event.c.conversation_id == place.id,
            inbound_event.c.seq > place.head,
            inbound_event.c.state == "new",
        )
        .order_by(inbound_event.c.seq)
        .limit(1)
    )
    return found.one_or_none()


async def _put(connection: AsyncConnection, of: ConversationId, now: datetime, **values: object) -> None:
    await connection.execute(update(conversation).where(conversation.c.id == of).values(updated_at=now, **values))


async def _insert_answer(
    connection: AsyncConnection, of: ConversationId, seq: int, epoch: int, now: datetime
) -> AnswerId:
    made = await connection.execute(
        insert(answer)
        .values(conversation_id=of, seq=seq, attempt=0, epoch=epoch, state=AnswerState.PLANNED, created_at=now)
        .returning(answer.c.id)
    )
    return AnswerId(made.scalar_one())


async def _parts_of(connection: AsyncConnection, of: AnswerId) -> list[SentPart]:
    rows = await connection.execute(
        select(outbound_message, answer.c.created_at.label("answer_made_at"))
        .join(answer, answer.c.id == outbound_message.c.answer_id)
        .where(outbound_message.c.answer_id == of)
        .order_by(outbound_message.c.part)
    )
    return [part_from(row) for row in rows]


async def _last_seen(connection: AsyncConnection, row: AnyRow) -> BackendMessageId | None:
    """The newest message that the backend had in this conversation before it was asked (again)."""
    if row.last_seen_message_id is not None:
        return BackendMessageId(row.last_seen_message_id)
    within = row.backend_conversation_id or row.going_on
    if within is None:
        return None
    found = await connection.execute(
        select(answer.c.backend_message_id)
        .where(
            # Also what was asked in it elsewhere, before it went on here.
            answer.c.id < row.answer_id,
            answer.c.backend_conversation_id == within,
            answer.c.backend_message_id.is_not(None),
        )
        .order_by(answer.c.id.desc())
        .limit(1)
    )
    seen: str | None = found.scalar_one_or_none()
    return None if seen is None else BackendMessageId(seen)
