"""Streams of events alone: what parsing costs beside two libraries that do it too, what a stream adds, what many of them hold.

Ours does more than the others meanwhile: time limits, a bound on memory, thoughts and links taken out of the text.
"""

import asyncio
import codecs
import json
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from unittest.mock import Mock

import aiohttp
from aiohttp_sse_client.client import EventSource  # type: ignore[import-untyped]  # it has no types
from httpx_sse._decoders import SSEDecoder, SSELineDecoder

from bridge.remote.framing import EventParser
from tests.benchmarks.engine import percentile
from tests.benchmarks.processes import PATIENCE, python
from tests.benchmarks.stream_server import event, fast
from tests.benchmarks.table import Table

EVENTS = 20_000
REPEATS = 5
"""The best of so many: other programs can only make it slower."""

HUGE = 10_000_000
"""Bytes of the one event that is as large as a document."""

STREAMS, STREAM_BYTES, STREAM_SECONDS = 200, 500_000, 8

WAYS = ("ours", "httpx-sse", "aiohttp-sse-client")


def _parse_ours(chunks: Sequence[bytes]) -> int:
    parser = EventParser(16 * 1024 * 1024)
    return sum(len(parser.feed(chunk)) for chunk in chunks)


def _parse_httpx(chunks: Sequence[bytes]) -> int:
    """As its `aiter_sse` does it with what httpx has decoded."""
    text, lines, events = codecs.getincrementaldecoder("utf-8")(), SSELineDecoder(), SSEDecoder()
    count = 0
    for chunk in chunks:
        for line in lines.decode(text.decode(chunk)) if chunk else ():
            found = events.decode(line)
            if found is not None and found.data:
                found.json()
                count += 1
    return count


def _parse_aiohttp(chunks: Sequence[bytes]) -> int:
    """As its `EventSource` does it with what aiohttp has received."""

    async def parse() -> int:
        content = aiohttp.StreamReader(Mock(_reading_paused=False), 2**16, loop=asyncio.get_running_loop())
        for chunk in chunks:
            content.feed_data(chunk)
        content.feed_eof()
        source = EventSource("http://localhost", session=Mock())
        source._response = Mock(status=200, content=content)
        count = 0
        async for found in source:
            count += 1
            if json.loads(found.data)["event"] == "message_end":
                break
        return count

    return asyncio.run(parse())


PARSERS: dict[str, Callable[[Sequence[bytes]], int]] = dict(
    zip(WAYS, (_parse_ours, _parse_httpx, _parse_aiohttp), strict=True)
)


def _cut(raw: bytes, size: int) -> list[bytes]:
    return [raw[at : at + size] for at in range(0, len(raw), size)]


def _fastest(parse: Callable[[Sequence[bytes]], int], chunks: Sequence[bytes], count: int) -> float:
    """CPU seconds."""
    best = float("inf")
    for _ in range(REPEATS):
        began = time.process_time()
        assert parse(chunks) == count
        best = min(best, time.process_time() - began)
    return best


async def show_parsing(table: Table) -> None:
    whole = fast(EVENTS)
    each = [event(f"wörd {number} ") for number in range(EVENTS)]
    loads = {"an event at a time": [*each, whole[len(b"".join(each)) :]], "64 KiB at a time": _cut(whole, 65536)}
    for name, chunks in loads.items():
        table.head(f"Parsing {EVENTS:,} events of {len(each[0])} bytes into JSON, {name} (best of {REPEATS})")
        took = {way: await asyncio.to_thread(_fastest, PARSERS[way], chunks, EVENTS + 1) for way in WAYS}
        for way, seconds in took.items():
            table.row(f"{way}: throughput", len(whole) / seconds / 1e6, "MB/s")
            table.row(f"{way}: CPU per event", seconds / EVENTS * 1e6, "us")
        table.row(
            "against the faster of the others", min(took[way] for way in WAYS[1:]) / took["ours"], "x", at_least=1
        )
    huge = b'data: {"event": "node_finished", "data": "' + b"x" * HUGE + b'"}\n\n'
    table.head(f"One event of {HUGE // 1_000_000} MB, 64 KiB at a time")
    for way in WAYS[:2]:
        seconds = await asyncio.to_thread(_fastest, PARSERS[way], _cut(huge, 65536), 1)
        table.row(f"{way}: throughput", HUGE / seconds / 1e6, "MB/s")
    sys.stdout.write("  aiohttp-sse-client: refuses it (LineTooLong above 128 KiB)\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    cpu: float
    took: float
    sizes: Sequence[int]
    rest: int
    peak: int
    late: Sequence[int]


async def _measure(way: str, url: str, streams: int, plan: str) -> Measured:
    async with python("tests.benchmarks.stream_client", way, url, str(streams), plan) as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE * 3):
            return Measured(**json.loads(await process.stdout.read()))


@asynccontextmanager
async def _serving() -> AsyncIterator[str]:
    async with python("tests.benchmarks.stream_server") as process:
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}/v1"


async def show_streams(table: Table) -> None:
    async with _serving() as url:
        table.head(f"One stream of {EVENTS:,} events as fast as it comes, over a socket")
        for way in WAYS:
            found = min([await _measure(way, url, 1, f"fast {EVENTS}") for _ in range(3)], key=lambda one: one.cpu)
            table.row(f"{way}: CPU per event, all told", found.cpu / EVENTS * 1e6, "us")
            table.row(f"{way}: events a second", EVENTS / found.took, "")
        table.head("One stream of 50 events a second: from the server's write until the text is there")
        for way in WAYS:
            found = await _measure(way, url, 1, "paced 300 0.02")
            late = [one / 1e6 for one in found.late]
            table.row(f"{way}: added per event, median", percentile(late, 0.5), "ms", 2 if way == "ours" else None)
            table.row(f"{way}: added per event, 99 of 100", percentile(late, 0.99), "ms")
        table.head(
            f"{STREAMS} streams of {STREAM_BYTES // 1000} KB side by side, spread over {STREAM_SECONDS} s, answers kept"
        )
        for way in WAYS:
            found = await _measure(way, url, STREAMS, f"bulk {STREAM_BYTES} {STREAM_SECONDS}")
            grown = (found.peak - found.rest) / 1e6
            table.row(f"{way}: memory above rest", grown, "MB", 100 if way == "ours" else None)
            table.row(f"{way}: memory per stream", grown / STREAMS * 1000, "KB")
            table.row(f"{way}: CPU per event, all told", found.cpu / (sum(found.sizes) / 10) * 1e6, "us")
            table.row(
                f"{way}: whole answers", sum(size == found.sizes[0] for size in found.sizes), "", at_least=STREAMS
            )


LOADS = {"parsing": show_parsing, "streams": show_streams}
