"""Threads that were opened: their name, and the mark that a question was answered well."""

import pytest

from adapters.discord.adapter import DiscordPlatform
from bridge.errors import NotAllowed, PlatformUnavailable, RateLimited
from bridge.messages import Address, ChannelId, ConversationKey, InstallationId, PaceGroup, ReplyTarget, ThreadId
from bridge.platform_api import MarksSolved, RenamesThreads
from bridge.playground.discord import DiscordServer, Fault
from bridge.playground.discord.permissions import DEFAULT_PERMISSIONS, MANAGE_THREADS
from tests.adapters.discord.conftest import Inbox, Make, ask, hearing

CHANGE = "PATCH /channels/{channel_id}"


@pytest.fixture
async def question(server: DiscordServer, platform: DiscordPlatform, inbox: Inbox) -> ReplyTarget:
    async with hearing(platform, inbox):
        return await ask(server, inbox)


def post_of(server: DiscordServer, forum: str, post: str) -> ReplyTarget:
    """Where a question in a forum's post is answered."""
    return ReplyTarget(
        platform=DiscordPlatform.name,
        conversation=ConversationKey(
            platform=DiscordPlatform.name,
            installation=InstallationId(server.guild_id),
            channel=ChannelId(forum),
            thread=ThreadId(post),
        ),
        address=Address(f"in/{post}"),
        post_group=PaceGroup(post),
        edit_group=PaceGroup(post),
    )


def changes(server: DiscordServer) -> int:
    return sum(f"{call.method} {call.route}" == CHANGE for call in server.calls)


async def test_a_thread_that_the_bot_opened_gets_its_title(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    assert isinstance(platform, RenamesThreads)
    thread = await platform.open_thread(question, "What is up?")
    await platform.rename_thread(thread, "Greetings, @everyone")
    assert [each.name for each in server.threads(server.general)] == ["Greetings, @\u200beveryone"]
    await platform.rename_thread(thread, "Greetings, @everyone")
    assert changes(server) == 1, "it has that name"


async def test_after_a_restart_the_title_comes_as_well(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget, make: Make
) -> None:
    thread = await platform.open_thread(question, "What is up?")
    await make().rename_thread(thread, "Greetings")
    assert server.threads(server.general)[0].name == "Greetings"


async def test_a_name_that_somebody_gave_stays(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    thread = await platform.open_thread(question, "What is up?")
    server.threads(server.general)[0].name = "My own words"
    await platform.rename_thread(thread, "Greetings")
    assert server.threads(server.general)[0].name == "My own words"


async def test_a_thread_that_somebody_else_opened_keeps_its_name(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    theirs = await server.open_thread_as(server.ada, server.general, "Theirs")
    server.permissions[theirs] = DEFAULT_PERMISSIONS | MANAGE_THREADS
    await platform.rename_thread(post_of(server, server.general, theirs), "Ours")
    assert server.channels[theirs].name == "Theirs"
    assert changes(server) == 0


async def test_a_rename_that_has_to_wait_for_long_is_given_up(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget, make: Make
) -> None:
    thread = await platform.open_thread(question, "What is up?")
    server.faults.fail_next[CHANGE] = [Fault(kind="rate_limit", retry_after=500)]
    with pytest.raises(RateLimited):
        await platform.rename_thread(thread, "Greetings")
    server.faults.fail_next[CHANGE] = [Fault(kind="rate_limit", retry_after=20)]
    with pytest.raises(PlatformUnavailable):
        await make(discord_thread_timeout=0.3).rename_thread(thread, "Greetings")


async def test_a_place_that_is_no_thread_is_left_alone(
    server: DiscordServer, platform: DiscordPlatform, question: ReplyTarget
) -> None:
    calls = len(server.calls)
    await platform.rename_thread(question, "Greetings")
    await platform.mark_solved(question)
    assert len(server.calls) == calls


async def test_a_forums_post_gets_the_tag_that_means_solved(server: DiscordServer, make: Make) -> None:
    platform = make(discord_solved_tag=" SOLVED ")
    assert isinstance(platform, MarksSolved)
    forum = await server.add_forum("help", tags=("Bug", "Solved"))
    post = await server.open_thread_as(server.ada, forum, "It broke", text="Help!", tags=("Bug",))
    server.permissions[forum] = server.permissions[post] = DEFAULT_PERMISSIONS | MANAGE_THREADS
    names = {tag.id: tag.name for tag in server.channels[forum].tags}
    for _ in range(2):
        await platform.mark_solved(post_of(server, forum, post))
        assert [names[each] for each in server.channels[post].applied_tags] == ["Bug", "Solved"]
    assert changes(server) == 1


@pytest.mark.parametrize("tag", ["", "Answered"])
async def test_without_a_tag_of_that_name_nothing_is_marked(server: DiscordServer, make: Make, tag: str) -> None:
    forum = await server.add_forum("help", tags=("Solved",))
    post = await server.open_thread_as(server.ada, forum, "It broke", text="Help!")
    await make(discord_solved_tag=tag).mark_solved(post_of(server, forum, post))
    assert changes(server) == 0


async def test_a_post_with_as_many_tags_as_there_can_be_keeps_those(server: DiscordServer, make: Make) -> None:
    tags = ("a", "b", "c", "d", "e")
    forum = await server.add_forum("help", tags=(*tags, "Solved"))
    post = await server.open_thread_as(server.ada, forum, "It broke", text="Help!", tags=tags)
    await make(discord_solved_tag="Solved").mark_solved(post_of(server, forum, post))
    assert changes(server) == 0


async def test_a_missing_permission_is_told_and_an_archived_post_stays_as_it_is(
    server: DiscordServer, make: Make
) -> None:
    platform = make(discord_solved_tag="Solved")
    forum = await server.add_forum("help", tags=("Solved",))
    post = await server.open_thread_as(server.ada, forum, "It broke", text="Help!")
    with pytest.raises(NotAllowed):
        await platform.mark_solved(post_of(server, forum, post))
    server.permissions[forum] = server.permissions[post] = DEFAULT_PERMISSIONS | MANAGE_THREADS
    await server.archive_as(server.ada, post)
    await platform.mark_solved(post_of(server, forum, post))
    assert server.channels[post].archived
    assert server.channels[post].applied_tags == ()
