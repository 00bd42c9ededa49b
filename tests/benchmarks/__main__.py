"""`python -m tests.benchmarks [load ...]`: prints every figure with its target beside it, and ends with 1 when one is missed."""

import argparse
import asyncio
import os
import platform
import signal
import sys
from collections.abc import Awaitable, Callable
from functools import partial

from bridge.backends.dify.settings import Settings as DifySettings
from tests.benchmarks.accepting import accept_questions, idle_conversations
from tests.benchmarks.discord_answers import DISCORD
from tests.benchmarks.documents import ANSWERS, SIZE, hostile, many_lines
from tests.benchmarks.engine import (
    DIALECTS,
    EDITS,
    convert_elsewhere,
    fresh,
    percentile,
    rewrite_answer,
    split_once,
    write_answer,
)
from tests.benchmarks.loads import FIRST_TOKEN, PER_TOKEN, TOKENS, Stage, at_once, idle, middle, one_by_one, worst
from tests.benchmarks.rooms import CALL_SECONDS, Platform
from tests.benchmarks.several import at_rest, migrated, postgres, succeed
from tests.benchmarks.slack_answers import SLACK
from tests.benchmarks.streams import LOADS as STREAMS
from tests.benchmarks.table import Table

DEFAULT_PLACES = int(DifySettings.model_fields["dify_max_concurrent"].default)

PEERS = """\
Other bots on the same load (Discord; measured elsewhere, so compare the ratios):
  llmcord  first 0.46 s, last 3.68 s (20 threads: 4.1 s),   73 MB idle, ready in  0.8 s, 5 calls an answer
  LangBot  first 1.13 s, last 3.53 s (20 threads: 13.5 s), 527 MB idle, ready in 12.1 s"""


def discord(on: Stage) -> Platform:
    return on.discord


def slack(on: Stage) -> Platform:
    return on.slack


async def show_threads(
    table: Table,
    where: Callable[[Stage], Platform],
    name: str,
    threads: int,
    places: int,
    targets: dict[str, float],
) -> None:
    result = await at_once(where, threads, places)
    label = f"{name}, {threads} thread{'s' if threads > 1 else ''}"
    table.head(f"{label} at once, DIFY_MAX_CONCURRENT={places}")
    table.row(f"{label}: first text, median", middle(result.firsts), "s")
    table.row(f"{label}: first text, worst", worst(result.firsts), "s", targets.get("first"))
    table.row(f"{label}: last text, median", middle(result.lasts), "s")
    table.row(f"{label}: last text, worst", worst(result.lasts), "s", targets.get("last"))
    table.row(f"{label}: whole answers", result.whole, "", at_least=threads)
    table.row(f"{label}: rejected calls", result.rejected, "", 0)
    table.row(f"{label}: writes per answer", result.writes_per_answer, "")
    table.row(f"{label}: CPU per token", result.cpu_ms_per_token, "ms")
    table.row(f"{label}: CPU used, of one core", result.cpu_share * 100, "%")


async def show_added(table: Table, where: Callable[[Stage], Platform], name: str) -> None:
    added = await one_by_one(where, 100)
    table.head(f"Added between event and backend request, {name}, 100 questions one by one")
    table.row(f"{name}: added, median", middle(added), "ms", 15)
    table.row(f"{name}: added, 99 of 100", percentile(added, 0.99), "ms")
    table.row(f"{name}: added, worst", worst(added), "ms")


async def show_idle(table: Table) -> None:
    result = await idle(5)
    table.head("Start and rest, both platforms connected")
    table.row("ready, database at head, median of 5", middle(result.ready), "s", 1.5)
    table.row("ready, no database yet", result.cold, "s")
    table.row("resident memory at rest", result.resident, "MB", 110)
    table.row("CPU used at rest, of one core", result.cpu_share * 100, "%", 1)


async def show_accepting(table: Table) -> None:
    with postgres() as server:
        for name, url in (("SQLite", ""), ("PostgreSQL", server.create())):
            result = await accept_questions(url)
            table.head(f"Questions made durable, {name}")
            table.row(f"{name}: one after the other, median", middle(result.alone), "ms")
            table.row(f"{name}: one after the other, 99 of 100", percentile(result.alone, 0.99), "ms")
            table.row(f"{name}: accepted a second, 50 at once", result.per_second, "", at_least=100)


async def show_several(table: Table) -> None:
    with postgres() as server:
        for count in (1, 2, 3):
            url = await migrated(server)
            added = await one_by_one(discord, 100, processes=count, database_url=url)
            name = f"PostgreSQL, {count} process{'es' if count > 1 else ''}"
            table.head(f"Added between event and backend request, {name}, Discord, 100 questions one by one")
            table.row(f"{name}: added, median", middle(added), "ms")
            table.row(f"{name}: added, 99 of 100", percentile(added, 0.99), "ms")
        result = await at_rest(server, 2)
        table.head("Two processes at rest on PostgreSQL, both platforms connected")
        table.row("CPU used at rest by the busier one, of one core", result.cpu_share * 100, "%", 1)
        table.row("resident memory at rest", result.resident, "MB")
        for number in (signal.SIGKILL, signal.SIGTERM):
            found = await succeed(server, number)
            table.head(f"One of two processes gets {number.name} while it answers and hears Discord")
            table.row(f"{number.name}: another one has its answer", found.answer, "s", 10)
            table.row(f"{number.name}: another one hears Discord", found.hearing, "s", 10)


async def show_conversations(table: Table) -> None:
    table.head("Conversations in which nobody talks any more")
    table.row("memory of a thousand", await idle_conversations(200), "MB")


async def show_answers(table: Table, name: str) -> None:
    table.head(f"The engine alone, {name}: answers of {SIZE:,} characters in {EDITS} edits")
    holds: list[float] = []
    for kind, text in ANSWERS.items():
        written = await write_answer(text, fresh(name))
        label = f"{name}, {kind}"
        table.row(f"{label}: CPU", written.cpu, "s", 0.5)
        table.row(f"{label}: CPU, all anew at each edit", rewrite_answer(text, fresh(name)), "s")
        if name == "Slack":
            table.row(f"{label}: CPU, slack-markdown-parser", convert_elsewhere(text), "s")
        table.row(f"{label}: loop held, median", percentile(written.holds, 0.5), "ms")
        table.row(f"{label}: loop held, 99 of 100", percentile(written.holds, 0.99), "ms")
        if written.away:
            table.row(f"{label}: edits worked out in a thread", written.away, "")
        holds += written.holds
    table.row(f"{name}: loop held, median of all edits", percentile(holds, 0.5), "ms")
    table.row(f"{name}: loop held, 99 of 100 of all edits", percentile(holds, 0.99), "ms", 15)
    table.row(f"{name}: loop held, worst", max(holds), "ms")


async def show_hostile(table: Table, name: str) -> None:
    table.head(f"The engine alone, {name}: {SIZE:,} characters of one pattern, no line ends")
    for pattern, text in hostile():
        table.row(f'{name}: "{pattern}"', min(split_once(text, fresh(name)) for _ in range(2)) * 1000, "ms", 150)
    table.head(f"The engine alone, {name}: {SIZE:,} characters of tiny lines, and against half as much")
    halves = dict(many_lines(SIZE // 2))
    for pattern, text in many_lines():
        # Two is linear and four quadratic; a busy machine lies in between.
        half, whole = (split_once(one, fresh(name)) for one in (halves[pattern], text))
        table.row(f'{name}: "{pattern}"', whole * 1000, "ms")
        table.row(f'{name}: "{pattern}", times as long as half', whole / half, "x", 3)


ENGINE: dict[str, Callable[[Table], Awaitable[None]]] = {
    f"{kind}-{name.lower()}": partial(show, name=name)
    for kind, show in (("engine", show_answers), ("hostile", show_hostile))
    for name in DIALECTS
}
"""Needs no other process."""

LOADS: dict[str, Callable[[Table], Awaitable[None]]] = {
    **ENGINE,
    "idle": show_idle,
    "accepting": show_accepting,
    "several": show_several,
    "conversations": show_conversations,
    "added-discord": lambda table: show_added(table, discord, "Discord"),
    "added-slack": lambda table: show_added(table, slack, "Slack"),
    "discord-1": lambda table: show_threads(table, discord, "Discord", 1, 1, {"first": 0.45, "last": 3.6}),
    "discord-20": lambda table: show_threads(table, discord, "Discord", 20, 20, {"last": 4.0}),
    "discord-20-default": lambda table: show_threads(table, discord, "Discord", 20, DEFAULT_PLACES, {}),
    "discord-200": lambda table: show_threads(table, discord, "Discord", 200, 200, {}),
    "slack-1": lambda table: show_threads(table, slack, "Slack", 1, 1, {}),
    "slack-20": lambda table: show_threads(table, slack, "Slack", 20, 20, {}),
    "slack-20-default": lambda table: show_threads(table, slack, "Slack", 20, DEFAULT_PLACES, {}),
    **DISCORD,
    **SLACK,
    **STREAMS,
}


async def measure(names: list[str]) -> int:
    this = asyncio.current_task()
    assert this is not None
    # Ended from outside, it still ends the processes it started.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, this.cancel)
    table = Table()
    sys.stdout.write(
        f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}, {platform.system()}\n"
        f"Load: first token after {FIRST_TOKEN:g} s, {TOKENS} tokens {PER_TOKEN * 1000:g} ms apart, "
        f"platform calls of {CALL_SECONDS * 1000:g} ms. Stand-ins and bridge are processes of their own.\n"
    )
    for name in names:
        await LOADS[name](table)
    sys.stdout.write("\n" if ENGINE.keys() >= set(names) else f"\n{PEERS}\n\n")
    sys.stdout.write(f"Missed: {'; '.join(table.missed)}\n" if table.missed else "Every target is met.\n")
    return 1 if table.missed else 0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measures the bridge under load.")
    parser.add_argument("loads", nargs="*", metavar="load", help=f"all when left out: {', '.join(LOADS)}")
    chosen = parser.parse_args().loads or list(LOADS)
    if unknown := [name for name in chosen if name not in LOADS]:
        parser.error(f"no load named {', '.join(unknown)}; there are {', '.join(LOADS)}")
    sys.exit(asyncio.run(measure(chosen)))


if __name__ == "__main__":
    main()
