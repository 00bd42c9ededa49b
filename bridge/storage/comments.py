"""Why people think so of an answer, in their own words. Each function is part of one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from sqlalchemy import and_, exists, func, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import AnswerId, MessageRef, PersonId
from bridge.storage.mapping import AnyRow
from bridge.storage.portable import insert_into
from bridge.storage.tables import answer, feedback_comment, outbound_message, rating

_SAME_MESSAGE = and_(
    outbound_message.c.platform == feedback_comment.c.platform,
    outbound_message.c.message_address == feedback_comment.c.message_address,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comments:
    """Those on one answer: the latest of each person, on whichever of its messages."""

    by_person: Mapping[PersonId, str] = field(default_factory=dict)
    """The oldest first."""
    digest: str = ""
    """Another one as soon as anybody said anything new, and the same when a text was blanked. Empty: there are none."""

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(text for text in self.by_person.values() if text)


NO_COMMENTS = Comments()


async def keep_comment(
    connection: AsyncConnection, message: MessageRef, person: PersonId, text: str, revision: int, now: datetime
) -> bool:
    said = {"text": text, "revision": revision, "past_answer_id": None, "updated_at": now}
    kept = await connection.execute(
        insert_into(connection, feedback_comment)
        .values(platform=message.platform, message_address=message.address, person_id=person, **said)
        .on_conflict_do_update(
            index_elements=["platform", "message_address", "person_id"],
            set_=said,
            where=feedback_comment.c.revision < revision,
        )
        .returning(feedback_comment.c.revision)
    )
    return kept.scalar_one_or_none() is not None


async def comments_on(connection: AsyncConnection, answers: Sequence[AnswerId]) -> dict[AnswerId, Comments]:
    """Answers without any are left out. What was said of an answer that was replaced since, was said of that one."""
    said = (feedback_comment.c.person_id, feedback_comment.c.text, feedback_comment.c.revision)
    joined = outbound_message.join(feedback_comment, _SAME_MESSAGE)
    now = select(outbound_message.c.answer_id, outbound_message.c.part, *said).select_from(joined)
    past = select(feedback_comment.c.past_answer_id, outbound_message.c.part, *said).select_from(joined)
    found = union_all(
        now.where(outbound_message.c.answer_id.in_(answers), feedback_comment.c.past_answer_id.is_(None)),
        past.where(feedback_comment.c.past_answer_id.in_(answers)),
    ).subquery()
    rows = await connection.execute(select(found).order_by(found.c.revision, found.c.part, found.c.person_id))
    latest: dict[AnswerId, dict[PersonId, AnyRow]] = {}
    for row in rows:
        of_answer = latest.setdefault(AnswerId(row.answer_id), {})
        # Taken out first, so that the order is that of the latest ones.
        of_answer.pop(PersonId(row.person_id), None)
        of_answer[PersonId(row.person_id)] = row
    return {
        of: Comments(by_person={person: row.text for person, row in found.items()}, digest=_digest(found))
        for of, found in latest.items()
    }


async def blank_comments(connection: AsyncConnection, before: datetime) -> None:
    """Removes what was said before then, except what the backend is still to be told."""
    to_be_told = exists().where(
        _SAME_MESSAGE,
        rating.c.answer_id == func.coalesce(feedback_comment.c.past_answer_id, outbound_message.c.answer_id),
        answer.c.id == rating.c.answer_id,
        rating.c.dirty,
        answer.c.backend_message_id.is_not(None),
    )
    await connection.execute(
        update(feedback_comment)
        .where(feedback_comment.c.text != "", feedback_comment.c.updated_at < before, ~to_be_told)
        .values(text="")
    )


def _digest(found: Mapping[PersonId, AnyRow]) -> str:
    return sha256("\n".join(f"{row.revision} {person}" for person, row in found.items()).encode()).hexdigest()[:32]
