"""Feedback: one for each person and round, however often it is told and taken back. And conversations: listed and forgotten."""

from uuid import uuid4

import pytest

from bridge.backend_api import AnswerStarted
from bridge.backends.dbgpt.backend import DbgptBackend
from bridge.errors import QuestionRefused
from bridge.messages import BackendIds, BackendUser, Rating
from bridge.opinions import Opinion
from bridge.playground.dbgpt import DbgptServer, Feedback
from bridge.playground.dbgpt.records import Round
from tests.backends.dbgpt.asking import USER, question, serving
from tests.backends.dify.asking import hear


async def answered(backend: DbgptBackend) -> BackendIds:
    heard = await hear(backend.answer(question()))
    return [event.ids for event in heard.events if isinstance(event, AnswerStarted)][-1]


def kept(server: DbgptServer) -> list[tuple[str | None, str, str | None, str | None]]:
    return [(one.user_code, one.message_id, one.feedback_type, one.remark) for one in server.feedback]


async def test_a_dislike_is_called_unlike_and_names_the_round() -> None:
    async with serving() as (server, backend):
        first = await answered(backend)
        heard = await hear(backend.answer(question("More?", first.conversation)))
        second = [event.ids for event in heard.events if isinstance(event, AnswerStarted)][-1]

        await backend.rate(second, USER, Rating.DISLIKE, "Ada: too long")

        assert kept(server) == [(USER, "2", "unlike", "Ada: too long")]


async def test_the_same_rating_may_be_told_again_and_with_other_words() -> None:
    async with serving() as (server, backend):
        ids = await answered(backend)

        for words in ("", "", "Ada: nice", "Ada: very nice"):
            await backend.rate(ids, USER, Rating.LIKE, words)

        assert kept(server) == [(USER, "1", "like", "Ada: very nice")]


async def test_what_is_taken_back_leaves_the_feedback_of_others_alone() -> None:
    async with serving() as (server, backend):
        ids = await answered(backend)
        server.feedback.append(
            Feedback(
                conv_uid=str(ids.conversation), message_id="1", user_code="a person", feedback_type="like", remark=None
            )
        )

        await backend.rate(ids, USER, Rating.LIKE, "")
        await backend.rate(ids, USER, None, "")

        assert kept(server) == [("a person", "1", "like", None), (USER, "1", "", "")]


@pytest.mark.parametrize("user", ["somebody else", ""])
async def test_nobody_rates_an_answer_in_a_conversation_that_is_not_theirs(user: str) -> None:
    async with serving() as (server, backend):
        ids = await answered(backend)

        with pytest.raises(QuestionRefused) as caught:
            await backend.rate(ids, BackendUser(user), Rating.LIKE, "")

        assert not caught.value.may_retry
        assert server.feedback == []


async def test_an_answer_that_the_history_does_not_know_is_not_offered_for_rating() -> None:
    async with serving() as (_, backend):
        ids = await answered(backend)

        assert backend.rates(ids)
        assert not backend.rates(BackendIds(conversation=ids.conversation))
        with pytest.raises(QuestionRefused):
            await backend.rate(BackendIds(conversation=ids.conversation), USER, Rating.LIKE, "")


async def test_a_conversation_is_forgotten_for_its_own_user_alone_and_twice_is_no_failure() -> None:
    async with serving() as (server, backend):
        ids = await answered(backend)
        assert ids.conversation is not None

        await backend.delete_conversation(ids.conversation, BackendUser("somebody else"))
        assert list(server.conversations) == [ids.conversation]

        await backend.delete_conversation(ids.conversation, USER)
        await backend.delete_conversation(ids.conversation, USER)
        assert server.conversations == {}


async def test_the_list_of_everybodys_conversations_is_told_apart_by_their_names() -> None:
    async with serving() as (server, backend):
        first, last = await answered(backend), await answered(backend)
        for _ in range(3):
            server.conversations[str(uuid4())] = [Round(order=1, human="somebody else's")]
        listed = await backend.conversations(USER, 10)

        assert [one.id for one in listed] == [last.conversation, first.conversation]
        assert all(one.title for one in listed)
        assert await backend.conversations(USER, 1) == listed[:1]
        assert await backend.conversations(BackendUser("nobody"), 10) == []


async def test_people_are_kept_apart() -> None:
    async with serving() as (server, backend):
        ids = await answered(backend)
        both = {
            "slack:U1": Opinion(rating=Rating.LIKE),
            "slack:U2": Opinion(rating=Rating.DISLIKE, comment="Too long."),
        }

        await backend.rate_each(ids, USER, both)
        await backend.rate_each(ids, USER, {**both, "slack:U1": Opinion(rating=None)})

        assert kept(server) == [("slack:U2", "1", "unlike", "Too long."), ("slack:U1", "1", "", "")]


async def test_words_that_were_removed_here_after_a_while_stay_there() -> None:
    async with serving() as (server, backend):
        ids = await answered(backend)
        await backend.rate_each(ids, USER, {"slack:U1": Opinion(rating=Rating.LIKE, comment="Nice.")})

        await backend.rate_each(ids, USER, {"slack:U1": Opinion(rating=Rating.LIKE)})

        assert kept(server) == [("slack:U1", "1", "like", "Nice.")]
