"""Files on their way through the whole bridge: from a member to the app, and back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bridge.playground.dify.kept_files import MadeFile
from bridge.playground.slack.model import File
from tests.integration.slack_world import ADA, DIRECT, GENERAL, World, living, say

PICTURE = File(id="F0PICTURE", name="chart.png", mimetype="image/png", content=b"\x89PNG chart")
NOTES = File(id="F0NOTES", name="notes.pdf", mimetype="application/pdf", content=b"%PDF notes")


@pytest.fixture(params=["socket", "http"])
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    async with living(World(tmp_path, http=request.param == "http")) as started:
        started.dify.script = lambda query: say(f"re: {query}")
        yield started


async def test_attached_files_reach_the_app_as_the_conversations_user(world: World) -> None:
    root = await world.slack.post_as(ADA, DIRECT, "What is in these?", files=[PICTURE, NOTES])
    await world.answered(DIRECT, root, "re: What is in these?")
    (request,) = world.requests
    uploads = sorted(world.dify.uploads.values(), key=lambda one: one.name)
    assert [(one.name, one.content, one.user) for one in uploads] == [
        ("chart.png", PICTURE.content, request.user),
        ("notes.pdf", NOTES.content, request.user),
    ]
    assert request.stored is not None
    assert sorted(upload.name for upload, _ in request.stored.given) == ["chart.png", "notes.pdf"]


async def test_a_file_that_the_app_does_not_take_is_named_and_the_question_is_asked_without_it(world: World) -> None:
    film = File(id="F0FILM", name="holiday.mp4", mimetype="video/mp4", content=b"film")
    huge = replace(NOTES, id="F0HUGE", name="huge.pdf", size=10**9)
    ts = await world.slack.post_as(
        ADA, GENERAL, f"<@{world.slack.bot_user_id}> And these?", files=[film, PICTURE, huge]
    )
    await world.until(lambda: len(world.requests) == 1, "asked")
    await world.settled()
    said = "\n".join(world.texts(GENERAL, ts))
    assert "holiday.mp4" in said
    assert "huge.pdf" in said
    assert "chart.png" not in said.partition("re: ")[0]
    assert "re: And these?" in said
    assert [upload.name for upload in world.dify.uploads.values()] == ["chart.png"]
    assert world.slack.downloads.fetched == ["F0PICTURE"], "what is not taken is not even fetched"


async def test_a_sign_in_page_is_no_file(world: World) -> None:
    world.slack.scopes = [one for one in world.slack.scopes if one != "files:read"]
    root = await world.slack.post_as(ADA, DIRECT, "What is in it?", files=[NOTES])
    await world.until(lambda: len(world.requests) == 1, "asked")
    await world.settled()
    said = "\n".join(world.texts(DIRECT, root))
    assert "notes.pdf" in said
    assert "re: What is in it?" in said
    assert world.dify.uploads == {}


async def test_what_the_app_makes_is_uploaded_to_the_thread(world: World) -> None:
    made = MadeFile(name="sums.csv", kind="document", media_type="text/csv", content=b"one,two\r\n1,2\r\n")
    world.slack.uploads.share_delay = 0.1
    world.dify.script = lambda _: replace(say("Here it is."), files=(made,))
    root = await world.ask("Make me a file")

    def shared() -> list[bytes | None]:
        files = [file for one in world.answers(GENERAL, root) for file in one.files]
        return [world.slack.uploads.content(file.id) for file in files]

    await world.until(lambda: bool(shared()), "a file is there")
    await world.settled()
    assert shared() == [made.content]
    assert any("Here it is." in text for text in world.texts(GENERAL, root))
    assert world.failed_calls() == []
