"""The seam to where it is kept what members have filled in for an app, and what they are being asked for. Every method is one
transaction and may raise `StoreUnavailable` (nothing was written)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from bridge.forms_api import Form
from bridge.messages import AnswerId, ConversationId, Inputs, PersonId, Turn

UNUSED_FOR = timedelta(days=30)
"""After that a conversation's inputs are forgotten, since they may be about people; should it go on, they are asked for anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRequest:
    """What the asker of a question is asked for before the app can be."""

    answer_id: AnswerId
    person: PersonId
    """Who may fill it in."""
    form: Form
    """What is not filled in yet."""
    expires_at: datetime


class KeepsInputs(Protocol):
    async def known(self, turn: Turn) -> Inputs:
        """What was filled in for this turn's conversation and not forgotten on purpose since."""
        ...

    async def ask(self, request: InputRequest) -> InputRequest:
        """Records what is asked for. Where the same answer asked for something before, also in an earlier process, that is
        replaced, and its time goes on: the request that holds is returned."""
        ...

    async def asked(self, answer: AnswerId) -> InputRequest | None:
        """What is still asked for. None: nothing, or its answer has ended."""
        ...

    async def fill_in(self, answer: AnswerId, values: Mapping[str, str | int | float | bool]) -> ConversationId | None:
        """Keeps them for the conversation, and takes their fields out of the request. None: nothing is asked for any more. The
        conversation's running turn is to be nudged."""
        ...

    async def keep_house(self) -> None:
        """Forgets requests whose time is long up, and the inputs of conversations that nobody has used for `UNUSED_FOR`."""
        ...
