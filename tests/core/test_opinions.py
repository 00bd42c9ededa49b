"""A backend that keeps what each person thinks is told that, one by one, and never the sum."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from bridge.backend_api import Backend
from bridge.errors import BackendError, BackendUnreachable, QuestionRefused
from bridge.feedback import Feedback, aggregate
from bridge.messages import AnswerId, AppName, BackendIds, BackendUser, Rating
from bridge.opinions import DueOpinions, Opinion, Opinions
from tests.contracts.store_steps import IDS, answered, vote
from tests.fakes import values
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.store import FakeStore

GRACE = {"slack:grace": Opinion(rating=Rating.LIKE)}
DUE = DueOpinions(
    answer_id=AnswerId(1),
    app=values.APP,
    backend_user=BackendUser("user"),
    ids=IDS,
    opinions=GRACE,
    attempts=0,
    mark=values.THEN,
)


class OneByOne(FakeBackend):
    """Keeps what each person thinks."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.told: list[Opinions] = []
        self.fault: BackendError | None = None

    async def rate_each(self, ids: BackendIds, user: BackendUser, opinions: Opinions) -> None:
        if self.fault is not None:
            raise self.fault
        self.told.append(opinions)


class FakeOpinions:
    """One answer that is due until somebody says how it ended."""

    def __init__(self) -> None:
        self.waiting = [DUE]
        self.asked_for: list[AppName] = []
        self.retries: list[datetime | None] = []

    async def due(self, apps: Collection[AppName], now: datetime, limit: int) -> Sequence[DueOpinions]:
        self.asked_for = list(apps)
        return [one for one in self.waiting if one.app in apps]

    async def told(self, answer: AnswerId, mark: datetime) -> None:
        self.waiting.clear()

    async def failed(self, answer: AnswerId, mark: datetime, retry_at: datetime | None) -> None:
        self.retries.append(retry_at)
        if retry_at is None:
            self.waiting.clear()


def room(backend: Backend, clock: FakeClock, store: FakeStore) -> tuple[Feedback, FakeOpinions]:
    opinions = FakeOpinions()
    feedback = Feedback(store=store, backends={values.APP: backend}, clock=clock, opinions=opinions)
    return feedback, opinions


async def test_each_person_is_told_and_the_sum_is_not() -> None:
    clock = FakeClock()
    backend, store = OneByOne(clock), FakeStore(aggregate)
    feedback, opinions = room(backend, clock, store)
    await answered(store, 1, "a1")
    await store.record_vote(vote("a1"), aggregate)

    await feedback.deliver_due()

    assert backend.told == [GRACE]
    assert backend.ratings == []
    assert opinions.waiting == []
    assert await store.due_ratings(clock.now(), 10) == [], "the sum is not tried again and again"


async def test_a_backend_that_keeps_one_rating_is_told_the_sum_alone() -> None:
    clock = FakeClock()
    backend, store = FakeBackend(clock), FakeStore(aggregate)
    feedback, opinions = room(backend, clock, store)
    await answered(store, 1, "a1")
    await store.record_vote(vote("a1"), aggregate)

    await feedback.deliver_due()

    assert len(backend.ratings) == 1
    assert opinions.asked_for == []


async def test_what_could_not_be_told_is_tried_later_and_what_never_can_is_given_up() -> None:
    clock = FakeClock()
    backend, store = OneByOne(clock), FakeStore(aggregate)
    feedback, opinions = room(backend, clock, store)
    backend.fault = BackendUnreachable("away")
    await feedback.deliver_due()
    assert opinions.retries == [clock.now() + timedelta(seconds=5)]

    backend.fault = QuestionRefused("no such round")
    await feedback.deliver_due()

    assert opinions.retries[1:] == [None]
    assert opinions.waiting == []
    assert backend.told == []
