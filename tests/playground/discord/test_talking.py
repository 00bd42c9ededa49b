"""The real client's ordinary day at the stand-in."""

import discord
import pytest

from bridge.playground.discord import Attachment, DiscordServer
from tests.playground.discord.clients import Listener


async def test_the_client_logs_in_and_sees_the_server(server: DiscordServer, client: Listener) -> None:
    assert client.user is not None
    assert (str(client.user.id), client.user.name) == (server.bot_id, "bridge")
    assert client.application_id == int(server.application_id)
    assert [guild.id for guild in client.guilds] == [int(server.guild_id)]
    assert {channel.name for channel in client.guilds[0].text_channels} == {"general", "support"}
    role = client.guilds[0].self_role
    assert role is not None
    assert str(role.id) == server.bot_role_id
    assert client.text_channel(server.general).permissions_for(client.guilds[0].me).value == 309237763136
    assert (server.identifies, len(server.sessions)) == (1, 1)


async def test_a_mention_arrives_with_everything_that_a_bot_reads(server: DiscordServer, client: Listener) -> None:
    text = f"<@{server.bot_id}> and <@&{server.bot_role_id}>, hello"
    message_id = await server.post_as(server.ada, server.general, text, attachments=[Attachment(filename="a.txt")])
    await client.until(lambda: len(client.heard) == 1)
    (message,) = client.heard
    assert (str(message.id), message.content) == (message_id, text)
    assert (str(message.author.id), message.author.display_name, message.author.bot) == (server.ada, "Ada", False)
    assert client.user in message.mentions
    assert [str(role.id) for role in message.role_mentions] == [server.bot_role_id]
    assert message.guild is not None
    assert [one.filename for one in message.attachments] == ["a.txt"]


async def test_a_mention_inside_code_is_only_text(server: DiscordServer, client: Listener) -> None:
    await server.post_as(server.ada, server.general, f"`<@{server.bot_id}>` is how to call me")
    await client.until(lambda: len(client.heard) == 1)
    assert client.heard[0].mentions == []


async def test_a_reply_carries_the_message_it_answers(server: DiscordServer, client: Listener) -> None:
    sent = await client.text_channel(server.general).send("first")
    await server.post_as(server.grace, server.general, "second", reply_to=str(sent.id))
    await client.until(lambda: "second" in client.texts())
    reply = client.heard[-1]
    assert reply.reference is not None
    resolved = reply.reference.resolved
    assert isinstance(resolved, discord.Message)
    assert (resolved.id, resolved.author.id, resolved.content) == (sent.id, sent.author.id, "first")
    assert client.user in reply.mentions  # the client pings whom it replies to unless told otherwise


async def test_a_quiet_reply_mentions_nobody(server: DiscordServer, client: Listener) -> None:
    sent = await client.text_channel(server.general).send("first")
    await server.post_as(server.grace, server.general, "second", reply_to=str(sent.id), ping_reply=False)
    await client.until(lambda: "second" in client.texts())
    assert client.heard[-1].mentions == []


async def test_the_bot_replies_and_hears_itself(server: DiscordServer, client: Listener) -> None:
    question = await server.post_as(server.ada, server.general, "hello?")
    await client.until(lambda: len(client.heard) == 1)
    await client.heard[0].reply("hello!", mention_author=False)
    await client.until(lambda: len(client.heard) == 2)
    assert client.heard[1].author == client.user
    assert [one.reference for one in server.messages(server.general)] == [None, question]


async def test_an_edit_is_shown_and_its_growth_kept(server: DiscordServer, client: Listener) -> None:
    sent = await client.text_channel(server.general).send("gro")
    await sent.edit(content="growing")
    await client.until(lambda: len(client.edits) == 1)
    assert client.edits[0].message.content == "growing"
    assert client.edits[0].message.edited_at is not None
    (kept,) = server.messages(server.general)
    assert kept.edited is not None
    assert [content for _, content in kept.history] == ["gro", "growing"]
    assert kept.history[0][0] < kept.history[1][0]


async def test_a_thread_from_a_message_has_its_id_and_an_empty_starter(server: DiscordServer, client: Listener) -> None:
    question = await server.post_as(server.ada, server.general, "a long story")
    await client.until(lambda: len(client.heard) == 1)
    thread = await client.heard[0].create_thread(name="Story")
    assert str(thread.id) == question
    await thread.send("once upon a time")
    await client.until(lambda: "once upon a time" in client.texts())
    starter = client.heard[1]
    assert starter.type is discord.MessageType.thread_starter_message
    assert starter.content == ""
    assert starter.reference is not None
    assert isinstance(starter.reference.resolved, discord.Message)
    assert starter.reference.resolved.content == "a long story"
    assert isinstance(client.heard[2].channel, discord.Thread)
    assert [one.name for one in server.threads(server.general)] == ["Story"]
    assert [one.kind for one in server.messages(server.general)] == [0]  # nothing new in the parent
    assert [one.flags for one in server.messages(server.general)] == [1 << 5]
    assert (await client.text_channel(server.general).fetch_message(int(question))).thread == thread


async def test_a_thread_that_a_person_starts_is_announced(server: DiscordServer, client: Listener) -> None:
    thread_id = await server.open_thread_as(server.ada, server.general, "Plans")
    await client.until(lambda: len(client.opened) == 1 and len(client.heard) == 1)
    assert (str(client.opened[0].id), client.opened[0].name, str(client.opened[0].owner_id)) == (
        thread_id,
        "Plans",
        server.ada,
    )
    assert client.heard[0].type is discord.MessageType.thread_created
    assert str(client.heard[0].channel.id) == server.general


async def test_a_forum_post_is_a_thread_whose_first_message_has_its_id(server: DiscordServer, client: Listener) -> None:
    forum = await server.add_channel("ideas", forum=True)
    await client.until(lambda: client.channels_made == ["ideas"])
    post = await server.open_thread_as(server.grace, forum, "More tea", text="Could we?")
    await client.until(lambda: client.texts() == ["Could we?"])
    assert str(client.heard[0].id) == post == str(client.heard[0].channel.id)
    with pytest.raises(discord.HTTPException) as refused:
        await client.place(forum).send("not here")
    assert refused.value.code == 50008


async def test_a_bot_that_starts_late_finds_open_threads(server: DiscordServer, client: Listener) -> None:
    thread_id = await server.open_thread_as(server.ada, server.general, "Plans")
    archived = await server.open_thread_as(server.ada, server.general, "Old")
    await server.archive_as(server.ada, archived)
    await server.invalidate_sessions()
    await client.until(lambda: client.ready_count == 2)
    assert [str(one.id) for one in client.guilds[0].threads] == [thread_id]


async def test_direct_messages_work_in_both_directions(server: DiscordServer, client: Listener) -> None:
    await server.post_as(server.ada, server.dm_ada, "psst")
    await client.until(lambda: len(client.heard) == 1)
    assert isinstance(client.heard[0].channel, discord.DMChannel)
    assert client.heard[0].guild is None
    await client.heard[0].channel.send("yes?")
    ada = await client.fetch_user(int(server.ada))
    assert str((await ada.create_dm()).id) == server.dm_ada
    linus = await client.fetch_user(int(server.linus))
    opened = await linus.create_dm()
    await opened.send("hello Linus")
    assert [one.content for one in server.messages(server.dm_ada)] == ["psst", "yes?"]
    assert [one.content for one in server.messages(str(opened.id))] == ["hello Linus"]


async def test_reactions_tell_whose_message_they_are_on(server: DiscordServer, client: Listener) -> None:
    sent = await client.text_channel(server.general).send("an answer")
    await server.react(server.grace, server.general, str(sent.id), "👍")
    await server.react(server.grace, server.general, str(sent.id), "👍")
    await server.unreact(server.grace, server.general, str(sent.id), "👍")
    await client.until(lambda: len(client.reactions) == 2)
    added, removed = client.reactions
    assert (added.event_type, str(added.user_id), added.emoji.name) == ("REACTION_ADD", server.grace, "👍")
    assert str(added.message_author_id) == server.bot_id
    assert added.member is not None
    assert removed.event_type == "REACTION_REMOVE"
    assert server.messages(server.general)[0].reactions == {}


async def test_the_bot_reacts_and_takes_it_back(server: DiscordServer, client: Listener) -> None:
    sent = await client.text_channel(server.general).send("an answer")
    await sent.add_reaction("👀")
    assert server.messages(server.general)[0].reactions == {"👀": [server.bot_id]}
    again = await client.place(server.general).fetch_message(sent.id)
    assert [str(user.id) async for user in again.reactions[0].users()] == [server.bot_id]
    assert client.user is not None
    await sent.remove_reaction("👀", client.user)
    assert server.messages(server.general)[0].reactions == {}
    with pytest.raises(discord.HTTPException) as refused:
        await sent.add_reaction("nonsense")
    assert refused.value.code == 10014


async def test_what_people_edit_and_delete_is_told(server: DiscordServer, client: Listener) -> None:
    message_id = await server.post_as(server.ada, server.general, "frist")
    await server.edit_as(server.ada, server.general, message_id, "first")
    await server.delete_as(server.ada, server.general, message_id)
    await client.until(lambda: client.deleted == [int(message_id)])
    assert [one.message.content for one in client.edits] == ["first"]
    assert server.messages(server.general) == []
    with pytest.raises(discord.NotFound) as gone:
        await client.place(server.general).fetch_message(int(message_id))
    assert gone.value.code == 10008


async def test_history_reads_on_from_a_message_oldest_first(server: DiscordServer, client: Listener) -> None:
    ids = [await server.post_as(server.ada, server.general, f"line {n}") for n in range(5)]
    after = client.place(server.general).history(after=discord.Object(int(ids[1])), oldest_first=True, limit=2)
    assert [one.content async for one in after] == ["line 2", "line 3"]
    before = client.place(server.general).history(before=discord.Object(int(ids[2])), limit=10)
    assert [one.content async for one in before] == ["line 1", "line 0"]
    around = client.place(server.general).history(around=discord.Object(int(ids[2])), limit=3)
    assert sorted([one.content async for one in around]) == ["line 1", "line 2", "line 3"]


async def test_typing_is_recorded_and_shown_until_the_message(server: DiscordServer, client: Listener) -> None:
    await client.http.send_typing(int(server.general))
    assert len(server.typing[server.general]) == 1
    assert server.snapshot()["typing"] == [server.general]
    await client.text_channel(server.general).send("there")
    assert server.snapshot()["typing"] == []


async def test_other_bots_and_webhooks_are_marked(server: DiscordServer, client: Listener) -> None:
    await server.post_as(server.linus, server.general, "beep", is_bot=True)
    await server.post_as(server.linus, server.general, "hook", webhook=True)
    await client.until(lambda: len(client.heard) == 2)
    assert [one.author.bot for one in client.heard] == [True, True]
    assert client.heard[0].webhook_id is None
    assert client.heard[1].webhook_id is not None


async def test_sending_opens_an_archived_thread_again(server: DiscordServer, client: Listener) -> None:
    thread_id = await server.open_thread_as(server.ada, server.general, "Plans")
    sent = await client.place(thread_id).send("one")
    await server.archive_as(server.ada, thread_id)
    with pytest.raises(discord.HTTPException) as refused:
        await sent.edit(content="two")
    assert refused.value.code == 50083
    await client.place(thread_id).send("three")
    assert not server.channels[thread_id].archived
    await sent.edit(content="two")
    await server.archive_as(server.ada, thread_id, locked=True)
    with pytest.raises(discord.HTTPException) as locked:
        await client.place(thread_id).send("four")
    assert locked.value.code == 160005


async def test_the_bot_renames_and_archives_only_its_own_thread(server: DiscordServer, client: Listener) -> None:
    question = await server.post_as(server.ada, server.general, "hm")
    await client.until(lambda: len(client.heard) == 1)
    own = await client.heard[0].create_thread(name="Question")
    await own.edit(name="Answer", archived=True)
    assert (server.channels[question].name, server.channels[question].archived) == ("Answer", True)
    other = await server.open_thread_as(server.ada, server.general, "Plans")
    foreign = await client.fetch_channel(int(other))
    assert isinstance(foreign, discord.Thread)
    with pytest.raises(discord.Forbidden) as refused:
        await foreign.edit(name="Mine")
    assert refused.value.code == 50013


async def test_a_watcher_is_told_of_changes_until_it_stops(server: DiscordServer) -> None:
    seen: list[int] = []
    stop = server.on_change(lambda: seen.append(len(server.messages(server.general))))
    await server.post_as(server.ada, server.general, "one")
    stop()
    await server.post_as(server.ada, server.general, "two")
    assert seen == [1]
    channels = server.snapshot()["channels"]
    assert isinstance(channels, list)
    assert [one["content"] for one in channels[0]["messages"]] == ["one", "two"]
