"""Between the end of an answer and the questions that could follow it, a member may still want something else."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bridge.messages import AnswerState, ButtonAction
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import AbleBackend
from tests.fakes.clock import FakeClock
from tests.fakes.events import deleted, edited
from tests.fakes.platform import FakePlatform

QUESTION = values.message("What is up?")


@asynccontextmanager
async def at_leisure(seconds: float = 2.0) -> AsyncIterator[tuple[Room, AbleBackend]]:
    """The backend thinks for so long about what could be asked next, and the platform would show it."""
    clock = FakeClock()
    backend = AbleBackend(clock, next_questions=("And then?",), suggest_seconds=seconds)
    platform = FakePlatform(clock, buttons=True, question_buttons=2)
    async with room(backend=backend, platform=platform, clock=clock) as at:
        yield at, backend


def offered(at: Room) -> list[str]:
    (shown,) = at.platform.messages.values()
    return [button.value for button in shown.buttons if button.action is ButtonAction.ASK]


async def test_a_question_that_is_changed_meanwhile_is_asked_anew() -> None:
    async with at_leisure() as (at, backend):
        await at.inbox(QUESTION)
        await at.clock.advance(1)
        await at.inbox(edited(QUESTION, "What is down?"))
        await at.clock.advance(1)
        backend.next_questions = ()
        await at.clock.advance(10)
        assert at.texts == ["You said: What is down?"]
        assert offered(at) == []


async def test_a_question_that_is_deleted_meanwhile_ends_all_the_same() -> None:
    async with at_leisure(30.0) as (at, _):
        await at.inbox(QUESTION)
        await at.clock.advance(1)
        await at.inbox(deleted())
        await at.clock.advance(1)
        assert at.store.answers[0].state in (AnswerState.DONE, AnswerState.STOPPED)
