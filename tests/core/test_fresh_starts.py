"""A conversation that was begun afresh: what was said before is told to nobody."""

from bridge.messages import Said
from tests.core.room import room
from tests.fakes import values
from tests.fakes.clock import FakeClock
from tests.fakes.platform_reading import ReadingPlatform


async def test_after_a_reset_the_thread_is_not_read_to_the_app_again() -> None:
    platform = ReadingPlatform(FakeClock(), said=[Said(who="Ada", text="My name is Ada.")])
    async with room(platform=platform) as at:
        for number, text in enumerate(["Who am I?", "/reset", "Who am I now?", "And now?"], start=1):
            await at.inbox(values.message(text, number=number, in_thread=True))
            await at.clock.advance(10)
        first, *later = [question.text for question in at.backend.asked]
        assert "My name is Ada." in first
        assert later == ["Who am I now?", "And now?"]
