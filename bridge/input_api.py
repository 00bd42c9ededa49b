"""The part of the seam to backends that is about apps which wait for people in the middle of an answer."""

from collections.abc import AsyncGenerator, Collection
from enum import StrEnum
from typing import Protocol, runtime_checkable

from bridge.backend_api import BackendEvent, Question
from bridge.messages import BackendIds, BackendUser
from bridge.pauses import Given, InputRequest


class Submitted(StrEnum):
    """What became of an answered form."""

    TAKEN = "taken"
    EARLIER = "earlier"
    """Somebody else had answered it, perhaps elsewhere: what was given now is not used."""
    EXPIRED = "expired"


@runtime_checkable
class TakesInput(Protocol):
    """Apps behind this backend may wait for people in the middle of an answer (`InputRequired`)."""

    async def submit(self, request: InputRequest, given: Given, user: BackendUser) -> Submitted:
        """Hands in what somebody answered; asked again after that was lost on its way, it tells `EARLIER`. Raises `BackendError`;
        `QuestionRefused` when this is no answer to that form (its `user_message` says why), which leaves the form open."""
        ...

    def resume(
        self, question: Question, ids: BackendIds, said: str, answered: Collection[str]
    ) -> AsyncGenerator[BackendEvent, None]:
        """Hears how a run goes on that was paused, from wherever it is by now, also in another process than the one that asked.

        `said`: the app's text up to the pause; what comes is appended to it, and a `TextReplaced` replaces it too. `answered`:
        ids of requests that are over; a pause that waits for nothing else is waited through. Consumed and ended as `answer` is; a
        stream that cannot be heard is made up for by looking how the run ended, as long as it takes. Needs a place as `answer`.
        """
        ...

    async def is_waiting(self, ids: BackendIds, user: BackendUser) -> bool:
        """Whether the run still waits for people. Cheap. Raises `BackendError`."""
        ...
