"""After a restart: no question lost, no half answer without an ending, nobody asked twice."""

import asyncio

import pytest

from bridge.errors import MessageGone, MessageRefused, PlatformError, PlatformUnavailable
from bridge.messages import AnswerState, PlatformName
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform, ThreadingPlatform


async def killed_while_answering(at: Room, *, shown: bool = True) -> None:
    at.answer_with(lambda _: [*(say("Half an answer") if shown else []), 1000.0])
    await at.inbox(values.message(number=1))
    await at.inbox(values.message("And then?", number=2))
    await at.clock.advance(5)


async def restart(at: Room) -> None:
    await at.recovery.resume(await at.recovery.find())
    await at.clock.advance(60)


async def test_what_was_accepted_and_not_yet_asked_is_answered() -> None:
    async with room() as at:
        pass
    await at.inbox(values.message())
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert after.texts == ["You said: What is up?"]


async def test_a_half_shown_answer_keeps_its_text_and_ends_with_a_line() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert after.texts[0].startswith("Half an answer\n\n⚠️ I was restarted")
        assert after.texts[1] == "You said: And then?"
        assert [question.text for question in after.backend.asked] == ["And then?"]
        assert after.store.answers[0].state is AnswerState.FAILED


async def test_the_text_is_read_back_where_the_platform_can_tell_it() -> None:
    platform = ThreadingPlatform(FakeClock())
    async with room(platform=platform) as at:
        await killed_while_answering(at)
        assert at.store.answers[0].parts[0].text == "", "no need to keep what the platform keeps"
    async with room(store=at.store, platform=platform) as after:
        await restart(after)
        assert after.texts[0].startswith("Half an answer\n\n⚠️ I was restarted")


async def test_the_ending_may_mention_whom_the_question_named() -> None:
    for shown in (True, False):
        async with room() as at:
            at.answer_with(lambda _, shown=shown: [*(say("Half an answer") if shown else []), 1000.0])  # type: ignore[misc]
            await at.inbox(values.message(named=(values.GRACE,)))
            await at.clock.advance(5)
        async with room(store=at.store, platform=at.platform) as after:
            await restart(after)
            [message] = after.platform.messages.values()
            assert "restarted" in message.text
            assert message.people[-1] == {"grace": "Grace"}


async def test_an_answer_of_which_nothing_was_shown_gets_a_line_of_its_own() -> None:
    async with room() as at:
        await killed_while_answering(at, shown=False)
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert after.texts[0].startswith("⚠️ I was restarted before I could answer")


async def test_a_full_message_gets_its_ending_in_the_next_one() -> None:
    async with room(platform=FakePlatform(FakeClock(), max_text=100)) as at:
        at.answer_with(lambda _: [*say("x" * 70), 1000.0])
        await at.inbox(values.message())
        await at.clock.advance(5)
    at.platform.max_text = 150
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert after.texts[0] == "x" * 70
        assert after.texts[1].startswith("⚠️")


async def test_an_open_fence_is_closed_before_the_ending() -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say("```python\nprint(1)"), 1000.0])
        await at.inbox(values.message())
        await at.clock.advance(5)
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert "\n```\n\n⚠️" in after.texts[0]


async def test_code_that_was_left_open_by_whoever_wrote_it_is_closed_before_the_ending() -> None:
    platform = ThreadingPlatform(FakeClock())
    async with room(platform=platform) as at:
        await killed_while_answering(at)
    next(iter(platform.messages.values())).history.append((0.0, "```python\nprint(1)"))
    async with room(store=at.store, platform=platform) as after:
        await restart(after)
        assert after.texts[0].startswith("```python\nprint(1)\n```\n\n⚠️ I was restarted")


async def test_a_platform_that_is_away_at_start_is_waited_for() -> None:
    async with room() as at:
        await killed_while_answering(at)
    at.platform.failures = [PlatformUnavailable("503")] * 2
    async with room(store=at.store, platform=at.platform) as after:
        interrupted = await after.recovery.find()
        resuming = asyncio.ensure_future(after.recovery.resume(interrupted))
        await after.clock.advance(60)
        await resuming
        assert "restarted" in after.texts[0]


@pytest.mark.parametrize("error", [MessageGone("deleted"), MessageRefused("too long")])
async def test_an_ending_that_cannot_be_added_to_the_message_stands_below_it(error: PlatformError) -> None:
    async with room() as at:
        await killed_while_answering(at)
    at.platform.failures = [error]
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert any(text.startswith("⚠️ I was restarted while answering") for text in after.texts)


async def test_a_message_that_was_deleted_meanwhile_holds_up_nothing() -> None:
    async with room() as at:
        await killed_while_answering(at)
    at.platform.failures = [MessageGone("deleted")]
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert after.texts[-1] == "You said: And then?"


async def test_recovering_twice_changes_nothing() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        before = list(after.texts)
        await restart(after)
        assert after.texts == before


async def test_what_belongs_to_a_platform_that_is_off_waits_until_it_is_back() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=FakePlatform(FakeClock(), name=PlatformName("another"))) as without:
        without.recovery._platforms = {PlatformName("another"): without.platform}
        await restart(without)
        assert without.backend.asked == []
        assert without.store.answers[0].state is AnswerState.STREAMING
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert "restarted" in after.texts[0]
        assert after.texts[1] == "You said: And then?"
