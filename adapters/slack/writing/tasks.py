"""The steps of an answer as entries of a stream's task list. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from adapters.slack.dialect import neutralise
from bridge.markdown.characters import clean, in_one_line, without_marks
from bridge.messages import Step, StepState

MOST_TASKS = 50
"""Of one message (Slack's page on chat.appendStream)."""

TITLE_CHARS = 256
ID_CHARS = 255
"""Of a task (the same page; the second is ours, where it names no number)."""

TIMELINE_TASKS = 3
"""So many stand side by side with the text; more are folded into a plan."""

Chunk = dict[str, object]

_STATUS: Mapping[StepState, str] = {
    StepState.RUNNING: "in_progress",
    StepState.DONE: "complete",
    StepState.FAILED: "error",
}


@dataclass(slots=True)
class Tasks:
    """What a stream's list shows."""

    told: dict[str, Step] = field(default_factory=dict)

    def news(self, steps: Sequence[Step], *, ended: bool = False, failed: bool = False) -> list[Step]:
        """What is new in `steps`. `ended`: nothing stays unfinished; with `failed` it went wrong."""
        last = StepState.FAILED if failed else StepState.DONE
        current = {step.id: step for step in (*self.told.values(), *steps) if step.id}
        shown = [step for number, step in enumerate(current.values()) if number < MOST_TASKS]
        settled = [
            Step(id=step.id, title=step.title, state=last) if ended and step.state is StepState.RUNNING else step
            for step in shown
        ]
        return [step for step in settled if self.told.get(step.id) != step]

    def confirm(self, steps: Sequence[Step]) -> None:
        self.told.update((step.id, step) for step in steps)


def chunks(steps: Sequence[Step]) -> list[Chunk]:
    return [
        {"type": "task_update", "id": step.id[:ID_CHARS], "title": title(step.title), "status": _STATUS[step.state]}
        for step in steps
    ]


def display_mode(steps: Sequence[Step]) -> str | None:
    """None: as Slack does it."""
    return "plan" if len(steps) > TIMELINE_TASKS else None


def title(text: str) -> str:
    """One line that mentions nobody. Never empty, which Slack would refuse."""
    line = in_one_line(without_marks(clean(text, final=True)), TITLE_CHARS - 16)
    return neutralise(line)[:TITLE_CHARS] or "…"
