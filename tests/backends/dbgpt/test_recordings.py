"""What a real DB-GPT 0.8.2 streamed and kept, byte by byte, with a stand-in for its model."""

import json
from pathlib import Path

import pytest

from bridge.backend_api import Progress, SourcesCited
from bridge.backends.dbgpt.backend import DbgptBackend
from bridge.clock import SystemClock
from bridge.errors import BackendFailed, BackendMisconfigured
from bridge.messages import BackendMessageId
from tests.backends.dbgpt.asking import USER, make_settings, question
from tests.backends.dify.asking import Outcome, hear
from tests.contracts.wire import JSON, Said, WireServer, listening

RECORDINGS = Path(__file__).parent / "recordings"
HISTORY = "/api/v1/chat/dialogue/messages/history"

TABLE = """Counting the users.

| id | name | city |
| --- | --- | --- |
| 1 | Ada | London |
| 2 | Bo | Oslo |
| 3 | Cy \\| pipe | Nice |

```sql
select * from users
```"""


async def replay(name: str, mode: str, text: str, param: str = "", *, with_history: bool = True) -> Outcome:
    others = {HISTORY: Said(headers=JSON, steps=[(RECORDINGS / f"{name}.history.json").read_bytes()])}
    server = WireServer("/api/v2/chat/completions", others if with_history else {})
    server.answer = Said(steps=[(RECORDINGS / f"{name}.sse").read_bytes()])
    async with listening(server):
        settings = make_settings(server.origin, dbgpt_chat_mode=mode, dbgpt_chat_param=param)
        backend = DbgptBackend(settings, SystemClock())
        try:
            return await hear(backend.answer(question(text)))
        finally:
            await backend.close()
            await server.until(lambda: server.open == 0)


def message_of(outcome: Outcome) -> BackendMessageId | None:
    ids = [event.ids for event in outcome.events if hasattr(event, "ids")]
    return ids[-1].message


async def test_an_answer_of_the_model_comes_without_its_thoughts_and_with_its_round() -> None:
    heard = await replay("normal", "chat_normal", "THINK about it")

    assert heard.ending == "completed"
    assert heard.text == "Answer number 1 to: THINK about it"
    assert str(message_of(heard)).endswith("/1")


@pytest.mark.parametrize("with_history", [True, False])
async def test_what_the_models_provider_said_is_a_failure_and_no_answer(with_history: bool) -> None:
    heard = await replay("model_failed", "chat_normal", "BOOM", with_history=with_history)

    assert heard.text == ""
    assert isinstance(heard.error, BackendFailed)
    assert heard.error.user_message == "The app's model failed while answering."
    assert "the model exploded" in str(heard.error)


async def test_a_model_that_is_not_there_is_the_operators_to_mend() -> None:
    heard = await replay("unknown_model", "chat_normal", "Hi")

    assert heard.text == ""
    assert isinstance(heard.error, BackendMisconfigured)
    assert heard.error.code == "no_model"


async def test_an_answer_from_a_data_source_is_the_table_that_the_pages_of_dbgpt_show() -> None:
    heard = await replay("data", "chat_data", "How many users?", "sqlite_shop")

    assert heard.ending == "completed"
    assert heard.text == TABLE
    assert [event.step.state for event in heard.events if isinstance(event, Progress)] == ["running", "done"]


async def test_without_the_history_an_answer_from_a_data_source_is_what_the_model_thought_and_asked() -> None:
    heard = await replay("data", "chat_data", "How many users?", "sqlite_shop", with_history=False)

    assert heard.ending == "completed"
    assert heard.text == "Counting the users.\n\n```sql\nselect * from users\n```"


async def test_a_query_that_failed_shows_nothing_of_the_models_notes() -> None:
    heard = await replay("data_failed", "chat_data", "BADSQL", "sqlite_shop")

    assert heard.text == ""
    assert heard.ending == "BackendFailed"
    assert [event.step.state for event in heard.events if isinstance(event, Progress)] == ["running", "failed"]


async def test_an_answer_without_a_query_is_its_words() -> None:
    heard = await replay("data_direct", "chat_data", "DIRECT", "sqlite_shop")

    assert (heard.ending, heard.text.strip()) == ("completed", "I cannot know that.")


async def test_questions_about_a_database_are_answered_as_they_come() -> None:
    heard = await replay("database_questions", "chat_with_db_qa", "Which tables?", "sqlite_shop")

    assert heard.ending == "completed"
    assert heard.text.startswith("Answer number 1 to")
    assert str(message_of(heard)).endswith("/1")


async def test_a_dashboard_is_told_chart_by_chart() -> None:
    heard = await replay("dashboard", "chat_dashboard", "dashboard sql title", "sqlite_shop")

    assert heard.ending == "completed"
    assert heard.text.startswith("**Users per city**\n\nper city\n\n| Name | Value |\n")
    assert "| London | 1 |" in heard.text
    assert "{" not in heard.text


async def test_an_answer_from_a_knowledge_space_keeps_its_markup_to_itself() -> None:
    heard = await replay("knowledge", "chat_knowledge", "REF holidays", "handbook")

    assert heard.ending == "completed"
    assert "<references" not in heard.text
    assert [event.names for event in heard.events if isinstance(event, SourcesCited)] == [("handbook.txt",)]


async def test_an_agents_answer_grows_and_never_repeats_the_question() -> None:
    heard = await replay("app", "chat_app", "Say something", "some-app")

    assert heard.ending == "completed"
    assert heard.text.strip() == "Answer number 1 to: \nUser input: Say something"
    assert "agent-" not in heard.text
    assert [event.step.title for event in heard.events if isinstance(event, Progress)] == ["Summarizer"]


async def test_an_agents_failure_is_not_shown_as_its_answer() -> None:
    heard = await replay("app_failed", "chat_app", "BOOM", "some-app")

    assert heard.text == ""
    assert isinstance(heard.error, BackendFailed)
    assert heard.error.code == "model_failed"


async def test_an_app_that_says_nothing_has_failed() -> None:
    heard = await replay("app_native", "chat_app", "Hi", "chat_normal")

    assert isinstance(heard.error, BackendFailed)
    assert heard.error.code == "nothing_said"


async def test_a_flow_that_is_not_there_is_the_operators_to_mend() -> None:
    heard = await replay("flow_missing", "chat_flow", "Hi", "nosuch")

    assert isinstance(heard.error, BackendMisconfigured)
    assert heard.error.code == "no_flow"


def test_the_recordings_hold_no_conversation_of_anybody() -> None:
    for path in RECORDINGS.glob("*.history.json"):
        assert json.loads(path.read_text(encoding="utf-8"))["success"]
    assert USER not in "".join(path.read_text(encoding="utf-8") for path in RECORDINGS.iterdir())
