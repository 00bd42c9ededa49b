"""Looks into untrusted JSON: what is not of the wanted kind is as good as missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

Json = Mapping[str, object]
"""Untrusted JSON: every value is looked at before it is believed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored:
    """Not for the core. The reason names types, never content."""

    reason: str


def text_in(source: Json, name: str) -> str:
    value = source.get(name)
    return value if isinstance(value, str) else ""


def object_in(source: Json, name: str) -> Json:
    value = source.get(name)
    return value if isinstance(value, dict) else {}


def items_in(source: Json, name: str) -> list[Json]:
    value = source.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def is_id(text: str) -> bool:
    """Slack's ids hold ASCII letters and digits only."""
    return text.isascii() and text.isalnum()


def microseconds(ts: str) -> int | None:
    """Slack's timestamps are seconds with six decimals; a float would lose the last of them."""
    seconds, _, fraction = ts.partition(".")
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):
        return None
    if fraction and not (fraction.isascii() and fraction.isdigit()):
        return None
    return int(seconds) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def moment(ts: str) -> datetime | None:
    micros = microseconds(ts)
    return None if micros is None else at_microseconds(micros)


def at_microseconds(micros: int) -> datetime:
    return datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
