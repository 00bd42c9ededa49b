"""How answers end, in the member's words: one `Outcome` for each way."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from bridge import logs
from bridge.backend_api import Backend, LimitsRatings
from bridge.errors import BackendCut, BackendError, BackendMisconfigured
from bridge.messages import AnswerState, Outcome, StopReason
from bridge.outgoing_files import OutgoingFile
from bridge.running import Running

_log = logs.get("endings")

_NOTHING_SAID = "The app gave an empty answer."
_PARTIAL = "⚠️ A step inside the app failed, and it went on without it: something may be missing here."
_INTERRUPTED = "I was restarted while answering, and the answer was lost."
_REST_INTERRUPTED = "I was restarted while answering, and the rest of the answer was lost."
_INCOMPLETE = " This answer is incomplete."
_NO_APP = "The app that answered here is no longer set up. Please tell whoever runs this bot."
_BROKEN = "Something went wrong in the bot itself."
_STOPPED = {
    StopReason.MEMBER: "(Stopped.)",
    StopReason.WITHDRAWN: "(The question was deleted, so I stopped.)",
}


def new_reference() -> str:
    """A short word that stands in the chat and in the log, so that an operator finds the one from the other."""
    return secrets.token_hex(3).upper()


def answered(running: Running, *, partial: bool = False) -> Outcome:
    """`partial`: a step of the app failed, and it went on without."""
    something = running.draft.text.strip() or running.notes or running.draft.produced
    notes = () if something else (_NOTHING_SAID,)
    return _outcome(running, AnswerState.DONE, *notes, *((_PARTIAL,) if partial else ()))


def stopped(running: Running, *, standing: bool = False) -> Outcome:
    reason = running.stop or running.turn.stop or StopReason.MEMBER
    # Asking a question again that somebody has taken back would be odd.
    retry = reason is StopReason.MEMBER
    standing = standing or (not running.draft.text.strip() and running.keeps_text)
    return _outcome(running, AnswerState.STOPPED, _STOPPED[reason], may_retry=retry, standing=standing)


def failed(running: Running, error: BackendError) -> Outcome:
    reference = new_reference()
    _log.warning(
        "answer_failed",
        reference=reference,
        kind=type(error).__name__,
        code=error.code,
        detail=str(error),
        fix=error.fix or None,
        characters=len(running.draft.text),
    )
    some = bool(running.draft.text.strip())
    cut = _INCOMPLETE if some and not isinstance(error, BackendCut) else ""
    note = f"⚠️ {error.user_message}{cut} (Reference {reference})"
    # What the operator has mended lets the same question through.
    retry = error.may_retry or isinstance(error, BackendMisconfigured)
    standing = not some and running.keeps_text
    return _outcome(running, AnswerState.FAILED, note, error=error.code, may_retry=retry, standing=standing)


def interrupted(running: Running, *, by_app: bool) -> Outcome:
    """Its process died, and what the app made of it is not to be had. `by_app`: the app failed, which is known."""
    half = running.keeps_text
    if by_app:
        told, code = BackendError.user_message + (_INCOMPLETE if half else ""), "failed_meanwhile"
    else:
        told, code = _REST_INTERRUPTED if half else _INTERRUPTED, "interrupted"
    reference = new_reference()
    _log.warning("answer_interrupted", reference=reference, code=code)
    note = f"⚠️ {told} (Reference {reference})"
    return _outcome(running, AnswerState.FAILED, note, error=code, may_retry=True, standing=running.keeps_text)


def refused(running: Running, why: str, code: str, *, may_retry: bool = False) -> Outcome:
    """The app was not asked, since it could not answer."""
    return _outcome(running, AnswerState.FAILED, f"⚠️ {why}", error=code, may_retry=may_retry)


def without_app(running: Running) -> Outcome:
    return _outcome(running, AnswerState.FAILED, f"⚠️ {_NO_APP}", error="no_app", standing=running.keeps_text)


def conclude(
    running: Running, outcome: Outcome, files: Sequence[OutgoingFile], lines: Sequence[str], backend: Backend | None
) -> None:
    """What it comes to is shown from now on, with more lines of our own below it."""
    # As far as is known without asking.
    rates = not isinstance(backend, LimitsRatings) or backend.rates(running.ids) if backend is not None else True
    running.draft.conclude(replace(outcome, notes=(*outcome.notes, *lines)), files, rates=rates)


def broken(running: Running, reference: str) -> Outcome:
    note = f"⚠️ {_BROKEN} (Reference {reference})"
    return _outcome(running, AnswerState.FAILED, note, error="internal", may_retry=True)


def recorded(outcome: Outcome | None, *, broken: bool, shown: bool) -> Outcome:
    """What is recorded: the outcome, unless it could not be shown."""
    text = outcome.text if outcome else ""
    if broken or outcome is None:
        return Outcome(state=AnswerState.FAILED, text=text, error="internal")
    if not shown and outcome.state is AnswerState.DONE:
        return Outcome(state=AnswerState.FAILED, text=text, error="not shown")
    return outcome


def _outcome(
    running: Running,
    state: AnswerState,
    *notes: str,
    error: str = "",
    may_retry: bool = False,
    standing: bool = False,
) -> Outcome:
    hint = (running.retry_hint,) if may_retry and running.retry_hint else ()
    return Outcome(
        state=state,
        text="" if standing else running.draft.text,
        notes=(*running.draft.notes, *running.notes, *running.skipped, *notes, *hint),
        complete=state is AnswerState.DONE,
        error=error,
        may_retry=may_retry,
        standing=standing,
        sources=running.draft.sources,
        suggestions=running.suggestions,
        files=running.draft.produced,
    )
