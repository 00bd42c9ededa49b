"""`python -m tests.benchmarks.stream_client WAY URL STREAMS PLAN`: reads streams in one of several ways, and prints what it took.

One process per way, so that memory is that of the way alone.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

import aiohttp
import httpx
import psutil
from aiohttp_sse_client.client import EventSource  # type: ignore[import-untyped]  # it has no types
from httpx_sse import aconnect_sse

from bridge.backend_api import Question, TextDelta
from bridge.backends.dify.backend import DifyBackend
from bridge.backends.dify.settings import Settings
from bridge.clock import SystemClock
from bridge.messages import BackendUser

Texts = AsyncGenerator[str, None]
Way = Callable[[str], Texts]
"""Gives the pieces of an answer to a plan as they come."""


def body(plan: str) -> dict[str, object]:
    return {"inputs": {}, "query": plan, "response_mode": "streaming", "user": "bench"}


@asynccontextmanager
async def ours(url: str) -> AsyncIterator[Way]:
    settings = Settings(dify_base_url=url, dify_api_key="app-bench", dify_max_concurrent=1000)
    backend = DifyBackend(settings, SystemClock())

    async def read(plan: str) -> Texts:
        async with aclosing(backend.answer(Question(text=plan, user=BackendUser("bench")))) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    yield event.text

    yield read
    await backend.close()


@asynccontextmanager
async def through_httpx(url: str) -> AsyncIterator[Way]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as client:

        async def read(plan: str) -> Texts:
            async with aconnect_sse(client, "POST", f"{url}/chat-messages", json=body(plan)) as source:
                async for event in source.aiter_sse():
                    told = event.json() if event.data else {}
                    if told.get("event") == "message":
                        yield told["answer"]

        yield read


@asynccontextmanager
async def through_aiohttp(url: str) -> AsyncIterator[Way]:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def read(plan: str) -> Texts:
            option = {"method": "POST"}
            async with EventSource(f"{url}/chat-messages", option, session=session, json=body(plan)) as source:
                async for event in source:
                    told = json.loads(event.data)
                    if told["event"] == "message_end":
                        # It would connect again at the end.
                        return
                    yield told["answer"]

        yield read


WAYS = {"ours": ours, "httpx-sse": through_httpx, "aiohttp-sse-client": through_aiohttp}


async def take(way: Way, plan: str, into: list[int]) -> int:
    """Characters of one answer, which is kept as long as it grows. What is a moment is told apart."""
    whole: list[str] = []
    stamped = plan.startswith("paced")
    async with aclosing(way(plan)) as texts:
        async for text in texts:
            if stamped:
                into.append(time.monotonic_ns() - int(text))
            whole.append(text)
    return len("".join(whole))


over = asyncio.Event()


async def watch(process: psutil.Process) -> int:
    """The most memory until it is `over`. (What the system calls the peak begins with that of whoever started the process.)"""
    most = 0
    while not over.is_set():
        most = max(most, int(process.memory_info().rss))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), 0.05)
    return max(most, int(process.memory_info().rss))


async def measure(name: str, url: str, streams: int, plan: str) -> dict[str, object]:
    async with WAYS[name](url) as way:
        # Once for what is only made once.
        await take(way, "fast 10", [])
        late: list[int] = []
        this = psutil.Process()
        rest = this.memory_info().rss
        began, cpu = time.perf_counter(), time.process_time()
        watching = asyncio.create_task(watch(this))
        sizes = await asyncio.gather(*(take(way, plan, late) for _ in range(streams)))
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        over.set()
        return {"cpu": cpu, "took": took, "sizes": sizes, "rest": rest, "peak": await watching, "late": late}


if __name__ == "__main__":
    found = asyncio.run(measure(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))
    sys.stdout.write(json.dumps(found))
