"""What became of a question whose asker is gone: found in DB-GPT's history, and judged. Nothing is changed there.

A round is written down at its end. One that is not there was lost with its stream, or never arrived: nothing tells which.
"""

from collections.abc import Sequence
from dataclasses import replace

from bridge.backend_api import Fate, Question, Recovered
from bridge.backends.dbgpt.client import DbgptClient
from bridge.backends.dbgpt.conversations import belongs_to, name_round, order_of
from bridge.backends.dbgpt.history import Round, list_rounds
from bridge.backends.dbgpt.modes import SNAPSHOTS, Target
from bridge.backends.dbgpt.shaping import tell_round
from bridge.backends.dbgpt.trouble import has_failed
from bridge.messages import BackendIds, BackendMessageId


async def find_fate(
    client: DbgptClient,
    question: Question,
    target: Target,
    ids: BackendIds,
    last_seen: BackendMessageId | None,
    max_bytes: int,
) -> Recovered:
    """Raises `BackendError` when DB-GPT could not be asked."""
    conversation = ids.conversation or question.conversation
    if conversation is None:
        return Recovered(fate=Fate.UNKNOWN, ids=ids, detail="the conversation is not known")
    if not belongs_to(conversation, question.user):
        return Recovered(fate=Fate.UNKNOWN, ids=ids, detail="the conversation is somebody else's")
    known = replace(ids, conversation=conversation)
    rounds = await list_rounds(client, conversation, max_bytes)
    found = _find(rounds, question, known, last_seen)
    if found is None:
        # Without a task nothing had come of it yet, not even that it was taken.
        fate = Fate.UNSURE if known.task or known.message else Fate.UNKNOWN
        return Recovered(fate=fate, ids=known, detail="DB-GPT has no such round")
    known = replace(known, message=name_round(conversation, found.order))
    if found.view is not None and has_failed(found.view):
        return Recovered(fate=Fate.FAILED, ids=known, detail="the round says that it failed")
    if found.is_answered:
        told = tell_round(target.mode, found)
        if told.text.strip() or target.mode not in SNAPSHOTS:
            return Recovered(fate=Fate.ANSWERED, ids=known, text=told.text, sources=tuple(told.sources))
    if target.mode in SNAPSHOTS:
        # Agents whose listener went away leave the question alone behind.
        return Recovered(fate=Fate.UNSURE, ids=replace(known, message=ids.message), detail="the round has no answer")
    return Recovered(fate=Fate.FAILED, ids=known, detail="the round has a question and no answer")


def find_latest(rounds: Sequence[Round], question: Question) -> Round | None:
    """The round of a question that was answered just now: nobody else asks in this conversation."""
    return rounds[-1] if rounds and _says(rounds[-1], question) else None


def _find(
    rounds: Sequence[Round], question: Question, ids: BackendIds, last_seen: BackendMessageId | None
) -> Round | None:
    order = order_of(ids.message)
    if order is not None:
        return next((one for one in rounds if one.order == order), None)
    seen = order_of(last_seen) or 0
    later = [one for one in rounds if one.order > seen and _says(one, question)]
    return later[-1] if later else None


def _says(one: Round, question: Question) -> bool:
    """Whether it is the one: alone, or below what the app was told besides, which nobody knows any more."""
    words, asked = question.text.replace("\0", "").strip(), one.asked.strip()
    before = asked.removesuffix(words)
    return not before or (before != asked and before.rstrip(" ").endswith("\n\n"))
