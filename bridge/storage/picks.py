"""What members chose, as rows."""

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, CursorResult, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.clock import Clock
from bridge.messages import AppName, ConversationId, ConversationKey, EventId, PersonId
from bridge.picks import Begun, Pick, own_scope
from bridge.storage.claims import FIRST_GENERATION
from bridge.storage.portable import insert_into
from bridge.storage.store import SqlStore
from bridge.storage.tables import app_pick, conversation
from bridge.storage.whole import whole

_SCOPE = ("platform", "installation", "channel_id", "thread_id", "user_key")
_LATEST_FIRST = (conversation.c.updated_at.desc(), conversation.c.id.desc())


class SqlPicks:
    """Implements `Picks` in the store's own database."""

    def __init__(self, store: SqlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    @whole
    async def find(self, key: ConversationKey, person: PersonId, apps: Collection[AppName]) -> Pick | None:
        async with self._store.reading() as connection:
            if key.thread:
                found = await _picked(connection, key, apps) or await _asked_last(connection, key, apps)
                if found is not None:
                    return found
            return await _picked(connection, own_scope(key, person), apps)

    @whole
    async def pick(self, event_id: EventId, scope: ConversationKey, pick: Pick) -> bool:
        told = {"app": pick.app, "choice": pick.choice, "event_id": event_id, "picked_at": self._clock.now()}
        async with self._store.writing() as connection:
            written = await connection.execute(
                insert_into(connection, app_pick)
                .values(**_scope_values(scope), **told)
                .on_conflict_do_update(index_elements=_SCOPE, set_=told, where=app_pick.c.event_id != event_id)
                .returning(app_pick.c.app)
            )
            return written.one_or_none() is not None

    @whole
    async def begun(self, key: ConversationKey, apps: Collection[AppName]) -> Sequence[Begun]:
        async with self._store.reading() as connection:
            rows = await connection.execute(
                select(conversation.c.id, conversation.c.app)
                .where(_is(key), conversation.c.app.in_(list(apps)))
                .order_by(*_LATEST_FIRST)
            )
            return [Begun(id=ConversationId(row.id), app=AppName(row.app)) for row in rows]

    @whole
    async def of(self, conversation_id: ConversationId) -> Pick | None:
        async with self._store.reading() as connection:
            return _pick(
                await connection.execute(
                    select(conversation.c.app, conversation.c.choice).where(conversation.c.id == conversation_id)
                )
            )


async def _picked(connection: AsyncConnection, scope: ConversationKey, apps: Collection[AppName]) -> Pick | None:
    values = _scope_values(scope)
    here = and_(*(app_pick.c[name] == values[name] for name in _SCOPE))
    return _pick(
        await connection.execute(select(app_pick.c.app, app_pick.c.choice).where(here, app_pick.c.app.in_(list(apps))))
    )


async def _asked_last(connection: AsyncConnection, key: ConversationKey, apps: Collection[AppName]) -> Pick | None:
    return _pick(
        await connection.execute(
            select(conversation.c.app, conversation.c.choice)
            .where(_is(key), conversation.c.app.in_(list(apps)))
            .order_by(*_LATEST_FIRST)
            .limit(1)
        )
    )


def _pick(found: CursorResult[tuple[str, str]]) -> Pick | None:
    row = found.one_or_none()
    return None if row is None else Pick(app=AppName(row.app), choice=row.choice)


def _is(key: ConversationKey) -> ColumnElement[bool]:
    return and_(
        conversation.c.platform == key.platform,
        conversation.c.installation == key.installation,
        conversation.c.channel_id == key.channel,
        conversation.c.thread_id == key.thread,
        conversation.c.user_key == key.person,
        conversation.c.reset_generation == FIRST_GENERATION,
    )


def _scope_values(scope: ConversationKey) -> dict[str, str]:
    return {
        "platform": scope.platform,
        "installation": scope.installation,
        "channel_id": scope.channel,
        "thread_id": scope.thread,
        "user_key": scope.person,
    }
