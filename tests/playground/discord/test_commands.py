"""Commands: what may be registered, who is offered them where, and what reaches a real client."""

import discord
import pytest

from bridge.playground.discord import Attachment, DiscordServer, limits
from bridge.playground.discord.buckets import Buckets
from bridge.playground.discord.model import Json
from bridge.playground.discord.permissions import USE_APPLICATION_COMMANDS, USE_EXTERNAL_APPS, VIEW_CHANNEL
from tests.playground.discord.apps import MENU, App
from tests.playground.discord.clients import INTENTS, Raw, Reply
from tests.playground.discord.conftest import Connect


def slash(name: object = "ask", **fields: object) -> Json:
    return {"name": name, "type": 1, "description": "words", **fields}


def option(name: object = "question", **fields: object) -> Json:
    return {"type": 3, "name": name, "description": "words", **fields}


async def put(server: DiscordServer, raw: Raw, commands: object) -> Reply:
    return await raw.call("PUT", f"/applications/{server.application_id}/commands", commands)


async def test_a_real_tree_registers_its_commands_and_reads_them_back(server: DiscordServer, app: App) -> None:
    assert [(one.name, one.kind) for one in server.commands] == [("ask", 1), ("reset", 1), (MENU, 3)]
    ask = server.commands[0]
    assert [(one.name, one.kind, one.required, one.most) for one in ask.options] == [
        ("question", 3, True, 2000),
        ("file", 11, False, None),
    ]
    assert (ask.contexts, ask.integration_types) == ((0, 1, 2), (0, 1))
    fetched = await app.tree.fetch_commands()
    assert [(str(one.id), one.name) for one in fetched] == [(one.id, one.name) for one in server.commands]


async def test_registering_the_same_again_keeps_ids_and_costs_nothing_of_the_day(
    server: DiscordServer, app: App
) -> None:
    before = list(server.commands)
    await app.tree.sync()
    assert server.commands == before
    assert (server.command_puts, len(server.command_creates)) == (2, 3)
    app.tree.remove_command("reset")
    await app.tree.sync()
    assert [one.id for one in server.commands] == [before[0].id, before[2].id]


async def test_two_hundred_new_commands_a_day_are_all(server: DiscordServer, raw: Raw) -> None:
    server.command_creates = [server.clock.monotonic()] * (limits.COMMAND_CREATES - 1)
    assert (await put(server, raw, [slash("one")])).status == 200
    refused = await put(server, raw, [slash("one"), slash("two")])
    assert (refused.status, refused.code) == (400, 30034)
    assert [one.name for one in server.commands] == ["one"]


@pytest.mark.parametrize(
    "command",
    [
        "ask",
        slash(""),
        slash("x" * 33),
        slash("Ask"),
        slash("ask me"),
        slash("ask!"),
        slash(description=""),
        slash(description="x" * 101),
        slash(type=4),
        slash(contexts=[3]),
        slash(contexts=[]),
        slash(integration_types=[2]),
        slash(integration_types=[0, 0]),
        slash(default_member_permissions="many"),
        slash(nsfw="no"),
        slash(options={}),
        slash(options=[option(f"o{n}") for n in range(26)]),
        slash(options=[option("same"), option("same")]),
        slash(options=[option("a"), option("b", required=True)]),
        slash(options=[option("A")]),
        slash(options=[option(description="")]),
        slash(options=[option(type=12)]),
        slash(options=[option(max_length=6001)]),
        slash(options=[option(min_length=3, max_length=2)]),
        slash(options=[option(choices=[{"name": "x", "value": 1}])]),
        slash(options=[option(choices=[{"name": "x", "value": "x"}] * 26)]),
        slash(options=[option(f"o{n}", choices=[{"name": "x" * 100, "value": "y" * 100}] * 25) for n in range(2)]),
        {"name": "Look", "type": 3, "description": "words"},
    ],
)
async def test_a_malformed_command_is_refused(server: DiscordServer, raw: Raw, command: object) -> None:
    refused = await put(server, raw, [command])
    assert (refused.status, refused.code) == (400, 50035)
    assert server.commands == []


async def test_commands_have_unique_names_and_a_number_by_type(server: DiscordServer, raw: Raw) -> None:
    assert (await put(server, raw, [slash(), slash()])).code == 50035
    menus = [{"name": f"Menu {n}", "type": 3} for n in range(16)]
    assert (await put(server, raw, menus)).code == 50035
    server.buckets = Buckets(server.clock)
    assert (await put(server, raw, [*menus[:15], slash("größe-2")])).status == 200
    assert (await put(server, raw, {"name": "no list"})).code == 50109
    server.buckets = Buckets(server.clock)
    elsewhere = await raw.call("PUT", "/applications/1/commands", [])
    assert (elsewhere.status, elsewhere.code) == (404, 10002)


async def test_a_slash_command_brings_its_options_its_file_and_who_asked(server: DiscordServer, app: App) -> None:
    role = await server.add_role("Staff", server.ada)
    report = Attachment(filename="report.txt", content_type="text/plain", size=5, content=b"hello")
    number = await server.command(server.ada, server.general, "ask", {"question": "why?"}, {"file": report})
    await app.until(lambda: bool(app.asked))
    interaction, question, file = app.asked[0]
    assert (str(interaction.id), question) == (number, "why?")
    assert isinstance(interaction.user, discord.Member)
    assert (interaction.user.display_name, [str(one.id) for one in interaction.user.roles[1:]]) == ("Ada", [role])
    assert interaction.permissions.send_messages
    assert interaction.app_permissions.attach_files
    assert interaction.is_guild_integration()
    assert file is not None
    assert (file.filename, await file.read()) == ("report.txt", b"hello")
    assert interaction.filesize_limit == limits.MAX_FILE_BYTES


async def test_a_command_works_in_threads_and_direct_messages(server: DiscordServer, app: App) -> None:
    thread = await server.open_thread_as(server.ada, server.general, "Plans")
    await server.command(server.ada, thread, "/ask", {"question": "in a thread"})
    await server.command(server.ada, server.dm_ada, "ask", {"question": "direct"})
    await app.until(lambda: len(app.asked) == 2)
    (first, _, _), (second, _, _) = app.asked
    assert isinstance(first.channel, discord.Thread)
    assert isinstance(second.channel, discord.DMChannel)
    assert (second.guild, second.user.display_name) == (None, "Ada")


@pytest.mark.parametrize(
    ("options", "files", "why"),
    [
        ({}, {}, "needs `question`"),
        ({"question": 7}, {}, "does not take"),
        ({"question": ""}, {}, "characters"),
        ({"question": "x" * 2001}, {}, "bounds"),
        ({"question": "x", "colour": "red"}, {}, "no options"),
        ({"question": "x", "file": "a.txt"}, {}, "takes a file"),
        ({}, {"question": Attachment(filename="a")}, "takes no file"),
        ({"question": "x"}, {"file": Attachment(filename="a", size=limits.MAX_FILE_BYTES + 1)}, "too large"),
    ],
)
async def test_the_client_sends_no_command_that_is_not_complete(
    server: DiscordServer, app: App, options: dict[str, str], files: dict[str, Attachment], why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        await server.command(server.ada, server.general, "ask", options, files)
    assert server.interactions == {}


async def test_a_menu_on_a_message_brings_it_whole_without_the_content_intent(
    server: DiscordServer, connect: Connect
) -> None:
    intents = discord.Intents(INTENTS.value)
    intents.message_content = False
    app = await connect(intents, App)
    assert isinstance(app, App)
    await app.tree.sync()
    said = await server.post_as(
        server.grace, server.general, "the secret", attachments=[Attachment(filename="plan.txt")]
    )
    await app.until(lambda: bool(app.heard))
    assert app.heard[0].content == ""
    await server.message_command(server.ada, server.general, MENU, said)
    await app.until(lambda: bool(app.pointed))
    interaction, message = app.pointed[0]
    assert (str(message.id), message.content, message.author.display_name) == (said, "the secret", "Grace")
    assert [one.filename for one in message.attachments] == ["plan.txt"]
    assert interaction.user.display_name == "Ada"


async def test_commands_are_offered_only_where_they_may_be_used(server: DiscordServer, app: App) -> None:
    ask = {"question": "x"}
    with pytest.raises(ValueError, match="no command"):
        await server.command(server.ada, server.general, "stop")
    await server.overwrite(server.general, server.guild_id, deny=USE_APPLICATION_COMMANDS)
    with pytest.raises(ValueError, match="may not use"):
        await server.command(server.ada, server.general, "ask", ask)
    await server.overwrite(server.support, server.grace, deny=VIEW_CHANNEL)
    with pytest.raises(ValueError, match="does not see"):
        await server.command(server.grace, server.support, "ask", ask)
    with pytest.raises(ValueError, match="does not see"):
        await server.command(server.grace, server.dm_ada, "ask", ask)
    elsewhere = await server.add_guild("Elsewhere", bot=False)
    with pytest.raises(ValueError, match="not installed"):
        await server.command(server.ada, elsewhere.channel_ids[0], "ask", ask)


async def test_a_command_for_moderators_is_offered_to_them_alone(server: DiscordServer, raw: Raw) -> None:
    manage = 1 << 4
    await put(server, raw, [slash("reset", default_member_permissions=str(manage))])
    await server.add_role("Moderators", server.grace, permissions=manage)
    with pytest.raises(ValueError, match="lacks"):
        await server.command(server.ada, server.general, "reset")
    assert await server.command(server.grace, server.general, "reset")


async def test_a_persons_own_app_goes_where_the_bot_is_not(server: DiscordServer, app: App, raw: Raw) -> None:
    server.install_for(server.ada)
    elsewhere = await server.add_guild("Elsewhere", bot=False)
    place = elsewhere.channel_ids[0]
    number = await server.command(server.ada, place, "ask", {"question": "far away"})
    await app.until(lambda: bool(app.asked))
    interaction, _, _ = app.asked[0]
    assert (interaction.is_user_integration(), interaction.is_guild_integration()) == (True, False)
    assert str(interaction.guild_id) == elsewhere.id
    assert app.get_guild(int(elsewhere.id)) is None
    await interaction.response.defer()
    await interaction.edit_original_response(content="here")
    assert [one.content for one in server.messages(place)] == ["here"]
    for n in range(limits.MAX_USER_FOLLOW_UPS):
        server.buckets = Buckets(server.clock)
        await interaction.followup.send(f"part {n}")
    with pytest.raises(discord.HTTPException) as refused:
        await interaction.followup.send("one too many")
    assert refused.value.code == 40094
    assert len(server.interactions[number].follow_ups) == 5
    # Through the channel there is no way: the bot is no member.
    assert (await raw.send(place, {"content": "x"})).code == 50001
    assert all(one.content != "here" for one in app.heard)
    with pytest.raises(ValueError, match="not installed"):
        await server.command(server.grace, place, "ask", {"question": "mine too?"})
    with pytest.raises(ValueError, match="not installed"):
        await server.command(server.ada, place, "reset")  # not for installing for oneself


async def test_a_group_of_people_can_ask_a_persons_own_app(server: DiscordServer, app: App) -> None:
    server.install_for(server.ada)
    group = await server.add_private("Friends", server.ada, server.grace)
    await server.command(server.ada, group, "ask", {"question": "among us"})
    await app.until(lambda: bool(app.asked))
    interaction, _, _ = app.asked[0]
    assert interaction.context.private_channel
    assert isinstance(interaction.channel, discord.GroupChannel)
    await interaction.response.send_message("for the group")
    assert [one.content for one in server.messages(group)] == ["for the group"]


async def test_a_server_can_keep_peoples_own_apps_quiet(server: DiscordServer, app: App) -> None:
    server.install_for(server.ada)
    elsewhere = await server.add_guild("Elsewhere", bot=False)
    place = elsewhere.channel_ids[0]
    await server.overwrite(place, elsewhere.id, deny=USE_EXTERNAL_APPS)
    await server.command(server.ada, place, "ask", {"question": "loud?"})
    await app.until(lambda: bool(app.asked))
    await app.asked[0][0].response.send_message("not loud")
    assert server.messages(place) == []
    assert [one.content for one in server.ephemerals(server.ada)] == ["not loud"]
