"""The command `usage`: what it takes, and how it spells what it found."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bridge import spending
from bridge.costs import Grouping, Spending
from bridge.errors import SettingsError, StoreUnavailable
from bridge.settings import isolated
from bridge.storage.settings import Settings
from tests.fakes.clock import FakeClock

ROW = Spending(
    of="default",
    answers=1,
    prompt_tokens=1,
    completion_tokens=2,
    total_tokens=3,
    price=Decimal("0.0000021"),
    currency="USD",
)


@pytest.mark.parametrize(
    ("told", "first"), [("2026-11-01", date(2026, 11, 1)), ("1d", date(2026, 1, 1)), ("7d", date(2025, 12, 26))]
)
def test_since_is_a_day_or_so_many_days(told: str, first: date) -> None:
    assert spending.read_since(told, FakeClock()) == first


@pytest.mark.parametrize("told", ["", "d", "0d", "-3d", "yesterday", "2026-13-01", "99999d", "³d"])
def test_anything_else_is_refused_in_a_sentence(told: str) -> None:
    with pytest.raises(SettingsError, match="--since"):
        spending.read_since(told, FakeClock())


def test_prices_are_spelled_to_the_last_digit_and_as_text() -> None:
    assert [spending.spell_price(Decimal(one)) for one in ("2.1E-6", "1.50", "0", "100")] == [
        "0.0000021",
        "1.5",
        "0",
        "100",
    ]
    (row,) = json.loads(spending.as_json([ROW]))
    assert row["price"] == "0.0000021"


def test_a_table_says_what_was_added_up(capsys: pytest.CaptureFixture[str]) -> None:
    spending.print_table([ROW], Grouping.DAY)
    told = capsys.readouterr().out
    assert "Day (UTC)" in told
    assert "0.0000021 USD" in told
    spending.print_table([], Grouping.APP)
    assert "Nothing was counted" in capsys.readouterr().out


async def test_without_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    settings = isolated(Settings, database_url=f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(StoreUnavailable, match="start the bridge once"):
        await spending.look_up(settings, Grouping.APP, None)
    assert list(tmp_path.iterdir()) == [], "looking makes nothing"
