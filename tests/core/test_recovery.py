"""After a restart: no question lost, no half answer without an ending, one visible answer, asked again at most once."""

import pytest

from bridge.backend_api import Fate, Recovered
from bridge.errors import BackendUnreachable, MessageGone, MessageRefused, PlatformUnavailable
from bridge.messages import (
    AnswerState,
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    OutgoingMessage,
    PlatformName,
)
from bridge.routing import AppPolicy, Recover
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import say
from tests.fakes.clock import FakeClock
from tests.fakes.platform import FakePlatform, FindingPlatform, ThreadingPlatform

FETCH = AppPolicy(name=values.APP, recover=Recover.FETCH)
APOLOGISE = AppPolicy(name=values.APP, recover=Recover.APOLOGISE)


async def killed_while_answering(at: Room, *, shown: bool = True) -> None:
    at.answer_with(lambda _: [*(say("Half an answer") if shown else []), 1000.0])
    await at.inbox(values.message(number=1))
    await at.inbox(values.message("And then?", number=2))
    await at.clock.advance(5)


async def restart(at: Room, seconds: float = 60) -> None:
    await at.recovery.start()
    await at.clock.advance(seconds)


def lose_the_store_with_the_next_write(at: Room) -> None:
    """As a process sees it that dies right after it has shown something."""
    show = at.platform._answer_like_a_platform

    async def watched(message: OutgoingMessage) -> str:
        at.store.failures = 10_000
        return await show(message)

    at.platform._answer_like_a_platform = watched  # type: ignore[method-assign]


def ended(at: Room) -> bool:
    return at.store.answers[0].state is AnswerState.FAILED


def rescued(at: Room, how: str) -> float:
    return at.metrics.read("bridge_rescued_turns_total", app="default", platform="fake", how=how)


async def test_what_was_accepted_and_not_yet_asked_is_answered() -> None:
    async with room() as at:
        pass
    await at.inbox(values.message())
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert after.texts == ["You said: What is up?"]


async def test_a_lost_answer_is_asked_for_once_more_and_grows_in_the_same_message() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert after.texts == ["You said: What is up?", "You said: And then?"]
        assert [question.text for question in after.backend.asked] == ["What is up?", "And then?"]
        assert len(after.backend.looks) == 1
        assert [answer.state for answer in after.store.answers] == [AnswerState.DONE, AnswerState.DONE]


async def test_what_runs_on_unheard_is_stopped_before_it_is_asked_again() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert [ids.task for ids in after.backend.stopped] == ["t1"]


async def test_the_first_question_of_a_conversation_is_asked_again_in_a_new_one() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert [question.conversation for question in after.backend.asked] == [None, "c1"]


async def test_a_later_question_is_asked_again_where_the_conversation_is() -> None:
    async with room() as at:
        await at.inbox(values.message("First", number=7))
        await at.clock.advance(5)
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert after.backend.asked[0].conversation == "c1"
        assert after.backend.looks[0][2] == "m1", "what came before is told to whoever looks"


async def test_it_is_never_asked_a_third_time_by_itself() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as again:
        again.answer_with(lambda _: [*say("Half once more"), 1000.0])
        await restart(again, 10)
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert "What is up?" not in after.backend.times_asked()
        assert after.texts[0].startswith("Half once more\n\n⚠️ I was restarted while answering")
        assert after.texts[1] == "You said: And then?"


async def test_an_answer_that_the_backend_has_is_shown_whole_in_the_same_message() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        after.backend.recovered = [Recovered(fate=Fate.ANSWERED, ids=BackendIds(), text="The whole answer")]
        await restart(after)
        assert after.texts == ["The whole answer", "You said: And then?"]
        assert after.backend.times_asked() == {"And then?": 1}
        assert after.store.answers[0].state is AnswerState.DONE


async def test_an_answer_still_being_made_is_waited_for() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        running = Recovered(fate=Fate.RUNNING)
        after.backend.recovered = [running, running, running, Recovered(fate=Fate.ANSWERED, text="At last")]
        await restart(after)
        assert after.texts[0] == "At last"
        assert len(after.backend.looks) == 4


async def test_an_app_that_must_not_be_asked_twice_is_not() -> None:
    async with room(app=FETCH) as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform, app=FETCH) as after:
        after.backend.recovers = lambda *_: Recovered(fate=Fate.UNSURE)
        await restart(after)
        assert after.texts[0].startswith(
            "Half an answer\n\n⚠️ I was restarted while answering, and the rest of the answer was lost. (Reference "
        )
        assert after.backend.times_asked() == {"And then?": 1}
        assert len(after.backend.looks) > 5, "it might still have come"


async def test_a_question_that_never_arrived_is_asked_whatever_the_policy() -> None:
    async with room(app=FETCH) as at:
        await killed_while_answering(at, shown=False)
    async with room(store=at.store, platform=at.platform, app=FETCH) as after:
        after.backend.recovered = [Recovered(fate=Fate.ABSENT)]
        await restart(after)
        assert after.texts == ["You said: What is up?", "You said: And then?"]


async def test_who_wants_an_apology_at_once_gets_it_without_a_look() -> None:
    async with room(app=APOLOGISE) as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform, app=APOLOGISE) as after:
        await restart(after, 5)
        assert after.backend.looks == []
        assert "the rest of the answer was lost" in after.texts[0]


async def test_a_backend_that_is_away_at_the_restart_is_waited_for() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        away = BackendUnreachable("refused")
        after.backend.recovered = [away, away, Recovered(fate=Fate.ANSWERED, text="Here it is")]
        await restart(after)
        assert after.texts[0] == "Here it is"


async def test_killed_before_anything_was_shown_the_member_is_told_what_happens_and_then_gets_the_answer() -> None:
    async with room() as at:
        await killed_while_answering(at, shown=False)
    async with room(store=at.store, platform=at.platform) as after:
        after.backend.recovered = [*[Recovered(fate=Fate.RUNNING)] * 5, Recovered(fate=Fate.ANSWERED, text="Found")]
        await restart(after)
        history = [text for _, text in next(iter(after.platform.messages.values())).history]
        assert history == ["⏳ I was restarted and am getting your answer back…", "Found"]


async def test_the_app_failed_meanwhile_and_the_member_is_told() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        after.backend.recovered = [Recovered(fate=Fate.FAILED)]
        await restart(after)
        told = "⚠️ Something went wrong while asking the app. This answer is incomplete. (Reference "
        assert after.texts[0].startswith(f"Half an answer\n\n{told}")


async def test_killed_while_the_end_was_shown_the_same_end_is_shown_again_without_the_backend() -> None:
    platform = FakePlatform(FakeClock())
    async with room(platform=platform) as at:
        platform.failures = [PlatformUnavailable("503")] * 100
        await at.inbox(values.message("Tell me"))
        await at.clock.advance(5)
        assert at.store.answers[0].state is AnswerState.FINALISING
    platform.failures = []
    async with room(store=at.store, platform=platform) as after:
        await restart(after)
        assert after.texts == ["You said: Tell me"]
        assert after.backend.asked == []
        assert after.backend.looks == []


async def test_a_message_that_was_about_to_be_posted_and_stands_is_adopted() -> None:
    platform = FindingPlatform(FakeClock())
    platform.lost_answers = 1
    async with room(platform=platform) as at:
        await at.inbox(values.message())
        await at.clock.advance(0.5)
        [part] = at.store.answers[0].parts.values()
        assert part.ref is None
    async with room(store=at.store, platform=platform) as after:
        await restart(after)
        assert after.texts == ["You said: What is up?"]
        assert platform.searched == [part.nonce]


async def test_looking_for_a_message_is_tried_again_when_the_platform_is_away() -> None:
    platform = FindingPlatform(FakeClock())
    platform.lost_answers = 1
    async with room(platform=platform) as at:
        await at.inbox(values.message())
        await at.clock.advance(0.5)
    platform.find_errors = [PlatformUnavailable("503"), PlatformUnavailable("503")]
    async with room(store=at.store, platform=platform) as after:
        await restart(after)
        assert after.texts == ["You said: What is up?"]
        assert len(platform.searched) == 3


async def test_the_text_is_read_back_where_the_platform_can_tell_it() -> None:
    platform = ThreadingPlatform(FakeClock())
    async with room(platform=platform, app=APOLOGISE) as at:
        await killed_while_answering(at)
        assert at.store.answers[0].parts[0].text == "", "no need to keep what the platform keeps"
    async with room(store=at.store, platform=platform, app=APOLOGISE) as after:
        await restart(after)
        assert after.texts[0].startswith("Half an answer\n\n⚠️ I was restarted")


async def test_an_ending_that_was_added_already_is_not_added_again() -> None:
    platform = ThreadingPlatform(FakeClock())
    async with room(platform=platform, app=APOLOGISE) as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=platform, app=APOLOGISE) as again:
        lose_the_store_with_the_next_write(again)
        await restart(again, 5)
        assert "⚠️" in again.texts[0]
        assert not ended(at)
    at.store.failures = 0
    del platform._answer_like_a_platform
    async with room(store=at.store, platform=platform, app=APOLOGISE) as after:
        await restart(after)
        assert after.texts[0].count("⚠️") == 1
        assert ended(at)


async def test_an_answer_of_which_nothing_was_shown_gets_a_line_of_its_own() -> None:
    async with room(app=APOLOGISE) as at:
        await killed_while_answering(at, shown=False)
    async with room(store=at.store, platform=at.platform, app=APOLOGISE) as after:
        await restart(after)
        assert after.texts[0].startswith("⚠️ I was restarted while answering, and the answer was lost. (Reference ")


async def test_a_full_message_gets_its_ending_in_the_next_one() -> None:
    async with room(platform=FakePlatform(FakeClock(), max_text=130), app=APOLOGISE) as at:
        at.answer_with(lambda _: [*say("x" * 90), 1000.0])
        await at.inbox(values.message())
        await at.clock.advance(5)
    async with room(store=at.store, platform=at.platform, app=APOLOGISE) as after:
        await restart(after)
        assert after.texts[0] == "x" * 90
        assert after.texts[1].startswith("⚠️")


async def test_an_open_fence_is_closed_before_the_ending() -> None:
    async with room(app=APOLOGISE) as at:
        at.answer_with(lambda _: [*say("```python\nprint(1)"), 1000.0])
        await at.inbox(values.message())
        await at.clock.advance(5)
    async with room(store=at.store, platform=at.platform, app=APOLOGISE) as after:
        await restart(after)
        assert "\n```\n\n⚠️" in after.texts[0]


async def test_an_ending_that_the_message_does_not_take_stands_below_it() -> None:
    async with room(app=APOLOGISE) as at:
        await killed_while_answering(at)
    at.platform.failures = [MessageRefused("too long")]
    async with room(store=at.store, platform=at.platform, app=APOLOGISE) as after:
        await restart(after)
        assert after.texts[0] == "Half an answer"
        assert after.texts[1].startswith("⚠️ I was restarted while answering")


async def test_a_message_that_was_deleted_meanwhile_holds_up_nothing() -> None:
    async with room() as at:
        await killed_while_answering(at)
    at.platform.failures = [MessageGone("deleted")]
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        assert after.texts[-1] == "You said: And then?"


async def test_the_recovered_answer_may_mention_whom_the_question_named() -> None:
    async with room() as at:
        at.answer_with(lambda _: [*say("Half"), 1000.0])
        await at.inbox(values.message(named=(values.GRACE,)))
        await at.clock.advance(5)
    async with room(store=at.store, platform=at.platform) as after:
        await restart(after)
        [message] = after.platform.messages.values()
        assert message.people[-1] == {"grace": "Grace"}


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
        assert after.texts == ["You said: What is up?", "You said: And then?"]


async def test_an_app_that_is_no_longer_set_up_is_told_and_holds_up_nothing() -> None:
    async with room() as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        after.turns._asker._backends = {}
        await restart(after)
        assert all("no longer set up" in text for text in after.texts)
        assert len(after.texts) == 2


async def test_a_lost_turn_of_a_conversation_with_a_past_marks_it_and_a_failing_history_is_left_behind() -> None:
    async with room() as at:
        await at.inbox(values.message("First", number=7))
        await at.clock.advance(5)
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform) as after:
        after.backend.poisoned = {BackendConversationId("c1")}
        await restart(after)
        assert after.texts[1].startswith("You said: What is up?")
        assert "(The app could not go on with this conversation, so this starts a new one.)" in after.texts[1]
        assert after.texts[2] == "You said: And then?"
        assert after.backend.asked[-1].conversation not in after.backend.poisoned


@pytest.mark.parametrize("how", ["shown", "fetched", "reasked", "apologised"])
async def test_how_answers_were_rescued_is_counted(how: str) -> None:
    policy = APOLOGISE if how == "apologised" else None
    async with room(app=policy) as at:
        await killed_while_answering(at)
    async with room(store=at.store, platform=at.platform, app=policy) as after:
        if how == "fetched":
            after.backend.recovered = [
                Recovered(fate=Fate.ANSWERED, text="x", ids=BackendIds(message=BackendMessageId("m")))
            ]
        if how == "shown":
            at.platform.failures = [PlatformUnavailable("503")] * 3
            after.backend.recovered = [Recovered(fate=Fate.ANSWERED, text="x")]
            await restart(after, 1)
            async with room(store=at.store, platform=at.platform) as last:
                await restart(last)
                assert rescued(last, how) == 1
                return
        await restart(after)
        assert rescued(after, how) == 1
