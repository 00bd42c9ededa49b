"""What members chose, in memory. Nobody was asked anything."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bridge.messages import AppName, ConversationId, ConversationKey, EventId, PersonId
from bridge.picks import Begun, Pick, own_scope


@dataclass
class FakePicks:
    picked: dict[ConversationKey, Pick] = field(default_factory=dict)
    heard: set[EventId] = field(default_factory=set)

    async def find(self, key: ConversationKey, person: PersonId, apps: Collection[AppName]) -> Pick | None:
        for scope in (key, own_scope(key, person)):
            if (found := self.picked.get(scope)) is not None and found.app in apps:
                return found
        return None

    async def pick(self, event_id: EventId, scope: ConversationKey, pick: Pick) -> bool:
        if event_id in self.heard:
            return False
        self.heard.add(event_id)
        self.picked[scope] = pick
        return True

    async def begun(self, key: ConversationKey, apps: Collection[AppName]) -> Sequence[Begun]:
        return []

    async def of(self, conversation: ConversationId) -> Pick | None:
        return None
