"""What the frames of an answer mean: from text in DB-GPT's three manners to the bridge's events, and how an answer has ended.

The manners (see `modes`): pieces to append, the whole again each time, and working notes whose answer stands in the history.
"""

from collections.abc import Sequence

from bridge.backend_api import BackendEvent, Progress, SourcesCited, TextDelta, TextReplaced
from bridge.backends.dbgpt.errors import explain_failure
from bridge.backends.dbgpt.frames import Done, Failed, Frame, Piece
from bridge.backends.dbgpt.growing import GrowingText
from bridge.backends.dbgpt.history import Round
from bridge.backends.dbgpt.modes import KEEPS_ROUNDS, SNAPSHOTS, WORKING_NOTES, ChatMode
from bridge.backends.dbgpt.shaping import tell_notes, tell_view, without_thoughts
from bridge.backends.dbgpt.trouble import error_in, has_failed, is_failure, may_be_failure
from bridge.backends.dbgpt.vis import Told, tell
from bridge.errors import BackendError, BackendFailed
from bridge.messages import Step, StepState
from bridge.remote.refusing import shorten

_RECOGNISED = 40
_SHORTEST = 4
"""Characters by which a text is known again that an error repeats."""

_WORKING = Step(id="source", title="Asking the data source")


class AnswerMachine:
    """Fed with frames in order. Once `is_over`, `finish` gives what was held back, and `settle` says how it ended."""

    def __init__(self, mode: ChatMode, asked: str = "") -> None:
        """`asked`: the question, which some errors repeat."""
        self._mode = mode
        self._asked = asked
        self._growing = GrowingText(has_markup=mode is not ChatMode.NORMAL)
        self._notes: list[str] = []
        """The pieces as they came, where they are not shown."""
        self._last = ""
        """The last piece, which may be an error."""
        self._shown = ""
        self._snapshot = Told()
        self._sources: list[str] = []
        self._steps: dict[str, Step] = {}
        self._failure: BackendError | None = None
        self._over = False
        self.heard = False
        """Whether anything came at all."""

    @property
    def said(self) -> bool:
        """Whether a member has seen anything of it."""
        return bool(self._shown.strip())

    def is_over(self) -> bool:
        """Nothing that may still come belongs to it."""
        return self._over

    @property
    def has_failed(self) -> bool:
        return self._failure is not None

    def begin(self) -> list[BackendEvent]:
        return self._go(_WORKING) if self._mode in WORKING_NOTES else []

    def choose(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """Those of a batch that are worth taking: of several snapshots the last, which says all that the others said."""
        if self._mode not in SNAPSHOTS:
            return frames
        last = max((index for index, frame in enumerate(frames) if isinstance(frame, Piece) and frame.text), default=-1)
        return [frame for index, frame in enumerate(frames) if index >= last or not isinstance(frame, Piece)]

    def take(self, frame: Frame) -> list[BackendEvent]:
        self.heard = True
        match frame:
            case Done():
                self._over = True
                return []
            case Failed(words):
                self._failure = self._explain(words)
                self._over = True
                return []
            case Piece(""):
                return []
            case Piece(text) if self._mode in SNAPSHOTS:
                return self._take_snapshot(text)
            case Piece(text):
                self._last = text
                if self._mode in WORKING_NOTES:
                    self._notes.append(text)
                    return []
                return self._show(self._growing.feed(text))

    def finish(self) -> list[BackendEvent]:
        """What was held back. Call once, when no frame will come any more."""
        if self._mode in WORKING_NOTES:
            return []
        if self._mode in SNAPSHOTS:
            return self._finish_snapshot()
        shown = self._show(self._growing.finish())
        if self._growing.is_failure and self._failure is None:
            self._failure = self._explain(self._growing.failure)
        return shown + self._cite(self._growing.told)

    def end_steps(self, *, failed: bool) -> list[BackendEvent]:
        """The end of every step that has not told its own."""
        state = StepState.FAILED if failed else StepState.DONE
        running = [step for step in self._steps.values() if step.state is StepState.RUNNING]
        return [event for step in running for event in self._go(Step(id=step.id, title=step.title, state=state))]

    def settle(self, kept: Round | None) -> list[BackendEvent]:
        """The rest of the answer, of which the history has this. `kept` is None when it has nothing or could not be read."""
        if self._failure is not None:
            return []
        if kept is None:
            # The stream is all there is.
            return self._show(tell_notes("".join(self._notes)))
        if self._mode in KEEPS_ROUNDS - SNAPSHOTS and not kept.is_answered:
            # The error was sent as the last piece of the answer.
            self._failure = self._explain(self._last or "nothing at all")
            return self._take_back(self._last)
        if kept.view is not None and has_failed(kept.view):
            self._failure = self._explain(error_in(kept.view))
            return []
        told = tell_view(self._mode, kept.view or kept.answer)
        if self._shown.strip():
            return self._cite(told)
        return self._show(told.text) + self._cite(told)

    def end(self) -> None:
        """Raises the `BackendError` that it ended with, if it did."""
        if self._failure is not None:
            raise self._failure
        if self._mode in SNAPSHOTS and not self._shown.strip():
            raise nothing_said()

    def _take_snapshot(self, text: str) -> list[BackendEvent]:
        self._snapshot = told = tell(text)
        told.text = without_thoughts(told.text)
        steps = [event for step in told.steps if self._steps.get(step.id) != step for event in self._go(step)]
        if may_be_failure(told.text) or told.text == self._shown:
            return steps
        if told.text.startswith(self._shown):
            return steps + self._show(told.text[len(self._shown) :]) + self._cite(told)
        self._shown = told.text
        return [*steps, TextReplaced(text=told.text), *self._cite(told)]

    def _finish_snapshot(self) -> list[BackendEvent]:
        text = self._snapshot.text
        if is_failure(text):
            if self._failure is None:
                self._failure = self._explain(text)
            return []
        return self._show(text) + self._cite(self._snapshot) if not self._shown else []

    def _show(self, text: str) -> list[BackendEvent]:
        self._shown += text
        return [TextDelta(text=text)] if text else []

    def _explain(self, words: str) -> BackendError:
        """Without what people and the model said, which some errors repeat and no log may keep."""
        told = words
        answered = ("".join(self._notes) or self._shown).removesuffix(self._last)
        for said in (self._asked, answered):
            if len(begun := said.strip()[:_RECOGNISED]) >= _SHORTEST and begun in told:
                told = f"{told[: told.index(begun)]}…"
        return explain_failure(words, f"DB-GPT said instead of an answer: {shorten(told)}")

    def _take_back(self, words: str) -> list[BackendEvent]:
        if not words or not self._shown.endswith(words):
            return []
        self._shown = self._shown.removesuffix(words)
        return [TextReplaced(text=self._shown)]

    def _cite(self, told: Told) -> list[BackendEvent]:
        if not told.sources or told.sources == self._sources:
            return []
        self._sources = told.sources
        return [SourcesCited(names=tuple(told.sources))]

    def _go(self, step: Step) -> list[BackendEvent]:
        self._steps[step.id] = step
        return [Progress(step=step)]


def nothing_said() -> BackendFailed:
    """How agents fail: DB-GPT ends their stream, or breaks it off where there is no such app."""
    return BackendFailed("the app ended its stream without a word", code="nothing_said")
