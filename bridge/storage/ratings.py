"""Votes and comments, and the one rating per answer that follows from them. Each function is part of one transaction.

`dirty` says that the backend is to be told. It is judged against what the backend has for certain: once a delivery was begun
and its end is not known, nothing is certain until the next one succeeds.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.feedback import standing
from bridge.messages import AnswerId, AppName, BackendUser, MessageRef, PersonId, Rating
from bridge.storage.claims import conversation_of
from bridge.storage.comments import NO_COMMENTS, Comments, comments_on, keep_comment
from bridge.storage.mapping import (
    AnyRow,
    ids_from,
    load_question,
    load_target,
    rating_from,
    target_from,
    votes_from,
)
from bridge.storage.owning import lock_conversation
from bridge.storage.portable import insert_into, lock_name
from bridge.storage.tables import (
    answer,
    conversation,
    feedback,
    feedback_comment,
    inbound_event,
    outbound_message,
    rating,
)
from bridge.store import Aggregate, Endorsed
from bridge.votes import PendingRating, Vote

SAME_MESSAGE = and_(
    outbound_message.c.platform == feedback.c.platform,
    outbound_message.c.message_address == feedback.c.message_address,
)


async def lock_message(connection: AsyncConnection, message: MessageRef) -> None:
    """For a vote and the recording of its message: whichever comes second must see the other. Taken before any row."""
    await lock_name(connection, f"{message.platform}/{message.address}")


async def record_vote(connection: AsyncConnection, vote: Vote, aggregate: Aggregate, now: datetime) -> bool:
    await lock_message(connection, vote.message)
    state = {
        "rating": vote.rating,
        "active": vote.active,
        "revision": vote.revision,
        "past_answer_id": None,
        "updated_at": now,
    }
    kept = await connection.execute(
        insert_into(connection, feedback)
        .values(
            platform=vote.message.platform,
            message_address=vote.message.address,
            person_id=vote.person,
            source=vote.source,
            **state,
        )
        .on_conflict_do_update(
            index_elements=["platform", "message_address", "person_id", "source"],
            set_=state,
            where=feedback.c.revision < vote.revision,
        )
        .returning(feedback.c.id)
    )
    if kept.scalar_one_or_none() is None:
        return False
    await _recount_answer_of(connection, vote.message, aggregate, now)
    return True


async def record_comment(
    connection: AsyncConnection,
    message: MessageRef,
    person: PersonId,
    text: str,
    revision: int,
    aggregate: Aggregate,
    now: datetime,
) -> bool:
    await lock_message(connection, message)
    if not await keep_comment(connection, message, person, text, revision, now):
        return False
    await _recount_answer_of(connection, message, aggregate, now)
    return True


async def _recount_answer_of(
    connection: AsyncConnection, message: MessageRef, aggregate: Aggregate, now: datetime
) -> None:
    of = await conversation_of(connection, message)
    if of is None:
        return
    # Two votes on one answer are counted one after the other, and its messages stay its own meanwhile.
    await lock_conversation(connection, of)
    found = await connection.execute(
        select(outbound_message.c.answer_id).where(
            outbound_message.c.platform == message.platform, outbound_message.c.message_address == message.address
        )
    )
    row = found.one_or_none()
    if row is not None:
        await recount(connection, AnswerId(row.answer_id), aggregate, now)


async def keep_with(connection: AsyncConnection, old: AnswerId) -> None:
    """What was thought of this answer stays with it, although its messages are about to become another's.

    What somebody is changing at this moment is left out: it is about what comes next, and waiting for it could be for ever.
    """
    for table, key in (
        (feedback, (feedback.c.id,)),
        (feedback_comment, tuple(feedback_comment.primary_key.columns)),
    ):
        found = await connection.execute(
            select(*key)
            .join(
                outbound_message,
                and_(
                    outbound_message.c.platform == table.c.platform,
                    outbound_message.c.message_address == table.c.message_address,
                ),
            )
            .where(outbound_message.c.answer_id == old, table.c.past_answer_id.is_(None))
            .with_for_update(skip_locked=True, of=table)
        )
        for row in found.all():
            same = and_(*(column == value for column, value in zip(key, row, strict=True)))
            await connection.execute(update(table).where(same).values(past_answer_id=old))


async def endorsed(connection: AsyncConnection, message: MessageRef) -> Endorsed | None:
    first = inbound_event.alias()
    found = await connection.execute(
        select(answer.c.id, first.c.person_id, inbound_event.c.payload, conversation.c.reply_target)
        .join(outbound_message, outbound_message.c.answer_id == answer.c.id)
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .join(
            inbound_event,
            and_(inbound_event.c.conversation_id == answer.c.conversation_id, inbound_event.c.seq == answer.c.seq),
        )
        # Who wants an answer once more need not be who asked.
        .join(
            first,
            and_(
                first.c.platform == inbound_event.c.platform,
                first.c.message_address == inbound_event.c.message_address,
                first.c.kind == "message",
            ),
        )
        .where(outbound_message.c.platform == message.platform, outbound_message.c.message_address == message.address)
    )
    row = found.one_or_none()
    if row is None or not row.person_id:
        return None
    votes = await connection.execute(votes_on(AnswerId(row.id)).where(feedback.c.person_id == row.person_id))
    if standing(votes_from(votes.all(), {})).get(PersonId(row.person_id)) is not Rating.LIKE:
        return None
    if row.payload:
        return Endorsed(target=target_from(row.reply_target, load_question(row.payload)))
    return Endorsed(target=None if row.reply_target is None else load_target(row.reply_target))


def votes_on(of: AnswerId) -> Select[*tuple[Any, ...]]:
    return (
        select(feedback)
        .join(outbound_message, SAME_MESSAGE)
        .where(outbound_message.c.answer_id == of, feedback.c.past_answer_id.is_(None))
        .order_by(feedback.c.revision, feedback.c.id)
    )


async def recount(connection: AsyncConnection, of: AnswerId, aggregate: Aggregate, now: datetime) -> None:
    """Works out the rating from all votes on all messages of the answer, and queues it when the backend has another."""
    rows = await connection.execute(votes_on(of))
    comments = (await comments_on(connection, [of])).get(of, NO_COMMENTS)
    votes = votes_from(rows.all(), comments.by_person)
    known = (await connection.execute(select(rating).where(rating.c.answer_id == of))).one_or_none()
    if known is None and not votes and not comments.digest:
        return
    wanted = aggregate(votes)
    opinions = list(standing(votes).values())
    # A change starts a fresh count of attempts but keeps a running pause: the backend that asked for it is the same.
    pausing = known is not None and known.dirty
    same = known is not None and (known.wanted, known.comments_wanted) == (wanted, comments.digest)
    anew = known is None or not known.dirty or not same
    sent = (None, "") if known is None else (known.sent, known.comments_sent)
    values = {
        "wanted": wanted,
        "comments_wanted": comments.digest,
        "dirty": (wanted, comments.digest) != sent or (known is not None and known.uncertain),
        "attempts": 0 if known is None or anew else known.attempts,
        "retry_at": known.retry_at if known is not None and pausing else None,
        "likes": opinions.count(Rating.LIKE),
        "dislikes": opinions.count(Rating.DISLIKE),
        "updated_at": now,
    }
    await connection.execute(
        insert_into(connection, rating)
        .values(answer_id=of, **values)
        .on_conflict_do_update(index_elements=["answer_id"], set_=values)
    )


async def is_any_due(connection: AsyncConnection, now: datetime) -> bool:
    return (await connection.execute(_due(now).limit(1))).first() is not None


async def hand_out(connection: AsyncConnection, now: datetime, limit: int) -> Sequence[PendingRating]:
    """From here on the backend may or may not have them, until somebody says that they were sent."""
    rows = (await connection.execute(_due(now).limit(limit))).all()
    comments = await comments_on(connection, [AnswerId(row.answer_id) for row in rows])
    for row in rows:
        # What was read, which is not what is wanted if another comment came in between.
        handed = comments.get(AnswerId(row.answer_id), NO_COMMENTS).digest
        await connection.execute(
            update(rating).where(rating.c.answer_id == row.answer_id).values(uncertain=True, comments_handed=handed)
        )
    return [_pending(row, comments.get(AnswerId(row.answer_id), NO_COMMENTS)) for row in rows]


def _due(now: datetime) -> Select[*tuple[Any, ...]]:
    """Ratings of answers that the backend has named, so that it can be told which one is meant."""
    return (
        select(
            rating.c.answer_id,
            rating.c.wanted,
            rating.c.attempts,
            rating.c.likes,
            rating.c.dislikes,
            answer.c.backend_conversation_id,
            answer.c.backend_message_id,
            answer.c.task_id,
            answer.c.run_id,
            conversation.c.app,
            func.coalesce(answer.c.backend_user, conversation.c.backend_user).label("backend_user"),
        )
        .join(answer, answer.c.id == rating.c.answer_id)
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .where(
            rating.c.dirty,
            answer.c.backend_message_id.is_not(None),
            or_(rating.c.retry_at.is_(None), rating.c.retry_at <= now),
        )
        .order_by(rating.c.updated_at, rating.c.answer_id)
    )


def _pending(row: AnyRow, comments: Comments) -> PendingRating:
    return PendingRating(
        answer_id=AnswerId(row.answer_id),
        app=AppName(row.app),
        backend_user=BackendUser(row.backend_user),
        ids=ids_from(row),
        rating=rating_from(row.wanted),
        attempts=row.attempts,
        likes=row.likes,
        dislikes=row.dislikes,
        comments=comments.texts,
    )


async def rating_sent(connection: AsyncConnection, of: AnswerId, sent: Rating | None) -> None:
    await connection.execute(
        update(rating)
        .where(rating.c.answer_id == of)
        .values(
            sent=sent,
            comments_sent=rating.c.comments_handed,
            uncertain=False,
            dirty=or_(rating.c.wanted.is_distinct_from(sent), rating.c.comments_wanted != rating.c.comments_handed),
            attempts=0,
            retry_at=None,
        )
    )


async def rating_failed(connection: AsyncConnection, of: AnswerId, retry_at: datetime | None) -> None:
    values: dict[str, object] = {"attempts": rating.c.attempts + 1, "retry_at": retry_at}
    if retry_at is None:
        values["dirty"] = False
    await connection.execute(update(rating).where(rating.c.answer_id == of).values(**values))
