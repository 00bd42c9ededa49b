"""What SQLite and PostgreSQL spell differently, and what only one of them needs. No table is known here."""

from sqlalchemy import Dialect, String, Table, Text, TypeDecorator, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

Insert = postgresql.Insert | sqlite.Insert
"""Both have `on_conflict_do_nothing` and `on_conflict_do_update`, which are spelled the same in SQL."""


def storable(text: str) -> str:
    """Text that both databases take: halves of surrogate pairs are joined; lone ones, and NULs, become U+FFFD.

    JSON escapes let such halves in ("\\ud83d"), and the database refuses them, which would refuse a question for ever.
    PostgreSQL refuses NUL in the same way, and SQLite's own functions take it for the end.
    """
    if "\0" in text:
        text = text.replace("\0", "\ufffd")
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class Plain(TypeDecorator[str]):
    """Text made `storable` on its way in, also where it is compared: an id with a NUL finds what was stored under it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


class PlainText(Plain):
    """The same for what may be long."""

    impl = Text
    cache_ok = True  # SQLAlchemy does not take this from the class above


def insert_into(connection: AsyncConnection, table: Table) -> Insert:
    """An insert that can say what happens on a conflict."""
    return postgresql.insert(table) if _is_postgresql(connection) else sqlite.insert(table)


async def lock_name(connection: AsyncConnection, name: str) -> None:
    """Until this transaction ends no other one gets past this line with the same name. For what has no row yet.

    SQLite needs no such thing: a transaction that writes has the file to itself. Different names may share a lock (it is
    chosen by 64 bits of the name), which costs time and nothing else.
    """
    if _is_postgresql(connection):
        await connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(storable(name), 0))))


def _is_postgresql(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "postgresql"
