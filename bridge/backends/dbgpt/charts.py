"""Charts, dashboards and query results of DB-GPT, told in Markdown: a title, a table, the query. No chat draws its charts."""

import re
from collections.abc import Mapping, Sequence

from bridge.remote.framing import Json, text_of

MOST_ROWS = 20
MOST_COLUMNS = 10
MOST_CELL = 80
"""Characters. A chat shows no more of a table; whoever needs all of it opens DB-GPT."""
MOST_CHARTS = 20


def tell_chart(chart: Json) -> str:
    """`vis-db-chart` and `<chart-view>`: title, what it is about, the rows, the query."""
    rows = _rows_of(chart.get("data"))
    parts = [
        _bold(text_of(chart, "title")),
        text_of(chart, "describe").strip(),
        tell_table(rows) if rows else "",
        "" if rows else _without_rows(chart),
        fence(text_of(chart, "sql"), "sql"),
    ]
    return "\n\n".join(part for part in parts if part)


def tell_dashboard(board: Json) -> str:
    """`vis-dashboard`, whose charts are as those of `tell_chart`."""
    charts = [tell_chart(chart) for chart in _rows_of(board.get("data"))[:MOST_CHARTS]]
    return "\n\n".join(part for part in (_bold(text_of(board, "title")), *charts) if part)


def tell_report(report: Json) -> str:
    """The report of `chat_dashboard`: each chart with its values in a list of name, series and value."""
    parts = []
    for chart in _rows_of(report.get("charts"))[:MOST_CHARTS]:
        rows = _rows_of(chart.get("values"))
        same_series = len({text_of(row, "type") for row in rows}) <= 1
        cells = [
            {"Name": row.get("name"), **({} if same_series else {"Series": row.get("type")}), "Value": row.get("value")}
            for row in rows
        ]
        parts += [
            _bold(text_of(chart, "chart_name")),
            text_of(chart, "chart_desc").strip(),
            tell_table(cells) if cells else "(no rows)",
            fence(text_of(chart, "chart_sql"), "sql"),
        ]
    return "\n\n".join(part for part in parts if part)


def tell_table(rows: Sequence[Mapping[str, object]]) -> str:
    columns = list(dict.fromkeys(str(name) for row in rows[:MOST_ROWS] for name in row))
    shown = columns[:MOST_COLUMNS]
    lines = [_line([_cell(name) for name in shown]), _line(["---"] * len(shown))]
    lines += [_line([_cell(row.get(name)) for name in shown]) for row in rows[:MOST_ROWS]]
    left_out = []
    if len(rows) > MOST_ROWS:
        left_out.append(f"{len(rows) - MOST_ROWS} more rows")
    if len(columns) > MOST_COLUMNS:
        left_out.append(f"{len(columns) - MOST_COLUMNS} more columns")
    table = "\n".join(lines)
    return f"{table}\n\n(… and {' and '.join(left_out)})" if left_out else table


def fence(code: str, language: str = "") -> str:
    """A block of code that nothing in it can close."""
    if not code.strip():
        return ""
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    ticks = "`" * (longest + 1)
    return f"{ticks}{language}\n{code.strip()}\n{ticks}"


def _without_rows(chart: Json) -> str:
    # What went wrong names tables and columns, and is for the log of DB-GPT.
    return "(The query failed.)" if text_of(chart, "err_msg") else "(no rows)" if "data" in chart else ""


def _rows_of(value: object) -> list[Json]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _bold(title: str) -> str:
    line = " ".join(title.split())
    return f"**{line}**" if line else ""


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = text_of({"cell": value if isinstance(value, str) else str(value)}, "cell")
    line = " ".join(text.split())
    if len(line) > MOST_CELL:
        line = f"{line[: MOST_CELL - 1].rstrip()}…"
    return line.replace("\\", "\\\\").replace("|", "\\|")
