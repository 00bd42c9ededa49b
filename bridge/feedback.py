"""The feedback box: people's votes and comments are kept one by one; the backend gets one aggregate per answer, now or later."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge import logs
from bridge.backend_api import Backend
from bridge.clock import Clock
from bridge.errors import BackendError, StoreUnavailable
from bridge.events import CommentGiven
from bridge.messages import AnswerId, AppName, PersonId, Rating
from bridge.metrics import Metrics
from bridge.opinions import OpinionStore, RatesPerPerson
from bridge.store import Store
from bridge.votes import PendingRating, Vote

_log = logs.get("feedback")

MOST_CONTENT = 2_000
"""Characters of what is told beside a rating. Somebody reads it in a narrow column of a table."""
_FEWEST = 100
"""Characters that each comment gets; where there are too many for that, the oldest ones are left out."""


def standing(votes: Sequence[Vote]) -> dict[PersonId, Rating]:
    """What each person thinks now: the latest of their reactions that still stands, on any message of the answer."""
    latest: dict[PersonId, Vote] = {}
    for vote in votes:
        known = latest.get(vote.person)
        if vote.active and (known is None or vote.revision > known.revision):
            latest[vote.person] = vote
    return {person: vote.rating for person, vote in latest.items()}


def aggregate(votes: Sequence[Vote]) -> Rating | None:
    """The one rating for the backend: the sign of likes minus dislikes; a tie, or nobody, is no rating."""
    net = sum(1 if rating is Rating.LIKE else -1 for rating in standing(votes).values())
    return Rating.LIKE if net > 0 else Rating.DISLIKE if net < 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedbackLimits:
    first_retry: timedelta = timedelta(seconds=5)
    """Pause after the first failed delivery; doubles each time."""
    longest_retry: timedelta = timedelta(minutes=30)
    attempts: int = 60
    """After so many failures a rating is given up until somebody votes again: about a day."""
    look_again: timedelta = timedelta(seconds=5)
    """How often ratings that wait for a retry are looked at."""
    batch: int = 20


class Feedback:
    """Takes votes in and delivers aggregates."""

    def __init__(
        self,
        *,
        store: Store,
        backends: Mapping[AppName, Backend],
        clock: Clock,
        metrics: Metrics | None = None,
        limits: FeedbackLimits | None = None,
        opinions: OpinionStore | None = None,
    ) -> None:
        """Without `opinions` every backend is told the sum."""
        self._store = store
        self._backends = backends
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._limits = limits or FeedbackLimits()
        self._opinions = opinions
        self._news = asyncio.Event()

    async def vote(self, vote: Vote) -> bool:
        """Durable when it returns. False: nothing changed. Raises `StoreUnavailable`."""
        changed = await self._store.record_vote(vote, aggregate)
        if changed:
            _log.info("voted", rating=vote.rating.value, active=vote.active, platform=vote.message.platform)
            if vote.active:
                self._metrics.voted(vote.message.platform, vote.rating)
            self._news.set()
        return changed

    async def comment(self, given: CommentGiven) -> None:
        """Durable when it returns. Raises `StoreUnavailable`."""
        new = await self._store.record_comment(given.event_id, given.message, given.person, given.text, given.revision)
        if new:
            _log.info("commented", platform=given.message.platform)
            self._news.set()

    async def run(self) -> None:
        """Delivers until cancelled."""
        while True:
            self._news.clear()
            try:
                delivered = await self.deliver_due()
            except StoreUnavailable as error:
                _log.warning("store_unavailable", doing="due_ratings", detail=str(error))
                delivered = 0
            if delivered < self._limits.batch:
                await self._clock.wait(self._news, self._limits.look_again.total_seconds())

    async def deliver_due(self) -> int:
        """Tries every rating that is due, one after the other, and returns how many there were."""
        due = await self._store.due_ratings(self._clock.now(), self._limits.batch)
        for pending in due:
            await self._deliver(pending)
        return max(len(due), await self._deliver_opinions())

    async def _deliver_opinions(self) -> int:
        apps = [name for name, backend in self._backends.items() if isinstance(backend, RatesPerPerson)]
        if self._opinions is None or not apps:
            return 0
        due = await self._opinions.due(apps, self._clock.now(), self._limits.batch)
        for pending in due:
            backend = self._backends.get(pending.app)
            if backend is None or not isinstance(backend, RatesPerPerson):
                continue
            try:
                await backend.rate_each(pending.ids, pending.backend_user, pending.opinions)
            except BackendError as error:
                retry_at = self._retry_at(error, pending.attempts)
                self._log_failure(pending.answer_id, error, retry_at)
                await self._opinions.failed(pending.answer_id, pending.mark, retry_at)
            else:
                _log.info("rated", answer=pending.answer_id, people=len(pending.opinions))
                await self._opinions.told(pending.answer_id, pending.mark)
        return len(due)

    async def _deliver(self, pending: PendingRating) -> None:
        backend = self._backends.get(pending.app)
        if backend is None:
            _log.warning("rating_without_app", app=pending.app, answer=pending.answer_id)
            await self._store.rating_failed(pending.answer_id, None)
            return
        if self._opinions is not None and isinstance(backend, RatesPerPerson):
            # It is told one by one.
            await self._store.rating_sent(pending.answer_id, pending.rating)
            return
        try:
            await backend.rate(pending.ids, pending.backend_user, pending.rating, _content(pending))
        except BackendError as error:
            retry_at = self._retry_at(error, pending.attempts)
            self._log_failure(pending.answer_id, error, retry_at)
            await self._store.rating_failed(pending.answer_id, retry_at)
        else:
            _log.info("rated", answer=pending.answer_id, rating=pending.rating.value if pending.rating else None)
            await self._store.rating_sent(pending.answer_id, pending.rating)

    def _retry_at(self, error: BackendError, attempts: int) -> datetime | None:
        """When to try again, if at all."""
        if not error.may_retry or attempts + 1 >= self._limits.attempts:
            return None
        pause = min(self._limits.first_retry * 2 ** min(attempts, 20), self._limits.longest_retry)
        return self._clock.now() + (error.retry_after or pause)

    def _log_failure(self, answer: AnswerId, error: BackendError, retry_at: datetime | None) -> None:
        again_at = retry_at.isoformat() if retry_at else None
        _log.warning("rating_not_delivered", answer=answer, code=error.code, detail=str(error), again_at=again_at)


def _content(pending: PendingRating) -> str:
    """What the app's author reads beside the rating. One voter needs no count, and one comment no heading."""
    parts = []
    if pending.likes + pending.dislikes > 1:
        parts.append(f"{_count(pending.likes, 'like')}, {_count(pending.dislikes, 'dislike')}.")
    comments = [words for comment in pending.comments if (words := " ".join(comment.split()))]
    room = MOST_CONTENT - 60
    kept = comments[-(room // _FEWEST) :]
    if len(comments) == 1:
        parts.append(_cut(comments[0], room))
    elif comments:
        left_out = f"{len(comments) - len(kept)} earlier ones are left out. " if len(kept) < len(comments) else ""
        listed = " / ".join(_cut(comment, room // len(kept) - 3) for comment in kept)
        parts.append(f"Comments: {left_out}{listed}")
    return " ".join(parts)


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _cut(text: str, most: int) -> str:
    """At the end of a word, where there is one not far away."""
    if len(text) <= most:
        return text
    cut = text[: most - 4]
    words = cut.rpartition(" ")[0]
    return f"{words if len(words) > len(cut) // 2 else cut} ..."
