"""Turns a recording that Dify does not take (Ogg, FLAC) into MP3, where the library for that is installed (the extra `voice`).

Whoever sends a recording chooses its bytes, and what reads them is written in C: so that is done by a process of its own, which
has none of our secrets, little memory, and as much time as it is given. This file is also what that process runs.
"""

import asyncio
import importlib
import os
import sys
from importlib.util import find_spec
from pathlib import Path

LONGEST_SECONDS = 30 * 60
"""Of sound. As MP3 that is some 10 MB."""
MOST_CHANNELS = 2
MOST_SAMPLES = 192_000
"""Per second and channel."""
MOST_MEMORY = 1024 * 1024 * 1024
"""Of the process; most of that is libraries that are mapped and never touched."""

TOO_LONG, UNREADABLE = 3, 4
"""Exit codes."""


class NotTranscoded(Exception):
    """Says why, for the log."""


class RecordingTooLong(NotTranscoded):
    pass


def can_transcode() -> bool:
    return find_spec("soundfile") is not None


async def transcode(source: Path, target: Path, limit: float) -> None:
    """Writes `source` as MP3 to `target`, within `limit` seconds. Raises `NotTranscoded`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        __name__,
        str(source),
        str(target),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
    )
    try:
        async with asyncio.timeout(limit):
            code = await process.wait()
    except TimeoutError:
        raise NotTranscoded(f"it took longer than {limit:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code == TOO_LONG:
        raise RecordingTooLong(f"it lasts longer than {LONGEST_SECONDS} s")
    if code != 0:
        raise NotTranscoded("it cannot be read" if code == UNREADABLE else f"the process ended with {code}")


def main(source: str, target: str) -> int:
    sound = importlib.import_module("soundfile")  # no types, and only here
    try:
        with sound.SoundFile(source) as given:
            rate, channels = given.samplerate, given.channels
            if channels > MOST_CHANNELS or rate > MOST_SAMPLES:
                return UNREADABLE
            with sound.SoundFile(target, "w", samplerate=rate, channels=channels, format="MP3") as made:
                # Read second by second: how long it says it is need not be true.
                for _ in range(LONGEST_SECONDS):
                    read = bytes(given.buffer_read(rate, dtype="int16"))
                    if not read:
                        return 0
                    made.buffer_write(read, dtype="int16")
                return TOO_LONG if bytes(given.buffer_read(1, dtype="int16")) else 0
    except (RuntimeError, OSError, ValueError, MemoryError):
        # The library's own errors are RuntimeErrors.
        return UNREADABLE


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    _limit_memory()
    sys.exit(main(*sys.argv[1:3]))
