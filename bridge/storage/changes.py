"""What people want otherwise after they asked: a stop, another wording, nothing at all. Each function is part of one transaction.

What they want is recorded; it is done by whoever owns the turn, who reads it as `Orders`, or by the next owner.
"""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import (
    AskedQuestion,
    ConversationId,
    EventId,
    MessageRef,
    StopReason,
)
from bridge.questions import as_edited
from bridge.storage.claims import ONCE_MORE, claim, claim_wish, is_claimed
from bridge.storage.mapping import AnyRow, dump_question, load_question
from bridge.storage.owning import RUNNING, lock_conversation
from bridge.storage.portable import storable
from bridge.storage.tables import answer, inbound_event, outbound_message
from bridge.store import Change, StopResult, Touched

NOTHING = Change(touched=Touched.NOTHING)


async def revise(
    connection: AsyncConnection,
    event_id: EventId,
    question: AskedQuestion,
    revision: int,
    *,
    running: bool,
    now: datetime,
) -> Change:
    found = await _lock_question(connection, question.ref)
    if found is None:
        return NOTHING
    place, asked = found
    touched, at_work = await _look(connection, place, asked)
    if touched is Touched.NOTHING or asked.state == "withdrawn" or revision <= asked.edit_revision:
        return NOTHING
    if touched is Touched.RUNNING and (not running or (at_work and at_work.stop_reason == StopReason.WITHDRAWN)):
        return NOTHING
    before = load_question(asked.payload)
    if _says_the_same(before, question):
        return NOTHING
    await _note(connection, place, event_id, question.ref, "edit", revision, now)
    await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.id == asked.id)
        .values(payload=dump_question(as_edited(before, question)), edit_revision=revision)
    )
    return Change(touched=touched, conversation_id=ConversationId(place.id))


async def withdraw(connection: AsyncConnection, event_id: EventId, ref: MessageRef, now: datetime) -> Change:
    """A second deletion of the same message is told as the first was, so that a nudge that was lost is given again."""
    found = await _lock_question(connection, ref)
    if found is None:
        return NOTHING
    place, asked = found
    touched, at_work = await _look(connection, place, asked)
    if touched is Touched.NOTHING:
        return NOTHING
    await _note(connection, place, event_id, ref, "delete", 0, now)
    if at_work is None:
        # Whoever deletes a message wants its text to be gone.
        await connection.execute(
            update(inbound_event).where(inbound_event.c.id == asked.id).values(state="withdrawn", payload="")
        )
    else:
        await connection.execute(
            update(answer)
            .where(answer.c.id == at_work.id)
            .values(stop_reason=StopReason.WITHDRAWN, stop_requested_at=func.coalesce(answer.c.stop_requested_at, now))
        )
    return Change(touched=touched, conversation_id=ConversationId(place.id))


async def request_stop(
    connection: AsyncConnection,
    event_id: EventId,
    of: ConversationId,
    *,
    by: MessageRef | None,
    message: MessageRef | None,
    now: datetime,
) -> StopResult:
    place = await lock_conversation(connection, of)
    if place is None:
        return StopResult.NOTHING_RUNS
    if await is_claimed(connection, place.platform, place.installation, event_id):
        return StopResult.DUPLICATE
    if by is not None and await _is_claimed_message(connection, by):
        return StopResult.DUPLICATE
    at_work = await _running(connection, place)
    if at_work is None or (message is not None and not await _is_part(connection, message, at_work.id)):
        return StopResult.NOTHING_RUNS
    if by is None:
        # Two people may press the same button, so it is not the pressed message that is claimed.
        claimed = await claim_wish(connection, place, event_id, "stop", now)
    else:
        claimed = await _note(connection, place, event_id, by, "message", 0, now)
    if not claimed:
        return StopResult.DUPLICATE
    await connection.execute(
        update(answer)
        .where(answer.c.id == at_work.id)
        .values(
            stop_reason=func.coalesce(answer.c.stop_reason, StopReason.MEMBER),
            stop_requested_at=func.coalesce(answer.c.stop_requested_at, now),
        )
    )
    return StopResult.STOPPING


def _says_the_same(one: AskedQuestion, other: AskedQuestion) -> bool:
    """Platforms report more as an edit than people do: a preview of a link that was added, a thread that was opened."""
    return (storable(one.text), one.attachments, one.named) == (storable(other.text), other.attachments, other.named)


async def _lock_question(connection: AsyncConnection, ref: MessageRef) -> tuple[AnyRow, AnyRow] | None:
    """The conversation, locked, and the question as it is then. Asked again, a message is several questions: the newest."""
    query = (
        select(inbound_event)
        .where(
            inbound_event.c.platform == ref.platform,
            inbound_event.c.message_address == ref.address,
            inbound_event.c.kind.in_(("message", *ONCE_MORE)),
            inbound_event.c.seq.is_not(None),
        )
        .order_by(inbound_event.c.seq.desc())
        .limit(1)
    )
    before = (await connection.execute(query)).one_or_none()
    if before is None:
        return None
    place = await lock_conversation(connection, ConversationId(before.conversation_id))
    if place is None:
        return None
    return place, (await connection.execute(query)).one()


async def _look(connection: AsyncConnection, place: AnyRow, asked: AnyRow) -> tuple[Touched, AnyRow | None]:
    """What a change to this question would touch, and the answer if it runs."""
    if asked.seq <= place.head:
        return Touched.NOTHING, None
    if place.active_answer_id is None or asked.seq > place.head + 1:
        return Touched.WAITING, None
    at_work = await _running(connection, place)
    return (Touched.NOTHING, None) if at_work is None else (Touched.RUNNING, at_work)


async def _running(connection: AsyncConnection, place: AnyRow) -> AnyRow | None:
    found = await connection.execute(
        select(answer.c.id, answer.c.stop_reason).where(
            answer.c.id == place.active_answer_id, answer.c.state.in_(RUNNING)
        )
    )
    return found.one_or_none()


async def _note(
    connection: AsyncConnection,
    place: AnyRow,
    event_id: EventId,
    ref: MessageRef,
    kind: str,
    revision: int,
    now: datetime,
) -> bool:
    """Keeps the event of a message for the record. Whether an edit or a deletion is done twice is told by the question itself."""
    return await claim(
        connection,
        platform=ref.platform,
        installation=place.installation,
        event_id=event_id,
        message_address=ref.address,
        kind=kind,
        revision=revision,
        conversation_id=place.id,
        payload="",
        state="handled",
        received_at=now,
    )


async def _is_claimed_message(connection: AsyncConnection, ref: MessageRef) -> bool:
    found = await connection.execute(
        select(inbound_event.c.id).where(
            inbound_event.c.platform == ref.platform,
            inbound_event.c.message_address == ref.address,
            inbound_event.c.kind == "message",
        )
    )
    return found.first() is not None


async def _is_part(connection: AsyncConnection, message: MessageRef, of: int) -> bool:
    found = await connection.execute(
        select(outbound_message.c.id).where(
            outbound_message.c.platform == message.platform,
            outbound_message.c.message_address == message.address,
            outbound_message.c.answer_id == of,
        )
    )
    return found.one_or_none() is not None
