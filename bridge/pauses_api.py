"""Durable memory of answers that wait for people: a part of `store`, where it is said what holds for all of it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from bridge.messages import AnswerId, ConversationId, ConversationKey, EventId, MessageRef, PlatformName, Turn
from bridge.pauses import DuePause, Given, OpenForm, Pause


class GiveResult(StrEnum):
    TAKEN = "taken"
    """Recorded, now or when the same event was told before; whoever works on the conversation must be woken."""
    EARLIER = "earlier"
    """Somebody was faster."""
    OVER = "over"
    """Nothing waits for this any more: it was stopped, it ended, or the app asks something else by now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gave:
    result: GiveResult
    conversation: ConversationId | None = None
    """Set unless it is `over`."""
    by: str = ""
    """Of an `EARLIER` one: the name of who was faster."""


class KeepsPauses(Protocol):
    """An answer that is `paused` rests when nothing is to be done about it: its conversation does not count as waiting, and
    `begin_next` gives nothing. Whatever gives it work ends the rest: an answered form, a stop, an edit, a deletion, `rouse`."""

    async def pause_of(self, answer: AnswerId) -> Pause | None:
        """What this unfinished answer waits for, or waited for last; None when it never did since it was asked."""
        ...

    async def record_paused(self, turn: Turn, pause: Pause) -> Pause:
        """Keeps it in place of the last one; the answer is `paused` and does not rest. Returns what is kept by now: a form that
        was answered since it was read stays answered."""
        ...

    async def rest(self, turn: Turn, pause: Pause, *, look_at: datetime, remind_at: datetime | None) -> bool:
        """The answer rests, and is to be looked after at `look_at`. A `remind_at` counts for the first rest with this
        `pause.number`. False: there is something to do about it already, and the caller is still its owner."""
        ...

    async def open_form(self, message: MessageRef, within: ConversationKey) -> OpenForm | None:
        """What the answer that this message of ours is part of waits for; None: nothing (any more). One that was posted a moment
        ago may not be recorded yet: then what is waited for in that conversation."""
        ...

    async def give(self, event_id: EventId, answer: AnswerId, number: int, given: Given) -> Gave:
        """Records an answer to the form with this number. The first one counts."""
        ...

    async def rouse(self, answer: AnswerId) -> ConversationId | None:
        """There is something to do about a resting answer. None: it does not rest."""
        ...

    async def due_pauses(
        self, platforms: Collection[PlatformName], now: datetime, again_at: datetime, limit: int
    ) -> Sequence[DuePause]:
        """Resting answers that are to be looked after now. Each is given to one caller and is due again at `again_at`."""
        ...
