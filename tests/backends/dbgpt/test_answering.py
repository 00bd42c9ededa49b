"""What is asked of DB-GPT, and what is made of its answers, over a real connection."""

import asyncio
from contextlib import aclosing
from itertools import accumulate

import pytest

from bridge.backend_api import AnswerStarted, BackendEvent, SourcesCited, TextDelta, TextReplaced
from bridge.errors import BackendBusy, BackendCut, BackendError, BackendFailed, ConversationMissing
from bridge.messages import BackendConversationId, BackendIds, BackendUser
from bridge.playground.dbgpt import Ended, Reply, Trouble, chart_view, messages_block, plans_block, references_tag
from tests.backends.dbgpt.asking import USER, question, serving
from tests.backends.dify.asking import Outcome, hear


def ids_of(outcome: Outcome) -> BackendIds:
    return [event.ids for event in outcome.events if isinstance(event, AnswerStarted)][-1]


@pytest.mark.parametrize(
    ("mode", "param"),
    [
        ("chat_normal", ""),
        ("chat_knowledge", "handbook"),
        ("chat_data", "sqlite_shop"),
        ("chat_with_db_qa", "sqlite_shop"),
        ("chat_dashboard", "sqlite_shop"),
        ("chat_app", "app-helper"),
        ("chat_flow", "flow-1"),
    ],
)
async def test_every_mode_is_asked_with_one_string_in_a_conversation_of_our_own(mode: str, param: str) -> None:
    async with serving(dbgpt_chat_mode=mode, dbgpt_chat_param=param, dbgpt_model="fake") as (server, backend):
        pieces = ["ok"] if mode == "chat_normal" else [messages_block(("Helper", "ok"))]
        server.script = lambda mode, text: Reply(pieces=pieces, view="ok")

        first = await hear(backend.answer(question("What?")))
        second = await hear(backend.answer(question("More?", ids_of(first).conversation)))

        assert (first.ending, second.ending) == ("completed", "completed")
        assert first.text.strip() == "ok"
        asked, again = (one.body for one in server.requests)
        conversation = asked["conv_uid"]
        assert conversation == again["conv_uid"] == ids_of(first).conversation == ids_of(second).conversation
        assert asked == {
            "model": "fake",
            "messages": "What?",
            "chat_mode": mode,
            "conv_uid": conversation,
            "user_name": USER,
            "stream": True,
            "incremental": True,
            **({"chat_param": param} if param else {}),
        }


async def test_two_conversations_of_one_person_have_names_that_nobody_can_guess() -> None:
    async with serving() as (_, backend):
        names = {ids_of(await hear(backend.answer(question()))).conversation for _ in range(3)}

        assert len(names) == 3


async def test_what_the_operator_set_for_the_model_is_asked_for() -> None:
    async with serving(dbgpt_temperature=0.2, dbgpt_max_tokens=300) as (server, backend):
        await hear(backend.answer(question()))

        body = server.requests[0].body
        assert (body["temperature"], body["max_tokens"], body["max_new_tokens"]) == (0.2, 300, 300)


async def test_a_conversation_of_somebody_else_is_never_asked_about() -> None:
    async with serving() as (server, backend):
        ids = ids_of(await hear(backend.answer(question())))
        stranger = question("Tell me more", ids.conversation)

        heard = await hear(
            backend.answer(type(stranger)(text="x", user=BackendUser("else"), conversation=ids.conversation))
        )
        foreign = await hear(backend.answer(question("x", BackendConversationId("what-somebody-else-made"))))

        assert isinstance(heard.error, ConversationMissing)
        assert isinstance(foreign.error, ConversationMissing)
        assert len(server.requests) == 1


async def test_agents_are_shown_as_they_write_and_rewrite() -> None:
    async with serving(dbgpt_chat_mode="chat_app", dbgpt_chat_param="app-helper") as (server, backend):
        plan = plans_block(("Planner", messages_block(("Planner", "I plan."))))
        asked = messages_block(("Human", "What?"), receiver="Helper")
        grown = [messages_block(("Human", text), receiver="?") for text in accumulate(["Once ", "upon ", "a time"])]
        last = messages_block(("Helper", "It was once."))
        server.script = lambda mode, text: Reply(
            pieces=[asked, *(f"{plan}\n{one}" for one in [*grown, last])], pause=0.05
        )

        heard = await hear(backend.answer(question("What?")))

        shown = [event for event in heard.events if isinstance(event, TextDelta | TextReplaced)]
        assert [type(event).__name__ for event in shown] == ["TextDelta", "TextDelta", "TextDelta", "TextReplaced"]
        assert heard.text == "It was once."
        assert heard.ending == "completed"


async def test_a_knowledge_space_names_its_documents() -> None:
    async with serving(dbgpt_chat_mode="chat_knowledge", dbgpt_chat_param="handbook") as (server, backend):
        references = references_tag({"Handbook.pdf": ["a secret passage"]})
        server.script = lambda mode, text: Reply(pieces=["Thirty ", "days."], view=f"Thirty[1] days.\n\n{references}")

        heard = await hear(backend.answer(question()))

        assert heard.text == "Thirty days."
        assert [event.names for event in heard.events if isinstance(event, SourcesCited)] == [("Handbook.pdf",)]


async def test_a_flow_may_draw_and_is_told_as_a_table() -> None:
    async with serving(dbgpt_chat_mode="chat_flow", dbgpt_chat_param="flow-1") as (server, backend):
        view = chart_view({"sql": "select 1", "data": [{"n": 1}]})
        server.script = lambda mode, text: Reply(pieces=["Here ", "it is:\n", view[:20], view[20:]])

        heard = await hear(backend.answer(question()))

        assert heard.text == "Here it is:\n\n| n |\n| --- |\n| 1 |\n\n```sql\nselect 1\n```"
        assert heard.ending == "completed"
        assert not backend.rates(ids_of(heard)), "a flow keeps no rounds, so none can be rated"


async def test_what_a_model_thinks_is_not_shown() -> None:
    async with serving() as (server, backend):
        server.script = lambda mode, text: Reply(pieces=["<think>hm", "</think>So."], reasoning="hidden too")

        assert (await hear(backend.answer(question()))).text == "So."


async def test_an_error_behind_a_begun_answer_is_taken_back_and_told() -> None:
    async with serving() as (server, backend):
        words = "connection to 10.0.0.7 refused"
        server.script = lambda mode, text: Reply(pieces=["A good beginning. "], trouble=Trouble.AS_TEXT, words=words)

        heard = await hear(backend.answer(question()))

        assert heard.text == "A good beginning. "
        assert isinstance(heard.error, BackendFailed)
        assert heard.error.user_message == "A step inside the app failed while answering."
        assert words in str(heard.error)


@pytest.mark.parametrize(
    ("reply", "error", "sentence"),
    [
        (
            Reply(trouble=Trouble.MODEL_AS_TEXT, words="Error code: 500"),
            BackendFailed,
            "The app's model failed while answering.",
        ),
        (
            Reply(trouble=Trouble.MODEL_AS_TEXT, words="Error code: 429 - slow down"),
            BackendFailed,
            "The app's model has too much to do right now. Please try again in a moment.",
        ),
        (
            Reply(trouble=Trouble.SERVER_ERROR, at=0, words="KeyError('x')"),
            BackendFailed,
            "A step inside the app failed while answering.",
        ),
        (
            Reply(trouble=Trouble.BUSY),
            BackendBusy,
            "The app is answering too many questions right now. Please try again in a moment.",
        ),
        (
            Reply(pieces=["a", "b"], trouble=Trouble.CUT, at=1),
            BackendCut,
            "The connection to the app broke off, so this answer is incomplete.",
        ),
    ],
)
async def test_trouble_is_told_in_plain_words(reply: Reply, error: type[BackendError], sentence: str) -> None:
    async with serving() as (server, backend):
        server.script = lambda mode, text: reply

        heard = await hear(backend.answer(question()))

        assert type(heard.error) is error
        assert heard.error is not None
        assert heard.error.user_message == sentence


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"dbgpt_chat_mode": "chat_knowledge", "dbgpt_chat_param": "no-such-space"}, "no_source"),
        ({"dbgpt_chat_mode": "chat_data", "dbgpt_chat_param": "no-such-database"}, "no_source"),
        ({"dbgpt_chat_mode": "chat_flow", "dbgpt_chat_param": "no-such-flow"}, "no_flow"),
        ({"dbgpt_chat_mode": "chat_app", "dbgpt_chat_param": "chat_normal"}, "nothing_said"),
        ({"dbgpt_chat_mode": "chat_app", "dbgpt_chat_param": "no-such-app"}, "nothing_said"),
        ({"dbgpt_model": "no-such-model"}, "no_model"),
        ({"dbgpt_api_key": "another-key"}, "unauthorized"),
    ],
)
async def test_what_the_operator_set_wrong_is_named_and_never_shown(settings: dict[str, object], code: str) -> None:
    async with serving(**settings) as (_, backend):
        heard = await hear(backend.answer(question()))

        assert heard.text == ""
        assert heard.error is not None
        assert heard.error.code == code
        assert "no-such" not in heard.error.user_message


async def test_a_stopped_answer_keeps_what_came_and_cannot_be_rated() -> None:
    async with serving() as (server, backend):
        server.script = lambda mode, text: Reply(pieces=["word "] * 1000, pause=0.01)
        events: list[BackendEvent] = []

        async with asyncio.timeout(8), aclosing(backend.answer(question())) as stream:
            async for event in stream:
                events.append(event)
                if isinstance(event, TextDelta) and len(events) == 4:
                    started = next(one for one in events if isinstance(one, AnswerStarted))
                    await backend.stop(started.ids, BackendUser("somebody else"))
                    await backend.stop(started.ids, USER)
        await server.until(lambda: server.requests[0].ended is Ended.CLIENT_CLOSED)

        assert events[-1].stopped  # type: ignore[union-attr]  # the last one is how it ended
        last = [one for one in events if isinstance(one, AnswerStarted)][-1]
        assert not backend.rates(last.ids)
        assert not server.conversations


async def test_an_answer_stands_although_the_history_is_away() -> None:
    async with serving(dbgpt_max_event_bytes=1024) as (server, backend):
        server.script = lambda mode, text: Reply(pieces=["x" * 400] * 5)

        heard = await hear(backend.answer(question()))

        assert (heard.ending, len(heard.text)) == ("completed", 2000)
        assert not backend.rates(ids_of(heard))


async def test_of_snapshots_that_come_at_once_only_the_last_is_looked_at() -> None:
    async with serving(dbgpt_chat_mode="chat_app", dbgpt_chat_param="app-helper") as (server, backend):
        text = "word " * 2000
        pieces = [messages_block(("Helper", text[:length])) for length in range(50, len(text), 50)]
        server.script = lambda mode, asked: Reply(pieces=[*pieces, messages_block(("Helper", text))])

        heard = await hear(backend.answer(question()))

        assert heard.text == text
        assert not any(isinstance(event, TextReplaced) for event in heard.events)
        assert len(heard.events) < len(pieces), "not every one of them"


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        (Trouble.AS_TEXT, "Unable to parse JSON from response: The secret plan is {}"),
        (Trouble.AS_TEXT, "no such column in: Who knows the plan?"),
        (Trouble.SERVER_ERROR, "KeyError for Who knows the plan?"),
    ],
)
async def test_what_was_asked_and_said_is_in_no_error_for_the_log(trouble: Trouble, words: str) -> None:
    async with serving() as (server, backend):
        pieces = ["The secret plan is ", "{}"]
        server.script = lambda mode, text: Reply(pieces=pieces, trouble=trouble, words=words)

        heard = await hear(backend.answer(question("Who knows the plan?")))

        assert isinstance(heard.error, BackendFailed)
        assert "plan" not in str(heard.error)
        assert words[:8] in str(heard.error)
