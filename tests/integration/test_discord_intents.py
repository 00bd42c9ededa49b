"""Without the privileged intent everything works but follow-ups without a mention, and operators are told what to switch on."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.playground.discord import Attachment
from tests.integration.discord_world import World, living, say

ASK_ABOUT = "Ask about this message"


@pytest.fixture(params=["refused", "not wanted"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    wanted = request.param == "refused"
    made = World(tmp_path, discord_message_content=wanted)
    made.discord.message_content_allowed = False
    made.dify.script = lambda query: say(f"re: {query}", suggestions=("And then?",))
    async with living(made) as started:
        yield started


async def test_mentions_replies_direct_messages_and_commands_are_answered(world: World) -> None:
    server = world.discord
    thread = await world.mention("By mention?")
    answer = await world.answered(thread, "re: By mention?")
    await server.post_as(server.ada, thread, "Not seen")
    await server.post_as(server.ada, thread, "By reply?", reply_to=answer.id)
    await world.answered(thread, "re: By reply?")
    await server.post_as(server.ada, server.dm_ada, "Directly?")
    await world.answered(server.dm_ada, "re: Directly?")
    await world.ask("By command?", thread)
    await world.answered(thread, "re: By command?")
    await world.press(world.own(thread)[-1], "bridge:ask")
    await world.answered(thread, "re: And then?")
    assert [request.query for request in world.requests] == [
        *("By mention?", "By reply?", "Directly?", "By command?", "And then?")
    ]
    await world.settled()


async def test_a_message_is_asked_about_by_its_menu_with_its_file(world: World) -> None:
    server = world.discord
    notes = Attachment(filename="notes.txt", content_type="text/plain", size=5, content=b"hello")
    said = await server.post_as(server.linus, server.general, "The report is due on Friday.", attachments=[notes])
    opened = await world.acknowledged(await server.message_command(server.grace, server.general, ASK_ABOUT, said))
    await world.acknowledged(await server.submit_modal(server.grace, opened, {"words": "Which Friday?"}))
    await world.until(lambda: said in world.threads(server.general), "a thread begins under it")
    await world.answered(said, "re: ")
    assert "The report is due on Friday." in world.requests[0].query
    assert [one.content for one in world.dify.uploads.values()] == [b"hello"]


async def test_who_calls_the_role_is_told_to_mention_the_bot(world: World) -> None:
    server = world.discord
    await server.post_as(server.ada, server.general, f"<@&{server.bot_role_id}> Hello?")
    await world.until(lambda: bool(world.own(server.general)), "a hint")
    assert "mention me" in world.own(server.general)[0].content
    assert world.requests == []


async def test_operators_are_told_what_to_switch_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.discord.message_content_allowed = False
    async with living(world):
        told = await world.readiness()
        assert told["ready"] is True
        assert "Message Content" in str(told["platforms"])
        assert f"/applications/{world.discord.application_id}/bot" in str(told["platforms"])
