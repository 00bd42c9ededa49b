"""The migrations build exactly the tables of the tables module, whatever the working directory."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from bridge.settings import isolated
from bridge.storage.migrate import head_revision, migrate, migrations_folder
from bridge.storage.settings import Settings
from bridge.storage.tables import metadata


async def test_head_and_the_tables_module_are_identical(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = isolated(Settings, database_url=f"sqlite:///{tmp_path}/bridge.db")
    await migrate(settings)
    engine = create_engine(f"sqlite:///{settings.path}")
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": True, "compare_server_default": True, "target_metadata": metadata}
            )
            assert compare_metadata(context, metadata) == []
    finally:
        engine.dispose()


def test_our_idea_of_the_head_is_alembics() -> None:
    scripts = ScriptDirectory(str(migrations_folder()))
    assert [head_revision()] == scripts.get_heads()
