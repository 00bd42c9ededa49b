"""Edits and deletions, as the real client hears them."""

from datetime import datetime

import pytest

from adapters.discord.adapter import DiscordPlatform
from bridge.events import MessageDeleted, MessageEdited
from bridge.playground.discord import Attachment, DiscordServer, Fault
from tests.adapters.discord.conftest import Inbox, ask, hearing, out, until


def edits(inbox: Inbox) -> list[MessageEdited]:
    return [each for each in inbox.events if isinstance(each, MessageEdited)]


def deletions(inbox: Inbox) -> list[MessageDeleted]:
    return [each for each in inbox.events if isinstance(each, MessageDeleted)]


@pytest.fixture(params=[False, True], ids=["whole", "partial"])
def partial(request: pytest.FixtureRequest, server: DiscordServer) -> bool:
    """Discord sends the whole message with an update, or only what changed."""
    server.faults.partial_updates = bool(request.param)
    return server.faults.partial_updates


@pytest.mark.usefixtures("partial")
async def test_an_edit_is_told_with_the_whole_message_as_it_reads_now(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    role = await server.add_role("Staff", server.ada)
    async with hearing(platform, inbox):
        number = await server.post_as(
            server.ada, server.general, f"<@{server.bot_id}> one", attachments=[Attachment(filename="a.txt")]
        )
        asked = await inbox.message("one")
        await server.edit_as(server.ada, server.general, number, f"<@{server.bot_id}> two <@{server.grace}>")
        await until(lambda: len(edits(inbox)) == 1, "for the edit")
        (edit,) = edits(inbox)
        assert edit.now.text == "two @Grace"
        assert edit.now.ref == asked.ref
        assert edit.now.target == asked.target
        assert edit.now.author == asked.author
        assert edit.now.author.roles == (role,)
        assert edit.now.mentions_bot
        assert [each.id for each in edit.now.named] == [server.grace]
        assert edit.now.attachments == asked.attachments
        assert edit.now.sent_at == asked.sent_at
        changed = server.message(server.general, number).edited
        assert isinstance(changed, datetime)
        assert edit.revision == round(changed.timestamp() * 1_000_000)
        assert edit.event_id != asked.event_id
        assert inbox.texts == ["one"]


@pytest.mark.usefixtures("partial")
async def test_later_edits_have_larger_revisions_and_come_in_order(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        number = await server.post_as(server.ada, server.general, "one")
        for text in ["two", "three", "four"]:
            await server.edit_as(server.ada, server.general, number, text)
            await until(lambda t=text: t in [each.now.text for each in edits(inbox)], "for the edit")  # type: ignore[misc]
        revisions = [each.revision for each in edits(inbox)]
        assert revisions == sorted(set(revisions))
        assert len({each.event_id for each in edits(inbox)}) == 3


@pytest.mark.usefixtures("partial")
async def test_a_preview_of_a_link_and_an_opened_thread_are_no_edits(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox) as run:
        number = await server.post_as(server.ada, server.general, "see https://example.com/")
        await server.unfurl(server.general, number)
        await server.open_thread_as(server.grace, server.general, "talk", message_id=number)
        await server.post_as(server.ada, server.general, "last")
        await inbox.message("last")
        assert edits(inbox) == []
        assert not run.done()
        assert server.identifies == 1


async def test_a_preview_of_an_edited_message_has_the_identity_of_that_edit(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        number = await server.post_as(server.ada, server.general, "one")
        await server.edit_as(server.ada, server.general, number, "see https://example.com/")
        await server.unfurl(server.general, number)
        await until(lambda: len(edits(inbox)) == 2, "for both")
        edit, again = edits(inbox)
        assert (edit.event_id, edit.revision) == (again.event_id, again.revision)


@pytest.mark.usefixtures("partial")
async def test_our_own_edits_are_not_told(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> None:
    async with hearing(platform, inbox):
        target = await ask(server, inbox)
        ref = await platform.send(target, out("one"))
        await platform.edit(target, ref, out("two"))
        await server.post_as(server.ada, server.general, "last")
        await inbox.message("last")
        assert edits(inbox) == []


async def test_an_edit_in_private_is_told(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> None:
    async with hearing(platform, inbox):
        number = await server.post_as(server.ada, server.dm_ada, "one")
        await server.edit_as(server.ada, server.dm_ada, number, "two")
        await until(lambda: len(edits(inbox)) == 1, "for the edit")
        assert edits(inbox)[0].now.is_direct
        assert edits(inbox)[0].now.text == "two"


async def test_a_partial_edit_that_cannot_be_completed_does_not_deafen(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    server.faults.partial_updates = True
    server.faults.fail_next["GET /channels/{channel_id}/messages/{message_id}"] = [Fault(status=404, code=10008)]
    async with hearing(platform, inbox):
        number = await server.post_as(server.ada, server.general, "one")
        await server.edit_as(server.ada, server.general, number, "two")
        await server.edit_as(server.ada, server.general, number, "three")
        await until(lambda: len(edits(inbox)) == 1, "for the second edit")
        assert edits(inbox)[0].now.text == "three"
        assert server.identifies == 1


async def test_a_deletion_is_told(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> None:
    async with hearing(platform, inbox):
        one = await server.post_as(server.ada, server.general, "one")
        two = await server.post_as(server.ada, server.dm_ada, "two")
        await inbox.message("two")
        await server.delete_as(server.ada, server.general, one)
        await server.delete_as(server.ada, server.dm_ada, two)
        await until(lambda: len(deletions(inbox)) == 2, "for both")
        asked = {each.text: each.ref for each in inbox.asked}
        assert {(each.ref, each.installation) for each in deletions(inbox)} == {
            (asked["one"], server.guild_id),
            (asked["two"], "@me"),
        }


async def test_many_deleted_at_once_are_told_one_by_one(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        numbers = [await server.post_as(server.ada, server.general, text) for text in "abc"]
        await server.delete_many_as(server.linus, server.general, numbers[:2])
        await until(lambda: len(deletions(inbox)) == 2, "for both")
        assert [each.ref for each in deletions(inbox)] == [each.ref for each in inbox.asked[:2]]
        assert len({each.event_id for each in deletions(inbox)}) == 2


async def test_a_deletion_comes_after_the_message_even_when_storing_is_slow(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    async with hearing(platform, inbox):
        number = await server.post_as(server.ada, server.general, "one")
        await server.edit_as(server.ada, server.general, number, "two")
        await server.delete_as(server.ada, server.general, number)
        await until(lambda: len(inbox.events) == 3, "for all three")
        assert [type(each).__name__ for each in inbox.events] == ["MessageReceived", "MessageEdited", "MessageDeleted"]


async def test_the_authors_roles_and_the_channels_category_are_told(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    category = await server.add_category("Help")
    channel = await server.add_channel("desk", category=category)
    async with hearing(platform, inbox):
        # A role that the client is told about only with the member that has it.
        server.roles["1400000000000000000"] = "Staff"
        server.member_roles[server.ada] = ("1400000000000000000",)
        await server.post_as(server.ada, channel, "in the channel")
        thread = await server.open_thread_as(server.grace, channel, "talk")
        await server.post_as(server.grace, thread, "in the thread")
        await server.post_as(server.ada, server.general, "elsewhere")
        await server.post_as(server.ada, server.dm_ada, "in private")
        heard = {
            text: await inbox.message(text) for text in ("in the channel", "in the thread", "elsewhere", "in private")
        }
        assert {text: each.category for text, each in heard.items()} == {
            "in the channel": category,
            "in the thread": category,
            "elsewhere": "",
            "in private": "",
        }
        assert {text: each.author.roles for text, each in heard.items()} == {
            "in the channel": ("1400000000000000000",),
            "in the thread": (),
            "elsewhere": ("1400000000000000000",),
            "in private": (),
        }


async def test_the_category_of_a_thread_that_the_client_was_not_told_about_is_looked_up(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    category = await server.add_category("Help")
    channel = await server.add_channel("desk", category=category)
    thread = await server.open_thread_as(server.grace, channel, "Sleeping")
    await server.archive_as(server.grace, thread)
    async with hearing(platform, inbox):
        server.channels[thread].archived = False
        await server.post_as(server.ada, thread, "awake?")
        heard = await inbox.message("awake?")
        assert heard.category == category
        assert heard.target.conversation.channel == channel


async def test_without_the_content_intent_an_edit_that_takes_the_mention_away_says_nothing(
    server: DiscordServer, platform: DiscordPlatform, inbox: Inbox
) -> None:
    server.message_content_allowed = False
    async with hearing(platform, inbox):
        number = await server.post_as(server.ada, server.general, f"<@{server.bot_id}> one")
        await inbox.message("one")
        await server.edit_as(server.ada, server.general, number, "hidden")
        await server.edit_as(server.ada, server.general, number, f"<@{server.bot_id}> two")
        await until(lambda: bool(edits(inbox)), "for the edit")
        assert [each.now.text for each in edits(inbox)] == ["two"]
