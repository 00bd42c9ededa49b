"""`check` says of each place that a route names what the bot may not do there."""

from collections.abc import Mapping

import pytest

from adapters.discord.adapter import DiscordPlatform
from adapters.discord.installs.looking import granted_in
from adapters.discord.installs.permissions import ADMINISTRATOR
from bridge.messages import ChannelId, InstallationId
from bridge.platform_api import ChecksPlaces, ConfiguredPlace, Finding, Severity
from bridge.playground.discord import DiscordServer
from bridge.playground.discord.permissions import (
    ATTACH_FILES,
    CREATE_PUBLIC_THREADS,
    DEFAULT_PERMISSIONS,
    SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
    VIEW_CHANNEL,
)
from tests.adapters.discord.conftest import Make


def named(channel: str, **more: object) -> ConfiguredPlace:
    return ConfiguredPlace(where="line 4", channel=ChannelId(channel), **more)  # type: ignore[arg-type]


async def look(platform: DiscordPlatform, *places: ConfiguredPlace) -> list[Finding]:
    assert isinstance(platform, ChecksPlaces)
    return list(await platform.check_places(places))


async def test_a_channel_where_all_is_well_is_told_by_its_name(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    (finding,) = await look(platform, named(server.general))
    assert (finding.severity, finding.subject) == (Severity.OK, "Discord channel #general (line 4)")


async def test_what_is_missing_in_one_channel_is_named_with_what_it_disables(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~CREATE_PUBLIC_THREADS & ~ATTACH_FILES
    lacking, fine = await look(platform, named(server.general), named(server.support))
    assert lacking.severity is Severity.WARNING
    assert "missing Create Public Threads: questions are answered by a reply" in lacking.problem
    assert "missing Attach Files" in lacking.problem
    assert f"client_id={server.application_id}" in lacking.fix
    assert fine.severity is Severity.OK


async def test_what_the_bot_cannot_do_without_is_an_error(server: DiscordServer, platform: DiscordPlatform) -> None:
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~SEND_MESSAGES
    (finding,) = await look(platform, named(server.general))
    assert finding.severity is Severity.ERROR


async def test_a_channel_that_is_hidden_from_the_bot_lacks_nothing_else(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~VIEW_CHANNEL
    (finding,) = await look(platform, named(server.general))
    assert finding.severity is Severity.ERROR
    assert "View Channels" in finding.problem
    assert "Send" not in finding.problem


async def test_where_answers_are_replies_no_threads_need_be_opened(
    server: DiscordServer, platform: DiscordPlatform
) -> None:
    server.permissions[server.general] = DEFAULT_PERMISSIONS & ~CREATE_PUBLIC_THREADS
    (finding,) = await look(platform, named(server.general, in_threads=False))
    assert finding.severity is Severity.OK


async def test_a_channel_that_is_not_there_is_an_error(server: DiscordServer, platform: DiscordPlatform) -> None:
    (finding,) = await look(platform, named("4711"))
    assert finding.severity is Severity.ERROR
    assert "channel 4711" in finding.subject
    assert "Copy Channel ID" in finding.fix


async def test_a_server_without_the_bot_is_an_error(server: DiscordServer, platform: DiscordPlatform) -> None:
    here = ConfiguredPlace(where="line 1", installation=InstallationId(server.guild_id))
    elsewhere = ConfiguredPlace(where="line 2", installation=InstallationId("4711"))
    fine, wrong = await look(platform, here, elsewhere)
    assert (fine.severity, fine.subject) == (Severity.OK, f"Discord server {server.guild_name} (line 1)")
    assert wrong.severity is Severity.ERROR
    assert "oauth2/authorize" in wrong.fix


async def test_a_route_that_no_message_can_fit_is_an_error(server: DiscordServer, platform: DiscordPlatform) -> None:
    (finding,) = await look(platform, named(server.general, installation=InstallationId("4711")))
    assert finding.severity is Severity.ERROR
    assert "another server" in finding.problem


async def test_a_thread_is_no_place_for_a_route(server: DiscordServer, platform: DiscordPlatform) -> None:
    message = await server.post_as(server.ada, server.general, "Let us talk")
    thread = await server.open_thread_as(server.ada, server.general, "Talk", message_id=message)
    (finding,) = await look(platform, named(thread))
    assert finding.severity is Severity.ERROR
    assert server.general in finding.fix


async def test_following_everything_needs_the_intent(server: DiscordServer, platform: DiscordPlatform) -> None:
    everything = named(server.general, everything=True)
    assert [each.severity for each in await look(platform, everything)] == [Severity.OK]
    server.message_content_allowed = False
    _, finding = await look(platform, everything)
    assert finding.severity is Severity.WARNING
    assert "Message Content" in finding.problem


async def test_a_discord_that_cannot_be_asked_is_a_finding(server: DiscordServer, make: Make) -> None:
    (finding,) = await look(make(discord_api_url="http://127.0.0.1:9/api/v10"), named(server.general))
    assert finding.subject == "Discord API"


ME, GUILD, ROLE, OTHER = 7, 1, 2, 3


def granted(*overwrites: tuple[int, int, int], everyone: int = 0, role: int = 0, owner: int = 9) -> int:
    """Each overwrite: whose, allowed, denied."""
    channel: Mapping[str, object] = {
        "permission_overwrites": [
            {"id": str(one), "type": 0, "allow": str(allow), "deny": str(deny)} for one, allow, deny in overwrites
        ]
    }
    roles = [(GUILD, everyone), (ROLE, role), (OTHER, ADMINISTRATOR)]
    guild: Mapping[str, object] = {
        "id": str(GUILD),
        "owner_id": str(owner),
        "roles": [{"id": str(one), "permissions": str(bits)} for one, bits in roles],
    }
    return granted_in(channel, guild, {"roles": [str(ROLE)]}, ME)


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (granted(everyone=VIEW_CHANNEL, role=SEND_MESSAGES), VIEW_CHANNEL | SEND_MESSAGES),
        (granted((GUILD, 0, VIEW_CHANNEL), everyone=VIEW_CHANNEL), 0),
        (granted((GUILD, 0, VIEW_CHANNEL), (ROLE, VIEW_CHANNEL, 0), everyone=VIEW_CHANNEL), VIEW_CHANNEL),
        (granted((ME, 0, VIEW_CHANNEL), (ROLE, VIEW_CHANNEL, 0)), 0),
        (granted((OTHER, VIEW_CHANNEL, 0)), 0),
    ],
)
def test_permissions_are_added_up_as_discord_does(found: int, wanted: int) -> None:
    assert found == wanted


def test_owners_and_administrators_may_do_all() -> None:
    assert granted((GUILD, 0, VIEW_CHANNEL), role=ADMINISTRATOR) & SEND_MESSAGES_IN_THREADS
    assert granted((ME, 0, VIEW_CHANNEL), owner=ME) & VIEW_CHANNEL
