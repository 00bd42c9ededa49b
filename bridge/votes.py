"""What people think of answers, one by one. Values only."""

from dataclasses import dataclass

from bridge.messages import AnswerId, AppName, BackendIds, BackendUser, MessageRef, PersonId, Rating


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One person's reaction on one message of an answer."""

    message: MessageRef
    person: PersonId
    source: str
    """What was pressed, so that taking one reaction away restores the other."""
    rating: Rating
    active: bool
    revision: int
    comment: str = ""
    """Why, in the person's own words; filled in by the store when votes are looked at together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRating:
    """An aggregate that the backend does not have yet."""

    answer_id: AnswerId
    app: AppName
    backend_user: BackendUser
    ids: BackendIds
    rating: Rating | None
    attempts: int
    likes: int
    dislikes: int
    comments: tuple[str, ...] = ()
    """What people wrote about it, the latest of each person, the oldest first."""
