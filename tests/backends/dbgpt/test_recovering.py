"""What became of a question whose asker is gone."""

from dataclasses import replace

import pytest

from bridge.backend_api import AnswerStarted, Fate
from bridge.backends.dbgpt.backend import DbgptBackend
from bridge.messages import BackendIds, BackendTaskId, BackendUser
from bridge.playground.dbgpt import Reply, Round, Trouble, messages_block, references_tag
from tests.backends.dbgpt.asking import USER, question, serving
from tests.backends.dify.asking import hear

AGENTS = {"dbgpt_chat_mode": "chat_app", "dbgpt_chat_param": "app-helper"}


async def answered(backend: DbgptBackend, text: str = "hello") -> BackendIds:
    heard = await hear(backend.answer(question(text)))
    return [event.ids for event in heard.events if isinstance(event, AnswerStarted)][-1]


def started(ids: BackendIds) -> BackendIds:
    """As they were recorded when the answer had begun."""
    return replace(ids, message=None)


async def test_an_answer_that_was_given_is_told_as_its_stream_told_it() -> None:
    async with serving(dbgpt_chat_mode="chat_knowledge", dbgpt_chat_param="handbook") as (server, backend):
        view = f"Thirty[1] days.\n\n{references_tag({'Handbook.pdf': ['p']})}"
        server.script = lambda mode, text: Reply(pieces=["Thirty days."], view=view)
        ids = await answered(backend)

        found = await backend.recover(question(), started(ids), None)

        assert (found.fate, found.text, found.sources) == (Fate.ANSWERED, "Thirty days.", ("Handbook.pdf",))
        assert found.ids == ids


async def test_what_agents_said_is_told_without_their_markup() -> None:
    async with serving(**AGENTS) as (server, backend):
        server.script = lambda mode, text: Reply(pieces=[messages_block(("Helper", "All is well."))])
        ids = await answered(backend)

        found = await backend.recover(question(), started(ids), None)

        assert (found.fate, found.text) == (Fate.ANSWERED, "All is well.")


async def test_a_round_that_failed_is_a_failure() -> None:
    async with serving() as (server, backend):
        server.script = lambda mode, text: Reply(trouble=Trouble.AS_TEXT)
        heard = await hear(backend.answer(question()))
        ids = next(event.ids for event in heard.events if isinstance(event, AnswerStarted))

        assert (await backend.recover(question(), ids, None)).fate is Fate.FAILED


async def test_agents_whose_listener_went_away_may_have_answered_or_not() -> None:
    async with serving(**AGENTS) as (server, backend):
        server.script = lambda mode, text: Reply(pieces=[messages_block(("Helper", "ok"))])
        ids = await answered(backend)
        server.conversations[str(ids.conversation)] = [Round(order=1, human="hello")]

        found = await backend.recover(question(), started(ids), None)

        assert found.fate is Fate.UNSURE
        assert found.ids == started(ids)


async def test_a_question_that_had_begun_and_left_no_round_is_never_called_absent() -> None:
    async with serving() as (server, backend):
        ids = await answered(backend)
        server.conversations.clear()

        assert (await backend.recover(question(), started(ids), None)).fate is Fate.UNSURE
        assert (await backend.recover(question(conversation=ids.conversation), BackendIds(), None)).fate is Fate.UNKNOWN


async def test_the_same_words_of_an_earlier_round_are_not_the_answer() -> None:
    async with serving() as (_, backend):
        ids = await answered(backend)
        later = replace(ids, message=None, task=BackendTaskId("another"))

        found = await backend.recover(question(conversation=ids.conversation), later, ids.message)

        assert (found.fate, found.text) == (Fate.UNSURE, "")


async def test_a_question_is_known_below_what_was_told_besides() -> None:
    async with serving() as (_, backend):
        asked = "Written before in this thread:\n\nAda: x\n\nNow the question is:\n\nhello"
        ids = await answered(backend, asked)

        assert (await backend.recover(question("hello"), started(ids), None)).fate is Fate.ANSWERED


@pytest.mark.parametrize("conversation", [None, "not-one-of-ours"])
async def test_a_conversation_that_is_not_known_or_not_theirs_is_not_looked_into(conversation: str | None) -> None:
    async with serving() as (server, backend):
        ids = BackendIds(conversation=conversation)  # type: ignore[arg-type]  # a plain text will do

        assert (await backend.recover(question(), ids, None)).fate is Fate.UNKNOWN
        stranger = replace(question(), user=BackendUser("somebody else"))
        theirs = await answered(backend)
        before = len(server.calls)
        assert (await backend.recover(stranger, theirs, None)).fate is Fate.UNKNOWN
        assert len(server.calls) == before
        assert USER not in "".join(server.calls)
