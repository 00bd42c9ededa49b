"""`dify-chat-bridge manifest`, as an operator types it before there is any token."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from adapters.discord.settings import Settings as DiscordSettings
from adapters.slack.settings import Settings
from bridge.cli import cli


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (*Settings.model_fields, *DiscordSettings.model_fields):
        monkeypatch.delenv(name.upper(), raising=False)


def manifest(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli, ["manifest", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_it_needs_no_settings() -> None:
    code, out, _ = manifest("slack")
    assert code == 0
    assert json.loads(out)["settings"]["socket_mode_enabled"] is True


def test_settings_that_are_not_complete_yet_do_not_hinder_it(tmp_path: Path) -> None:
    env = tmp_path / "half.env"
    env.write_text("SLACK_APP_TOKEN=xapp-1\nSLACK_APP_NAME=Ada\nSLACK_CLIENT_ID=nonsense\n", encoding="utf-8")
    code, out, _ = manifest("slack", "--env-file", str(env))
    assert code == 0
    assert json.loads(out)["display_information"]["name"] == "Ada"


def test_its_options_change_it() -> None:
    code, out, _ = manifest("slack", "--http", "https://bot.example.com", "--plain", "--yaml")
    assert code == 0
    found = yaml.safe_load(out)
    assert found["settings"]["event_subscriptions"]["request_url"] == "https://bot.example.com/slack/events"
    assert "agent_view" not in found["features"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["slack", "--http", "bot.example.com"], ["--http must be an address"]),
        (["discord", "--yaml"], ["are for Slack", "Discord has no manifest"]),
        (["teams"], ["no platform named 'teams'", "discord, slack"]),
    ],
)
def test_what_cannot_be_done_is_one_line(arguments: list[str], words: list[str]) -> None:
    code, out, err = manifest(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ")
    assert len(err.splitlines()) == 1
    assert all(word in err for word in words)


def test_discord_is_set_up_by_links() -> None:
    code, out, _ = manifest("discord")
    assert code == 0
    assert "https://discord.com/oauth2/authorize?client_id=APPLICATION_ID&permissions=" in out


def test_its_links_are_made_for_the_application_of_the_token(tmp_path: Path) -> None:
    env = tmp_path / "half.env"
    token = "MTMwMDAwMDAwMDAwMDAwMDAwMg.Gabcde.secret-part"
    env.write_text(f"DISCORD_TOKEN={token}\nDISCORD_USER_INSTALL=false\nDISCORD_API_URL=nonsense\n", encoding="utf-8")
    code, out, _ = manifest("discord", "--env-file", str(env))
    assert code == 0
    assert "client_id=1300000000000000002&" in out
    assert "integration_type=1" not in out
    assert "secret-part" not in out


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_FEATURES", "hats")
    code, _, err = manifest("slack")
    assert code == 2
    assert "SLACK_FEATURES has hats in it" in err
