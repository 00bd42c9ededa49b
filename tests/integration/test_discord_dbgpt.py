"""DB-GPT behind Discord: a conversation across a restart, feedback, a table from a data source."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.playground.dbgpt import Reply, chart_view
from tests.integration.dbgpt_worlds import DiscordAndDbgpt
from tests.integration.discord_world import living


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[DiscordAndDbgpt]:
    async with living(DiscordAndDbgpt(tmp_path)) as started:
        assert isinstance(started, DiscordAndDbgpt)
        yield started


async def test_a_question_and_the_next_one_are_one_conversation_also_after_a_restart(world: DiscordAndDbgpt) -> None:
    thread = await world.mention("Where is the key?")
    await world.answered(thread, "You said: Where is the key?")
    await world.restart()
    await world.mention("And the door?", place=thread)
    await world.answered(thread, "You said: And the door?")

    first, second = world.dbgpt.requests
    assert first.conversation == second.conversation
    assert second.text == "And the door?"


async def test_ratings_are_feedback_on_the_round(world: DiscordAndDbgpt) -> None:
    thread = await world.mention("Rate me")
    answer = await world.answered(thread, "You said: Rate me")
    await world.press(answer, "bridge:like", world.discord.grace)
    await world.until(lambda: bool(world.dbgpt.feedback), "rated")

    (feedback,) = world.dbgpt.feedback
    assert (feedback.message_id, feedback.feedback_type) == ("1", "like")
    assert feedback.user_code == f"discord:{world.discord.grace}"


async def test_a_data_source_answers_with_a_table_and_its_query(tmp_path: Path) -> None:
    settings = {"dbgpt_chat_mode": "chat_data", "dbgpt_chat_param": "sqlite_shop"}
    async with living(DiscordAndDbgpt(tmp_path, **settings)) as world:
        assert isinstance(world, DiscordAndDbgpt)
        view = f"Counting.\n{chart_view({'sql': 'how much', 'data': [{'city': 'Oslo', 'n': 7}]})}"
        notes = '{"thoughts": "Counting.", "sql": "how much", "display_type": "response_table"}'
        world.dbgpt.script = lambda mode, text: Reply(pieces=[notes[:20], notes[20:]], notes=notes, view=view)
        thread = await world.mention("How many?")
        answer = await world.answered(thread, "how much")

        assert "Oslo" in answer.content
        assert "display_type" not in "".join(text for _, text in answer.history)
