"""Tables that people paste: Slack keeps them beside the text, among the attachments, as blocks. Pure.

Of link previews, which are attachments too, nothing is read.
"""

from collections.abc import Iterator, Mapping

from adapters.slack.reading.fields import Json, items_in, object_in, text_in

KINDS = frozenset({"table", "data_table"})

MOST_ROWS, MOST_COLUMNS = 101, 20
"""Rows and columns of a table block, the head among them (Slack's page on the block)."""

MOST_CHARS = 12_000
"""Of all tables of a message together. Slack's own limit of one table is 10,000."""


def tables_in(message: Json, names: Mapping[str, str]) -> str:
    """All tables of a message as Markdown; empty where there is none."""
    written: list[str] = []
    length = 0
    for attachment in items_in(message, "attachments"):
        for block in items_in(attachment, "blocks"):
            if text_in(block, "type") not in KINDS:
                continue
            table = _write(block, names)
            length += len(table)
            if length > MOST_CHARS:
                return "\n\n".join([*written, "(more tables, too long to be read)"])
            if table:
                written.append(table)
    return "\n\n".join(written)


def people_in_tables(message: Json) -> Iterator[str]:
    for attachment in items_in(message, "attachments"):
        for block in items_in(attachment, "blocks"):
            if text_in(block, "type") in KINDS:
                for row in _rows(block):
                    for cell in row:
                        yield from (text_in(one, "user_id") for one in _leaves(cell) if text_in(one, "type") == "user")


def _rows(block: Json) -> list[list[Json]]:
    rows = block.get("rows")
    return [
        [cell for cell in row[:MOST_COLUMNS] if isinstance(cell, dict)]
        for row in (rows[:MOST_ROWS] if isinstance(rows, list) else [])
        if isinstance(row, list)
    ]


def _write(block: Json, names: Mapping[str, str]) -> str:
    rows = [[_cell(cell, names) for cell in row] for row in _rows(block)]
    rows = [row for row in rows if any(row)]
    if not rows:
        return ""
    width = max(map(len, rows))
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


def _cell(cell: Json, names: Mapping[str, str]) -> str:
    match text_in(cell, "type"):
        case "rich_text":
            text = "".join(_spell(one, names) for one in _leaves(cell))
        case "raw_number":
            value = cell.get("value")
            text = text_in(cell, "text") or (str(value) if isinstance(value, int | float) else "")
        case _:
            text = text_in(cell, "text")
    return " ".join(text.split()).replace("|", "\\|")


def _leaves(cell: Json) -> Iterator[Json]:
    """The elements of rich text that say something; sections, lists and quotes hold them."""
    waiting = items_in(cell, "elements")
    while waiting:
        one = waiting.pop(0)
        inner = items_in(one, "elements")
        if inner:
            waiting = [*inner, {"type": "text", "text": " "}, *waiting]
        else:
            yield one


def _spell(element: Json, names: Mapping[str, str]) -> str:
    match text_in(element, "type"):
        case "user":
            user = text_in(element, "user_id")
            return "@" + (names.get(user) or user)
        case "channel":
            return "#" + text_in(element, "channel_id")
        case "usergroup":
            return "@" + text_in(element, "usergroup_id")
        case "broadcast":
            return "@" + text_in(element, "range")
        case "emoji":
            return f":{text_in(element, 'name')}:"
        case "link":
            url, label = text_in(element, "url"), text_in(element, "text")
            return f"{label} ({url})" if label and label != url else url
        case "date":
            return text_in(element, "fallback") or text_in(object_in(element, "date"), "fallback")
        case _:
            return text_in(element, "text")
