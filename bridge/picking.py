"""Which app answers a person in a place where members may choose: what they chose, put in the place of what the route says."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bridge.backend_api import Backend, OffersChoices
from bridge.decisions import Ask, Decision, Stop
from bridge.events import VALUED, ButtonPressed, CommandInvoked, InboundEvent, MessageReceived
from bridge.messages import AppName, ConversationId, ConversationKey, PersonId
from bridge.picks import Picks
from bridge.routing import AppPolicy, Follow, Resolution
from bridge.store import Store


class Picking:
    """All methods may raise `StoreUnavailable`. Where nothing is to be chosen none of them costs a look into the store."""

    def __init__(self, store: Store, picks: Picks | None, backends: Mapping[AppName, Backend]) -> None:
        self._store = store
        self._picks = picks
        self._backends = backends

    async def settle(self, resolution: Resolution, key: ConversationKey, person: PersonId) -> Resolution:
        """What holds there for this person."""
        policies = allowed(resolution)
        if self._picks is None or not any(self._leaves_a_choice(one, policies) for one in policies):
            return resolution
        picked = await self._picks.find(key, person, [one.name for one in policies])
        if picked is None:
            return resolution
        (app,) = (one for one in policies if one.name == picked.app)
        return replace(resolution, app=app, choice=picked.choice)

    async def settle_for(self, event: InboundEvent, resolution: Resolution) -> Resolution:
        """The same for who did this. Most messages in a busy channel are no questions, and cost nothing."""
        match event:
            case MessageReceived():
                heard = event.is_direct or event.mentions_bot or event.replies_to_bot or event.unseen or event.in_thread
                if not heard and resolution.follow is not Follow.EVERYTHING:
                    return resolution
            case CommandInvoked():
                pass
            case ButtonPressed(target=target, author=author) if target is not None and author is not None:
                chosen = event.action in VALUED
                return await self.settle(resolution, target.conversation, author.id) if chosen else resolution
            case _:
                return resolution
        return await self.settle(resolution, event.target.conversation, event.author.id)

    async def complete(self, decision: Decision, resolution: Resolution) -> Decision:
        """With what was chosen. Who goes on with a conversation is answered by the app whose it is; one of an app that answers
        here no more is not gone on with."""
        names = tuple(one.name for one in resolution.choices)
        match decision:
            case Stop():
                return replace(decision, choices=names)
            case Ask(join=None):
                return replace(decision, choices=names, choice=resolution.choice)
            case Ask(join=joined):
                assert joined is not None  # noqa: S101  # the case above has the others
                known = await self._picks.of(joined) if self._picks is not None else None
                if known is None:
                    return replace(decision, choices=names)
                for one in allowed(resolution):
                    if one.name == known.app:
                        return replace(decision, choices=names, app=one, choice=known.choice)
                return replace(decision, choices=names, join=None, choice=resolution.choice)
            case _:
                return decision

    async def begun(
        self, key: ConversationKey, app: AppName, choices: Sequence[AppName] = ()
    ) -> Sequence[ConversationId]:
        """The conversations with this key, one for each app that was asked: that of `app` first, then the latest."""
        if self._picks is None or len(choices) < 2:  # then there is nothing to choose
            found = await self._store.find_conversation(key, app)
            return [] if found is None else [found]
        every = await self._picks.begun(key, {app, *choices})
        return [one.id for one in sorted(every, key=lambda one: one.app != app)]

    async def app_of(self, conversation: ConversationId) -> AppName | None:
        """None where nothing is to be chosen, so that nobody need know."""
        known = await self._picks.of(conversation) if self._picks is not None else None
        return None if known is None else known.app

    def _leaves_a_choice(self, policy: AppPolicy, policies: Sequence[AppPolicy]) -> bool:
        return len(policies) > 1 or isinstance(self._backends.get(policy.name), OffersChoices)


def allowed(resolution: Resolution) -> Sequence[AppPolicy]:
    """Every app that may answer there."""
    if resolution.choices:
        return resolution.choices
    return () if resolution.app is None else (resolution.app,)
