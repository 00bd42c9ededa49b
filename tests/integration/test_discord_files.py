"""Files on their way through the whole bridge: from a member of Discord to the app, and back; and what people say aloud."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.playground.dify.kept_files import MadeFile
from bridge.playground.discord import Attachment
from tests.integration.discord_world import World, living, say


def _file(name: str, media_type: str, content: bytes) -> Attachment:
    return Attachment(filename=name, content_type=media_type, size=len(content), content=content)


PICTURE = _file("chart.png", "image/png", b"\x89PNG chart")
NOTES = _file("notes.pdf", "application/pdf", b"%PDF notes")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path)) as started:
        yield started


async def test_attached_files_reach_the_app_as_the_conversations_user(world: World) -> None:
    server = world.discord
    await server.post_as(server.ada, server.dm_ada, "What is in these?", attachments=[PICTURE, NOTES])
    await world.answered(server.dm_ada, "re: What is in these?")
    (request,) = world.requests
    uploads = sorted(world.dify.uploads.values(), key=lambda one: one.name)
    assert [(one.name, one.content, one.user) for one in uploads] == [
        ("chart.png", PICTURE.content, request.user),
        ("notes.pdf", NOTES.content, request.user),
    ]
    assert request.stored is not None
    assert sorted(upload.name for upload, _ in request.stored.given) == ["chart.png", "notes.pdf"]


async def test_a_file_whose_address_has_expired_is_asked_for_again(world: World) -> None:
    server = world.discord
    server.link_seconds = 0
    message = await server.post_as(server.ada, server.dm_ada, "What is in it?", attachments=[NOTES])
    server.link_seconds = 86_400
    await world.answered(server.dm_ada, "re: What is in it?")
    assert [one.content for one in world.dify.uploads.values()] == [NOTES.content]
    assert message


async def test_what_is_forwarded_is_read_with_its_files(world: World) -> None:
    server = world.discord
    said = await server.post_as(server.linus, server.support, "The figures of May.", attachments=[NOTES])
    await server.forward_as(server.ada, server.support, said, server.dm_ada)
    await world.answered(server.dm_ada, "re: ")
    assert "The figures of May." in world.requests[0].query
    assert [one.name for one in world.dify.uploads.values()] == ["notes.pdf"]


async def test_a_file_that_the_app_does_not_take_is_named_and_the_question_is_asked_without_it(world: World) -> None:
    server = world.discord
    film = _file("holiday.mp4", "video/mp4", b"film")
    await server.post_as(server.ada, server.dm_ada, "And these?", attachments=[film, PICTURE])
    await world.until(lambda: len(world.requests) == 1, "asked")
    await world.answered(server.dm_ada, "re: And these?")
    await world.settled()
    said = "\n".join(world.texts(server.dm_ada))
    assert "holiday.mp4" in said
    assert "chart.png" not in said
    assert [upload.name for upload in world.dify.uploads.values()] == ["chart.png"]


async def test_what_the_app_makes_is_uploaded_to_the_thread(world: World) -> None:
    made = MadeFile(name="sums.csv", kind="document", media_type="text/csv", content=b"one,two\r\n1,2\r\n")
    world.dify.script = lambda _: replace(say("Here it is."), files=(made,))
    thread = await world.mention("Make me a file")

    def shown() -> list[tuple[str, bytes | None]]:
        if thread not in world.discord.channels:
            return []
        files = [file for one in world.discord.messages(thread) if one.is_bot for _, file in one.attachments]
        return [(file.filename, file.content) for file in files]

    await world.until(lambda: bool(shown()), "a file is there")
    await world.settled()
    assert shown() == [("sums.csv", made.content)]
    assert any("Here it is." in text for text in world.texts(thread))
    assert world.failed_calls() == []


async def test_a_voice_message_that_the_app_cannot_hear_is_told_by_its_format(world: World) -> None:
    server = world.discord
    await server.post_voice_as(server.ada, server.dm_ada, b"OggS voice", 2.0)
    await world.until(lambda: "Ogg" in "".join(world.texts(server.dm_ada)), "she is told")
    await world.settled()
    assert world.dify.recordings == []


async def test_a_voice_message_is_a_file_for_an_app_that_takes_such_files(world: World) -> None:
    server = world.discord
    world.dify.features.hears = False
    world.dify.features.kinds = ["custom"]
    world.dify.features.extensions = [".ogg"]
    await world.restart()  # what the app takes was asked for at the start, and is kept for a while
    await server.post_voice_as(server.ada, server.dm_ada, b"OggS voice", 2.0)
    await world.answered(server.dm_ada, "re: ")
    assert [(one.name, one.content) for one in world.dify.uploads.values()] == [("voice-message.ogg", b"OggS voice")]
