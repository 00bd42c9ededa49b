"""What a start and the housekeeping look for: what waits, text that may go, and what else is remembered."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import AnswerState, AppName, ConversationId, InstallationId, PersonId, PlatformName, ReplyTarget
from bridge.storage.comments import blank_comments
from bridge.storage.mapping import load_question, load_target, target_from
from bridge.storage.portable import insert_into
from bridge.storage.ratings import SAME_MESSAGE
from bridge.storage.tables import answer, bookmark, conversation, feedback, inbound_event, outbound_message
from bridge.store import Usage


async def waiting_conversations(
    connection: AsyncConnection, platforms: Collection[PlatformName]
) -> Sequence[ConversationId]:
    """The question being answered is the one behind the head, so an unfinished answer is found like a question that waits."""
    waiting = await connection.execute(
        select(conversation.c.id)
        .join(
            inbound_event,
            and_(
                inbound_event.c.conversation_id == conversation.c.id,
                inbound_event.c.seq == conversation.c.head + 1,
            ),
        )
        .where(
            conversation.c.head < conversation.c.tail,
            ~conversation.c.resting,
            conversation.c.platform.in_(platforms),
        )
        .order_by(inbound_event.c.id)
    )
    return [ConversationId(row.id) for row in waiting]


async def blank_payloads(connection: AsyncConnection, before: datetime, longer: Mapping[AppName, datetime]) -> int:
    """Texts of answers, kept so that they can be shown again, go with those of their questions. What stands in messages goes in
    any case: what was said is told again by the outcome."""
    shown = select(answer.c.id).where(answer.c.finished_at < before)
    over = (
        select(answer.c.id)
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .where(
            or_(
                and_(conversation.c.app.not_in(longer), answer.c.finished_at < before),
                *(and_(conversation.c.app == app, answer.c.finished_at < then) for app, then in longer.items()),
            )
        )
    )
    blanked = await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.payload != "", inbound_event.c.state == "answered", inbound_event.c.answer_id.in_(over))
        .values(payload="")
    )
    await connection.execute(
        update(outbound_message)
        .where(outbound_message.c.shown_text != "", outbound_message.c.answer_id.in_(shown))
        .values(shown_text="")
    )
    await connection.execute(update(answer).where(answer.c.outcome != "", answer.c.id.in_(over)).values(outcome=""))
    await blank_comments(connection, before)
    return blanked.rowcount


async def usage(
    connection: AsyncConnection, platform: PlatformName, installation: InstallationId, person: PersonId
) -> Usage:
    """A question that was asked again is one question, and an answer with votes on several of its messages is one vote."""
    asked = await connection.execute(
        select(
            func.count().filter(inbound_event.c.kind == "message").label("questions"),
            func.count().filter(answer.c.state == AnswerState.DONE, inbound_event.c.kind != "again").label("answered"),
        )
        .select_from(inbound_event)
        .outerjoin(answer, answer.c.id == inbound_event.c.answer_id)
        .where(
            inbound_event.c.platform == platform,
            inbound_event.c.installation == installation,
            inbound_event.c.person_id == person,
            inbound_event.c.seq.is_not(None),
            inbound_event.c.state != "withdrawn",
        )
    )
    row = asked.one()
    votes = await connection.execute(
        select(func.count(func.coalesce(feedback.c.past_answer_id, outbound_message.c.answer_id).distinct()))
        .join(feedback, SAME_MESSAGE)
        .join(answer, answer.c.id == outbound_message.c.answer_id)
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .where(
            feedback.c.platform == platform,
            feedback.c.person_id == person,
            feedback.c.active,
            conversation.c.installation == installation,
        )
    )
    return Usage(questions=row.questions, answered=row.answered, votes=votes.scalar_one())


async def find_bookmark(connection: AsyncConnection, platform: PlatformName, name: str) -> str | None:
    found = await connection.execute(
        select(bookmark.c.value).where(bookmark.c.platform == platform, bookmark.c.name == name)
    )
    value: str | None = found.scalar_one_or_none()
    return value


async def set_bookmark(
    connection: AsyncConnection, platform: PlatformName, name: str, value: str, now: datetime
) -> None:
    kept = {"value": value, "updated_at": now}
    await connection.execute(
        insert_into(connection, bookmark)
        .values(platform=platform, name=name, **kept)
        .on_conflict_do_update(index_elements=["platform", "name"], set_=kept)
    )


async def recent_targets(
    connection: AsyncConnection, platform: PlatformName, since: datetime, limit: int
) -> Sequence[ReplyTarget]:
    """A conversation that never moved is answered where its last question was, as long as the text of one is kept."""
    latest = (
        select(func.max(inbound_event.c.seq))
        .where(inbound_event.c.conversation_id == conversation.c.id, inbound_event.c.payload != "")
        .correlate(conversation)
        .scalar_subquery()
    )
    rows = await connection.execute(
        select(conversation.c.reply_target, inbound_event.c.payload)
        .outerjoin(
            inbound_event, and_(inbound_event.c.conversation_id == conversation.c.id, inbound_event.c.seq == latest)
        )
        .where(
            conversation.c.platform == platform,
            conversation.c.updated_at >= since,
            or_(conversation.c.reply_target.is_not(None), inbound_event.c.payload.is_not(None)),
        )
        .order_by(conversation.c.updated_at.desc(), conversation.c.id.desc())
        .limit(limit)
    )
    return [
        load_target(row.reply_target)
        if row.payload is None
        else target_from(row.reply_target, load_question(row.payload))
        for row in rows
    ]
