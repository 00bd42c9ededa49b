"""What stands in the history for an answer, as a member may read it."""

import json

from bridge.backends.dbgpt.charts import fence, tell_report
from bridge.backends.dbgpt.history import Round
from bridge.backends.dbgpt.modes import SNAPSHOTS, WORKING_NOTES, ChatMode
from bridge.backends.dbgpt.vis import Told, tell
from bridge.remote.framing import Json, text_of
from bridge.remote.thinking import ThinkFilter


def tell_round(mode: ChatMode, kept: Round) -> Told:
    """As the events of its stream would have told it."""
    shown = tell_view(mode, kept.view if kept.view is not None else kept.answer)
    if kept.answer and mode not in WORKING_NOTES | SNAPSHOTS:
        # What DB-GPT's pages show has numbers in it that lead to passages, which nobody sees here.
        shown.text = without_thoughts(kept.answer)
    return shown


def tell_view(mode: ChatMode, view: str) -> Told:
    if mode is ChatMode.NORMAL:
        return Told(without_thoughts(view))
    if mode is ChatMode.DASHBOARD and isinstance(report := _read(view), dict):
        return Told(tell_report(report))
    told = tell(view)
    told.text = without_thoughts(told.text)
    return told


def tell_notes(raw: str) -> str:
    """What the model noted down for the server, where nothing else is left: its thoughts and the query that it would ask."""
    text = without_thoughts(raw).strip()
    notes = _read(text.removeprefix("```json").removesuffix("```"))
    if isinstance(notes, dict):
        return _tell_note(notes)
    if isinstance(notes, list):
        return "\n\n".join(_tell_note(note) for note in notes if isinstance(note, dict))
    return text


def without_thoughts(text: str) -> str:
    thoughts = ThinkFilter()
    return thoughts.feed(text) + thoughts.flush()


def _tell_note(note: Json) -> str:
    said = text_of(note, "direct_response") or text_of(note, "thoughts")
    return "\n\n".join(part for part in (said.strip(), fence(text_of(note, "sql"), "sql")) if part)


def _read(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value
