"""DB-GPT behind Slack: what a member sees of its modes, and what a restart leaves of an answer."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.archivist import RESUMED_IN_THREAD
from bridge.playground.dbgpt import Reply, Trouble, chart_view, messages_block, plans_block, references_tag
from tests.integration.dbgpt_worlds import SlackAndDbgpt
from tests.integration.slack_world import ADA, GENERAL, GRACE, living
from tests.integration.test_slack_past import choices, choose, said_in_thread, whispered


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[SlackAndDbgpt]:
    async with living(SlackAndDbgpt(tmp_path)) as started:
        assert isinstance(started, SlackAndDbgpt)
        yield started


async def test_a_question_and_the_next_one_are_one_conversation_also_after_a_restart(world: SlackAndDbgpt) -> None:
    root = await world.ask("Where is the key?")
    await world.answered(GENERAL, root, "You said: Where is the key?")
    await world.restart()
    await world.ask("And the door?", thread=root)
    await world.answered(GENERAL, root, "You said: And the door?", count=2)

    first, second = world.dbgpt.requests
    assert first.conversation == second.conversation
    assert second.text == "And the door?"
    assert [one.human for one in world.dbgpt.conversations[first.conversation]] == [
        "Where is the key?",
        "And the door?",
    ]
    assert world.failed_calls() == []


async def test_an_answer_that_a_killed_bridge_had_begun_is_asked_for_again_in_its_place(world: SlackAndDbgpt) -> None:
    world.dbgpt.script = lambda mode, text: Reply(pieces=["word "] * 500, pause=0.02)
    root = await world.ask("Tell me a lot")
    await world.until(lambda: bool(world.texts(GENERAL, root)), "it grows")
    world.dbgpt.script = lambda mode, text: Reply(pieces=["all of it"])
    await world.restart(kill=True)
    await world.answered(GENERAL, root, "all of it")

    assert len(world.dbgpt.requests) == 2
    assert len(world.answers(GENERAL, root)) == 1


async def test_an_answer_that_was_complete_when_the_bridge_died_is_fetched_and_not_asked_again(
    world: SlackAndDbgpt,
) -> None:
    world.dbgpt.script = lambda mode, text: Reply(pieces=["begun "] * 200, pause=0.02)
    root = await world.ask("Tell me a lot")
    await world.until(lambda: bool(world.texts(GENERAL, root)), "it grows")
    await world.stop_bridge(kill=True)
    await world.dbgpt.until(lambda: world.dbgpt.requests[0].ended == "client_closed")
    # The round was written down while nobody listened any more.
    asked = world.dbgpt.requests[0]
    world.dbgpt.complete(asked, "the whole answer")
    await world.start_bridge()
    await world.answered(GENERAL, root, "the whole answer")

    assert len(world.dbgpt.requests) == 1


async def test_an_earlier_conversation_goes_on_in_another_thread(world: SlackAndDbgpt) -> None:
    first = await world.ask("Why is the sky blue?")
    await world.answered(GENERAL, first, "You said: Why is the sky blue?")
    second = await world.ask("What is for lunch?")
    await world.answered(GENERAL, second, "You said: What is for lunch?")
    await world.restart()
    await world.ask("/history", thread=second)
    shown = await whispered(world, "Which of your earlier conversations")
    assert ["Why is the sky blue?" in one.label for one in choices(shown)] == [True]
    await choose(world, shown)
    await said_in_thread(world, GENERAL, second, RESUMED_IN_THREAD)
    await world.ask("And at night?", thread=second)
    await world.answered(GENERAL, second, "You said: And at night?", count=3)

    asked = world.dbgpt.requests
    assert asked[2].conversation == asked[0].conversation
    assert "GET /api/v1/chat/dialogue/list" in world.dbgpt.calls


async def test_everybodys_rating_is_feedback_of_their_own_on_the_round(world: SlackAndDbgpt) -> None:
    root = await world.ask("Rate me")
    (answer,) = await world.answered(GENERAL, root, "You said: Rate me")
    await world.press(answer, "like", GRACE)
    await world.until(lambda: len(world.dbgpt.feedback) == 1, "rated")
    await world.press(answer, "like", ADA)
    await world.until(lambda: len(world.dbgpt.feedback) == 2, "rated by both")
    await world.restart()

    conversation = world.dbgpt.requests[0].conversation
    assert [(one.user_code, one.conv_uid, one.message_id, one.feedback_type) for one in world.dbgpt.feedback] == [
        (f"slack:{GRACE}", conversation, "1", "like"),
        (f"slack:{ADA}", conversation, "1", "like"),
    ]


async def test_a_stopped_answer_keeps_what_came(world: SlackAndDbgpt) -> None:
    world.dbgpt.script = lambda mode, text: Reply(pieces=["word "] * 1000, pause=0.02)
    root = await world.ask("Talk")
    await world.until(lambda: any("word" in text for text in world.texts(GENERAL, root)), "it grows")
    assert await world.slack.stop_session(ADA, GENERAL, root), "a stream was stopped"
    await world.dbgpt.until(lambda: world.dbgpt.requests[0].ended == "client_closed")
    (answer,) = await world.answered(GENERAL, root, "topped")
    await world.settled()

    assert "word" in answer.visible_text
    assert len(world.dbgpt.requests) == 1


async def test_a_failure_is_told_in_plain_words(world: SlackAndDbgpt) -> None:
    world.dbgpt.script = lambda mode, text: Reply(trouble=Trouble.MODEL_AS_TEXT, words="provider at 10.0.0.7 said no")
    root = await world.ask("Fail")
    (answer,) = await world.answered(GENERAL, root, "The app's model failed while answering.")

    assert "10.0.0.7" not in str(answer.blocks) + answer.visible_text


async def test_agents_show_their_steps_and_then_their_answer(tmp_path: Path) -> None:
    async with living(SlackAndDbgpt(tmp_path, dbgpt_chat_mode="chat_app", dbgpt_chat_param="app-helper")) as world:
        assert isinstance(world, SlackAndDbgpt)
        plan = plans_block(("Planner", messages_block(("Planner", "Planning."))))
        last = messages_block(("Planner", f"Found it.\n{chart_view({'sql': 'select 1', 'data': [{'n': 7}]})}"))
        world.dbgpt.script = lambda mode, text: Reply(pieces=[plan, f"{plan}\n{last}"], pause=0.2)
        root = await world.ask("Work")
        (answer,) = await world.answered(GENERAL, root, "Found it.")
        await world.settled()

        assert "agent-messages" not in str(answer.blocks) + answer.visible_text
        assert "select 1" in str(answer.blocks) + answer.visible_text


async def test_a_knowledge_space_cites_its_documents_and_not_their_passages(tmp_path: Path) -> None:
    async with living(SlackAndDbgpt(tmp_path, dbgpt_chat_mode="chat_knowledge", dbgpt_chat_param="handbook")) as world:
        assert isinstance(world, SlackAndDbgpt)
        view = f"Thirty days.\n\n{references_tag({'Handbook.pdf': ['SECRET passage']})}"
        world.dbgpt.script = lambda mode, text: Reply(pieces=["Thirty days."], view=view)
        root = await world.ask("How many holidays?")
        (answer,) = await world.answered(GENERAL, root, "Thirty days.")

        assert "Handbook.pdf" in str(answer.blocks)
        assert "SECRET" not in str(answer.blocks)


async def test_a_member_chooses_a_knowledge_space_for_a_thread_and_goes_on_in_the_same_conversation(
    tmp_path: Path,
) -> None:
    async with living(SlackAndDbgpt(tmp_path, dbgpt_choices="knowledge,models")) as world:
        assert isinstance(world, SlackAndDbgpt)
        root = await world.ask("Hello")
        await world.answered(GENERAL, root, "You said: Hello")
        await world.ask("/app contracts", thread=root)
        await world.until(
            lambda: any("contracts" in text for text in world.texts(GENERAL, root)), "everybody is told in the thread"
        )
        await world.restart()
        await world.ask("And now?", thread=root)
        await world.until(lambda: "You said: And now?" in world.texts(GENERAL, root)[-1], "answered")

        first, second = (one.body for one in world.dbgpt.requests)
        assert (first["chat_mode"], first.get("chat_param")) == ("chat_normal", None)
        assert (second["chat_mode"], second.get("chat_param")) == ("chat_knowledge", "contracts")
        assert first["conv_uid"] == second["conv_uid"]


async def test_forget_deletes_the_conversation_at_dbgpt_and_the_thread_begins_anew(world: SlackAndDbgpt) -> None:
    root = await world.ask("Where is the key?")
    await world.answered(GENERAL, root, "You said: Where is the key?")
    await world.ask("/forget", thread=root)
    await choose(world, await whispered(world, "Shall I forget"))
    await world.until(lambda: not world.dbgpt.conversations, "it is deleted there")
    await world.ask("And now?", thread=root)
    await world.until(lambda: "You said: And now?" in world.texts(GENERAL, root)[-1], "answered")

    first, second = world.dbgpt.requests
    assert first.conversation != second.conversation
