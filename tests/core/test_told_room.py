"""A platform that says how many edits it will take: progress waits for that, the end never does."""

from bridge.messages import AnswerState, Outcome, ReplyTarget
from bridge.platform_api import TellsRoom
from tests.core.test_answers import Desk, desk
from tests.fakes.platform import FakePlatform


class TellingPlatform(FakePlatform):
    """Has said that `room` is full again at a certain time."""

    full_at = 0.0
    asked_for: set[int]

    def wait_for_room(self, target: ReplyTarget, spare: int) -> float:
        self.asked_for = {*getattr(self, "asked_for", ()), spare}
        return max(self.full_at - self.clock.monotonic(), 0.0)


def telling(at: Desk) -> TellingPlatform:
    assert isinstance(at.platform, TellingPlatform)
    assert isinstance(at.platform, TellsRoom)
    return at.platform


async def test_progress_waits_for_the_room_that_the_platform_speaks_of() -> None:
    async with desk(kind=TellingPlatform) as at:
        at.say("One. ")
        await at.clock.advance(2)
        assert at.platform.texts == ["One."]
        telling(at).full_at = at.clock.monotonic() + 30
        at.say("Two. ")
        await at.clock.advance(25)
        assert at.platform.texts == ["One."]
        await at.clock.advance(10)
        assert at.platform.texts == ["One. Two."]
        assert telling(at).asked_for == {2}, "one for this edit, and one for the end"
        assert await at.end()


async def test_the_end_takes_what_there_is() -> None:
    async with desk(kind=TellingPlatform) as at:
        at.say("One. ")
        await at.clock.advance(2)
        telling(at).full_at = at.clock.monotonic() + 300
        at.say("Two.")
        await at.clock.advance(5)
        assert at.platform.texts == ["One."]
        at.draft.conclude(Outcome(state=AnswerState.DONE, text="One. Two."))
        await at.clock.advance(2)
        assert at.platform.texts == ["One. Two."]
