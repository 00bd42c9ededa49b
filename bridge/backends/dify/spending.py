"""What an answer has cost, out of `metadata.usage`. Dify writes prices as decimal strings, and nobody rounds them on the way."""

from decimal import Decimal, InvalidOperation

from bridge.backend_api import UsageReported
from bridge.remote.framing import Json, text_of

_MOST = 10**15
"""Whatever is more is no number of tokens, and would not fit where they are added up."""
_MOST_PRICE = Decimal(10**6)


def read_usage(usage: Json) -> UsageReported | None:
    """None where nothing was counted: of a stopped answer 1.12 says zero everywhere."""
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    total = _count(usage.get("total_tokens")) or prompt + completion
    price = _price(usage.get("total_price"))
    if not total and not price:
        return None
    return UsageReported(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total,
        price=price,
        currency=text_of(usage, "currency")[:8] if price is not None else "",
        latency=_seconds(usage.get("latency")),
    )


def read_run_usage(run: Json) -> UsageReported | None:
    """What a run has counted, which is less: no price, and nothing of what went in and what came out."""
    total = _count(run.get("total_tokens"))
    return UsageReported(total_tokens=total, latency=_seconds(run.get("elapsed_time"))) if total else None


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST else 0


def _price(value: object) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        return None
    return price if price.is_finite() and 0 <= price <= _MOST_PRICE else None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else None
