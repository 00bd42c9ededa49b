"""The Markdown engine by itself: what it costs while an answer grows, and what an attacker can make it cost."""

import asyncio
import gc
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from slack_markdown_parser import convert_markdown_to_slack_payloads

from adapters.discord.dialect import DIALECT as DISCORD
from adapters.slack.dialect import DIALECT as SLACK
from bridge.markdown.dialect import Dialect
from bridge.splitting import Splitter, split

EDITS = 80
"""Of one answer: one a second."""

INLINE_WORK = 8_000
"""Characters of an open message above which the writer of answers lets a thread do the work."""

SAMPLED = 8
"""One in so many edits is measured where all of them would take too long; the sum is multiplied."""

TICK = 0.001

DIALECTS: dict[str, Dialect] = {"Slack": SLACK, "Discord": DISCORD}

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One answer that grew in `EDITS` steps."""

    cpu: float
    """Seconds of all threads."""
    holds: Sequence[float]
    """Milliseconds per edit for which nothing else could run on the event loop."""
    away: int
    """Edits that were worked out in a thread."""


def fresh(name: str) -> Dialect:
    """A dialect that remembers nothing."""
    return DIALECTS[name].within(DIALECTS[name].limit)


def prefixes(text: str) -> list[str]:
    return [text[: len(text) * (number + 1) // EDITS] for number in range(EDITS)]


async def write_answer(text: str, dialect: Dialect) -> Written:
    """As the writer of answers does it: splits the text so far, and sends every message that changed."""
    # To collect what this program has imported would be counted as if the engine had done it.
    gc.collect()
    gc.freeze()
    splitter = Splitter(dialect)
    sent: list[str] = []
    holds, away = [], 0
    before = ""
    began = time.process_time()
    for number, prefix in enumerate(prefixes(text), 1):
        feed = partial(splitter.feed, prefix, final=number == EDITS)
        if splitter.waiting + len(prefix) - len(before) > INLINE_WORK:
            away += 1
            parts, hold = await _longest_hold(feed)
        else:
            parts, hold = _timed(feed)
        # What is sent is made on the loop, just before it is sent.
        changed = [part for at, part in enumerate(parts) if sent[at : at + 1] != [part]]
        _, making = _timed(partial(_make, dialect, changed))
        sent, before = parts, prefix
        holds.append((hold + making) * 1000)
    return Written(cpu=time.process_time() - began, holds=holds, away=away)


def _make(dialect: Dialect, sources: Sequence[str]) -> list[dict[str, object]]:
    return [dialect.payload(source) for source in sources]


def _timed(work: Callable[[], ResultT]) -> tuple[ResultT, float]:
    """With the CPU seconds of this thread: other programs on a busy machine do not count."""
    began = time.thread_time()
    result = work()
    return result, time.thread_time() - began


async def _longest_hold(work: Callable[[], ResultT]) -> tuple[ResultT, float]:
    """Lets a thread do it, with the longest time for which a ticker on the loop did not get its turn meanwhile."""
    longest, done = 0.0, False

    async def tick() -> None:
        nonlocal longest
        while not done:
            began = time.perf_counter()
            await asyncio.sleep(TICK)
            longest = max(longest, time.perf_counter() - began - TICK)

    async with asyncio.TaskGroup() as group:
        group.create_task(tick())
        result = await asyncio.to_thread(work)
        done = True
    return result, longest


def percentile(values: Sequence[float], share: float) -> float:
    """The nearest rank."""
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]


def rewrite_answer(text: str, dialect: Dialect) -> float:
    """CPU seconds when every edit splits the whole text so far anew (from a sample)."""
    began = time.process_time()
    for prefix in prefixes(text)[SAMPLED - 1 :: SAMPLED]:
        for part in split(prefix, dialect)[-1:]:
            dialect.payload(part)
    return (time.process_time() - began) * SAMPLED


def convert_elsewhere(text: str) -> float:
    """CPU seconds when every edit converts the whole text so far with slack-markdown-parser."""
    began = time.process_time()
    for prefix in prefixes(text):
        convert_markdown_to_slack_payloads(prefix)
    return time.process_time() - began


def split_once(text: str, dialect: Dialect) -> float:
    """CPU seconds for a complete text."""
    began = time.process_time()
    split(text, dialect)
    return time.process_time() - began
