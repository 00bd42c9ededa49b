"""What was said earlier: found for who may go on with it, moved to where that shall be. Each function is part of one transaction.

A backend's conversation goes on in at most one of ours: only that keeps its questions in one line. It can be told by the answers
that were given in it, which say in which of our conversations that was.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.archive import PastConversation, ResumeResult, Seeker
from bridge.messages import AnswerId, BackendConversationId, BackendUser, ConversationId, EventId
from bridge.storage.claims import claim_wish, find_conversation, key_values
from bridge.storage.mapping import AnyRow, load_question
from bridge.storage.owning import lock_conversation
from bridge.storage.portable import insert_into
from bridge.storage.tables import answer, conversation, conversation_input, inbound_event

MOST_LOOKED_AT = 50
"""Conversations of a backend that are looked at for one person in one channel."""

ASKED_AS = func.coalesce(answer.c.backend_user, conversation.c.backend_user)
"""Of an answer, joined with its conversation."""

_ITS_QUESTION = and_(inbound_event.c.conversation_id == answer.c.conversation_id, inbound_event.c.seq == answer.c.seq)


async def find_past(connection: AsyncConnection, seeker: Seeker, limit: int) -> Sequence[PastConversation]:
    here = await find_conversation(connection, seeker.key, seeker.app)
    latest = (
        select(answer.c.backend_conversation_id.label("id"), func.max(answer.c.id).label("last"))
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .join(inbound_event, _ITS_QUESTION)
        .where(
            _near(seeker),
            inbound_event.c.person_id == seeker.person,
            answer.c.backend_conversation_id.is_not(None),
            answer.c.finished_at.is_not(None),
        )
        .group_by(answer.c.backend_conversation_id)
        .order_by(func.max(answer.c.id).desc())
        .limit(MOST_LOOKED_AT)
    )
    found = [str(row.id) for row in await connection.execute(latest)]
    open_to = await _open_to(connection, seeker, here, found)
    goes_on = (
        await connection.execute(
            select(conversation.c.backend_conversation_id).where(conversation.c.id == (here or -1))
        )
    ).scalar_one_or_none()
    return [open_to[one] for one in found if one in open_to and one != goes_on][:limit]


async def resume(
    connection: AsyncConnection, event_id: EventId, seeker: Seeker, of: AnswerId, now: datetime
) -> ResumeResult:
    wanted = (
        await connection.execute(select(answer.c.backend_conversation_id).where(answer.c.id == of))
    ).scalar_one_or_none()
    if wanted is None:
        return ResumeResult.NOT_YOURS
    here = await _make_room(connection, seeker, now)
    holders = await connection.execute(
        select(conversation.c.id).where(conversation.c.backend_conversation_id == wanted, conversation.c.id != here)
    )
    # In one order everywhere, so that two who want the opposite do not wait for each other.
    numbers = sorted({here, *(row.id for row in holders)})
    rows = {one: await lock_conversation(connection, ConversationId(one)) for one in numbers}
    place = rows[here]
    past = (await _open_to(connection, seeker, here, [wanted])).get(wanted)
    if place is None or past is None:
        return ResumeResult.NOT_YOURS
    if place.backend_conversation_id == wanted:
        return ResumeResult.HERE_ALREADY
    if any(row is not None and is_busy(row) for row in rows.values()):
        return ResumeResult.BUSY
    if not await claim_wish(connection, place, event_id, "resume", now):
        return ResumeResult.DUPLICATE
    await keep_users(connection, place)
    elsewhere = [one for one in numbers if one != here]
    await connection.execute(
        update(conversation)
        .where(conversation.c.id.in_(elsewhere))
        .values(backend_conversation_id=None, poisoned=False, updated_at=now)
    )
    await connection.execute(
        update(conversation)
        .where(conversation.c.id == here)
        .values(
            backend_conversation_id=wanted,
            backend_user=past.user,
            poisoned=False,
            # What was asked here so far is no part of it.
            fresh_after=place.head,
            updated_at=now,
        )
    )
    await _carry_inputs(connection, past.answer, here, place.head + 1, now)
    return ResumeResult.RESUMED


async def _carry_inputs(connection: AsyncConnection, of: AnswerId, here: int, seq: int, now: datetime) -> None:
    """What was filled in for it there is sent along here as well: some versions of Dify take other values for other ones."""
    there = (await connection.execute(select(answer.c.conversation_id).where(answer.c.id == of))).scalar_one()
    if there == here:
        return
    rows = await connection.execute(
        select(conversation_input.c.name, conversation_input.c.value)
        .join(conversation, conversation.c.id == conversation_input.c.conversation_id)
        .where(conversation_input.c.conversation_id == there, conversation_input.c.seq > conversation.c.fresh_after)
    )
    for row in rows.all():
        carried = {"value": row.value, "seq": seq, "updated_at": now}
        await connection.execute(
            insert_into(connection, conversation_input)
            .values(conversation_id=here, name=row.name, **carried)
            .on_conflict_do_update(index_elements=["conversation_id", "name"], set_=carried)
        )


def is_busy(place: AnyRow) -> bool:
    return place.active_answer_id is not None or place.head < place.tail


async def keep_users(connection: AsyncConnection, place: AnyRow) -> None:
    """Before a conversation becomes somebody else's: what was asked so far was asked as who it is now."""
    await connection.execute(
        update(answer)
        .where(answer.c.conversation_id == place.id, answer.c.backend_user.is_(None))
        .values(backend_user=place.backend_user)
    )


def _near(seeker: Seeker) -> ColumnElement[bool]:
    """In the same channel, and as much somebody's own as what it shall go on in."""
    key = seeker.key
    return and_(
        conversation.c.platform == key.platform,
        conversation.c.installation == key.installation,
        conversation.c.channel_id == key.channel,
        conversation.c.user_key == key.person,
        conversation.c.app == seeker.app,
    )


async def _open_to(
    connection: AsyncConnection, seeker: Seeker, here: int | None, wanted: Sequence[str]
) -> dict[str, PastConversation]:
    """Those that this person may go on with `here`, by their ids."""
    if seeker.key.person not in ("", seeker.person) or not wanted:
        return {}
    asked = (
        select(
            answer.c.backend_conversation_id.label("id"),
            conversation.c.id.label("conversation_id"),
            inbound_event.c.person_id,
            ASKED_AS.label("user"),
            func.min(answer.c.id).label("first"),
            func.max(answer.c.id).label("last"),
            func.max(answer.c.created_at).label("at"),
        )
        .join(conversation, conversation.c.id == answer.c.conversation_id)
        .join(inbound_event, _ITS_QUESTION)
        .where(answer.c.backend_conversation_id.in_(wanted))
        .group_by(answer.c.backend_conversation_id, conversation.c.id, inbound_event.c.person_id, ASKED_AS)
    )
    near = select(conversation.c.id).where(_near(seeker), true() if seeker.open_threads else _is_open(here))
    close = {
        row.id
        for row in await connection.execute(
            near.where(
                conversation.c.id.in_(
                    select(answer.c.conversation_id).where(answer.c.backend_conversation_id.in_(wanted))
                )
            )
        )
    }
    by_id: dict[str, list[AnyRow]] = defaultdict(list)
    for row in await connection.execute(asked):
        by_id[str(row.id)].append(row)
    allowed = {one: told for one, told in by_id.items() if _may_go_on(told, seeker, here, close)}
    beginnings = await _beginnings(connection, [min(row.first for row in told) for told in allowed.values()])
    return {
        one: PastConversation(
            answer=AnswerId(max(row.last for row in told)),
            id=BackendConversationId(one),
            user=BackendUser(told[0].user),
            question=beginnings.get(min(row.first for row in told), ""),
            last_asked=max(row.at for row in told),
        )
        for one, told in allowed.items()
    }


def _is_open(here: int | None) -> ColumnElement[bool]:
    """That everybody in the channel can read it is certain of threads that the bot opened, and of no others but this one."""
    return conversation.c.reply_target.is_not(None) | (conversation.c.id == (here or -1))


def _may_go_on(told: Iterable[AnyRow], seeker: Seeker, here: int | None, close: Collection[int]) -> bool:
    """`told`: who asked in it, and where. `close`: which of those places it may be brought from. It belongs to
    one `user`: of anything else we know too little."""
    rows = list(told)
    people = {row.person_id for row in rows}
    if seeker.person not in people or len({row.user for row in rows}) != 1:
        return False
    if all(row.conversation_id == here for row in rows):
        return True
    # What others asked was said to who reads there.
    return people == {seeker.person} and all(row.conversation_id in close for row in rows)


async def _beginnings(connection: AsyncConnection, answers: Sequence[int]) -> dict[int, str]:
    """The questions of these answers, as far as they are kept."""
    rows = await connection.execute(
        select(answer.c.id, inbound_event.c.payload)
        .join(inbound_event, _ITS_QUESTION)
        .where(answer.c.id.in_(answers), inbound_event.c.payload != "")
    )
    return {row.id: load_question(row.payload).words for row in rows}


async def _make_room(connection: AsyncConnection, seeker: Seeker, now: datetime) -> int:
    """The conversation of ours that it shall go on in, which is made when nothing was asked there yet."""
    found = await find_conversation(connection, seeker.key, seeker.app)
    if found is not None:
        return found
    made = await connection.execute(
        insert_into(connection, conversation)
        .values(**key_values(seeker.key, seeker.app), backend_user=seeker.backend_user, created_at=now, updated_at=now)
        .on_conflict_do_nothing()
        .returning(conversation.c.id)
    )
    number = made.scalar_one_or_none()
    # Made by somebody else meanwhile.
    return int(number) if number is not None else int(await find_conversation(connection, seeker.key, seeker.app) or -1)
