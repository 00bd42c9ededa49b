"""Starts and ends the processes of a benchmark: stand-ins that announce themselves with one line of JSON, and the bridge."""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import psutil

from bridge.storage.migrate import migrations_folder
from tests.fakes.ports import free_port

ROOT = str(Path(__file__).resolve().parents[2])

PATIENCE = 60.0
"""Seconds for a process to come up or to go away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningBridge:
    process: psutil.Process
    url: str
    log: Path
    ready_after: float
    """Seconds from the start of the process until `/readyz` said 200."""

    def cpu_seconds(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def resident_megabytes(self) -> float:
        return float(self.process.memory_info().rss) / 1e6


def _environment(values: Mapping[str, str]) -> dict[str, str]:
    """Nothing of the caller's environment but what a process needs to run: no proxy and no token leaks in."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | dict(values)


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        try:
            async with asyncio.timeout(PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@asynccontextmanager
async def python(module: str, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A module as a process, whose output can be read."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env=_environment({"PYTHONPATH": ROOT}),
        limit=2**24,
    )
    try:
        yield process
    finally:
        await _end(process)


@asynccontextmanager
async def stand_in(name: str, *arguments: str) -> AsyncIterator[dict[str, str]]:
    """One of `bridge.playground.*` as a process. Yields what it says about itself."""
    async with python(f"bridge.playground.{name}", *arguments) as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            line = await process.stdout.readline()
        yield {str(key): str(value) for key, value in json.loads(line).items()}


@asynccontextmanager
async def bridge(folder: Path, settings: Mapping[str, str]) -> AsyncIterator[RunningBridge]:
    """`dify-chat-bridge run` in `folder`, with these settings alone. Yields once it is ready.

    Without a DATABASE_URL among them it has an SQLite file there.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    log = folder / "bridge.log"
    environment = (
        {"DATABASE_URL": f"sqlite:///{folder / 'bench.db'}"}
        | _environment(settings)
        | {
            "PYTHONPATH": ROOT,
            "HTTP_PORT": str(port),
            "BRIDGE_MIGRATIONS": str(migrations_folder()),
            "LOG_FORMAT": "json",
        }
    )
    with log.open("ab") as output:
        began = time.monotonic()
        # The module, not the command: that one may belong to another checkout.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bridge.cli",
            "run",
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        )
        try:
            ready_after = await _until_ready(process, url, began)
            yield RunningBridge(process=psutil.Process(process.pid), url=url, log=log, ready_after=ready_after)
        finally:
            await _end(process)


async def _until_ready(process: asyncio.subprocess.Process, url: str, began: float) -> float:
    async with aiohttp.ClientSession() as session:
        while time.monotonic() - began < PATIENCE:
            if process.returncode is not None:
                raise RuntimeError(f"the bridge ended with code {process.returncode} before it was ready")
            try:
                async with session.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return time.monotonic() - began
            except aiohttp.ClientConnectionError:
                pass
            await asyncio.sleep(0.01)
    raise RuntimeError("the bridge did not become ready")
