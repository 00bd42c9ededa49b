"""A message picked from its menu: the form that opens, and the question that it brings."""

from pathlib import Path

import pytest

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.interactions.commands import ASK_ABOUT
from adapters.discord.interactions.desk import FORGOTTEN
from adapters.discord.interactions.forms import About, Comment, read_form, words_in
from adapters.discord.interactions.invocations import NOTHING_IN_IT
from bridge.messages import Said
from bridge.playground.discord import Attachment, DiscordServer
from tests.adapters.discord.conftest import Inbox, Make, hearing, offered, until


async def pick(server: DiscordServer, channel: str, message: str) -> str:
    """Ada opens the form on a message; its interaction."""
    await offered(server)
    number = await server.message_command(server.ada, channel, ASK_ABOUT, message)
    await until(lambda: server.interactions[number].acknowledged, "for the form")
    return number


async def test_the_form_shows_the_message_and_brings_a_question_about_it(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox, tmp_path: Path
) -> None:
    plan = Attachment(filename="plan.txt", content_type="text/plain", size=5, content=b"steps")
    async with hearing(platform, inbox):
        said = await server.post_as(server.grace, server.general, "The *plan* is ready", attachments=[plan])
        opened = await pick(server, server.general, said)
        modal = server.interactions[opened].modal
        assert modal is not None
        assert modal.fields[0] == "Grace: The \\*plan\\* is ready"
        assert [each for each in inbox.asked if each.unseen] == []
        number = await server.submit_modal(server.ada, opened, {"words": "Is it good?"})
        event = await inbox.message("Is it good?")
        await until(lambda: server.interactions[number].acknowledged, "for the answer to the form")
        await until(lambda: not server.ephemerals(), "for the waiting to go")
        assert event.about == Said(who="Grace", text="The *plan* is ready")
        assert event.target.address == f"pick/{server.general}/{said}/{number}"
        assert (event.target.opens_thread, event.target.conversation.thread) == (True, said)
        assert (event.event_id, event.unseen, event.mentions_bot) == (f"interaction/{number}", True, True)
        assert event.private is not None
        (file,) = event.attachments
        await platform.fetch_file(event.target, file, tmp_path / "plan", 1_000)
    assert (tmp_path / "plan").read_bytes() == b"steps"


async def test_in_a_thread_the_question_goes_to_the_thread(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    async with hearing(platform, inbox):
        said = await server.post_as(server.grace, thread, "A thought")
        opened = await pick(server, thread, said)
        await server.submit_modal(server.ada, opened, {"words": "Really?"})
        event = await inbox.message("Really?")
    assert (event.target.address, event.in_thread) == (f"in/{thread}", True)
    assert event.about == Said(who="Grace", text="A thought")


async def test_the_message_and_its_files_are_known_without_the_message_content_intent(
    server: DiscordServer, make: Make, inbox: Inbox, tmp_path: Path
) -> None:
    server.message_content_allowed = False
    plan = Attachment(filename="plan.txt", content_type="text/plain", size=5, content=b"steps")
    platform = make(discord_message_content=False)
    async with hearing(platform, inbox):
        said = await server.post_as(server.grace, server.general, "A secret", attachments=[plan])
        opened = await pick(server, server.general, said)
        await server.submit_modal(server.ada, opened, {"words": "Why?"})
        event = await inbox.message("Why?")
        await platform.fetch_file(event.target, event.attachments[0], tmp_path / "plan", 1_000)
    assert event.about == Said(who="Grace", text="A secret")
    assert (tmp_path / "plan").read_bytes() == b"steps"


async def test_after_a_restart_the_message_is_read_again_where_that_is_allowed(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    async with hearing(make(), inbox):
        said = await server.post_as(server.grace, server.general, "A thought")
        opened = await pick(server, server.general, said)
    async with hearing(make(), inbox):
        await server.submit_modal(server.ada, opened, {"words": "Really?"})
        assert (await inbox.message("Really?")).about == Said(who="Grace", text="A thought")


async def test_after_a_restart_a_message_that_is_gone_is_asked_for_again(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    async with hearing(make(), inbox):
        said = await server.post_as(server.grace, server.general, "A thought")
        opened = await pick(server, server.general, said)
    await server.delete_as(server.grace, server.general, said)
    async with hearing(make(), inbox):
        number = await server.submit_modal(server.ada, opened, {"words": "Really?"})
        await until(lambda: server.interactions[number].acknowledged, "for the answer to the form")
    assert server.interactions[number].ephemeral == FORGOTTEN
    assert [each for each in inbox.asked if each.unseen] == []


async def test_a_message_without_anything_to_read_opens_no_form(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    (created,) = [each for each in server.messages(server.general) if each.content == "Plans"]
    created.content = ""
    async with hearing(platform, inbox):
        number = await pick(server, server.general, created.id)
    assert server.interactions[number].ephemeral == NOTHING_IN_IT
    assert thread


@pytest.mark.parametrize(
    ("custom_id", "read"),
    [
        ("bridge:about:1:2", About(channel=1, message=2)),
        ("bridge:comment:1:2:3", Comment(channel=1, message=2, revision=3)),
        ("bridge:about:1", None),
        ("bridge:about:1:2:3", None),
        ("bridge:about:1:x", None),
        ("bridge:comment:1:2", None),
        ("bridge:comment:1:2:3 ", None),
        ("other:about:1:2", None),
        ("bridge:about:1:٢", None),
        ("bridge:stop", None),
        ("", None),
    ],
)
def test_a_forms_name_is_read_strictly(custom_id: str, read: object) -> None:
    assert read_form(custom_id) == read


@pytest.mark.parametrize(
    ("components", "words"),
    [
        ([{"type": 18, "component": {"type": 4, "custom_id": "words", "value": " hi "}}], "hi"),
        ([{"type": 1, "components": [{"type": 4, "custom_id": "words", "value": "hi"}]}], "hi"),
        ([{"type": 10}, {"type": 18, "component": {"type": 4, "custom_id": "words", "value": None}}], ""),
        ([{"type": 18, "component": {"type": 4, "custom_id": "other", "value": "hi"}}], ""),
        ([None, "x"], ""),
        (None, ""),
    ],
)
def test_words_are_found_in_whatever_holds_their_field(components: object, words: str) -> None:
    assert words_in({"components": components}) == words
