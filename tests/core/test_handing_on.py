"""Between two owners of an answer: what the first one meant to do and what it did are two things."""

from dataclasses import replace
from datetime import timedelta

from bridge.errors import PlatformUnavailable
from bridge.events import MessageEdited
from bridge.messages import EventId
from bridge.routing import AppPolicy, Recover
from tests.core.room import room
from tests.fakes import values
from tests.fakes.backend import say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform, ThreadingPlatform

APOLOGISE = AppPolicy(name=values.APP, recover=Recover.APOLOGISE)


async def test_an_owner_that_was_taken_for_dead_writes_nothing_over_what_the_next_one_shows() -> None:
    platform = ThreadingPlatform(FakeClock())
    async with room(platform=platform, app=APOLOGISE) as slow:
        slow.answer_with(lambda _: say(*["word "] * 20, pause=1.0))
        await slow.inbox(values.message())
        await slow.clock.advance(5)
        async with room(store=slow.store, platform=platform, app=APOLOGISE, clock=slow.clock) as after:
            await after.recovery.start()
            await after.clock.advance(60)
        assert platform.texts[0].count("⚠️ I was restarted while answering") == 1
        assert slow.fenced == 1


async def test_an_ending_that_was_recorded_and_never_shown_is_shown() -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say("The beginning"), 3.0, *say(" and the end.")])
        await at.inbox(values.message())
        await at.clock.advance(2)
        at.platform.failures = [PlatformUnavailable("503")] * 100
        await at.clock.advance(10)
        assert at.texts == ["The beginning"]
    at.platform.failures = []
    async with room(store=at.store, platform=at.platform) as after:
        await after.recovery.start()
        await after.clock.advance(10)
        assert after.texts == ["The beginning and the end."]


async def test_no_status_stands_above_messages_of_an_answer_that_is_given_up() -> None:
    platform = FakePlatform(FakeClock(), max_text=300, buttons=True)
    async with room(platform=platform, app=APOLOGISE) as at:
        at.answer_with(lambda question: [*(say("word " * 100) if "up" in question.text else []), 1000.0])
        asked = values.message()
        await at.inbox(asked)
        await at.clock.advance(5)
        assert len(at.texts) == 2
        now = replace(asked, text="Something else?", event_id=EventId("e9"))
        await at.inbox(MessageEdited(event_id=now.event_id, now=now, revision=1))
        await at.clock.advance(20)
        assert at.texts[0].startswith("⏳")
    async with room(store=at.store, platform=platform, app=APOLOGISE) as after:
        await after.recovery.start()
        await after.clock.advance(60)
        assert after.texts[0].startswith("⚠️ I was restarted while answering")
        assert after.texts[1] == "(This part was withdrawn.)"
        buttons = [[button.label for button in message.buttons] for message in platform.messages.values()]
        assert buttons == [["Try again"], []], "it belongs to what says something"


async def test_a_run_that_nobody_hears_is_not_stopped_before_it_is_recorded_that_it_is_asked_again() -> None:
    async with room(capacity=1) as at:
        at.answer_with(lambda _: [*say("Half an answer"), 1000.0])
        await at.inbox(values.message())
        await at.clock.advance(5)
    async with room(store=at.store, platform=at.platform, capacity=1) as after:
        after.answer_with(lambda question: [30.0] if "elsewhere" in question.text else say("Whole"))
        await after.inbox(values.message("Asked elsewhere", number=2, where=values.target("2")))
        await after.clock.advance(1)
        await after.recovery.start()
        await after.clock.advance(10)
        assert after.backend.stopped == [], "what was stopped would look like a whole answer to the next owner"
        await after.clock.advance(timedelta(minutes=1).total_seconds())
        assert [ids.task for ids in after.backend.stopped] == ["t1"]
        assert after.texts[0] == "Whole"
