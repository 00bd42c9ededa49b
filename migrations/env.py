"""How alembic reaches the database: over the connection that it is given, else over one of its own to DATABASE_URL."""

from pathlib import Path
from typing import Literal

from alembic import context
from sqlalchemy import Connection

from bridge.storage.engine import migration_connection
from bridge.storage.folder import prepare_folder
from bridge.storage.portable import Plain
from bridge.storage.settings import Settings
from bridge.storage.tables import UtcDateTime, metadata


def spell(kind: str, value: object, _context: object) -> str | Literal[False]:
    """A revision must mean the same for ever, so it names no type of ours."""
    if kind == "type" and isinstance(value, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(value, Plain):
        return f"sa.{type(value.impl).__name__}()"
    return False


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """The queue's tables come from its own scripts."""
    return not (kind == "table" and (name or "").startswith("procrastinate_"))


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        # SQLite cannot alter most things in place; in batch mode alembic rebuilds the table instead.
        render_as_batch=connection.dialect.name == "sqlite",
        include_name=is_ours,
        compare_server_default=True,
        render_item=spell,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if context.is_offline_mode():
    context.configure(dialect_name="sqlite", target_metadata=metadata, literal_binds=True, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
elif given is not None:
    run(given)
else:
    settings = Settings(_env_file=Path(".env"))
    prepare_folder(settings)
    with migration_connection(settings) as own:
        run(own)
