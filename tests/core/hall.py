"""The hall and the waiting room: the real intake, conversations and dispatcher between a fake store and made-up turns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bridge.clock import Clock
from bridge.conversations import Conversations
from bridge.dispatch.local import LocalDispatcher
from bridge.events import ButtonPressed, ChatOpened, HomeOpened, InboundEvent
from bridge.facts import Policy
from bridge.feedback import Feedback, aggregate
from bridge.intake import Intake
from bridge.messages import (
    AnswerState,
    AppName,
    ConversationId,
    MessageRef,
    OutgoingMessage,
    PartRole,
    ReplyTarget,
    Turn,
)
from bridge.metrics import Metrics
from bridge.notices import Notices
from bridge.pacing import Pacer
from bridge.routing import AppPolicy, Place, Resolution
from bridge.store import Orders
from tests.fakes import values
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FAKE, FakePlatform
from tests.fakes.store import FakeStore

POLICY = Policy(like=frozenset({"👍"}), dislike=frozenset({"👎"}), stop=frozenset({"🛑"}), retry=frozenset({"🔁"}))


@dataclass
class StallingPlatform(FakePlatform):
    """Takes for ever to post into some channels (their post groups)."""

    stalled: set[str] = field(default_factory=set)

    async def send(self, target: ReplyTarget, message: OutgoingMessage) -> MessageRef:
        if target.post_group in self.stalled:
            await asyncio.Event().wait()
        return await super().send(target, message)


@dataclass
class FakeTurns:
    """Says the question back after `seconds`, in one message that stands from the start, and does as it is ordered meanwhile.

    `hands_over`: leaves the turn unfinished instead. `fails`: so many of the next turns end as failed.
    """

    store: FakeStore
    platform: FakePlatform
    clock: Clock
    seconds: float = 0.0
    hands_over: bool = False
    fails: int = 0
    answered: list[Turn] = field(default_factory=list)
    running: dict[ConversationId, asyncio.Event] = field(default_factory=dict)
    looked: list[ConversationId] = field(default_factory=list)

    async def answer(self, turn: Turn) -> bool:
        self.answered.append(turn)
        asked = await self.store.record_asked(turn, turn.attempt + 1)
        nonce = f"a{turn.answer_id}"
        ref = await self.platform.send(turn.target, OutgoingMessage(text="...", nonce=nonce))
        await self.store.record_posted(turn, 0, nonce, PartRole.TEXT, ref, "...")
        news = self.running[turn.conversation_id] = asyncio.Event()
        orders = Orders()
        while await self.clock.wait(news, self.seconds):
            news.clear()
            orders = await self.store.orders(turn)
            if orders.stop:
                break
            if orders.question:
                asked = await self.store.record_asked(turn, turn.attempt + 1)
        del self.running[turn.conversation_id]
        if self.hands_over:
            return False
        state, text = AnswerState.DONE, asked.text
        if orders.stop:
            state, text = AnswerState.STOPPED, f"stopped: {asked.text}"
        elif self.fails:
            self.fails -= 1
            state, text = AnswerState.FAILED, "failed"
        await self.platform.edit(turn.target, ref, OutgoingMessage(text=text, nonce=nonce))
        await self.store.finish(turn, state)
        return True

    async def look(self, conversation: ConversationId) -> None:
        self.looked.append(conversation)
        if conversation in self.running:
            self.running[conversation].set()


class Hall:
    def __init__(self, app: AppPolicy | None = None, platform: FakePlatform | None = None) -> None:
        self.clock = FakeClock()
        self.platform = platform or FakePlatform(self.clock)
        self.platform.clock = self.clock
        self.store = FakeStore(aggregate, self.clock)
        self.metrics = Metrics()
        self.turns = FakeTurns(self.store, self.platform, self.clock)
        self.fenced = 0
        self.queued = 0
        """What intake is told about turns that wait for a place."""
        self.resolution = Resolution(app=app or AppPolicy(name=values.APP))
        """What holds in every place."""
        self.places: list[Place] = []
        """Which intake asked about."""
        self.conversations = Conversations(
            store=self.store, turns=self.turns, clock=self.clock, fenced=self._count_fenced, metrics=self.metrics
        )
        self.dispatcher = LocalDispatcher(self.conversations.drain, self.turns.look, self.clock)
        self.feedback = Feedback(store=self.store, backends={}, clock=self.clock)
        self.greeted: list[HomeOpened | ChatOpened] = []
        self.notices = Notices(platforms={FAKE: self.platform}, pacer=Pacer(self.clock), clock=self.clock)
        self.inbox = self.another_inbox()

    def another_inbox(self) -> Intake:
        """As another process would have it: it remembers nothing of what this one was told."""
        return Intake(
            store=self.store,
            dispatcher=self.dispatcher,
            feedback=self.feedback,
            policy=POLICY,
            resolve=self._resolve,
            notices=self.notices,
            queued=self._queued,
            clock=self.clock,
            metrics=self.metrics,
            greet=self.greeted.append,
        )

    def _count_fenced(self) -> None:
        self.fenced += 1

    def _resolve(self, place: Place) -> Resolution:
        self.places.append(place)
        return self.resolution

    def _queued(self, app: AppName) -> int:
        return self.queued if app == values.APP else 0

    @property
    def texts(self) -> list[str]:
        return self.platform.texts

    @property
    def answers(self) -> list[str]:
        """Addresses of the messages of answers, by when they were posted."""
        return [address for address, message in self.platform.messages.items() if message.nonce.startswith("a")]

    @property
    def notes(self) -> list[str]:
        """What was said beside answers."""
        return [message.text for message in self.platform.messages.values() if message.nonce.startswith("n")]

    async def tell(self, *events: InboundEvent) -> None:
        """One after the other, as a platform delivers them, and what follows at once."""
        for event in events:
            taking = self.inbox(event)
            # A press on what is not known yet is looked at again a little later.
            await (self.clock.live_through(taking) if isinstance(event, ButtonPressed) else taking)
        await self.clock.advance(0)


@asynccontextmanager
async def hall(app: AppPolicy | None = None, platform: FakePlatform | None = None) -> AsyncIterator[Hall]:
    made = Hall(app, platform)
    tasks = [asyncio.ensure_future(made.dispatcher.run()), asyncio.ensure_future(made.notices.run())]
    try:
        yield made
        assert not any(task.done() for task in tasks), "they work until they are cancelled"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
