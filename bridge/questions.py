"""What is said around a question: to the app that has forgotten what came before, to the member who asked nothing. Pure."""

from collections.abc import Sequence

from bridge.messages import AskedQuestion
from bridge.store import PastTurn

_SAY_SOMETHING = "Hi! Write your question after my name, and I will pass it on."
_NO_FILES = "I cannot read attached files yet. Please put what matters into words."
FILES_LEFT_OUT = "(I cannot read attached files yet; this answers the text alone.)"


def missing_words(asked: AskedQuestion) -> str:
    """What to tell somebody who wrote nothing that could be asked; empty when there is something."""
    if asked.text.strip():
        return ""
    return _NO_FILES if asked.attachments else _SAY_SOMETHING


def with_past(past: Sequence[PastTurn], text: str) -> str:
    """A question together with what was said before it, for an app that has forgotten."""
    if not past:
        return text
    said = "\n\n".join(f"Question: {turn.question}\nAnswer: {turn.answer}" for turn in past)
    return f"Earlier in this conversation:\n\n{said}\n\nNow the question is:\n\n{text}"
