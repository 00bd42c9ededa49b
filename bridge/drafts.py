"""What is known of an answer so far, and how it ended. Knows nothing of platforms and of how it is shown."""

import asyncio
from collections.abc import Sequence
from typing import assert_never

from bridge.backend_api import (
    AnswerCompleted,
    AnswerStarted,
    BackendEvent,
    FileProduced,
    Progress,
    TextDelta,
    TextReplaced,
)
from bridge.messages import Outcome

STATUS_MARK = "⏳"
"""Every status begins with it, so that one that was left standing can be told from an answer."""


class AnswerDraft:
    """One task folds events, another one reads and shows."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._notes: list[str] = []
        self.status = ""
        """A line (Markdown) that stands for the answer as long as there is no text, such as a place in line."""
        self.changed = asyncio.Event()
        """Set at every change; the reader clears it."""
        self.ended = asyncio.Event()
        self.complete = True
        """Whether the text is all that the app had to say; of interest once it has ended."""
        self.may_retry = False
        self.standing = False
        """It ended, and its text is whatever stands in the messages of the answer already."""
        self._abandoned = False

    def fold(self, event: BackendEvent) -> None:
        match event:
            case TextDelta(text=text):
                self._pieces.append(text)
            case TextReplaced(text=text):
                self._pieces = [text]
            case FileProduced(name=name):
                self._notes.append(f"📎 The app made a file, {name}. Files cannot be shown here yet.")
            case AnswerStarted() | Progress() | AnswerCompleted():
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
        self._pieces = []
        self._notes = []
        self.changed.set()

    def conclude(self, outcome: Outcome) -> None:
        """Nothing more comes, and this is what it comes to."""
        self._pieces = [outcome.text]
        self._notes = list(outcome.notes)
        self.complete = outcome.complete
        self.may_retry = outcome.may_retry
        self.standing = outcome.standing
        self.end(complete=outcome.complete)

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
