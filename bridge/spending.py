"""The command `usage`: what answers have cost, added up. Read beside the process that works with the database."""

import json
from collections.abc import Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal

from bridge.clock import Clock
from bridge.costs import Grouping, Spending
from bridge.errors import SettingsError, StoreUnavailable
from bridge.storage.engine import translated
from bridge.storage.migrate import current_revision
from bridge.storage.opening import open_to_look
from bridge.storage.settings import Settings
from bridge.storage.spending import add_up

REVISION = "r0008"
"""Earlier databases have nothing of this."""

_TITLES = {Grouping.APP: "App", Grouping.PERSON: "Person", Grouping.DAY: "Day (UTC)"}


async def look_up(settings: Settings, by: Grouping, since: date | None) -> Sequence[Spending]:
    """Raises `StoreUnavailable` where there is no database that could tell."""
    if (await current_revision(settings) or "") < REVISION:
        raise StoreUnavailable("the database is not there yet, or of an earlier release: start the bridge once")
    database = open_to_look(settings)
    try:
        with translated():
            async with database.readers.connect() as connection:
                return await add_up(connection, by, since)
    finally:
        await database.close()


def read_since(text: str, clock: Clock) -> date:
    """A day ("2026-11-01"), or so many days back ("30d", today included). Raises `SettingsError`."""
    today = clock.now().astimezone(UTC).date()
    number = text.removesuffix("d")
    if number != text and number.isascii() and number.isdecimal() and 0 < int(number) <= 36_500:
        return today - timedelta(days=int(number) - 1)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            [f"--since: {text!r} is neither a day like 2026-11-01 nor a number of days like 30d."]
        ) from None


def as_json(found: Sequence[Spending]) -> str:
    """Prices as text: nobody who reads it shall make floats of them by chance."""
    return json.dumps(
        [
            {
                "of": one.of,
                "answers": one.answers,
                "prompt_tokens": one.prompt_tokens,
                "completion_tokens": one.completion_tokens,
                "total_tokens": one.total_tokens,
                "price": None if one.price is None else spell_price(one.price),
                "currency": one.currency,
            }
            for one in found
        ],
        indent=2,
    )


def print_table(found: Sequence[Spending], by: Grouping) -> None:
    # Only commands that draw tables need rich; everything else starts without it.
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, highlight=False)
    if not found:
        console.print("Nothing was counted in that time. Not every app tells what its answers cost.")
        return
    table = Table()
    table.add_column(_TITLES[by], overflow="fold")
    for title in ("Answers", "Tokens in", "Tokens out", "Tokens", "Price"):
        table.add_column(title, justify="right")
    for one in found:
        price = "" if one.price is None else f"{spell_price(one.price)} {one.currency}".strip()
        counts = (one.answers, one.prompt_tokens, one.completion_tokens, one.total_tokens)
        table.add_row(one.of, *(f"{count:,}" for count in counts), price)
    console.print(table)


def spell_price(price: Decimal) -> str:
    """Without an exponent, and without zeros that say nothing."""
    text = f"{price:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
