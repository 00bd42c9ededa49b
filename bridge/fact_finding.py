"""What the store knows about a message's surroundings, as far as a decision needs it."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.events import MessageReceived
from bridge.facts import Facts, Policy
from bridge.messages import ConversationId
from bridge.picking import Picking
from bridge.router import wants_asked, wants_muted, wants_replied, wants_thread
from bridge.routing import Resolution
from bridge.store import Store


class Gatherer:
    def __init__(self, store: Store, picking: Picking, policy: Policy) -> None:
        self._store = store
        self._picking = picking
        self._policy = policy

    async def gather(self, event: MessageReceived, resolution: Resolution) -> Facts:
        """Raises `StoreUnavailable`."""
        replied = asked = None
        begun: Sequence[ConversationId] = ()
        if event.reply_to is not None and wants_replied(event, resolution):
            replied = await self._store.conversation_of(event.reply_to)
        if event.reply_to is not None and replied is None and wants_asked(event, resolution):
            asked = await self._store.asked_in(event.reply_to)
        if resolution.app is not None and wants_thread(event, resolution, self._policy):
            names = [one.name for one in resolution.choices]
            begun = await self._picking.begun(event.target.conversation, resolution.app.name, names)
        facts = Facts(thread=next(iter(begun), None), replied=replied, asked=asked)
        if wants_muted(event, facts, self._policy):
            facts = replace(facts, muted=any([await self._store.is_muted(one) for one in begun]))
        return facts
