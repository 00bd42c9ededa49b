"""Discord's part of the table: what an answer costs, how late it ends beside others, how soon commands are acknowledged, and what
many servers and a long absence cost."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from adapters.discord.capabilities import ALL_CALLS
from tests.benchmarks.discord_loads import Ask, Load, acknowledge, answer, catch_up, gather_servers
from tests.benchmarks.discord_scene import Scene
from tests.benchmarks.engine import percentile
from tests.benchmarks.loads import PER_TOKEN, TOKENS, middle, worst
from tests.benchmarks.rooms import CALL_SECONDS
from tests.benchmarks.table import Table

_MINUTE = 60
_LATE = 2 * CALL_SECONDS + 0.1
"""Seconds that the end may take where it waits for nothing: an edit that is on its way, its own, and a busy machine."""
_ACKNOWLEDGED = 1.0
"""Seconds; Discord gives three."""

_WAYS: dict[str, Ask] = {"mention": Scene.mention, "/ask": Scene.command}


async def show_calls(table: Table) -> None:
    """Both ways and both lengths at once, each in a world of its own."""
    lengths = {3: PER_TOKEN, _MINUTE: _MINUTE / TOKENS}
    kinds = [(way, seconds) for way in _WAYS for seconds in lengths]
    loads = await asyncio.gather(*(answer(1, per_token=lengths[seconds], by=_WAYS[way]) for way, seconds in kinds))
    for (way, seconds), load in zip(kinds, loads, strict=True):
        label = f"{way}, {seconds} s"
        table.head(f"Calls of one answer of {seconds} seconds, asked by {way}")
        for route, count in sorted(load.calls.items()):
            table.row(f"{label}: {_short(route)}", count, "")
        table.row(f"{label}: calls in all", sum(load.calls.values()), "")
        _show_answers(table, label, load)


async def show_together(table: Table, count: int) -> None:
    load = await answer(count, per_token=PER_TOKEN * 4, by=Scene.mention, together=True)
    label = f"One channel, {count} answer{'s' if count > 1 else ''}"
    table.head(f"{label} of 12 seconds at once")
    table.row(f"{label}: edits each", middle([one.edits for one in load.answers]), "")
    _show_answers(table, label, load)


async def show_apart(table: Table) -> None:
    load = await answer(50, per_token=PER_TOKEN * 4, by=Scene.mention)
    label = "50 channels"
    table.head("50 answers of 12 seconds in 50 channels at once")
    table.row(f"{label}: calls each", sum(load.calls.values()) / len(load.answers), "")
    _show_answers(table, label, load, late=_LATE + 50 / ALL_CALLS.limit)


async def show_acknowledging(table: Table) -> None:
    found = await acknowledge(200, 100, every=0.25)
    label = "/ask, 200 streams"
    table.head("Commands while 200 answers grow, four a second")
    table.row(f"{label}: answers still growing at the end", found.streams, "", at_least=200)
    table.row(f"{label}: acknowledged, median", middle(found.seconds), "s")
    table.row(f"{label}: acknowledged, 99 of 100", percentile(found.seconds, 0.99), "s", _ACKNOWLEDGED)
    table.row(f"{label}: acknowledged, worst", worst(found.seconds), "s")
    table.row(f"{label}: told that the bot did not respond", found.failed, "", 0)
    _show_rejected(table, label, found.rejected)


async def show_servers(table: Table) -> None:
    few, many = await gather_servers(0), await gather_servers(5_000)
    table.head("5,000 servers of 20 channels and 10 roles in one gateway connection")
    table.row("resident memory, 1 server", few.resident, "MB")
    table.row("resident memory, 5,000 servers", many.resident, "MB")
    table.row("more for each server", (many.resident - few.resident) * 1000 / 5_000, "kB")
    table.row("ready, 5,000 servers", many.ready_after, "s")
    table.row("all is read and a question asked, 5,000 servers", many.read_after, "s")


async def show_catching_up(table: Table) -> None:
    found = await catch_up(500)
    table.head("500 messages in 50 threads while the bridge was away")
    table.row("missed: taken in", found.accepted, "", at_least=500)
    table.row("missed: hears again", found.ready_after, "s")
    table.row("missed: all are durable", found.within, "s")
    table.row("missed: all were asked", found.answered_after, "s")
    table.row("missed: calls that read", found.reads, "")
    _show_rejected(table, "missed", found.rejected)


def _show_answers(table: Table, label: str, load: Load, *, late: float = _LATE) -> None:
    """`late`: seconds that the end may take. All of fifty end at once, and Discord takes so many calls a second."""
    firsts = [one.first for one in load.answers if one.first is not None]
    lates = [one.late for one in load.answers if one.late is not None]
    table.row(f"{label}: first text, median", middle(firsts), "s")
    table.row(f"{label}: first text, worst", worst(firsts), "s")
    table.row(f"{label}: after the app's last word, median", middle(lates), "s")
    table.row(f"{label}: after the app's last word, worst", worst(lates), "s", late)
    whole = sum(one.whole is not None for one in load.answers)
    table.row(f"{label}: whole answers", whole, "", at_least=len(load.answers))
    table.row(f"{label}: more than one message", sum(one.messages > 1 for one in load.answers), "", 0)
    _show_rejected(table, label, load.rejected)


def _show_rejected(table: Table, label: str, rejected: Mapping[str, int]) -> None:
    for route, count in sorted(rejected.items()):
        table.row(f"{label}: rejected {_short(route)}", count, "")
    table.row(f"{label}: rejected calls", sum(rejected.values()), "", 0)


def _short(route: str) -> str:
    return route.replace("/channels/{channel_id}", "").replace("{application_id}/{token}", "TOKEN").replace("_id}", "}")


DISCORD: dict[str, Callable[[Table], Awaitable[None]]] = {
    "discord-calls": show_calls,
    "discord-together-1": lambda table: show_together(table, 1),
    "discord-together-2": lambda table: show_together(table, 2),
    "discord-together-5": lambda table: show_together(table, 5),
    "discord-apart": show_apart,
    "discord-commands": show_acknowledging,
    "discord-servers": show_servers,
    "discord-missed": show_catching_up,
}
