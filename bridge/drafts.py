"""What is known of an answer so far, and how it ended. Knows nothing of platforms and of how it is shown."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    BackendEvent,
    FileProduced,
    InputRequired,
    Progress,
    SourcesCited,
    TextDelta,
    TextReplaced,
    UsageReported,
)
from bridge.messages import AnswerState, Button, Outcome, ProducedFile, Step, StepState
from bridge.outgoing_files import OutgoingFile

STATUS_MARK = "⏳"
"""Every status begins with it, so that one that was left standing can be told from an answer."""

MOST_STEPS = 50
"""Steps of one answer that are kept; later ones are nobody's business. (Slack shows at most 50 tasks in a message.)"""


@dataclass(frozen=True, slots=True)
class Extras:
    """What an answer has besides its text, once it has ended."""

    sources: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    files: tuple[OutgoingFile, ...] = ()
    may_rate: bool = False
    may_renew: bool = False
    """It is whole, and another one can be had."""
    may_retry: bool = False


class AnswerDraft:
    """One task folds events, another one reads and shows."""

    def __init__(self, lead: str = "") -> None:
        self.lead = lead
        """Stands before the text (Markdown), which begins a paragraph of its own below it."""
        self._pieces: list[str] = []
        self._notes: list[str] = []
        self._steps: dict[str, Step] = {}
        self.produced: tuple[ProducedFile, ...] = ()
        """Files that the app has made so far."""
        self.sources: tuple[str, ...] = ()
        self.usage: UsageReported | None = None
        """What the app says that the answer has cost."""
        self.extras = Extras()
        """Of interest once it has ended."""
        self.status = ""
        """A line (Markdown) that stands for the answer as long as there is no text, such as a place in line."""
        self.asks: tuple[Button, ...] = ()
        """By which people answer what the status asks; of interest as long as it has not ended."""
        self.changed = asyncio.Event()
        """Set at every change; the reader clears it."""
        self.ended = asyncio.Event()
        self.complete = True
        """Whether the text is all that the app had to say; of interest once it has ended."""
        self.standing = False
        """It ended, and its text is whatever stands in the messages of the answer already."""
        self.rests = False
        """It has not ended, and waits; nobody here waits with it."""
        self._abandoned = False

    def fold(self, event: BackendEvent) -> None:
        match event:
            case TextDelta(text=text):
                self._pieces.append(text)
            case TextReplaced(text=text):
                self._pieces = [text]
            case FileProduced(file=file):
                self.produced = (*self.produced, file)
                return
            case SourcesCited(names=names):
                self.sources = names
                return
            case Progress(step=step):
                if step.id not in self._steps and len(self._steps) >= MOST_STEPS:
                    return
                self._steps[step.id] = step
            case UsageReported():
                self.usage = event
                return
            case AnswerCompleted(note=note):
                self._notes += [f"({note})"] if note else []
                return
            case AnswerStarted() | InputRequired():
                return
            case _:
                assert_never(event)
        self.changed.set()

    def say_status(self, status: str) -> None:
        if status != self.status:
            self.status = status
            self.changed.set()

    def restart(self) -> None:
        """The question is asked again from the start."""
        self._pieces, self._notes, self._steps = [], [], {}
        self.produced, self.sources, self.usage = (), (), None
        self.changed.set()

    def conclude(self, outcome: Outcome, files: Sequence[OutgoingFile] = (), *, rates: bool = True) -> None:
        """Nothing more comes, and this is what it comes to. `files` are those of the outcome that could be had; `rates`: the
        backend takes a rating of it."""
        self._pieces = [outcome.text]
        self._notes = list(outcome.notes)
        self.standing = outcome.standing
        done = outcome.state is AnswerState.DONE
        whole = done and bool(outcome.text.strip() or files)
        self.extras = Extras(
            sources=outcome.sources,
            suggestions=outcome.suggestions,
            files=tuple(files),
            may_rate=whole and rates,
            may_renew=whole,
            may_retry=outcome.may_retry,
        )
        last = StepState.DONE if done else StepState.FAILED
        for key, step in self._steps.items():
            if step.state is StepState.RUNNING:
                self._steps[key] = replace(step, state=last)
        self.end(complete=outcome.complete)

    def rest(self, notes: Sequence[str], asks: tuple[Button, ...]) -> None:
        """Nothing more comes for now: people are to answer what the text asks, by these buttons. It can still be stopped."""
        self._notes, self.asks = list(notes), asks
        self.rests = True
        self.end()

    def end(self, *, complete: bool = True) -> None:
        """Nothing more comes. Not `complete`: the text was cut off wherever it was."""
        self.complete = complete
        self.ended.set()
        self.changed.set()

    def abandon(self) -> None:
        """Nothing more is shown from here; what stands stays as it is."""
        self._abandoned = True
        self.end(complete=False)

    def is_abandoned(self) -> bool:
        """It ended here, and somebody else goes on with it: nothing more may be shown."""
        return self._abandoned

    @property
    def text(self) -> str:
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    @property
    def notes(self) -> Sequence[str]:
        return tuple(self._notes)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The oldest first."""
        return tuple(self._steps.values())

    @property
    def doing(self) -> str:
        """The title of what is being done now; empty when nothing is known to be."""
        running = [step.title for step in self._steps.values() if step.state is StepState.RUNNING]
        return running[-1] if running else ""
