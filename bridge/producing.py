"""Files that an app makes: fetched as soon as they are told of, since their addresses expire, and kept until they are shown."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bridge import logs
from bridge.backend_api import Backend, ProducesFiles
from bridge.clock import Clock, within
from bridge.errors import BackendError
from bridge.markdown.characters import literally
from bridge.messages import AppName, ProducedFile
from bridge.outgoing_files import OutgoingFile

_log = logs.get("producing")

_NOT_FETCHED = "📎 The app made a file, {name}, which could not be fetched."


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducingLimits:
    largest: int = 25_000_000
    """Bytes of one file; it is held in memory."""
    most: int = 10
    """Files of one answer."""
    patience: timedelta = timedelta(seconds=60)
    """For one file."""


class Collector:
    """Fetches the files of one answer. To be closed."""

    def __init__(
        self, backends: Mapping[AppName, Backend], app: AppName, clock: Clock, limits: ProducingLimits
    ) -> None:
        self._backend = backends.get(app)
        self._clock = clock
        self._limits = limits
        self._enough = False
        self._fetching: dict[ProducedFile, asyncio.Task[OutgoingFile | None]] = {}

    def begin(self, file: ProducedFile) -> None:
        if file not in self._fetching and len(self._fetching) < self._limits.most and not self._enough:
            self._fetching[file] = asyncio.create_task(self._fetch(file), name="produced-file")

    async def collect(self, files: Sequence[ProducedFile]) -> tuple[list[OutgoingFile], list[str]]:
        """Those that could be had, and a line (Markdown) for each of the others."""
        for file in files:
            self.begin(file)
        got: list[OutgoingFile] = []
        notes: list[str] = []
        for file in files:
            task = self._fetching.get(file)
            if task is not None:
                await asyncio.wait({task})
            fetched = None if task is None or task.cancelled() else task.result()
            if fetched is None:
                notes.append(_NOT_FETCHED.format(name=literally(file.name)))
            else:
                got.append(fetched)
        return got, notes

    def give_up(self) -> None:
        """Nobody waits any longer for those that are not there yet."""
        self._enough = True
        for task in self._fetching.values():
            task.cancel()

    async def close(self) -> None:
        self.give_up()
        await asyncio.gather(*self._fetching.values(), return_exceptions=True)

    async def _fetch(self, file: ProducedFile) -> OutgoingFile | None:
        backend = self._backend
        if backend is None or not isinstance(backend, ProducesFiles):
            return None
        try:
            fetching = self._read(backend, file)
            media_type, whole = await within(self._clock, self._limits.patience.total_seconds(), fetching)
        except (BackendError, TimeoutError) as error:
            _log.warning("file_not_fetched", kind=file.kind, detail=str(error) or "too slow")
            return None
        except OSError as error:
            _log.error("file_not_kept", detail=str(error), fix="look whether the folder for temporary files is full")
            return None
        media_type = media_type or file.media_type or "application/octet-stream"
        return OutgoingFile(name=file.name, content=whole, media_type=media_type) if whole else None

    async def _read(self, backend: ProducesFiles, file: ProducedFile) -> tuple[str, bytes]:
        with TemporaryDirectory(prefix="bridge-file-") as folder:
            content = Path(folder) / "content"
            media_type = await backend.fetch(file, content, self._limits.largest)
            return media_type, await asyncio.to_thread(content.read_bytes)
