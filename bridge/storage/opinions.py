"""What each person thinks of an answer, read from the votes; and how far a backend was told, as rows."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, or_, select

from bridge.feedback import standing
from bridge.messages import AnswerId, AppName, BackendUser
from bridge.opinions import DueOpinions, Opinion, Opinions
from bridge.storage.comments import NO_COMMENTS, comments_on
from bridge.storage.mapping import ids_from, votes_from
from bridge.storage.portable import insert_into
from bridge.storage.ratings import votes_on
from bridge.storage.store import SqlStore
from bridge.storage.tables import answer, conversation, opinions_told, rating
from bridge.storage.whole import whole
from bridge.votes import Vote


class SqlOpinions:
    """Implements `OpinionStore` in the store's own database."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    @whole
    async def due(self, apps: Collection[AppName], now: datetime, limit: int) -> Sequence[DueOpinions]:
        if not apps:
            return []
        async with self._store.reading() as connection:
            rows = (await connection.execute(_due(apps, now).limit(limit))).all()
            comments = await comments_on(connection, [AnswerId(row.answer_id) for row in rows])
            found = []
            for row in rows:
                of = AnswerId(row.answer_id)
                votes = await connection.execute(votes_on(of))
                by_person = comments.get(of, NO_COMMENTS).by_person
                found.append(
                    DueOpinions(
                        answer_id=of,
                        app=AppName(row.app),
                        backend_user=BackendUser(row.backend_user),
                        ids=ids_from(row),
                        opinions=opinions_of(votes_from(votes.all(), by_person)),
                        attempts=row.attempts or 0,
                        mark=row.updated_at,
                    )
                )
            return found

    @whole
    async def told(self, of: AnswerId, mark: datetime) -> None:
        await self._note(of, told_at=mark, attempts=0, retry_at=None)

    @whole
    async def failed(self, of: AnswerId, mark: datetime, retry_at: datetime | None) -> None:
        if retry_at is None:
            await self._note(of, told_at=mark, attempts=0, retry_at=None)
        else:
            await self._note(of, attempts=1, retry_at=retry_at)

    async def _note(self, of: AnswerId, **values: object) -> None:
        changed = dict(values)
        if values["attempts"]:
            changed["attempts"] = opinions_told.c.attempts + 1
        async with self._store.writing() as connection:
            await connection.execute(
                insert_into(connection, opinions_told)
                .values(answer_id=of, **values)
                .on_conflict_do_update(index_elements=["answer_id"], set_=changed)
            )


def opinions_of(votes: Sequence[Vote]) -> Opinions:
    now = standing(votes)
    return {
        f"{vote.message.platform}:{vote.person}": Opinion(rating=now.get(vote.person), comment=vote.comment)
        for vote in votes
    }


def _due(apps: Collection[AppName], now: datetime) -> Select[*tuple[Any, ...]]:
    """A rating is counted anew with every vote and comment, and dated; what was told is known by that date."""
    return (
        select(
            rating.c.answer_id,
            rating.c.updated_at,
            opinions_told.c.attempts,
            answer.c.backend_conversation_id,
            answer.c.backend_message_id,
            answer.c.task_id,
            answer.c.run_id,
            conversation.c.app,
            conversation.c.backend_user,
        )
        .join(answer, answer.c.id == rating.c.answer_id)
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .outerjoin(opinions_told, opinions_told.c.answer_id == rating.c.answer_id)
        .where(
            conversation.c.app.in_(list(apps)),
            answer.c.backend_message_id.is_not(None),
            opinions_told.c.told_at.is_distinct_from(rating.c.updated_at),
            or_(opinions_told.c.retry_at.is_(None), opinions_told.c.retry_at <= now),
        )
        .order_by(rating.c.updated_at, rating.c.answer_id)
    )
