"""What an operator is told to set up: links that ask for what is used and nothing else, and steps that fit the settings."""

import discord
import pytest
from yarl import URL

from adapters.discord.installs.manifest import application_in, describe_install
from adapters.discord.installs.permissions import (
    ADMINISTRATOR,
    PERMISSIONS,
    Use,
    missing,
    needed_permissions,
    sum_of,
)
from adapters.discord.settings import AppSettings, Settings
from bridge.errors import SettingsError
from bridge.playground.discord import permissions as standin
from bridge.settings import isolated

TOKEN = "MTMwMDAwMDAwMDAwMDAwMDAwMg.Gabcde.this-is-not-a-real-token-at-all"
APPLICATION = "1300000000000000002"


def settings(**values: object) -> AppSettings:
    return isolated(AppSettings, **({"discord_token": TOKEN} | values))


def links(text: str) -> list[URL]:
    return [URL(line.strip()) for line in text.splitlines() if line.strip().startswith("https://")]


def invitations(**values: object) -> list[URL]:
    return [link for link in links(describe_install(settings(**values))) if link.path == "/oauth2/authorize"]


def test_the_invite_link_asks_for_what_is_used_and_nothing_else() -> None:
    to_server, to_person = invitations()
    assert dict(to_server.query) == {
        "client_id": APPLICATION,
        "permissions": "309237746688",
        "integration_type": "0",
        "scope": "bot applications.commands",
    }
    assert dict(to_person.query) == {
        "client_id": APPLICATION,
        "integration_type": "1",
        "scope": "applications.commands",
    }


def test_without_commands_nobody_can_install_it_for_themselves() -> None:
    (to_server,) = invitations(discord_commands=False)
    assert to_server.query["scope"] == "bot"
    text = describe_install(settings(discord_commands=False))
    assert "User Install" not in text
    assert "/ask" not in text


def test_the_link_for_ones_own_account_can_be_left_out() -> None:
    (to_server,) = invitations(discord_user_install=False)
    assert to_server.query["scope"] == "bot applications.commands"


def test_a_tag_for_what_was_solved_needs_one_permission_more() -> None:
    plain, tagged = (sum_of(needed_permissions(settings(discord_solved_tag=tag))) for tag in ("", "Solved"))
    assert tagged - plain == discord.Permissions(manage_threads=True).value


def test_the_steps_are_about_this_application() -> None:
    text = describe_install(settings())
    assert f"https://discord.com/developers/applications/{APPLICATION}/bot" in text
    assert "Switch on Message Content Intent" in text
    assert "Interactions Endpoint URL" in text
    assert "APPLICATION_ID" not in text
    assert TOKEN not in text


def test_an_intent_that_is_not_wanted_is_not_asked_for() -> None:
    assert "Switch on Message Content" not in describe_install(settings(discord_message_content=False))


def test_before_there_is_a_token_the_place_for_the_id_is_shown() -> None:
    text = describe_install(settings(discord_token=None))
    assert "Create an application" in text
    assert "client_id=APPLICATION_ID" in text


def test_what_is_missing_without_a_permission_is_told_for_each() -> None:
    # Lines are wrapped.
    text = " ".join(describe_install(settings(discord_solved_tag="Solved")).split())
    assert [need.name for need in PERMISSIONS if f"{need.name}: {need.without}." not in text] == []


def test_what_only_slack_has_is_refused() -> None:
    for options in ({"http_url": "https://bot.example.com"}, {"plain": True}, {"as_yaml": True}):
        with pytest.raises(SettingsError, match="for Slack"):
            describe_install(settings(), **options)


@pytest.mark.parametrize("token", ["", "not base64.x.y", "YWJj.x.y", "é.x.y"])
def test_a_token_that_tells_no_id_is_no_error(token: str) -> None:
    assert application_in(token) is None


def test_bits_and_names_are_those_of_discord() -> None:
    flags = {
        "View Channels": discord.Permissions(view_channel=True),
        "Send Messages": discord.Permissions(send_messages=True),
        "Create Public Threads": discord.Permissions(create_public_threads=True),
        "Send Messages in Threads": discord.Permissions(send_messages_in_threads=True),
        "Read Message History": discord.Permissions(read_message_history=True),
        "Attach Files": discord.Permissions(attach_files=True),
        "Manage Threads": discord.Permissions(manage_threads=True),
    }
    assert {need.name: need.bit for need in PERMISSIONS} == {name: each.value for name, each in flags.items()}
    assert discord.Permissions(administrator=True).value == ADMINISTRATOR


def test_no_more_is_asked_for_than_the_stand_in_gives_a_bot() -> None:
    usual = [need for need in PERMISSIONS if need.use is not Use.SOLVED]
    assert sum_of(usual) & ~standin.DEFAULT_PERMISSIONS == 0


def test_an_administrator_lacks_nothing() -> None:
    assert missing(PERMISSIONS, ADMINISTRATOR) == []
    assert missing(PERMISSIONS, 0) == list(PERMISSIONS)


def test_every_setting_of_the_app_is_one_of_the_bridge() -> None:
    assert set(AppSettings.model_fields) < set(Settings.model_fields)
