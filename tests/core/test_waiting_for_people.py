"""An app waits for people in the middle of an answer: what is seen meanwhile, who may answer, and how it goes on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.asking import AskLimits
from bridge.backend_api import Fate, InputRequired, Recovered, TextDelta, TextReplaced
from bridge.errors import BackendFailed, BackendMisconfigured, BackendUnreachable, QuestionRefused
from bridge.events import ButtonPressed
from bridge.feedback import aggregate
from bridge.input_api import Submitted
from bridge.messages import (
    AnswerState,
    Author,
    BackendConversationId,
    BackendIds,
    BackendMessageId,
    BackendRunId,
    ButtonAction,
    EventId,
    StopReason,
)
from bridge.pauses import FieldKind, Given, InputAction, InputField, InputRequest
from bridge.pausing import PauseLimits
from bridge.routing import AppPolicy, MayAnswer
from bridge.submissions import ANSWERED_BY, MORE, OVER, TOO_LATE
from tests.core.doings import follow_up, press
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.clock import START, FakeClock
from tests.fakes.events import deleted, edited
from tests.fakes.platform_forms import FormPlatform
from tests.fakes.store import FakeStore
from tests.fakes.waiting_backend import WaitingBackend

APPROVAL = InputRequest(
    id="form-1",
    token="secret-token",
    title="Approval",
    text="**Order 12 chairs?**",
    actions=(InputAction(id="approve", title="Approve"), InputAction(id="reject", title="Reject")),
    expires_at=START + timedelta(minutes=30),
)
WITH_FIELDS = replace(
    APPROVAL,
    fields=(
        InputField(name="why", default="because"),
        InputField(name="size", kind=FieldKind.SELECT, options=("S", "M")),
    ),
)
MINUTE = 60.0
BOB = values.person("bob")
WAITS = "✋ The app waits for **Ada** to answer this, until 01 Jan 2026, 00:30 UTC."


class World:
    """What outlives the bridge's processes."""

    def __init__(self, request: InputRequest = APPROVAL, may: MayAnswer | None = None) -> None:
        self.clock = FakeClock()
        self.store = FakeStore(aggregate, self.clock)
        self.platform = FormPlatform(self.clock)
        self.backend = WaitingBackend(self.clock)
        self.backend.script = lambda question: (
            [TextDelta(text="So far."), InputRequired(requests=(request,))]
            if "order" in question.text
            else [TextDelta(text=f"You said: {question.text}")]
        )
        self.may = may or MayAnswer()

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Room]:
        async with room(
            store=self.store,
            platform=self.platform,
            clock=self.clock,
            backend=self.backend,
            app=AppPolicy(name=values.APP, may_answer=self.may),
            ask=AskLimits(pause=PauseLimits(remind_after=timedelta(minutes=10))),
        ) as at:
            yield at

    @property
    def texts(self) -> list[str]:
        """What is said in the thread."""
        return [one.text for one in self.platform.messages.values() if not one.target.private]

    @property
    def told(self) -> list[str]:
        return [one.text for one in self.platform.messages.values() if one.target.private]

    @property
    def address(self) -> str:
        return next(iter(self.platform.messages))

    def labels(self) -> list[str]:
        return [button.label for button in self.platform.messages[self.address].buttons]

    def value(self, label: str) -> str:
        return next(one.value for one in self.platform.messages[self.address].buttons if one.label == label)

    def state(self) -> AnswerState:
        return self.store.answers[0].state


def choose(world: World, label: str, who: Author | None = None, *, event: str = "", value: str = "") -> ButtonPressed:
    pressed = press(ButtonAction.INPUT, world.address, author=who)
    pressed = replace(pressed, value=value or world.value(label))
    return replace(pressed, event_id=EventId(event or f"{pressed.event_id} {label}"))


async def order(world: World, at: Room) -> None:
    await at.inbox(values.message("Please order chairs"))
    await world.clock.advance(3)


async def tend(world: World, at: Room, seconds: float) -> None:
    await world.clock.advance(seconds)
    await at.attendant.attend()
    await world.clock.advance(3)


async def test_the_form_stands_in_the_answer_with_a_button_for_each_way_to_answer_it() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)

        assert world.texts == [f"So far.\n\n**Order 12 chairs?**\n\n{WAITS}"]
        assert world.labels() == ["Approve", "Reject", "Stop"]
        assert world.state() is AnswerState.PAUSED
        assert "secret-token" not in "".join(one.value for one in world.platform.messages[world.address].buttons)


async def test_a_press_lets_the_app_go_on_in_the_same_message() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(5)

        assert world.texts == ["So far.\n\n**Order 12 chairs?**\n\n✅ **Approve** (Ada)\n\nIt was approve."]
        assert (world.state(), world.labels()) == (AnswerState.DONE, [])
        assert [(given.action, given.by) for _, given, _ in world.backend.submitted] == [("approve", "ada")]
        assert world.backend.resumed == [("So far.", ("form-1",))]


async def test_nothing_runs_while_it_waits() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)

        assert world.backend.running == 0
        assert await world.store.waiting_conversations([world.platform.name]) == []
        await world.clock.advance(10 * MINUTE)
        assert world.backend.resumed == []


async def test_it_waits_over_a_restart_and_another_process_goes_on() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
    async with world.process() as at:
        await at.recovery.sweep()
        await world.clock.advance(3)
        before = len(world.platform.messages[world.address].history)
        await at.inbox(choose(world, "Reject"))
        await world.clock.advance(5)

        assert before == len(world.platform.messages[world.address].history[:before]), "a restart shows nothing new"
        assert world.texts == ["So far.\n\n**Order 12 chairs?**\n\n✅ **Reject** (Ada)\n\nIt was reject."]
        assert at.fenced == 0


async def test_what_is_pressed_in_one_process_is_gone_on_with_while_others_are_there() -> None:
    world = World()
    async with world.process() as one, world.process() as other:
        await order(world, one)
        await other.inbox(choose(world, "Approve"))
        await world.clock.advance(5)

        assert world.texts == ["So far.\n\n**Order 12 chairs?**\n\n✅ **Approve** (Ada)\n\nIt was approve."]
        assert (len(world.backend.submitted), len(world.backend.resumed)) == (1, 1)


async def test_two_processes_look_after_a_form_and_people_are_reminded_once() -> None:
    world = World()
    async with world.process() as one, world.process() as other:
        await order(world, one)
        await world.clock.advance(11 * MINUTE)
        await one.attendant.attend()
        await other.attendant.attend()
        await world.clock.advance(5)

        assert len(world.texts) == 2


async def test_an_edit_while_it_goes_on_begins_anew_in_the_same_message() -> None:
    world = World()
    world.backend.then = lambda given: [TextDelta(text="It"), 1000.0]
    async with world.process() as at:
        await order(world, at)
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(5)
        await at.inbox(edited(values.message("Please order chairs"), "Hello instead"))
        await world.clock.advance(30)

        assert world.texts == ["You said: Hello instead"]


async def test_who_dies_before_the_form_is_shown_leaves_it_to_the_next() -> None:
    world = World()
    world.platform.latency = 60
    async with world.process() as at:
        await at.inbox(values.message("Please order chairs"))
        await world.clock.advance(1)
        assert world.state() is AnswerState.PAUSED
    world.platform.latency = 0
    async with world.process() as at:
        await at.recovery.sweep()
        await world.clock.advance(5)

        assert world.texts == [f"So far.\n\n**Order 12 chairs?**\n\n{WAITS}"]
        assert len(world.backend.asked) == 1


async def test_who_dies_with_an_answered_form_leaves_it_to_the_next() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
    await world.store.give(EventId("g"), values.turn().answer_id, 1, given("approve"))
    async with world.process() as at:
        await at.recovery.sweep()
        await world.clock.advance(5)

        assert world.texts[0].endswith("It was approve.")


async def test_who_dies_while_it_goes_on_leaves_it_to_the_next_in_the_same_message() -> None:
    world = World()
    world.backend.then = lambda given: [TextDelta(text="It"), 1000.0, TextDelta(text=" was lost")]
    async with world.process() as at:
        await order(world, at)
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(30)
        assert world.state() is AnswerState.STREAMING
    world.backend.then = lambda given: [TextReplaced(text="So far. It was found.")]
    async with world.process() as at:
        await at.recovery.sweep()
        await world.clock.advance(30)

        assert world.texts == ["So far.\n\n**Order 12 chairs?**\n\n✅ **Approve** (Ada)\n\nIt was found."]
        assert len(world.backend.submitted) == 1
        assert len(world.backend.asked) == 1


async def test_who_dies_before_the_pause_was_recorded_leaves_it_to_the_next() -> None:
    """The question was asked and its ids are known; that it is paused is found out by looking."""
    world = World()
    ids = BackendIds(conversation=BackendConversationId("c1"), message=BackendMessageId("m1"), run=BackendRunId("r1"))
    world.backend.recovered = [Recovered(fate=Fate.PAUSED, ids=ids)]
    async with world.process() as at:
        await order(world, at)
    kept = world.store.answers[0]
    kept.pause, kept.state, world.store.conversations[0].resting = None, AnswerState.STREAMING, False
    async with world.process() as at:
        await at.recovery.sweep()
        await world.clock.advance(5)

        assert world.labels() == ["Approve", "Reject", "Stop"]
        assert len(world.backend.asked) == 1


async def test_only_whoever_asked_may_answer_unless_it_is_said_otherwise() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        await at.inbox(choose(world, "Approve", BOB))
        await world.clock.advance(5)

        assert world.told == ["Only Ada can answer this."]
        assert world.backend.submitted == []


@pytest.mark.parametrize(
    ("may", "may_ada", "may_bob"),
    [
        (MayAnswer.read("asker", []), True, False),
        (MayAnswer.read("anyone", []), True, True),
        (MayAnswer.read("people", ["bob"]), False, True),
        (MayAnswer.read("people", ["managers"]), False, True),
        (MayAnswer.read("asker", ["bob"]), True, True),
        (MayAnswer.read("people", ["carol"]), False, False),
    ],
)
async def test_who_may_answer_is_the_apps_policy(may: MayAnswer, *, may_ada: bool, may_bob: bool) -> None:
    bob = replace(BOB, roles=("managers",))
    for who, admitted in ((values.person(), may_ada), (bob, may_bob)):
        world = World(may=may)
        async with world.process() as at:
            await order(world, at)
            await at.inbox(choose(world, "Approve", who))
            await world.clock.advance(5)

            assert bool(world.backend.submitted) is admitted
            assert bool(world.told) is not admitted


async def test_of_two_people_who_press_at_once_the_first_counts_and_the_other_is_told() -> None:
    world = World(may=MayAnswer.read("anyone", []))
    async with world.process() as at:
        await order(world, at)
        first, second = choose(world, "Approve"), choose(world, "Reject", BOB)
        await at.inbox(first)
        await at.inbox(second)
        await world.clock.advance(5)

        assert [given.action for _, given, _ in world.backend.submitted] == ["approve"]
        assert world.told == [ANSWERED_BY.format(name="Ada")]


async def test_a_press_that_is_delivered_twice_counts_once_and_nobody_is_told_off() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        pressed = choose(world, "Approve")
        await at.inbox(pressed)
        await at.inbox(pressed)
        await world.clock.advance(5)

        assert (len(world.backend.submitted), world.told) == (1, [])


async def test_a_button_of_a_form_that_is_over_is_answered_with_a_line() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        pressed = choose(world, "Approve")
        await at.inbox(pressed)
        await world.clock.advance(5)
        await at.inbox(replace(pressed, event_id=EventId("later")))
        await world.clock.advance(3)

        assert world.told == [OVER]


async def test_fields_are_asked_for_in_a_form_of_the_platform() -> None:
    world = World(WITH_FIELDS)
    async with world.process() as at:
        await order(world, at)
        assert world.labels() == ["Approve…", "Reject…", "Stop"]
        form = await world.platform.press()
        assert form is not None
        assert (form.title, form.submit) == ("Approval", "Approve")
        assert [(one.name, one.default, one.required) for one in form.fields] == [
            ("why", "because", False),
            ("size", "", True),
        ]
        submitted = await world.platform.submit({"why": "comfort", "size": "M"})
        assert submitted is not None
        await at.inbox(submitted)
        await world.clock.advance(5)

        assert world.backend.submitted[0][1].values == {"why": "comfort", "size": "M"}
        assert "comfort" not in world.texts[0]


async def test_neither_the_token_nor_what_is_filled_in_nor_who_it_was_is_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = World(WITH_FIELDS)
    async with world.process() as at:
        await order(world, at)
        assert await world.platform.press(BOB) is None
        submitted = await world.platform.submit({"why": "comfort", "size": "M"})
        assert submitted is not None
        await at.inbox(submitted)
        await at.inbox(replace(submitted, event_id=EventId("late"), author=BOB))
        await world.clock.advance(5)

    logged = capsys.readouterr().out
    assert "form_answered" in logged
    assert [word for word in ("secret-token", "comfort", "Bob", "Order 12") if word in logged] == []


async def test_what_does_not_fit_into_one_form_is_asked_for_in_steps() -> None:
    world = World(WITH_FIELDS)
    world.platform.holds = 1
    async with world.process() as at:
        await order(world, at)
        first = await world.platform.submit({"why": "comfort"})
        assert first is not None
        await at.inbox(first)
        await world.clock.advance(5)
        assert (world.backend.submitted, world.told) == ([], [MORE])
        second = await world.platform.submit({"size": "S"})
        assert second is not None
        await at.inbox(second)
        await world.clock.advance(5)

        assert world.backend.submitted[0][1].values == {"why": "comfort", "size": "S"}


async def test_the_form_opens_for_nobody_else() -> None:
    world = World(WITH_FIELDS)
    async with world.process() as at:
        await order(world, at)

        assert await world.platform.press(BOB) is None
        assert world.platform.told == ["Only Ada can answer this."]


async def test_a_question_behind_it_waits_and_its_asker_is_told() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        await at.inbox(follow_up("and then?"))
        await world.clock.advance(5)
        assert world.texts[1:] == ["Your question comes next, once the form above is answered (or stopped)."]
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(10)

        assert world.texts[2:] == ["You said: and then?"]
        assert [one.state for one in world.store.answers] == [AnswerState.DONE, AnswerState.DONE]


async def test_stop_ends_the_waiting() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        await at.inbox(press(ButtonAction.STOP, world.address))
        await world.clock.advance(5)

        assert world.texts == ["So far.\n\n**Order 12 chairs?**\n\n(Stopped.)"]
        assert (world.state(), world.labels()) == (AnswerState.STOPPED, ["Try again"])
        assert len(world.backend.stopped) == 1


async def test_what_was_stopped_takes_no_answer_any_more() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        pressed = choose(world, "Approve")
        await at.inbox(press(ButtonAction.STOP, world.address))
        await at.inbox(pressed)
        await world.clock.advance(5)

        assert (world.backend.submitted, world.told) == ([], [OVER])


async def test_stop_while_it_goes_on_keeps_what_there_is() -> None:
    world = World()
    world.backend.then = lambda given: [TextDelta(text="It"), 1000.0]
    async with world.process() as at:
        await order(world, at)
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(5)
        await at.inbox(press(ButtonAction.STOP, world.address, revision=2))
        await world.clock.advance(30)

        assert world.texts == ["So far.\n\n**Order 12 chairs?**\n\n✅ **Approve** (Ada)\n\nIt\n\n(Stopped.)"]


async def test_an_edited_question_is_asked_anew() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        await at.inbox(edited(values.message("Please order chairs"), "Hello instead"))
        await world.clock.advance(5)

        assert world.texts == ["You said: Hello instead"]
        assert len(world.backend.stopped) == 0 or world.backend.stopped[0].task


async def test_a_deleted_question_ends_the_waiting() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        await at.inbox(deleted())
        await world.clock.advance(5)

        assert world.store.answers[0].stop is StopReason.WITHDRAWN
        assert "deleted" in world.texts[0]


async def test_a_second_form_follows_the_first_in_the_same_message() -> None:
    world = World()
    second = replace(APPROVAL, id="form-2", text="Really?")
    world.backend.then = lambda given: (
        [TextDelta(text="Hm."), InputRequired(requests=(second,))]
        if given.action == "approve"
        else [TextDelta(text="No.")]
    )
    async with world.process() as at:
        await order(world, at)
        first = choose(world, "Approve")
        await at.inbox(first)
        await world.clock.advance(5)
        assert world.texts == [f"So far.\n\n**Order 12 chairs?**\n\n✅ **Approve** (Ada)\n\nHm.\n\nReally?\n\n{WAITS}"]
        await at.inbox(replace(first, event_id=EventId("the old button")))
        await world.clock.advance(3)
        assert world.told == ["This was answered already."]
        await at.inbox(choose(world, "Reject", event="second"))
        await world.clock.advance(5)

        assert world.texts[0].endswith("Hm.\n\nReally?\n\n✅ **Reject** (Ada)\n\nNo.")
        assert world.backend.resumed[1] == ("So far.Hm.", ("form-1", "form-2"))


async def test_people_are_reminded_once() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        await tend(world, at, 9 * MINUTE)
        assert len(world.texts) == 1
        for _ in range(3):
            await tend(world, at, 2 * MINUTE)

        assert world.texts[1:] == ["✋ Above, **Approval** still waits for an answer, until 01 Jan 2026, 00:30 UTC."]


async def test_a_form_whose_time_is_over_takes_nothing_and_the_run_goes_its_other_way() -> None:
    world = World()
    world.backend.then = lambda given: [TextDelta(text="Then I leave it.")]
    async with world.process() as at:
        await order(world, at)
        pressed = choose(world, "Approve")
        await world.clock.advance(30 * MINUTE)
        await at.inbox(pressed)
        await tend(world, at, 0)
        assert world.told == [TOO_LATE]
        assert world.texts[0].endswith("⌛ Nobody answered in time. I go on as soon as the app does.")
        assert world.labels() == ["Stop"]
        world.backend.elsewhere = given("timeout")
        await tend(world, at, 61)

        assert world.texts[0] == "So far.\n\n**Order 12 chairs?**\n\n⌛ (Nobody answered in time.)\n\nThen I leave it."


async def test_a_run_that_never_notices_that_its_form_is_late_is_given_up() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        await tend(world, at, 30 * MINUTE)
        for _ in range(20):
            await tend(world, at, 61)

        assert world.texts[0].endswith("⚠️ Nobody answered in time, and the app did not go on.")
        assert world.state() is AnswerState.FAILED


async def test_what_was_answered_elsewhere_goes_on_here() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        world.backend.elsewhere = given("approve")
        await tend(world, at, 61)

        assert world.texts == ["So far.\n\n**Order 12 chairs?**\n\n✅ (Answered elsewhere.)\n\nIt was approve."]


async def test_a_form_that_cannot_be_answered_here_says_so() -> None:
    world = World(replace(APPROVAL, token=""))
    async with world.process() as at:
        await order(world, at)

        assert "elsewhere, such as by e-mail, until 01 Jan 2026" in world.texts[0]
        assert world.labels() == ["Stop"]


async def test_whoever_was_faster_elsewhere_is_not_overruled() -> None:
    world = World()
    world.backend.submit_results = [Submitted.EARLIER]
    world.backend.elsewhere = given("reject")
    async with world.process() as at:
        await order(world, at)
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(5)

        assert world.texts[0].endswith("✅ (This was answered.)\n\nIt was reject.")


async def test_an_answer_that_the_app_does_not_take_leaves_the_form_open() -> None:
    world = World()
    world.backend.submit_results = [QuestionRefused("400", user_message="The app did not accept what was filled in.")]
    async with world.process() as at:
        await order(world, at)
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(5)
        assert "⚠️ The app did not accept what was filled in. Please answer again." in world.texts[0]
        await at.inbox(choose(world, "Approve", event="again"))
        await world.clock.advance(5)

        assert world.texts[0].endswith("✅ **Approve** (Ada)\n\nIt was approve.")


async def test_an_answer_is_kept_until_the_app_can_be_reached() -> None:
    world = World()
    async with world.process() as at:
        await order(world, at)
        world.backend.down = True
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(90)
        assert "The answer was noted, but the app cannot be reached." in world.texts[0]
        world.backend.down = False
        await tend(world, at, 61)

        assert world.texts[0].endswith("✅ **Approve** (Ada)\n\nIt was approve.")


async def test_a_key_that_is_refused_ends_it_with_a_sentence() -> None:
    world = World()
    world.backend.submit_results = [BackendMisconfigured("401", code="unauthorized")]
    async with world.process() as at:
        await order(world, at)
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(5)

        assert (world.state(), "not set up correctly" in world.texts[0]) == (AnswerState.FAILED, True)


async def test_a_run_that_fails_after_the_pause_is_told_to_have_failed() -> None:
    world = World()
    world.backend.then = lambda given: [TextDelta(text="Well"), BackendFailed("boom")]
    async with world.process() as at:
        await order(world, at)
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(5)

        assert world.texts[0].startswith("So far.\n\n**Order 12 chairs?**\n\n✅ **Approve** (Ada)\n\nWell\n\n⚠️")


async def test_a_run_is_tried_again_to_be_heard_where_that_may_help() -> None:
    world = World()
    world.backend.resume_errors = [BackendUnreachable("away"), BackendUnreachable("away")]
    async with world.process() as at:
        await order(world, at)
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(20)

        assert world.texts[0].endswith("It was approve.")


async def test_without_an_end_it_waits_for_as_long_as_it_takes() -> None:
    world = World(replace(APPROVAL, expires_at=None))
    async with world.process() as at:
        await order(world, at)
        for _ in range(10):
            await tend(world, at, 10 * MINUTE)
        await at.inbox(choose(world, "Approve"))
        await world.clock.advance(5)

        assert world.texts[0].endswith("It was approve.")
        assert world.store.answers[0].pause is None


async def test_a_platform_without_buttons_shows_the_form_and_goes_on_once_it_was_answered_elsewhere() -> None:
    world = World()
    world.platform.buttons = False
    async with world.process() as at:
        await order(world, at)
        assert world.labels() == []
        world.backend.elsewhere = given("approve")
        await tend(world, at, 61)

        assert world.texts[0].endswith("It was approve.")


def given(action: str) -> Given:
    return Given(action=action, by=values.person().id, name="Ada")
