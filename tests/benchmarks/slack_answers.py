"""Slack's part of the table: what an answer costs a workspace, how soon it begins and how late it ends.

Slack counts calls per method and workspace, and names a floor for each ("20+ per minute"). The targets are those floors.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from tests.benchmarks.answering import NO_STREAMS, Answered, Load, answer_questions, tier_of
from tests.benchmarks.engine import percentile
from tests.benchmarks.loads import PER_TOKEN, TOKENS, middle, worst
from tests.benchmarks.table import Table

_MINUTE = 60
_RATE = 20
"""Answers a minute that one workspace is to have."""
_LATE = 2.0
"""Seconds that the end of an answer may take where nobody else needs the workspace: two calls, and the pause between two."""


async def show_calls(table: Table, name: str, lacks: Mapping[str, str]) -> None:
    """Both lengths at once, each in a world of its own."""
    lengths = {3: PER_TOKEN, _MINUTE: _MINUTE / TOKENS}
    loads = await asyncio.gather(
        *(answer_questions(1, per_token=per_token, lacks=lacks) for per_token in lengths.values())
    )
    for seconds, load in zip(lengths, loads, strict=True):
        label = f"{seconds} s, {name}"
        table.head(f"Calls of one answer of {seconds} seconds, {name}")
        (answer,) = load.answers
        for method, count in sorted(answer.calls.items()):
            table.row(f"{label}: {method}", count, "", tier_of(method))
        table.row(f"{label}: calls in all", sum(answer.calls.values()), "")
        table.row(f"{label}: messages", answer.messages, "", 1)
        table.row(f"{label}: after the app's last word", answer.late or 0, "s", _LATE)
        _show_soundness(table, label, load)


async def show_minute(table: Table, label: str, count: int, every: float, lacks: Mapping[str, str]) -> None:
    """Answers of three seconds, evenly over more than a minute."""
    load = await answer_questions(count, every=every, per_token=PER_TOKEN, lacks=lacks)
    table.head(f"{label}: {_MINUTE / every:g} answers a minute, {count} of 3 seconds")
    table.row(f"{label}: of them streams", len(load.native), "")
    # Of more than twenty answers a minute not each has the two calls that a sign of work takes.
    _show_beginnings(table, label, load.answers, 0 if _MINUTE / every <= _RATE else None)
    _show_ends(table, f"{label}, streams", load.native)
    _show_ends(table, f"{label}, edited", load.others)
    _show_tiers(table, label, load)
    _show_soundness(table, label, load)


async def show_together(table: Table, label: str, count: int, lacks: Mapping[str, str]) -> None:
    """As many answers of a minute at the same time."""
    load = await answer_questions(count, per_token=_MINUTE / TOKENS, lacks=lacks)
    table.head(f"{label}: {count} answers of {_MINUTE} seconds at once")
    table.row(f"{label}: of them streams", len(load.native), "")
    _show_beginnings(table, label, load.answers)
    for name, answers in (("streams", load.native), ("edited", load.others)):
        _show_ends(table, f"{label}, {name}", answers)
        _show_spread(table, f"{label}, {name}: writings each", [one.writings for one in answers])
    _show_tiers(table, label, load)
    _show_soundness(table, label, load)


def _show_beginnings(table: Table, label: str, answers: Sequence[Answered], without: float | None = None) -> None:
    statuses = [one.status for one in answers if one.status is not None]
    firsts = [one.first for one in answers if one.first is not None]
    table.row(f"{label}: without a status", len(answers) - len(statuses), "", without)
    for name, values, target in (("status", statuses, 1.0), ("first text", firsts, None)):
        if values:
            table.row(f"{label}: {name}, median", middle(values), "s", target)
            table.row(f"{label}: {name}, 99 of 100", percentile(values, 0.99), "s")


def _show_ends(table: Table, label: str, answers: Sequence[Answered]) -> None:
    late = [one.late for one in answers if one.late is not None]
    _show_spread(table, f"{label}: after the app's last word", late, "s", _LATE)


def _show_spread(table: Table, label: str, values: Sequence[float], unit: str = "", most: float | None = None) -> None:
    if values:
        table.row(f"{label}, least", min(values), unit)
        table.row(f"{label}, median", middle(values), unit)
        table.row(f"{label}, most", worst(values), unit, most)


def _show_tiers(table: Table, label: str, load: Load) -> None:
    for method, count in sorted(load.busiest.items()):
        table.row(f"{label}: {method}, busiest minute", count, "", tier_of(method))


def _show_soundness(table: Table, label: str, load: Load) -> None:
    table.row(f"{label}: whole answers", sum(one.whole for one in load.answers), "", at_least=len(load.answers))
    table.row(f"{label}: shown twice", sum(one.messages > 1 for one in load.answers), "", 0)
    table.row(f"{label}: rejected calls", load.rejected, "", 0)
    for method, count in sorted(load.refused.items()):
        table.row(f"{label}: {method} refused", count, "")


SLACK: dict[str, Callable[[Table], Awaitable[None]]] = {
    "slack-calls": lambda table: show_calls(table, "stream", {}),
    "slack-calls-edited": lambda table: show_calls(table, "edited", NO_STREAMS),
    "slack-minute": lambda table: show_minute(table, "Even", 22, 3.0, {}),
    "slack-minute-mixed": lambda table: show_minute(table, "Too many", 42, 1.5, {}),
    "slack-minute-edited": lambda table: show_minute(table, "No streams", 22, 3.0, NO_STREAMS),
    "slack-together": lambda table: show_together(table, "Together", 30, {}),
}
