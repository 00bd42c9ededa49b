"""Answers as replies in the channel, chains of replies as conversations, and the message that a question replies to."""

from dataclasses import replace

import pytest

from bridge.events import MessageReceived
from bridge.messages import ConversationId, Said
from bridge.routing import Answers, AppPolicy, Follow, Resolution
from bridge.whereabouts import settle
from tests.core import doings
from tests.core.hall import Hall, hall
from tests.core.room import room
from tests.fakes import values
from tests.fakes.backend import AbleBackend
from tests.fakes.clock import FakeClock
from tests.fakes.events import edited
from tests.fakes.platform_reading import ReadingPlatform

GRACE = Said(who="Grace", text="The build is red.")


def in_channel(number: int, text: str = "", *, replies_to: str = "", mentions: bool = True) -> MessageReceived:
    """On a platform that would open a thread under it; its key is that of the thread."""
    where = replace(values.target(f"t{number}", opens_thread=True), may_reply=True)
    return values.message(
        text or f"Question {number}",
        number=number,
        where=where,
        mentions_bot=mentions,
        reply_to=values.ref(replies_to) if replies_to else None,
    )


def settle_on(at: Hall, answers: Answers = Answers.REPLY, follow: Follow = Follow.THREAD) -> None:
    at.resolution = replace(at.resolution, answers=answers, follow=follow)


def asked(at: Hall) -> list[tuple[str, ConversationId]]:
    return [(turn.question.text, turn.conversation_id) for turn in at.turns.answered]


def opens(at: Hall) -> list[bool]:
    return [turn.target.opens_thread for turn in at.turns.answered]


async def test_answers_stand_in_a_thread_unless_replies_are_wanted() -> None:
    async with hall() as at:
        await at.tell(in_channel(1))
        settle_on(at)
        await at.tell(in_channel(2))
        assert opens(at) == [True, False]


@pytest.mark.parametrize("answers", list(Answers))
def test_a_platform_that_can_only_open_threads_does_so(answers: Answers) -> None:
    message = values.message(where=values.target(opens_thread=True))
    assert settle(message, Resolution(app=AppPolicy(name=values.APP), answers=answers)) == message


async def test_an_edit_of_a_question_that_waits_opens_no_thread_either() -> None:
    async with hall() as at:
        settle_on(at)
        at.turns.seconds = 5
        await at.tell(
            in_channel(1), in_channel(2, replies_to="q1"), edited(in_channel(2, "Otherwise", replies_to="q1"))
        )
        await at.clock.advance(20)
        assert [turn.question.text for turn in at.turns.answered] == ["Question 1", "Otherwise"]
        assert opens(at) == [False, False]


async def test_an_edit_that_makes_a_question_opens_no_thread_either() -> None:
    async with hall() as at:
        settle_on(at)
        await at.tell(edited(in_channel(1), sent_at=at.clock.now()))
        assert opens(at) == [False]


async def test_a_question_that_nobody_sees_is_shown_above_its_reply() -> None:
    async with room() as at:
        await at.inbox(replace(in_channel(1, "By a command"), unseen=True, target=values.target()))
        await at.clock.advance(5)
        assert at.texts == ["> **Ada** asked: By a command\n\nYou said: By a command"]


async def test_where_everything_is_followed_each_message_that_replies_to_nothing_begins_a_conversation() -> None:
    async with hall() as at:
        settle_on(at, follow=Follow.EVERYTHING)
        await at.tell(in_channel(1, mentions=False), in_channel(2, mentions=False))
        assert asked(at) == [("Question 1", 1), ("Question 2", 2)]


async def test_a_reply_to_an_answer_goes_on_with_its_conversation_and_so_does_one_to_a_question() -> None:
    async with hall() as at:
        settle_on(at, follow=Follow.EVERYTHING)
        await at.tell(in_channel(1, mentions=False), in_channel(2, mentions=False))
        await at.tell(in_channel(3, replies_to=at.answers[0], mentions=False))
        await at.tell(in_channel(4, replies_to="q2", mentions=False))
        await at.tell(in_channel(5, replies_to="q3", mentions=False))
        assert [conversation for _, conversation in asked(at)] == [1, 2, 1, 2, 1]


async def test_a_reply_to_a_question_is_not_said_to_the_bot() -> None:
    async with hall() as at:
        settle_on(at)
        await at.tell(in_channel(1), in_channel(2, replies_to="q1", mentions=False))
        assert asked(at) == [("Question 1", 1)]
        await at.tell(in_channel(3, replies_to="q1"))
        assert asked(at)[1:] == [("Question 3", 1)]


async def test_where_threads_are_opened_a_reply_to_a_question_begins_one_of_its_own() -> None:
    async with hall() as at:
        await at.tell(in_channel(1), in_channel(2, replies_to="q1"))
        assert asked(at) == [("Question 1", 1), ("Question 2", 2)]


# What it replies to


def about(message: MessageReceived, what: Said | None = GRACE) -> MessageReceived:
    return replace(message, about=what)


async def test_the_message_that_a_question_replies_to_is_told_with_it() -> None:
    clock = FakeClock()
    async with room(platform=ReadingPlatform(clock), clock=clock, backend=AbleBackend(clock)) as at:
        await at.inbox(about(in_channel(1, "Why?", replies_to="somebody's")))
        await at.clock.advance(5)
        await at.inbox(
            about(values.message("And this?", number=2, where=values.target("t1"), reply_to=values.ref("s2")))
        )
        await at.clock.advance(5)
        told = "The question is about this message:\n\nGrace: The build is red.\n\nNow the question is:\n\n"
        assert [question.text for question in at.backend.asked] == [f"{told}Why?", f"{told}And this?"]


async def test_what_the_app_was_asked_itself_is_not_told_again() -> None:
    async with hall() as at:
        follow_up = doings.mention_in_thread("Well?")
        await at.tell(values.message(), about(replace(follow_up, reply_to=values.ref("q1"))))
        assert [turn.question.about for turn in at.turns.answered] == [None, None]
        await at.tell(about(replace(doings.mention_in_thread("Or?", number=3), reply_to=values.ref("somebody's"))))
        assert at.turns.answered[-1].question.about == GRACE


async def test_a_question_of_another_conversation_is_told() -> None:
    async with hall() as at:
        await at.tell(values.message(where=values.target("elsewhere")))
        await at.tell(about(values.message("Well?", number=2, reply_to=values.ref("q1"))))
        assert at.turns.answered[-1].question.about == GRACE


async def test_what_somebody_picked_is_always_told() -> None:
    async with hall() as at:
        await at.tell(about(replace(values.message(), unseen=True)))
        assert at.turns.answered[0].question.about == GRACE


async def test_an_edit_does_not_change_what_a_question_is_about() -> None:
    async with hall() as at:
        at.turns.seconds = 5
        second = replace(doings.mention_in_thread("Well?"), reply_to=values.ref("q1"))
        await at.tell(values.message(), about(second), edited(about(second), "Really?"))
        await at.clock.advance(20)
        assert [(turn.question.text, turn.question.about) for turn in at.turns.answered[1:]] == [("Really?", None)]


async def test_in_a_thread_that_is_read_the_message_stands_once() -> None:
    clock = FakeClock()
    platform = ReadingPlatform(clock, said=[Said(who="Linus", text="Hm."), GRACE])
    async with room(platform=platform, clock=clock, backend=AbleBackend(clock)) as at:
        await at.inbox(about(replace(doings.mention_in_thread("Why?"), reply_to=values.ref("somebody's"))))
        await at.clock.advance(5)
        [question] = at.backend.asked
        assert question.text.count("The build is red.") == 1
        assert "Linus: Hm." in question.text
