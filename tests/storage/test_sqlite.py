"""What SQLite must do for the promise: one process, one writer, no half transactions, honest errors."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from bridge.clock import SystemClock
from bridge.errors import SettingsError, StoreInUse, StoreUnavailable
from bridge.feedback import aggregate
from bridge.settings import isolated, read
from bridge.storage.migrate import current_revision, head_revision, migrate
from bridge.storage.settings import Settings
from bridge.storage.store import SqlStore, open_store
from tests.contracts.store_steps import accept, new
from tests.fakes import values
from tests.fakes.platform import FAKE


def settings_for(folder: Path, **more: object) -> Settings:
    return isolated(Settings, database_url=f"sqlite:///{folder}/data/bridge.db", **more)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[SqlStore]:
    await migrate(settings)
    store = await open_store(settings, SystemClock(), aggregate)
    try:
        yield store
    finally:
        await store.close()


async def test_a_restart_finds_everything_again(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with opened(settings) as store:
        accepted = await accept(store, new(1))
    async with opened(settings) as store:
        assert list(await store.waiting_conversations([FAKE])) == [accepted.conversation_id]
        assert await store.accept(new(1)) is None


async def test_a_question_stored_before_people_were_kept_is_read_as_naming_nobody(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with opened(settings) as store:
        accepted = await accept(store, new(1, named=(values.GRACE,)))
    file = sqlite3.connect(settings.path)
    [[payload]] = file.execute("SELECT payload FROM inbound_event").fetchall()
    older = {name: value for name, value in json.loads(payload).items() if name != "named"}
    assert len(older) == len(json.loads(payload)) - 1
    file.execute("UPDATE inbound_event SET payload = ?", [json.dumps(older)])
    file.commit()
    file.close()
    async with opened(settings) as store:
        turn = await store.begin_next(accepted.conversation_id, None)
        assert turn is not None
        assert turn.question == new(1).question


async def test_a_second_process_on_the_same_file_is_refused_by_name(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    async with opened(settings):
        with pytest.raises(StoreInUse, match=r"bridge\.db.*DATABASE_URL"):
            await open_store(settings, SystemClock(), aggregate)
    async with opened(settings) as store:
        await store.ping()


async def test_fifty_at_once_are_all_accepted_in_one_order(tmp_path: Path) -> None:
    async with opened(settings_for(tmp_path)) as store:
        accepted = await asyncio.gather(*(accept(store, new(number)) for number in range(50)))
        assert sorted(one.seq for one in accepted) == list(range(1, 51))
        twice = await asyncio.gather(*(store.accept(new(99, thread="x")) for _ in range(10)))
        assert sum(one is not None for one in twice) == 1


async def test_a_locked_database_is_unavailable_and_nothing_is_written(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, database_busy_timeout=0.05)
    async with opened(settings) as store:
        blocker = sqlite3.connect(settings.path, isolation_level=None)
        try:
            blocker.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="locked"):
                await store.accept(new(1))
            blocker.execute("ROLLBACK")
        finally:
            blocker.close()
        assert await store.accept(new(1)) is not None


async def test_every_commit_survives_a_kill_in_the_middle_of_writing(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    await migrate(settings)
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.storage.test_sqlite import opened, settings_for\n"
        "from tests.contracts.store_steps import new\n"
        "async def main():\n"
        f"    async with opened(settings_for(Path({str(tmp_path)!r}))) as store:\n"
        "        for number in range(100000):\n"
        "            await store.accept(new(number))\n"
        "            print(number, flush=True)\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    committed = [int(process.stdout.readline()) for _ in range(25)]
    process.send_signal(signal.SIGKILL)
    process.stdout.close()
    process.wait()
    async with opened(settings) as store:
        for number in committed:
            assert await store.accept(new(number)) is None, "acknowledged and then forgotten"
        assert (await accept(store, new(100001))).seq >= 26


async def test_the_database_is_durable_against_power_loss(tmp_path: Path) -> None:
    async with opened(settings_for(tmp_path)) as store, store._database.writer.begin() as db:
        assert await db.scalar(text("PRAGMA synchronous")) == 2
        assert await db.scalar(text("PRAGMA journal_mode")) == "wal"


async def test_five_processes_that_migrate_at_once_all_succeed(tmp_path: Path) -> None:
    code = (
        "import asyncio\n"
        "from pathlib import Path\n"
        "from bridge.storage.migrate import migrate\n"
        "from tests.storage.test_sqlite import settings_for\n"
        f"print(asyncio.run(migrate(settings_for(Path({str(tmp_path)!r})))))\n"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    results = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 5, results
    assert {out.split()[-1] for out, _ in results} == {head_revision()}


async def test_a_start_at_head_does_not_import_alembic(tmp_path: Path) -> None:
    await migrate(settings_for(tmp_path))
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from bridge.storage.migrate import migrate\n"
        "from tests.storage.test_sqlite import settings_for\n"
        f"asyncio.run(migrate(settings_for(Path({str(tmp_path)!r}))))\n"
        "print('alembic' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


async def test_a_newer_database_is_used_as_it_is(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    await migrate(settings)
    db = sqlite3.connect(settings.path)
    db.execute("UPDATE alembic_version SET version_num = '9999'")
    db.commit()
    db.close()
    assert await migrate(settings) == "9999"


async def test_there_is_no_revision_before_there_is_a_database(tmp_path: Path) -> None:
    assert await current_revision(settings_for(tmp_path)) is None


async def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    settings.path.parent.mkdir()
    settings.path.write_text("this is a text file, and quite a long one at that" * 50)
    with pytest.raises(StoreUnavailable, match="not a database"):
        await migrate(settings)


async def test_a_folder_that_cannot_be_used_is_named_with_the_setting(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    for use in (migrate(settings_for(tmp_path)), open_store(settings_for(tmp_path), SystemClock(), aggregate)):
        with pytest.raises(SettingsError, match=r"DATABASE_URL.*is not a folder"):
            await use


@pytest.mark.parametrize(
    ("url", "hint"),
    [
        ("mysql://db/bridge", "other databases are not supported"),
        ("sqlite://", "three slashes"),
        ("sqlite:///:memory:", "in memory"),
        ("nonsense", "must name an SQLite file"),
    ],
)
def test_other_databases_are_refused_with_the_fix(url: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(SettingsError, match=hint) as caught:
        read(Settings, None)
    assert "sqlite:///data/bridge.db" in str(caught.value)


async def test_a_write_that_is_cancelled_at_any_moment_leaves_the_store_usable(tmp_path: Path) -> None:
    async with opened(settings_for(tmp_path)) as store:
        for number in range(40):
            task = asyncio.ensure_future(store.accept(new(number)))
            for _ in range(number):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert await store.accept(new(1000)) is not None
