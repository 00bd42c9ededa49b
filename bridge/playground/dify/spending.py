"""What an answer of the stand-in Dify has cost, in the shape that real servers were seen to use."""

from decimal import Decimal

from bridge.playground.dify.wire import Json

PROMPT_TOKENS = 11
"""Of every question."""
PRICE = Decimal("0.0000021")
"""Of a token of the answer."""


def usage_of(tokens: int, *, stopped: bool = False) -> Json:
    """Counts of a stopped answer are zero (seen with 1.12.1). Prices are decimal strings."""
    prompt, completion = (0, 0) if stopped else (PROMPT_TOKENS, tokens)
    price = str(PRICE * completion)
    return {
        "prompt_tokens": prompt,
        "prompt_unit_price": "0",
        "prompt_price_unit": "0",
        "prompt_price": "0",
        "completion_tokens": completion,
        "completion_unit_price": str(PRICE),
        "completion_price_unit": "1",
        "completion_price": price,
        "total_tokens": prompt + completion,
        "total_price": price,
        "currency": "USD",
        "latency": 0.25,
        "time_to_first_token": None,
        "time_to_generate": None,
    }
