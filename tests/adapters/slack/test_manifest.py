"""The manifest: exactly what the switched-on features need, in a shape that Slack takes, and enough for the bot to work."""

import json
import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.slack.installs.manifest import command_names, describe_install
from adapters.slack.installs.scopes import EVENTS, SCOPES, AppFeature, Need, needed_events, needed_scopes
from adapters.slack.settings import AppSettings
from bridge.errors import SettingsError
from bridge.playground.slack import SlackServer
from bridge.settings import isolated
from tests.adapters.slack.manifest_rules import SCOPE_OF_EVENT, refusals
from tests.adapters.slack.peer import Bridge, make_platform


def settings(**values: object) -> AppSettings:
    return isolated(AppSettings, **values)


def made(*, http_url: str = "", plain: bool = False, **values: object) -> dict[str, Any]:
    text = describe_install(settings(**values), http_url=http_url, plain=plain)
    found: dict[str, Any] = json.loads(text)
    return found


def scopes(manifest: dict[str, Any]) -> set[str]:
    return set(manifest["oauth_config"]["scopes"]["bot"])


def events(manifest: dict[str, Any]) -> set[str]:
    return set(manifest["settings"]["event_subscriptions"]["bot_events"])


def test_by_default_everything_is_there_for_socket_mode() -> None:
    manifest = made()
    assert scopes(manifest) == {need.name for need in SCOPES}
    assert events(manifest) == {need.name for need in EVENTS if not need.many}
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert manifest["settings"]["interactivity"] == {"is_enabled": True}
    assert "redirect_urls" not in manifest["oauth_config"]
    assert "url" not in json.dumps(manifest)
    assert [one["command"] for one in manifest["features"]["slash_commands"]] == [
        "/ask",
        "/reset",
        "/app",
        "/history",
        "/forget",
        "/help",
    ]
    assert manifest["features"]["shortcuts"][0]["callback_id"] == "ask_message"


def test_over_http_slack_is_told_where_to_call_for_everything() -> None:
    manifest = made(http_url="https://bot.example.com/")
    url = "https://bot.example.com/slack/events"
    assert manifest["settings"]["socket_mode_enabled"] is False
    assert manifest["settings"]["event_subscriptions"]["request_url"] == url
    assert manifest["settings"]["interactivity"]["request_url"] == url
    assert {one["url"] for one in manifest["features"]["slash_commands"]} == {url}
    assert made(http_url=url) == manifest


def test_a_plain_bot_goes_without_what_agents_alone_have() -> None:
    agent, plain = made(), made(plain=True)
    assert "agent_view" in agent["features"]
    assert "agent_view" not in plain["features"]
    assert scopes(agent) - scopes(plain) == {"assistant:write"}
    assert events(agent) - events(plain) == {"agent_session_stopped", "app_context_changed"}


def test_many_workspaces_add_the_way_back_and_the_events_of_leaving() -> None:
    manifest = made(slack_public_url="https://bot.example.com")
    assert manifest["oauth_config"]["redirect_urls"] == ["https://bot.example.com/slack/oauth_redirect"]
    assert {"app_uninstalled", "tokens_revoked"} <= events(manifest)
    assert manifest["settings"]["org_deploy_enabled"] is True
    assert manifest["settings"]["token_rotation_enabled"] is False


def test_without_features_only_mentions_are_left() -> None:
    manifest = made(slack_features=frozenset())
    assert scopes(manifest) == {"app_mentions:read", "chat:write"}
    assert events(manifest) == {"app_mention"}
    assert set(manifest["features"]) == {"app_home", "bot_user"}
    assert manifest["features"]["app_home"]["messages_tab_read_only_enabled"] is True


@pytest.mark.parametrize("feature", AppFeature)
def test_each_feature_asks_for_what_its_events_need_and_goes_when_it_is_left_out(feature: AppFeature) -> None:
    # An agent is written to in direct messages, whatever else is left out.
    others = frozenset(AppFeature) - ({AppFeature.AGENT} if feature is AppFeature.DIRECT else set())
    alone, without = made(slack_features=frozenset({feature})), made(slack_features=others - {feature})
    for manifest in (alone, without):
        assert {SCOPE_OF_EVENT[event] for event in events(manifest)} - {""} <= scopes(manifest)
    assert alone != made(slack_features=frozenset())
    assert without != made(slack_features=others)


def test_what_the_consent_page_asks_for_is_what_the_manifest_says() -> None:
    assert {need.name for need in needed_scopes(frozenset(AppFeature))} == scopes(made())
    assert {need.name for need in needed_events(frozenset(AppFeature), many=False)} == events(made())


def test_the_manual_says_of_each_feature_what_it_asks_for() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "slack.md").read_text(encoding="utf-8")
    written = {}
    for row in re.findall(r"^\| (`\w+`|\(always\)) \|(.*?)\|(.*?)\|", manual, re.MULTILINE):
        name, *cells = row
        written[name.strip("`")] = tuple(set(re.findall(r"`([^`]+)`", cell)) for cell in cells)
    meant: dict[str, tuple[set[str], set[str]]] = {"(always)": (_names_of(SCOPES), _names_of(EVENTS))}
    meant |= {feature.value: (_names_of(SCOPES, feature), _names_of(EVENTS, feature)) for feature in AppFeature}
    assert written == meant


def _names_of(needs: Sequence[Need], feature: AppFeature | None = None) -> set[str]:
    """Those that a feature needs, or that every app does."""
    wanted = [need for need in needs if (feature in need.features if feature else not need.features)]
    return {need.name for need in wanted if not need.many}


def test_commands_have_the_prefix_of_the_settings() -> None:
    manifest = made(slack_command_prefix="dify-")
    assert [one["command"] for one in manifest["features"]["slash_commands"]] == list(command_names("dify-"))
    assert command_names("dify-")["/dify-ask"] == "ask"


FEW = [frozenset(mix) for size in range(3) for mix in combinations(AppFeature, size)]
MIXES = [*FEW, *(frozenset(AppFeature) - mix for mix in FEW)]
"""Every pair of features, together and left out together."""


@pytest.mark.parametrize("plain", [False, True], ids=["agent", "plain"])
@pytest.mark.parametrize("http_url", ["", "https://bot.example.com"], ids=["socket", "http"])
@pytest.mark.parametrize("public_url", ["", "https://bot.example.com"], ids=["one", "many"])
def test_slack_takes_it_with_every_mix_of_features(plain: bool, http_url: str, public_url: str) -> None:
    for mix in MIXES:
        found = made(http_url=http_url, plain=plain, slack_features=mix, slack_public_url=public_url)
        assert refusals(found) == [], sorted(mix)


def test_slack_takes_it_with_the_longest_names() -> None:
    assert refusals(made(slack_app_name="N" * 35, slack_command_prefix="p" * 20)) == []


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda m: m["display_information"].update(name="N" * 36), "longer than 35"),
        (lambda m: m["display_information"].update(title="x"), "is unknown"),
        (lambda m: m["features"].update(slash_commands=[]), "no list with something in it"),
        (lambda m: m["features"]["slash_commands"][0].pop("description"), "description is missing"),
        (lambda m: m["features"]["slash_commands"][0].update(command="/status"), "Slack's own"),
        (lambda m: m["features"].pop("bot_user"), "features/bot_user"),
        (lambda m: m["features"].pop("agent_view"), "need each other"),
        (lambda m: m["oauth_config"]["scopes"]["bot"].remove("commands"), "the scope commands"),
        (lambda m: m["oauth_config"]["scopes"]["bot"].remove("im:history"), "message.im needs im:history"),
        (lambda m: m["settings"].update(socket_mode_enabled=False), "events need an address"),
        (lambda m: m["settings"]["interactivity"].update(is_enabled=False), "shortcuts need interactivity"),
        (lambda m: m["settings"]["event_subscriptions"]["bot_events"].append("app_mention"), "twice"),
    ],
)
def test_what_slack_would_refuse_is_noticed_here(spoil: Any, reason: str) -> None:
    manifest = made()
    spoil(manifest)
    assert any(reason in one for one in refusals(manifest)), refusals(manifest)


@pytest.mark.parametrize("values", [{}, {"slack_public_url": "https://a.b"}, {"slack_features": frozenset()}])
@pytest.mark.parametrize("http_url", ["", "https://a.b"])
def test_yaml_says_the_same_as_json(values: dict[str, object], http_url: str) -> None:
    odd: dict[str, Any] = {**values, "slack_app_name": 'A: "b" #c — é'}
    text = describe_install(settings(**odd), http_url=http_url, as_yaml=True)
    assert yaml.safe_load(text) == made(http_url=http_url, **odd)
    assert text.startswith("display_information:\n")


@pytest.mark.parametrize("url", ["bot.example.com", "http://bot.example.com", "https://a.b/?c", "ftp://a.b"])
def test_an_address_that_slack_could_not_call_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="--http"):
        describe_install(settings(), http_url=url)


@pytest.mark.parametrize("plain", [False, True])
async def test_an_app_made_from_it_hears_mentions_follow_ups_direct_messages_and_reactions(
    server: SlackServer, plain: bool
) -> None:
    manifest = made(plain=plain)
    server.scopes = manifest["oauth_config"]["scopes"]["bot"]
    server.subscriptions = events(manifest)
    platform = make_platform(server)
    async with Bridge(server, platform) as bridge:
        ts = await server.post_as("U0ADA", "C0GENERAL", f"<@{server.bot_user_id}> one")
        await server.post_as("U0ADA", "C0GENERAL", "two", thread_ts=ts)
        await server.post_as("U0ADA", "D0ADA", "three")
        await bridge.heard(3)
        await server.idle(5)
        said = {message.text for message in bridge.inbox.questions}
        assert {word for word in ("one", "two", "three") if any(word in text for text in said)} == {
            "one",
            "two",
            "three",
        }
        told = len(bridge.inbox.events)
        await server.change_context("U0ADA", [])
        await server.idle(5)
        assert len(bridge.inbox.events) == told, "what somebody looks at is of no interest"
    await platform.close()
    assert {delivery.outcome for delivery in server.deliveries} == {"acked"}
