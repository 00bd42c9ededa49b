"""Who is from elsewhere, as values: organisations with several workspaces, channels shared with other organisations."""

from datetime import UTC, datetime

import pytest

from adapters.slack.inbound import Identity, read_event
from adapters.slack.reading.people import identity_in
from adapters.slack.reading.presses import presser
from adapters.slack.surfaces.commands import Typed, read_command
from bridge.events import CommandInvoked, MessageReceived
from tests.adapters.slack.test_inbound import ME, payload


def message(outer: dict[str, object], **event: object) -> MessageReceived:
    read = read_event({**payload(**event), **outer}, ME, {})
    assert isinstance(read, MessageReceived), read
    return read


def authorized(enterprise: str) -> dict[str, object]:
    return {"authorizations": [{"team_id": "T1", "user_id": "UBOT", "is_bot": True, "enterprise_id": enterprise}]}


def command(team: str, enterprise: str = "") -> tuple[bool, str]:
    fields = {
        "command": "/help",
        "channel_id": "C1",
        "user_id": "U1",
        "trigger_id": "1.2",
        "team_id": team,
        "enterprise_id": enterprise,
    }
    typed = read_command(fields, ME, {}, prefix="", rolling=False, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert isinstance(typed, Typed)
    assert isinstance(typed.event, CommandInvoked)
    return typed.event.is_external, typed.event.author.home


def press(user_team: str, **outer: object) -> str:
    return presser({"user": {"id": "U1", "team_id": user_team}, "team": {"id": "T1"}, **outer}, ME, {}).home


@pytest.mark.parametrize(("team", "home"), [("T1", ""), ("", ""), ("T2", "T2")])
def test_who_belongs_to_another_workspace_is_from_there(team: str, home: str) -> None:
    read = message({}, user_team=team)
    assert (read.author.home, read.is_external) == (home, bool(home))


def test_slack_may_tell_it_by_another_name() -> None:
    assert message({}, source_team="T2").author.home == "T2"


def test_a_channel_may_be_shared_while_our_own_people_write() -> None:
    read = message({"is_ext_shared_channel": True}, user_team="T1")
    assert (read.is_external, read.author.home) == (True, "")


def test_a_colleague_from_another_workspace_of_the_organisation_is_no_stranger_among_ourselves() -> None:
    read = message({**authorized("E1"), "is_ext_shared_channel": False}, user_team="T2")
    assert (read.is_external, read.author.home) == (False, "")


def test_where_the_channel_is_shared_who_is_not_of_our_workspace_counts_as_a_stranger() -> None:
    read = message({**authorized("E1"), "is_ext_shared_channel": True}, user_team="T2")
    assert (read.is_external, read.author.home) == (True, "T2")


def test_an_organisation_as_home_is_ours_where_it_is_ours() -> None:
    assert message({**authorized("E1"), "is_ext_shared_channel": True}, user_team="E1").author.home == ""
    assert message({**authorized("E1"), "is_ext_shared_channel": True}, user_team="E2").author.home == "E2"


@pytest.mark.parametrize(("team", "home"), [("T1", ""), ("", ""), ("T2", "T2"), ("E1", "")])
def test_who_presses_is_told_apart_in_the_same_way(team: str, home: str) -> None:
    assert press(team, enterprise={"id": "E1"}) == home


@pytest.mark.parametrize(("team", "told"), [("T1", (False, "")), ("T2", (True, "T2"))])
def test_who_types_a_command_is_told_apart_too(team: str, told: tuple[bool, str]) -> None:
    assert command(team) == told


def test_where_the_app_is_installed_for_an_organisation_the_person_is_where_we_are() -> None:
    body = {
        "user": {"id": "U1", "team_id": "T2"},
        "team": None,
        "enterprise": {"id": "E1"},
        "is_enterprise_install": True,
    }
    me = identity_in({"type": "block_actions", **body}, None)
    assert me == Identity(team="T2", user="")
    assert presser(body, me, {}).home == ""
    # What happened in a form is told for the workspace where the app was installed.
    assert presser(body, Identity(team="T9", user=""), {}).home == ""
