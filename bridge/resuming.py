"""What to do about an answer whose owner died while the app was at work on it.

The backend is looked at first; what follows from that is decided by a pure function. Nothing is shown or recorded here.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import assert_never

from bridge import logs
from bridge.backend_api import Backend, Fate, Question, Recovered
from bridge.clock import Clock
from bridge.errors import BackendError
from bridge.messages import Turn
from bridge.routing import Recover

_log = logs.get("recovery")


class Way(Enum):
    """How an interrupted answer goes on."""

    SHOW = "show"
    """The backend has it."""
    ASK = "ask"
    """The backend never had the question: asked as if for the first time."""
    ASK_AGAIN = "ask again"
    """It was lost there, or is no longer wanted as it was."""
    STOP = "stop"
    """It was to be stopped; what stands stays."""
    APOLOGISE = "apologise"
    """What stands stays, and the member is told and offered Retry."""
    FAIL = "fail"
    """The app failed while nobody listened."""
    WAIT = "wait"
    """It waits for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeLimits:
    poll: timedelta = timedelta(seconds=2)
    """Pause between two looks at an answer that the backend is still working on."""
    running: timedelta = timedelta(minutes=2)
    """How long one that is certainly being worked on is waited for."""
    unsure: timedelta = timedelta(seconds=30)
    """How long one is waited for that may as well be lost, where it must not be asked again."""
    asks: int = 2
    """How often the backend is asked for one answer by itself, the first time counted."""


def decide(turn: Turn, fate: Fate, recover: Recover, asks: int) -> Way:
    """`fate` is the last one seen: nobody waits any longer."""
    if turn.superseded and turn.stop is None:
        return Way.ASK_AGAIN
    match fate:
        case Fate.ANSWERED | Fate.STOPPED:
            return Way.SHOW
        case Fate.ABSENT:
            return Way.STOP if turn.stop is not None else Way.ASK
        case Fate.FAILED:
            return Way.STOP if turn.stop is not None else Way.FAIL
        case Fate.PAUSED:
            return Way.STOP if turn.stop is not None else Way.WAIT
        case Fate.RUNNING | Fate.UNSURE | Fate.UNKNOWN:
            if turn.stop is not None:
                return Way.STOP
            again = recover is Recover.REASK and turn.attempt < asks
            return Way.ASK_AGAIN if again else Way.APOLOGISE
        case _:
            assert_never(fate)


async def look_up(
    backend: Backend, question: Question, turn: Turn, recover: Recover, clock: Clock, limits: ResumeLimits
) -> Recovered:
    """Looks until the answer's fate is settled or waiting for it makes no sense any more."""
    if turn.superseded or recover is Recover.APOLOGISE:
        return Recovered(fate=Fate.UNKNOWN, ids=turn.ids)
    began = clock.monotonic()
    ids = turn.ids
    while True:
        try:
            seen = await backend.recover(question, ids, turn.last_seen)
        except BackendError as error:
            _log.warning("not_looked_up", code=error.code, detail=str(error))
            # A backend that is away is waited for like a running answer: it may come back with it.
            seen = Recovered(fate=Fate.RUNNING if error.may_retry else Fate.UNKNOWN, ids=ids, detail=str(error))
        # What was found need not be searched for again.
        ids = seen.ids
        if seen.fate not in (Fate.RUNNING, Fate.UNSURE) or turn.stop is not None:
            return seen
        patience = limits.running
        if seen.fate is Fate.UNSURE:
            # Lost and being worked on look the same. Nobody who may ask again would wait for what is nearly always lost.
            patience = timedelta(0) if recover is Recover.REASK and turn.attempt < limits.asks else limits.unsure
        if clock.monotonic() + limits.poll.total_seconds() > began + patience.total_seconds():
            return seen
        await clock.sleep(limits.poll.total_seconds())
