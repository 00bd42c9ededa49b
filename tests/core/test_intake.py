"""What intake takes, refuses and passes over, and what people are told about it."""

import asyncio
from dataclasses import replace

import pytest

from bridge.admitting import NO_APP, NOT_ADMITTED
from bridge.errors import StoreUnavailable
from bridge.events import Command, MessageReceived
from bridge.messages import AppName, Author, ButtonAction, ChannelId, InstallationId, Origin, PersonId
from bridge.routing import Access, AppPolicy, Place, Resolution
from tests.contracts.store_steps import new
from tests.core import doings
from tests.core.hall import Hall, hall
from tests.fakes import values
from tests.fakes.platform import FAKE

FEW = AppPolicy(name=values.APP, most_waiting=2)
FULL = "{} waiting here already, so I cannot take more for now. Please ask again when I have caught up."
BUSY = "{} waiting for the app already, so I cannot take more for now. Please ask again in a few minutes."


def questions(first: int, last: int) -> list[MessageReceived]:
    return [values.message(f"question {number}", number=number) for number in range(first, last + 1)]


def counted(at: Hall, result: str) -> float:
    return at.metrics.read("bridge_questions_total", platform=FAKE, result=result)


# Places


async def test_routes_are_asked_about_the_place_where_the_message_stands() -> None:
    async with hall() as at:
        message = replace(values.message(is_direct=True), category=ChannelId("support"))
        await at.tell(message)
        assert at.places == [
            Place(
                platform=FAKE,
                installation=InstallationId("team"),
                channel=ChannelId("general"),
                category=ChannelId("support"),
                is_direct=True,
            )
        ]


async def test_routes_are_asked_about_the_same_place_for_buttons_and_commands() -> None:
    support = ChannelId("support")
    async with hall() as at:
        await at.tell(
            replace(doings.press(ButtonAction.LIKE, "1"), category=support),
            replace(doings.command(Command.HELP), category=support),
            replace(doings.stop(), category=support),
        )
        assert [each.category for each in at.places] == [support] * 3


async def test_what_bots_say_costs_no_look_into_the_store() -> None:
    async with hall() as at:
        at.store.failures = 1
        await at.tell(values.message(origin=Origin.BOT), values.message(origin=Origin.SELF, number=2, in_thread=True))
        assert at.store.failures == 1
        at.store.failures = 0


async def test_one_thread_is_a_conversation_of_its_own_for_each_app() -> None:
    async with hall() as at:
        await at.tell(values.message(number=1))
        other = AppPolicy(name=AppName("other"))
        at.resolution = Resolution(app=other)
        await at.tell(values.message(number=2, mentions_bot=False, in_thread=True))
        assert len(at.texts) == 1, "in this thread the other app was never asked"
        await at.tell(values.message(number=3))
        assert [turn.app for turn in at.turns.answered] == [values.APP, "other"]
        assert [turn.conversation_id for turn in at.turns.answered] == [1, 2]


async def test_who_asks_where_no_app_answers_is_told_so_once_an_hour_in_each_place() -> None:
    async with hall() as at:
        at.resolution = Resolution(app=None)
        for number in range(1, 4):
            await at.tell(values.message(number=number, where=values.target(str(number))))
        assert at.notes == [NO_APP]
        await at.tell(values.message(number=4, where=values.target("4", channel="random")))
        await at.tell(values.message(number=4, event="again", where=values.target("4", channel="random")))
        assert at.notes == [NO_APP] * 2
        await at.tell(replace(values.message(number=5, where=values.target("5")), author=values.person("grace")))
        assert at.notes == [NO_APP] * 3
        await at.clock.advance(3601)
        await at.tell(values.message(number=6, where=values.target("6")))
        assert at.notes == [NO_APP] * 4
        assert at.turns.answered == []


async def test_who_may_not_use_the_bot_is_told_so_and_the_others_are_answered() -> None:
    async with hall() as at:
        at.resolution = replace(at.resolution, access=Access(users=frozenset({PersonId("grace")})))
        await at.tell(values.message("mine", number=1))
        await at.tell(replace(values.message("hers", number=2), author=values.person("grace")))
        assert at.texts == [NOT_ADMITTED, "hers"]


async def test_who_did_not_speak_to_the_bot_is_told_nothing() -> None:
    async with hall() as at:
        for resolution in (Resolution(app=None), replace(at.resolution, access=Access(roles=frozenset({"staff"})))):
            at.resolution = resolution
            await at.tell(values.message(mentions_bot=False), values.message(mentions_bot=False, in_thread=True))
        assert at.notes == []


async def test_people_who_were_told_are_not_remembered_without_end() -> None:
    async with hall() as at:
        at.resolution = Resolution(app=None)
        for number in range(5_000):
            author = Author(platform=FAKE, id=PersonId(str(number)), display_name="")
            await at.inbox(replace(values.message(number=number), author=author))
        assert len(at.inbox._refused._when) <= 2_000


async def test_a_delivery_that_was_given_up_while_it_was_stored_is_begun_by_the_next_one() -> None:
    async with hall() as at:
        await at.store.accept(new(1, text="What is up?"))
        await at.tell(values.message(event="again"))
        assert at.texts == ["What is up?"]
        assert counted(at, "duplicate") == 1


# Too much


async def test_a_full_conversation_refuses_with_the_number_that_waits_and_takes_questions_again_later() -> None:
    async with hall(FEW) as at:
        at.turns.seconds = 60
        await at.tell(*questions(1, 4))
        assert at.notes == [FULL.format("There are 3 questions")]
        await at.clock.advance(300)
        await at.tell(values.message("question 5", number=5))
        await at.clock.advance(300)
        assert [turn.question.text for turn in at.turns.answered] == [f"question {n}" for n in (1, 2, 3, 5)]
        assert (counted(at, "accepted"), counted(at, "refused")) == (4, 1)


@pytest.mark.parametrize("remembered", [True, False])
async def test_a_question_that_was_refused_is_not_taken_when_it_is_delivered_again(remembered: bool) -> None:
    async with hall(FEW) as at:
        at.turns.seconds = 60
        await at.tell(*questions(1, 4))
        await at.clock.advance(300)
        inbox = at.inbox if remembered else at.another_inbox()
        await inbox(values.message("question 4", number=4, event="again"))
        await at.clock.advance(300)
        assert len(at.turns.answered) == 3
        assert len(at.notes) == 1


async def test_whoever_is_refused_within_the_minute_reads_it_at_its_end() -> None:
    async with hall(FEW) as at:
        at.turns.seconds = 600
        await at.tell(*questions(1, 4))
        await at.clock.advance(10)
        await at.tell(*questions(5, 30))
        assert len(at.notes) == 1
        await at.clock.advance(51)
        assert len(at.notes) == 2


async def test_when_too_many_wait_for_the_app_new_questions_are_refused_whatever_waits_in_their_thread() -> None:
    async with hall() as at:
        at.queued = 199
        await at.tell(values.message("taken", number=1))
        at.queued = 200
        await at.tell(values.message("refused", number=2, where=values.target("2")))
        assert at.texts == ["taken", BUSY.format("There are 200 questions")]
        at.queued = 0
        await at.another_inbox()(values.message("refused", number=2, event="again", where=values.target("2")))
        await at.clock.advance(1)
        assert len(at.turns.answered) == 1, "it was claimed when it was refused"


async def test_one_question_is_not_called_several() -> None:
    async with hall(AppPolicy(name=values.APP, most_queued=1)) as at:
        at.queued = 1
        await at.tell(values.message())
        assert at.notes == [BUSY.format("There is 1 question")]


async def test_a_refusal_that_could_not_be_recorded_is_not_told() -> None:
    async with hall() as at:
        at.queued = 200
        at.store.failures = 1
        with pytest.raises(StoreUnavailable):
            await at.inbox(values.message())
        await at.clock.advance(1)
        assert at.notes == []


async def test_claims_are_not_remembered_without_end() -> None:
    async with hall() as at:
        at.queued = 200
        for number in range(3_000):
            await at.inbox(values.message(number=number))
        assert len(at.inbox._claimed) == 2_000


async def test_votes_are_taken_wherever_they_are_given() -> None:
    async with hall() as at:
        await at.tell(values.message())
        await at.tell(values.reaction(at.answers[0], "👍"))
        assert [vote.rating for vote in at.store._votes.values()] == ["like"]
        assert at.places[1:] == []


def suggested(number: int, text: str = "And then?") -> MessageReceived:
    return replace(values.message(text, number=number, in_thread=True), unseen=True)


async def test_a_suggestion_that_is_pressed_twice_at_once_is_asked_once() -> None:
    async with hall() as at:
        await asyncio.gather(at.inbox(suggested(1)), at.inbox(suggested(2)))
        await at.tell(suggested(3, "Why?"))
        assert at.texts == ["And then?", "Why?"]
        await at.clock.advance(5)
        await at.tell(suggested(4))
        assert at.texts == ["And then?", "Why?", "And then?"], "once more, and on purpose"


async def test_who_waits_for_an_answer_to_the_second_press_is_told_where_it_is() -> None:
    async with hall() as at:
        await at.tell(doings.privately(suggested(1)), doings.privately(suggested(2)))
        assert at.notes == ["You asked that a moment ago."]
        assert [turn.question.text for turn in at.turns.answered] == ["And then?"]


async def test_a_press_that_could_not_be_recorded_counts_when_it_is_told_again() -> None:
    async with hall() as at:
        at.store.failures = 1
        with pytest.raises(StoreUnavailable):
            await at.inbox(suggested(1))
        await at.tell(suggested(1))
        assert at.texts == ["And then?"]
