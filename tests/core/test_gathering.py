"""What an app wants to know is asked of who asked, once, before the app is asked."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
import structlog
from structlog.testing import capture_logs

from bridge.errors import BackendError, BackendUnreachable
from bridge.events import Command, FormSubmitted
from bridge.feedback import aggregate
from bridge.filling import DONE, NOT_YOURS, TOO_LATE
from bridge.gathering import GatherLimits
from bridge.inputs import Source, Sourced
from bridge.messages import AnswerState, ButtonAction
from bridge.router import question_in
from bridge.routing import AppPolicy
from bridge.store import NewQuestion
from bridge.variables_api import InputKind, InputVariable
from bridge.whereabouts import backend_user
from tests.core.doings import by, by_bot, command, follow_up, press
from tests.core.room import Room, room
from tests.fakes import values
from tests.fakes.backend import FakeBackend
from tests.fakes.clock import FakeClock
from tests.fakes.events import edited
from tests.fakes.inputs import FakeInputs
from tests.fakes.platform import FakePlatform
from tests.fakes.platform_forms import FormPlatform
from tests.fakes.store import FakeStore

CUSTOMER = InputVariable(name="customer", label="Customer", required=True, most=10)
PLAN = InputVariable(
    name="plan", label="Plan", kind=InputKind.SELECT, required=True, options=("Gold", "Silver"), default=None
)
TEN_MINUTES = 600


@dataclass
class WantingBackend(FakeBackend):
    """Wants to know something besides the question."""

    wants: Sequence[InputVariable] = (CUSTOMER,)
    trouble: list[BackendError] = field(default_factory=list)
    looked: int = 0

    async def input_form(self) -> Sequence[InputVariable]:
        self.looked += 1
        if self.trouble:
            raise self.trouble.pop(0)
        return self.wants


class World:
    """What outlives the bridge's processes."""

    def __init__(
        self, *wants: InputVariable, platform: FakePlatform | None = None, app: AppPolicy | None = None
    ) -> None:
        self.clock = FakeClock()
        self.store = FakeStore(aggregate, self.clock)
        self.inputs = FakeInputs(self.store)
        self.forms = FormPlatform(self.clock)
        self.platform = platform or self.forms
        self.backend = WantingBackend(self.clock, wants=wants or (CUSTOMER,))
        self.app = app or AppPolicy(name=values.APP)

    @asynccontextmanager
    async def process(self) -> AsyncIterator[Room]:
        async with room(
            store=self.store,
            platform=self.platform,
            app=self.app,
            clock=self.clock,
            backend=self.backend,
            inputs=self.inputs,
        ) as at:
            yield at

    async def fill_in(self, at: Room, **given: str) -> None:
        submitted = await self.forms.submit(given)
        assert isinstance(submitted, FormSubmitted), self.forms.told
        await at.inbox(submitted)
        await self.clock.advance(3)

    @property
    def texts(self) -> list[str]:
        return self.platform.texts

    @property
    def told(self) -> list[dict[str, object]]:
        return [dict(question.inputs) for question in self.backend.asked]

    def buttons(self, number: int = -1) -> list[ButtonAction]:
        return [button.action for button in list(self.platform.messages.values())[number].buttons]


async def ask(world: World, at: Room) -> None:
    await at.inbox(values.message("What is my bill?"))
    await world.clock.advance(3)


async def test_what_the_app_cannot_do_without_is_asked_before_the_app_is() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        assert not world.backend.asked
        assert "**Customer**" in world.texts[0]
        assert world.buttons() == [ButtonAction.FORM, ButtonAction.STOP]
        await world.fill_in(at, customer="ACME")
        assert world.told == [{"customer": "ACME"}]
        assert world.texts == ["You said: What is my bill?"], "the answer takes the place of what was asked"
        assert ButtonAction.FORM not in world.buttons()


async def test_what_was_filled_in_is_sent_with_every_later_question_of_the_thread() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        await world.fill_in(at, customer="ACME")
        await at.inbox(follow_up())
        await world.clock.advance(3)
    async with world.process() as at:
        await at.inbox(follow_up("And now?", 3))
        await world.clock.advance(3)
    assert world.told == [{"customer": "ACME"}] * 3


async def test_another_thread_is_asked_for_itself() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        await world.fill_in(at, customer="ACME")
        await at.inbox(values.message("And mine?", number=2, where=values.target("2")))
        await world.clock.advance(3)
        assert len(world.backend.asked) == 1
        await world.fill_in(at, customer="Umbrella")
        assert world.told[1] == {"customer": "Umbrella"}


async def test_a_question_waits_over_a_restart_and_is_answered_where_it_was_asked_for() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
    async with world.process() as at:
        await at.recovery.start()
        await world.clock.advance(3)
        assert len(world.texts) == 1
        await world.fill_in(at, customer="ACME")
    assert world.told == [{"customer": "ACME"}]
    assert world.texts == ["You said: What is my bill?"]


async def test_what_was_filled_in_while_nobody_worked_is_found_at_the_next_start() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
    submitted = await world.forms.submit({"customer": "ACME"})
    assert submitted is not None
    async with world.process() as at:
        await at.inbox(submitted)
        await at.recovery.start()
        await world.clock.advance(3)
    assert world.told == [{"customer": "ACME"}]


async def test_what_another_process_was_told_is_noticed_where_the_question_waits() -> None:
    world = World()
    async with world.process() as here, world.process() as there:
        await ask(world, here)
        await world.fill_in(there, customer="ACME")
        assert not world.backend.asked
        # As it does when the other process calls, and with every housekeeping.
        await here.turns.look_all()
        await world.clock.advance(3)
    assert world.told == [{"customer": "ACME"}]


async def test_only_who_asked_may_fill_it_in() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        assert await world.forms.press(values.person("bob")) is None
        assert world.forms.told == [NOT_YOURS]
        mine = await world.forms.submit({"customer": "ACME"})
        assert mine is not None
        await at.inbox(replace(mine, author=values.person("bob")))
        await world.clock.advance(3)
        assert not world.backend.asked


async def test_what_will_not_do_is_not_taken_and_can_be_corrected() -> None:
    world = World(CUSTOMER, PLAN)
    async with world.process() as at:
        await ask(world, at)
        assert await world.forms.submit({"customer": "A customer with a name", "plan": "Gold"}) is None
        assert await world.forms.submit({"customer": "ACME", "plan": "Bronze"}) is None
        assert world.forms.told == [
            "This is too long: at most 10 characters, and these are 22.",
            "Please choose one of: Gold, Silver.",
        ]
        good = await world.forms.submit({"customer": "ACME", "plan": "Gold"})
        assert good is not None
        await at.inbox(replace(good, values={"customer": "", "plan": "Gold"}))
        await world.clock.advance(3)
        assert not world.backend.asked, "nobody looked at it before"
        await world.fill_in(at, customer="ACME", plan="Gold")
    assert world.told == [{"customer": "ACME", "plan": "Gold"}]


async def test_a_form_of_many_fields_is_filled_in_in_steps() -> None:
    world = World(*(replace(CUSTOMER, name=f"n{number}", label=f"N{number}") for number in range(7)))
    given = {f"n{number}": str(number) for number in range(7)}
    async with world.process() as at:
        await ask(world, at)
        await world.fill_in(at, **given)
        assert not world.backend.asked
        assert "also wants to know: **N5** and **N6**" in world.texts[0]
        await world.fill_in(at, **given)
    assert world.told == [given]


async def test_after_some_time_the_question_ends_unasked_and_can_be_tried_again() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        await world.clock.advance(TEN_MINUTES)
        assert "was not filled in within 10 minutes" in world.texts[0]
        assert world.buttons() == [ButtonAction.RETRY]
        assert not world.backend.asked
        (address,) = world.platform.messages
        await at.inbox(press(ButtonAction.RETRY, address))
        await world.clock.advance(3)
        await world.fill_in(at, customer="ACME")
        assert world.told == [{"customer": "ACME"}]
        assert world.texts == ["You said: What is my bill?"]


async def test_the_time_for_a_form_goes_on_over_a_restart() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        await world.clock.advance(TEN_MINUTES - 60)
    async with world.process() as at:
        await at.recovery.start()
        await world.clock.advance(3)
        assert "**Customer**" in world.texts[0]
        await world.clock.advance(60)
        assert "was not filled in" in world.texts[0]


async def test_a_form_that_comes_too_late_is_not_taken() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        late = await world.forms.submit({"customer": "ACME"})
        assert late is not None
        # The process that asked is gone, and the time is up before another one looks.
    world.clock._elapsed += TEN_MINUTES
    assert await at.forms.find(world.forms._request(values.person(), "")) == TOO_LATE


async def test_once_the_question_has_ended_its_form_is_not_needed_any_more() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        late = await world.forms.submit({"customer": "ACME"})
        assert late is not None
        (address,) = world.platform.messages
        await at.inbox(press(ButtonAction.STOP, address))
        await world.clock.advance(3)
        assert "(Stopped.)" in world.texts[0]
        await at.inbox(late)
        await world.clock.advance(3)
        assert DONE in world.texts
    assert not world.backend.asked


async def test_a_question_that_is_changed_while_it_waits_is_asked_as_it_reads_then() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        await at.inbox(edited(values.message("What is my bill?"), "What is my next bill?"))
        await world.clock.advance(3)
        await world.fill_in(at, customer="ACME")
    assert [question.text for question in world.backend.asked] == ["What is my next bill?"]


async def test_those_who_ask_later_in_the_thread_wait_and_are_not_asked_again() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        await at.inbox(by(follow_up("And mine?"), values.person("bob")))
        await world.clock.advance(3)
        assert world.texts[1:] == ["Your question comes next, once the form above is answered (or stopped)."]
        await world.fill_in(at, customer="ACME")
    assert [question.text for question in world.backend.asked] == ["What is my bill?", "And mine?"]
    assert world.told == [{"customer": "ACME"}] * 2


async def test_after_a_fresh_start_it_is_asked_for_again() -> None:
    world = World()
    async with world.process() as at:
        await ask(world, at)
        await world.fill_in(at, customer="ACME")
        await at.inbox(command(Command.RESET))
        await at.inbox(follow_up())
        await world.clock.advance(3)
        await world.fill_in(at, customer="Umbrella")
    assert world.told == [{"customer": "ACME"}, {"customer": "Umbrella"}]


async def test_what_has_a_source_is_asked_of_nobody() -> None:
    world = World(
        CUSTOMER,
        PLAN,
        app=AppPolicy(name=values.APP, inputs={"plan": "Gold"}, sourced={"customer": Sourced(source=Source.ASKER_ID)}),
    )
    async with world.process() as at:
        await ask(world, at)
    assert world.told == [{"customer": "ada", "plan": "Gold"}]


async def test_what_the_operator_set_wrongly_is_not_sent_and_told_in_plain_words() -> None:
    world = World(PLAN, app=AppPolicy(name=values.APP, inputs={"plan": "Bronze"}))
    async with world.process() as at:
        await ask(world, at)
    assert not world.backend.asked
    assert "set up wrongly: its input plan will not do" in world.texts[0]
    assert "Bronze" not in world.texts[0]


@pytest.mark.parametrize("who", ["a platform without forms", "a bot"])
async def test_where_nobody_can_be_asked_that_is_said(who: str) -> None:
    world = World()
    if who != "a bot":
        world.platform = FakePlatform(world.clock)
    message = values.message("What is my bill?")
    async with world.process() as at:
        if who == "a bot":
            await _accept_by_bot(at)
        else:
            await at.inbox(message)
        await world.clock.advance(3)
    assert not world.backend.asked
    assert "something that I cannot ask for here: **Customer**" in world.texts[0]


async def _accept_by_bot(at: Room) -> None:
    """As a bot that the operator lets in."""
    message = by_bot(values.message("What is my bill?"))
    key = message.target.conversation
    await at.store.accept(
        NewQuestion(
            event_id=message.event_id,
            key=key,
            app=values.APP,
            backend_user=backend_user(key),
            question=question_in(message),
        )
    )
    at.dispatcher.wake(at.conversation())


async def test_where_it_is_not_known_what_the_app_wants_it_is_asked_with_what_there_is() -> None:
    world = World(app=AppPolicy(name=values.APP, inputs={"language": "en"}))
    world.backend.trouble = [BackendUnreachable("no parameters")]
    async with world.process() as at:
        await ask(world, at)
    assert world.told == [{"language": "en"}]


async def test_a_store_that_is_away_when_a_form_is_needed_is_waited_for() -> None:
    world = World()
    async with world.process() as at:
        await at.inbox(values.message("What is my bill?"))
        world.store.failures = 3
        await world.clock.advance(5)
        await world.fill_in(at, customer="ACME")
    assert world.told == [{"customer": "ACME"}]


async def test_what_is_asked_for_is_in_no_log() -> None:
    # Whatever an earlier test has made of the log.
    structlog.reset_defaults()
    world = World()
    with capture_logs() as told:
        async with world.process() as at:
            await ask(world, at)
            await world.fill_in(at, customer="ACME")
    assert "inputs_given" in [one["event"] for one in told]
    assert "ACME" not in str(told)


async def test_a_question_that_waits_for_a_form_takes_no_place_at_the_app() -> None:
    world = World()
    world.backend.capacity = 1
    async with world.process() as at:
        await ask(world, at)
        world.backend.wants = ()
        await at.inbox(values.message("Another", number=2, where=values.target("2")))
        await world.clock.advance(3)
        assert [question.text for question in world.backend.asked] == ["Another"]
        assert at.store.answers[0].state is AnswerState.PLANNED


async def test_only_so_many_questions_wait_for_forms_at_once() -> None:
    world = World()
    async with world.process() as at:
        at.turns._asker._gatherer._limits = GatherLimits(most_waiting=1)
        await ask(world, at)
        await at.inbox(values.message("Another", number=2, where=values.target("2")))
        await world.clock.advance(3)
        assert "Too many questions wait" in world.texts[1]
        assert world.buttons(1) == [ButtonAction.RETRY]
        await world.fill_in(at, customer="ACME")
        assert world.told == [{"customer": "ACME"}]
