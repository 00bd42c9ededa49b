"""What is said around a question: to the app that has not heard what came before, to the member who asked nothing. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from bridge.history_api import PastTurn
from bridge.markdown.characters import in_one_line, literally
from bridge.messages import AskedQuestion, Said

_SAY_SOMETHING = "Hi! Write your question after my name, and I will pass it on."

LONGEST_CONTEXT = 8_000
"""Characters of a thread that the app is told; the oldest are left out."""
LONGEST_LEAD = 600
"""Characters of a question that nobody can see as it is repeated above its answer."""


def as_edited(before: AskedQuestion, now: AskedQuestion) -> AskedQuestion:
    """The question as its author changed it. What it is about stays, and what shall answer it."""
    spoken = before.spoken if before.attachments == now.attachments else ""
    return replace(now, about=before.about, spoken=spoken, choice=before.choice)


def missing_words(asked: AskedQuestion) -> str:
    """What to tell somebody who wrote nothing that could be asked; empty when there is something."""
    return "" if asked.text.strip() or asked.attachments else _SAY_SOMETHING


def words_of(asked: AskedQuestion) -> str:
    """The question, which no backend takes without words."""
    return asked.words if asked.words.strip() else f"({', '.join(file.name for file in asked.attachments)})"


def lead_of(asked: AskedQuestion) -> str:
    """What stands above an answer whose question nobody can see or read, unless it is what opens the thread (Markdown)."""
    lines = []
    if asked.unseen and not asked.target.opens_thread and asked.text.strip():
        lines.append(f"> **{literally(asked.author.display_name)}** asked: {literally(shortened(asked.text))}")
    if asked.spoken.strip():
        lines.append(f"> 🎙 {literally(shortened(asked.spoken))}")
    return "\n".join(lines)


def with_past(past: Sequence[PastTurn], text: str) -> str:
    """A question together with what was said before it, for an app that has forgotten."""
    if not past:
        return text
    said = "\n\n".join(f"Question: {turn.question}\nAnswer: {turn.answer}" for turn in past)
    return f"Earlier in this conversation:\n\n{said}\n\nNow the question is:\n\n{text}"


def with_thread(said: Sequence[Said], about: Said | None, text: str) -> str:
    """A question together with the messages above it, for an app that was not there, and with the one that it is about.

    It comes last, in paragraphs of its own: so it is found again by its own words at a backend that keeps what was asked.
    """
    parts: list[str] = []
    if told := _newest([one for one in said if one != about]):
        parts.append(f"Written before in this thread:\n\n{told}")
    if about is not None and about.text.strip():
        parts.append(f"The question is about this message:\n\n{about.who}: {about.text}")
    return "\n\n".join([*parts, f"Now the question is:\n\n{text}"]) if parts else text


def _newest(said: Sequence[Said]) -> str:
    lines: list[str] = []
    room = LONGEST_CONTEXT
    for one in reversed(said):
        if not (words := one.text.strip()):
            continue
        line = f"{one.who}: {words}"
        if len(line) > room:
            if not lines:
                lines.append(f"{line[: room - 1].rstrip()}…")
            break
        lines.append(line)
        room -= len(line) + 1
    return "\n".join(reversed(lines))


def shortened(text: str) -> str:
    """In one line, for a person who reads it again."""
    return in_one_line(text, LONGEST_LEAD)
