"""What an app does on its way to an answer, step by step: a workflow's nodes, an agent's tools.

Titles are the author's own (of a node) or a tool's label. Inputs, outputs, prompts, thoughts and observations come with the same
events and are never looked at, beyond whether an observation is there.
"""

import re

from bridge.backend_api import Progress
from bridge.messages import Step, StepState
from bridge.remote.framing import Json, object_of, text_of
from bridge.remote.plain import make_plain

MOST_STEPS = 50
"""Steps told of one answer. Later ones still happen, unmentioned."""

_SILENT_NODES = frozenset({"start", "end", "answer"})
"""Nodes every chatflow has: they say nothing about what is being done."""

# What Dify calls a model's node until its author thinks of something better; it says nothing either.
_NAMELESS_MODEL = re.compile(r"LLM( ?\d+)?", re.IGNORECASE)

# An agent's knowledge is a tool to it, labelled with nothing but the knowledge's id.
_KNOWLEDGE = re.compile(r"dataset[_-][0-9a-f_-]{32,36}", re.IGNORECASE)


class StepTeller:
    """One per answer. Every call gives back what is new; the same news again is none."""

    def __init__(self) -> None:
        self._steps: dict[str, Step] = {}
        self._occurrences: dict[str, int] = {}
        """How often a node was started: one in a loop that is drawn by hand comes again."""
        self._thought = ""

    def start_node(self, data: Json) -> list[Progress]:
        node = _node_of(data)
        if not node or self._is_running(self._id_of(node)):
            return []
        self._occurrences[node] = self._occurrences.get(node, 0) + 1
        return self._tell(self._id_of(node), text_of(data, "title"), StepState.RUNNING)

    def finish_node(self, data: Json) -> list[Progress]:
        node = _node_of(data)
        if not node:
            return []
        # Its start may have been lost on the way.
        self._occurrences.setdefault(node, 1)
        # "exception" is a failure that the workflow goes on from.
        failed = text_of(data, "status") in ("failed", "exception")
        return self._tell(self._id_of(node), text_of(data, "title"), StepState.FAILED if failed else StepState.DONE)

    def take_thought(self, thought: Json) -> list[Progress]:
        """The same thought comes again and again, each time fuller. Tools called at once are joined by semicolons."""
        ident = text_of(thought, "id")
        out: list[Progress] = []
        if ident != self._thought:
            # The next thought builds on what the last one's tools said.
            out += self._end_running("tool:", StepState.DONE)
            self._thought = ident
        labels = object_of(thought, "tool_labels")
        observed = text_of(thought, "observation") != ""
        for tool in filter(None, text_of(thought, "tool").split(";")):
            label = text_of(object_of(labels, tool), "en_US") or tool
            out += self._tell(
                f"tool:{ident}:{tool}", _name_tool(label), StepState.DONE if observed else StepState.RUNNING
            )
        return out

    def take_log(self, data: Json) -> list[Progress]:
        """A line of the Agent node's log. Only its tool calls are for people: rounds and thoughts are the model's own."""
        kind, _, tool = text_of(data, "label").partition(" ")
        if kind != "CALL" or not tool:
            return []
        states = {"success": StepState.DONE, "error": StepState.FAILED}
        state = states.get(text_of(data, "status"), StepState.RUNNING)
        return self._tell(f"log:{text_of(data, 'id')}", _name_tool(tool), state)

    def settle(self, *, failed: bool) -> list[Progress]:
        """The answer has ended, and with it whatever was still running."""
        return self._end_running("", StepState.FAILED if failed else StepState.DONE)

    def _tell(self, ident: str, title: str, state: StepState) -> list[Progress]:
        known = self._steps.get(ident)
        if known is not None:
            # A step that has ended does not run again under the same id: that is an old snapshot.
            if known.state is state or known.state is not StepState.RUNNING:
                return []
            title = known.title
        elif len(self._steps) >= MOST_STEPS:
            return []
        title = make_plain(title)
        if not title:
            return []
        step = Step(id=ident, title=title, state=state)
        self._steps[ident] = step
        return [Progress(step=step)]

    def _end_running(self, prefix: str, state: StepState) -> list[Progress]:
        running = [
            step for step in self._steps.values() if step.state is StepState.RUNNING and step.id.startswith(prefix)
        ]
        return [told for step in running for told in self._tell(step.id, step.title, state)]

    def _id_of(self, node: str) -> str:
        count = self._occurrences.get(node, 0)
        return f"node:{node}" if count <= 1 else f"node:{node}:{count}"

    def _is_running(self, ident: str) -> bool:
        step = self._steps.get(ident)
        return step is not None and step.state is StepState.RUNNING


def _node_of(data: Json) -> str:
    """The node's id; "" for one that is not told. What is inside an iteration or a loop is one step with it.

    Not with `index`, which 1.12.1 leaves at 1 for every node (measured).
    """
    kind = text_of(data, "node_type")
    if kind in _SILENT_NODES or text_of(data, "iteration_id") or text_of(data, "loop_id"):
        return ""
    if kind == "llm" and _NAMELESS_MODEL.fullmatch(text_of(data, "title").strip()):
        return ""
    return text_of(data, "node_id") or text_of(data, "id")


def _name_tool(label: str) -> str:
    """A tool's label; its bare name, which stands in for a missing one, is made readable."""
    if _KNOWLEDGE.fullmatch(label):
        return "Knowledge"
    if " " not in label and "_" in label:
        label = label.replace("_", " ").strip()
        return label[:1].upper() + label[1:]
    return label
