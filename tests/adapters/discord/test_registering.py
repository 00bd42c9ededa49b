"""The commands that Discord is told of: once, and only where it knows others."""

import pytest

from adapters.discord.installs.permissions import COMMANDS
from adapters.discord.interactions.commands import ASK_ABOUT, are_registered, wanted
from adapters.discord.settings import Settings
from bridge.playground.discord import DiscordServer, Fault
from tests.adapters.discord.conftest import Inbox, Make, hearing, offered, until

PUT = "PUT /applications/{application_id}/commands"


async def test_the_commands_are_there_soon_after_the_start(server: DiscordServer, make: Make, inbox: Inbox) -> None:
    async with hearing(make(), inbox):
        await offered(server)
    assert [(one.name, one.kind) for one in server.commands] == [
        ("ask", 1),
        ("reset", 1),
        ("stop", 1),
        ("app", 1),
        ("history", 1),
        ("forget", 1),
        ("help", 1),
        (ASK_ABOUT, 3),
    ]
    places = {one.name: (one.contexts, one.integration_types) for one in server.commands}
    assert places["ask"] == places[ASK_ABOUT] == ((0, 1, 2), (0, 1))
    assert {places[name] for name in ("reset", "stop", "app", "history", "forget", "help")} == {((0, 1), (0,))}
    assert [(one.name, one.kind, one.required) for one in server.commands[0].options] == [
        ("question", 3, True),
        ("file", 11, False),
    ]


async def test_a_second_start_changes_nothing(server: DiscordServer, make: Make, inbox: Inbox) -> None:
    async with hearing(make(), inbox):
        await offered(server)
    async with hearing(make(), inbox):
        asked = "/applications/{application_id}/commands"
        await until(lambda: sum(each.route == asked and each.status == 200 for each in server.calls) == 3, "for a look")
    assert server.command_puts == 1


async def test_what_the_operator_changes_is_told(server: DiscordServer, make: Make, inbox: Inbox) -> None:
    async with hearing(make(), inbox):
        await offered(server)
    async with hearing(make(discord_user_install=False), inbox):
        await until(lambda: server.command_puts == 2, "for the changed commands")
    assert {one.integration_types for one in server.commands} == {(0,)}
    assert {one.contexts for one in server.commands} == {(0, 1)}
    async with hearing(make(discord_commands=False), inbox):
        await until(lambda: server.command_puts == 3, "for the commands to go")
    assert server.commands == []


async def test_none_are_told_of_where_none_are_wanted_or_there(server: DiscordServer, make: Make, inbox: Inbox) -> None:
    platform = make(discord_commands=False)
    async with hearing(platform, inbox):
        await until(lambda: any(each.route.endswith("/commands") for each in server.calls), "for a look")
        assert platform.name_ways() == []
    assert server.command_puts == 0


async def test_a_refusal_is_told_to_the_operator_and_harms_nothing_else(
    server: DiscordServer, make: Make, inbox: Inbox
) -> None:
    server.faults.fail_next[PUT] = [Fault(status=400, code=30034)]
    platform = make()
    async with hearing(platform, inbox):
        await until(lambda: "commands could not be registered" in platform.health().detail, "to be told")
        assert platform.health().hearing
        await server.post_as(server.ada, server.general, f"<@{server.bot_id}> still there?")
        await inbox.message("still there?")
    assert server.command_puts == 0


async def test_a_limit_is_waited_out_while_the_bot_hears(server: DiscordServer, make: Make, inbox: Inbox) -> None:
    server.faults.fail_next[PUT] = [Fault(kind="rate_limit", retry_after=40.0)]
    platform = make()
    async with hearing(platform, inbox):
        await until(lambda: "commands are not registered yet" in platform.health().detail, "to be told")


def test_what_discord_adds_makes_no_difference() -> None:
    commands = wanted(Settings.model_validate({}))
    told = [
        {
            **each,
            "id": str(number),
            "version": "1",
            "default_member_permissions": None,
            "contexts": list(reversed(each["contexts"])) if isinstance(each["contexts"], list) else None,
            "description": each.get("description", ""),
            "nsfw": False,
        }
        for number, each in enumerate(reversed(commands))
    ]
    assert are_registered(commands, told)
    assert not are_registered(commands, told[1:])


@pytest.mark.parametrize("change", [{"description": "other"}, {"contexts": [0]}, {"options": []}, {"name": "other"}])
def test_any_change_that_people_see_makes_one(change: dict[str, object]) -> None:
    commands = wanted(Settings.model_validate({}))
    assert not are_registered(commands, [{**commands[0], **change}, *commands[1:]])


def test_what_a_check_looks_for_is_what_is_offered() -> None:
    assert list(COMMANDS) == [each["name"] for each in wanted(Settings.model_validate({}))]


async def test_ways_to_ask_are_named_for_people(make: Make) -> None:
    ways = "\n".join(make().name_ways())
    assert "`/ask`" in ways
    assert ASK_ABOUT in ways
    assert "add me to your account" in ways
    assert "add me to your account" not in "\n".join(make(discord_user_install=False).name_ways())
