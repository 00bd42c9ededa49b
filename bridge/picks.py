"""The seam to what members chose: which app answers them, and what within it, where an operator lets them choose.

What is chosen in a thread holds for everybody in it. What somebody chooses elsewhere holds for their own next questions in that
channel, or in their direct messages; a thread that begins with one of those keeps its app. All processes see it at once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bridge.messages import AppName, ConversationId, ConversationKey, EventId, PersonId, ThreadId


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    app: AppName
    choice: str = ""
    """Within the app (`Choice.id`); empty: what its operator set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A conversation that one app has in a thread. Each app has its own, and goes on with it when it is chosen again."""

    id: ConversationId
    app: AppName


class Picks(Protocol):
    """Each method is one transaction. All may raise `StoreUnavailable` (nothing was written)."""

    async def find(self, key: ConversationKey, person: PersonId, apps: Collection[AppName]) -> Pick | None:
        """What holds for a question of this person with this key: what was chosen in its thread, or else the app that was asked
        there last, or else what the person chose for themselves in the channel. Only of `apps`. None: nothing of that."""
        ...

    async def pick(self, event_id: EventId, scope: ConversationKey, pick: Pick) -> bool:
        """`scope`: a thread, or what `own_scope` makes. False: the event was heard before, and the pick stands."""
        ...

    async def begun(self, key: ConversationKey, apps: Collection[AppName]) -> Sequence[Begun]:
        """The conversations with this key, the one that was active last first."""
        ...

    async def of(self, conversation: ConversationId) -> Pick | None:
        """The app whose conversation it is, and what was asked for within it last."""
        ...


def own_scope(key: ConversationKey, person: PersonId) -> ConversationKey:
    """What one person chooses for themselves in the channel of `key`."""
    return replace(key, thread=ThreadId(""), person=person)
