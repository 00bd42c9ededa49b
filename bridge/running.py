"""A turn while it runs: what its own tasks know of it, and what others want of it meanwhile."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from bridge.backend_api import BackendEvent, TextReplaced
from bridge.clock import Clock
from bridge.drafts import AnswerDraft
from bridge.messages import AnswerState, Attachment, BackendIds, Inputs, Outcome, Said, StopReason, Turn
from bridge.pauses import Pause
from bridge.producing import Collector
from bridge.surroundings import HandedOver

T = TypeVar("T")


@dataclass(slots=True)
class Running:
    turn: Turn
    draft: AnswerDraft
    ids: BackendIds
    attempt: int
    """How often the backend may have worked on the question."""
    retry_hint: str = ""
    """How to have a failed question asked again, where there is no button for it."""
    ids_recorded: bool = True
    stop: StopReason | None = None
    revised: bool = False
    """The question was edited since it was asked."""
    handed_over: bool = False
    """Somebody else goes on with it."""
    asked: bool = False
    """The backend is at work on it, in our hearing."""
    healed: bool = False
    """It was asked anew in a new backend conversation. That is done once."""
    poisoned: bool = False
    """A turn was lost in the backend's conversation, this one's earlier attempt perhaps."""
    unheard: BackendIds | None = None
    """An earlier owner's run, which may go on at the backend and must be ended."""
    notes: list[str] = field(default_factory=list)
    """Lines of our own to be shown below the answer, whatever its end."""
    wants_suggestions: bool = False
    """Questions that could follow can be shown where it is answered."""
    suggestions: tuple[str, ...] = ()
    handed: tuple[tuple[Attachment, ...], HandedOver] | None = None
    """Attachments that were taken to the backend already, and what came of that."""
    collector: Collector | None = None
    """Fetches what the app makes; None where files cannot be shown."""
    above: tuple[Said, ...] | None = None
    """What stands above the question in its thread, once it was read."""
    inputs: Inputs | None = None
    """What the app is told besides the question, once that is known."""
    wanted: tuple[str, ...] = ()
    """Inputs that its asker is asked for."""
    waits: bool = False
    """For somebody to fill in a form: whoever calls wakes it."""
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    """Set together with `stop`, `revised` or `handed_over`, or when what it `waits` for may be there."""
    started: asyncio.Event = field(default_factory=asyncio.Event)
    """The backend has named its ids."""
    outcome: Outcome | None = None
    pause: Pause | None = None
    """It waits for people, or did so last."""
    rests: bool = False
    """It shall be shown to wait; then this process is done with it."""
    said: str = ""
    """What the app had said up to the last pause."""
    shown: str = ""
    """What stands for that in the draft."""

    def said_and_shown(self) -> tuple[str, str]:
        """As of now: what the app has said, and what the draft shows for it."""
        text = self.draft.text
        said = self.said + text[len(self.shown) :] if text.startswith(self.shown) else text
        return said, text

    def forget_pause(self) -> None:
        """It is asked anew."""
        self.draft.restart()
        self.pause, self.said, self.shown = None, "", ""

    def place(self, event: BackendEvent) -> BackendEvent:
        """Of an answer that goes on, all of the text stands below what was asked in between."""
        if isinstance(event, TextReplaced) and self.shown and event.text.startswith(self.said):
            return TextReplaced(text=self.shown + event.text[len(self.said) :])
        return event

    @property
    def keeps_text(self) -> bool:
        """An earlier owner has shown some of the answer; it stays until there is something better."""
        return bool(self.turn.parts) and self.turn.state in (AnswerState.ASKED, AnswerState.STREAMING)

    @property
    def skipped(self) -> tuple[str, ...]:
        """Lines about attached files that the app did not get."""
        return self.handed[1].notes if self.handed else ()

    def say(self, status: str) -> None:
        """Shows a line for as long as there is no text."""
        if not self.draft.text.strip() and not self.keeps_text:
            self.draft.say_status(status)

    async def until_woken(
        self, work: Coroutine[None, None, T], clock: Clock, after: timedelta, notice: Callable[[], None]
    ) -> T | None:
        """What `work` comes to, or None when something else is wanted first; `work` is then cancelled. `notice` is called
        once when it takes longer than `after`."""
        over = asyncio.Event()
        working = asyncio.ensure_future(work)
        waiting = asyncio.ensure_future(self.woken.wait())
        try:
            working.add_done_callback(lambda _: over.set())
            waiting.add_done_callback(lambda _: over.set())
            if not await clock.wait(over, after.total_seconds()):
                notice()
                await over.wait()
        finally:
            waiting.cancel()
            working.cancel()
            await asyncio.gather(working, waiting, return_exceptions=True)
        return None if working.cancelled() else working.result()
