"""One process per SQLite file, enforced by the operating system."""

import fcntl
import os
from pathlib import Path

from bridge.errors import StoreInUse, StoreUnavailable


class FileLock:
    """Held from `take` until `release` or the death of the process, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def take(self) -> None:
        """Raises `StoreInUse` when another process (or another store in this one) has it."""
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise StoreUnavailable(f"cannot open {self._path}: {error.strerror}") from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(file, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(file)
            raise StoreInUse(
                f"{self._path.with_suffix('')} is in use by another bridge process (id {holder}). "
                "Stop that one first, or give this one a DATABASE_URL of its own."
            ) from error
        except OSError as error:
            os.close(file)
            raise StoreUnavailable(f"cannot lock {self._path}: {error.strerror}") from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode("ascii"), 0)
        self._file = file

    def release(self) -> None:
        # The file stays: removing it would let two processes lock two different files of one name.
        if self._file is not None:
            os.close(self._file)
            self._file = None
