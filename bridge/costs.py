"""What answers have cost, added up. Values only."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Grouping(StrEnum):
    APP = "app"
    PERSON = "person"
    DAY = "day"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    of: str
    """The app, the person (platform and the platform's id) or the day (UTC)."""
    answers: int
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    price: Decimal | None
    """None where no app named one. Of one currency."""
    currency: str
