"""Whether one question more is too many. Each function is part of one transaction.

Counted is what was accepted: questions, and whole answers that were wanted once more. Nothing else is kept, so every process
counts the same, and a quota that the operator changes holds at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.messages import AppName, ConversationKey, PersonId
from bridge.quotas import Quota, Quotas
from bridge.storage.portable import lock_name
from bridge.storage.tables import conversation, inbound_event
from bridge.store import Limited

COUNTED = ("message", "again")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    quota: Quota
    name: str
    where: Sequence[ColumnElement[bool]]
    of_channel: bool = False


async def find_limit(
    connection: AsyncConnection, key: ConversationKey, app: AppName, person: PersonId, quotas: Quotas, now: datetime
) -> Limited | None:
    """The quota that is used up; of two the one that stays so for longer. Taken before any row is locked: of several questions
    at once each sees those before it."""
    found: list[Limited] = []
    for rule in _rules(key, person, quotas):
        await lock_name(connection, f"quota {rule.name} of {app}")
        latest = await connection.execute(
            select(inbound_event.c.received_at)
            .join(conversation, conversation.c.id == inbound_event.c.conversation_id)
            .where(
                *rule.where,
                inbound_event.c.kind.in_(COUNTED),
                inbound_event.c.seq.is_not(None),
                inbound_event.c.state != "withdrawn",
                inbound_event.c.received_at > now - rule.quota.window,
                conversation.c.app == app,
            )
            .order_by(inbound_event.c.received_at.desc())
            .offset(rule.quota.most - 1)
            .limit(1)
        )
        oldest = latest.scalar_one_or_none()
        if oldest is not None:
            found.append(Limited(quota=rule.quota, until=oldest + rule.quota.window, of_channel=rule.of_channel))
    return max(found, key=lambda one: one.until, default=None)


def _rules(key: ConversationKey, person: PersonId, quotas: Quotas) -> list[_Rule]:
    """Always in the same order, so that two who wait for each other's locks are none."""
    rules = []
    on = inbound_event.c.platform == key.platform
    if quotas.per_person is not None:
        mine = inbound_event.c.person_id == person
        rules.append(_Rule(quota=quotas.per_person, name=f"{key.platform} person {person}", where=(on, mine)))
    # Direct messages are nobody's channel.
    if quotas.per_channel is not None and not key.person:
        here = (inbound_event.c.installation == key.installation, inbound_event.c.channel_id == key.channel)
        name = f"{key.platform} channel {key.installation} {key.channel}"
        rules.append(_Rule(quota=quotas.per_channel, name=name, where=(on, *here), of_channel=True))
    return rules
