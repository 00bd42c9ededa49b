"""One platform's rows of the table of installations, and what is built from them. Each method is part of one transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, and_, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge import logs
from bridge.errors import StoreUnavailable
from bridge.installations_api import Installation
from bridge.messages import InstallationId, PlatformName
from bridge.storage.mapping import AnyRow
from bridge.storage.portable import insert_into, storable
from bridge.storage.tables import installation

if TYPE_CHECKING:
    from bridge.storage.vault import Vault

UNREADABLE = (
    "put the key that it was written with back into ENCRYPTION_KEY, behind the new one and a comma, "
    "or have the app installed there again"
)

_FACTS = TypeAdapter(dict[str, str])
_log = logs.get("installations")


class InstallRows:
    def __init__(self, platform: PlatformName, vault: "Vault") -> None:
        self._platform = platform
        self._vault = vault
        self._told: set[str] = set()

    async def find(self, connection: AsyncConnection, of: InstallationId, *, lock: bool = False) -> Installation | None:
        """`lock`: nobody else changes the row before this transaction ends (PostgreSQL)."""
        query = select(installation).where(self._is(of))
        found = await connection.execute(query.with_for_update() if lock else query)
        row = found.one_or_none()
        return None if row is None else self._read(row)

    async def list_all(self, connection: AsyncConnection) -> Sequence[Installation]:
        rows = await connection.execute(
            select(installation).where(installation.c.platform == self._platform).order_by(installation.c.id)
        )
        return [found for row in rows if (found := self._read(row)) is not None]

    async def put(self, connection: AsyncConnection, given: Installation, now: datetime) -> None:
        kept = {
            "name": given.name,
            "facts": _FACTS.dump_json(dict(given.facts)).decode(),
            "secrets": self._vault.seal(self._owner(given.id), given.secrets),
            "expires_at": given.expires_at,
            "updated_at": now,
        }
        await connection.execute(
            insert_into(connection, installation)
            .values(platform=self._platform, id=given.id, **kept)
            .on_conflict_do_update(index_elements=["platform", "id"], set_=kept)
        )
        self._told.discard(given.id)

    async def remove(self, connection: AsyncConnection, of: InstallationId) -> bool:
        gone = await connection.execute(delete(installation).where(self._is(of)))
        self._told.discard(of)
        return gone.rowcount > 0

    def _is(self, of: InstallationId) -> ColumnElement[bool]:
        return and_(installation.c.platform == self._platform, installation.c.id == of)

    def _read(self, row: AnyRow) -> Installation | None:
        opened = self._vault.unseal(self._owner(row.id), row.secrets)
        if opened is None:
            if row.id not in self._told:
                # Once: it is looked for with every event from there.
                self._told.add(row.id)
                _log.error("installation_unreadable", platform=self._platform, installation=row.id, fix=UNREADABLE)
            return None
        try:
            facts = _FACTS.validate_json(row.facts)
        except ValidationError as error:
            raise StoreUnavailable("the facts of an installation cannot be read") from error
        return Installation(
            id=InstallationId(row.id), name=row.name, facts=facts, secrets=opened, expires_at=row.expires_at
        )

    def _owner(self, of: str) -> str:
        return f"{self._platform}/{storable(of)}"
