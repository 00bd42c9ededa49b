"""A whole bridge in memory: the real rooms between a fake platform, a fake backend and a fake store."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

from bridge.answers import WriterLimits
from bridge.asking import AskLimits
from bridge.attending import Attendant
from bridge.backend_api import Question
from bridge.conversations import Conversations
from bridge.dispatch.local import LocalDispatcher
from bridge.facts import Policy
from bridge.feedback import Feedback, aggregate
from bridge.filling import InputForms
from bridge.form_desk import FormDesk
from bridge.forms_api import OffersForms
from bridge.gathering import KIND
from bridge.intake import Intake
from bridge.labelling import Labeller
from bridge.messages import ConversationId
from bridge.metrics import Metrics
from bridge.notices import Notices
from bridge.pacing import Pacer
from bridge.pauses import FORMS
from bridge.places import Places
from bridge.recovery import Recovery
from bridge.routing import AppPolicy, Everywhere
from bridge.submissions import Submissions
from bridge.turns import TurnLimits, Turns
from tests.fakes import values
from tests.fakes.backend import FakeBackend, Step
from tests.fakes.clock import FakeClock
from tests.fakes.inputs import FakeInputs
from tests.fakes.platform import FAKE, FakePlatform
from tests.fakes.store import FakeStore

POLICY = Policy(like=frozenset({"👍"}), dislike=frozenset({"👎"}), stop=frozenset({"🛑"}), retry=frozenset({"🔁"}))


class Room:
    def __init__(
        self,
        store: FakeStore | None = None,
        platform: FakePlatform | None = None,
        capacity: int = 100,
        writer: WriterLimits | None = None,
        ask: AskLimits | None = None,
        app: AppPolicy | None = None,
        clock: FakeClock | None = None,
        backend: FakeBackend | None = None,
        inputs: FakeInputs | None = None,
    ) -> None:
        self.clock = clock or FakeClock()
        self.store = store or FakeStore(aggregate)
        self.platform = platform or FakePlatform(self.clock)
        self.platform.clock = self.clock
        self.inputs = inputs or FakeInputs(self.store)
        self.backend = backend or FakeBackend(self.clock, capacity=capacity)
        self.metrics = Metrics()

        platforms, backends = {FAKE: self.platform}, {values.APP: self.backend}
        self.pacer = Pacer(self.clock)
        self.routing = Everywhere(app=app or AppPolicy(name=values.APP))
        self.labeller = Labeller(store=self.store, platforms=platforms, backends=backends, clock=self.clock)
        self.turns = Turns(
            store=self.store,
            platforms=platforms,
            backends=backends,
            policies=self.routing.apps,
            places=Places({self.backend.server: capacity}),
            pacer=self.pacer,
            clock=self.clock,
            metrics=self.metrics,
            limits=TurnLimits(
                writer=writer or WriterLimits(), ask=ask or AskLimits(), store_patience=timedelta(seconds=30)
            ),
            inputs=self.inputs,
            label=self.labeller.note,
        )
        self.fenced = 0
        self.conversations = Conversations(
            store=self.store, turns=self.turns, clock=self.clock, fenced=self._count_fenced, metrics=self.metrics
        )
        self.dispatcher = LocalDispatcher(self.conversations.drain, self.turns.look, self.clock)
        self.feedback = Feedback(store=self.store, backends=backends, clock=self.clock, metrics=self.metrics)
        self.notices = Notices(platforms=platforms, pacer=self.pacer, clock=self.clock, metrics=self.metrics)
        self.forms = FormDesk(
            resolve=self.routing.resolve,
            keepers={
                KIND: InputForms(kept=self.inputs, dispatcher=self.dispatcher, notices=self.notices, clock=self.clock),
                FORMS: Submissions(
                    store=self.store,
                    policies=self.routing.apps,
                    dispatcher=self.dispatcher,
                    notices=self.notices,
                    clock=self.clock,
                ),
            },
        )
        if isinstance(self.platform, OffersForms):
            self.platform.offer_forms(self.forms.find)
        self.inbox = Intake(
            store=self.store,
            dispatcher=self.dispatcher,
            feedback=self.feedback,
            policy=POLICY,
            resolve=self.routing.resolve,
            notices=self.notices,
            queued=self.turns.queued,
            clock=self.clock,
            metrics=self.metrics,
            praise=self.labeller.note,
            fill_in=self.forms.fill_in,
        )
        self.attendant = Attendant(
            store=self.store,
            platforms=platforms,
            backends=backends,
            dispatcher=self.dispatcher,
            notices=self.notices,
            clock=self.clock,
            limits=(ask or AskLimits()).pause,
        )
        self.recovery = Recovery(
            store=self.store,
            platforms=platforms,
            dispatcher=self.dispatcher,
            clock=self.clock,
            metrics=self.metrics,
        )

    def _count_fenced(self) -> None:
        self.fenced += 1

    def answer_with(self, script: Callable[[Question], Iterable[Step]]) -> None:
        self.backend.script = script

    @property
    def texts(self) -> list[str]:
        return self.platform.texts

    def conversation(self, number: int = 1) -> ConversationId:
        return ConversationId(number)


@asynccontextmanager
async def room(
    store: FakeStore | None = None,
    platform: FakePlatform | None = None,
    capacity: int = 100,
    writer: WriterLimits | None = None,
    ask: AskLimits | None = None,
    app: AppPolicy | None = None,
    clock: FakeClock | None = None,
    backend: FakeBackend | None = None,
    inputs: FakeInputs | None = None,
) -> AsyncIterator[Room]:
    """Running: events that go into `inbox` are answered as the clock moves. Left as a killed process leaves it."""
    made = Room(store, platform, capacity, writer, ask, app, clock, backend, inputs)
    tasks = [
        asyncio.ensure_future(made.dispatcher.run()),
        asyncio.ensure_future(made.feedback.run()),
        asyncio.ensure_future(made.notices.run()),
        asyncio.ensure_future(made.labeller.run()),
    ]
    try:
        yield made
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
