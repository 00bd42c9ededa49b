"""The seam to what each person thinks of an answer, for backends that keep that one by one.

Most backends keep one rating per answer, which is made of everybody's votes (`feedback`). One that can tell people apart is told
what each of them thinks, and never the sum.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from bridge.messages import AnswerId, AppName, BackendIds, BackendUser, Rating


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    rating: Rating | None
    """None: they took back what they had said."""
    comment: str = ""
    """In their own words. Empty as well where the words were removed after a while: what was told stays."""


Opinions = Mapping[str, Opinion]
"""Of everybody who ever voted on an answer, by the platform's name, a colon and the person's id."""


@runtime_checkable
class RatesPerPerson(Protocol):
    """A backend that keeps what each person thinks of an answer."""

    async def rate_each(self, ids: BackendIds, user: BackendUser, opinions: Opinions) -> None:
        """Sets what these people think, whatever it had of them; of others it leaves what it has. Called in the place of `rate`,
        again and again with whatever is known then. Raises `BackendError`; when `may_retry` is False it can never be
        delivered."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DueOpinions:
    answer_id: AnswerId
    app: AppName
    backend_user: BackendUser
    ids: BackendIds
    opinions: Opinions
    attempts: int
    mark: datetime
    """Says up to which vote this goes, for whoever says how it ended."""


class OpinionStore(Protocol):
    """Each method is one transaction. All may raise `StoreUnavailable` (nothing was written)."""

    async def due(self, apps: Collection[AppName], now: datetime, limit: int) -> Sequence[DueOpinions]:
        """Answers of these apps on which somebody voted or commented since their backend was told, and that do not wait for a
        later retry."""
        ...

    async def told(self, answer: AnswerId, mark: datetime) -> None:
        """The backend knows them up to `mark`. What came meanwhile stays due."""
        ...

    async def failed(self, answer: AnswerId, mark: datetime, retry_at: datetime | None) -> None:
        """Not delivered. Due again at `retry_at`; None gives it up until the next vote."""
        ...
