"""What answers have cost: written for each asking, added up by app, person or day. Each function is part of one transaction."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.backend_api import UsageReported
from bridge.costs import Grouping, Spending
from bridge.messages import Turn
from bridge.storage.portable import insert_into
from bridge.storage.tables import spent

NANOS = 1_000_000_000

_COLUMNS = {
    Grouping.APP: (spent.c.app,),
    # The same person may have the same id on two platforms.
    Grouping.PERSON: (spent.c.platform, spent.c.person_id),
    Grouping.DAY: (spent.c.day,),
}


async def record_spent(
    connection: AsyncConnection, turn: Turn, attempt: int, usage: UsageReported, now: datetime
) -> None:
    """Not fenced: it was spent, whoever owns the turn by now."""
    key, author = turn.target.conversation, turn.question.author
    told = {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
        "price_nanos": None if usage.price is None else _nanos(usage.price),
        "currency": usage.currency,
        "latency_ms": None if usage.latency is None else round(usage.latency * 1000),
    }
    await connection.execute(
        insert_into(connection, spent)
        .values(
            answer_id=turn.answer_id,
            attempt=attempt,
            app=turn.app,
            platform=key.platform,
            installation=key.installation,
            person_id=author.id,
            day=now.astimezone(UTC).date().isoformat(),
            **told,
        )
        .on_conflict_do_update(index_elements=["answer_id", "attempt"], set_=told)
    )


async def add_up(connection: AsyncConnection, by: Grouping, since: date | None) -> Sequence[Spending]:
    """Prices in several currencies are never added up, so each currency is a row of its own."""
    columns = _COLUMNS[by]
    query = (
        select(
            *columns,
            spent.c.currency,
            func.count(spent.c.answer_id.distinct()).label("answers"),
            func.sum(spent.c.prompt_tokens).label("prompt_tokens"),
            func.sum(spent.c.completion_tokens).label("completion_tokens"),
            func.sum(spent.c.total_tokens).label("total_tokens"),
            func.sum(spent.c.price_nanos).label("price_nanos"),
        )
        .group_by(*columns, spent.c.currency)
        .order_by(*columns, spent.c.currency)
    )
    if since is not None:
        query = query.where(spent.c.day >= since.isoformat())
    rows = await connection.execute(query)
    return [
        Spending(
            of=":".join(row[: len(columns)]),
            answers=row.answers,
            prompt_tokens=int(row.prompt_tokens),
            completion_tokens=int(row.completion_tokens),
            total_tokens=int(row.total_tokens),
            price=None if row.price_nanos is None else Decimal(int(row.price_nanos)) / NANOS,
            currency=row.currency,
        )
        for row in rows
    ]


def _nanos(price: Decimal) -> int:
    return int((price * NANOS).to_integral_value(rounding=ROUND_HALF_EVEN))
