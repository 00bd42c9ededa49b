"""Several servers, their roles and permissions, and what a session is told of them."""

import discord
import pytest

from bridge.playground.discord import DiscordServer, limits
from bridge.playground.discord.permissions import ADMINISTRATOR, SEND_MESSAGES, VIEW_CHANNEL
from tests.playground.discord.clients import INTENTS, Listener, Raw
from tests.playground.discord.conftest import Connect


async def test_a_channel_can_be_closed_to_everybody_and_open_to_a_role(
    server: DiscordServer, client: Listener, raw: Raw
) -> None:
    staff = await server.add_role("Staff", server.ada)
    await server.overwrite(server.support, server.guild_id, deny=VIEW_CHANNEL)
    assert (await raw.send(server.support, {"content": "x"})).code == 50001
    with pytest.raises(ValueError, match="not seen"):
        await server.post_as(server.ada, server.support, "hello")
    await server.overwrite(server.support, staff, allow=VIEW_CHANNEL)
    await server.post_as(server.ada, server.support, "among us")
    await server.overwrite(server.support, server.bot_role_id, allow=VIEW_CHANNEL, deny=SEND_MESSAGES)
    await server.post_as(server.ada, server.support, "with the bot")
    await client.until(lambda: client.texts() == ["with the bot"])
    channel = client.text_channel(server.support)
    mine = channel.permissions_for(channel.guild.me)
    assert (mine.view_channel, mine.send_messages) == (True, False)
    assert (await raw.send(server.support, {"content": "x"})).code == 50013
    await server.overwrite(server.support, server.bot_id, allow=SEND_MESSAGES)
    assert (await raw.send(server.support, {"content": "x"})).status == 200


async def test_an_administrator_sees_everything(server: DiscordServer, raw: Raw) -> None:
    await server.overwrite(server.support, server.guild_id, deny=VIEW_CHANNEL)
    await server.add_role("Owners", server.grace, permissions=ADMINISTRATOR)
    assert await server.post_as(server.grace, server.support, "hello")
    server.permissions[server.guild_id] = ADMINISTRATOR
    assert (await raw.send(server.support, {"content": "x"})).status == 200


async def test_threads_have_the_permissions_of_their_channel(server: DiscordServer, raw: Raw) -> None:
    thread = await server.open_thread_as(server.ada, server.support, "Plans")
    await server.overwrite(server.support, server.guild_id, deny=VIEW_CHANNEL)
    assert (await raw.send(thread, {"content": "x"})).code == 50001
    with pytest.raises(ValueError, match="only channels"):
        await server.overwrite(thread, server.guild_id, deny=VIEW_CHANNEL)


async def test_what_the_bot_may_in_the_whole_server_is_what_its_roles_say(
    server: DiscordServer, connect: Connect
) -> None:
    server.permissions[server.guild_id] = VIEW_CHANNEL
    client = await connect()
    channel = client.text_channel(server.general)
    assert channel.permissions_for(channel.guild.me) == discord.Permissions(VIEW_CHANNEL)


async def test_roles_come_with_members_and_can_be_mentioned(server: DiscordServer, client: Listener) -> None:
    staff = await server.add_role("Staff", server.ada)
    await server.post_as(server.ada, server.general, f"<@&{staff}> look, <@{server.grace}>")
    await client.until(lambda: bool(client.heard))
    (message,) = client.heard
    assert isinstance(message.author, discord.Member)
    assert [one.name for one in message.author.roles] == ["@everyone", "Staff"]
    assert [one.name for one in message.role_mentions] == ["Staff"]
    assert [one.display_name for one in message.mentions] == ["Grace"]


async def test_every_server_has_its_own_channels_and_role_of_the_bot(
    server: DiscordServer, client: Listener, raw: Raw
) -> None:
    other = await server.add_guild("Other", channels=("lobby", "den"))
    await client.until(lambda: len(client.guilds) == 2)
    joined = client.get_guild(int(other.id))
    assert joined is not None
    assert [one.name for one in joined.text_channels] == ["lobby", "den"]
    assert joined.self_role is not None
    assert str(joined.self_role.id) == other.bot_role_id
    lobby = other.channel_ids[0]
    await server.post_as(server.ada, lobby, f"<@&{other.bot_role_id}> hello")
    await client.until(lambda: bool(client.heard))
    assert client.heard[0].guild == joined
    assert client.heard[0].role_mentions == [joined.self_role]
    assert [one.id async for one in client.fetch_guilds()] == [int(server.guild_id), int(other.id)]
    await server.remove_bot(other.id)
    await client.until(lambda: len(client.guilds) == 1)
    assert (await raw.send(lobby, {"content": "x"})).code == 50001
    assert (await raw.call("GET", f"/guilds/{other.id}")).code == 10004
    await server.invite_bot(other.id)
    await client.until(lambda: len(client.guilds) == 2)


async def test_a_session_begins_with_all_of_many_servers(server: DiscordServer, connect: Connect) -> None:
    await server.add_guilds(30, channels=5, roles=3)
    client = await connect()
    assert len(client.guilds) == 31
    last = client.guilds[-1]
    assert (len(last.text_channels), len(last.roles)) == (5, 5)


async def test_a_shard_is_told_of_its_own_servers_only(server: DiscordServer, connect: Connect) -> None:
    await server.add_guilds(9)
    server.shards = 2
    clients = [await connect(kind=kind) for kind in (_First, _Second)]
    assert [len(one.guilds) for one in clients] == [5, 5]
    for guild in clients[1].guilds:
        assert (guild.id >> 22) % 2 == 1
    await server.post_as(server.ada, server.dm_ada, "direct")
    await clients[0].until(lambda: clients[0].texts() == ["direct"])
    assert clients[1].heard == []


class _First(Listener):
    def __init__(self, intents: discord.Intents = INTENTS) -> None:
        super().__init__(intents, shard=0, shards=2)


class _Second(Listener):
    def __init__(self, intents: discord.Intents = INTENTS) -> None:
        super().__init__(intents, shard=1, shards=2)


async def test_the_days_identifies_are_counted_and_end(server: DiscordServer, pointed: None, raw: Raw) -> None:
    server.identifies_before = limits.IDENTIFIES_PER_DAY
    answer = await raw.call("GET", "/gateway/bot")
    assert isinstance(answer.body["session_start_limit"], dict)
    assert answer.body["session_start_limit"]["remaining"] == 0
    client = Listener()
    with pytest.raises(discord.ConnectionClosed) as closed:
        await client.start(server.token)
    assert closed.value.code == 4004
    await client.close()


async def test_the_channels_of_a_server_are_listed_without_its_threads(server: DiscordServer, client: Listener) -> None:
    await server.open_thread_as(server.ada, server.general, "Plans")
    listed = await client.guilds[0].fetch_channels()
    assert [one.name for one in listed] == ["general", "support"]
