"""Threads and forums: making them, their tags, and who may change them."""

import io

import discord
import pytest

from bridge.playground.discord import DiscordServer
from bridge.playground.discord.buckets import Buckets
from bridge.playground.discord.permissions import DEFAULT_PERMISSIONS, MANAGE_THREADS, SEND_MESSAGES
from tests.playground.discord.apps import App
from tests.playground.discord.clients import Listener, Raw


def forum_of(client: Listener, forum: str) -> discord.ForumChannel:
    channel = client.get_channel(int(forum))
    assert isinstance(channel, discord.ForumChannel)
    return channel


async def made(server: DiscordServer, client: Listener, *tags: str, tag_required: bool = False) -> discord.ForumChannel:
    forum = await server.add_forum("help", tags, tag_required=tag_required)
    await client.until(lambda: client.channels_made == ["help"] and bool(client.channels_changed))
    return forum_of(client, forum)


async def test_a_bot_posts_in_a_forum_with_a_tag_and_a_file(server: DiscordServer, client: Listener) -> None:
    forum = await made(server, client, "question", "solved")
    question = discord.utils.get(forum.available_tags, name="question")
    assert question is not None
    thread, message = await forum.create_thread(
        name="How?", content="like this", applied_tags=[question], file=discord.File(io.BytesIO(b"x"), "a.txt")
    )
    assert (message.id, [one.name for one in thread.applied_tags]) == (thread.id, ["question"])
    assert [one.filename for one in message.attachments] == ["a.txt"]
    assert server.channels[str(thread.id)].owner_id == server.bot_id
    await thread.send("and so on")
    assert [one.content for one in server.messages(str(thread.id))] == ["like this", "and so on"]


async def test_a_forum_can_want_a_tag(server: DiscordServer, client: Listener, raw: Raw) -> None:
    forum = await made(server, client, "question", "!official", tag_required=True)
    assert forum.flags.require_tag
    with pytest.raises(discord.HTTPException) as refused:
        await forum.create_thread(name="How?", content="like this")
    assert refused.value.code == 40067
    official = discord.utils.get(forum.available_tags, name="official")
    assert official is not None
    assert official.moderated
    with pytest.raises(discord.Forbidden) as forbidden:
        await forum.create_thread(name="How?", content="like this", applied_tags=[official])
    assert forbidden.value.code == 50013
    unknown = {"name": "x", "message": {"content": "x"}, "applied_tags": ["1"]}
    assert (await raw.call("POST", f"/channels/{forum.id}/threads", unknown)).code == 50035
    assert (await raw.call("POST", f"/channels/{forum.id}/threads", {"name": "x"})).code == 50035
    server.permissions[str(forum.id)] = DEFAULT_PERMISSIONS & ~SEND_MESSAGES
    assert (await raw.call("POST", f"/channels/{forum.id}/threads", unknown)).code == 50013
    with pytest.raises(ValueError, match="wants a tag"):
        await server.open_thread_as(server.ada, str(forum.id), "How?", text="like this")
    with pytest.raises(ValueError, match="moderators"):
        await server.open_thread_as(server.ada, str(forum.id), "How?", text="like this", tags=["official"])


async def test_a_post_of_a_person_is_tagged_by_who_manages_threads(
    server: DiscordServer, client: Listener, raw: Raw
) -> None:
    forum = await made(server, client, "question", "solved")
    post = await server.open_thread_as(server.ada, str(forum.id), "How?", text="please", tags=["question"])
    await client.until(lambda: len(client.opened) == 1 and client.texts() == ["please"])
    thread = client.opened[0]
    assert [one.name for one in thread.applied_tags] == ["question"]
    assert (str(thread.owner_id), thread.parent) == (server.ada, forum)
    solved = discord.utils.get(forum.available_tags, name="solved")
    assert solved is not None
    with pytest.raises(discord.Forbidden) as refused:
        await thread.add_tags(solved)
    assert refused.value.code == 50013
    server.permissions[str(forum.id)] = DEFAULT_PERMISSIONS | MANAGE_THREADS
    await thread.add_tags(solved)
    assert len(server.channels[post].applied_tags) == 2
    many = [str(n) for n in range(6)]
    assert (await raw.call("PATCH", f"/channels/{post}", {"applied_tags": many})).code == 50035


async def test_a_bot_tags_and_closes_its_own_post(server: DiscordServer, client: Listener) -> None:
    forum = await made(server, client, "solved")
    thread, _ = await forum.create_thread(name="How?", content="like this")
    changed = await thread.edit(applied_tags=forum.available_tags, archived=True)
    assert [one.name for one in changed.applied_tags] == ["solved"]
    with pytest.raises(discord.HTTPException) as refused:
        await changed.edit(applied_tags=[])
    assert refused.value.code == 50083
    opened = await changed.edit(archived=False, applied_tags=[])
    assert not opened.archived


async def test_a_thread_can_stand_by_itself(server: DiscordServer, client: Listener, raw: Raw) -> None:
    thread = await client.text_channel(server.general).create_thread(
        name="Plans", type=discord.ChannelType.public_thread, auto_archive_duration=60
    )
    kept = server.channels[str(thread.id)]
    assert (kept.name, kept.auto_archive_minutes, kept.owner_id) == ("Plans", 60, server.bot_id)
    path = f"/channels/{server.general}/threads"
    assert (await raw.call("POST", path, {"name": "x", "type": 11, "auto_archive_duration": 61})).code == 50035
    assert (await raw.call("POST", path, {"name": "private"})).code == 50035
    assert (await raw.call("POST", f"/channels/{server.dm_ada}/threads", {"name": "x", "type": 11})).code == 50024


async def test_threads_have_a_number_wherever_they_are_made(server: DiscordServer, client: Listener, raw: Raw) -> None:
    forum = await made(server, client)
    server.max_active_threads = 0
    body = {"name": "x", "type": 11, "message": {"content": "x"}}
    for place in (server.general, str(forum.id)):
        refused = await raw.call("POST", f"/channels/{place}/threads", body)
        assert (refused.status, refused.code) == (400, 160006)
    said = await server.post_as(server.ada, server.general, "hm")
    path = f"/channels/{server.general}/messages/{said}/threads"
    assert (await raw.call("POST", path, {"name": "x"})).code == 160006
    server.max_active_threads = 1
    assert (await raw.call("POST", path, {"name": "x"})).status == 201
    assert (await raw.call("POST", path, {"name": "x"})).code == 160004


async def test_active_threads_are_listed_and_joined(server: DiscordServer, client: Listener, raw: Raw) -> None:
    plans = await server.open_thread_as(server.ada, server.general, "Plans")
    old = await server.open_thread_as(server.ada, server.general, "Old")
    await server.archive_as(server.ada, old)
    (thread,) = await client.guilds[0].active_threads()
    assert str(thread.id) == plans
    await thread.join()
    assert server.channels[plans].bot_joined
    assert (await raw.call("PUT", f"/channels/{old}/thread-members/@me")).code == 50083
    assert (await raw.call("PUT", f"/channels/{server.general}/thread-members/@me")).code == 50024


async def test_the_opener_of_a_thread_is_found_where_discord_has_it(server: DiscordServer, client: Listener) -> None:
    said = await server.post_as(server.ada, server.general, "the opener")
    thread = await server.open_thread_as(server.grace, server.general, "Plans", message_id=said)
    opener = await client.place(server.general).fetch_message(int(thread))
    assert opener.content == "the opener"
    forum = await server.add_forum("help")
    post = await server.open_thread_as(server.grace, forum, "How?", text="the post")
    assert (await client.place(post).fetch_message(int(post))).content == "the post"
    with pytest.raises(ValueError, match="its thread already"):
        await server.open_thread_as(server.ada, server.general, "Again", message_id=said)


async def test_a_third_name_within_ten_minutes_waits_long_and_the_client_can_decline(
    server: DiscordServer, client: Listener
) -> None:
    client.http.max_ratelimit_timeout = 30.0
    thread = await client.text_channel(server.general).create_thread(
        name="zero", type=discord.ChannelType.public_thread
    )
    for name in ("one", "two"):
        server.buckets._routes.clear()
        await thread.edit(name=name)
    with pytest.raises(discord.RateLimited) as refused:
        await thread.edit(name="three")
    assert refused.value.retry_after > 500
    assert server.channels[str(thread.id)].name == "two"


async def test_nobody_writes_in_a_locked_thread_but_moderators(server: DiscordServer, raw: Raw) -> None:
    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    await server.archive_as(server.grace, thread, locked=True)
    with pytest.raises(ValueError, match="locked"):
        await server.post_as(server.ada, thread, "hello?")
    await server.add_role("Moderators", server.grace, permissions=MANAGE_THREADS)
    await server.post_as(server.grace, thread, "closed for a reason")
    assert (await raw.send(thread, {"content": "x"})).code == 160005
    server.buckets = Buckets(server.clock)
    server.permissions[server.general] = DEFAULT_PERMISSIONS | MANAGE_THREADS
    assert (await raw.send(thread, {"content": "x"})).status == 200


async def test_a_deleted_thread_and_its_channel_are_unknown_at_once(server: DiscordServer, app: App, raw: Raw) -> None:
    thread = await server.open_thread_as(server.ada, server.support, "Plans")
    await server.command(server.ada, thread, "ask", {"question": "x"})
    await app.until(lambda: bool(app.asked))
    interaction = app.asked[0][0]
    await interaction.response.defer()
    await server.delete_channel(server.support)
    await app.until(lambda: [one.name for one in app.guilds[0].channels] == ["general"])
    assert not app.guilds[0].threads
    for place in (thread, server.support):
        assert (await raw.send(place, {"content": "x"})).code == 10003
    with pytest.raises(discord.NotFound) as gone:
        await interaction.edit_original_response(content="x")
    assert gone.value.code == 10003
    with pytest.raises(ValueError, match="only channels"):
        await server.delete_channel(server.dm_ada)
