"""Answers that are to be read aloud: each once, however many people want it. Each function is part of one transaction."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.archive import Utterance
from bridge.messages import AnswerId, AnswerState, AppName, BackendUser, EventId, MessageRef
from bridge.storage.claims import claim
from bridge.storage.mapping import AnyRow, ids_from, load_outcome, load_question, load_target, target_from
from bridge.storage.past import ASKED_AS
from bridge.storage.tables import answer, conversation, inbound_event, outbound_message

STALE = timedelta(minutes=10)
"""Whoever began to read it aloud that long ago is gone."""


async def begin_speaking(
    connection: AsyncConnection, event_id: EventId, message: MessageRef, now: datetime
) -> Utterance | None:
    row = await _answer_of(connection, message)
    if row is None or not (row.reply_target or row.payload):
        return None
    address = _address(row.installation, AnswerId(row.answer_id))
    await connection.execute(
        delete(inbound_event).where(
            inbound_event.c.platform == message.platform,
            inbound_event.c.message_address == address,
            inbound_event.c.kind == "speak",
            inbound_event.c.state == "speaking",
            inbound_event.c.received_at < now - STALE,
        )
    )
    claimed = await claim(
        connection,
        platform=message.platform,
        installation=row.installation,
        event_id=event_id,
        message_address=address,
        kind="speak",
        conversation_id=row.conversation_id,
        payload="",
        state="speaking",
        received_at=now,
    )
    if not claimed:
        return None
    said = load_outcome(row.outcome)
    return Utterance(
        answer=AnswerId(row.answer_id),
        installation=row.installation,
        app=AppName(row.app),
        user=BackendUser(row.asked_as),
        ids=ids_from(row),
        text=said.text if said else "",
        target=(
            target_from(row.reply_target, load_question(row.payload)) if row.payload else load_target(row.reply_target)
        ),
    )


async def spoken(connection: AsyncConnection, utterance: Utterance) -> None:
    await connection.execute(update(inbound_event).where(_claim_of(utterance)).values(state="handled"))


async def not_spoken(connection: AsyncConnection, utterance: Utterance) -> None:
    await connection.execute(delete(inbound_event).where(_claim_of(utterance)))


async def _answer_of(connection: AsyncConnection, message: MessageRef) -> AnyRow | None:
    found = await connection.execute(
        select(
            answer.c.id.label("answer_id"),
            answer.c.outcome,
            answer.c.backend_conversation_id,
            answer.c.backend_message_id,
            answer.c.task_id,
            answer.c.run_id,
            conversation.c.id.label("conversation_id"),
            conversation.c.installation,
            conversation.c.app,
            conversation.c.reply_target,
            ASKED_AS.label("asked_as"),
            inbound_event.c.payload,
        )
        .join(outbound_message, outbound_message.c.answer_id == answer.c.id)
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .join(
            inbound_event,
            and_(inbound_event.c.conversation_id == answer.c.conversation_id, inbound_event.c.seq == answer.c.seq),
        )
        .where(
            outbound_message.c.platform == message.platform,
            outbound_message.c.message_address == message.address,
            answer.c.state == AnswerState.DONE,
            answer.c.backend_message_id.is_not(None),
        )
    )
    return found.one_or_none()


def _claim_of(utterance: Utterance) -> ColumnElement[bool]:
    return and_(
        inbound_event.c.platform == utterance.target.platform,
        inbound_event.c.message_address == _address(utterance.installation, utterance.answer),
        inbound_event.c.kind == "speak",
    )


def _address(installation: str, of: AnswerId) -> str:
    return f"{installation}/answer/{of}"
